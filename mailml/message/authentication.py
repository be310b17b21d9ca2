"""Whether our own server says that a mail's From is genuine (RFC 8601).

Only the topmost Authentication-Results counts, and only when a server we trust wrote it: anybody can put
such a header into a mail, but nobody can put one above the receiving server's.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mailml.message.model import Message

MICROSOFT365 = "microsoft365"  # writes no authserv-id on its topmost header
_LONGEST = 10_000
_METHOD = re.compile(r"\s*+([A-Za-z0-9-]++)(?:/\d++)?\s*+=\s*+([A-Za-z]++)(.*)", re.DOTALL)
_PROPERTY = re.compile(
    r"\b(smtp\.mailfrom|smtp\.helo|header\.d|header\.i|header\.from)\s*+=\s*+\"?([^\s;\"]++)"
)
_COMMENT = re.compile(r"\([^()]*+\)|\"[^\"]*+\"")


def authenticated(message: Message, authserv_ids: Collection[str]) -> bool:
    """Whether DMARC passed, or SPF or DKIM passed for the domain of From, as a trusted server says.

    `authserv_ids` are the names of our own servers; "" or "microsoft365" trusts a topmost header without a
    name, as Microsoft 365 writes it.
    """
    values = message.all("authentication-results")
    if not values or message.from_ is None:
        return False
    name, results = _read(values[0][:_LONGEST])
    trusted = {own.strip().lower() for own in authserv_ids}
    if name not in trusted and not (name == "" and MICROSOFT365 in trusted):
        return False
    domain = message.from_.domain
    return any(_passes(method, rest, domain) for method, result, rest in results if result == "pass")


def _read(value: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The server's name ("" when it wrote none) and (method, result, the rest) of every statement."""
    pieces = _COMMENT.sub(" ", value).split(";")
    head = pieces[0].split()
    # Without an authserv-id the first piece is a statement already.
    named = bool(head) and "=" not in pieces[0]
    name = head[0].lower() if named else ""
    found = [_METHOD.match(piece) for piece in pieces[1 if named else 0 :]]
    return name, [(m[1].lower(), m[2].lower(), m[3]) for m in found if m]


def _passes(method: str, rest: str, domain: str) -> bool:
    properties = {name.lower(): value.lower() for name, value in _PROPERTY.findall(rest)}
    if method == "dmarc":
        return _aligned(properties.get("header.from", domain), domain)
    if method == "spf":
        return _aligned(properties.get("smtp.mailfrom", ""), domain)
    if method == "dkim":
        return _aligned(properties.get("header.d") or properties.get("header.i", ""), domain)
    return False


def _aligned(proven: str, domain: str) -> bool:
    """The domain of From or one below it, which its owner controls.

    Relaxed alignment allows the parent domain too, but telling a parent from "co.uk" takes the public suffix
    list; where that matters the server says dmarc=pass.
    """
    proven = proven.rpartition("@")[2].strip(".")
    return proven == domain or proven.endswith("." + domain)
