"""Plain text -> what was written now, what was quoted, and the signature."""

from __future__ import annotations

from dataclasses import dataclass

from mailml.text.html import without_marks
from mailml.text.quotes import attribution, hard_cut, is_quote
from mailml.text.signature import split_signature

LIMIT = 256 * 1024  # characters that are looked at


@dataclass(frozen=True, slots=True)
class Text:
    """What a customer wrote now (`own`), and everything else, still there.

    `everything` is the whole readable text; `truncated` tells that it was longer than what was looked at.
    """

    own: str
    everything: str
    quoted: str = ""
    signature: str = ""
    truncated: bool = False


def split_reply(plain: str) -> Text:
    """Own words, quoted history and signature of a plain text body; linear time on any input.

    Answers between quoted lines are own words. Where nothing was written above a forwarded mail, its text
    is: the customer says what it says.
    """
    everything = plain.replace("\r\n", "\n").replace("\r", "\n") if "\r" in plain else plain
    own, quoted = _parted(everything[:LIMIT].split("\n"))
    words, signature = split_signature(own)
    return Text(
        "\n".join(words).strip(),
        without_marks(everything).strip(),
        without_marks("\n".join(quoted)).strip("\n"),
        "\n".join(signature).strip(),
        len(everything) > LIMIT,
    )


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines written now and lines quoted, each in order."""
    own: list[str] = []
    quoted: list[str] = []
    for at, line in enumerate(lines):
        if is_quote(line):
            quoted.append(line)
            continue
        behind = hard_cut(lines, at)
        if behind is not None and not _written(own):
            return _forwarded(lines[behind:]), quoted + lines[at:]
        if behind is not None:
            return own, quoted + lines[at:]
        own.append(line)
        found = attribution(lines, at)
        if found is not None and not _taken(own, quoted, lines, at, *found):
            return own, quoted
    return own, quoted


def _taken(own: list[str], quoted: list[str], lines: list[str], at: int, above: int, marked: bool) -> bool:
    """Move an attribution from own words to the quote; False when all the rest is quoted with it."""
    start = len(own) - above - 1
    if not marked and not _written(own[:start]):
        return True  # nothing above and no ">" below: not a quote, or all there is to read
    quoted.extend(own[start:])
    del own[start:]
    if not marked:
        quoted.extend(lines[at + 1 :])
    return marked


def _written(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _forwarded(lines: list[str]) -> list[str]:
    """What a forwarded mail says: its own words, or the lines as they are when it only quotes."""
    own, _ = _parted_once(lines)
    return own if _written(own) else lines


def _parted_once(lines: list[str]) -> tuple[list[str], list[str]]:
    """The forwarded text up to the history that it quotes in turn."""
    for at, line in enumerate(lines):
        if line.strip() and hard_cut(lines, at) is not None and _written(lines[:at]):
            return lines[:at], lines[at:]
    return lines, []
