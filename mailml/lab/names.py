"""Customers' names kept out of the vocabulary, also where two customers share one.

A word of a sender's display name or address is hidden when most of those who write it bear it: `krause` is a
signature, while `service` in "Parcel Service" is a word that everybody uses. Full names are hidden always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mailml.classifier.ngrams import tokens
from mailml.lab.vocabulary import Counted, Ints


def hide(
    blocks: Sequence[Counted], senders: Ints, names: Sequence[str], addresses: Sequence[str]
) -> tuple[Counted, ...]:
    """The blocks with customers' names no longer public; `senders` are the rows' sender numbers."""
    borne: dict[int, set[str]] = {}
    pairs: set[str] = set()
    for row, address in enumerate(addresses):
        shown = tokens(names[row].lower()) if names else []
        local = tokens(_apart(address.rpartition("@")[0].lower()))
        pairs |= {f"{a} {b}" for words in (shown, local) for a, b in pairwise(words)}
        pairs |= {f"{b} {a}" for a, b in pairwise(shown)}
        borne.setdefault(int(senders[row]), set()).update(shown, local)
    private = _signatures(blocks[0], senders, borne)
    return tuple(replace(block, public=block.public & ~_names(block, private, pairs)) for block in blocks)


def _signatures(block: Counted, senders: Ints, borne: dict[int, set[str]]) -> set[str]:
    """Words that at least half of the senders who write them have in their own name."""
    wanted = set().union(*borne.values()) if borne else set()
    single = np.flatnonzero(block.single)
    by_term = block.counts.tocsc()
    found = set()
    for column in single[np.isin(block.terms[single].astype(str), sorted(wanted))]:
        term = str(block.terms[column])
        rows = by_term.indices[by_term.indptr[column] : by_term.indptr[column + 1]]
        writers = set(senders[rows].tolist())
        if 2 * sum(term in borne.get(writer, ()) for writer in writers) >= len(writers):
            found.add(term)
    return found


def _names(block: Counted, private: set[str], pairs: set[str]) -> np.ndarray:
    """Which terms of a block hold a private word or a full name."""
    if block.analyzer == "word":
        named = [term in pairs or not private.isdisjoint(term.split(" ")) for term in block.terms]
    else:
        # pieces of a longer name say nothing; a short name is a piece of its own
        named = [str(term).strip() in private for term in block.terms]
    return np.array(named, dtype=bool)


def _apart(local: str) -> str:
    """The words of an address's local part: `heike.krause` is a first and a last name."""
    return "".join(char if char.isalpha() else " " for char in local)
