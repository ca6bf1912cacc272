# `make demo` shows it, `make test` proves it. Both make their own environment in .venv; Python 3.10 or newer is enough.

PYTHON ?= python3
PORT ?= 8888
BROWSER ?= 1
# How many processes the tests run in.
JOBS ?= 2

VENV := .venv
PY := $(VENV)/bin/python
NPM := $(PY) js/hatch_build.py
# Most modules are never imported: compiling them all would take longer than compiling those on the way.
PIP := $(PY) -m pip install --quiet --no-compile
PYTEST := $(PY) -m pytest -q --durations 10
# Whole files are dealt out in their order, so that what a file's tests share is made once and the long ones come early.
BESIDE := --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
# What failed is run once more, alone: on a shared machine a deadline can pass without anything being wrong. Both runs are
# shown, what failed first is written down, and `make test` lists it at its end: more than a few would hide a fault.
twice = $(PYTEST) --cache-clear $(2) $(1) || { $(note_failed); echo "── again, what failed"; $(PYTEST) --last-failed $(1); }
FAILED_FIRST := .pytest_cache/failed-first.txt
FAILED_FIRST_AT_MOST := 3
note_failed = $(PY) -c 'import json; print(*json.load(open(".pytest_cache/v/cache/lastfailed")), sep="\n")' >> $(FAILED_FIRST) 2> /dev/null \
	|| echo "a run that named no test" >> $(FAILED_FIRST)
UNIT := --ignore tests/browser --ignore tests/test_notebooks.py
# Their files by name: to collect all tests takes as long as to run these.
ALONE = $(shell grep -rl --include 'test_*.py' 'pytest\.mark\.alone' tests)
READY = $(VENV)/ready-$(1)-$(STATE)
# An environment is good for one set of requirements and one state of the browser sources.
STATE := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
JS_SOURCES := $(shell find js/src js/*.json js/*.mjs js/hatch_build.py -type f)

# More threads than this only fight each other (and the browser) on a small machine.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes and kernels: each would compile torch's modules anew, three times what else it takes.
unexport PYTHONDONTWRITEBYTECODE

# $(call stage,name,command): runs the command and says how long it took.
define stage
@echo "── $(1)"; start=$$(date +%s); $(2); status=$$?; \
	echo "── $(1): $$(($$(date +%s) - start)) s, $$([ $$status = 0 ] && echo passed || echo FAILED)"; exit $$status
endef

.PHONY: help demo test everything lint style types typescript vitest unit unit-beside unit-alone notebooks browser soak bench cuda \
	screenshots clean
.NOTPARALLEL:
help:
	@echo "make demo [PORT=8888] [BROWSER=0]   JupyterLab with the quickstart; BROWSER=0 prints its address"
	@echo "make test                           everything below, in about 25 minutes on 2 cores"
	@echo "make lint | vitest | unit | notebooks | browser   (unit in JOBS=2 processes)"
	@echo "make cuda [CUDA_JSON=file]          tests and benchmarks that need a GPU, in at most 8 minutes"
	@echo "make soak | bench | screenshots | clean"

# The environment: .venv/ready-notebook-… for the demo, ready-test-… and ready-bench-… for developers.
# torch comes first and by its exact version, so that no other package chooses a build of it.
$(VENV)/ready-%-$(STATE): $(JS_SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit("Python: expected 3.10 or newer, got " + sys.version if sys.version_info < (3, 10) else 0)'
	$(call stage,set-up ($*),{ [ -x $(PY) ] || $(PYTHON) -m venv $(VENV); } \
		&& $(PIP) $$(grep -o '^torch==[0-9.]*' constraints.txt) \
		&& $(PIP) --constraint constraints.txt --editable '.[$*]' \
		$(if $(filter test bench,$*),&& $(PIP) --constraint constraints.txt --no-deps fastai))
	@touch $@

demo: $(call READY,notebook)
	@folder=$(CURDIR)/.demo/$$(date +%Y%m%d-%H%M%S); settings=$$folder/.settings/@jupyterlab/apputils-extension; \
	mkdir -p $$settings && cp notebooks/*.ipynb $$folder && \
	echo '{"fetchNews": "false", "checkForUpdates": false}' > $$settings/notification.jupyterlab-settings && \
	JUPYTERLAB_SETTINGS_DIR=$$folder/.settings JUPYTERLAB_WORKSPACES_DIR=$$folder/.workspaces \
	exec $(PY) -m jupyterlab --ServerApp.ip=127.0.0.1 --ServerApp.port=$(PORT) --ServerApp.root_dir=$$folder \
		--LabApp.default_url=/doc/tree/01_quickstart.ipynb \
		$$([ "$(BROWSER)" = 0 ] && echo --no-browser) $$([ "$$(id -u)" = 0 ] && echo --allow-root)

# Under --keep-going, too, the last line says how many tests failed at first.
test:
	@rm -f $(FAILED_FIRST); $(MAKE) everything; status=$$?; \
	if [ -e $(FAILED_FIRST) ]; then count=$$(wc -l < $(FAILED_FIRST)); else count=0; fi; \
	echo "── tests that failed at first, of at most $(FAILED_FIRST_AT_MOST): $$count"; [ $$count = 0 ] || cat $(FAILED_FIRST); \
	if [ $$count -gt $(FAILED_FIRST_AT_MOST) ]; then echo "── too many: FAILED"; exit 1; fi; exit $$status

everything: lint vitest unit notebooks browser

lint: style types typescript

style: $(call READY,test)
	$(call stage,style,$(PY) -m ruff check . && $(PY) -m ruff format --check .)

types: $(call READY,test)
	$(call stage,types,$(PY) -m mypy)

typescript: $(call READY,test)
	$(call stage,TypeScript,$(NPM) run check)

vitest: $(call READY,test)
	$(call stage,TypeScript tests,$(NPM) test)

unit: unit-beside unit-alone

unit-beside: $(call READY,test)
	$(call stage,Python tests,$(call twice,-m "not soak and not alone" $(UNIT),$(BESIDE)))

unit-alone: $(call READY,test)
	$(call stage,Python tests that measure time,$(call twice,-m "alone and not soak" $(ALONE)))

notebooks: $(call READY,test)
	$(call stage,notebooks,$(PYTEST) tests/test_notebooks.py)

browser: $(call READY,test) $(VENV)/ready-chromium
	$(call stage,browser tests,$(call twice,-m "not soak" tests/browser))

# A browser of the system, else under CI (or INSTALL_BROWSER=1, as root) Debian's, else Playwright's own.
$(VENV)/ready-chromium: | $(call READY,test)
	@if $(PY) -c 'import sys; from tests.browser.chromium import system_browser as found; sys.exit(found() is None)'; then :; \
	elif [ -n "$$CI$$INSTALL_BROWSER" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core > /dev/null; \
	else $(PY) -m playwright install chromium; fi
	@touch $@

soak: $(call READY,test) $(VENV)/ready-chromium
	$(call stage,soak,$(PYTEST) -m soak tests)

bench: $(call READY,bench) $(VENV)/ready-chromium
	$(call stage,benchmarks,$(PY) -m tests.benchmarks)

# Where torch is there already and pip can reach nothing: make cuda PY=python3 READY=
CUDA_JSON ?= build/cuda.json
cuda: $(call READY,test)
	$(call stage,CUDA,$(PY) -m tests.benchmarks.cuda $(CUDA_JSON))

screenshots: $(call READY,test) $(VENV)/ready-chromium
	$(call stage,screenshots,$(PY) -m tests.browser.screenshots)

clean:
	rm -rf $(VENV) .demo build js/node_modules nnwidgets/display/static .mypy_cache .pytest_cache .ruff_cache
