"""What is wrong now, from the journal alone: the conditions that health shows and the clock tells of.

A condition holds or does not. The clock writes an alarm when one begins, again when it still holds after
`repeat_hours`, and an event when it is over; what was told survives a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailml.errors import MailmlError

from .config import Config
from .instants import DAY, HOUR, MINUTE, SECOND, words
from .journal import Tx, events, figures, incoming, limits, marks

_SILENT_POLLS = 3  # polls that may be missed before a mailbox counts as silent


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong: its kind, what it concerns, and in words; ids and reasons, never bodies."""

    kind: str
    about: str
    note: str
    mailbox: int | None = None

    @property
    def mark(self) -> str:
        """Under which name the journal remembers when it was told."""
        return f"alarm:{self.kind}:{self.about}"[:120]


def conditions(tx: Tx, config: Config, now: int, started_at: int = 0) -> Iterator[Condition]:
    """Everything that is wrong at this moment; a service that has just started has not been silent yet."""
    yield from _silent(tx, config, now, started_at)
    yield from _secrets(config, now)
    yield from _outbox(tx, config, now)
    if (why := limits.tripped(tx)) is not None:
        yield Condition("breaker_open", "global", why)
    grown = events.count(tx, ["quarantined"], now - HOUR)
    if grown >= config.alarms.quarantine_hour:
        yield Condition("quarantine_grew", "", f"{grown} messages were set aside within an hour")


def _silent(tx: Tx, config: Config, now: int, started_at: int) -> Iterator[Condition]:
    polls = config.service.poll_seconds * _SILENT_POLLS + 60
    minutes = config.alarms.silent_minutes
    before = now - round(polls * SECOND if minutes is None else minutes * MINUTE)
    if before < started_at:
        return
    watched = {mailbox.name for mailbox in config.mailboxes}
    failures = {row["name"]: row["failure"] for row in figures.watched(tx)}
    for number, name in incoming.stale(tx, before):
        if name in watched:
            why = failures.get(name) or "the server has not shown it"
            yield Condition("mailbox_silent", name, f"{name}: {why}", number)


def _secrets(config: Config, now: int) -> Iterator[Condition]:
    """Client secrets and certificates that end soon, before every login is refused."""
    for name, account in config.accounts().items():
        try:
            ends = account.secret_ends()
        except MailmlError as error:
            yield Condition("secret_ends", name, str(error))
            continue
        if ends is None:
            continue
        left = (round(ends.timestamp() * SECOND) - now) / DAY
        if left <= config.alarms.secret_days:
            told = f"ended {-left:.0f} days ago" if left <= 0 else f"ends in {left:.0f} days"
            yield Condition("secret_ends", name, f"the client secret or certificate of {name} {told}")


def _outbox(tx: Tx, config: Config, now: int) -> Iterator[Condition]:
    oldest = figures.oldest_waiting(tx)
    if oldest is not None and now - oldest > config.alarms.outbox_minutes * MINUTE:
        yield Condition("outbox_old", "", f"an effect waits since {words(oldest)}")


def tell(tx: Tx, found: list[Condition], config: Config, now: int) -> list[Condition]:
    """Write an alarm for what began or still holds long after, and an event for what is over.

    Returns what was told as an alarm.
    """
    again = now - round(config.alarms.repeat_hours * HOUR)
    told = []
    for one in found:
        at = marks.get(tx, one.mark)
        if at == 0 or at <= again:
            marks.put(tx, one.mark, now)
            events.add(tx, one.kind, now, one.note, level="alarm", mailbox=one.mailbox)
            told.append(one)
    holding = {one.mark for one in found}
    for name in marks.names(tx, "alarm:"):
        if name not in holding:
            marks.put(tx, name, 0)
            events.add(tx, "alarm_over", now, name.removeprefix("alarm:"))
    return told
