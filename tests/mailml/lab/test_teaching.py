"""Teacher and student: unlabelled mail helps where it helps, is left out where not, and leaks nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mailml.lab import teaching
from mailml.lab.calibration import Calibration
from mailml.lab.models import learner_of
from mailml.lab.models.learner import Lesson
from mailml.lab.models.student import StudentLearner
from mailml.lab.settings import Settings
from mailml.lab.teaching import against, cheaper
from mailml.lab.train import Trained, out_of_fold, train
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.tiny_encoder import tiny_encoder
from tests.mailml.lab.trained import frame_of, store_of


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Forty labels, six hundred messages without one, and a teacher that knows what words mean."""
    few, rest = tickets(42, seed=5), tickets(600, seed=6)
    encoder = tiny_encoder(tmp_path_factory.mktemp("encoder"))
    return train(
        few.texts, few.labels, senders=few.senders, unlabelled=rest.texts, teacher="embedding",
        encoder=str(encoder),
    )  # fmt: skip


def test_a_good_teacher_is_taken_and_said_so(taught: Trained) -> None:
    """The student is served, named, and better than the plain model on fresh mail."""
    few, fresh = tickets(42, seed=5), tickets(300, seed=8, noise=0)
    plain = train(few.texts, few.labels, senders=few.senders)
    truth = np.array([taught.classes.index(label) for label in fresh.labels])
    right = [float((m.model.probas(fresh.texts).argmax(axis=1) == truth).mean()) for m in (plain, taught)]
    assert taught.made_by == "linear, taught by embedding"
    assert right[1] > right[0] + 0.02
    assert "saves" in taught.examples.notes[-1]
    assert taught.gap <= 1e-6
    assert taught.parameters["encoder"] not in ("", taught.settings.encoder)  # its name, not a path


def test_a_teacher_that_only_guesses_is_not_taken() -> None:
    """Labels that mean nothing teach nothing: the plain model stays, and the note says so."""
    few, rest = tickets(60, seed=5), tickets(300, seed=6)
    labels = list(few.labels)
    random.Random(3).shuffle(labels)
    made = train(few.texts, labels, senders=few.senders, unlabelled=rest.texts, teacher="self")
    assert made.made_by == "linear"
    assert "was not taken" in made.examples.notes[-1]


def test_what_costs_more_on_held_out_topics_is_not_taken() -> None:
    """Cheaper on known topics is not enough: the archive taught it to be sure of what is in no archive."""
    plain = train(*_plain(90))
    assert plain.strange is not None
    known = plain.strange[1]
    sure = np.eye(3)[plain.truth] * 0.9 + 0.05
    better = replace(plain, probabilities=sure, known=np.ones(90))
    saved = cheaper(better, replace(plain, probabilities=np.roll(sure, 1, axis=1)))
    assert saved.low > 0
    assert against(saved, better, plain) == ""
    wrong = 9.0 * np.eye(3)[(plain.truth + 1) % 3]
    strange = replace(better, strange=(wrong, np.ones_like(known)))
    assert "on topics that were held out it costs" in against(saved, strange, plain)
    assert against(saved, replace(better, strange=None), plain) == ""
    assert against(replace(saved, value=0.0), better, plain) == "too little to be sure"


def test_too_little_mail_without_labels_is_said() -> None:
    """Ten messages teach nothing; the plain model is made."""
    few = tickets(60, seed=5)
    made = train(few.texts, few.labels, unlabelled=tickets(10, seed=6).texts, teacher="self")
    assert made.made_by == "linear"
    assert "too little mail without a label to teach with (10 messages)" in made.examples.notes[-1]


def test_unlabelled_mail_of_a_held_out_group_is_kept_from_the_learner() -> None:
    """A copy of a test message without its label must not be looked at while that message is predicted."""
    few = tickets(60, seed=5)
    made = train(few.texts, few.labels, unlabelled=few.texts + tickets(60, seed=6).texts, teacher="self")
    corpus, seen = made.corpus, list[tuple[Any, Any]]()

    class Watching:
        """A learner that notes what it is given."""

        name, servable = "watching", True

        def __init__(self) -> None:
            self.inner = learner_of(made.settings)

        def fit(self, corpus: Any, lesson: Lesson) -> Any:
            seen.append((lesson.rows, lesson.beside))
            return self.inner.fit(corpus, lesson)

    out_of_fold(Watching(), corpus, made.folds, made.truth, made.classes)  # type: ignore[arg-type]
    assert len(seen) == len(made.folds)
    for fold, (rows, beside) in zip(made.folds, seen, strict=True):
        held = set(corpus.groups[fold.test].tolist())
        assert not held & set(corpus.groups[beside].tolist())
        assert not held & set(corpus.groups[rows].tolist())
        assert len(beside) < len(corpus.beside)


def test_a_student_without_mail_beside_is_the_plain_learner() -> None:
    """No unlabelled rows: the same weights."""
    made = train(*_plain(90))
    calm = Calibration(1.0, (0.0, 0.0, 0.0))
    student = StudentLearner(made.learner, made.learner, calm, made.classes)
    rows = np.arange(len(made.truth))
    lesson = Lesson(rows, made.examples.labels, beside=made.corpus.beside)
    one, other = student.fit(made.corpus, lesson), made.learner.fit(made.corpus, lesson)
    assert np.array_equal(one.scores(made.corpus, rows), other.scores(made.corpus, rows))


def test_of_a_frame_what_nobody_labelled_is_used(tmp_path: Path) -> None:
    """Labelled mail, our own mail, machines' mail and mail without text are left out; the rest is capped."""
    part = tickets(200)
    frame, store = frame_of(part), store_of(tmp_path, part)
    labels = {sha: said.label for sha, said in list(store.latest().items())[:80]}
    frame["sent"] = [i % 10 == 0 for i in range(len(frame))]
    frame["kind"] = ["auto_reply" if i % 10 == 1 else "human" for i in range(len(frame))]
    frame.loc[frame.index[-1], "text"] = "  "
    found = teaching.without_label(frame, labels, Settings(unlabelled=50))
    assert len(found) == 50
    assert not set(found.messages) & set(labels)
    left = frame[~frame["sha256"].isin(list(labels))]
    allowed = set(left[(~left["sent"]) & (left["kind"] == "human")]["sha256"])
    assert set(found.messages) <= allowed
    assert found.messages == teaching.without_label(frame, labels, Settings(unlabelled=50)).messages
    everything = dict.fromkeys(frame["sha256"], "billing")
    assert len(teaching.without_label(frame, everything, Settings())) == 0


def _plain(n: int) -> tuple[list[str], list[str]]:
    part = tickets(n)
    return part.texts, part.labels
