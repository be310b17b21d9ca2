"""Labels: never lost, never changed, always with who said so; a person outranks a folder."""

from __future__ import annotations

import json
import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailml.errors import InputError, LabelError
from mailml.lab.csv_labels import from_csv
from mailml.lab.labels import Label, Labels, from_folders

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def sha(number: int) -> str:
    """A made-up message hash."""
    return f"{number:064x}"


def label(number: int, name: str, source: str = "panel", by: str = "anna", minutes: int = 0) -> Label:
    """A label said some minutes after nine."""
    return Label(sha(number), name, by, source, AT + timedelta(minutes=minutes))


@pytest.fixture
def store(tmp_path: Path) -> Labels:
    """An empty store in a folder that is not there yet."""
    return Labels(tmp_path / "deep" / "labels.jsonl")


def test_what_was_added_is_read_back(store: Labels) -> None:
    """Every field survives, in file order; the file is one JSON object a line."""
    said = [
        Label(sha(1), "billing", "anna", "panel", AT, 0.9, "sure, mostly"),
        Label(sha(2), "Fälle für später", "bob", "csv", AT),
    ]
    assert store.add(said) == 2
    assert store.all() == tuple(said) == tuple(store)
    lines = store.path.read_text().splitlines()
    assert json.loads(lines[0])["note"] == "sure, mostly"
    assert len(store) == 2


def test_nothing_is_ever_overwritten(store: Labels) -> None:
    """Adding appends: the bytes that were there stay there."""
    store.add([label(1, "billing")])
    before = store.path.read_bytes()
    store.add([label(1, "technical", minutes=1)])
    assert store.path.read_bytes().startswith(before)
    assert store.latest()[sha(1)].label == "technical"


def test_an_absent_file_is_an_empty_store(store: Labels) -> None:
    """Nothing said, nothing written."""
    assert store.all() == ()
    assert store.latest() == {}
    assert store.add([]) == 0
    assert not store.path.exists()


def test_a_person_outranks_a_folder_whenever_it_was_said(store: Labels) -> None:
    """panel and csv before mined before folder; the latest among equals."""
    store.add([label(1, "billing"), label(1, "technical", "folder", "folders", 99)])
    store.add([label(2, "billing", "mined", "moves", 5), label(2, "technical", "folder", "folders", 99)])
    store.add([label(3, "billing"), label(3, "general", "csv", "bob", 1)])
    latest = store.latest()
    assert [latest[sha(n)].label for n in (1, 2, 3)] == ["billing", "billing", "general"]


def test_a_withdrawn_label_is_gone_but_not_forgotten(store: Labels) -> None:
    """An empty label takes back what the same person said; another's word comes to the fore."""
    store.add([label(1, "technical", "folder", "folders"), label(1, "billing"), label(1, "", minutes=1)])
    assert store.latest()[sha(1)].label == "technical"
    assert len(store.all()) == 3


def test_conflicts_are_disagreements_of_the_most_trusted(store: Labels) -> None:
    """Two people disagree: a conflict. A person against a folder: none, the person was asked."""
    store.add([label(1, "billing"), label(1, "technical", by="bob", minutes=1)])
    store.add([label(2, "billing"), label(2, "technical", "folder", "folders")])
    store.add([label(3, "billing"), label(3, "technical", minutes=1)])
    (conflict,) = store.conflicts()
    assert conflict.message == sha(1)
    assert {said.by for said in conflict.labels} == {"anna", "bob"}


def test_merge_adds_only_what_is_news(store: Labels) -> None:
    """The same folders read every night do not grow the file."""
    said = [label(n, "billing", "folder", "folders") for n in range(5)]
    assert store.merge(said) == 5
    assert store.merge(said) == 0
    assert store.merge([label(0, "technical", "folder", "folders", 1), *said[1:]]) == 1
    assert store.latest()[sha(0)].label == "technical"


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_torn_by_a_crash_is_skipped_and_closed_off(store: Labels, cut: int) -> None:
    """Whatever was cut off, all that was acknowledged is read, and the next label is whole."""
    store.add([label(1, "billing"), label(2, "technical")])
    with open(store.path, "rb+") as file:
        file.truncate(store.path.stat().st_size - cut)
    assert [said.message for said in store.all()] == [sha(1), sha(2)][: 2 if cut == 1 else 1]
    store.add([label(3, "general")])
    assert store.all()[-1] == label(3, "general")
    assert store.all()[0] == label(1, "billing")


def test_damage_in_the_middle_is_an_error_with_its_line(store: Labels) -> None:
    """A line that is no label is never skipped silently, unless it is the torn last one."""
    store.add([label(1, "billing")])
    with open(store.path, "a") as file:
        file.write("nonsense\n")
    store.add([label(2, "billing")])
    with pytest.raises(LabelError, match=r"labels\.jsonl:2: is not a label"):
        store.all()


def _write(path: Path, start: int) -> None:
    store = Labels(path)
    for number in range(start, start + 40):
        store.add([label(number, "billing")])


def test_two_writers_lose_nothing(store: Labels) -> None:
    """A panel and a command may write at the same time."""
    context = multiprocessing.get_context("fork")
    store.path.parent.mkdir()
    writers = [context.Process(target=_write, args=(store.path, start)) for start in (0, 1000)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {said.message for said in store.all()} == {sha(n) for s in (0, 1000) for n in range(s, s + 40)}


def test_the_file_is_private(store: Labels) -> None:
    """Labels say what customers wrote about: only the owner reads them."""
    store.add([label(1, "billing")])
    assert os.stat(store.path).st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"message": "abc"}, "not the SHA-256"),
        ({"message": "Z" * 64}, "not the SHA-256"),
        ({"source": "guess"}, "panel, csv, mined, folder"),
        ({"at": datetime(2026, 1, 1)}, "no time zone"),
        ({"confidence": 2.0}, "between 0 and 1"),
    ],
)
def test_a_label_that_is_none_is_refused(changes: dict[str, Any], says: str) -> None:
    """Each field is checked when a label is made."""
    values: dict[str, Any] = {"message": sha(1), "label": "x", "by": "a", "source": "csv", "at": AT}
    with pytest.raises(LabelError, match=says):
        Label(**{**values, **changes})


def test_a_folder_is_no_label_file(tmp_path: Path) -> None:
    """The error says what to name instead."""
    with pytest.raises(InputError, match=r"\.jsonl"):
        Labels(tmp_path)


FRAME = pd.DataFrame(
    {
        "folder": ["Queues/Billing", "Queues/Tech", "INBOX", "Queues/Tech", "Queues/Billing"],
        "sha256": [sha(1), sha(2), sha(3), sha(1), sha(4)],
    }
)


def test_folders_become_labels() -> None:
    """Each message of a mapped folder gets its category; a copy in two queues gets both, half sure."""
    said = from_folders(FRAME, {"Queues/Billing": "billing", "Queues/Tech": "technical"}, at=AT)
    found = {(s.message, s.label, s.confidence) for s in said}
    assert found == {
        (sha(1), "billing", 0.5), (sha(1), "technical", 0.5),
        (sha(2), "technical", 1.0), (sha(4), "billing", 1.0),
    }  # fmt: skip
    assert {s.source for s in said} == {"folder"}
    assert next(s for s in said if s.message == sha(2)).note == "Queues/Tech"


def test_a_message_in_two_queues_is_a_conflict(store: Labels) -> None:
    """Copies in two queues are put before a person."""
    store.merge(from_folders(FRAME, {"Queues/Billing": "billing", "Queues/Tech": "technical"}, at=AT))
    assert [c.message for c in store.conflicts()] == [sha(1)]


def test_a_folder_nobody_has_is_named_with_the_one_that_was_meant() -> None:
    """A typing error in the mapping is not an empty class."""
    with pytest.raises(LabelError, match="Did you mean 'Queues/Billing'"):
        from_folders(FRAME, {"Queues/Biling": "billing"})
    with pytest.raises(LabelError, match="no column 'folder'"):
        from_folders(pd.DataFrame({"a": [1]}), {"x": "y"})


def test_csv_is_read_with_its_optional_columns(tmp_path: Path) -> None:
    """A spreadsheet's byte order mark, blanks and capital letters do no harm."""
    path = tmp_path / "labels.csv"
    path.write_text(
        f"\ufeffmessage,label,by,note\n{sha(10).upper()}, billing ,anna,why\n{sha(11)},technical,,\n"
    )
    first, second = from_csv(path, at=AT)
    assert (first.message, first.label, first.by, first.note) == (sha(10), "billing", "anna", "why")
    assert (second.by, second.source) == ("labels.csv", "csv")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "no columns `message` and `label`"),
        ("", "no columns"),
        ("message,label\nabc,billing\n", r"labels\.csv:2"),
        (f"message,label\n{sha(1)},billing\n{sha(2)},\n", r"labels\.csv:3: the label is empty"),
        (f"message,label,confidence\n{sha(1)},billing,high\n", r"labels\.csv:2"),
    ],
)
def test_a_bad_csv_names_the_line(tmp_path: Path, text: str, says: str) -> None:
    """Wrong columns, hashes, labels and numbers each have their sentence."""
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(LabelError, match=says):
        from_csv(tmp_path / "labels.csv")


def test_labels_for_messages_that_are_gone_are_named(tmp_path: Path) -> None:
    """With the archive's hashes at hand, a label for none of them is an error with how many."""
    path = tmp_path / "labels.csv"
    path.write_text(f"message,label\n{sha(1)},billing\n{sha(2)},billing\n")
    assert len(from_csv(path, known=[sha(1), sha(2)])) == 2
    with pytest.raises(LabelError, match="1 of 2 labels are for messages that are not in the archive"):
        from_csv(path, known=[sha(1)])


def test_a_csv_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A spreadsheet saved in its own format."""
    (tmp_path / "labels.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(LabelError, match="UTF-8"):
        from_csv(tmp_path / "labels.csv")
