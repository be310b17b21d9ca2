"""Blocks <-> plain arrays: what is written to disk, and every check on what is read back.

`<block>_terms` is the vocabulary as UTF-8 bytes, one n-gram a line (no n-gram holds a line break);
`<block>_idf` has shape (terms,), `<block>_coef` (terms, classes), `intercept` (classes,). A hashed block has
`<block>_buckets`, the numbers of the buckets it keeps, in place of terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier.hashed import HashedBlock
from mailml.classifier.ngrams import Block, Floats, Ints
from mailml.errors import BundleDamagedError

_MOST_BUCKETS = 2**22
_ANALYZERS = {"word": 3, "char_wb": 8}  # and the longest n-gram that makes sense of each


def blocks_to(
    blocks: Sequence[Block], intercept: Floats
) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """The blocks as a description (JSON values) and arrays."""
    described, arrays = [], {"intercept": _narrow(intercept)}
    for block in blocks:
        entry: dict[str, Any] = {"name": block.name, "analyzer": block.analyzer, "ngrams": list(block.ngrams)}
        if isinstance(block, HashedBlock):
            entry["buckets"] = block.size
            arrays[f"{block.name}_buckets"] = block.kept.astype(np.int32)
        else:
            arrays[f"{block.name}_terms"] = np.frombuffer("\n".join(block.terms).encode(), dtype=np.uint8)
        described.append(entry)
        arrays[f"{block.name}_idf"] = _narrow(block.idf)
        arrays[f"{block.name}_coef"] = _narrow(block.coef)
    return described, arrays


def _narrow(array: Floats) -> NDArray[Any]:
    """As 32-bit floats when every value survives that, else as it is."""
    narrow = array.astype(np.float32)
    return narrow if np.array_equal(narrow, array) else array


def blocks_from(
    meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], classes: int
) -> tuple[tuple[Block, ...], Floats]:
    """The blocks and the intercept; raises BundleDamagedError at the first thing that does not fit."""
    described = meta.get("blocks")
    if not isinstance(described, list) or not 1 <= len(described) <= 8:
        raise _damaged("the blocks are not a list of one to eight", "model.json")
    blocks = tuple(_block(entry, arrays, classes) for entry in described)
    if len({block.name for block in blocks}) != len(blocks):
        raise _damaged("two blocks have the same name", "model.json")
    return blocks, _floats(arrays, "intercept", (classes,))


def _block(entry: Any, arrays: Mapping[str, NDArray[Any]], classes: int) -> Block:
    fields = entry if isinstance(entry, dict) else {}
    name, analyzer, ngrams = fields.get("name"), fields.get("analyzer"), fields.get("ngrams")
    if not isinstance(name, str) or analyzer not in _ANALYZERS or not _range_ok(ngrams, _ANALYZERS[analyzer]):
        raise _damaged(f"a block is not readable: {entry!r:.120}", "model.json")
    low, high = ngrams or (1, 1)
    shape, size = (name, str(analyzer), (low, high)), fields.get("buckets")
    known = _terms(arrays, f"{name}_terms") if size is None else _buckets(arrays, f"{name}_buckets", size)
    idf = _floats(arrays, f"{name}_idf", (len(known),))
    coef = _floats(arrays, f"{name}_coef", (len(known), classes))
    if isinstance(known, tuple):
        return Block(*shape, known, idf, coef)
    return HashedBlock(*shape, known, int(size or 0), idf, coef)


def _buckets(arrays: Mapping[str, NDArray[Any]], name: str, size: Any) -> Ints:
    kept = _array(arrays, name)
    if type(size) is not int or not 1 <= size <= _MOST_BUCKETS:
        raise _damaged(f"{name} says {size!r:.20} buckets, not 1 to {_MOST_BUCKETS:,}", "model.json")
    if kept.dtype != np.int32 or kept.ndim != 1:
        raise _damaged(f"{name} is not a line of whole numbers", "model.npz")
    places = kept.astype(np.int64)
    if places.size and (np.min(places) < 0 or np.max(places) >= size or (np.diff(places) <= 0).any()):
        raise _damaged(f"{name} is not ascending within its {size:,} buckets", "model.npz")
    return places


def _range_ok(ngrams: Any, longest: int) -> bool:
    pair = isinstance(ngrams, list) and len(ngrams) == 2 and all(type(n) is int for n in ngrams)
    return pair and 1 <= ngrams[0] <= ngrams[1] <= longest


def _terms(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[str, ...]:
    packed = _array(arrays, name)
    if packed.dtype != np.uint8 or packed.ndim != 1:
        raise _damaged(f"{name} is not a line of bytes", "model.npz")
    try:
        terms = tuple(packed.tobytes().decode().split("\n")) if packed.size else ()
    except UnicodeDecodeError as error:
        raise _damaged(f"{name} is not UTF-8", "model.npz") from error
    if len(set(terms)) != len(terms):
        raise _damaged(f"{name} names an n-gram twice", "model.npz")
    return terms


def _floats(arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> Floats:
    array = _array(arrays, name)
    if array.dtype.kind != "f" or array.shape != shape:
        raise _damaged(f"{name} is {array.dtype}{array.shape}, expected floats of shape {shape}", "model.npz")
    if not np.isfinite(array).all():
        raise _damaged(f"{name} holds a value that is not a finite number", "model.npz")
    return array.astype(np.float64)


def _array(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise _damaged(f"the array {name} is missing", "model.npz")
    return arrays[name]


def _damaged(what: str, where: str) -> BundleDamagedError:
    return BundleDamagedError(what, where=where, cure="Export the bundle again")
