"""Letters beyond ASCII, and runs of ASCII characters, found in the bytes of a whole array of texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mailml.flow.batch.bitmaps import Bits
from mailml.flow.letters import AS_THEY_ARE, LOOKED_AT, turned, unsteady
from mailml.flow.runs import Run, rarest

Bytes = npt.NDArray[np.uint8]
_LEAD = 0xBF  # in UTF-8 bytes above begin a letter beyond ASCII
_CODES = 0x110000
_ASCII, _ALNUM, _NFC = (
    1,
    2,
    4,
)  # what may become of a letter: something of ASCII; a letter or digit; another in NFC
_BLOCK = 1 << 18  # bytes whose answers stay in the processor's cache until they are looked through


def bytes_of(array: pa.Array) -> tuple[npt.NDArray[np.int64], Bytes]:
    """Where each text begins, and the bytes of all of them."""
    if not pa.types.is_string(array.type) and not pa.types.is_large_string(array.type):
        array = array.cast(pa.large_string())
    _, starts, data = array.buffers()
    if not len(array) or data is None:
        return np.zeros(len(array) + 1, np.int64), np.zeros(0, np.uint8)
    kind = np.int64 if pa.types.is_large_string(array.type) else np.int32
    offsets = np.frombuffer(starts, kind)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    return offsets - offsets[0], np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def foreign_letters(offsets: npt.NDArray[np.int64], raw: Bytes) -> tuple[Bits, Bits, Bits, Bits]:
    """Which texts are not all ASCII, and what they hold that matters.

    A letter that folding may turn into a letter or digit of ASCII; into anything of ASCII; one that NFC may
    change.
    """
    at = places(raw, lambda block: block > _LEAD)
    rows = np.searchsorted(offsets, at, side="right") - 1
    turns = _turns()[_decoded(raw, at)]
    found = np.zeros((4, len(offsets) - 1), np.bool_)
    found[0, rows] = True
    for n, bit in enumerate((_ALNUM, _ASCII, _NFC), 1):
        found[n, rows[turns & bit > 0]] = True
    return found[0], found[1], found[2], found[3]


def rows_with(run: Run, offsets: npt.NDArray[np.int64], raw: Bytes) -> npt.NDArray[np.int64]:
    """The texts in which characters of these classes stand side by side (seldom: two texts touch)."""
    first = rarest(run)
    if first is None or len(raw) < len(run):
        return np.arange(len(offsets) - 1 if first is None else 0)
    at = places(raw, _among(run[first])) - first
    at = at[(at >= 0) & (at <= len(raw) - len(run))]
    for place, one_of in enumerate(run):
        if place != first:
            at = at[_table(one_of)[raw[at + place]]]
    return np.searchsorted(offsets, at, side="right") - 1


def places(raw: Bytes, test: Callable[[Bytes], Bits]) -> npt.NDArray[np.int64]:
    """Where the few bytes stand that pass a test."""
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(raw), _BLOCK):
        found.append(np.flatnonzero(test(raw[start : start + _BLOCK])) + start)
    return np.concatenate(found)


def _among(one_of: str) -> Callable[[Bytes], Bits]:
    """Which bytes are one of these characters: a look-up each, or a comparison where they are neighbours."""
    low, high = ord(min(one_of)), ord(max(one_of))
    if high - low + 1 == len(set(one_of)):
        return lambda raw: (raw - np.uint8(low)) <= np.uint8(high - low)
    table = _table(one_of)
    return lambda raw: table[raw]


@lru_cache(maxsize=256)
def _table(one_of: str) -> Bits:
    table = np.zeros(256, np.bool_)
    table[list(one_of.encode())] = True
    return table


def _decoded(raw: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """The letters that begin at these bytes."""
    last = max(len(raw) - 1, 0)
    first = raw[at].astype(np.uint32)
    one, two, three = (raw[np.minimum(at + n, last)].astype(np.uint32) & 0x3F for n in (1, 2, 3))
    code = (first & 0x1F) << 6 | one
    code = np.where(first >= 0xE0, (first & 0x0F) << 12 | one << 6 | two, code)
    return np.where(first >= 0xF0, (first & 0x07) << 18 | one << 12 | two << 6 | three, code)


@lru_cache(maxsize=1)
def _turns() -> npt.NDArray[np.uint8]:
    """For every code point what may become of it; those that were not looked at may become anything."""
    table = np.full(_CODES, _ASCII | _ALNUM | _NFC, np.uint8)
    for low, high in AS_THEY_ARE:
        table[low : high + 1] = 0
    for low, high in LOOKED_AT:
        for code in range(low, high + 1):
            letters = turned(chr(code))
            table[code] = _ASCII | _ALNUM if re.search("[a-z0-9]", letters) else _ASCII if letters else 0
    table[list(unsteady())] |= _NFC
    return table
