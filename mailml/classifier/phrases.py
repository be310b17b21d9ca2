"""Which words of a text spoke for a class: n-gram weights given back to the words they were written in.

Every n-gram's exact contribution is shared out over its occurrences, and each occurrence over its words, so
that the words' weights add up to the model's own sum. Neighbours of one sign are then joined to phrases as
the customer wrote them. That undoes what n-grams do to reasons: "refund", "a refund", "refun" and "fund " are
four reasons of one word.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from mailml.classifier.model import Model
from mailml.classifier.ngrams import LIMIT, Block, Floats, char_wb, fold

_WORD = re.compile(r"\S+")
_TOKEN = re.compile(r"\w\w+")
_STRONG = 0.15  # of the strongest word's weight; weaker words join a phrase between strong ones at most
_LONGEST = 8  # words of a phrase
_COMMON = 2.4  # idf of a word that a quarter of all mail holds: it says nothing alone
_SHORT = 3  # letters; shorter words say nothing alone
_AROUND = " ,.;:!?\"'()[]<>*_"
_ENDS = (".", "!", "?", ":", ";", "。", "！", "？")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words as they stand in the text, from `start` to `end`, and what they added to the class's score."""

    text: str
    weight: float
    start: int
    end: int


def phrases(model: Model, text: str, label: str, n: int = 6) -> tuple[tuple[Phrase, ...], tuple[Phrase, ...]]:
    """The strongest phrases for and against a class, the strongest first; filler words never stand alone.

    Raises ValueError for a label that is no class.
    """
    source = _source(text)
    spans = [match.span() for match in _WORD.finditer(source)]
    weights = word_weights(model, text, label)
    found = _joined(source, spans, weights, [_filler(model, source[a:b]) for a, b in spans])
    pro = sorted((p for p in found if p.weight > 0), key=lambda p: (-p.weight, p.start))
    con = sorted((p for p in found if p.weight < 0), key=lambda p: (p.weight, p.start))
    return _distinct(pro)[:n], _distinct(con)[:n]


@lru_cache(maxsize=1)
def fillers() -> frozenset[str]:
    """The words of fillers.toml, of all languages."""
    table = tomllib.loads(files("mailml.classifier").joinpath("fillers.toml").read_text(encoding="utf-8"))
    return frozenset(word for words in table.values() for word in words.split())


def word_weights(model: Model, text: str, label: str) -> Floats:
    """What each word of the text (split at white space) adds to the class's score over the mean of all.

    Their sum is that of all n-grams' contributions; shape (words,).
    """
    if label not in model.classes:
        raise ValueError(f"{label!r} is no class of this model: {', '.join(model.classes)}")
    index = model.classes.index(label)
    source = _source(text)
    starts = [match.start() for match in _WORD.finditer(source)]
    weights = np.zeros(len(starts))
    folded = source.lower() if len(source.lower()) == len(source) else fold(text)
    for block in model.blocks:
        each = _each(block, folded, index, model.temperature)
        (_share_words if block.analyzer == "word" else _share_pieces)(block, folded, starts, each, weights)
    return weights


def _source(text: str) -> str:
    """The text that is read, as it was written; folded where folding changes its length ("İ")."""
    cut = text[:LIMIT]
    return cut if len(cut.lower()) == len(cut) else cut.lower()


def _each(block: Block, folded: str, index: int, temperature: float) -> dict[int, float]:
    """What one occurrence of each n-gram of the text adds."""
    found = block.count(folded)
    if not found.ids.size:
        return {}
    coef = block.coef[found.ids]
    added = block.values(found) * (coef[:, index] - coef.mean(axis=1)) / temperature / found.counts
    return dict(zip(found.ids.tolist(), added.tolist(), strict=True))


def _share_words(
    block: Block, folded: str, starts: list[int], each: dict[int, float], weights: Floats
) -> None:
    tokens = [(match[0], match.start()) for match in _TOKEN.finditer(folded)]
    place = np.searchsorted(starts, [start for _, start in tokens], side="right") - 1
    low, high = block.ngrams
    for n in range(low, high + 1):
        for at in range(len(tokens) - n + 1):
            added = each.get(block.number(" ".join(word for word, _ in tokens[at : at + n])))
            if added:
                for word in place[at : at + n]:
                    weights[word] += added / n


def _share_pieces(
    block: Block, folded: str, starts: list[int], each: dict[int, float], weights: Floats
) -> None:
    for word, match in enumerate(_WORD.finditer(folded)):
        weights[word] += sum(each.get(block.number(gram), 0.0) for gram in char_wb(match[0], *block.ngrams))


def _filler(model: Model, word: str) -> bool:
    """Whether a word says nothing alone."""
    bare = "".join(filter(str.isalnum, word.lower()))
    # two Chinese signs are a word, two Latin letters are none
    if bare in fillers() or (len(bare) < _SHORT and bare.isascii()):
        return True
    for block in model.blocks:
        if block.analyzer == "word":
            number = block.number(bare)
            return 0 <= number < len(block.idf) and float(block.idf[number]) < _COMMON
    return False


def _joined(source: str, spans: list[tuple[int, int]], weights: Floats, filler: list[bool]) -> list[Phrase]:
    """Runs of words of one sign: strong ones, with at most one weak word between two of them."""
    strong = np.abs(weights) >= _STRONG * float(np.max(np.abs(weights), initial=0.0))
    found: list[Phrase] = []
    at = 0
    while at < len(spans):
        last = _last(source, spans, weights, strong, at) if strong[at] and weights[at] else -1
        if last < 0:
            at += 1
            continue
        one, other = at, last
        while one < other and filler[one]:
            one += 1
        while other > one and filler[other]:
            other -= 1
        start, end = spans[one][0], spans[other][1]
        told = " ".join(source[start:end].strip(_AROUND).split())
        if told and not filler[one]:
            found.append(Phrase(told, round(float(weights[one : other + 1].sum()), 6), start, end))
        at = last + 1
    return found


def _last(
    source: str, spans: list[tuple[int, int]], weights: Floats, strong: NDArray[np.bool_], at: int
) -> int:
    """The last word of the phrase that begins here."""
    last = at
    for ahead in range(at + 1, min(at + _LONGEST, len(spans))):
        (start, end), after = spans[ahead - 1], spans[ahead][0]
        if source[start:end].endswith(_ENDS) or "\n" in source[end:after]:
            break
        if strong[ahead] and weights[ahead] * weights[at] > 0:
            last = ahead
        elif strong[ahead] or ahead - last > 1:
            break
    return last


def _distinct(ordered: list[Phrase]) -> tuple[Phrase, ...]:
    """The same words once, in whatever case they were written."""
    first: dict[str, Phrase] = {}
    for phrase in ordered:
        first.setdefault(phrase.text.lower(), phrase)
    return tuple(first.values())
