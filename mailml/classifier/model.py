"""The served classifier: TF-IDF blocks, one linear layer, a temperature, and a policy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier.arrays import blocks_from, blocks_to
from mailml.classifier.ngrams import Block, Counts, Floats, fold
from mailml.classifier.policy import Policy
from mailml.errors import BundleDamagedError
from mailml.verdict import Category, canonical_json

KIND = "tfidf-linear"
MICRO = 1_000_000  # probabilities are decided on in millionths: the same on every machine
_BATCH = 256  # texts scored at once: bounded memory
_WORDS = 5  # words named in a Category
FEWEST_WORDS = 5  # of a text whose language its words can tell

NO_MODEL = Category(label=None, reason="this bundle has no classifier")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one text got its category: what spoke for a class and against it, and how near the call was.

    `words` and `against` are (n-gram, weight): exact contributions to the class's score over the mean of all
    classes, before the softmax. `known` is the share of the text's n-grams the model has seen. `costs` are
    the expected costs of every action; `margin` is how much dearer the second-best action is.
    """

    label: str
    category: Category
    words: tuple[tuple[str, float], ...]
    against: tuple[tuple[str, float], ...]
    known: float
    costs: tuple[tuple[str, float], ...]
    margin: float


@dataclass(frozen=True, eq=False)
class Model:
    """A trained classifier that needs numpy and nothing else. Make one with `from_arrays`."""

    classes: tuple[str, ...]
    blocks: tuple[Block, ...]
    intercept: Floats
    temperature: float
    policy: Policy
    min_known: float
    id: str
    # the least share of known words; below it the text is in another language
    min_words: float = field(default=0.0, kw_only=True)

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
        """The model described by `meta` with the numbers in `arrays` (see `to_arrays`).

        Raises BundleDamagedError where a name, shape or value does not fit.
        """
        if meta.get("kind") != KIND:
            raise BundleDamagedError(
                f"the classifier is of kind {meta.get('kind')!r}, this version reads {KIND!r}",
                where="model.json",
                cure="Export the bundle again with this version of mailml",
            )
        classes = _classes(meta)
        try:
            temperature, min_known = float(meta["temperature"]), float(meta.get("min_known", 0.0))
            min_words = float(meta.get("min_words", 0.0))
            policy = Policy.from_dict(classes, meta.get("policy", {}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleDamagedError(f"a setting is not readable ({error})", where="model.json") from error
        if not 0 < temperature < float("inf") or not (0 <= min_known <= 1 and 0 <= min_words <= 1):
            raise BundleDamagedError("temperature or min_known is out of range", where="model.json")
        blocks, intercept = blocks_from(meta, arrays, len(classes))
        # named by what was understood, so that defaults left out and defaults written down are one model
        known = {"min_known": min_known, "min_words": min_words}
        return cls(classes, blocks, intercept, temperature, policy, id="", **known).named()

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """`(meta, arrays)` that `from_arrays` reads back: JSON values and arrays without objects.

        Floats are 32 bits wide where that loses nothing (the lab rounds them to that before it proves them).
        """
        meta: dict[str, Any] = {"kind": KIND, "classes": list(self.classes), "temperature": self.temperature}
        meta |= {"min_known": self.min_known, "policy": self.policy.to_dict()}
        if self.min_words:
            meta["min_words"] = self.min_words
        described, arrays = blocks_to(self.blocks, self.intercept)
        return {**meta, "blocks": described}, arrays

    def with_policy(self, policy: Policy) -> Model:
        """The same numbers under another policy."""
        if policy.classes != self.classes:
            raise ValueError("the policy is for other classes")
        return replace(self, policy=policy).named()

    def named(self) -> Model:
        """The same with the id that its numbers and settings give it."""
        return replace(self, id=_id(*self.to_arrays()))

    def proba(self, text: str) -> Floats:
        """The calibrated probability of every class, in class order: shape (classes,)."""
        return self._score(fold(text))[0]

    def probas(self, texts: Sequence[str]) -> Floats:
        """The same for many texts, several times faster than one by one: shape (texts, classes).

        Equal to `proba` up to the order of additions (1e-12); decisions are made one by one only.
        """
        z = self.logits(texts)
        e = np.exp((z - z.max(axis=1, keepdims=True)) / self.temperature)
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    def logits(self, texts: Sequence[str]) -> Floats:
        """The scores of every class before temperature and softmax: shape (texts, classes)."""
        parts = [np.empty((0, len(self.classes)))]
        for start in range(0, len(texts), _BATCH):
            folded = [fold(text) for text in texts[start : start + _BATCH]]
            z = np.tile(self.intercept, (len(folded), 1))
            for block in self.blocks:
                z += block.scores(folded)
            parts.append(z)
        return np.concatenate(parts)

    def known(self, text: str) -> float:
        """The share of the text's n-grams that the model has seen, between 0 and 1.

        Less than `min_known` where the words are another language's, however familiar their pieces are.
        """
        return self._known(self._count(fold(text)))

    def categorize(self, text: str) -> Category:
        """The category by least expected cost, or an abstention with its reason."""
        if not text.strip():
            return Category(label=None, reason="the message has no text", model=self.id)
        folded = fold(text)
        p, counts = self._score(folded)
        shown = _micro(p)
        pairs = tuple(zip(self.classes, (int(x) / MICRO for x in shown), strict=True))
        known = self._known(counts)
        if known < self.min_known or not known:
            reason = (
                f"the language or its words were never seen in training ({known:.0%} of the text is known)"
            )
            return Category(None, 0.0, pairs, (), reason, self.id)
        choice = self.policy.choose([value for _, value in pairs], known)
        index = self.classes.index(choice.label) if choice.label in self.classes else int(np.argmax(shown))
        words = self._words(folded, counts, index, _WORDS)[0]
        probability = pairs[index][1] if choice.label is not None else 0.0
        return Category(choice.label, probability, pairs, words, choice.reason, self.id)

    def explain(self, text: str, label: str | None = None, n: int = 10) -> Explanation:
        """Which n-grams spoke for `label` (the likeliest class if None) and against it.

        Raises ValueError for a label that is no class.
        """
        folded = fold(text)
        p, counts = self._score(folded)
        if label is not None and label not in self.classes:
            raise ValueError(f"{label!r} is no class of this model: {', '.join(self.classes)}")
        index = int(np.argmax(p)) if label is None else self.classes.index(label)
        words, against = self._words(folded, counts, index, n)
        costs = self.policy.expected(self.policy.believed(p, self._known(counts)))[0]
        ordered = np.sort(costs)
        named = tuple(zip(self.policy.actions, (float(c) for c in costs), strict=True))
        margin = float(ordered[1] - ordered[0]) if len(ordered) > 1 else 0.0
        return Explanation(
            self.classes[index], self.categorize(text), words, against, self._known(counts), named, margin
        )

    def _count(self, folded: str) -> list[Counts]:
        return [block.count(folded) for block in self.blocks]

    def _known(self, counts: list[Counts]) -> float:
        known = _known(counts)
        words = [c for block, c in zip(self.blocks, counts, strict=True) if block.analyzer == "word"]
        if self.min_words and sum(c.known + c.unknown for c in words) >= FEWEST_WORDS:
            share = _known(words) / self.min_words
            return min(known, self.min_known * share) if share < 1 else known
        return known

    def _score(self, folded: str) -> tuple[Floats, list[Counts]]:
        counts, z = self._count(folded), self.intercept.copy()
        for block, found in zip(self.blocks, counts, strict=True):
            if found.ids.size:
                z += block.values(found) @ block.coef[found.ids]
        z /= self.temperature
        e = np.exp(z - np.max(z))
        return e / e.sum(), counts

    def _words(
        self, folded: str, counts: list[Counts], index: int, n: int
    ) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
        """The n strongest n-grams for and against one class; whole words before pieces of them."""
        spoken: list[tuple[bool, float, str]] = []
        for block, found in zip(self.blocks, counts, strict=True):
            if found.ids.size:
                coef = block.coef[found.ids]
                weights = block.values(found) * (coef[:, index] - coef.mean(axis=1)) / self.temperature
                pieces = block.analyzer != "word"
                named = block.named(folded, found.ids)
                spoken += [(pieces, round(float(w), 6), gram) for gram, w in zip(named, weights, strict=True)]
        pro = sorted((s for s in spoken if s[1] > 0), key=lambda s: (s[0], -s[1], s[2]))[:n]
        con = sorted((s for s in spoken if s[1] < 0), key=lambda s: (s[0], s[1], s[2]))[:n]
        return tuple((t, w) for _, w, t in pro), tuple((t, w) for _, w, t in con)


def _classes(meta: Mapping[str, Any]) -> tuple[str, ...]:
    classes = meta.get("classes")
    if not isinstance(classes, list) or len(classes) < 2 or len(set(map(str, classes))) != len(classes):
        raise BundleDamagedError(
            "the classes are not a list of two or more different names", where="model.json"
        )
    return tuple(str(name) for name in classes)


def _known(counts: list[Counts]) -> float:
    known, unknown = sum(c.known for c in counts), sum(c.unknown for c in counts)
    return known / (known + unknown) if known else 0.0


def _micro(p: Floats) -> NDArray[np.int64]:
    """Probabilities as millionths that sum to exactly one million; the largest takes the remainder."""
    shown = np.round(p * MICRO).astype(np.int64)
    shown[int(np.argmax(shown))] += MICRO - int(shown.sum())
    return shown


def _id(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """The first 12 hex digits of a hash over settings and numbers, however wide the numbers were stored."""
    digest = hashlib.sha256(canonical_json(meta).encode())
    for name in sorted(arrays):
        array = arrays[name].astype(np.float64) if arrays[name].dtype.kind == "f" else arrays[name]
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]
