"""One turn of a sweep: a fresh mailbox and journal, mails, a run that is hurt, one that heals, a judge."""

from __future__ import annotations

import collections
import itertools
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serve.journal import Journal
from serve.keys import loop_key
from tests.serve.service import Service, mail
from tests.servers.dovecot import Dovecot, User
from tests.servers.smtp_sink import Mail, SmtpSink
from tests.soak.victim import Victims

QUEUE = "Queues/General Support"
MAILS = 2
_TURNS = itertools.count(1)
# what the journal must say of N mails when nothing waits any longer
_MUST_HOLD: dict[str, tuple[str, tuple[str, ...]]] = {
    "integrity": ("pragma integrity_check", ("ok",)),
    "outcomes": ("select state, count(*) from incoming group by 1", ("decided", "N")),
    "decisions": ("select count(*), count(distinct incoming_id) from decisions", ("N", "N")),
    "interactions": ("select count(*), count(distinct opened_by) from interactions", ("N", "N")),
    "arrivals": ("select count(*), count(distinct interaction_id) from arrivals", ("N", "N")),
    "moves": ("select state, count(*) from outbox where effect = 'move' group by 1", ("done", "N")),
}


class WrongError(AssertionError):
    """Something was lost, doubled or silently left: what the sweep is there to find."""


@dataclass
class Tally:
    """What a sweep has seen: how many turns hurt, and what became of the acknowledgements."""

    turns: int = 0
    hurt: int = 0
    acks: collections.Counter[str] = field(default_factory=collections.Counter)
    uncertain_but_taken: int = 0
    ends: collections.Counter[int] = field(default_factory=collections.Counter)

    def __str__(self) -> str:
        acks = ", ".join(f"{count} {state}" for state, count in sorted(self.acks.items()))
        return (
            f"{self.turns} turns, {self.hurt} hurt; acknowledgements: {acks or 'none'}"
            f" ({self.uncertain_but_taken} of the uncertain were taken); exit codes {dict(self.ends)}"
        )


@dataclass
class Bench:
    """The servers and the fork server that all turns of a sweep share, and a folder for their files."""

    folder: Path
    dovecot: Dovecot
    sink: SmtpSink
    victims: Victims
    mails: int = MAILS

    def turn(self, *, empty: bool = False) -> Turn:
        """A fresh mailbox with mail, and a journal of the present schema; `empty` leaves the journal out."""
        return Turn(self, next(_TURNS), empty=empty)

    @property
    def template(self) -> Path:
        """A folder with a bundle, a journal without a row, and a key."""
        made = self.folder / "template"
        if not (made / "journal.sqlite").exists():
            service = Service(made, self.dovecot.user(), self.sink)
            Journal.open(service.config.service.journal).close()
            loop_key(service.config.service)
        return made


class KeepingSink(SmtpSink):
    """A sink that keeps a copy of what it takes in the sender's Sent folder, before it says so.

    As Microsoft 365 and Gmail do.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.owners: dict[str, User] = {}  # recipient -> whose Sent folder it is

    def record(self, mail: Mail) -> None:
        """Take a mail, and keep it."""
        super().record(mail)
        with self.owners[mail.rcpt_to[0]].client() as client:
            client.append("Sent", mail.raw)


class Turn:
    """One mailbox, one journal, a few mails from strangers whom nobody else writes as."""

    def __init__(self, bench: Bench, number: int, *, empty: bool) -> None:
        self.bench, self.number = bench, number
        template, self.folder = bench.template, bench.folder / f"turn{number}"
        self.folder.mkdir()
        for name in () if empty else ("journal.sqlite", "loop.key"):
            shutil.copy(template / name, self.folder / name)
        self.user = bench.dovecot.user()
        self.service = Service(self.folder, self.user, bench.sink, bundle=str(template / "bundle"))
        self.service.bundle_path = template / "bundle"
        self.service.write()
        self.people = [f"c{number}x{one}@customer{number}x{one}.example" for one in range(bench.mails)]
        if isinstance(bench.sink, KeepingSink):
            bench.sink.owners.update(dict.fromkeys(self.people, self.user))
        for one, address in enumerate(self.people):
            name = f"{one} of {number}"
            message_id = "" if one % 2 else f"<{number}.{one}@x.example>"
            raw = mail(
                name, sender=f"C <{address}>", subject="Topic", body=f"Words {name}", Message_ID=message_id
            )
            self.user.deliver(raw)

    @property
    def config(self) -> Path:
        """The configuration of this turn."""
        return self.service.toml

    def heal(self, most: int = 6) -> None:
        """Run undisturbed until nothing waits."""
        for _ in range(most):
            self.bench.victims.run(self.config)
            if not self.waiting():
                return
        raise WrongError(f"turn {self.number}: still waiting: {self.waiting()}{self._log()}")

    def waiting(self) -> list[tuple[Any, ...]]:
        """What is neither decided nor carried out."""
        undone = self._rows("select 'mail', state from incoming where state = 'new'")
        open_ = "select effect, state from outbox where state in ('pending', 'sending', 'doubt')"
        copies = "select effect, 'no copy' from outbox where state = 'sent' and not copied"
        return [*undone, *self._rows(open_), *self._rows(copies)]

    def judge(self, tally: Tally) -> None:
        """Nothing lost, nothing doubled, nothing silently left; raises WrongError with what it was."""
        count = len(self.people)
        for what, (query, wanted) in _MUST_HOLD.items():
            self._agree(what, self._rows(query), [tuple(count if one == "N" else one for one in wanted)])
        folders = self.service.folders()
        self._agree("folders", {name: n for name, n in folders.items() if name != "Sent"}, {QUEUE: count})
        taken = collections.Counter(one for sent in self._sent() for one in sent)
        if doubled := [one for one, times in taken.items() if times > 1]:
            raise WrongError(f"turn {self.number}: answered twice: {doubled}{self._log()}")
        acks = self._rows("select recipient, state from outbox where effect = 'ack'")
        self._agree("acknowledgements", sorted(one for one, _ in acks), sorted(self.people))
        for address, state in acks:
            tally.acks[state] += 1
            tally.uncertain_but_taken += state == "uncertain" and taken[address] == 1
            if state not in ("sent", "uncertain") or (state == "sent" and taken[address] != 1):
                raise WrongError(
                    f"turn {self.number}: {address} is {state}, taken {taken[address]} times{self._log()}"
                )
        self._agree("copies in Sent", folders.get("Sent", 0), sum(state == "sent" for _, state in acks))
        shutil.rmtree(self.folder)

    def _sent(self) -> Iterator[tuple[str, ...]]:
        mine = set(self.people)
        return (sent.rcpt_to for sent in self.bench.sink.mails if mine.intersection(sent.rcpt_to))

    def _agree(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise WrongError(f"turn {self.number}: {what}: {found} instead of {wanted}{self._log()}")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "journal.sqlite", timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def _log(self) -> str:
        path = self.folder / "victim.log"
        lines = path.read_text("utf-8", "replace").splitlines()[-25:] if path.exists() else []
        return "\n" + "\n".join(
            [str(path), *lines, json.dumps(self._rows("select * from outbox"), default=repr)[:3000]]
        )


def spread(numbers: Iterable[int], most: int) -> list[int]:
    """At most so many of the numbers, evenly from the first to the last; all of them for 0."""
    found = list(numbers)
    if not most or len(found) <= most:
        return found
    return sorted({found[round(at * (len(found) - 1) / max(most - 1, 1))] for at in range(most)})
