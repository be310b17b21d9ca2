"""One message under judgement, as every row of the table reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from mailml.autoreply.subjects import Echo, reply_echo
from mailml.message import Address, Message, parse_addresses
from mailml.message.lazy import lazy
from mailml.text import Text
from mailml.verdict import Context, Evidence, Identity

LONGEST_VALUE = 200  # evidence is for a person to read, not an archive of header bombs
MOST_INSTANCES = 50  # of one header; real mail repeats none of those asked for half as often
LONGEST_HEADER = 4096  # what a structured header is read of; the documented values are far shorter

Finding = tuple[str, str]  # the exact header or part, and its value


@dataclass(frozen=True)
class Case:
    """A message, the customer's words, who we are, and what is known around it; what is derived is lazy."""

    message: Message
    text: Text
    identity: Identity
    context: Context

    def values(self, *names: str) -> Iterator[Finding]:
        """(name, value) of every instance of exactly these headers, in the order of the names.

        Never a search through the raw block: a list of names in a DKIM h= tag is no evidence.
        """
        lowered, asked = _asked(names)
        # most headers are absent from most mail
        return iter(()) if lowered.isdisjoint(self._present) else self._instances(asked)

    def _instances(self, asked: tuple[tuple[str, str], ...]) -> Iterator[Finding]:
        for name, low in asked:
            if low not in self._present:
                continue
            found = self._kept.get(name)
            if found is None:
                # kept: a bomb of fifteen thousand instances is unfolded once, though several rows ask for it
                instances = self.message.all(low)[:MOST_INSTANCES]
                found = self._kept[name] = tuple([value[:LONGEST_HEADER] for value in instances])
            for value in found:
                yield name, value

    @lazy
    def _present(self) -> frozenset[str]:
        return self.message.header_names

    @lazy
    def _kept(self) -> dict[str, tuple[str, ...]]:
        return {}

    def addresses(self, name: str) -> Iterator[Address]:
        """The addresses of a header, as far as `values` reads it: a bomb of recipients costs nothing here."""
        return (address for _, value in self.values(name) for address in parse_addresses(value))

    def tokens(self, *names: str) -> Iterator[tuple[str, str, str]]:
        """(name, value, token) of every instance: the token is lower-case, without comment and parameters."""
        for name, value in self.values(*names):
            yield name, value, token(value)

    @lazy
    def from_(self) -> Address | None:
        """The first address of From that can be read."""
        return self.message.from_

    @lazy
    def sender(self) -> str:
        """The lower-case address of From ("" if none can be read)."""
        return self.from_.addr if self.from_ else ""

    @lazy
    def sender_local(self) -> str:
        """The local part of the sender, lower-case."""
        return self.sender.rpartition("@")[0] or self.sender

    @lazy
    def null_sender(self) -> Finding | None:
        """The envelope's null reverse path (RFC 5321 4.5.5), as the delivering server recorded it."""
        written = next(self.values("Return-Path"), None)
        if written is not None:
            path = next((address.addr for address in parse_addresses(written[1])), "")
            # UW IMAP and mbox tools write MAILER-DAEMON where the envelope had <>.
            empty = (
                not path.strip("<> \t") or path.strip("<> \t").lower().partition("@")[0] == "mailer-daemon"
            )
            return ("Return-Path", f"<{path.strip('<>')}>") if empty else None
        first = self.message.raw[:64]
        # An mbox separator line keeps the envelope; it writes the null sender as MAILER-DAEMON (mbox(5)).
        if first.startswith((b"From MAILER-DAEMON", b"From <> ")):
            return "From_", first.split(b"\n")[0].decode("ascii", "replace")
        return None

    @lazy
    def types(self) -> tuple[str, ...]:
        """The content types of the parts, in order."""
        return tuple([part.content_type for part in self.message.parts])

    @lazy
    def echo(self) -> Echo | None:
        """The localised phrase of an automatic reply the subject starts with, if any."""
        return reply_echo(self.message.subject)

    @lazy
    def auto_submitted(self) -> str:
        """The strongest Auto-Submitted keyword (RFC 3834 5): "" when absent, "no" when a person says so."""
        keywords = [word for _, _, word in self.tokens("Auto-Submitted") if word]
        automatic = [word for word in keywords if word != "no"]
        return (automatic or keywords or [""])[0]

    @lazy
    def suppress(self) -> frozenset[str]:
        """The values of X-Auto-Response-Suppress (MS-OXCMAIL 2.1.3.2.20), lower-case."""
        values = (value for _, value in self.values("X-Auto-Response-Suppress"))
        return frozenset(
            word.strip().lower() for value in values for word in value.split(",") if word.strip()
        )

    @lazy
    def web_form(self) -> str:
        """The customer behind an allow-listed web form (its Reply-To), or ""."""
        if self.sender not in self.identity.web_forms:
            return ""
        others = (address.addr for address in self.addresses("Reply-To"))
        return next((addr for addr in others if addr not in self.ours and addr != self.sender), "")

    @lazy
    def ours(self) -> frozenset[str]:
        """Every address that is ours: mailboxes, groups and lists."""
        return self.identity.addresses | self.identity.lists


@lru_cache(maxsize=256)
def _asked(names: tuple[str, ...]) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """The names in lower case, as a set, and each beside how it is written."""
    lowered = tuple([name.lower() for name in names])
    return frozenset(lowered), tuple(zip(names, lowered, strict=True))


def token(value: str) -> str:
    """The first word of a structured header: "auto-replied (vacation); x=y" is "auto-replied"."""
    return bare(value).partition(";")[0].strip(" \t\"'").lower()


def bare(value: str) -> str:
    """The value without (comments), which nest (RFC 5322 3.2.2). Linear."""
    if "(" not in value:
        return value.strip()
    kept: list[str] = []
    depth = 0
    for char in value:
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif depth == 0:
            kept.append(char)
    return "".join(kept).strip()


def evidence(row: str, findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    """The findings as evidence for a row, values cut and cleared of control characters."""
    return tuple(Evidence(row, name, _shown(value)) for name, value in findings)


def _shown(value: str) -> str:
    printable = value[: 2 * LONGEST_VALUE]
    if not printable.isprintable():
        printable = "".join(char if char.isprintable() else " " for char in printable)
    return " ".join(printable.split())[:LONGEST_VALUE]
