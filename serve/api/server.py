"""The API on its port: inside the router's process as one role more, or alone as `mailml-serve api`."""

from __future__ import annotations

import socket
import threading
from typing import Any

import structlog
import uvicorn

from mailml.errors import InputError

from ..bells import Bells
from ..bundles import Bundles
from ..config import Config
from ..journal import Journal
from .app import create

_BUSY = 200  # requests at once: more are told to come back, instead of filling the memory


class ApiServer:
    """uvicorn in a thread of its own."""

    def __init__(self, config: Config, journal: Journal, bundles: Bundles, key: bytes) -> None:
        """Bind the port at once, so that a port in use stops the start and not a thread."""
        assert config.http is not None
        self.http = config.http
        self.log = structlog.get_logger("api")
        self.app = create(config, journal, bundles, key)
        self.socket = _bound(config.http.host, config.http.port)
        self.port: int = self.socket.getsockname()[1]

    def run(self, bells: Bells) -> None:
        """Serve until told to stop."""
        server = _Server(self._settings())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [self.socket]}, name="uvicorn")
        thread.start()
        self.log.info("listening", host=self.http.host, port=self.port, tls=bool(self.http.key_file))
        try:
            while not bells.stop.wait(0.5) and thread.is_alive():
                pass
        finally:
            server.should_exit = True
            thread.join(10)

    def _settings(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,  # our own lines say who and what, and never a key
            lifespan="off",
            server_header=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=5,
            limit_concurrency=_BUSY,
            h11_max_incomplete_event_size=64 * 1024,
            ws="none",
            ssl_certfile=self.http.certificate_file,
            ssl_keyfile=self.http.key_file,
        )


class _Server(uvicorn.Server):
    """Leaves the process's signals to the supervisor."""

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise InputError(
            f"cannot listen on {host} port {port} ({error.strerror})",
            where="[http]",
            cure="Choose another port, or stop who has it",
        ) from error
    return made
