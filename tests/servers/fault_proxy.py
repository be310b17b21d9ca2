"""A TCP proxy in front of a server: it writes down what the client sends, cuts lines, and goes silent.

with FaultProxy(server.imap_port) as proxy:
    proxy.cut_after(100_000)            # once, after so many bytes towards the client
    pull(user.account("none", port=proxy.port), …)
    assert b"STORE" not in proxy.sent
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType


class FaultProxy:
    """The proxy; a context manager. Each connection gets two threads."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.connections = 0
        self.received = 0  # bytes the server has sent, all connections together
        self.refusing = False  # close every new connection at once
        self.lengths: list[dict[str, int]] = []  # bytes "up" and "down" of each connection, in their order
        self.cuts = 0  # connections that were cut as asked
        self.greetings: list[bytes] = []  # said instead of the server's to the next connections, then closed
        self.refusals: dict[str, list[bytes]] = {}  # by IMAP command, answers that are not the server's
        self.arrived: list[float] = []  # when each connection came (time.monotonic)
        self._sent: list[bytes] = []
        self._cuts: list[tuple[str, int, str]] = []
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._silenced: set[socket.socket] = set()

    def __enter__(self) -> FaultProxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._listener.close()
        self.cut_now()

    @property
    def sent(self) -> bytes:
        """Everything clients have sent so far (readable where the line is not encrypted)."""
        return b"".join(self._sent)

    def commands(self) -> list[str]:
        """The IMAP commands clients have sent, without tags: `["CAPABILITY", "LOGIN", "UID FETCH", …]`."""
        names = [_command(line)[1] for line in self.sent.split(b"\r\n")]
        return [name for name in names if name]

    def _refusal(self, data: bytes) -> bytes:
        """The answer to a command that does not reach the server; b"" for one that does."""
        tag, name = _command(data.partition(b"\r\n")[0])
        answers = self.refusals.get(name)
        return b"%s %s\r\n" % (tag.encode(), answers.pop(0)) if answers else b""

    def cut_after(self, count: int, direction: str = "down", kind: str = "rst", times: int = 1) -> None:
        """Cuts the next `times` connections after `count` bytes "down" (to the client) or "up".

        `kind` is "rst", "fin", or "silent": the line stays open and nothing comes any more.
        """
        with self._lock:
            self._cuts += [(direction, count, kind)] * times

    def go_silent(self) -> None:
        """Lets nothing through on the connections that are open now; they stay open, and new ones work."""
        with self._lock:
            self._silenced.update(self._open)

    def cut_now(self) -> None:
        """Cuts every connection at once."""
        with self._lock:
            for sock in self._open:
                _abort(sock)
            self._open.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.arrived.append(time.monotonic())
                if self.greetings:
                    client.sendall(self.greetings.pop(0))
                    client.close()
                    continue
                if self.refusing:
                    client.close()
                    continue
                self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 10)
        except OSError:
            client.close()
            return
        with self._lock:
            self.connections += 1
            cut = self._cuts.pop(0) if self._cuts else None
            self._open += [client, server]
            length = {"up": 0, "down": 0}
            self.lengths.append(length)
        for source, sink, way in ((client, server, "up"), (server, client, "down")):
            limit = cut if cut is not None and cut[0] == way else None
            threading.Thread(target=self._pump, args=(source, sink, way, limit, length), daemon=True).start()

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        way: str,
        cut: tuple[str, int, str] | None,
        length: dict[str, int],
    ) -> None:
        left = cut[1] if cut is not None else -1
        try:
            while data := source.recv(65536):
                if source in self._silenced:
                    continue
                length[way] += len(data)
                if way == "up":
                    self._sent.append(data)
                    if answer := self._refusal(data):
                        source.sendall(answer)
                        continue
                else:
                    self.received += len(data)
                if cut is not None and len(data) >= left:
                    sink.sendall(data[:left])
                    self.cuts += 1
                    time.sleep(0.02)  # what was let through shall arrive before the cut
                    if cut[2] == "silent":
                        _swallow(source)
                    self._cut(source, sink, cut[2])
                    return
                left -= len(data)
                sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _cut(self, source: socket.socket, sink: socket.socket, kind: str) -> None:
        for sock in (source, sink):
            if kind == "rst":
                _abort(sock)
            else:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def _command(line: bytes) -> tuple[str, str]:
    """Tag and name of an IMAP command, the name "" for what is none."""
    words = line.decode("utf-8", "replace").split()
    if len(words) < 2:
        return "", ""
    return words[0], " ".join(words[1:3] if words[1].upper() == "UID" else words[1:2]).upper()


def _swallow(sock: socket.socket) -> None:
    while sock.recv(65536):
        pass


def _abort(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # shutdown wakes the thread that waits in recv; close alone would not.
        sock.shutdown(socket.SHUT_RD)
        sock.close()
