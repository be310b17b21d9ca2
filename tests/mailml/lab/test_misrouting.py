"""Misroutes are counted per interaction, from the folder where agents left the mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from mailml.errors import NotEnoughData
from mailml.lab.misrouting import misrouting

History = Callable[..., pd.DataFrame]
DAY = "2026-03-05 09:00"


def test_rate_and_transfers(history: History, desk_bundle: Any) -> None:
    """One of three known interactions moved; a fourth that lies in INBOX is unknown, not right."""
    rows = history(
        {"at": DAY, "thread": "A", "final_queue": "Billing"},
        {"at": DAY, "thread": "B", "final_queue": "Billing"},
        {"at": DAY, "thread": "C", "final_queue": "Tech Support"},
        {"at": DAY, "thread": "D"},
    )
    report = misrouting(rows, desk_bundle)
    assert (report.rate.hits, report.rate.of, report.unknown) == (1, 3, 1)
    assert report.transfers().loc["Billing", "Tech Support"] == 1


def test_replies_follow_their_conversation(history: History, desk_bundle: Any) -> None:
    """A reply that lies in another queue than the flow would choose is no misroute of its own."""
    rows = history(
        {"at": DAY, "final_queue": "Billing"},
        {"at": DAY, "opens": False, "queue": "Tech Support", "final_queue": "Billing"},
    )
    assert misrouting(rows, desk_bundle).rate.of == 1


def test_by_sorts_the_worst_first(history: History, desk_bundle: Any) -> None:
    """The rule with most misroutes stands at the top; a missing category has a name."""
    rows = history(
        {"at": DAY, "rule": "good", "final_queue": "Billing"},
        {"at": DAY, "rule": "bad", "final_queue": "Tech Support"},
        {"at": DAY, "rule": "bad", "final_queue": "Tech Support"},
    )
    report = misrouting(rows, desk_bundle)
    assert list(report.by("rule")["rule"]) == ["bad", "good"]
    assert list(report.by("category")["category"]) == ["(none)"]


def test_telling_puts_the_surest_mistake_first(history: History, desk_bundle: Any) -> None:
    """What the classifier was surest of, and got wrong, is read first."""
    rows = history(
        {"at": DAY, "subject": "unsure", "probability": 0.55, "final_queue": "Tech Support"},
        {"at": DAY, "subject": "sure", "probability": 0.97, "final_queue": "Tech Support"},
        {"at": DAY, "subject": "right", "probability": 0.99, "final_queue": "Billing"},
    )
    assert list(misrouting(rows, desk_bundle).telling()["subject"]) == ["sure", "unsure"]


def test_no_queue_folders_is_said(history: History, desk_bundle: Any) -> None:
    """Without a queue's folder there is no truth; the error names the folders to pull."""
    with pytest.raises(NotEnoughData, match="Billing, General Support, Tech Support"):
        misrouting(history({"at": DAY}), desk_bundle)


def test_cost_is_hand_overs_times_minutes(history: History, desk_bundle: Any) -> None:
    """The cost in minutes follows the price of one hand-over."""
    rows = history({"at": DAY, "final_queue": "Tech Support"})
    assert misrouting(rows, desk_bundle, minutes_each=30).minutes_lost == 30


def test_the_page_holds_numbers_and_no_markup(history: History, desk_bundle: Any) -> None:
    """Subjects of misroutes are shown as text, addresses masked."""
    rows = history({"at": DAY, "subject": "<b onclick=x>", "final_queue": "Tech Support"})
    html = misrouting(rows, desk_bundle).page().html()
    assert "&lt;b onclick=x&gt;" in html
    assert "<b onclick" not in html
    assert "anna@customer" not in html


def test_training_mail_is_not_judged(history: History, desk_bundle: Any) -> None:
    """Where enough mail is unseen only that is judged; else all of it, and the page says that it flatters."""
    seen = {"at": DAY, "final_queue": "Billing", "seen": True}
    fresh = {"at": DAY, "final_queue": "Tech Support"}
    report = misrouting(history(*[seen] * 50, *[fresh] * 100), desk_bundle)
    assert (report.rate.of, report.rate.value) == (100, 1.0)
    assert "50 messages" in report.note
    few = misrouting(history(*[seen] * 50, *[fresh] * 10), desk_bundle)
    assert few.rate.of == 60
    assert "flatter" in few.page().html()
