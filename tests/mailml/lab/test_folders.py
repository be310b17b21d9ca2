"""Folder names are understood whatever server and language they come from."""

from __future__ import annotations

import pytest

from mailml.lab.folders import is_history, is_sent, queue_of

QUEUES = ("Billing", "Tech Support", "EU/Refunds")


@pytest.mark.parametrize(
    "name", ["Sent", "INBOX.Sent", "[Gmail]/Sent Mail", "Gesendete Elemente", "SENT ITEMS"]
)
def test_sent_folders_are_known(name: str) -> None:
    """Our own mail is found under the names that servers give its folder."""
    assert is_sent(name)


@pytest.mark.parametrize("name", ["INBOX", "Queues/Billing", "Presented", "Sent/2024"])
def test_other_folders_are_not_sent(name: str) -> None:
    """A name that merely holds the letters is not the Sent folder."""
    assert not is_sent(name)


@pytest.mark.parametrize(
    ("folder", "queue"),
    [
        ("Queues/Billing", "Billing"),
        ("INBOX.queues.billing", "Billing"),
        ("Billing", "Billing"),
        ("Queues/Tech Support", "Tech Support"),
        ("Queues/EU/Refunds", "EU/Refunds"),
        ("INBOX", ""),
        ("Queues/NotBilling", ""),
    ],
)
def test_queue_folders_are_matched_by_name(folder: str, queue: str) -> None:
    """The queue's name must be whole: a folder that ends in the same letters is another folder."""
    assert queue_of(folder, QUEUES) == queue


def test_drafts_and_trash_are_no_history() -> None:
    """What was never sent, and what was thrown away, says nothing about routing."""
    assert not is_history("INBOX.Drafts")
    assert not is_history("Papierkorb")
    assert is_history("Queues/Billing")
