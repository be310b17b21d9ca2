"""Trains the text model of row 13 on our own sample.

`python -m mailml.lab.autoreply_training` writes the model that mailml ships. A bundle takes that one, or one
trained here: both are scored by `mailml.autoreply.text_model` with numpy alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mailml.autoreply.text_model import BUCKETS, TextModel, bucket, root
from mailml.autoreply.wording import features
from mailml.lab.autoreply_sample import SEED, Example, sample

# Of human mail in sentences the model never saw; it sets the threshold. The sample is hard on purpose: a
# third of its people write about absences. Of real letters and requests the share is under 1 in 1,000.
TOLERATED = 0.003
Floats = npt.NDArray[np.float64]


def train(examples: Sequence[Example], seed: int = SEED, tolerated: float = TOLERATED) -> TextModel:
    """The calibrated model of a sample; scores it to six places as scikit-learn would.

    Calibration and threshold come from predictions on sentences that were held out (GroupKFold), so that they
    speak of mail the model has not read. Raises nothing on a sample of `sample`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict

    matrix, truth = _matrix(examples), np.array([one.automated for one in examples])
    groups = np.array([one.group for one in examples])
    estimator = LogisticRegression(C=10.0, solver="liblinear", random_state=seed)
    held_out = cross_val_predict(
        estimator, matrix, truth, groups=groups, cv=GroupKFold(5), method="decision_function"
    )
    sigmoid = LogisticRegression(C=1e3).fit(held_out.reshape(-1, 1), truth)
    estimator.fit(matrix, truth)
    scale, shift = float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    weights = np.round(estimator.coef_[0], 3).astype(np.float32)
    threshold = _threshold(_sigmoid(scale * held_out + shift)[~truth], tolerated)
    return TextModel(
        weights=weights,
        bias=round(float(estimator.intercept_[0]), 6),
        scale=round(scale, 6),
        shift=round(shift, 6),
        threshold=threshold,
        version=hashlib.sha256(weights.tobytes()).hexdigest()[:12],
    )


def write(model: TextModel, folder: Path) -> None:
    """Write text_model.json and text_model.npz, the form that `TextModel.shipped` reads."""
    meta, arrays = model.to_arrays()
    (folder / "text_model.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n", "utf-8")
    np.savez_compressed(folder / "text_model.npz", allow_pickle=False, **arrays)


def score_all(model: TextModel, examples: Iterable[Example]) -> Floats:
    """The model's probability for each example, through the same code that decides in production."""
    return np.array(
        [
            model.score(
                subject=one.subject,
                sender=one.sender,
                text=one.text,
                answers_ours=one.answers_ours,
                seconds_since_ours=one.seconds_since_ours,
            )
            for one in examples
        ]
    )


def _threshold(human: Floats, tolerated: float) -> float:
    """The lowest hundredth, from one half up, that at most this share of people reach."""
    steps = (step / 100 for step in range(50, 99))
    return next((step for step in steps if float(np.mean(human >= step)) <= tolerated), 0.99)


def _sigmoid(logit: Floats) -> Floats:
    squashed: Floats = 1 / (1 + np.exp(-logit))
    return squashed


def _matrix(examples: Sequence[Example]) -> Any:
    from scipy.sparse import csr_array

    rows, columns, values = [], [], []
    for row, one in enumerate(examples):
        found = features(one.subject, one.sender, one.text, one.answers_ours, one.seconds_since_ours)
        for name in found:
            rows.append(row)
            columns.append(bucket(name))
            values.append(1 / root(found))
    places = (np.array(rows, dtype=np.int32), np.array(columns, dtype=np.int32))
    return csr_array((np.array(values), places), shape=(len(examples), BUCKETS))


def main() -> None:
    """Train on the standard sample and write the model that mailml ships."""
    examples = sample()
    model = train(examples)
    write(model, Path(str(files("mailml.autoreply"))))
    print(f"{len(examples)} examples, threshold {model.threshold}, version {model.version}")


if __name__ == "__main__":
    main()
