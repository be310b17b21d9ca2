"""Why a server cannot be started here: the reason a test is skipped with."""

from __future__ import annotations

import shutil
import socket


class ServerMissing(Exception):  # noqa: N818 - it becomes the reason of a skip
    """A program is not installed, too old or too new, or needs root."""


def program(*names: str, package: str) -> str:
    """The path of the first of these programs; /usr/sbin is looked into even when PATH leaves it out."""
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/dovecot:/usr/local/sbin")
        if found:
            return found
    raise ServerMissing(f"needs {names[0]} (Debian package {package}; see tests/install-system-packages.sh)")


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
