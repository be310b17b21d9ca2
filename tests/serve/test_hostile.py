"""Hostile mail and prying eyes: headers of ours, terminals, logs, files and errors give nothing away."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import stat
from pathlib import Path
from unittest.mock import patch

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from mailml.errors import InputError
from mailml.text.printable import json_text
from mailml.transport.account import Account
from mailml.verdict import Context
from serve import logs, worker
from serve.filed import digest, undo
from serve.journal import incoming, quarantine
from serve.keys import loop_key
from serve.replying import put_reply
from serve.showing import every_decision, status, status_lines
from tests.serve.room import KEY, Room, stored
from tests.serve.service import mail

ENDS = ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egpj.exe\u2066"
FIELDS = {
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "Reply-To",
    "X-Auto-Response-Suppress", "Precedence", "X-Mailml-Loop", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding", "Cc",
}  # fmt: skip


def encoded(words: str) -> str:
    """The words as an RFC 2047 word: what hides line ends from every relay on the way."""
    return "=?utf-8?b?" + base64.b64encode(words.encode()).decode() + "?="


def fields_of(raw: bytes) -> list[str]:
    """The names of the header fields; AssertionError where a line of the header is no field."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\n" not in (head + body).replace(b"\r\n", b"")
    assert b"\r" not in (head + body).replace(b"\r\n", b"")
    names = []
    for line in head.split(b"\r\n"):
        assert len(line) < 998
        if not line.startswith((b" ", b"\t")):
            name, colon, _ = line.partition(b":")
            assert colon
            names.append(name.decode("ascii"))
    return names


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_nothing_in_a_mail_starts_a_field_of_our_answers(room: Room, end: str) -> None:
    """Line ends of every kind in subject, name, address, ids: an acknowledgement has its own fields, once."""
    smuggled = f"hello{end}Bcc: victim@else.example{end}{end}<script>"
    room.decide(
        mail(1, subject=encoded(smuggled), sender=f"{encoded(smuggled)} <c1@customer1.example>"),
        mail(
            2,
            sender=f'"{encoded(smuggled)}" <c2@customer2.example>',
            Reply_To=f"<c2{encoded(end)}@x.example>",
        ),
        mail(
            3,
            Message_ID=f"<{encoded(smuggled)}@x.example>",
            References=f"<a@b>{end} <c@d>{end}Bcc: x@y.example",
        ),
        mail(4, subject="plain", sender=f"Ann{end} <c4@customer4.example>"),
    )
    sent = room.mails()
    assert sent
    for one in sent:
        names = fields_of(one.raw)
        assert set(names) <= FIELDS
        assert len(names) == len(set(names))
        assert one.recipient.isascii()
        assert one.recipient.isprintable()


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_an_agents_command_cannot_be_made_to_smuggle_either(room: Room, end: str) -> None:
    """Recipient, copies, agent and text of a reply: refused, or one clean mail."""
    (line,) = room.decide(mail(1))
    identity = room.bundles.current.desk.identity
    bad = f"c1@customer1.example{end}Bcc: victim@else.example"
    good = {"identity": identity, "sending": room.config.smtp.sending, "key": KEY, "clock": room.clock}
    with pytest.raises(InputError):
        put_reply(room.journal, line["reference"], "text", to=bad, **good)
    with pytest.raises(InputError):
        put_reply(room.journal, line["reference"], "text", cc=[bad], **good)
    made = put_reply(
        room.journal, line["reference"], f"text{end}.{end}Bcc: x", agent=f"Eve{end}Bcc: x@y.z", **good
    )
    assert set(fields_of(made.raw)) <= FIELDS
    assert made.raw.lower().partition(b"\r\n\r\n")[0].count(b"\r\nbcc") == 0


def shown(room: Room) -> str:
    """Everything the commands print for people."""
    told = [repr(one) for one in digest(room.journal, 99_999, clock=room.clock)]
    told += [
        f"{one.sender} {one.subject} {one.evidence}" for one in digest(room.journal, 99_999, clock=room.clock)
    ]
    return "\n".join([*told, *status_lines(status(room.journal, room.config, clock=room.clock))])


def test_no_mail_reaches_a_terminal_or_a_log_alive(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and reversed text in every field: what people and logs see is printable."""
    out = io.StringIO()
    with patch("sys.stderr", out):
        logs.configure()
        structlog.get_logger("test").warning("seen", subject=ESCAPES, why=f"a\r\n{ESCAPES}\u2028b")
        room.decide(
            mail(1, subject=encoded(ESCAPES), sender=f'"{encoded(ESCAPES)}" <c1@customer1.example>'),
            mail(2, Auto_Submitted=f"auto-replied; {ESCAPES}", subject=f"Automatic reply {ESCAPES}"),
        )
    structlog.reset_defaults()
    with room.journal.write() as tx:
        incoming.failed(tx, room.mailbox, room.now, f"the server said {ESCAPES}")
    for line in out.getvalue().splitlines():
        assert line.isprintable()
        json.loads(line)
    assert "seen" in out.getvalue()
    assert digest(room.journal, 99_999, clock=room.clock)
    assert all(line.isprintable() for line in shown(room).splitlines())
    assert capsys.readouterr().out == ""


def test_decisions_as_json_show_nothing_invisible(room: Room) -> None:
    """The lines for programs hold every character and show none that is invisible."""
    room.decide(mail(1, subject=encoded(ESCAPES)))
    (line,) = every_decision(room.journal)
    assert json_text(line).isprintable()
    assert json.loads(json_text(line))["subject"] == line["subject"]


@pytest.mark.parametrize("queue", ["", "  ", "Billing\r\nx DELETE INBOX", "\u202egnilliB", "a\x00b"])
def test_a_queue_named_by_hand_is_a_name(room: Room, queue: str) -> None:
    """Filed mail is put back into a folder that can be written on one line, or nowhere."""
    room.decide(mail("ooo", subject="Automatic reply: away", Auto_Submitted="auto-replied"))
    with pytest.raises(InputError, match="is no queue"):
        undo(room.journal, 1, room.config.mailboxes[0], queue)


def test_files_of_the_service_are_its_owners_alone(tmp_path: Path) -> None:
    """Journal with its log and locks, key and labels: nobody else may read or write them."""
    room = Room(tmp_path / "room")
    room.decide(mail("ooo", subject="Automatic reply: away", Auto_Submitted="auto-replied"))
    undo(
        room.journal,
        1,
        room.config.mailboxes[0],
        "Billing",
        labels=room.config.path.with_name("labels.jsonl"),
    )
    loop_key(room.config.service, {})
    made = [path for path in (tmp_path / "room").iterdir() if path.is_file()]
    assert {path.name for path in made} >= {
        "journal.sqlite",
        "journal.sqlite-wal",
        "loop.key",
        "labels.jsonl",
    }
    for path in made:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path.name
    room.journal.close()


def test_errors_of_the_database_name_no_values(room: Room) -> None:
    """A statement that fails tells what failed, never the mail it was about."""
    with pytest.raises(DatabaseError) as caught, room.journal.write() as tx:
        tx.execute(text("insert into nowhere values (:raw)"), {"raw": "a customer's secret"})
    assert "secret" not in str(caught.value)


def test_secrets_show_nowhere(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the configuration's repr nor an account's, its words for errors or any log names a password."""
    table = {"host": "127.0.0.1", "port": 1, "security": "none", "user": "u", "password": "open sesame"}
    account = Account.from_mapping(table, name="desk")
    with caplog.at_level(logging.DEBUG):
        told = [repr(account), str(account), account.where, f"{account!r:.9999}", repr(room.config)]
    assert not any("sesame" in one for one in [*told, caplog.text])
    room.decide(mail(1))
    with room.journal.read() as tx:
        stored_context = tx.execute(text("select context from decisions")).scalar_one()
    context = Context.from_plain(json.loads(stored_context), loop_key=KEY)
    assert KEY.decode() not in f"{context!r}{stored_context}"


def test_a_mail_that_kills_its_reader_is_set_aside_unread(room: Room) -> None:
    """After as many deaths as are forgiven it is quarantined without being read again; the others go on."""
    room.store(mail(1), mail(2))
    for _ in range(room.config.service.max_attempts + 4):
        with room.journal.write() as tx:
            tx.execute(text("update incoming set attempts = attempts + 1 where id = 1"))
    reads: list[int] = []
    real = worker._read
    with patch.object(worker, "_read", lambda one: (reads.append(one.id), real(one))[1]):
        while room.worker.batch():
            pass
    assert reads == [2]
    first, second = room.all()
    assert (first["state"], second["state"]) == ("quarantined", "decided")
    with room.journal.read() as tx:
        assert "the process ended" in str(quarantine.held(tx)[0]["reason"])


def test_only_so_many_bytes_are_taken_up_together(room: Room) -> None:
    """Small mails come by the batch, large ones alone, in their order, and none is left behind."""
    sizes = [10, 20, 40, 5, 100, 100, 1]
    with room.journal.write() as tx:
        for uid, size in enumerate(sizes, 1):
            one = stored(uid, mail(uid), room.now)
            incoming.store(tx, room.mailbox, 1, [incoming.Mail(**{**_plain(one), "size": size})], room.now)
        batches = []
        while ids := incoming.claim(tx, room.now, most_bytes=70):
            batches.append([sizes[number - 1] for number in ids])
            for number in ids:
                incoming.finish(tx, number, "decided", room.now)
    assert batches == [[10, 20, 40], [5], [100], [100], [1]]


def _plain(one: incoming.Mail) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_a_log_that_cannot_be_written_costs_no_mail(room: Room) -> None:
    """With a full log partition every mail is decided all the same, and nothing is set aside."""
    full = io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True)  # type: ignore[arg-type]
    with patch("sys.stderr", full):
        logs.configure()
        lines = room.decide(mail(1), mail(2))
        structlog.get_logger("test").error("nobody reads this")
    with contextlib.suppress(OSError):
        full.close()
    structlog.reset_defaults()
    assert [line["state"] for line in lines] == ["decided", "decided"]
