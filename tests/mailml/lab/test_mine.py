"""Labels from agents' doings: what the generator knows they did, and nothing that proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailml.archive import Archive, Arrival
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.lab import sample
from mailml.lab.feedback import Feedback
from mailml.lab.labels import Label, Labels
from mailml.lab.mine import Caps, Mined, disagreements, mine, review, to_review
from mailml.lab.mine.moves import ANSWERED, BULK, DISCARDED, FILED, MOVED, TWO, UNSETTLED, UNTOUCHED
from mailml.lab.misrouting import misrouting
from mailml.lab.panels.candidates import candidates
from mailml.lab.replay import replay
from mailml.lab.sample_bundle import sample_bundle
from tests.mailml.lab.pulled import ACCOUNT, Desk

WIDE = Caps(per_sender=1_000, per_thread=1_000, per_text=1_000)
CATEGORY = {queue: name for name, queue in sample.QUEUE_OF.items()}
OLD = datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def truth() -> dict[str, Mapping[str, Any]]:
    """What the generator knows, by hash."""
    return {m.truth["sha256"]: m.truth for m in sample.generate(messages=600)}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A year of the sample mailbox, pulled week by week."""
    return Desk(tmp_path_factory.mktemp("pulled") / "a").live(sample.generate(messages=600))


@pytest.fixture(scope="module")
def bundle(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The sample's desk with all its queues."""
    return sample_bundle(archive, tmp_path_factory.mktemp("bundle") / "b", rules_only=True)


@pytest.fixture(scope="module")
def ledger(archive: Archive, bundle: Bundle) -> pd.DataFrame:
    """The year replayed once."""
    return replay(archive, bundle)


@pytest.fixture(scope="module")
def mined(archive: Archive, bundle: Bundle, ledger: pd.DataFrame) -> Mined:
    """Everything that can be mined, without caps."""
    return mine(archive, bundle, ledger=ledger, caps=WIDE)


def test_every_move_of_an_agent_is_found_and_no_other(
    mined: Mined, truth: dict[str, Mapping[str, Any]]
) -> None:
    """First queue, resolving queue and the set of moved messages are exactly the generator's."""
    moved = {sha: one for sha, one in truth.items() if one["moved_by"] and one["role"] == "customer"}
    found = mined.moves().set_index("sha256")
    assert set(found.index) == set(moved)
    assert found["first"].to_dict() == {sha: one["first_queue"] for sha, one in moved.items()}
    assert found["final"].to_dict() == {sha: one["final_queue"] for sha, one in moved.items()}
    assert len(moved) > 20


def test_labels_are_the_queues_that_solved_it(mined: Mined, truth: dict[str, Mapping[str, Any]]) -> None:
    """Every label is the category of the queue where the generator says it was solved; none is automated."""
    labels = mined.labels
    assert len(labels) > 150
    for label in labels:
        one = truth[label.message]
        assert label.label == CATEGORY[one["final_queue"]]
        assert one["kind"] == "human"
        assert one["turn"] != "thanks"
        assert (label.source, label.by) == ("mined", "lab.mine")
        assert label.note.startswith((MOVED, ANSWERED, FILED))


def test_what_is_left_out_says_why(mined: Mined, truth: dict[str, Mapping[str, Any]]) -> None:
    """No message is dropped in silence: each row is a label or has its reason, and they add up."""
    rows = mined.rows
    assert (rows["why_not"].ne("") | rows["label"].ne("")).all()
    assert mined.summary()["messages"].sum() == len(rows) == sum(o["role"] != "agent" for o in truth.values())
    young = rows[rows["why_not"].eq(UNSETTLED)]
    assert (young["at"] > mined.as_of - timedelta(days=14)).all()
    assert len(young)


def test_misroutes_are_the_generators(
    mined: Mined, ledger: pd.DataFrame, bundle: Bundle, truth: dict[str, Mapping[str, Any]]
) -> None:
    """Misroutes from mined truth, per queue they came to first, are those the generator made."""
    report = misrouting(ledger, bundle, mined=mined)
    rows = report.rows[[truth[sha]["role"] == "customer" for sha in report.rows["sha256"]]]
    settled = mined.rows[mined.rows["at"] <= mined.as_of - timedelta(days=14)]["sha256"]
    opened = [sha for sha in settled if truth[sha]["opens"] and truth[sha]["role"] == "customer"]
    assert set(rows["sha256"]) == set(opened)
    told = {
        sha: (truth[sha]["first_queue"], truth[sha]["final_queue"])
        for sha in opened
        if truth[sha]["moved_by"]
    }
    wrong = rows[rows["misrouted"]].set_index("sha256")
    assert dict(zip(wrong.index, zip(wrong["first"], wrong["final"], strict=True), strict=True)) == told
    assert len(told) > 15


def letter(number: int, sender: str = "", body: str = "") -> bytes:
    """A customer's mail."""
    who = sender or f"c{number}@shop{number}.example"
    text = body or f"My invoice {number} is wrong: item {'abcdefghij'[number % 10] * 5} costs too much."
    return (
        f"From: <{who}>\r\nTo: support@acme.example\r\nSubject: Invoice {number}\r\n"
        f"Message-ID: <{number}@x.example>\r\n\r\n{text}\r\n"
    ).encode()


def put(desk: Desk, folder: str, count: int, **made: Any) -> list[Arrival]:
    """Mails that arrive in a folder long ago; a last one of today makes them old."""
    known = len(desk.archive)
    arrivals = [
        Arrival(ACCOUNT, folder, 1, known + n + 1, letter(known + n, **made), OLD + timedelta(hours=n))
        for n in range(count)
    ]
    desk.archive.append(arrivals)
    return arrivals


def dug(desk: Desk, bundle: Bundle, **options: Any) -> pd.DataFrame:
    """What can be mined half a year later, by message."""
    options = {"categories": CATEGORY, "as_of": OLD + timedelta(days=200), "caps": WIDE, **options}
    return mine(desk.archive, bundle, **options).rows.set_index("sha256")


def test_a_few_moves_count_and_many_at_once_do_not(tmp_path: Path, plain_bundle: Bundle) -> None:
    """Three mails sorted are three labels; a folder emptied into another says nothing of each mail."""
    few, many = Desk(tmp_path / "few"), Desk(tmp_path / "many")
    few.move(put(few, "Queues/Tech Support", 3), "Queues/Billing")
    many.move(put(many, "Queues/Tech Support", 12), "Queues/Billing")
    assert set(dug(few, plain_bundle)["how"]) == {MOVED}
    assert set(dug(few, plain_bundle)["why_not"]) == {""}
    assert set(dug(many, plain_bundle)["why_not"]) == {BULK}
    assert set(dug(many, plain_bundle, bulk=20)["why_not"]) == {""}


@pytest.mark.parametrize("folder", ["Trash", "Junk", "INBOX.Spam", "Deleted Items"])
def test_trash_and_junk_say_nothing(folder: str, tmp_path: Path, plain_bundle: Bundle) -> None:
    """A mail that was filed once and thrown away later is no label, and its old one is withdrawn."""
    desk, store = Desk(tmp_path / "a"), Labels(tmp_path / "labels.jsonl")
    arrivals = put(desk, "Queues/Billing", 2)
    end = OLD + timedelta(days=200)
    assert mine(desk.archive, plain_bundle, as_of=end, categories=CATEGORY).merge(store) == (2, 0)
    desk.move(arrivals[:1], folder)
    put(desk, "INBOX", 1)
    later = mine(desk.archive, plain_bundle, as_of=end, categories=CATEGORY)
    gone = later.rows.set_index("sha256").loc[arrivals[0].sha256]
    assert gone["why_not"] in (DISCARDED, "left out of the archive")
    assert later.merge(store)[1] == 1
    assert list(store.latest()) == [arrivals[1].sha256]
    assert later.merge(store) == (0, 0)


def test_a_copy_in_two_queues_is_nobodys(tmp_path: Path, plain_bundle: Bundle) -> None:
    """A message that lies in two queues at once was put nowhere for certain."""
    desk = Desk(tmp_path / "a")
    one = put(desk, "Queues/Billing", 1)[0]
    desk.archive.append([one._replace(folder="Queues/Tech Support", uid=99)])
    assert set(dug(desk, plain_bundle)["why_not"]) == {TWO}


def service(arrivals: list[Arrival], queue: str = "Billing", **more: Any) -> Feedback:
    """What the service tells: it moved these messages into a queue."""
    rows = [
        {"sha256": one.sha256, "queue": queue, "moved_to": f"Queues/{queue}", "queue_now": queue,
         "undone_at": pd.NaT, **more}
        for one in arrivals
    ]  # fmt: skip
    return Feedback(Path("f.jsonl"), "2026-07-01", pd.DataFrame(rows), pd.DataFrame({"reference": []}))


def test_the_routers_own_move_is_no_truth(tmp_path: Path, plain_bundle: Bundle) -> None:
    """What the router moved and nobody touched says nothing; without a router somebody filed it."""
    desk = Desk(tmp_path / "a")
    arrivals = put(desk, "Queues/Billing", 2)
    assert set(dug(desk, plain_bundle)["how"]) == {FILED}
    assert set(dug(desk, plain_bundle, journal=service(arrivals))["why_not"]) == {UNTOUCHED}


def test_an_answer_confirms_and_a_move_corrects(tmp_path: Path, plain_bundle: Bundle) -> None:
    """Routed and answered there: right. Routed to Tech Support and found in Billing: an agent moved it."""
    desk = Desk(tmp_path / "a")
    first, second = put(desk, "Queues/Billing", 2)
    answer = (
        b"From: support@acme.example\r\nTo: c0@shop0.example\r\nSubject: Re: Invoice 0\r\n"
        b"Message-ID: <r0@acme.example>\r\nIn-Reply-To: <0@x.example>\r\n\r\nIt is corrected.\r\n"
    )
    desk.archive.append([Arrival(ACCOUNT, "Sent", 1, 1, answer, OLD + timedelta(hours=3))])
    told = service([first])
    wrong = service([second], "Tech Support")
    both = Feedback(told.path, told.made, pd.concat([told.messages, wrong.messages]), told.answers)
    rows = dug(desk, plain_bundle, journal=both)
    assert rows.loc[first.sha256, "how"] == ANSWERED
    assert rows.loc[second.sha256, ["how", "first", "final"]].tolist() == [MOVED, "Tech Support", "Billing"]


def test_caps_stop_whoever_sends_much(tmp_path: Path, plain_bundle: Bundle) -> None:
    """A flood from one sender, under plus addresses too, and one text from many, are cut to the caps."""
    desk, caps = Desk(tmp_path / "a"), Caps(per_sender=5, per_thread=2, per_text=3)
    for n in range(8):
        put(desk, "Queues/Billing", 1, sender="flood@spam.example", body="words " + "abcdefgh"[n] * 9)
        put(desk, "Queues/Billing", 1, sender=f"flood+{n}@spam.example", body="more " + "abcdefgh"[n] * 9)
        put(desk, "Queues/Billing", 1, body=f"Same text number {n}!")
    rows = dug(desk, plain_bundle, caps=caps)
    kept = rows[rows["why_not"].eq("")]
    assert kept["from_addr"].str.contains("@spam.example").sum() == 5
    assert (~kept["from_addr"].str.contains("@spam.example")).sum() == 3
    assert rows["why_not"].str.startswith("over the cap").sum() == len(rows) - 8


def said(message: str, label: str, source: str, day: int, by: str = "x") -> Label:
    """A statement of some day."""
    return Label(
        message * 64, label, by, source, datetime(2026, 3, day, tzinfo=UTC), 0.9, f"{source} said so"
    )


def test_disagreements_wait_for_a_person(tmp_path: Path) -> None:
    """Hand against mined comes first; whoever labels last by hand settles it."""
    store = Labels(tmp_path / "l.jsonl")
    store.add([
        said("a", "billing", "folder", 1), said("a", "technical", "mined", 2),
        said("b", "billing", "panel", 1), said("b", "technical", "mined", 2),
        said("c", "technical", "mined", 1), said("c", "billing", "panel", 2),
        said("d", "billing", "mined", 1), said("d", "billing", "folder", 1),
    ])  # fmt: skip
    assert [one.message[0] for one in disagreements(store)] == ["b", "a"]
    assert to_review(store) == ["b" * 64, "a" * 64]
    table = review(store)
    assert table.iloc[0][["hand", "mined", "folder"]].tolist() == ["billing", "technical", ""]
    assert "mined said so" in table.iloc[0]["why"]
    store.add([said("b", "billing", "panel", 3), said("a", "billing", "csv", 3)])
    assert not disagreements(store)


def test_the_label_panel_shows_what_disagrees(archive: Archive, tmp_path: Path) -> None:
    """The order "review" shows messages whose labels disagree, hand labels among them, and nothing else."""
    store = Labels(tmp_path / "l.jsonl")
    first, second, third = sorted(row.sha256 for row, _ in archive.messages(folders=["Queues/Billing"]))[:3]
    at, later = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    store.add([
        Label(first, "billing", "f", "folder", at), Label(first, "technical", "m", "mined", later, 0.9),
        Label(second, "general", "me", "panel", at), Label(second, "billing", "m", "mined", later, 0.9),
        Label(third, "billing", "m", "mined", at),
    ])  # fmt: skip
    shown = candidates(archive, labels=store, order="review")
    assert [one.message for one in shown] == [second, first]
    assert [one.message for one in candidates(archive, labels=store, order="review", n=1)] == [second]
    with pytest.raises(InputError, match="needs labels"):
        candidates(archive, order="review")
