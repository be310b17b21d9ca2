"""Who stands in the classifier's table: our models, plain scikit-learn, fastText where it is installed."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mailml.classifier import Policy
from mailml.lab.calibration import softmax
from mailml.lab.evaluation import decided
from mailml.lab.models.encoder import Encoder
from mailml.lab.train import Trained, train
from tests.bench.ticket_sets import Row, labels, texts

# texts -> (probabilities, actions taken), in the order of the classes
Answer = Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]
TREE = ("billing", "general", "technical")


def contenders(
    rows: Sequence[Row], unlabelled: Sequence[Row], *, encoder: str = ""
) -> Iterator[tuple[str, Answer]]:
    """Each with its name, trained on the same labelled rows; teachers also see the unlabelled texts."""
    yield "all to general", _constant
    yield "scikit-learn LR, likeliest", plain_answer(logistic(rows))
    yield "scikit-learn SVC, likeliest", plain_answer(vectors(rows))
    if has_fasttext():
        yield "fastText, likeliest", fasttext(rows)
    model = _train(rows)
    yield "linear, likeliest", likeliest(model)
    yield "linear, least cost", least_cost(model)
    yield "hashing, least cost", least_cost(_train(rows, model="hashing"))
    yield "averaged, least cost", least_cost(_train(rows, model="averaged", encoder=encoder))
    taught = _train(rows, unlabelled=texts(unlabelled), teacher="self")
    yield "linear taught by itself", least_cost(taught)
    if encoder:
        yield "embedding, least cost", least_cost(_train(rows, model="embedding", encoder=encoder))
        wise = _train(rows, unlabelled=texts(unlabelled), teacher="averaged", encoder=encoder)
        yield "linear taught by averaged", least_cost(wise)


def remember_vectors() -> None:
    """Let a text be encoded once for all contenders: only the time of this table changes."""
    encode, known = Encoder.__call__, dict[str, np.ndarray]()

    def remembered(self: Encoder, given: Sequence[str]) -> np.ndarray:
        fresh = list(dict.fromkeys(text for text in given if text not in known))
        if fresh:
            known.update(zip(fresh, encode(self, fresh), strict=True))
        return np.array([known[text] for text in given])

    Encoder.__call__ = remembered  # type: ignore[method-assign]


def logistic(rows: Sequence[Row]) -> Any:
    """The straightforward pipeline: TF-IDF of words and characters, logistic regression."""
    from sklearn.linear_model import LogisticRegression

    return _pipe(rows, LogisticRegression(C=10, max_iter=500))


def vectors(rows: Sequence[Row]) -> Any:
    """The same under a linear support vector classifier."""
    from sklearn.svm import LinearSVC

    return _pipe(rows, LinearSVC(C=0.5))


def plain_answer(pipe: Any) -> Answer:
    """The likeliest class of a pipeline; margins pass for logits where it has no probabilities."""
    places = [TREE.index(name) for name in pipe.classes_]

    def answer(given: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        if hasattr(pipe, "predict_proba"):
            found = pipe.predict_proba(given)
        else:
            margins = pipe.decision_function(given)
            found = softmax(margins if margins.ndim == 2 else np.stack([-margins, margins], axis=1))
        p = np.zeros((len(given), len(TREE)))
        p[:, places] = found
        return p, p.argmax(axis=1)

    return answer


def likeliest(trained: Trained) -> Answer:
    """A model of ours by its likeliest class."""

    def answer(given: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        p = trained.model.probas(given)
        return p, p.argmax(axis=1)

    return answer


def least_cost(trained: Trained) -> Answer:
    """A model of ours as it decides: least cost, careful with what is new, withheld where it must be."""

    def answer(given: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        model = trained.model
        p, known = model.probas(given), np.array([model.known(text) for text in given])
        return p, decided(model.policy, p, known, model.min_known)

    return answer


def has_fasttext() -> bool:
    """Whether fastText is installed (it has no wheels for every Python)."""
    return importlib.util.find_spec("fasttext") is not None


def fasttext(rows: Sequence[Row]) -> Answer:
    """fastText's supervised classifier: word pairs, pieces of words, 25 rounds."""
    import fasttext as library

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        file.write_text("\n".join(f"__label__{c} {_line(t)}" for t, c, _ in rows), encoding="utf-8")
        model = library.train_supervised(
            str(file), wordNgrams=2, minn=3, maxn=5, epoch=25, lr=0.5, thread=1, verbose=0
        )

    def answer(given: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        p = np.zeros((len(given), len(TREE)))
        for row, text in enumerate(given):
            for probability, label in model.f.predict(_line(text) + "\n", 3, 0.0, "strict"):
                p[row, TREE.index(label.removeprefix("__label__"))] = probability
        return p, p.argmax(axis=1)

    return answer


def _train(rows: Sequence[Row], **told: Any) -> Trained:
    return train(texts(rows), labels(rows), least=2, **told)


def _pipe(rows: Sequence[Row], layer: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion, make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_features=20_000)
    chars = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2, max_features=30_000
    )
    pipe = make_pipeline(FeatureUnion([("w", words), ("c", chars)]), layer)
    return pipe.fit(texts(rows), labels(rows))


def _constant(given: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    policy = Policy(TREE)
    said = np.full(len(given), policy.actions.index("general"))
    return np.tile(np.eye(len(TREE))[TREE.index("general")] * 0.97 + 0.01, (len(given), 1)), said


def _line(text: str) -> str:
    return " ".join(text.lower().split())
