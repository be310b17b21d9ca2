"""The notebook tells a decision as the terminal does, in the conversation it stood in."""

from __future__ import annotations

import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.lab.replay import replay


def test_it_tells_the_decision_of_the_replay(mailbox: Archive, word_bundle: Bundle) -> None:
    """Queue, rule and acknowledgement are those of the history, replies in their conversation included."""
    rows = replay(mailbox, word_bundle)
    incoming = rows[~rows["sent"]]
    replies = incoming[~incoming["opens"] & incoming["ack_reason"].isin(["already_acked", "answered"])]
    for row in [*incoming.head(5).to_dict("records"), *replies.head(5).to_dict("records")]:
        made = lab.trace(mailbox, row["sha256"], word_bundle)
        assert (made.decision.queue, made.decision.ack.send) == (row["queue"], row["ack"])
        assert str(row["rule"]) in str(made)
        assert "├─ rules" in str(made)
        assert row["from_addr"] not in str(made)
        assert "<pre" in made._repr_html_()
    opens = incoming[incoming["from_addr"].ne("")].iloc[0]
    assert opens["from_addr"] in str(lab.trace(mailbox, opens["sha256"], word_bundle, addresses=True))


def test_alone_it_opens_a_conversation(mailbox: Archive, word_bundle: Bundle) -> None:
    """Decided alone, a reply that was acknowledged before is acknowledged again."""
    rows = replay(mailbox, word_bundle)
    reply = rows[rows["ack_reason"].eq("already_acked")].iloc[0]["sha256"]
    assert not lab.trace(mailbox, reply, word_bundle).decision.ack.send
    assert lab.trace(mailbox, reply, word_bundle, alone=True).decision.ack.send


def test_hostile_mail_is_text(mailbox: Archive, word_bundle: Bundle) -> None:
    """A subject that is a script stands there escaped."""
    rows = replay(mailbox, word_bundle)
    for sha in rows[rows["from_addr"].eq("mallory@evil.test")]["sha256"]:
        html = lab.trace(mailbox, sha, word_bundle)._repr_html_()
        assert "<img" not in html
        assert "<script" not in html


def test_our_own_mail_is_decided_by_nobody(mailbox: Archive, word_bundle: Bundle) -> None:
    """A sent mail has no decision; a message that is not here is named."""
    rows = replay(mailbox, word_bundle)
    with pytest.raises(InputError, match="is our own mail"):
        lab.trace(mailbox, rows[rows["sent"]].iloc[0]["sha256"], word_bundle)
    with pytest.raises(InputError, match="is in the archive"):
        lab.trace(mailbox, "0" * 64, word_bundle)
