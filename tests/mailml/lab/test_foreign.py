"""Languages the model never saw: it abstains and says so; its own languages are answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mailml.classifier import Model
from mailml.classifier.model import FEWEST_WORDS
from mailml.errors import BundleDamagedError
from mailml.lab.foreign import least_words
from mailml.lab.train import train
from tests.bench.text import HALVES, replies
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import trained

FOREIGN = [r for half in HALVES for r in replies(half) if not r.name.startswith("en-")]


def test_foreign_mail_is_abstained_on_and_told() -> None:
    """Mail in languages that an English model never saw gets no category, and the reason says why."""
    model = trained().model
    long = [reply for reply in FOREIGN if len(reply.own.split()) >= FEWEST_WORDS]
    assert len({reply.name.partition("-")[0] for reply in long}) > 25
    for reply in FOREIGN:
        answer = model.categorize(reply.own)
        assert answer.abstained, reply.name
        assert "never seen in training" in answer.reason


def test_its_own_language_is_answered() -> None:
    """Of fresh mail like that of training, next to nothing is taken for foreign."""
    model = trained().model
    known = np.array([model.known(text) for text in tickets(200, seed=99).texts])
    assert (known < model.min_known).mean() <= 0.02


def test_words_decide_where_pieces_are_familiar() -> None:
    """A text of familiar pieces and unknown words is foreign; a short one is judged by its pieces alone."""
    model = replace(trained().model, min_words=1.0, min_known=0.2).named()
    text = "plannering invoicering crashering updatering refundering refunder"
    assert replace(model, min_words=0.0).known(text) > 0.2
    assert model.known(text) < 0.2
    short = " ".join(text.split()[:2])
    assert model.known(short) == replace(model, min_words=0.0).known(short)


def test_the_share_of_words_is_kept_and_checked() -> None:
    """It survives the arrays of a bundle, names the model, is left out where it is 0, and is a share."""
    model = trained().model
    assert 0 < model.min_words <= 0.4
    meta, arrays = model.to_arrays()
    again = Model.from_arrays(meta, arrays)
    assert (again.min_words, again.id) == (model.min_words, model.id)
    without = replace(model, min_words=0.0).named()
    assert "min_words" not in without.to_arrays()[0]
    assert without.id != model.id
    with pytest.raises(BundleDamagedError, match="out of range"):
        Model.from_arrays({**meta, "min_words": 1.5}, arrays)


def test_too_few_long_texts_say_nothing() -> None:
    """From texts of two words no share of words can be learned: nothing is foreign by its words."""
    texts = [f"{a} {b}" for a in ("refund", "charged", "bill") for b in ("please", "now", "again", "help")]
    texts += [f"{a} {b}" for a in ("crash", "error", "broken") for b in ("please", "now", "again", "help")]
    senders = [f"s{n}@x.example" for n in range(24)]
    small = train(texts, ["billing"] * 12 + ["technical"] * 12, senders=senders, withhold=False)
    assert small.model.min_words == 0
    assert least_words(small.corpus, small.folds) == 0
