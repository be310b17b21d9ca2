"""The report on automated mail finds what the Sent folder proves wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.lab.autoreply_report import AutoreplyReport
from mailml.lab.autoreply_truth import followed, named
from mailml.lab.labels import Label, Labels

History = Callable[..., pd.DataFrame]


def _rows(history: History) -> pd.DataFrame:
    bounce: dict[str, Any] = {"kind": "bounce", "row": "3", "ack_reason": "bounce"}
    return history(
        {
            "at": "2026-03-05 09:00",
            "thread": "A",
            "row": "10",
            "kind": "list_bulk",
            "ack_reason": "list_bulk",
            "subject": "<b onclick=x>",
        },
        {"at": "2026-03-05 10:00", "thread": "A", "row": "", "kind": "", "sent": True},
        {"at": "2026-04-05 09:00", "thread": "B", **bounce},
        {"at": "2026-04-05 09:01", "thread": "B", "row": "", "kind": "", "sent": True, "automatic": True},
        {"at": "2026-04-06 09:00", "thread": "C", "row": "14"},
    )


def test_answered_and_acknowledged_machines_are_told_apart(history: History) -> None:
    """A person's answer shows a person silenced, an automatic one a machine acknowledged."""
    report = lab.autoreply_report(_rows(history))
    assert list(report.silenced()["evidence"]) == ["row 10: a mailing list or bulk mail"]
    assert list(report.acked()["evidence"]) == ["row 3: a delivery report"]
    assert report.by_month().loc["2026-04", "bounce"] == 1


def test_labels_give_precision_and_recall(history: History, tmp_path: Path) -> None:
    """Only messages with the labels automated or human count."""
    store, at = Labels(tmp_path / "labels.jsonl"), datetime(2026, 5, 1, tzinfo=UTC)
    said = {0: "human", 2: "automated", 4: "automated"}
    store.add([Label(f"{n:064x}", label, "anna", "panel", at) for n, label in said.items()])
    report = lab.autoreply_report(_rows(history), labels=store)
    assert (report.precision.hits, report.precision.of) == (1, 2)
    assert (report.recall.hits, report.recall.of) == (1, 2)


def test_strangers_words_stay_text(history: History) -> None:
    """Subjects are escaped and addresses masked in the notebook."""
    shown = lab.autoreply_report(_rows(history))._repr_html_()
    assert "&lt;b onclick=x&gt;" in shown
    assert "<b onclick" not in shown
    assert "anna@customer" not in shown


def test_on_an_archive_the_evidence_is_shown(mailbox: Archive, plain_bundle: Bundle) -> None:
    """An archive is replayed with the bundle and every machine's mail has evidence."""
    report = lab.autoreply_report(mailbox, plain_bundle)
    machines = report.incoming[report.incoming["kind"].ne("human")]
    assert len(machines)
    assert machines["evidence"].ne("").all()
    with pytest.raises(InputError, match="needs a bundle"):
        lab.autoreply_report(mailbox)


def test_the_rows_that_decided_stand_in_the_order_of_the_table(
    mailbox: Archive, plain_bundle: Bundle
) -> None:
    """Each with what it says, how many mails it decided, and the evidence of one of them."""
    report = lab.autoreply_report(mailbox, plain_bundle)
    rows = report.rows()
    assert rows["messages"].sum() == len(report.incoming)
    numbers = [int(str(number).rstrip("b")) for number in rows.index]
    assert numbers == sorted(numbers)
    assert rows["says"].ne("").all()
    assert rows.loc[rows["kind"].ne("human"), "for example"].ne("").all()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("5", "calendar"),
        ("11", "robot_sender"),
        ("12", "suppress_requested"),
        ("14", "spam"),
        ("14", "not_addressed_to_us"),
        ("14", "no_sender"),
    ],
)
def test_people_denied_an_acknowledgement_for_what_their_mail_is_are_silenced_too(
    history: History, row: str, why: str
) -> None:
    """Not only other kinds: a person who asked for no answer and got one by hand stands there."""
    person = {"at": "2026-03-05 09:00", "row": row, "ack_reason": why}
    answer = {"at": "2026-03-05 11:00", "sent": True, "kind": "", "row": ""}
    found = lab.autoreply_report(history(person, answer)).silenced()
    assert list(found["how"]) == ["no acknowledgement"]
    assert found["evidence"].iloc[0].startswith(f"row {row}: ")
    assert lab.autoreply_report(history(person)).silenced().empty


@pytest.mark.parametrize("why", ["", "already_acked", "answered", "limit", "too_old", "switched_off"])
def test_reasons_of_the_conversation_silence_nobody(history: History, why: str) -> None:
    """A second mail needs no second acknowledgement: that is no judgement of the message."""
    person = {"at": "2026-03-05 09:00", "row": "14", "ack_reason": why}
    answer = {"at": "2026-03-05 11:00", "sent": True, "kind": "", "row": ""}
    assert lab.autoreply_report(history(person, answer)).silenced().empty


def test_filed_mail_is_told_from_a_withheld_acknowledgement(history: History) -> None:
    """Filed although answered is the worse of the two, and says so."""
    filed = {
        "at": "2026-03-05 09:00",
        "kind": "bounce",
        "row": "3",
        "disposition": "file",
        "ack_reason": "bounce",
    }
    answer = {"at": "2026-03-05 11:00", "sent": True, "kind": "", "row": ""}
    report = lab.autoreply_report(history(filed, answer))
    assert list(report.silenced()["how"]) == ["filed"]
    page = report.page().html()
    assert "Filed although a person answered" in page
    assert "row 3: a delivery report" in page


def test_our_own_automatic_mail_between_hides_no_answer(history: History) -> None:
    """Acknowledged, then answered by a person: both are seen; an answer to a later mail is not."""
    ours = {"sent": True, "kind": "", "row": ""}
    frame = history(
        {"at": "2026-03-05 09:00", "thread": "A"},
        {"at": "2026-03-05 09:01", "thread": "A", **ours, "automatic": True},
        {"at": "2026-03-05 11:00", "thread": "A", **ours},
        {"at": "2026-03-05 09:00", "thread": "B"},
        {"at": "2026-03-05 10:00", "thread": "B"},
        {"at": "2026-03-05 11:00", "thread": "B", **ours},
    )
    found = followed(frame)
    assert list(found["answered"]) == [True, False, False, False, True, False]
    assert list(found["acked_in_sent"]) == [True, False, False, False, False, False]


def test_an_answer_is_to_the_mail_it_names(history: History) -> None:
    """An out-of-office between a person's mail and the answer takes the answer from nobody."""
    frame = history(
        {"at": "2026-03-05 09:00"},
        {"at": "2026-03-05 10:00", "kind": "auto_reply"},
        {"at": "2026-03-05 11:00", "sent": True, "kind": "", "row": ""},
    )
    shas = list(frame["sha256"])
    names = {shas[0]: ("<1@x>", ""), shas[1]: ("<2@x>", ""), shas[2]: ("<3@us>", "<1@x>")}
    assert list(followed(frame, names)["answered"]) == [True, False, False]
    names[shas[2]] = ("<3@us>", "<unknown@x>")
    assert list(followed(frame, names)["answered"]) == [False, True, False]


def test_a_category_given_by_hand_says_that_a_person_wrote_it(history: History, tmp_path: Path) -> None:
    """A label "billing" from the panel counts as human; the same mined from folders says nothing."""
    store, at = Labels(tmp_path / "labels.jsonl"), datetime(2026, 5, 1, tzinfo=UTC)
    store.add(
        [
            Label(f"{0:064x}", "billing", "anna", "panel", at),
            Label(f"{2:064x}", "billing", "folders", "mined", at),
        ]
    )
    report = lab.autoreply_report(_rows(history), labels=store)
    assert (report.denied.hits, report.denied.of) == (1, 1)
    assert (report.filed.hits, report.filed.of) == (0, 1)
    assert report.recall.of == 0


def test_against_the_truth_of_the_sample_mailbox_the_answers_are_exact(
    mailbox: Archive, plain_bundle: Bundle
) -> None:
    """Every answered mail is found and no other, as the generator of the sample knows it."""
    threads: dict[str, list[Any]] = {}
    for message in sorted(lab.sample.generate(messages=400, hostile=True), key=lambda one: one.received):
        threads.setdefault(message.truth["thread"] or message.truth["sha256"], []).append(message.truth)
    expected = set()
    for thread in threads.values():
        for place, truth in enumerate(thread):
            later = [one["role"] for one in thread[place + 1 :] if one["role"] != "ack"]
            if truth["role"] not in ("agent", "ack") and later[:1] == ["agent"]:
                expected.add(truth["sha256"])
    report = lab.autoreply_report(mailbox, plain_bundle)
    found = report.incoming[report.incoming["answered"]]
    assert set(found["sha256"]) == expected
    assert len(expected) > 50
    # the table silences nobody there; were every third mail misjudged, exactly the answered ones would show
    assert report.silenced().empty
    worse = lab.replay(mailbox, plain_bundle)
    worse.loc[worse.index[::3], ["disposition", "ack_reason"]] = ["file", "bounce"]
    misjudged = set(worse.loc[worse.index[::3], "sha256"])
    shown = AutoreplyReport(worse, names=named(mailbox)).silenced()
    assert set(shown["sha256"]) == expected & misjudged


def test_the_report_on_automated_mail_shows_proof_and_evidence(
    mailbox: Archive, plain_bundle: Bundle
) -> None:
    """Kinds by week, acknowledgements withheld and why, loops stopped, filed although answered."""
    page = lab.report("automated", mailbox, plain_bundle)
    titles = [section.title for section in page.sections]
    assert titles == [
        "Kinds of automated mail",
        "Acknowledgements withheld",
        "Loops stopped",
        "Filed",
        "Filed although a person answered",
        "No acknowledgement although a person answered",
        "Acknowledged although automated",
    ]


def test_a_report_without_labels_says_how_to_get_them(history: History) -> None:
    """No share is made up where nothing was labelled."""
    page = lab.autoreply_report(_rows(history)).page().html()
    assert "No message carries a label yet" in page
    assert "&lt;b onclick=x&gt;" in page
    assert "<b onclick" not in page
    assert "anna@customer" not in page
