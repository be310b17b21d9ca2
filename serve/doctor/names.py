"""What DNS says of a domain, through a resolver of our own that a test can lead to its own server."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import dns.exception
import dns.rdatatype
import dns.resolver

from mailml.errors import ConnectError

_LIFETIME = 6.0  # seconds for one question, all tries included
# RFC 6761: nobody can look these up
RESERVED = ("test", "example", "invalid", "localhost", "local")


@dataclass(frozen=True)
class Names:
    """Asks the system's servers, or one named as `address` or `address:port`."""

    server: str = ""

    def ask(self, name: str, kind: str) -> list[str]:
        """The records as text, in a fixed order; empty for a name or kind that does not exist.

        Raises ConnectError when nobody answers, which is no proof of anything.
        """
        try:
            found = self._resolver().resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise ConnectError(
                f"{kind} of {name} could not be asked ({type(error).__name__})",
                where=self.server or "DNS",
                cure="Check the machine's resolver, or name one with --nameserver",
            ) from error
        if kind == "TXT":
            # RFC 7208 3.3: the strings of one record belong together without a blank
            return sorted(b"".join(one.strings).decode("utf-8", "replace") for one in found)
        return sorted(one.to_text() for one in found)

    def addresses(self, host: str) -> list[str]:
        """The host's addresses of both kinds."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            return [*self.ask(host, "A"), *self.ask(host, "AAAA")]

    def _resolver(self) -> dns.resolver.Resolver:
        try:
            made = dns.resolver.Resolver(configure=not self.server)
        except dns.resolver.NoResolverConfiguration as error:
            raise ConnectError("the machine has no resolver", cure="Name one with --nameserver") from error
        made.lifetime = _LIFETIME
        if self.server:
            address, _, port = (
                self.server.rpartition(":") if self.server.count(":") == 1 else (self.server, "", "")
            )
            made.nameservers = [address or self.server]
            made.port = int(port) if port.isdigit() else 53
        return made
