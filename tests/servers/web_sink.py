"""An HTTP(S) server that records what it is sent and answers as the test says."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType

from tests.servers.listening import listening
from tests.servers.missing import free_port
from tests.servers.tls import Certificates


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What the server says; `trickle` sends a header byte by byte with this pause, for ever."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trickle: float = 0.0


class WebSink:
    """The server; a context manager. `answer` may be changed at any time."""

    def __init__(self, certificates: Certificates | None = None) -> None:
        self.certificates, self.port = certificates, free_port()
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda _: Answer()

    def __enter__(self) -> WebSink:
        self._server = listening(self.port, _handler(self), self.certificates)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens, by name."""
        return f"http{'s' if self.certificates else ''}://localhost:{self.port}"


def _handler(sink: WebSink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            sink.received.append(got)
            told = sink.answer(got)
            if told.trickle:
                self._trickle(told.trickle)
                return
            self.send_response(told.status)
            for name, value in {"Content-Length": str(len(told.body)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        def _trickle(self, pause: float) -> None:
            try:
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(pause)
            except OSError:
                return

        def log_message(self, format: str, *arguments: object) -> None:
            del format, arguments

    return Handler
