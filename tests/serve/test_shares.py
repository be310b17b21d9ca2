"""Several senders divide the mails between them: each mail has one sender, and none has two."""

from __future__ import annotations

import pytest

from serve.journal import outbox
from serve.supervisor import Supervisor
from tests.serve.room import KEY, Room
from tests.serve.service import mail


@pytest.mark.parametrize("of", [1, 2, 4])
def test_every_mail_has_one_sender(room: Room, of: int) -> None:
    """All shares together are all mails, no two shares hold the same, and none stands idle."""
    room.decide(*(mail(number) for number in range(10)))
    seen: list[str] = []
    with room.journal.write() as tx:
        for which in range(of):
            assert len(outbox.next_sends(tx, room.now, (which, of), 10)) >= 10 // of
            while (one := next(iter(outbox.next_sends(tx, room.now, (which, of))), None)) is not None:
                assert outbox.sending(tx, one.id)
                seen.append(one.message_id)
    assert len(seen) == len(set(seen)) == 10


def test_as_many_senders_as_connections(room: Room) -> None:
    """`connections` of [smtp] are that many roles."""
    sending = room.config.smtp.sending.model_copy(update={"connections": 3})
    smtp = room.config.smtp.model_copy(update={"sending": sending})
    config = room.config.model_copy(update={"smtp": smtp})
    made = Supervisor(config, room.journal, KEY, parts=["send"], clock=room.clock)
    names = [role[0] for role in made._roles()]
    assert [name for name in names if name.startswith("sender")] == ["sender", "sender 2", "sender 3"]
