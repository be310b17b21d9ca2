"""Our two mails: signed, from the corporate address, answered where the configuration says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.message import parse
from mailml.thread import verify_own_message_id
from mailml.verdict import Identity
from serve.acknowledgement import reply
from serve.config import Sending
from serve.instants import to_datetime
from tests.serve.room import KEY, Room
from tests.serve.service import US, mail


def test_the_acknowledgement_is_signed_and_ours(room: Room) -> None:
    """Its Message-ID proves the interaction to us and to nobody else."""
    (row,) = room.decide(mail(1))
    (sent,) = room.mails()
    message = parse(sent.raw)
    assert message.message_id == sent.message_id
    assert verify_own_message_id(sent.message_id, KEY) == row["reference"]
    assert verify_own_message_id(sent.message_id, b"another key of sixteen") is None
    assert message.from_ is not None
    assert message.from_.addr == US
    assert sent.sender == ""
    assert message.get("reply-to") is None


@pytest.mark.parametrize("reply_to", ["", "answers@acme.example"])
def test_answers_go_where_the_configuration_says(room: Room, reply_to: str) -> None:
    """Reply-To is the configured address, exactly once, or the corporate one."""
    made = reply(
        parse(mail(1)),
        "It is mended.",
        number=2,
        reference="K7Q2-9M4D",
        to="c@customer.example",
        identity=Identity(frozenset({"other@acme.example", US}), name="Acme"),
        sending=Sending.model_validate({"from": US, "reply_to": reply_to}),
        key=KEY,
        date=to_datetime(room.now),
    )
    message = parse(made.raw)
    assert len(message.all("reply-to")) == 1
    assert [one.addr for one in message.reply_to] == [reply_to or US]
    assert message.plain.strip() == "It is mended."


@pytest.mark.parametrize("bad", ["a@b\r\nBcc: c@d", "Name <a@b.example>", "nobody", "a b@c.example"])
def test_an_address_that_could_inject_is_refused(tmp_path: Path, bad: str) -> None:
    """Neither line ends nor names nor blanks get into our headers."""
    for key in ("from", "reply_to", "envelope"):
        with pytest.raises(ValueError):
            Sending.model_validate({"from": US, key: bad})
