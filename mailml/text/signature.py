"""Where what was written ends: "-- ", mobile footers, a closing with a name, a disclaimer."""

from __future__ import annotations

import re

from mailml.text import phrases

_LINE = 200
_LONGEST_SIGNATURE = 15  # lines; a longer one is not a signature
_DASHES = re.compile(r"(?:--|—|–{2}|_{2,60}+|-{3,60}+)\s*$")
_MOBILE = re.compile(
    rf"[\s<\[(*]{{0,4}}(?:(?:{phrases.MOBILE}).{{0,100}}$|.{{0,80}}(?:{phrases.MOBILE_ENDS})[\s.>\])]{{0,4}}$)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    rf"[\s*]{{0,4}}(?:{phrases.CLOSING})[\s*]{{0,4}}[,.!;:。！，-]{{0,3}}\s*$", re.IGNORECASE
)
_DISCLAIMER = re.compile(rf"[\s*_]{{0,4}}(?:{phrases.DISCLAIMER})", re.IGNORECASE)


def split_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines without their signature, and the signature; something is always left if anything was there."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    cut = _cut(lines, end)
    if cut == end or not any(line.strip() for line in lines[:cut]):
        return lines, []
    return lines[:cut], lines[cut:]


def _cut(lines: list[str], end: int) -> int:
    """The line where the signature begins; `end` when there is none."""
    for at in range(end):
        if lines[at].rstrip("\r") == "-- ":
            return at
    # Everything else only counts near the end.
    cut, seen = end, 0
    for at in range(end - 1, -1, -1):
        line = lines[at][:_LINE]
        if not line.strip():
            continue
        seen += 1
        if _DISCLAIMER.match(line):
            cut, seen = at, 0
        elif seen > _LONGEST_SIGNATURE:
            break
        elif _MOBILE.match(line) or _DASHES.match(line) or (_CLOSING.match(line) and _short(lines, at, cut)):
            cut = at
    return cut


def _short(lines: list[str], at: int, end: int) -> bool:
    """Whether a closing is followed by a name and an address block, not by more to read."""
    return all(len(line) <= 90 for line in lines[at + 1 : end])
