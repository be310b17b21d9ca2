"""First human response in business time, against histories computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from mailml.errors import NotEnoughData
from mailml.lab.sla_report import sla_report
from mailml.sla import Calendar

History = Callable[..., pd.DataFrame]
ANSWER = {
    "sent": True,
    "opens": False,
    "from_addr": "support@acme.example",
    "queue": "",
    "joined_by": "references",
}


def test_overnight_counts_only_open_hours(history: History, desk_bundle: Any) -> None:
    """Asked Thursday 15:00, answered Friday 10:00 in Berlin: two hours plus one, within four."""
    rows = history({"at": "2026-03-05 14:00"}, {"at": "2026-03-06 09:00", **ANSWER})
    report = sla_report(rows, desk_bundle)
    only = report.interactions.iloc[0]
    assert (only["minutes"], only["state"], bool(only["within"])) == (180.0, "answered", True)
    assert only["due_sum"] == "2 h Thu + 2 h Fri = 4 h"


def test_a_holiday_counts_nothing(history: History, desk_bundle: Any) -> None:
    """Asked before the long Easter weekend, answered on Tuesday morning: only the open hours count."""
    rows = history({"at": "2026-04-02 14:00"}, {"at": "2026-04-07 08:00", **ANSWER})
    only = sla_report(rows, desk_bundle).interactions.iloc[0]
    assert only["minutes"] == 60.0 + 60.0
    assert "Good Friday" in only["due_sum"] or "Karfreitag" in only["due_sum"]


def test_a_machine_of_ours_answers_nothing(history: History, desk_bundle: Any) -> None:
    """An acknowledgement in Sent is no answer: the clock runs until the person's mail."""
    rows = history(
        {"at": "2026-03-05 09:00"},
        {"at": "2026-03-05 09:01", **ANSWER, "automatic": True},
        {"at": "2026-03-05 11:00", **ANSWER},
    )
    assert sla_report(rows, desk_bundle).interactions.iloc[0]["minutes"] == 120.0


def test_automated_mail_opens_no_clock(history: History, desk_bundle: Any) -> None:
    """A bounce and a newsletter wait for nobody; without people there is nothing to report."""
    rows = history(
        {"at": "2026-03-05 09:00", "kind": "bounce", "queue": ""},
        {"at": "2026-03-05 09:00", "kind": "list_bulk"},
    )
    with pytest.raises(NotEnoughData, match="no person opened"):
        sla_report(rows, desk_bundle)


def test_a_late_answer_is_a_breach_with_its_sum(history: History, desk_bundle: Any) -> None:
    """Due Thursday 14:00 Berlin, answered 15:30: one and a half business hours late."""
    rows = history({"at": "2026-03-05 09:00"}, {"at": "2026-03-05 14:30", **ANSWER})
    breach = sla_report(rows, desk_bundle).breaches().iloc[0]
    assert breach["late"] == 90.0
    assert breach["due_sum"] == "4 h Thu = 4 h"


def test_waiting_is_open_until_due_and_a_breach_after(history: History, desk_bundle: Any) -> None:
    """Without an answer the end of history decides: before the due time nothing is broken yet."""
    rows = history({"at": "2026-03-05 09:00", "thread": "A"}, {"at": "2026-03-05 12:00", "thread": "B"})
    early = sla_report(rows, desk_bundle)
    assert list(early.interactions["state"]) == ["open", "open"]
    assert early.within.of == 0
    late = sla_report(rows, desk_bundle, as_of=pd.Timestamp("2026-03-09T12:00Z").to_pydatetime())
    assert list(late.interactions["state"]) == ["not answered", "not answered"]
    assert (late.within.hits, late.within.of) == (0, 2)


def test_an_earlier_answer_in_the_thread_does_not_count(history: History, desk_bundle: Any) -> None:
    """Only an answer after the mail that opened the interaction answers it."""
    rows = history({"at": "2026-03-05 08:30", **ANSWER}, {"at": "2026-03-05 09:00"})
    assert sla_report(rows, desk_bundle).interactions.iloc[0]["answered_at"] is pd.NaT


def test_the_queue_is_where_agents_left_it(history: History, desk_bundle: Any) -> None:
    """An interaction counts for the queue that resolved it, else for the flow's."""
    rows = history(
        {"at": "2026-03-05 09:00", "thread": "A", "final_queue": "Tech Support"},
        {"at": "2026-03-05 09:00", "thread": "B"},
    )
    assert list(sla_report(rows, desk_bundle).by_queue()["queue"]) == ["Billing", "Tech Support"]


def test_another_promise_is_a_what_if(history: History, desk_bundle: Any) -> None:
    """With another target the same history has other due times, and nothing else changes."""
    rows = history({"at": "2026-03-05 09:00"}, {"at": "2026-03-05 11:00", **ANSWER})
    assert sla_report(rows, desk_bundle).within.hits == 1
    strict = sla_report(rows, desk_bundle, target="1 business hour")
    assert (strict.within.hits, strict.within.of) == (0, 1)
    assert strict.breaches().iloc[0]["due_sum"] == "1 h Thu = 1 h"


def test_arrivals_stand_on_the_desks_clock(history: History, desk_bundle: Any) -> None:
    """A mail at 22:30 UTC on a summer Sunday arrived on Monday at half past midnight in Berlin."""
    counts = sla_report(history({"at": "2026-07-05 22:30"}), desk_bundle).arrivals()
    assert counts.loc[0, 0] == 1
    assert int(counts.to_numpy().sum()) == 1


def test_backlog_adds_up(history: History, desk_bundle: Any) -> None:
    """What was opened less what was answered waits, day by day."""
    rows = history(
        {"at": "2026-03-05 09:00", "thread": "A"},
        {"at": "2026-03-05 10:00", "thread": "B"},
        {"at": "2026-03-06 10:00", "thread": "A", **ANSWER},
    )
    assert list(sla_report(rows, desk_bundle).backlog()["waiting"]) == [2, 1]


def test_the_page_is_whole_and_masks_addresses(history: History, desk_bundle: Any) -> None:
    """The page names every breach, hides the address, and a hostile subject stays text."""
    hostile = "<img src=x onerror=alert(1)>"
    rows = history({"at": "2026-03-05 09:00", "subject": hostile}, {"at": "2026-03-05 14:30", **ANSWER})
    html = sla_report(rows, desk_bundle).page().html()
    assert "1 h 30" in html
    assert "anna@customer.example" not in html
    assert "a…a@customer.example" in html
    assert "&lt;img src=x" in html
    assert hostile not in html


def test_a_mail_that_only_sounds_automatic_counts_once_answered(history: History, desk_bundle: Any) -> None:
    """Row 13 judges by words alone: who was answered by a person waited for it; unanswered, it stays out."""
    mail = {"at": "2026-03-05 09:00", "kind": "auto_generated", "row": "13"}
    rows = history(mail, {"at": "2026-03-05 10:00", **ANSWER}, {**mail, "thread": "B"})
    report = sla_report(rows, desk_bundle)
    assert list(report.interactions["minutes"]) == [60.0]


def test_thanks_and_machines_restart_nothing(history: History, desk_bundle: Any) -> None:
    """After an answer only a mail of a person that says more than thanks waits for another answer."""
    again = {"opens": False, "joined_by": "references"}
    rows = history(
        {"at": "2026-03-05 09:00"},
        {"at": "2026-03-05 10:00", **ANSWER},
        {"at": "2026-03-05 10:30", **again, "thanks": True},
        {"at": "2026-03-05 10:40", **again, "kind": "auto_reply"},
        {"at": "2026-03-05 11:00", **again},
        {"at": "2026-03-05 11:30", **again},
        {"at": "2026-03-05 12:30", **ANSWER, "automatic": True},
        {"at": "2026-03-05 13:00", **ANSWER},
    )
    report = sla_report(rows.fillna({"thanks": False}), desk_bundle)
    assert list(report.interactions["minutes"]) == [60.0]
    assert list(report.later["minutes"]) == [120.0]


def test_backlog_tells_its_age(history: History, desk_bundle: Any) -> None:
    """Opened Thursday 10:00 in Berlin, open at its end: seven hours old, fifteen a day later and overdue."""
    rows = history({"at": "2026-03-05 09:00"}, {"at": "2026-03-06 22:00", "thread": "B", **ANSWER})
    days = sla_report(rows, desk_bundle).backlog()
    assert list(days["oldest_age_hours"]) == [7.0, 15.0]
    assert list(days["overdue"]) == [1, 1]


def test_what_if_keeps_the_history(history: History, desk_bundle: Any) -> None:
    """A longer promise or other hours change due times; who was answered when stays as it was."""
    rows = history({"at": "2026-03-05 09:00"}, {"at": "2026-03-06 09:00", **ANSWER})
    report = sla_report(rows, desk_bundle)
    assert report.within.hits == 0
    assert report.what_if(target="2 business days").within.hits == 1
    shut = Calendar.from_mapping({"zone": "Europe/Berlin", "week": {"fri": ["09:00-17:00"]}})
    other = report.what_if(calendar=shut)
    assert (other.within.hits, other.interactions.iloc[0]["minutes"]) == (1, 60.0)
    tried = report.promises(["1 business hour", "2 business days"])
    assert list(tried["breaches"]) == [1, 0]


def test_history_ends_where_it_is_told_to(history: History, desk_bundle: Any) -> None:
    """An answer after `as_of` has not happened yet."""
    rows = history({"at": "2026-03-05 09:00"}, {"at": "2026-03-05 11:00", **ANSWER})
    early = sla_report(rows, desk_bundle, as_of=pd.Timestamp("2026-03-05T10:00Z").to_pydatetime())
    assert list(early.interactions["state"]) == ["open"]


def test_a_simulation_stands_beside_the_history(history: History, desk_bundle: Any) -> None:
    """What other people would have done is shown with its source, where a simulation is given."""
    report = sla_report(
        history({"at": "2026-03-05 09:00"}, {"at": "2026-03-05 10:00", **ANSWER}), desk_bundle
    )
    figures = pd.DataFrame({"queue": ["Billing"], "wait_before": [42.5]})
    simulated = SimpleNamespace(source="simulated with two people", by_queue=lambda: figures)
    html = report.page(simulated=simulated).html()
    assert "simulated with two people" in html
    assert "42.50" in html
    assert "simulated" not in report.page().html()


def test_long_histories_are_drawn_short(history: History, desk_bundle: Any) -> None:
    """A thousand answers make a page hardly larger than a hundred do."""

    def page(count: int) -> int:
        rows = [{"at": "2026-03-05 09:00", "thread": str(n)} for n in range(count)]
        answers = [
            {"at": f"2026-03-05 {9 + n % 7:02}:{n % 60:02}", "thread": str(n), **ANSWER} for n in range(count)
        ]
        return len(sla_report(history(*rows, *answers), desk_bundle).page().html())

    assert page(1_600) < 2 * page(400)
