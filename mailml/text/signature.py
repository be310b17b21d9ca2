"""Where what was written ends: "-- ", a closing with a name, an address block, a footer, a disclaimer."""

from __future__ import annotations

import re

from mailml.text.phrases import every

_LONGEST = 15  # lines with something on them; more than that is not a signature
_WIDEST = 90  # characters of a line of an address block
_WORDS = 8  # of a line of an address block; more is prose
_FOOTER = 80  # characters of a mobile footer
_LOOKED_AT = 400  # characters of a line
_CLOSINGS = frozenset(every("closing"))
_MOBILE = every("mobile")
_MOBILE_ENDS = every("mobile_end")
_DISCLAIMER = every("disclaimer")
_CONFIDENTIAL = every("confidential")
_IMPRINT = every("imprint")
_BANNER = every("banner")
_HEADS = frozenset(phrase[:2] for phrase in (*_MOBILE, *_DISCLAIMER))
_EDGE = " \t*_<>[]()"
_STOPS = ",.!;:。！，、،؛ -–—"
_RULES = ("--", "—", "––")  # a longer row of dashes more often parts two sections of a text
_LINES = frozenset("―─━＝=-_*＊~～☆★◆◇■□・")
_POSTSCRIPT = ("ps:", "p.s", "ps.", "ps ", "p.s.", "pd:", "p.d.", "ps：", "追伸")
_CONTACT = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,}|\bwww\.|https?://|\b(?:tel|t[ée]l|telefon|phone|fon|fax|telefax|mobil"
    r"|mob|cell|handy|тел|電話)\b|(?<![\w.])(?:\+|00)\d[\d ()./-]{6,20}\d|☎|〒|電話|전화|电话",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_CLOSING_HEADS = frozenset(phrase.split()[0] for phrase in _CLOSINGS)
_BARS = (" | ", " · ", " • ", "  |  ")


def split_signature(lines: list[str], author: str = "") -> tuple[list[str], list[str]]:
    """The lines without their signature, and the signature; something is left if anything was there.

    `author` is the name in the From field: alone on the last line it is a signature. What a mail system put
    above ("this email originated outside …") goes with the signature, a postscript below it with the words.
    """
    start = _banner(lines)
    first = next((at for at in range(start, len(lines)) if lines[at].strip()), len(lines))
    cut = _cut(lines, first)
    if author and cut == len(lines):
        cut = _named(lines, first, author)
    again = _postscript(lines, cut)
    return lines[start:cut] + lines[again:], lines[:start] + lines[cut:again]


def _banner(lines: list[str]) -> int:
    """How many lines at the top are the mail system's own, if something stands below them."""
    start = next((at for at, line in enumerate(lines[:5]) if line.strip()), 0)
    if not lines or not lines[start][:_LOOKED_AT].strip(_EDGE).lower().startswith(_BANNER):
        return 0
    end = next((at for at in range(start, min(start + 8, len(lines))) if not lines[at].strip()), 0)
    return end if any(line.strip() for line in lines[end:]) else 0


def _named(lines: list[str], first: int, author: str) -> int:
    """The last line if it is a paragraph of nothing but parts of the author's name, else the end."""
    last = next((at for at in range(len(lines) - 1, first, -1) if lines[at].strip()), None)
    if last is None:
        return len(lines)
    words = lines[last][:_WIDEST].lower().replace(".", " ").strip(_EDGE + _STOPS + "/").split()
    own = not lines[last - 1].strip() and 0 < len(words) <= 4
    parts = author.lower().replace(",", " ").replace(".", " ").split()
    return last if own and all(word in parts for word in words) else len(lines)


def _postscript(lines: list[str], cut: int) -> int:
    """Where a "PS: …" below the signature begins; the end where there is none."""
    for at in range(cut + 1, min(cut + _LONGEST, len(lines))):
        if lines[at][:10].lstrip().lower().startswith(_POSTSCRIPT):
            return at
    return len(lines)


def _cut(lines: list[str], first: int) -> int:
    """The line where the signature begins, behind the first one written, or behind the last."""
    if "-- " in lines[first + 1 :]:
        return lines.index("-- ", first + 1)
    cut, seen = len(lines), 0
    # From the end upwards, so that only the last lines are looked at.
    for at in range(len(lines) - 1, first, -1):
        line = lines[at].strip()
        if not line:
            continue
        seen += 1
        bare = line[:_LOOKED_AT].strip(_EDGE)
        low = bare.lower()
        if _is_disclaimer(lines, at, low):
            cut, seen = at, 0
        elif seen > _LONGEST:
            break
        elif _ends_words(line, bare, low, lines[at + 1 : cut]) or _is_address(lines, at, cut):
            cut = at
    return cut


def _is_disclaimer(lines: list[str], at: int, low: str) -> bool:
    """Whether a legal notice or a company's own data begins on this line."""
    if low[:2] in _HEADS and low.startswith(_DISCLAIMER):
        # The word that makes it one is often on the next line.
        whole = " ".join([low, *(line[:_LOOKED_AT].strip().lower() for line in lines[at + 1 : at + 5])])
        return any(word in whole for word in _CONFIDENTIAL)
    # A company's own data holds numbers; looking for sixty words in every line would cost more than the rest.
    below = lines[at + 1][:_LOOKED_AT] if at + 1 < len(lines) else ""
    numbered = _DIGIT.search(low) or _DIGIT.search(below)
    if not numbered or not any(word in low for word in _IMPRINT):
        return False
    pair = f"{low} {below.lower()}"
    return sum(word in pair for word in _IMPRINT) >= 2


def _ends_words(line: str, bare: str, low: str, below: list[str]) -> bool:
    """Whether a footer, a closing or a rule is this line and nothing but a signature stands below it."""
    if len(bare) > _WIDEST:
        return False
    if _is_footer(low):
        return _narrow(below, _WIDEST)
    if line in _RULES or (line[0] == "_" and not line.strip("_")):
        return all(len(line.rstrip()) <= 60 for line in below)
    if _is_rule(line) and _names_contact(below) and _narrow(below, _WIDEST):
        return True
    return _is_closing(bare, low) and _narrow(below, _WIDEST)


def _is_footer(low: str) -> bool:
    """Whether a phone, a mailer or a virus scanner wrote this line."""
    if len(low) > _FOOTER or low.endswith(("?", "？")):
        return False
    if (low[:2] in _HEADS and low.startswith(_MOBILE)) or low.endswith(_MOBILE_ENDS):
        return True
    return (
        "outlook" in low and ("ios" in low or "android" in low) and len(low) < 60
    ) or "www.avast.com" in low


def _is_closing(bare: str, low: str) -> bool:
    """Whether this is "Kind regards", or "Kind regards, Ada"."""
    head = low.split(None, 1)[0].rstrip(_STOPS) if low.strip() else ""
    if head not in _CLOSING_HEADS:
        return False
    if low.rstrip(_STOPS).replace("  ", " ") in _CLOSINGS:
        return True
    for bar in (" / ", " | "):
        if bar in low and all(part.strip(_STOPS) in _CLOSINGS for part in low.split(bar)):
            return True
    words = bare.split()
    for count in range(1, min(len(words), 6)):
        name = words[count:]
        if len(name) <= 3 and " ".join(words[:count]).lower().rstrip(_STOPS) in _CLOSINGS:
            # "Danke, passt so" goes on in small letters; a name does not.
            return all(not word[0].islower() and not any(map(str.isdigit, word)) for word in name)
    return False


def _is_rule(line: str) -> bool:
    return len(line) > 4 and line[0] in _LINES and not line.strip(line[0])


def _names_contact(lines: list[str]) -> bool:
    return any(_CONTACT.search(line[:_WIDEST]) for line in lines[:_LONGEST])


def _is_address(lines: list[str], at: int, cut: int) -> bool:
    """Whether a paragraph begins here that is a name with telephone, address and the like."""
    if cut - at > 2 * _LONGEST or lines[at - 1].strip():
        return False
    head = lines[at][:_WIDEST].strip()
    named = 1 < len(head.split()) <= 5 and not any(sign in head for sign in ":.?!,;>@")
    if not named and not any(bar in head for bar in _BARS):
        return False
    block = [line.strip() for line in lines[at:cut] if line.strip()]
    above = next((line.strip() for line in reversed(lines[max(0, at - 3) : at]) if line.strip()), "")
    # "You can reach me here:" announces what the desk needs.
    if above.endswith((":", "：")) or not _narrow(block, _WIDEST):
        return False
    if any(line.endswith(("?", "!", "？")) for line in block):
        return False
    bars = sum(any(bar in line for bar in _BARS) for line in block)
    contacts = sum(_CONTACT.search(line) is not None for line in block)
    return contacts >= 2 or (contacts == 1 and (bars > 0 or len(block) > 2))


def _narrow(lines: list[str], width: int) -> bool:
    """Whether all lines are as short as those of an address block, and none is a sentence."""
    return all(
        len(line) <= width
        and (line.count(" ") <= _WORDS or any(bar in line for bar in _BARS) or "  " in line.strip())
        for line in lines
    )
