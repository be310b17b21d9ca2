"""Moving mail on servers with and without MOVE, cut and killed at every step: one copy there, none here."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from mailml.errors import MailmlError
from mailml.transport.imap import ImapSession
from serve.config import Config
from serve.filed import undo
from serve.journal import Journal, Tx, events, outbox, quarantine
from serve.keys import loop_key
from serve.outbox import Mover
from serve.supervisor import Supervisor
from tests.scenarios.conftest import logs_in
from tests.serve.service import Service, mail
from tests.servers import child
from tests.servers.dovecot import Dovecot, User
from tests.servers.dovecot_config import Settings
from tests.servers.fault_proxy import FaultProxy
from tests.servers.missing import ServerMissing
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.scenario

QUEUE = "Queues/General Support"


@pytest.fixture(scope="module")
def without_move() -> Iterator[Dovecot]:
    """A Dovecot that says it has UIDPLUS, but not MOVE."""
    try:
        server = Dovecot(Settings(capability="IMAP4rev1 UIDPLUS LITERAL+ AUTH=PLAIN"))
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with server:
        yield server


@pytest.fixture(params=["MOVE", "COPY"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Service]:
    """A service on a server with MOVE, and on one that can only copy."""
    name = "dovecot_server" if request.param == "MOVE" else "without_move"
    made = _service(tmp_path, request.getfixturevalue(name).user(), smtp_sink)
    yield made
    made.__exit__()


def _service(folder: Path, user: User, sink: SmtpSink) -> Service:
    child.wait_until(lambda: logs_in(user), 10, "the new mailbox")
    return Service(folder / "serve", user, sink)


class Turn:
    """Mail that is decided and waits for its move; `mover` makes a fresh one, as after a restart."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.journal = service.journal
        self.number = 0

    def fill(self) -> int:
        """Three more mails: usual, without a Message-ID, and the same bytes a second time."""
        self.number += 1
        twice = mail(f"t{self.number}", Message_ID="", subject="Nameless", body="same words")
        with self.service.mailbox.client() as client:
            for raw in (mail(self.number, subject=f"Topic {self.number}"), twice, twice):
                client.append("INBOX", raw)
        self.decide()
        return 3 * self.number

    def decide(self) -> None:
        """Store and decide what is in the inbox; nothing is moved."""
        supervisor = Supervisor(self.service.config, self.journal, loop_key(self.service.config.service))
        supervisor.watchers[0].once()
        supervisor._decide_all()

    def mover(self, port: int | None = None) -> Mover:
        """A mover of a process that has just started, perhaps through a proxy."""
        config: Config = self.service.config
        mailbox = config.mailboxes[0]
        account = replace(mailbox.account, port=port or mailbox.account.port)
        return Mover(self.journal, mailbox.model_copy(update={"account": account}), config)

    def killed(self, when: int) -> Death:
        """A mover that dies at its n-th step, or comes through when there are fewer."""
        death = Death(when)
        with death.lurking(), contextlib.suppress(_DiedError):
            self.mover().once()
        return death

    def waiting(self) -> int:
        """Moves that have not found their end."""
        with self.journal.read() as tx:
            return outbox.waiting(tx, ["move"])

    def judge(self, count: int) -> None:
        """Every mail lies in its queue's folder once, and nowhere else."""
        assert self.service.folders() == {QUEUE: count}
        assert self.waiting() == 0
        with self.service.mailbox.client() as client:
            client.select_folder(QUEUE, readonly=True)
            uids = client.search("ALL")
            flags = client.get_flags(uids)
        assert not any(b"\\Deleted" in flags[uid] for uid in uids)
        with self.journal.read() as tx:
            moves = tx.exec_driver_sql("select state, remote_uid from outbox where effect = 'move'").all()
        assert {state for state, _ in moves} == {"done"}
        assert sorted(uid for _, uid in moves) == sorted(uids), "two moves claim one mail"


def commands(turn: Turn) -> list[int]:
    """After how many bytes each command of one whole round of the mover ends."""
    turn.fill()
    with FaultProxy(turn.service.imap["port"]) as proxy:
        turn.mover(proxy.port).once()
        sent = proxy.sent
    assert any(verb in sent for verb in (b"UID MOVE", b"UID COPY"))
    # nothing is changed before the inbox is opened
    return [at + 2 for at in range(sent.index(b"SELECT"), len(sent)) if sent.startswith(b"\r\n", at)]


def test_cut_at_every_command(desk: Service) -> None:
    """The line is cut before or after any command: the next process finishes what is open, once."""
    turn, cuts = Turn(desk), 0
    ends = commands(turn)
    for end in ends:
        for cut in (end - 1, end):
            count = turn.fill()
            with FaultProxy(desk.imap["port"]) as proxy:
                proxy.cut_after(cut, "up")
                with contextlib.suppress(MailmlError):
                    turn.mover(proxy.port).once()
            cuts += proxy.cuts
            turn.mover().once()
            turn.judge(count)
    assert cuts > len(ends), "the line was seldom cut"


class _DiedError(BaseException):
    """The process is gone: no handler of ours may run on."""


class Death:
    """Ends the process at the n-th step: before or after a command that changes something, or a commit."""

    def __init__(self, when: int) -> None:
        self.when, self.steps = when, 0

    @property
    def survived(self) -> bool:
        """Whether there were fewer steps than that."""
        return self.steps < self.when

    def step(self) -> None:
        """One more place to die at."""
        self.steps += 1
        if self.steps == self.when:
            raise _DiedError

    @contextlib.contextmanager
    def lurking(self) -> Iterator[None]:
        """While this holds, every step may be the last."""
        with contextlib.ExitStack() as stack:
            for name in ("move", "copy", "expunge", "create_folder", "examine", "select"):
                stack.enter_context(patch.object(ImapSession, name, self._around(getattr(ImapSession, name))))
            stack.enter_context(patch.object(Journal, "write", self._write(Journal.write)))
            yield

    def _around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def deadly(*arguments: Any, **options: Any) -> Any:
            self.step()
            done = act(*arguments, **options)
            self.step()
            return done

        return deadly

    def _write(self, write: Callable[..., Any]) -> Callable[..., Any]:
        @contextlib.contextmanager
        def deadly(journal: Journal) -> Iterator[Tx]:
            with write(journal) as tx:
                yield tx
                self.step()  # before the commit
            self.step()

        return deadly


def test_killed_at_every_step(desk: Service) -> None:
    """Killed before or after any command or commit, also while finishing an earlier death: once each."""
    turn = Turn(desk)
    for when in itertools.count(1):
        count = turn.fill()
        death = turn.killed(when)
        if death.survived:
            break
        turn.killed(1 + when * 7 % 11)
        turn.mover().once()
        turn.judge(count)
    assert when > 6


def test_a_refused_folder_is_looked_at_and_not_filled_twice(desk: Service) -> None:
    """A folder that is there and refuses is not made again, and what was refused is moved once later."""
    turn = Turn(desk)
    turn.fill()
    turn.mover().once()
    folder = desk.mailbox.maildir(QUEUE)
    closed = [folder / "tmp", folder / "new", folder / "cur", folder]
    count = turn.fill()
    for path in closed:
        path.chmod(0o500)
    with FaultProxy(desk.imap["port"]) as proxy:
        turn.mover(proxy.port).once()
        asked = proxy.commands()
    for path in closed:
        path.chmod(0o700)
    assert "CREATE" not in asked
    assert asked.count("UID MOVE") + asked.count("UID COPY") == 1
    assert turn.waiting() == 3
    desk.wait(lambda: turn.mover().once() or not turn.waiting(), "the second try")
    turn.judge(count)


def test_filed_mail_put_back_is_found_after_a_death(desk: Service) -> None:
    """Put back into a queue and killed anywhere, the mail ends in that queue, and is never called gone."""
    journal = desk.journal
    for when in itertools.count(1):
        desk.mailbox.deliver(
            mail(when, subject="Automatic reply: away", Auto_Submitted="auto-replied", Message_ID="")
        )
        turn = Turn(desk)
        turn.decide()
        turn.mover().once()
        number = desk.decisions()[-1]["number"]
        undo(journal, number, desk.config.mailboxes[0], "Billing")
        death = turn.killed(when)
        turn.mover().once()
        assert desk.folders() == {"Queues/Billing": when}
        states = [one["state"] for one in desk.decisions()[-1]["effects"] if one["effect"] == "move"]
        assert states == ["done", "done"]
        if death.survived:
            break
    assert when > 6


def test_only_the_very_same_bytes_are_taken_for_the_mail(desk: Service) -> None:
    """A stranger's mail with the same Message-ID and size in the folder is no copy of ours."""
    with desk.mailbox.client() as client:
        client.create_folder(QUEUE)
        client.append(QUEUE, mail(1, body="Other words, same length."))
        client.append("INBOX", mail(1, body="These words, same length."))
    turn = Turn(desk)
    turn.decide()
    turn.mover().once()
    assert desk.folders() == {QUEUE: 2}


def test_a_mail_of_which_only_the_head_is_kept_is_moved_once(desk: Service) -> None:
    """Set aside, tried again, and killed after its copy: the head's hash is enough to know it again."""
    desk.serve["max_message_mb"] = 0.05
    journal = desk.journal
    for when in itertools.count(1):
        desk.mailbox.deliver(mail(when, body=f"{when} words " * 20_000))
        turn = Turn(desk)
        turn.decide()
        assert desk.folders()["INBOX"] == 1
        number = desk.decisions()[-1]["number"]
        with journal.write() as tx:
            assert quarantine.retry(tx, number, 0)
        turn.decide()
        desk.serve["max_message_mb"] = 0.04  # changed meanwhile: what was hashed is what counts
        death = turn.killed(when)
        turn.mover().once()
        desk.serve["max_message_mb"] = 0.05
        assert desk.folders() == {QUEUE: when}
        if death.survived:
            break
    assert when > 6


def test_what_cannot_be_taken_away_is_told(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    """With MOVE but without UIDPLUS a mail that lies in both folders stays, and is an alarm, once."""
    with Dovecot(Settings(capability="IMAP4rev1 MOVE LITERAL+ AUTH=PLAIN")) as server:
        desk = _service(tmp_path, server.user(), smtp_sink)
        turn = Turn(desk)
        count = turn.fill()
        with desk.mailbox.client() as client:  # what a server leaves that died in the middle of a MOVE
            client.select_folder("INBOX")
            client.create_folder(QUEUE)
            client.copy(client.search("ALL"), QUEUE)
        for _ in range(2):
            turn.mover().once()
            assert desk.folders() == {QUEUE: count, "INBOX": count}
            assert turn.waiting() == 0
        with desk.journal.read() as tx:
            (told,) = [event for event in events.latest(tx, alarms=True) if event["kind"] == "left_in_both"]
        assert "3 mails lie in both folders" in str(told["note"])


def test_the_usual_way_asks_nothing_twice(desk: Service) -> None:
    """Mail that was decided after the start is moved without looking for it first."""
    turn = Turn(desk)
    with FaultProxy(desk.imap["port"]) as proxy:
        mover = turn.mover(proxy.port)
        turn.fill()
        mover.once()
        asked = proxy.commands()
    assert "UID SEARCH" not in asked
    assert "UID FETCH" not in asked
    turn.judge(3)
