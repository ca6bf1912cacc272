"""A real JupyterLab server of our own: nothing of the user's settings, loopback only, gone after the tests."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_S = 120.0
STOP_S = 20.0
NEWEST = "newest"


class LabServer:
    """JupyterLab (and Notebook 7 beside it) in a folder of its own; `root` holds the notebooks it serves."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "notebooks"
        self.log = folder / "server.log"
        self.token = secrets.token_hex(16)
        self.url = ""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers; raises `RuntimeError` with its log when it does not."""
        self.root.mkdir(parents=True)
        self.reset_settings()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.root, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        runtime = self._folder / "runtime" / f"jpserver-{self._process.pid}.json"
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if runtime.exists() and self._answers(runtime):
                return
            time.sleep(0.1)
        log_text = self.log.read_text(errors="replace")
        self.stop()
        raise RuntimeError(f"JupyterLab: expected it to answer within {START_S:.0f} s; its log:\n{log_text}")

    def stop(self) -> None:
        """End the server and every kernel it started."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def request(self, method: str, path: str) -> Any:
        """The JSON answer of the server's REST interface, None when it is empty."""
        request = urllib.request.Request(
            f"{self.url}api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def end_sessions(self) -> None:
        """Shut down all kernels, so that the next test has the machine for itself."""
        for session in self.request("GET", "sessions"):
            self.request("DELETE", f"sessions/{session['id']}")

    def reset_settings(self) -> None:
        """Forget what pages changed (a theme, say), so that the next page starts as all others do."""
        folder = self._folder / "settings"
        shutil.rmtree(folder, ignore_errors=True)
        for plugin, values in SETTINGS.items():
            path = folder / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(values))

    def add_kernel(self, ipykernel: str) -> str:
        """The name of a kernel on this version of ipykernel (or `NEWEST`), all else as in the tests' environment."""
        libraries = _install_ipykernel(ipykernel)
        name = f"ipykernel-{ipykernel}"
        folder = self._folder / "data" / "kernels" / name
        folder.mkdir(parents=True, exist_ok=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {"PYTHONPATH": os.pathsep.join([str(libraries), str(ROOT)])},
            # ipykernel 7 says so in its own kernelspec; without it JupyterLab opens no subshell.
            "metadata": {"supported_features": ["debugger", "kernel subshells"], "debugger": True},
        }
        (folder / "kernel.json").write_text(json.dumps(spec))
        return name

    def _answers(self, runtime: Path) -> bool:
        try:
            self.url = json.loads(runtime.read_text())["url"]
            self.request("GET", "status")
        except (json.JSONDecodeError, KeyError, urllib.error.URLError, ConnectionError):
            return False  # half written or half started: the next look tells
        return True

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]

    def _environment(self) -> dict[str, str]:
        own = {
            "HOME": "home",
            "IPYTHONDIR": "ipython",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "MPLCONFIGDIR": "matplotlib",
        }
        for name in own.values():
            (self._folder / name).mkdir(exist_ok=True)
        return {
            **os.environ,
            **{variable: str(self._folder / name) for variable, name in own.items()},
            # Two torch threads on two cores collapse beside a browser.
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }


# No questions, no traffic to the outside, no save behind a test's back.
SETTINGS: dict[str, dict[str, object]] = {
    "@jupyterlab/apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


@contextmanager
def serve(folder: Path) -> Iterator[LabServer]:
    """A running server in an empty folder; stopped at the end."""
    server = LabServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _install_ipykernel(version: str) -> Path:
    """The folder with this ipykernel and what only it needs; pinned ones stay in the environment from run to run."""
    target = Path(sys.prefix) / "ipykernels" / version
    if version == NEWEST:
        shutil.rmtree(target, ignore_errors=True)
    if (target / "ipykernel").is_dir():
        return target
    partial = target.with_name(f"{version}-partial-{os.getpid()}")  # another process of tests may be at it, too
    shutil.rmtree(partial, ignore_errors=True)
    # ipykernel 6 needs nest_asyncio, which its successors do not; all else is in the environment.
    packages = ["ipykernel" if version == NEWEST else f"ipykernel=={version}", "nest_asyncio"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(partial), *packages]
    subprocess.run(command, check=True)
    try:
        partial.rename(target)
    except OSError:
        if not (target / "ipykernel").is_dir():
            raise
        shutil.rmtree(partial)  # the other was first
    return target
