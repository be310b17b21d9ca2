"""The back-test: what changes, whether it is better, and a verdict that machines can act on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from mailml.archive import Archive, Arrival
from mailml.bundle import Bundle
from mailml.errors import FlowError, InputError, NotEnoughData
from mailml.flow import source
from mailml.lab.backtest import BackTest, backtest
from mailml.lab.comparison import compare
from mailml.lab.labels import Label, Labels
from tests.conftest import ROOT

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
    assert "flatter" in compare(only, only).note


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


def test_the_difference_is_paired_and_its_sign_is_told(better: BackTest) -> None:
    """The interval of the difference lies below 0 for the better flow, and the saving above."""
    assert better.difference.high < 0 < better.saved.low
    assert better.difference.value == pytest.approx(better.after.value - better.before.value)
    rows = better.judged
    assert better.saved.value == pytest.approx((rows["cost_before"] - rows["cost_after"]).sum(), abs=1)
    assert "points" in str(better)


def test_what_agents_did_stands_beside_each_message(better: BackTest) -> None:
    """Who answered first and when; never before the message itself came."""
    answered = better.rows[better.rows["answered_at"].notna()]
    assert len(answered) > 50
    assert (answered["answered_at"] >= answered["at"]).all()
    assert set(answered["answered_by"]) <= {"support@acme.example", "billing@acme.example"}


def test_a_message_opens_with_both_decisions(better: BackTest) -> None:
    """Each changed message shows both traces, the very decisions of the replay, and what agents did."""
    for at, row in enumerate(better.diff().head(20).to_dict("records")):
        change = better.open(at)
        assert (change.before.queue, change.after.queue) == (row["queue_before"], row["queue_after"])
        assert (change.before.ack.send, change.after.ack.send) == (row["ack_before"], row["ack_after"])
        assert change.after.rule in change.told_after
        assert "Agents left it in" in change.did
        assert better.open(row["sha256"]).head() == change.head()
        assert row["from_addr"] not in str(change) or not row["from_addr"]
    assert better.diff()["from_addr"][0] in str(better.open(0, addresses=True))
    with pytest.raises(InputError, match="messages change"):
        better.open(10_000)
    with pytest.raises(InputError, match="no message 'nothing'"):
        better.open("nothing")


def test_the_load_adds_up(better: BackTest) -> None:
    """Over all hours and queues the load is the mail that was placed, on both sides."""
    load = better.load()
    days = better.rows["at"].dt.tz_convert(better.zone).dt.date.nunique()
    for side in ("before", "after"):
        assert load[side].sum() * days == pytest.approx(better.rows[f"queue_{side}"].ne("").sum())
    assert set(load.groupby("queue").size()) == {24}
    assert (load[["before", "after", "busy_before", "busy_after"]] >= 0).all(axis=None)


def test_a_flow_stands_for_a_bundle(mailbox: Archive, plain_bundle: Bundle, tmp_path: Path) -> None:
    """A Flow, its file and its text are the same candidate: decided with the other side's desk."""
    text = source.dumps(plain_bundle.flow).replace("[URGENT]", "a")
    path = tmp_path / "flow.toml"
    path.write_text(text, encoding="utf-8")
    made = [backtest(side, plain_bundle, mailbox) for side in (source.loads(text), path, str(path), text)]
    assert len({test.candidate for test in made}) == 1
    assert made[0].candidate.startswith(f"{plain_bundle.id}+")
    assert len({test.changes["queue"] for test in made}) == 1
    assert made[0].changes["queue"] > 50
    turned = backtest(plain_bundle, text, mailbox)
    assert turned.changes == made[0].changes
    with pytest.raises(InputError, match="so is the other side"):
        backtest(text, path, mailbox)


def test_a_flow_with_faults_names_them_all(mailbox: Archive, plain_bundle: Bundle) -> None:
    """A candidate that is no flow is refused as any flow is; so is one with a template nobody has."""
    with pytest.raises(FlowError) as caught:
        backtest('default = ""\nrule = 3\n', plain_bundle, mailbox)
    assert len(caught.value.faults) == 2
    rule = '[[rule]]\nname = "x"\nwhen = {}\nthen = { queue = "Billing", ack = "t" }\n'
    with pytest.raises(InputError, match="no template of the desk"):
        backtest(source.dumps(plain_bundle.flow) + rule, plain_bundle, mailbox)


def test_a_flow_of_another_desk_is_refused(mailbox: Archive, plain_bundle: Bundle) -> None:
    """A candidate none of whose queues is here is an error; one with a new queue beside is flagged."""
    with pytest.raises(InputError, match="nobody here has such a queue"):
        backtest('default = "Kundendienst"\n', plain_bundle, mailbox)
    rule = '[[rule]]\nname = "x"\nwhen = { has_attachment = true }\nthen = { queue = "General Suport" }\n'
    test = backtest(source.dumps(plain_bundle.flow) + rule, plain_bundle, mailbox)
    assert "Only the candidate knows 'General Suport'" in test.note
    assert "Did you mean 'General Support'" in test.note


def test_an_empty_archive_is_told(plain_bundle: Bundle, tmp_path: Path) -> None:
    """Nothing pulled, or nothing but our own mail: an error that says what to do, never an empty pass."""
    archive = Archive.open(tmp_path / "a", create=True)
    with pytest.raises(NotEnoughData, match="no incoming message"):
        backtest(plain_bundle, plain_bundle, archive, fail_if="messages > 10")
    raw = b"From: support@acme.example\r\nSubject: hi\r\n\r\n"
    archive.append([Arrival("desk", "Sent", 1, 1, raw, datetime(2026, 3, 5, tzinfo=UTC))])
    with pytest.raises(NotEnoughData, match="Pull the Inbox"):
        backtest(plain_bundle, plain_bundle, archive)


def test_an_archive_without_sent_or_truth_still_shows_the_diff(
    mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle, tmp_path: Path
) -> None:
    """Without Sent nobody answered; without queue folders nothing is judged, and no gate passes for it."""
    archive = Archive.open(tmp_path / "a", create=True)
    archive.append(
        Arrival("desk", "INBOX", 1, n, raw, row.internaldate)
        for n, (row, raw) in enumerate(mailbox.messages(), 1)
        if row.folder.startswith("Queues/")
    )
    test = backtest(word_bundle, plain_bundle, archive)
    assert test.changes["queue"] > 20
    assert not test.after.of
    assert not test.rows["answered_by"].any()
    assert "Nobody answered" in test.open(0).did
    assert test.open(0).verdict == "unknown"
    test.write(tmp_path / "out")
    told = json.loads((tmp_path / "out" / "backtest.json").read_text(encoding="utf-8"))
    assert told["misroutes"]["after"]["value"] is None
    assert told["measures"]["after"]["misroute_rate"] is None
    with pytest.raises(NotEnoughData, match="could not be measured"):
        backtest(word_bundle, plain_bundle, archive, fail_if="misroute_rate > 1%")


def test_a_truth_of_other_mail_is_refused_or_flagged(mailbox: Archive, plain_bundle: Bundle) -> None:
    """Unknown messages are counted aloud; a truth that fits nothing here is an error."""
    known = dict.fromkeys(mailbox.table(columns=["sha256"]).column(0).to_pylist(), "General Support")
    with pytest.raises(InputError, match="none of the 1 messages"):
        backtest(plain_bundle, plain_bundle, mailbox, truth={"f" * 64: "Billing"})
    with pytest.raises(InputError, match="neither flow has such a queue"):
        backtest(plain_bundle, plain_bundle, mailbox, truth=dict.fromkeys(known, "Kasse"))
    some = backtest(plain_bundle, plain_bundle, mailbox, truth={**known, "f" * 64: "General Support"})
    assert f"1 of {len(known) + 1} messages of the truth are not in this archive" in some.note
    assert some.after.of > 10


def test_labels_are_a_truth(mailbox: Archive, word_bundle: Bundle, tmp_path: Path) -> None:
    """A label store may name queues; a label that is neither queue nor category is an error with a hint."""
    store = Labels(tmp_path / "labels.jsonl")
    shas = mailbox.table(columns=["sha256"]).column(0).to_pylist()
    now = datetime(2026, 11, 1, tzinfo=UTC)
    store.add(Label(sha, "Billing", "anna", "panel", now) for sha in shas)
    test = backtest(word_bundle, word_bundle, mailbox, truth=store)
    assert set(test.judged["truth"]) == {"Billing"}
    store.add([Label(shas[0], "Biling", "anna", "panel", now)])
    with pytest.raises(InputError, match="Did you mean 'Billing'"):
        backtest(word_bundle, word_bundle, mailbox, truth=store)


def test_several_conditions_are_judged_together(better: BackTest) -> None:
    """Each condition has its own answer; the whole fails when one does, and names that one."""
    conditions = ["misroute_rate > 100%", "queue_changes > 1", 'messages["Billing"] > baseline']
    gates = better.check(conditions)
    assert [gate.fails for gate in gates] == [False, True, True]
    told = replace(better, gates=gates)
    assert told.gate is not None
    assert told.gate.fails
    assert "misroute_rate" not in told.gate.condition
    with pytest.raises(InputError, match="Did you mean 'Billing'"):
        better.check('messages["Biling"] > 1')


def test_mail_that_one_side_files_is_judged(history: History) -> None:
    """A rule that files what agents had to answer is a misroute, whichever side it stands on."""
    before = history({"at": DAY, "final_queue": "Billing", "queue": "Billing"})
    after = before.assign(queue="", filed_in="Newsletters")
    there, back = compare(after, before), compare(before, after)
    assert (there.before.hits, there.after.hits) == (0, 1)
    assert (back.before, back.after) == (there.after, there.before)
    assert there.saved.value == -back.saved.value == -there.minutes_each


def test_every_measure_is_documented(better: BackTest) -> None:
    """What a condition may name stands in the page about conditions."""
    page = (ROOT / "mailml" / "lab" / "backtest.md").read_text(encoding="utf-8")
    names = {name.split("[")[0] for name in better.measures()}
    assert len(names) > 15
    assert not [name for name in names if f"`{name}`" not in page]
