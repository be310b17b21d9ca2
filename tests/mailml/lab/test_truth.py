"""In which queue each message belonged: by folders, labels, who answered; what cannot be used is said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mailml import lab
from mailml.archive import Archive, Arrival
from mailml.bundle import Bundle
from mailml.errors import InputError, NotEnoughData
from mailml.flow import source
from mailml.lab import truth
from mailml.lab.replay import replay
from mailml.lab.truth import check_truth


def test_folders_say_where_agents_left_a_message(mailbox: Archive, word_bundle: Bundle) -> None:
    """Each incoming message in the folder of one of the flow's queues, and nothing else."""
    found = truth.folders(mailbox, word_bundle)
    rows = lab.frame(mailbox, word_bundle, text=False)
    lies = {
        sha: folder.removeprefix("Queues/")
        for sha, folder, sent in rows[["sha256", "folder", "sent"]].itertuples(index=False)
        if folder.removeprefix("Queues/") in word_bundle.flow.queues() and not sent
    }
    assert found == lies
    assert len(set(found.values())) > 2


def test_labels_name_a_queue_or_a_category(word_bundle: Bundle) -> None:
    """A category stands for the one queue that rules fill by it; a typo is told with what was meant."""
    flow = source.loads(
        'default = "General Support"\n'
        '[[rule]]\nname = "a"\nwhen = { category = "billing" }\nthen = { queue = "Billing" }\n'
        '[[rule]]\nname = "b"\nwhen = { category = "technical" }\nthen = { queue = "One" }\n'
        '[[rule]]\nname = "c"\nwhen = { is_reply = true }\nthen = { queue = "One" }\n'
    )
    bundle = replace(word_bundle, flow=flow)
    said = {"1": "billing", "2": "One", "3": "technical", "4": "general", "5": "automated"}
    # "technical" shares its queue with other mail, and nothing says where automated mail belonged
    assert truth.labelled(said, bundle) == {"1": "Billing", "2": "One", "4": "General Support"}
    with pytest.raises(InputError, match="Did you mean 'Billing'"):
        truth.labelled({"1": "Biling"}, bundle)


def test_who_answered_says_the_queue(mailbox: Archive, word_bundle: Bundle) -> None:
    """An agent's queue is where most lies of what he or she answered; `teams` may say it instead."""
    found = truth.answered(mailbox, word_bundle)
    left = truth.folders(mailbox, word_bundle)
    both = [sha for sha in found if sha in left]
    agree = sum(found[sha] == left[sha] for sha in both)
    assert agree / len(both) > truth.LOYAL
    rows = replay(mailbox, word_bundle)
    answers = rows[rows["sent"] & ~rows["automatic"]]
    address = Counter(answers["from_addr"]).most_common(1)[0][0]
    told = truth.answered(mailbox, word_bundle, {address.upper(): "Billing"})
    assert set(told.values()) == {"Billing"}
    assert set(told) <= set(rows[~rows["sent"]]["sha256"])


def test_an_archive_in_which_nobody_answers_has_no_such_truth(
    mailbox: Archive, word_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without Sent nobody's queue is known, and the cure says what to pull."""
    bare = Archive.open(tmp_path_factory.mktemp("bare") / "a", create=True)
    rows = lab.frame(mailbox, word_bundle, text=False)
    some = rows[~rows["sent"]].head(5)
    bare.append(
        Arrival("a", "INBOX", 1, n, mailbox.raw(row["sha256"]), row["internaldate"].to_pydatetime())
        for n, row in enumerate(some.to_dict("records"), 1)
    )
    with pytest.raises(NotEnoughData, match="Pull the Sent folder"):
        truth.answered(bare, word_bundle)


def test_a_truth_of_another_archive_is_refused() -> None:
    """What is only partly of use is used and said; what is of none is refused."""
    queues = ["Billing", "Tech Support"]
    assert check_truth({"1": "Billing"}, {"1"}, queues) == ""
    assert "1 of 2 messages" in check_truth({"1": "Billing", "2": "Billing"}, {"1"}, queues)
    assert "'Sales', to which neither" in check_truth({"1": "Billing", "2": "Sales"}, {"1", "2"}, queues)
    with pytest.raises(InputError):
        check_truth({"2": "Billing"}, {"1"}, queues)
    with pytest.raises(InputError, match="neither flow has such a queue"):
        check_truth({"1": "Sales"}, {"1"}, queues)
