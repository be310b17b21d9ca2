"""What a probability is worth when the message may be about something training never saw.

Calibrated probabilities hold for mail like that which was labelled. Customers find new things to write about,
and there a classifier is as sure and much less right: on whole intents held out, deciding by the likeliest
class cost up to twice as much as no classifier at all. Words it does not know give such mail away, so a
decision is taken on probabilities that are mixed, the more unknown words the more, with what held-out topics
showed to be left of them. The probabilities that are shown stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST_UNKNOWN = 0.003  # a share of unknown n-grams under this says no more than this


@dataclass(frozen=True, slots=True)
class Caution:
    """How likely mail is new, by its share of unknown n-grams, and what is then believed.

    The log odds of being new are `offset + slope * ln(1 - known)`. Of new mail the probabilities p count as
    p ** `power` (flatter) with weight `trust`, and the rest as `base`, the classes' frequencies.
    """

    offset: float
    slope: float
    power: float
    trust: float
    base: tuple[float, ...]

    def new(self, known: Floats) -> Floats:
        """The probability that each message is about something new: (n,)."""
        odds = self.offset + self.slope * np.log(np.maximum(1.0 - known, _LEAST_UNKNOWN))
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -50, 50))), dtype=np.float64)

    def believed(self, probabilities: Floats, known: Floats) -> Floats:
        """The probabilities to decide on, rounded to millionths: (n, classes)."""
        p = np.atleast_2d(probabilities)
        flat = np.maximum(p, 1e-12) ** self.power
        flat /= flat.sum(axis=1, keepdims=True)
        new = self.new(np.asarray(known))[:, None]
        strange = self.trust * flat + (1.0 - self.trust) * np.array(self.base)
        return np.asarray(np.round((1.0 - new) * p + new * strange, 6), dtype=np.float64)

    def warier(self, odds: float) -> Caution:
        """The same with the log odds of new mail raised."""
        return replace(self, offset=round(self.offset + odds, 6))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "base": list(self.base)}

    @classmethod
    def from_dict(cls, classes: Sequence[str], values: Mapping[str, Any]) -> Caution:
        """Back from `to_dict`; raises ValueError where a value cannot be."""
        numbers = {name: float(values[name]) for name in ("offset", "slope", "power", "trust")}
        base = tuple(float(share) for share in values["base"])
        possible = len(base) == len(classes) and all(0 <= share <= 1 for share in base)
        if not possible or not all(map(isfinite, numbers.values())) or not 0 <= numbers["trust"] <= 1:
            raise ValueError("the caution is out of range")
        if not 0 < numbers["power"] <= 10:
            raise ValueError("the caution's power is out of range")
        return cls(**numbers, base=base)
