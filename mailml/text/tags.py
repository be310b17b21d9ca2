"""One HTML tag: what it does to the text around it, what it hides, what it marks as quoted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

ATTRIBUTION = "\ue000"  # stands before "On … wrote:" where the mailer marks it
QUOTED = "\ue001"  # stands before quoted history where the mailer marks it
RAW = frozenset(("style", "script", "title", "xml", "noscript"))  # their content is no text

_NAME = re.compile(r"/?([a-z][^\s/]*+)", re.IGNORECASE)
# Where a tag ends whose quotes hold a ">"; each quoted value is looked at once, 2,000 characters at most.
_END = re.compile(r"(?:[^>\"']++|\"[^\"]{0,2000}+\"|'[^']{0,2000}+'|[\"'])*+>")
_HIDDEN = re.compile(
    r"display\s*+:\s*+none|visibility\s*+:\s*+hidden|mso-hide\s*+:\s*+all"
    r"|(?:font-size|max-height|opacity)\s*+:\s*+0(?:px|pt|em|%)?\s*+(?:[;\"'!]|$)|(?<![:\s])\s++hidden(?=\s|=|/|$)",
    re.IGNORECASE,
)
_HARD = re.compile(
    r"divrplyfwdmsg|appendonsend|yahoo_quoted|protonmail_quote|zmail_extra|olk_src_body_section"
    r"|mail-editor-reference-message|zwchr|ms-outlook-mobile-reference-message"
    r"|border:\s?none;\s?border-top:\s?solid\s?#(?:e1e1e1|b5c4df)"
)
_VOID = frozenset(("br", "col", "hr", "img", "input", "link", "meta", "param", "source", "wbr", "o:p"))
_MARKED = frozenset(("div", "blockquote", "p", "hr"))
_BLOCKS = (
    "address article aside blockquote body center dd div dl dt fieldset figure footer form header hr html"
    " li main nav ol pre section table tbody tfoot thead tr ul"
)
_BREAK = dict.fromkeys(_BLOCKS.split(), 1) | dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "p"), 2)
_CELLS = frozenset(("td", "th"))


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as the reader needs it; `name` is "" for declarations and comments."""

    name: str = ""
    closing: bool = False
    breaks: int = 0  # line ends at least, before the next word
    adds: int = 0  # line ends more
    space: bool = False
    quotes: int = 0  # levels of quotation it opens or, negative, closes
    pre: int = 0
    hides: bool = False
    mark: str = ""
    rare: bool = False  # it does more than line ends and a space


COMMENT = Tag(rare=True)
_NOTHING = Tag()


def tag_of(inside: str) -> Tag | None:
    """What stands between "<" and ">" as a tag; None when it is none and so is text."""
    match = _NAME.match(inside)
    if match is None:
        return _NOTHING if inside[:1] in ("!", "?") else None
    tag = _bare(match[0].lower())
    if match.end() == len(inside) or tag.closing:
        return tag
    # Most attributes say nothing: a mail of ten thousand different ones must not cost as many objects.
    low = inside.lower()
    hides = tag.name not in _VOID and _hides(low)
    mark = _mark(low) if tag.name in _MARKED else ""
    return replace(tag, hides=hides, mark=mark, rare=True) if hides or mark else tag


@lru_cache(maxsize=1024)
def _bare(name: str) -> Tag:
    """The tag of a name, "/" before it if it closes, without attributes."""
    closing = name[0] == "/"
    name, step = (name[1:], -1) if closing else (name, 1)
    return Tag(
        name,
        closing,
        breaks=_BREAK.get(name, 0),
        adds=int(name == "br"),
        space=name in _CELLS,
        quotes=step if name == "blockquote" else 0,
        pre=step if name == "pre" else 0,
        rare=name in ("blockquote", "pre") or name in RAW,
    )


def unbalanced(inside: str) -> bool:
    """Whether a quoted value may reach over the ">" where this ends."""
    return bool(inside.count('"') % 2 or inside.count("'") % 2 or ('"' in inside and "'" in inside))


def end_of(piece: str) -> int:
    """Where a tag ends whose quotes may hold a ">": the place of its ">", or -1."""
    match = _END.match(piece)
    return match.end() - 1 if match else -1


def ends_block(name: str) -> bool:
    """Whether an open <p> ends where this tag begins."""
    return name in _BREAK


def _hides(low: str) -> bool:
    """Whether attributes hide what is inside."""
    likely = "none" in low or "hid" in low or ":0" in low or ": 0" in low
    return likely and _HIDDEN.search(low) is not None


def _mark(low: str) -> str:
    """The mark that attributes put before quoted history."""
    if _HARD.search(low):
        return QUOTED
    return ATTRIBUTION if "gmail_attr" in low or "moz-cite-prefix" in low else ""
