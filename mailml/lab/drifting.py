"""The measures of drift: what the classifier makes of each text, and whether two samples differ by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.message import Message
    from mailml.text import Text

_MOST = 20_000  # texts that are judged; of more, an even sample is
_ALMOST_NONE = 0.5  # added to every count: a category that is new must not make the index infinite


@dataclass(frozen=True, eq=False)
class Texts:
    """What the classifier makes of messages, by SHA-256: label ("" if it abstains), confidence, known words.

    `low_known` is the share of known words that 95 % of training messages reached unseen.
    """

    label: Mapping[str, str]
    abstained: Mapping[str, bool]
    confidence: Mapping[str, float]
    known: Mapping[str, float]
    low_known: float


def bodies(archive: Archive) -> dict[str, str]:
    """SHA-256 -> what the classifier reads of a message, made as it is when deciding."""
    from mailml.text import classifier_input

    table = archive.table(columns=["sha256", "subject", "own"]).to_pydict()
    rows = zip(table["sha256"], table["subject"], table["own"], strict=True)
    return {
        sha: classifier_input(
            cast("Message", SimpleNamespace(subject=subject or "")),
            cast("Text", SimpleNamespace(own=own or "")),
        )
        for sha, subject, own in rows
    }


def texts_of(texts: Mapping[str, str], bundle: Bundle, rows: pd.DataFrame) -> Texts:
    """What the bundle's classifier says of each message; raises nothing on content."""
    model = bundle.model
    if model is None:
        raise ValueError("a bundle without a classifier judges no texts")
    shas = [sha for sha in rows["sha256"] if texts.get(sha, "").strip()]
    if len(shas) > _MOST:
        shas = [shas[int(at)] for at in np.linspace(0, len(shas) - 1, _MOST)]
    label, abstained, confidence, known = {}, {}, {}, {}
    for sha in shas:
        said = model.categorize(texts[sha])
        label[sha], abstained[sha] = said.label or "", said.abstained
        confidence[sha] = max((chance for _, chance in said.probabilities), default=0.0)
        known[sha] = model.known(texts[sha])
    # training sets the threshold of "too strange" at three fifths of what 95 % reach
    return Texts(label, abstained, confidence, known, model.min_known / 0.6)


def coverage_of(card: Mapping[str, Any]) -> tuple[int, int]:
    """How many training messages the classifier decided, unseen, of how many, by the card; else (0, 0)."""
    told = card.get("overall", {}).get("coverage", {})
    of = int(card.get("messages", 0))
    value = told.get("value") if isinstance(told, Mapping) else None
    return (round(value * of), of) if value is not None else (0, 0)


def psi(then: Sequence[str], now: Sequence[str]) -> float:
    """The population stability index of two samples of names: 0 is the same mix, above 0.25 another one."""
    names = sorted({*then, *now})
    if not then or not now or len(names) < 2:
        return 0.0
    a, b = (np.array([side[name] + _ALMOST_NONE for name in names]) for side in (Counter(then), Counter(now)))
    a, b = a / np.sum(a), b / np.sum(b)
    return float(np.sum((b - a) * np.log(b / a)))


def same_mix(then: Sequence[str], now: Sequence[str]) -> float:
    """The p-value of a chi-square test that both samples have one mix."""
    from scipy.stats import chi2_contingency

    names = sorted({*then, *now})
    if not then or not now or len(names) < 2:
        return 1.0
    return float(
        chi2_contingency([[side[name] for name in names] for side in (Counter(then), Counter(now))]).pvalue
    )


def same_share(hits_a: int, of_a: int, hits_b: int, of_b: int) -> float:
    """The p-value of Fisher's exact test that two shares are one."""
    from scipy.stats import fisher_exact

    if not of_a or not of_b:
        return 1.0
    return float(fisher_exact([[hits_a, of_a - hits_a], [hits_b, of_b - hits_b]]).pvalue)
