"""The models as scikit-learn estimators: texts in, labels and calibrated probabilities out.

They train as `lab.train` does (grouped folds, temperature), so they need not be calibrated again; `trained_`
holds the evidence, and is what `lab.export` takes. For pipelines, searches and cross-validation.
"""
# ruff: noqa: N803 - X and C are what scikit-learn calls them

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from mailml.classifier import Model, Policy
from mailml.classifier.hashed import HashedBlock
from mailml.errors import InputError
from mailml.lab.calibration import Calibration, calibrate
from mailml.lab.models.hashed import count_hashed
from mailml.lab.models.online import OnlineSoftmax
from mailml.lab.resampling import Floats
from mailml.lab.vocabulary import Counted, Ints

_KEPT = 5_000  # rows of a stream whose scores before they were learned calibrate the model
_NOBODY = -1


class LinearClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Words and pieces of words under one linear layer; parameters as in `mailml.lab.settings.Settings`."""

    _model = "linear"

    def __init__(self, C: float = 0.5, least: int = 2, folds: int = 5, seed: int = 7) -> None:
        self.C = C
        self.least = least
        self.folds = folds
        self.seed = seed

    def fit(
        self,
        X: Sequence[str],
        y: Sequence[Any],
        *,
        threads: Sequence[Any] | None = None,
        senders: Sequence[str] | None = None,
    ) -> Self:
        """Train on texts and labels; whoever belongs together by thread, sender or text stays together.

        Raises NotEnoughData where no honest calibration is possible.
        """
        from mailml.lab.train import train

        texts = _texts(X)
        told = {name: getattr(self, name) for name in self._get_param_names()}
        labels = np.asarray(y)
        self.trained_ = train(
            texts, labels.tolist(), threads=threads, senders=senders, model=self._model, **told
        )
        # labels keep their type: 1 stays 1
        named = {str(label): label for label in labels.tolist()}
        self.classes_ = np.array([named[name] for name in self.trained_.classes])
        return self

    def predict_proba(self, X: Sequence[str]) -> Floats:
        """Calibrated probabilities: (texts, classes)."""
        check_is_fitted(self)
        return self.trained_.model.probas(_texts(X))

    def decision_function(self, X: Sequence[str]) -> Floats:
        """Log odds of the second class where there are two, log probabilities otherwise."""
        logs = np.log(np.maximum(self.predict_proba(X), 1e-300))
        return np.asarray(logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs)

    def predict(self, X: Sequence[str]) -> Any:
        """The likeliest class; what it would do at least cost is `trained_.model.categorize`."""
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags


class AveragedClassifier(LinearClassifier):
    """The mean of words and buckets, or of words and sentence vectors where `encoder` names a folder."""

    _model = "averaged"

    def __init__(
        self, C: float = 0.5, least: int = 2, folds: int = 5, seed: int = 7, encoder: str = ""
    ) -> None:
        super().__init__(C, least, folds, seed)
        self.encoder = encoder


class EmbeddingClassifier(AveragedClassifier):
    """A linear layer on sentence vectors of the `encoder` in a folder."""

    _model = "embedding"


class HashingClassifier(LinearClassifier):
    """Buckets of a hash in place of a vocabulary; `partial_fit` takes an archive batch by batch.

    A stream is judged before it is learned: the scores of the last 5,000 rows, given before their labels were
    seen, calibrate the model. `to_model` is what a bundle can hold.
    """

    _model = "hashing"
    seen_: int
    before_: Floats
    truth_: Ints

    def __init__(
        self, C: float = 0.5, least: int = 2, folds: int = 5, seed: int = 7, buckets: int = 2**17
    ) -> None:
        super().__init__(C, least, folds, seed)
        self.buckets = buckets

    def partial_fit(
        self,
        X: Sequence[str],
        y: Sequence[Any],
        classes: Sequence[Any] | None = None,
        *,
        senders: Sequence[str] | None = None,
    ) -> Self:
        """Learn from one more batch; the first call needs all `classes`.

        Hand in batches by time, so that what calibrates is later mail. `senders` keep out of the model what
        only one sender wrote; without them every row is a sender of its own.
        """
        texts, labels = _texts(X), np.asarray(y)
        if not hasattr(self, "online_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit")
            self._begin(classes)
        blocks = self._counted(texts)
        features = _features(blocks)
        truth = np.searchsorted(self.classes_, labels)
        if self.seen_:
            scores = self.online_._scores(features)
            self.before_ = np.vstack([self.before_, scores])[-_KEPT:]
            self.truth_ = np.concatenate([self.truth_, truth])[-_KEPT:]
        self._note_senders(blocks, senders)
        self.online_.partial_fit(features, labels, classes=self.classes_)
        self.seen_ += len(texts)
        return self

    def predict_proba(self, X: Sequence[str]) -> Floats:
        """Calibrated probabilities: (texts, classes)."""
        if not hasattr(self, "online_"):
            return super().predict_proba(X)
        return self.to_model().probas(_texts(X))

    def to_model(self, policy: Policy | None = None) -> Model:
        """The numpy model of what the stream taught, without what only one sender wrote.

        Raises InputError before a second batch: nothing could calibrate it.
        """
        if not hasattr(self, "online_") or not len(self.truth_):
            raise InputError("the stream is too short to calibrate", cure="Call partial_fit with two batches")
        names = tuple(str(name) for name in self.classes_)
        fitted, blocks, start = self._calibration(), list[HashedBlock](), 0
        for counted in self._counted([]):
            spread = self.spread_[start : start + self.buckets]
            kept = np.flatnonzero(spread).astype(np.int64)
            coef = self.online_.coef_[:, start + kept].T
            shape = (counted.name, counted.analyzer, counted.ngrams)
            blocks.append(HashedBlock(*shape, kept, self.buckets, np.ones(len(kept)), coef))
            start += self.buckets
        made = Model(
            names,
            tuple(blocks),
            self.online_.intercept_ + np.array(fitted.shift),
            fitted.temperature,
            policy or Policy(names),
            0.0,
            "",
        )
        return Model.from_arrays(*made.to_arrays())

    def _begin(self, classes: Sequence[Any]) -> None:
        self.online_ = OnlineSoftmax(rounds=1, random_state=self.seed)
        self.classes_ = np.unique(np.asarray(classes))
        self.before_ = np.empty((0, len(self.classes_)))
        self.truth_ = np.empty(0, dtype=np.int64)
        self.seen_ = 0
        self.first_ = np.full(2 * self.buckets, _NOBODY, dtype=np.int64)
        self.spread_ = np.zeros(2 * self.buckets, dtype=bool)
        self.people_: dict[str, int] = {}

    def _counted(self, texts: Sequence[str]) -> tuple[Counted, ...]:
        return count_hashed(texts, words=(1, 2), chars=(3, 5), buckets=self.buckets)

    def _calibration(self) -> Calibration:
        return calibrate(self.before_, self.truth_)

    def _note_senders(self, blocks: tuple[Counted, ...], senders: Sequence[str] | None) -> None:
        """Which buckets two senders have used by now: a number and a bit a bucket, however long it runs."""
        rows = np.arange(self.seen_, self.seen_ + blocks[0].counts.shape[0])
        who = rows if senders is None else np.array([self._number(sender) for sender in senders])
        for place, block in enumerate(blocks):
            entries = block.counts.tocoo()
            columns, owners = entries.col + place * self.buckets, who[entries.row]
            met, at = np.unique(columns, return_index=True)  # entries lie by rows: the first of each bucket
            new = self.first_[met] == _NOBODY
            self.first_[met[new]] = owners[at[new]]
            self.spread_[columns[self.first_[columns] != owners]] = True

    def _number(self, sender: str) -> int:
        return self.people_.setdefault(sender, len(self.people_))


def _features(blocks: tuple[Counted, ...]) -> Any:
    """Sublinear counts of length one per block, as the served model computes them without idf."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfTransformer

    plain = TfidfTransformer(use_idf=False, sublinear_tf=True)
    parts = [plain.fit_transform(block.counts) if block.counts.shape[0] else block.counts for block in blocks]
    return hstack(parts, format="csr")


def _texts(X: Any) -> list[str]:
    if isinstance(X, str):
        raise InputError("one text is no list of texts", cure="Pass [text]")
    return [str(text) for text in np.asarray(X, dtype=object).ravel()]
