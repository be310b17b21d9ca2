"""A replay decides with the code of production, in order of arrival, whatever the order of reading."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mailml.archive import Archive, Arrival
from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.lab import sample
from mailml.lab.arrivals import arrivals
from mailml.lab.replay import COLUMNS, replay
from mailml.lab.walk import Walk
from mailml.message import parse

OWN = {"support@acme.example", "billing@acme.example"}


@pytest.fixture(scope="module")
def ledger(mailbox: Archive, word_bundle: Bundle) -> pd.DataFrame:
    """The whole sample, replayed."""
    return replay(mailbox, word_bundle, decisions=True)


def test_every_message_once_in_order_of_arrival(mailbox: Archive, ledger: pd.DataFrame) -> None:
    """Each different message of the archive has one row, and time never runs backwards."""
    assert list(ledger.columns) == [*COLUMNS, "decision"]
    assert sorted(ledger["sha256"]) == sorted(set(mailbox.table(columns=["sha256"]).column(0).to_pylist()))
    assert ledger["at"].is_monotonic_increasing


def test_it_equals_deciding_one_after_another(
    mailbox: Archive, word_bundle: Bundle, ledger: pd.DataFrame
) -> None:
    """Guess and repair give the bytes that a plain walk through the history gives."""
    walk, plain = Walk(), []
    automatic = dict(zip(ledger["sha256"], ledger["automatic"], strict=True))
    for arrival in arrivals(mailbox, OWN, word_bundle.flow.queues()):
        if arrival.sent:
            walk.sent(arrival, automatic=automatic[arrival.sha256])
            continue
        decision = decide(parse(mailbox.raw(arrival.key)), word_bundle, walk.context(arrival))
        walk.received(arrival, human=decision.kind == "human", acked=decision.ack.send)
        plain.append(decision.to_json())
    replayed = ledger.loc[~ledger["sent"], "decision"]
    assert [decision.to_json() for decision in replayed] == plain
    assert len(plain) > 150


def test_columns_are_the_decisions(ledger: pd.DataFrame) -> None:
    """What the table says is what the decision says, field by field."""
    for row in ledger[~ledger["sent"]].head(100).to_dict("records"):
        made = row["decision"]
        assert (row["kind"], row["queue"], row["rule"]) == (made.kind, made.queue, made.rule)
        assert (row["priority"], row["ack"], row["filed_in"]) == (made.priority, made.ack.send, made.folder)
        assert (row["due"] is pd.NaT) == (made.due is None)


def test_threads_agree_with_the_generators_truth(mailbox: Archive, ledger: pd.DataFrame) -> None:
    """Messages that the sample tells as one conversation are one interaction, and opening ones open it."""
    truth = {m.truth["sha256"]: m.truth for m in sample.generate(messages=400, hostile=True)}
    talk = ledger[[truth[sha]["role"] in ("customer", "agent") for sha in ledger["sha256"]]]
    told = [truth[sha] for sha in talk["sha256"]]
    groups = talk.groupby([row["thread"] for row in told])["thread"].nunique()
    assert (groups == 1).mean() > 0.98
    opening = [row["position"] == 0 for row in told]
    assert (talk["opens"] == pd.Series(opening, index=talk.index)).mean() > 0.98


def test_one_ack_per_interaction(ledger: pd.DataFrame) -> None:
    """A replay acknowledges an interaction once at most, as production does."""
    acked = ledger[ledger["ack"]]
    assert len(acked) > 50
    assert acked["thread"].is_unique


def test_final_queue_is_the_folder(ledger: pd.DataFrame) -> None:
    """Mail that lies in a queue's folder says so; INBOX, Sent and automated folders say nothing."""
    assert set(ledger.loc[ledger["folder"].eq("Queues/Billing"), "final_queue"]) == {"Billing"}
    assert set(ledger.loc[ledger["sent"], "final_queue"]) == {""}


@pytest.mark.slow
def test_several_processes_give_the_same(mailbox: Archive, word_bundle: Bundle, ledger: pd.DataFrame) -> None:
    """Two worker processes make the table that one makes."""
    assert replay(mailbox, word_bundle, workers=2).equals(ledger.drop(columns="decision"))


def test_a_copy_counts_once_where_agents_put_it(tmp_path: Path, word_bundle: Bundle) -> None:
    """The same bytes in INBOX and in a queue's folder are one message, in the queue."""
    raw = (
        b"From: a@x.example\r\nTo: support@acme.example\r\nSubject: hi\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"
    )
    archive = Archive.open(tmp_path / "a", create=True)
    archive.append(Arrival("desk", folder, 1, 1, raw) for folder in ("INBOX", "Queues/Billing", "Archive"))
    only = replay(archive, word_bundle)
    assert list(only["folder"]) == ["Queues/Billing"]
    assert list(only["final_queue"]) == ["Billing"]


def test_an_empty_archive_is_an_empty_table(tmp_path: Path, word_bundle: Bundle) -> None:
    """Nothing pulled is nothing decided, with the same columns."""
    empty = replay(Archive.open(tmp_path / "a", create=True), word_bundle)
    assert empty.empty
    assert list(empty.columns) == list(COLUMNS)


def test_drafts_and_deleted_mail_are_left_out(tmp_path: Path, word_bundle: Bundle) -> None:
    """What lies in Drafts or Trash is no history."""
    archive = Archive.open(tmp_path / "a", create=True)
    archive.append(
        Arrival("desk", folder, 1, 1, f"From: a@x.example\r\nSubject: {folder}\r\n\r\n".encode())
        for folder in ("INBOX", "Drafts", "INBOX.Trash")
    )
    assert list(replay(archive, word_bundle)["folder"]) == ["INBOX"]
