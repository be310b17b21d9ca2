"""Evaluation: honest rows, honest comparisons, every table there and safe to show."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mailml.classifier import Policy
from mailml.errors import InputError, LabelError, NotEnoughData
from mailml.lab.evaluate import ARGMAX, DECIDED, Report, evaluate
from mailml.lab.labels import Labels
from mailml.lab.train import Trained, train
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import frame_of, judged, store_of, trained


@pytest.fixture(scope="module")
def report() -> Report:
    """The out-of-fold evaluation of the model trained on made-up tickets."""
    return judged()


def lines(report: Report) -> dict[str, float]:
    """Cost by name of line."""
    return {line.name: line.cost.value for line in report.comparison}


def test_the_comparison_holds_what_a_model_must_beat(report: Report) -> None:
    """Least cost, argmax, all to general, a keyword list and the shuffled control, on the same messages."""
    costs = lines(report)
    assert set(costs) == {DECIDED, ARGMAX, "all to general", "keyword list", "shuffled labels (control)"}
    assert costs[DECIDED] < costs["keyword list"] < costs["all to general"]
    assert costs[DECIDED] <= costs[ARGMAX] + 0.02


def test_the_shuffled_control_learns_nothing(report: Report) -> None:
    """On shuffled labels the decided cost is that of the best single queue, not below it."""
    costs = lines(report)
    assert costs["shuffled labels (control)"] >= 0.95 * costs["all to general"]


def test_all_to_general_costs_what_it_must(report: Report) -> None:
    """One hand-over for each message that is not general."""
    special = sum(label != "general" for label in report.examples.labels) / 240
    assert lines(report)["all to general"] == pytest.approx(special, abs=1e-6)


def test_decided_answers_are_the_served_models_rule(report: Report) -> None:
    """The report's actions and `Policy.choose` on the same probabilities are one rule."""
    for row in range(0, 240, 7):
        p = np.round(report.probabilities[row], 6).tolist()
        label = report.policy.choose(p, float(report.known[row])).label
        if report.known[row] >= report.min_known:
            assert report.policy.actions[report.said[row]] == (label or "general")


def test_figures_are_plausible_and_together(report: Report) -> None:
    """Accuracy, F1, calibration and coverage of a good model on easy mail with 5 % wrong labels."""
    assert 0.85 < report.accuracy.value < 0.98
    assert report.accuracy.low < report.accuracy.value < report.accuracy.high
    assert report.ece < 0.08
    assert 0.9 < report.coverage.value <= 1
    assert 0 < report.log_loss < 0.6


def test_tables_have_one_row_per_class(report: Report) -> None:
    """Frames for those who want to work on."""
    frame = report.to_frame()
    assert list(frame.index) == ["billing", "general", "technical"]
    assert {"precision", "precision_low", "recall_high", "f1", "support", "said"} <= set(frame.columns)
    assert frame["support"].sum() == 240
    confusion = report.confusion()
    assert confusion.to_numpy().sum() == 240
    assert list(confusion.columns) == ["billing", "general", "technical"]
    assert report.reliability()["messages"].sum() == 240
    assert report.comparison_frame().loc[DECIDED, "accuracy"] == report.accuracy.value
    assert len(report.coverage_curve()) == 20


@pytest.mark.parametrize("what", ["language", "month", "length", "sender_domain"])
def test_slices_add_up(report: Report, what: str) -> None:
    """Every message is in exactly one part."""
    frame = report.by(what)
    assert frame["messages"].sum() == 240
    assert frame["accuracy"].between(0, 1).all()
    assert frame.index.name == what


def test_a_slice_nobody_knows_is_refused(report: Report) -> None:
    """The error lists the slices there are."""
    with pytest.raises(InputError, match="language, month, length, sender_domain"):
        report.by("moon")


def test_figures_as_json_are_complete_and_plain(report: Report) -> None:
    """card.json holds every figure, no NaN, and no text, address or domain of a customer."""
    text = json.dumps(report.to_dict(), allow_nan=False)
    assert json.loads(text)["overall"]["accuracy"]["value"] == round(report.accuracy.value, 6)
    assert json.loads(text)["verdict"].startswith("enough data")
    for trace in ("Quackenbush", "customer1.example", "person1@", "planner"):
        assert trace not in text


def test_training_messages_in_a_frame_are_judged_out_of_fold(tmp_path: Path) -> None:
    """Asking for the training mail again does not flatter: the same probabilities come back."""
    made = tickets(240)
    frame, store = frame_of(made), store_of(tmp_path, made)
    model = train(frame, store)
    again = evaluate(model, frame, store)
    assert np.array_equal(again.probabilities, model.probabilities)
    assert f"{len(frame)} of them by out-of-fold prediction" in again.how
    naive = model.model.probas(list(frame["text"]))
    assert again.log_loss > -np.log(naive[np.arange(len(frame)), model.truth]).mean()


def test_fresh_mail_is_judged_by_the_model_itself(tmp_path: Path) -> None:
    """On mail it never saw, a bundle and a trained model have the same figures."""
    fresh = tickets(100, seed=50)
    frame, store = frame_of(fresh), store_of(tmp_path, fresh)
    bundle = SimpleNamespace(model=trained().model)
    one = evaluate(trained(), frame, store)
    other = evaluate(bundle, frame, store)  # type: ignore[arg-type]
    assert one.accuracy == other.accuracy
    assert one.accuracy.value > 0.8
    assert "whether any was trained on is not known" in other.how


def test_labels_the_model_cannot_say_are_noted(tmp_path: Path) -> None:
    """A category that came later is left out with a note; nothing left is a refusal."""
    fresh = tickets(60, seed=51)
    sales = ["sales" if i < 6 else label for i, label in enumerate(fresh.labels)]
    later = replace(fresh, labels=sales)
    frame, store = frame_of(later), store_of(tmp_path, later)
    judged = evaluate(trained(), frame, store)
    assert any("labelled sales were left out" in note for note in judged.notes)
    (tmp_path / "all").mkdir()
    nothing = store_of(tmp_path / "all", replace(fresh, labels=["sales"] * 60))
    with pytest.raises(NotEnoughData, match="It says billing, general, technical"):
        evaluate(trained(), frame, nothing)


def test_a_bundle_needs_messages_and_a_classifier(tmp_path: Path) -> None:
    """What cannot be judged says why."""
    with pytest.raises(InputError, match="Pass a frame and labels"):
        evaluate(trained().model)
    with pytest.raises(InputError, match="no classifier"):
        evaluate(SimpleNamespace(model=None), frame_of(tickets(10)), {})  # type: ignore[arg-type]
    with pytest.raises(LabelError):
        evaluate(trained(), frame_of(tickets(10)), {"0" * 64: "billing"})
    with pytest.raises(NotEnoughData):
        evaluate(trained(), frame_of(tickets(10)), Labels(tmp_path / "none.jsonl"))


def test_a_withheld_model_is_judged_as_if_it_spoke() -> None:
    """The figures show what it would do; the verdict says that it does not."""
    made, labels = tickets(200), tickets(200).labels
    random.Random(3).shuffle(labels)
    nothing = evaluate(train(made.texts, labels), control=False)
    assert nothing.policy.withheld == ""
    assert nothing.enough is not None
    assert not nothing.enough.yes
    assert "not enough data" in nothing.to_dict()["verdict"]


def test_argmax_can_be_dearer_than_no_model() -> None:
    """With dear mistakes the table shows it, and least cost is never dearer than all to general."""
    made, labels = tickets(200, noise=0.6), tickets(200, noise=0.6).labels
    costs = {
        truth: {a: 4.0 for a in ("billing", "technical") if a != truth}
        for truth in ("billing", "general", "technical")
    }
    some = evaluate(
        train(made.texts, labels, senders=made.senders, costs=costs, withhold=False), control=False
    )
    found = lines(some)
    assert found[ARGMAX] > found["all to general"]
    assert found[DECIDED] <= found["all to general"] * 1.03


def test_costs_and_thresholds_are_those_of_the_policy() -> None:
    """The report decides as the model will."""
    made = trained().with_policy(Policy(trained().classes, thresholds={"billing": 1.01}))
    shown = evaluate(made, control=False)
    assert shown.to_frame().loc["billing", "said"] == 0


def test_splits_by_name() -> None:
    """By time it is tested on what began later; at random it says that it flatters, and what leaked."""
    grouped = evaluate(trained(), control=False)
    assert grouped.leakage is not None
    assert grouped.leakage.leaking == 0
    later = evaluate(trained(), by="time", control=False)
    assert "by time" in later.how
    assert 5 < len(later.examples) < len(trained().examples)
    lucky = evaluate(trained(), by="random")
    assert "flatters" in lucky.how
    assert lucky.leakage is not None
    assert lucky.leakage.leaking > 0
    assert "flatters" in lucky._repr_html_()
    assert lucky.to_dict()["leakage"]["leaking"] == lucky.leakage.leaking
    with pytest.raises(InputError, match="grouped, time, random"):
        evaluate(trained(), by="luck")
    with pytest.raises(InputError, match="not split"):
        evaluate(trained(), frame_of(tickets(10)), {}, by="random")


def test_a_bundle_is_not_judged_on_its_training_time(tmp_path: Path) -> None:
    """Mail of the time that a bundle was trained on is left out; where nothing else is there, it is told."""
    made = tickets(240, seed=51)
    frame, store = frame_of(made), store_of(tmp_path, made)
    first, last = min(made.times), max(made.times)

    def bundle(until: object) -> SimpleNamespace:
        training = {"from": first.isoformat(), "to": until.isoformat()}  # type: ignore[attr-defined]
        return SimpleNamespace(model=trained().model, manifest={"training": training})

    half = evaluate(bundle(sorted(made.times)[80]), frame, store)  # type: ignore[arg-type]
    assert 100 <= len(half.examples) < len(frame)
    assert any("were left out" in note for note in half.notes)
    whole = evaluate(bundle(last), frame, store)  # type: ignore[arg-type]
    assert any("flatter" in note for note in whole.notes)


def test_few_messages_are_not_certain(report: Report) -> None:
    """A part of one message, right or wrong, has a wide interval."""
    table = report.by("sender_domain")
    for _, row in table[table["messages"] <= 2].iterrows():
        assert row["accuracy_high"] - row["accuracy_low"] > 0.5
    lone = evaluate(replace_times(trained()), control=False).by("month")
    assert (lone["accuracy_high"] - lone["accuracy_low"] > 0.05).all()


def replace_times(made: Trained) -> Trained:
    """The same with the first message alone in its month."""
    times = [datetime(2001, 1, 1, tzinfo=UTC), *list(made.examples.times)[1:]]
    return replace(made, examples=replace(made.examples, times=times))
