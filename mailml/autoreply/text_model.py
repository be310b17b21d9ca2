"""Row 13: whether a mail reads like an automatic answer. Hashed words, one weight each, numpy alone.

The model never sees a header but the subject and the sender's local part; beside them it reads the first
lines and whether the mail answers ours.
"""

from __future__ import annotations

import io
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from mailml.autoreply.wording import features
from mailml.errors import BundleDamagedError

FORMAT = 1  # raise it when `wording.features` or the arithmetic below changes
BUCKETS = 1 << 16
_LARGEST_LOGIT = 30.0

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TextModel:
    """Weights of hashed features and their calibration; frozen, the same numbers on every machine."""

    weights: Weights = field(repr=False)
    bias: float
    scale: float  # of the calibration: p = sigmoid(scale * logit + shift)
    shift: float
    threshold: float  # from this probability on, no acknowledgement
    version: str

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> TextModel:
        """The model that `to_arrays` described. Raises `BundleDamagedError` on anything that is not one."""
        try:
            numbers = {name: float(meta[name]) for name in ("bias", "scale", "shift", "threshold")}
            weights = np.asarray(arrays["weights"], dtype=np.float32)
            version, written = str(meta["version"]), int(meta["format"])
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(f"the text model lacks or misstates {error}") from error
        if written != FORMAT:
            raise _damaged(f"the text model has format {written}, this version reads {FORMAT}")
        if weights.shape != (BUCKETS,) or not np.isfinite(weights).all():
            raise _damaged(f"the text model's weights are not {BUCKETS} finite numbers")
        if not all(map(math.isfinite, numbers.values())) or not 0 < numbers["threshold"] < 1:
            raise _damaged("the text model's calibration is not finite, or its threshold not between 0 and 1")
        return cls(weights=weights, version=version, **numbers)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """(JSON-able meta, arrays): everything that `from_arrays` needs."""
        meta = {"format": FORMAT, "version": self.version, "bias": self.bias, "scale": self.scale}
        return meta | {"shift": self.shift, "threshold": self.threshold}, {"weights": self.weights}

    @classmethod
    def shipped(cls) -> TextModel:
        """The model that comes with mailml, trained by `mailml.lab.autoreply_training` on its own sample."""
        return _shipped()

    def score(
        self,
        *,
        subject: str,
        sender: str,
        text: str,
        answers_ours: bool = False,
        seconds_since_ours: float | None = None,
    ) -> float:
        """The calibrated probability, rounded to 6 places, that nobody wrote this by hand."""
        found = features(subject, sender, text, answers_ours, seconds_since_ours)
        # fsum: exact, so that the order of features cannot change the last digit
        logit = math.fsum((*(float(self.weights[bucket(name)]) / root(found) for name in found), self.bias))
        scaled = max(-_LARGEST_LOGIT, min(_LARGEST_LOGIT, self.scale * logit + self.shift))
        return round(1 / (1 + math.exp(-scaled)), 6)

    def words(self, *, subject: str, sender: str, text: str, n: int = 5) -> tuple[str, ...]:
        """The words and pairs of words that speak most for an automatic answer."""
        found = features(subject, sender, text, False, None)
        ranked = sorted(found, key=lambda name: (-float(self.weights[bucket(name)]), name))
        spoken = (name.partition(":")[2] for name in ranked if self.weights[bucket(name)] > 0)
        return tuple(dict.fromkeys(spoken))[:n]


def bucket(name: str) -> int:
    """Where a feature's weight stands. CRC-32 is the same everywhere, unlike Python's own hash."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS


def root(found: frozenset[str]) -> float:
    """Length normalisation: every feature of a mail counts one over the root of their number."""
    return math.sqrt(max(1, len(found)))


@cache
def _shipped() -> TextModel:
    folder = files("mailml.autoreply")
    meta = json.loads(folder.joinpath("text_model.json").read_text("utf-8"))
    data = io.BytesIO(folder.joinpath("text_model.npz").read_bytes())
    with np.load(data, allow_pickle=False) as arrays:
        return TextModel.from_arrays(meta, {"weights": arrays["weights"]})


def _damaged(what: str) -> BundleDamagedError:
    return BundleDamagedError(what, cure="Export the bundle again")
