"""Training: judged on groups it never saw, proven equal to what is exported, or a clear refusal."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import LinearSVC

from mailml.classifier import Policy
from mailml.errors import BundleError, LabelError, NotEnoughData
from mailml.lab.labels import Labels
from mailml.lab.models import linear
from mailml.lab.train import train
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import frame_of, store_of, trained


def test_learns_and_says_so_honestly() -> None:
    """Well above chance on groups it never saw, enough data, and probabilities for every row."""
    made = trained()
    right = (made.probabilities.argmax(axis=1) == made.truth).mean()
    assert 0.85 < right <= 0.97  # a twentieth of the labels is wrong
    assert made.enough.yes
    assert made.probabilities.shape == (240, 3)
    assert made.probabilities.sum(axis=1) == pytest.approx(1)


def test_no_row_is_predicted_by_a_model_that_saw_its_group() -> None:
    """Every row is in exactly one test fold, without relatives in its training."""
    made = trained()
    tested = np.concatenate([fold.test for fold in made.folds])
    assert sorted(tested.tolist()) == list(range(240))
    for fold in made.folds:
        assert not set(made.groups[fold.train]) & set(made.groups[fold.test])
    by_sender: dict[str, set[int]] = {}
    for sender, group in zip(made.examples.senders, made.groups, strict=True):
        by_sender.setdefault(sender, set()).add(int(group))
    assert all(len(groups) == 1 for groups in by_sender.values())


def test_the_exported_arrays_are_the_estimator() -> None:
    """The served model's probabilities are the trained estimator's to 1e-6, on mail it never saw as well."""
    made, fresh = trained(), tickets(50, seed=99).texts
    assert made.gap <= 1e-6
    word, char = made.blocks
    terms = [list(b.terms) for b in made.model.blocks]
    assert set(terms[0]) <= set(word.terms)
    assert set(terms[1]) <= set(char.terms)
    union = FeatureUnion(
        [
            ("word", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, vocabulary=terms[0])),
            (
                "char",
                TfidfVectorizer(
                    analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, vocabulary=terms[1]
                ),
            ),
        ]
    )
    layer = LinearSVC(C=0.5, class_weight="balanced", random_state=7)
    pipe = make_pipeline(union, layer).fit(made.examples.texts, made.examples.labels)
    scores = pipe.decision_function(fresh)
    assert np.abs(made.model.probas(fresh) - made.calibration.proba(scores)).max() < 1e-4


def test_arrays_that_differ_are_never_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: a fault in the copying of weights is caught before anything is returned."""
    original = linear.assemble

    def crooked(*args: object) -> object:
        made = original(*args)  # type: ignore[arg-type]
        return replace(made, intercept=made.intercept + np.array([0.01, 0, 0]))

    monkeypatch.setattr(linear, "assemble", crooked)
    with pytest.raises(BundleError, match="differ from the trained estimator"):
        train(*_plain(tickets(60)))


def test_training_twice_gives_the_same_model() -> None:
    """No hidden randomness: the same data is the same id."""
    made = tickets(90)
    assert train(*_plain(made)).model.id == train(*_plain(made)).model.id


def test_two_classes_work_as_well() -> None:
    """The single row of scores of a binary estimator becomes two, and still equals it."""
    made = tickets(150)
    rows = [i for i, label in enumerate(made.labels) if label != "general"]
    two = train([made.texts[i] for i in rows], [made.labels[i] for i in rows])
    assert two.classes == ("billing", "technical")
    assert two.gap <= 1e-6
    assert two.policy.actions == ("billing", "technical", "general")
    assert two.model.categorize("I was charged twice, please refund the invoice").label == "billing"


def test_labels_that_mean_nothing_are_not_enough_data() -> None:
    """Random labels: the verdict says so, and the model abstains with the verdict's words."""
    made, labels = tickets(240), tickets(240).labels
    random.Random(1).shuffle(labels)
    nothing = train(made.texts, labels, senders=made.senders)
    assert not nothing.enough.yes
    category = nothing.model.categorize(made.texts[0])
    assert category.abstained
    assert category.reason.startswith("not enough data")
    forced = train(made.texts, labels, senders=made.senders, withhold=False)
    assert forced.policy.withheld == ""


def test_a_language_it_never_saw_abstains() -> None:
    """Finnish, Hungarian, Japanese and Russian mail to a model of English."""
    model = trained().model
    for text in (
        "Hei, laskussani on virhe ja haluaisin saada rahani takaisin mahdollisimman pian",
        "Jó napot, nem tudok bejelentkezni a fiókomba a frissítés óta",
        "請求書の金額が間違っています。確認してください。",
        "Здравствуйте, в счёте ошибка, верните деньги",
    ):
        assert "never seen" in model.categorize(text).reason, text
    assert model.categorize(tickets(5, seed=77).texts[0]).label


def test_no_customer_of_one_sender_reaches_the_vocabulary() -> None:
    """Names, addresses and numbers that one sender wrote are in no n-gram of the model."""
    made = tickets(240)
    assert sum("Quackenbush" in text for text in made.texts) >= 2
    terms = [term for block in trained().model.blocks for term in block.terms]
    for trace in ("quack", "bart", "bush", "@", "4711", "0815", "barth"):
        assert not [term for term in terms if trace in term], trace


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([], "no labelled messages"),
        (["billing"] * 12, "all 12 labels say 'billing'"),
        (["billing"] * 20 + ["technical"] * 3, "'technical' has 3; each category needs at least 5"),
    ],
)
def test_too_few_labels_are_refused_by_name(labels: list[str], says: str) -> None:
    """No labels, one class, three examples of a class."""
    texts = [f"text number {chr(97 + i)} about something" for i in range(len(labels))]
    with pytest.raises(NotEnoughData, match=says):
        train(texts, labels)


def test_all_mail_in_one_thread_is_refused() -> None:
    """One conversation proves nothing, however many mails it has."""
    made = tickets(60)
    with pytest.raises(NotEnoughData, match="belong together"):
        train(made.texts, made.labels, threads=["T1"] * 60)


def test_columns_of_different_lengths_are_refused() -> None:
    """A forgotten label is not silently shifted."""
    with pytest.raises(LabelError, match="there are 3 texts and 2 labels"):
        train(["a", "b", "c"], ["x", "y"])


def test_odd_texts_among_the_labelled_do_no_harm() -> None:
    """Emoji, mixed scripts, a ten-megabyte body and single letters train without a murmur."""
    made = tickets(80)
    odd = ["😀😀😀", "日本語 und Deutsch мы", "x", "the invoice is wrong " * 500_000, "\x00\x00", "\u202egnp"]
    more = train([*made.texts, *odd], [*made.labels, *["billing"] * len(odd)])
    assert len(more.examples) == 86
    assert more.gap <= 1e-6


def test_texts_without_a_single_word_are_an_answer_too() -> None:
    """A model of nothing but symbols is trained, knows nothing, and is withheld."""
    nothing = train([f"{'!' * n}" for n in range(1, 21)], ["a", "b"] * 10)
    assert not nothing.enough.yes
    assert nothing.model.categorize("!!!").abstained


def test_a_frame_and_a_store_are_the_same_as_lists(tmp_path: Path) -> None:
    """The convenience on top brings the same rows together."""
    made = tickets(120)
    frame, store = frame_of(made), store_of(tmp_path, made)
    from_frame = train(frame, store)
    plain = train(list(frame["text"]), [made.labels[i] for i in frame.index], threads=list(frame["thread"]),
                  senders=list(frame["from_addr"]), times=[made.times[i] for i in frame.index])  # fmt: skip
    assert from_frame.model.id == plain.model.id
    assert from_frame.examples.hash == plain.examples.hash
    assert from_frame.examples.times[0] == datetime(2026, 1, 1, 9, tzinfo=UTC)


def test_labels_for_messages_that_are_gone_are_noted(tmp_path: Path) -> None:
    """Some gone: a note with how many. All gone, or no labels at all: a refusal."""
    made = tickets(120)
    frame, store = frame_of(made), store_of(tmp_path, made)
    part = train(frame.iloc[:100], store)
    assert part.examples.notes == (f"{len(frame) - 100} labels are for messages that are not in the frame.",)
    with pytest.raises(LabelError, match="none of the"):
        train(frame.iloc[:0], store)
    with pytest.raises(NotEnoughData, match="there are no labels"):
        train(frame, Labels(tmp_path / "none.jsonl"))
    with pytest.raises(LabelError, match="no column `sha256`"):
        train(pd.DataFrame({"x": [1]}), store)


def test_messages_without_text_are_left_out_and_noted(tmp_path: Path) -> None:
    """Attachments only: nothing to learn from, and said so."""
    made = tickets(120)
    frame, store = frame_of(made), store_of(tmp_path, made)
    frame.loc[frame.index[:4], "text"] = ["", " ", "\n", None]
    part = train(frame, store)
    assert "4 labelled messages have no text and were left out." in part.examples.notes


def test_nobody_trains_the_model_by_sending_mail() -> None:
    """Of one sender at most fifty messages of a class count."""
    made = tickets(150)
    flood = [f"buy {chr(97 + n % 26)}{chr(97 + n // 26)} pills at the {n % 7} shop" for n in range(200)]
    some = train(
        [*made.texts, *flood],
        [*made.labels, *["billing"] * 200],
        senders=[*made.senders, *["spam@x.example"] * 200],
    )
    assert some.examples.senders.count("spam@x.example") == 50  # type: ignore[attr-defined]
    assert (
        "150 messages were left out of training: at most 50 of one sender and class count."
        in some.examples.notes
    )


def test_a_desk_behind_a_web_form_learns_as_well() -> None:
    """All mail from one robot's address: groups stand in for senders, and the cap can be raised."""
    made = tickets(200)
    form = train(made.texts, made.labels, senders=["form@us.example"] * 200, per_sender=1000)
    assert len(form.examples) == 200
    assert form.enough.yes
    assert len(form.model.blocks[0].terms) > 100


def test_another_policy_needs_no_training() -> None:
    """Costs change the decisions and the verdict, not the probabilities."""
    made = trained()
    dear = made.with_policy(
        Policy(made.classes, costs={c: {"billing": 500.0} for c in ("general", "technical")})
    )
    assert np.array_equal(dear.probabilities, made.probabilities)
    text = "the invoice for the planner shows the wrong amount"
    assert made.model.categorize(text).label == "billing"
    assert dear.model.categorize(text).abstained
    assert dear.model.id != made.model.id


def test_nothing_printed_holds_customers_text() -> None:
    """repr of what training returns is figures and names of classes."""
    made = trained()
    shown = repr(made) + repr(made.examples) + repr(made.blocks[0].name) + repr(made.model.blocks)
    assert "out-of-fold accuracy" in shown
    assert "Quackenbush" not in shown
    assert "person" not in shown


def _plain(made: object) -> tuple[list[str], list[str]]:
    return made.texts, made.labels  # type: ignore[attr-defined]


def test_mail_from_a_day_on_can_be_held_out() -> None:
    """`until` leaves later mail untouched, says so, and never guesses at a time zone."""
    made, day = tickets(240), datetime(2026, 2, 20, tzinfo=UTC)
    early = train(made.texts, made.labels, senders=made.senders, times=made.times, until=day)
    assert max(time for time in early.examples.times if time) < day
    late = sum(time >= day for time in made.times)
    assert len(early.examples) == 240 - late
    assert early.examples.notes[-1].startswith(f"{late} labelled messages from 2026-02-20 on")
    with pytest.raises(LabelError, match="no time zone"):
        train(made.texts, made.labels, times=made.times, until=datetime(2026, 2, 20))
    with pytest.raises(NotEnoughData):
        train(made.texts, made.labels, times=made.times, until=datetime(2025, 2, 20, tzinfo=UTC))
