"""The models behind one interface: each is proven equal to what is served, or says that it is not served."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mailml.classifier import Model
from mailml.classifier.hashed import HashedBlock
from mailml.errors import BundleError, InputError
from mailml.lab import saved
from mailml.lab.models import learner_of
from mailml.lab.models.learner import Lesson, aligned
from mailml.lab.settings import Settings
from mailml.lab.train import Trained, train
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.tiny_encoder import tiny_encoder
from tests.mailml.lab.trained import frame_of, store_of

SERVED = ("linear", "hashing", "averaged")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny sentence encoder."""
    return str(tiny_encoder(tmp_path_factory.mktemp("encoder")))


@cache
def made(model: str, encoder: str = "") -> Trained:
    """A model of each kind on the same tickets."""
    part = tickets(180)
    return train(
        part.texts, part.labels, threads=part.threads, senders=part.senders, model=model, encoder=encoder
    )


@pytest.mark.parametrize("model", SERVED)
def test_each_served_model_learns_and_is_proven(model: str) -> None:
    """Well above chance on unseen groups, equal to 1e-6 to what it exports, and named in the manifest."""
    trained = made(model)
    assert (trained.probabilities.argmax(axis=1) == trained.truth).mean() > 0.85
    assert trained.gap <= 1e-6
    assert trained.learner.servable
    assert trained.parameters["made_by"] == model
    assert Model.from_arrays(*trained.model.to_arrays()).id == trained.model.id


@pytest.mark.parametrize("model", SERVED)
def test_one_text_and_many_score_alike(model: str) -> None:
    """The served model's single and batch paths agree on mail it never saw, odd texts included."""
    texts = [*tickets(30, seed=91).texts, "", "ß İ 日本語", "a@b 1234567"]
    batch = made(model).model.probas(texts)
    single = np.array([made(model).model.proba(text) for text in texts])
    assert np.abs(batch - single).max() < 1e-9


def test_buckets_hold_no_word_and_explain_with_the_texts_own() -> None:
    """The hashing model's arrays hold numbers alone; the words it names are those of the message."""
    model = made("hashing").model
    assert all(isinstance(block, HashedBlock) and not block.terms for block in model.blocks)
    assert all(array.dtype.kind in "if" for array in model.to_arrays()[1].values())
    words = dict(model.categorize("I was charged twice, please refund the invoice").words)
    assert words
    assert set(words) <= {w for n in ("charged", "refund", "invoice", "twice", "refund the", "the invoice",
                                      "was charged", "charged twice", "please refund", "please", "the",
                                      "was") for w in (n,)}  # fmt: skip


def test_the_buckets_of_one_sender_are_left_out() -> None:
    """What only one person wrote has no bucket of its own weight."""
    part = tickets(180)
    for block in made("hashing").model.blocks:
        assert isinstance(block, HashedBlock)
    secret = "xylophonquartzbaum"
    texts = [f"{text} {secret}" if sender == part.senders[0] else text
             for text, sender in zip(part.texts, part.senders, strict=True)]  # fmt: skip
    trained = train(texts, part.labels, senders=part.senders, model="hashing")
    word = trained.model.blocks[0]
    counted = trained.corpus.hashed[0].counts
    column = next(iter(set(counted[0].indices) - set(made("hashing").corpus.hashed[0].counts[0].indices)), -1)
    assert isinstance(word, HashedBlock)
    if secret in texts[0]:
        assert column >= 0
        assert column not in word.kept


def test_an_average_is_one_linear_model_of_all_features() -> None:
    """Four blocks, and scores that are the scaled sum of both members'."""
    trained = made("averaged")
    assert [block.name for block in trained.model.blocks] == ["word", "char", "hashed_word", "hashed_char"]


def test_sentence_vectors_learn_and_are_never_exported(encoder: str) -> None:
    """They score texts in the workbench, abstain on a foreign language, and refuse to become arrays."""
    trained = made("embedding", encoder)
    assert (trained.probabilities.argmax(axis=1) == trained.truth).mean() > 0.85
    assert trained.model.categorize("please refund the invoice, I was charged twice").label == "billing"
    assert trained.model.categorize("Hei, laskussani on virhe ja haluaisin rahani takaisin").label is None
    assert not trained.learner.servable
    with pytest.raises(BundleError, match="as the teacher"):
        trained.model.to_arrays()
    assert trained.with_policy(trained.policy).model.policy.classes == trained.classes
    mixed = made("averaged", encoder)
    assert not mixed.learner.servable
    assert len(mixed.model.probas([])) == 0


def test_a_workbench_model_is_saved_with_its_evidence(encoder: str, tmp_path: Path) -> None:
    """Read back it can be evaluated by its out-of-fold predictions, and says that it scores no new text."""
    part = tickets(120)
    frame, store = frame_of(part), store_of(tmp_path, part)
    trained = train(frame, store, model="embedding", encoder=encoder)
    again = saved.load(saved.save(trained, tmp_path / "model"), frame)
    assert np.array_equal(again.probabilities, trained.probabilities)
    assert again.model.id == trained.model.id
    with pytest.raises(BundleError, match="scores no new text"):
        again.model.probas(["hello"])


@pytest.mark.parametrize("model", SERVED)
def test_a_served_model_comes_back_from_its_folder(model: str, tmp_path: Path) -> None:
    """Saved and loaded it is the same model, with the same evidence."""
    part = tickets(120)
    frame, store = frame_of(part), store_of(tmp_path, part)
    trained = train(frame, store, model=model)
    again = saved.load(saved.save(trained, tmp_path / "model"), frame)
    assert again.model.id == trained.model.id
    assert again.made_by == model
    fold = trained.folds[0]
    one, other = (m.refit(fold.train).scores(m.corpus, fold.test) for m in (again, trained))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"model": "forest"}, "there is no model 'forest'"),
        ({"teacher": "parrot"}, "there is no teacher 'parrot'"),
        ({"model": "embedding"}, "needs a sentence encoder"),
        ({"teacher": "embedding"}, "needs a sentence encoder"),
    ],
)
def test_a_model_that_does_not_exist_is_refused_with_those_that_do(told: dict[str, str], says: str) -> None:
    """Misspelt names and a missing encoder are said at once, before any training."""
    with pytest.raises(InputError, match=says):
        Settings(**told)  # type: ignore[arg-type]


def test_a_class_that_a_fold_never_saw_never_looks_likely() -> None:
    """Scores of two classes are laid into three columns, the missing one far below."""
    trained = made("linear")
    rows = np.flatnonzero(trained.truth != 2)
    lesson = Lesson(rows, [trained.classes[k] for k in trained.truth[rows]])
    fitted = learner_of(trained.settings).fit(trained.corpus, lesson)
    scores = aligned(fitted, trained.corpus, rows, trained.classes)
    assert scores.shape == (len(rows), 3)
    assert (scores[:, 2] <= scores[:, :2].min(axis=1) - 10).all()
