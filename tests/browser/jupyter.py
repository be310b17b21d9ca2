"""JupyterLab as a process of its own on loopback, with settings, kernels and files in temporary folders."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATHS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "MPLCONFIGDIR": "mpl",
    "IPYTHONDIR": "ipython",
}
_UP_WITHIN = 90.0  # seconds; four or five on an idle machine


@dataclass(frozen=True, slots=True)
class Lab:
    """A JupyterLab that answers: where it is, its token, and the folder it serves."""

    base: str
    token: str
    root: Path


@contextmanager
def jupyterlab(home: Path, root: Path) -> Iterator[Lab]:
    """Start JupyterLab over `root` for the time of a `with` block; everything it writes goes below `home`."""
    _quiet(home)
    token, port = secrets.token_hex(16), _free_port()
    environment = {**os.environ, "JUPYTER_TOKEN": token, **{k: str(home / v) for k, v in _PATHS.items()}}
    log = home / "lab.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            _command(port, root), env=environment, stdout=out, stderr=out, start_new_session=True
        )
        lab = Lab(f"http://127.0.0.1:{port}", token, root)
        try:
            _wait(lab, process, log)
            yield lab
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(port: int, root: Path) -> list[str]:
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        # the server would ask the internet for news and updates
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "LabApp.expose_app_in_browser": True,
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *given]


def _quiet(home: Path) -> None:
    """Settings without news, updates and pop-ups."""
    place = home / "settings" / "@jupyterlab" / "apputils-extension"
    place.mkdir(parents=True)
    told = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (place / "notification.jupyterlab-settings").write_text(json.dumps(told))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(lab: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    asked = urllib.request.Request(f"{lab.base}/api/status", headers={"Authorization": f"token {lab.token}"})
    end = time.monotonic() + _UP_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(asked, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not come up: {log.read_text(errors='replace')[-3000:]}")
