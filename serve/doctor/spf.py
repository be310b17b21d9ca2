"""Does a domain's SPF record let an address send for it? The parts of RFC 7208 that a sender meets."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from mailml.errors import MailmlError

from .names import Names

MOST_LOOKUPS = 10  # RFC 7208 4.6.4: more is a permanent error, and everybody's mail suffers
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


class SpfError(MailmlError):
    """A record that receivers must treat as a permanent error."""


@dataclass
class Spf:
    """One evaluation; counts the lookups that receivers would make."""

    names: Names
    lookups: int = 0
    seen: list[str] = field(default_factory=list)

    def record(self, domain: str) -> str:
        """The domain's one record, "" where there is none. Raises SpfError where there are several."""
        found = [text for text in self.names.ask(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1"]
        if len(found) > 1:
            raise SpfError(f"{domain} has {len(found)} SPF records", cure="Merge them into one")
        return found[0] if found else ""

    def result(self, domain: str, address: str) -> str:
        """pass, fail, softfail, neutral or none for mail of this domain from this address."""
        if domain in self.seen:
            raise SpfError(f"{domain} includes itself", cure="Take the loop out of the includes")
        self.seen.append(domain)
        text = self.record(domain)
        if not text:
            return "none"
        redirect = ""
        for term in text.split()[1:]:
            if term.lower().startswith("redirect="):
                redirect = term.partition("=")[2]
            elif "=" not in term.partition(":")[0]:
                sign = term[0] if term[0] in _RESULTS else "+"
                if self._matches(term.lstrip("+-~?"), domain, address):
                    return _RESULTS[sign]
        if redirect:
            self._count()
            return self.result(redirect, address)
        return "neutral"

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise SpfError(
                f"it takes more than {MOST_LOOKUPS} DNS lookups", cure="Flatten or drop some includes"
            )

    def _matches(self, term: str, domain: str, address: str) -> bool:
        name, _, value = term.partition(":")
        name, _, length = name.lower().partition("/")
        if name == "all":
            return True
        if name in ("ip4", "ip6"):
            return _within(address, value)
        if name not in ("include", "a", "mx", "exists", "ptr"):
            raise SpfError(f"{domain} has the unknown word {term!r:.60}", cure="Correct it")
        self._count()
        value, _, width = value.partition("/")
        target = value or domain
        if "%" in target or name in ("exists", "ptr"):
            return False  # macros and reverse names say nothing about a fixed sender
        if name == "include":
            return Spf.result(self, target, address) == "pass"
        hosts = [target] if name == "a" else [mx.split()[-1] for mx in self.names.ask(target, "MX")]
        found = [one for host in hosts for one in self.names.addresses(host)]
        return any(_within(address, f"{one}/{length or width}".rstrip("/")) for one in found)


def _within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
