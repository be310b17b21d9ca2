"""One row per message, every fact a column, no body in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.lab import sample
from mailml.lab.frame import frame
from mailml.message import parse
from mailml.text import classifier_input, own_words


@pytest.fixture(scope="module")
def made(mailbox: Archive, word_bundle: Bundle) -> pd.DataFrame:
    """The sample as a frame with everything."""
    return frame(mailbox, word_bundle, language=True)


def test_one_row_per_message(mailbox: Archive, made: pd.DataFrame) -> None:
    """As many rows as messages, identified by the key."""
    assert len(made) == len(mailbox)
    assert not made.duplicated(["account", "folder", "uidvalidity", "uid"]).any()


def test_columns_are_the_message(mailbox: Archive, made: pd.DataFrame) -> None:
    """Subject, addresses, own words and size of each row are those of the parsed message."""
    for row in made.head(80).to_dict("records"):
        raw = mailbox.raw(row["sha256"])
        message = parse(raw)
        assert row["size"] == len(raw)
        assert row["subject"] == message.subject
        assert row["from_addr"] == (message.from_.addr if message.from_ else "")
        assert row["own"] == own_words(message).own
        assert list(row["to"]) == [person.addr for person in message.to]


def test_text_is_what_the_classifier_reads_when_deciding(mailbox: Archive, made: pd.DataFrame) -> None:
    """Training reads exactly what production reads, also of replies and hostile mail."""
    for sha, text in zip(made["sha256"], made["text"], strict=True):
        message = parse(mailbox.raw(sha))
        assert text == classifier_input(message, own_words(message))


def test_three_dates_are_utc(made: pd.DataFrame) -> None:
    """Date, INTERNALDATE and the topmost Received are aware times in UTC."""
    for name in ("date", "internaldate", "received"):
        assert str(made[name].dtype) == "datetime64[us, UTC]"
    assert made["internaldate"].notna().all()


def test_kinds_follow_the_truth(made: pd.DataFrame) -> None:
    """People are people and machines machines, as the generator knows, for nearly all of the sample."""
    truth = {m.truth["sha256"]: m.truth for m in sample.generate(messages=400)}
    known = made[made["sha256"].isin(list(truth)) & ~made["sent"]]
    human = [truth[sha]["kind"] == "human" for sha in known["sha256"]]
    agree = (known["kind"].astype("str") == "human").to_numpy() == human
    assert agree.mean() > 0.95


def test_languages_are_told(made: pd.DataFrame) -> None:
    """The sample's languages are found in the own words."""
    assert {"en", "de"} <= set(made["language"])


def test_threads_and_ours(made: pd.DataFrame) -> None:
    """Mail in Sent is ours, and an answer shares its thread with the question."""
    assert made.loc[made["folder"].eq("Sent"), "sent"].all()
    answered = set(made.loc[made["sent"], "thread"])
    assert len(answered & set(made.loc[~made["sent"], "thread"])) > 20


def test_own_addresses_are_learned_from_sent(mailbox: Archive, made: pd.DataFrame) -> None:
    """Without a bundle the Sent folder tells which addresses are ours: the threads are the same."""
    alone = frame(mailbox)
    assert "kind" not in alone.columns
    assert list(alone["thread"]) == list(made["thread"])


def test_folders_narrow_it_down(mailbox: Archive) -> None:
    """Only the folders asked for; a misspelt one is an error that lists them."""
    assert set(frame(mailbox, folders=["Queues/Billing"])["folder"]) == {"Queues/Billing"}
    with pytest.raises(InputError, match="Queues/Billing"):
        frame(mailbox, folders=["Queues/Biling"])


def test_an_empty_archive_has_all_columns(tmp_path: Path, made: pd.DataFrame) -> None:
    """Nothing pulled yet is an empty frame with the usual columns."""
    empty = frame(Archive.open(tmp_path / "a", create=True))
    assert empty.empty
    assert set(made.columns) - {"kind", "language"} <= set(empty.columns)


def test_a_hundred_thousand_messages_are_comfortable(made: pd.DataFrame) -> None:
    """The frame takes at most 1.5 KB a message: 150 MB for 100,000, bodies not among them."""
    assert made.memory_usage(deep=True, index=False).sum() / len(made) < 1500
    assert "raw" not in made.columns


def test_making_a_frame_holds_no_bodies(mailbox: Archive) -> None:
    """While the frame is made, Python memory stays far below the mail itself plus what parsing needs."""
    frame(mailbox)
    tracemalloc.start()
    frame(mailbox)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
