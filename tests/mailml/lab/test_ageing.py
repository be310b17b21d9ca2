"""The simulation of a history: paired over seeds, priorities that age, misroutes that wait twice."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.cli import app
from mailml.errors import ConfigError, InputError, NotEnoughData
from mailml.lab.ageing import Ageing, ageing, ageing_of
from mailml.lab.comparison import Comparison, compare
from mailml.lab.resampling import Interval
from mailml.lab.simulated import minutes, over_seeds, percent
from tests.mailml.lab.conftest import BERLIN

History = Callable[..., pd.DataFrame]
EACH = {"Billing": 1, "Tech Support": 1, "General Support": 1}
NINE = pd.Timestamp("2026-03-05 08:00")  # Thursday, nine o'clock in Berlin


def comparison(history: History, rows: list[dict[str, Any]], **after: Any) -> Comparison:
    """A back-test over made-up rows, in which the candidate changes some columns."""
    before = history(*({"thread": f"T{n}", **row} for n, row in enumerate(rows)))
    return compare(before.assign(**after), before)


def at(minute: float) -> str:
    """A minute after nine o'clock, as histories are written."""
    return str(NINE + timedelta(minutes=minute))


@pytest.fixture(scope="module")
def sample(mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle) -> Ageing:
    """Rules by words against everything to one queue, where people are few."""
    queues = {*word_bundle.flow.queues(), *plain_bundle.flow.queues()}
    return ageing(word_bundle, plain_bundle, mailbox, dict.fromkeys(queues, 1), seeds=6, handling=150)


def test_better_routing_waits_less(sample: Ageing) -> None:
    """Mail that goes where it belongs at once waits less than mail that passes the general queue."""
    whole = sample.by_queue().set_index("queue").loc["all queues"]
    assert whole["wait_change"].high < 0
    assert whole["wait_after"].value < whole["wait_before"].value
    assert whole["messages_before"] == whole["messages_after"]


def test_queues_add_up(sample: Ageing) -> None:
    """Messages and broken promises of the queues are those of all."""
    table = sample.by_queue().set_index("queue")
    parts, whole = table.drop("all queues"), table.loc["all queues"]
    assert parts["messages_after"].sum() == whole["messages_after"]
    late = sum(value.value for value in parts["breaches_after"] if math.isfinite(value.value))
    assert late == pytest.approx(whole["breaches_after"].value)


def test_the_same_seeds_are_the_same_figures(
    sample: Ageing, mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle
) -> None:
    """Nothing depends on anything but seeds and history."""
    again = ageing(word_bundle, plain_bundle, mailbox, sample.staffing, seeds=6)
    assert again.to_dict() == sample.to_dict()


def test_a_bundle_against_itself_changes_nothing(mailbox: Archive, word_bundle: Bundle) -> None:
    """Paired seed by seed, the change is exactly nothing, its interval too."""
    table = ageing(word_bundle, word_bundle, mailbox, seeds=3).by_queue()
    for name in ("wait", "breach_rate", "breaches"):
        known = [change for change in table[f"{name}_change"] if math.isfinite(change.value)]
        assert known
        assert all((change.value, change.low, change.high) == (0.0, 0.0, 0.0) for change in known)


def test_without_people_the_baseline_gets_enough(mailbox: Archive, word_bundle: Bundle) -> None:
    """Nobody said who is there: the note says what was supposed, and nobody is busier than 80 %."""
    made = ageing(word_bundle, word_bundle, mailbox, seeds=2)
    assert "Nobody said who is there" in made.note
    assert (made.occupied()["before"] < 0.85).all()


def test_a_misroute_waits_for_both_queues(history: History) -> None:
    """Sent wrong first: looked at for the hand-over's minutes, then answered where it belongs."""
    rows = [{"at": at(0), "queue": "Billing", "final_queue": "Billing"}]
    test = comparison(history, rows, queue="Tech Support")
    staffing = {"team": [{"name": q, "queues": [q], "staff": 1} for q in EACH], "handover": 4, "spread": 0}
    made = ageing_of(test, BERLIN, staffing, seeds=2).by_queue().set_index("queue").loc["Billing"]
    assert made["wait_before"].value == pytest.approx(0.0)
    assert made["wait_after"].value == pytest.approx(4.0)


def test_priority_is_waited_in_minutes(history: History) -> None:
    """Ten minutes of priority pass mail that came nine minutes before."""
    rows = [
        {"at": at(0), "queue": "Billing"},
        {"at": at(11), "queue": "Billing"},
        {"at": at(20), "queue": "Billing"},
    ]
    test = comparison(history, rows, priority=[0, 0, 10])
    staffing = {"team": [{"name": "B", "queues": ["Billing"], "staff": 1}], "handling": 60, "spread": 0}
    made = ageing_of(test, BERLIN, staffing, seeds=2)
    row = made.by_queue().set_index("queue").loc["Billing"]
    # who goes second changes places; the mean wait of equal works does not
    assert row["wait_change"].value == pytest.approx(0.0)
    assert row["p90_change"].value != 0.0


def test_only_open_time_is_waited_and_the_end_of_patience_is_late(history: History) -> None:
    """Mail of Friday evening waits no open minute until Monday morning; without people it waits for ever."""
    rows = [{"at": "2026-03-06 18:00", "queue": "Billing"}]
    test = comparison(history, rows)
    staffed = ageing_of(test, BERLIN, {"Billing": 1}, seeds=2, handling=5).by_queue().iloc[0]
    assert staffed["wait_after"].value == pytest.approx(0.0)
    assert staffed["breaches_after"].value == 0.0
    empty = ageing_of(test, BERLIN, {"Billing": 0}, seeds=2)
    assert empty.runs["unanswered"].tolist() == [1] * 4
    assert empty.by_queue().iloc[0]["breaches_after"].value == 1.0
    assert "–" in str(empty)


def test_a_reply_goes_to_who_has_the_conversation(history: History) -> None:
    """What follows in a conversation is answered where its first message belonged."""
    rows = [
        {"at": at(0), "thread": "A", "queue": "Tech Support", "final_queue": "Billing"},
        {"at": at(600), "thread": "A", "opens": False, "queue": "Tech Support"},
    ]
    made = ageing_of(comparison(history, rows), BERLIN, EACH, seeds=2).runs
    assert set(made["queue"]) == {"Billing"}
    assert set(made["messages"]) == {2}


def test_bad_input_is_explained(history: History, mailbox: Archive, word_bundle: Bundle) -> None:
    """A queue nobody serves, a queue nobody has, too few seeds, nothing to simulate."""
    test = comparison(history, [{"at": at(0), "queue": "Billing"}])
    with pytest.raises(InputError, match="nobody serves"):
        ageing(word_bundle, word_bundle, mailbox, {"Billing": 1}, seeds=2)
    with pytest.raises(ConfigError, match="Did you mean 'Billing'"):
        ageing(word_bundle, word_bundle, mailbox, {"Biling": 1})
    with pytest.raises(InputError, match="1 seeds"):
        ageing_of(test, BERLIN, {"Billing": 1}, seeds=1)
    filed = comparison(history, [{"at": at(0), "queue": "", "filed_in": "X"}])
    with pytest.raises(NotEnoughData, match="reaches a queue"):
        ageing_of(filed, BERLIN, {"Billing": 1})


def test_it_shows_and_writes_itself(sample: Ageing, tmp_path: Path) -> None:
    """The page has pictures and tables, the JSON every queue; both stand in the folder."""
    page = sample.write(tmp_path).read_text(encoding="utf-8")
    assert page.count("<img") == 2
    for word in ("Waiting time", "Broken promises", "How busy the teams are", "all queues"):
        assert word in page
    told = json.loads((tmp_path / "ageing.json").read_text(encoding="utf-8"))
    assert {row["queue"] for row in told["queues"]} >= {"all queues", "Billing"}
    assert "all queues" in str(sample)
    assert "<section" in sample._repr_html_()


def test_the_command(tmp_path: Path, mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle) -> None:
    """`mailml simulate` prints the table and writes the report; a staffing with faults ends with them."""
    flow = tmp_path / "flow.toml"
    flow.write_text((word_bundle.path / "flow.toml").read_text(encoding="utf-8"), encoding="utf-8")
    base = f"simulate --archive {mailbox.path} --bundle {plain_bundle.path} --flow {flow}".split()
    done = CliRunner().invoke(app, [*base, "--seeds", "2", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "all queues" in done.output
    assert (tmp_path / "out" / "ageing.html").exists()
    bad = tmp_path / "staffing.toml"
    bad.write_text('[[team]]\nqueues = ["Biling"]\nstaff = 1\n', encoding="utf-8")
    failed = CliRunner().invoke(app, [*base, "--staffing", str(bad)])
    assert failed.exit_code == 1
    assert isinstance(failed.exception, ConfigError)


def test_figures_are_told_with_their_intervals() -> None:
    """Unknown is a dash, nothing is never minus nothing, a share stays a share."""
    assert minutes(Interval(math.nan, math.nan, math.nan)) == "–"
    assert minutes(Interval(-0.01, -0.02, 0.01)) == "0.0 (0.0 to 0.0)"
    assert percent(Interval(0.01, -0.02, 0.04)) == "1.0% (0.0% to 4.0%)"
    assert percent(Interval(0.01, -0.02, 0.04), change=True) == "+1.0 points (-2.0 to +4.0)"
    assert over_seeds({0: 1.0, 1: 3.0}).value == 2.0
    assert math.isnan(over_seeds({0: 1.0}).low)
    assert math.isnan(over_seeds({}).value)
