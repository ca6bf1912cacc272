"""The arrows between the parts of the package, read from its import statements, and what an import may load."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nnwidgets"
MODULES = sorted(PACKAGE.rglob("*.py"))

# part: what it may import from the rest of the package. `inspector`, `callbacks` and the package itself see all.
ARROWS: dict[str, set[str]] = {
    "words": set(),
    "selection": set(),
    "shadow": set(),
    "data": {"shadow", "words"},
    "analysis": {"shadow", "data"},
    "training": {"shadow", "data", "analysis"},
    "measures": {"words", "shadow", "data", "analysis", "training"},
    "session": {"words", "selection", "shadow", "data", "analysis", "training", "measures"},
    "blocks": {"words"},
}
ARROWS["display"] = {*ARROWS["session"], "session", "blocks"}
ARROWS["views"] = {*ARROWS["display"], "display"}
# part: what it may import from outside, besides the standard library.
LIBRARIES: dict[str, set[str]] = {
    "words": set(),
    "selection": {"traitlets"},
    "shadow": {"torch", "numpy"},
    "data": {"torch", "numpy"},
    "analysis": {"torch", "numpy", "numba"},
    "training": {"torch", "numpy"},
    "measures": {"torch", "numpy"},
    "session": {"torch", "numpy"},
    "blocks": {"numpy", "matplotlib"},
    "views": {"torch", "numpy", "traitlets"},
}
WIDGET_STACK = ("IPython", "anywidget", "bqplot", "ipywidgets", "matplotlib", "traitlets")


def part_of(path: Path) -> str:
    """The first name below the package: a folder or a module."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """The full names that a module imports when it runs, also inside functions; not those for the type checker only."""
    package = path.relative_to(ROOT).parent.parts
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_along_the_arrows(path: Path) -> None:
    part = part_of(path)
    if part not in ARROWS:
        assert part in {"__init__", "callbacks", "inspector"}, (
            f"{path}: a new part of the package needs its line in ARROWS"
        )
        return
    parts = {name.split(".")[1] for name in imported(path) if name.startswith("nnwidgets.")}
    assert parts - {part} <= ARROWS[part]


@pytest.mark.parametrize(
    "path", [path for path in MODULES if part_of(path) in LIBRARIES], ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_module_imports_only_the_libraries_of_its_part(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - {"nnwidgets"}
    assert libraries <= LIBRARIES[part_of(path)]


def name_of(path: Path) -> str:
    """The full name of a module; a package's is that of its folder."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Nor by way of others, nor inside functions: what needs such a detour stands on the wrong side of a border."""
    names = {name_of(path) for path in MODULES}
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        found = {name if name in names else name.rpartition(".")[0] for name in imported(path)}
        graph[name_of(path)] = found & names - {name_of(path)}
    del graph["nnwidgets"]  # the flat names, imported at first use
    ends = 1
    while ends:  # take away what imports nothing that is left: what stays imports itself
        leaves = [name for name, needs in graph.items() if not needs & graph.keys()]
        ends = len(leaves)
        for name in leaves:
            del graph[name]
    circle = {name: sorted(needs & graph.keys()) for name, needs in graph.items()}
    assert circle == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_uses_pyplot(path: Path) -> None:
    assert [name for name in imported(path) if "pyplot" in name or "pylab" in name] == []


@pytest.mark.parametrize("path", sorted((ROOT / "js" / "src").rglob("*.ts")), ids=lambda path: path.name)
def test_no_view_writes_html_from_strings(path: Path) -> None:
    writes = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\("
    assert re.findall(writes, path.read_text(encoding="utf-8")) == []


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_analyses_import_with_torch_and_numpy_alone() -> None:
    run_python(f"""
import sys
for name in {WIDGET_STACK!r}:
    sys.modules[name] = None  # any import of it raises ImportError
import torch
import nnwidgets.analysis, nnwidgets.shadow, nnwidgets.training, nnwidgets.measures
nnwidgets.analysis.filter_smoothness(torch.zeros(2, 3, 3, 3))
""")


def test_importing_the_package_loads_nothing_that_is_not_used_yet() -> None:
    heavy = ("torch", "numpy", *WIDGET_STACK)
    assert run_python(f"import sys, nnwidgets; print([name for name in {heavy!r} if name in sys.modules])") == "[]"


def test_every_public_name_can_be_reached_from_the_package() -> None:
    code = "import nnwidgets; print([name for name in nnwidgets.__all__ if not hasattr(nnwidgets, name)])"
    assert run_python(code) == "[]"
