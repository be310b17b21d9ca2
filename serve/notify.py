"""What systemd is told (sd_notify): ready, alive, stopping; nothing where nobody listens."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def tell(state: str, environment: Mapping[str, str] | None = None) -> None:
    """Send one state, e.g. READY=1, to whoever started us and asked for it."""
    address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # the abstract namespace
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode(), address)
