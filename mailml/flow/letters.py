"""Which letters folding turns into which: what text as it was written says of its folded form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from mailml.flow.folding import fold

# looked at one by one, once: alphabets and signs; presentation forms; mathematical letters, pictures
LOOKED_AT = ((0x80, 0x33FF), (0xA000, 0xABFF), (0xF900, 0xFFFF), (0x1D000, 0x1FBFF))
# ideographs and Hangul syllables, which have neither case nor compatibility forms
AS_THEY_ARE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))
# vowels and last consonants of Hangul, which are composed with what stands before them
_JAMO = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))


@lru_cache(maxsize=1)
def changing() -> str:
    """A class of the characters beyond ASCII that folding may turn into ASCII, or that were not looked at.

    Text without any of them folds to ASCII only where it is ASCII, blank or ß: no other character has a
    compatibility decomposition, so NFKC leaves the text as it is but for composing letters, and none
    case-folds into ASCII. For RE2 and for Rust's `regex`.
    """
    codes = (code for low, high in LOOKED_AT for code in range(low, high + 1))
    pairs = (*_ranges(code for code in codes if not turned(chr(code))), *AS_THEY_ARE)
    ranges = "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in pairs)
    return f"[^\\x00-\\x7f{ranges}]"


def turned(letter: str) -> str:
    """What folding makes of a letter beyond ASCII; "" where no ASCII comes of it but a blank, or ss of ß."""
    if not unicodedata.decomposition(letter):  # most of them
        return "" if letter == "ß" or not re.search("[!-~]", letter.casefold()) else letter.casefold()
    folded = fold(f"x{letter}x")[1:-1]
    if folded in (" ", "ss"):
        return ""
    same = unicodedata.normalize("NFKC", letter) == unicodedata.normalize("NFC", letter) == letter
    return "" if same and not any(one.isascii() for one in folded) else folded or "x"


@lru_cache(maxsize=1)
def unsteady() -> frozenset[int]:
    """The letters in `LOOKED_AT` that NFC may write another way, or compose with the letter before them.

    Text without any of them, and of letters that were looked at, is in NFC: UAX 15, section 9.
    """
    codes = [code for low, high in LOOKED_AT for code in range(low, high + 1)]
    found = set(_JAMO)
    for code in codes:
        letter = chr(code)
        if unicodedata.combining(letter) or not unicodedata.is_normalized("NFC", letter):
            found.add(code)
        parts = unicodedata.decomposition(letter).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(int(parts[1], 16))
    return frozenset(found)


def _ranges(codes: Iterable[int]) -> Iterator[tuple[int, int]]:
    low = high = -1
    for code in codes:
        if code != high + 1:
            if low >= 0:
                yield low, high
            low = code
        high = code
    if low >= 0:
        yield low, high
