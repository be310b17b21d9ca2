"""Where quoted history begins: attributions, separators and header blocks, in the languages of phrases.toml.

A line is looked at by its ends and by look-ups in sets; a pattern sees only lines that end in a colon, and
only their first 300 characters. So time is linear; four of the known reply parsers hang on 100 KB.
"""

from __future__ import annotations

import re

from mailml.text.phrases import either, every
from mailml.text.tags import ATTRIBUTION, QUOTED

QUOTE = (">", "›", "»", "|>")
MARKS = ATTRIBUTION + QUOTED
LABEL = 40  # characters within which the label of a field ends
_LINE = 300  # characters of a line that meet a pattern
_ATTRIBUTION_LINES = 4
_SHORTEST = 3  # characters of an attribution's last line: "wrote:", "viết:"
_HEADING_LINES = 9
_WROTE = re.compile(rf"(?<!\w){either('wrote')}(?!\w)|님이|작성|写道|寫道|のメール")
_WORD = re.compile(r"[^\W\d_]+")
# Looking for ninety verbs in every line that ends in a colon would cost more than all the rest.
_VERB_WORDS = frozenset(word for verb in every("wrote") for word in _WORD.findall(verb))
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u0e00-\u0e7f]")
_DATED = re.compile(r"\d{4}|\d{1,2}[:.h]\d\d|\d{1,2}[./]\d{1,2}|年")
_TIMED = re.compile(r"\d{1,2}[:.]\d\d")
# A date, a time and an address in brackets above a colon: an attribution in whatever language.
_BRACKETED = re.compile(r"[<(]\W{0,4}(?:mailto:)?[^\s<>()@]{1,64}@[^\s<>()@]{1,255}[)>]")
# Notes writes "Inactive hide details for Ada ---05/01/2026 10:00:00---Hello …" in front of its heading.
_NOTES = re.compile(r"---\d\d[./-]\d\d[./-]\d{4} \d\d:\d\d:\d\d(?: [AP]M)?---")
_MAILBOX = re.compile(r"@[\w-]{1,64}+\.|\[mailto:", re.IGNORECASE)
_BEGINS = every("begins")
_COLON = (":", "：", ":*", ":_", ":**")
_SEPARATORS = frozenset(every("original"))
_FORWARDS = frozenset(every("forwarded"))
_FORWARDED_BY = tuple(phrase + " " for phrase in _FORWARDS)
_FIELDS = {label: kind for kind in ("subject", "to", "sent", "from") for label in every(kind)}
_EDGE = "-_=*#~—–―‐:：> \t\ue000\ue001"
# How a line ends below which a notice may stand: not at all, in a blank, or in a rule.
ALONE = ("", " ", "\t", "\xa0", *"-_=*#~—–―‐")
_NOTICE_EDGE = _EDGE + ".!"
_NOTICE = 90  # characters of "reply above this line", in the longest language
BLANK = " \t\r\x0b\x0c\xa0\u202f\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2069"  # and marks of direction
ENDS = ("-", "_", "=", "*", "#", ":", "：", ">")


def is_quote(line: str) -> bool:
    """Whether a line is quoted with ">" or a sign like it."""
    return line.lstrip().startswith(QUOTE)


def hard_cut(lines: list[str], at: int) -> int | None:
    """Where the heading of a quote that begins here ends, if all that follows it is quoted; else None."""
    bare = lines[at].strip(BLANK)
    if not bare:
        return None
    if bare[0] == QUOTED:
        return _past_heading(lines, at + (len(bare) == 1))
    if bare.endswith(ENDS) and len(bare) < 100:
        words = bare.strip(_EDGE).lower()
        ruled = bare[0] in "-_=*#>—–‐"
        # Notes writes "----- Forwarded by Ada Byte on 5 January -----".
        if words in _FORWARDS or (ruled and (words in _SEPARATORS or words.startswith(_FORWARDED_BY))):
            return _past_heading(lines, at + 1)
        # "##- … -##" stands above what a help desk sends, in any language.
        if bare.startswith("##-") and bare.endswith("-##") and words:
            return at + 1
        if not words and len(bare) > 4 and _is_heading(lines, at + 1):
            return _past_heading(lines, at + 1)
    kind = _field(bare)
    if kind == "from" and _is_heading(lines, at):
        return _past_heading(lines, at)
    if kind != "from" and ":" in bare and _is_unknown_heading(lines, at):
        return _past_heading(lines, at, labelled=True)
    return None


def is_notice(line: str) -> bool:
    """Whether "Reply above this line", without a rule around it, or a folded heading of Notes stands here."""
    if len(line) < _NOTICE and line.strip(_NOTICE_EDGE).lower() in _SEPARATORS:
        return True
    return "---" in line and _NOTES.search(line[:_LINE]) is not None


def _field(bare: str) -> str | None:
    """Which header field a line like "*Von:* …" shows, if one."""
    label, colon, _ = bare[:LABEL].partition(":")
    if not colon:
        label, colon, _ = bare[:LABEL].partition("：")
    return _FIELDS.get(label.strip("*_> \t\xa0").lower()) if colon else None


def _is_heading(lines: list[str], at: int) -> bool:
    """Whether a block of From, Sent, To and Subject lines stands here, in any order."""
    kinds: set[str] = set()
    blank, addressed = 0, False
    for line in lines[at : at + _HEADING_LINES]:
        bare = line.strip()
        kind = _field(bare) if bare else None
        if kind:
            if kind in kinds and kind in ("from", "subject"):
                break  # no heading has two
            kinds.add(kind)
            addressed = addressed or "@" in bare
        elif bare and not kinds:
            return False
        elif not bare:
            blank += 1
            if len(kinds) > 1 or blank > 2:
                break
    # Without a subject, "From: Berlin, To: Paris, Date: 5 May" is what a customer wrote.
    return "from" in kinds and ("subject" in kinds or (len(kinds) >= 3 and addressed))


def _is_unknown_heading(lines: list[str], at: int) -> bool:
    """Whether a heading with labels nobody listed stands here: an address, a date, two lines more."""
    if "@" not in lines[at][:_LINE]:
        return False
    block = [line.strip(BLANK)[:_LINE] for line in lines[at : at + 4]]
    if len(block) < 4 or (at and lines[at - 1].strip(_EDGE)):
        return False
    labels = [line[:LABEL].replace("：", ":").partition(":") for line in block]
    if not all(colon and 0 < len(label.split()) <= 3 and label[-1] != " " for label, colon, _ in labels):
        return False
    dated = any(_TIMED.search(line) and _DATED.search(line) for line in block[1:])
    return dated and _BRACKETED.search(block[0]) is not None


def _past_heading(lines: list[str], at: int, *, labelled: bool = False) -> int:
    """The line behind a block of header fields, `at` itself when none stands here."""
    start = at
    while start < len(lines) and start < at + 4 and not lines[start].strip(_EDGE):
        start += 1
    if not labelled and not _is_heading(lines, start):
        return at
    end = start + 1
    for place in range(start, min(start + 2 * _HEADING_LINES, len(lines))):
        bare = lines[place].strip()
        # Fields nobody listed ("Importance: High") belong to it when they follow at once.
        if _field(bare) or (place == end and ":" in bare[:20]):
            end = place + 1
        elif not bare and place > end:
            break
    return end


def attribution(lines: list[str], at: int) -> tuple[int, bool] | None:
    """Whether "On … wrote:" ends here: how many lines above belong to it, and whether ">" follows."""
    bare = lines[at].strip(BLANK)
    if bare[:1] == ATTRIBUTION and not bare.endswith(_COLON):
        return 0, _quoted_next(lines, at + 1)
    if not bare.endswith(_COLON) or len(bare) < _SHORTEST:
        return None
    quotes = _quoted_next(lines, at + 1)
    joined, found, marks = "", None, 0
    for above in range(min(_ATTRIBUTION_LINES, at + 1)):
        piece = lines[at - above][:_LINE].strip(BLANK)
        if not piece or (above and (piece.endswith(_COLON) or is_quote(piece))):
            break
        joined = f"{piece} {joined}"
        if piece[0] == ATTRIBUTION:
            return above, quotes
        before, marks = marks, _marks(joined)
        if not _is_attribution(joined, marks, quotes):
            continue
        if piece.lower().startswith(_BEGINS) and any(map(str.isdigit, piece)):
            return above, quotes
        # A line above belongs to it when it brings the date or the address that was missing.
        if found is None or (marks > before and found == above - 1):
            found = above
    return None if found is None else (found, quotes)


def _marks(joined: str) -> int:
    """How many of date and address it has."""
    return (_DATED.search(joined) is not None) + (_MAILBOX.search(joined) is not None)


def _is_attribution(joined: str, marks: int, quotes: bool) -> bool:
    """It says "wrote" and has a date or an address; where a quote follows, one of the three is enough."""
    if marks and quotes:
        return True
    if not marks and not quotes:
        return False
    if marks == 2 and _TIMED.search(joined) and _BRACKETED.search(joined):
        return True
    low = joined.lower()
    known = not _VERB_WORDS.isdisjoint(_WORD.findall(low)) or _UNSPACED.search(low) is not None
    return known and _WROTE.search(low) is not None


def _quoted_next(lines: list[str], at: int) -> bool:
    """Whether the next line with something on it is quoted."""
    for line in lines[at : at + 4]:
        if line.strip():
            return is_quote(line)
    return False
