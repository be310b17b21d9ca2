"""The back-test: what changes, whether it is better, and a verdict that machines can act on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.lab.backtest import BackTest, backtest
from mailml.lab.comparison import compare

History = Callable[..., pd.DataFrame]
DAY = "2026-03-05 09:00"


@pytest.fixture(scope="module")
def better(mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle) -> BackTest:
    """Rules by words against everything to the default queue."""
    return backtest(word_bundle, plain_bundle, mailbox, fail_if="misroute_rate > baseline")


def test_a_better_flow_is_seen_to_be_better(better: BackTest) -> None:
    """Two rules by words misroute less than none, over the same messages, and the gate passes."""
    assert better.before.of == better.after.of > 50
    assert better.after.hits < better.before.hits
    assert better.changes["queue"] > 20
    assert better.gate is not None
    assert not better.gate.fails


def test_a_worse_flow_is_caught(mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle) -> None:
    """Taking the rules away again fails the gate."""
    worse = backtest(plain_bundle, word_bundle, mailbox, fail_if="misroute_rate > baseline + 0.5%")
    assert worse.gate is not None
    assert worse.gate.fails
    assert "FAILED" in str(worse)


def test_a_bundle_against_itself_changes_nothing(mailbox: Archive, word_bundle: Bundle) -> None:
    """The same bundle twice: no message differs, and the rates are equal."""
    same = backtest(word_bundle, word_bundle, mailbox)
    assert same.changes == {"queue": 0, "priority": 0, "ack": 0, "due": 0}
    assert same.diff().empty
    assert same.before == same.after


def test_groups_add_up(better: BackTest) -> None:
    """Misroutes per queue and per rule add up to the whole."""
    for column in ("truth", "rule_after", "domain"):
        parts = better.by(column)
        assert sum(share.hits for share in parts["misrouted_after"]) == better.after.hits
        assert int(parts["messages"].sum()) == better.after.of
    assert int(better.transfers().to_numpy().sum()) == len(better.rows)


def test_the_verdict_file_is_complete(better: BackTest, tmp_path: Path) -> None:
    """backtest.json is JSON with format, counts, intervals and the gate; the page stands beside it."""
    page = better.write(tmp_path)
    told = json.loads((tmp_path / "backtest.json").read_text(encoding="utf-8"))
    assert told["format"] == 1
    assert told["misroutes"]["after"]["hits"] == better.after.hits
    assert told["misroutes"]["after"]["low"] <= told["misroutes"]["after"]["value"]
    assert told["gate"] == {"condition": "misroute_rate > baseline", "fails": False, "why": better.gate.why}  # type: ignore[union-attr]
    assert {row["truth"] for row in told["by_queue"]} >= {"Billing", "Tech Support"}
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "onerror=" not in html.replace("&lt;img src=x onerror=", "")


def test_labels_may_be_the_truth(history: History) -> None:
    """With `truth` the folder does not matter; messages without a label are not judged."""
    rows = history({"at": DAY, "final_queue": "Billing"}, {"at": DAY, "final_queue": "Billing"})
    test = compare(rows, rows, truth={rows["sha256"][0]: "Tech Support"})
    assert (test.after.hits, test.after.of) == (1, 1)


def test_every_kind_of_change_is_counted(history: History) -> None:
    """Queue, priority, ack, due time and filing are told apart; missing due times equal each other."""
    before = history(*[{"at": DAY, "thread": name} for name in "ABCDE"])
    after = before.copy()
    after.loc[0, "queue"] = "Tech Support"
    after.loc[1, "priority"] = 10
    after.loc[2, "ack"] = True
    after.loc[3, "due"] = pd.Timestamp("2026-03-06T09:00Z")
    after.loc[4, ["queue", "filed_in"]] = ["", "Bounces"]
    test = compare(after, before)
    assert test.changes == {"queue": 2, "priority": 1, "ack": 1, "due": 1}
    assert len(test.diff()) == 5
    blank = before.assign(due=pd.NaT)
    assert compare(blank, blank.copy()).changes["due"] == 0


def test_another_archive_is_refused(history: History) -> None:
    """Two replays of different mail are no comparison."""
    with pytest.raises(InputError, match="not of the same archive"):
        compare(history({"at": DAY}), history({"at": DAY}, {"at": DAY}))


def test_a_misspelt_condition_names_the_measures(history: History) -> None:
    """The condition is read even when it cannot fail, so that a typo never passes."""
    rows = history({"at": DAY, "final_queue": "Billing"})
    with pytest.raises(InputError, match="Did you mean 'misroute_rate'"):
        compare(rows, rows, fail_if="missroute_rate > 1%")


def test_training_mail_is_left_out_or_owned_up_to(history: History) -> None:
    """Mail of the training time is not judged where other mail is there, and flagged where not."""
    rows = history(
        *[{"at": DAY, "final_queue": "Billing"}] * 120, {"at": DAY, "final_queue": "Billing", "seen": True}
    )
    test = compare(rows, rows)
    assert test.after.of == 120
    only = rows[rows["seen"]].reset_index(drop=True)
    assert "flatter" in compare(only, only).to_dict()["note"]


def test_the_page_judges_each_message(history: History) -> None:
    """Better, worse, no better and unknown stand in the list, by what agents did."""
    before = history(
        {"at": DAY, "final_queue": "Tech Support", "thread": "A"},
        {"at": DAY, "final_queue": "Billing", "thread": "B"},
        {"at": DAY, "final_queue": "General Support", "thread": "C"},
        {"at": DAY, "thread": "D"},
    )
    html = BackTest(**vars(compare(before.assign(queue="Tech Support"), before))).page().html()
    for verdict in (">better<", ">worse<", ">no better<", ">unknown<"):
        assert verdict in html


def test_a_queue_that_one_flow_does_not_know_is_still_a_queue(
    mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle, better: BackTest
) -> None:
    """Which bundle is the candidate does not change what is judged: the rates only swap sides."""
    turned = backtest(plain_bundle, word_bundle, mailbox)
    assert (turned.before, turned.after) == (better.after, better.before)
