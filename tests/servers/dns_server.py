"""A name server on loopback, over UDP and TCP, that knows what the test tells it.

    with DnsServer({("acme.example", "MX"): ["10 mx.acme.example."]}) as names:
        names.address  # "127.0.0.1:5353"

A name nobody told it of does not exist; `silent` makes it say nothing, `broken` answer SERVFAIL.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.servers.missing import free_port

Zone = Mapping[tuple[str, str], Sequence[str]]


class DnsServer:
    """The server; a context manager."""

    def __init__(self, zone: Zone | None = None) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {
            key: list(value) for key, value in (zone or {}).items()
        }
        self.asked: list[tuple[str, str]] = []
        self.silent = self.broken = False
        self.port = free_port()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> DnsServer:
        self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", self.port), _handler(self, tcp=False))
        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), _handler(self, tcp=True))
        for server in (self._udp, self._tcp):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """The reply to one question; long answers are cut over UDP, so that the client comes by TCP."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if self.silent:
            return None
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        records = self.zone.get((name, kind), [])
        if self.broken:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, records))
        elif not any(known == name for known, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        try:
            return reply.to_wire(max_size=65535 if tcp else 512)
        except dns.exception.TooBig:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()


def txt(text: str) -> str:
    """A TXT record of any length: strings of at most 255 letters."""
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


def _handler(server: DnsServer, *, tcp: bool) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if not tcp:
                data, back = self.request
                if (reply := server.answer(data, tcp=False)) is not None:
                    back.sendto(reply, self.client_address)
                return
            line: socket.socket = self.request
            (length,) = struct.unpack("!H", _exactly(line, 2))
            if (reply := server.answer(_exactly(line, length), tcp=True)) is not None:
                line.sendall(struct.pack("!H", len(reply)) + reply)

    return Handler


def _exactly(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += line.recv(count - len(data)) or b"\0" * (count - len(data))
    return data
