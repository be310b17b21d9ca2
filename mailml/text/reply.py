"""Plain text -> what was written now, what was quoted, and the signature."""

from __future__ import annotations

from dataclasses import dataclass

from mailml.text.html import without_marks
from mailml.text.quotes import ALONE, BLANK, ENDS, LABEL, MARKS, QUOTE, attribution, hard_cut, is_notice
from mailml.text.signature import split_signature

LIMIT = 256 * 1024  # characters that are looked at
LINES = 3_000  # lines that are looked at: 100 KB of empty lines would cost as much as 5 MB of prose


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


def split_reply(plain: str, author: str = "") -> Text:
    """Own words, quoted history and signature of a plain text body; linear time on any input.

    `author` is the name in the From field, where it is known: alone at the end it is a signature.

    Answers between quoted lines are own words. Where nothing was written above a forwarded mail, its text
    is: the customer says what it says.
    """
    everything = plain.replace("\r\n", "\n").replace("\r", "\n") if "\r" in plain else plain
    lines = everything[:LIMIT].split("\n", LINES)
    own, quoted = _parted(lines[:LINES])
    words, signature = split_signature(own, author)
    return Text(
        without_marks("\n".join(words)).strip(),
        without_marks(everything).strip(),
        without_marks("\n".join(quoted)).strip("\n"),
        "\n".join(signature).strip(),
        len(everything) > LIMIT or len(lines) > LINES,
    )


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines written now and lines quoted, each in order."""
    own: list[str] = []
    quoted: list[str] = []
    for at, line in enumerate(lines):
        bare = line.strip(BLANK)
        if bare.startswith(QUOTE):
            quoted.append(line)
            continue
        own.append(line)
        if not bare:
            continue
        # "Reply above this line" stands alone, below an empty line or a ruled one.
        if (at == 0 or lines[at - 1][-1:] in ALONE) and is_notice(bare) and _written(own[:-1]):
            return own[:-1], quoted + lines[at:]
        # Ordinary lines end here: neither a label in front nor an end that a heading has.
        if not (":" in bare[:LABEL] or bare.endswith(ENDS) or bare[0] in MARKS or "：" in bare[:LABEL]):
            continue
        behind = hard_cut(lines, at)
        if behind is not None:
            own.pop()
            rest = quoted + lines[at:]
            return (own, rest) if _written(own) else (_forwarded(lines[at:], behind - at), rest)
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


def _forwarded(lines: list[str], behind: int) -> list[str]:
    """What a forwarded mail says, up to the history that it quotes in turn; some mailers quote it all."""
    if all(line.startswith(">") or not line.strip() for line in lines[1:]):
        lines = [lines[0], *(line[1:].removeprefix(" ") for line in lines[1:])]
        behind = hard_cut(lines, 0) or behind
    for at in range(behind, len(lines)):
        if hard_cut(lines, at) is not None and _written(lines[behind:at]):
            return lines[behind:at]
    return lines[behind:]
