"""Decisions and alarms -> webhooks: each event to each target, signed, until it is taken or given up.

The rows are the truth: an event is told at least once, whatever dies when, always under the same id, by which
the receiver knows a repetition. Ids and reasons, never subjects or bodies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import structlog

from mailml.errors import MailmlError

from . import backoff
from .bells import Bell, Bells
from .instants import HOUR, SECOND, Clock, now_ms, to_datetime
from .journal import Journal, deliveries, events
from .journal.deliveries import Delivery
from .optional import Webhook
from .webhook_post import Answered, post

_POLL_SECONDS = 5.0
_LONGEST_WAIT = 3600.0
Post = Callable[[Webhook, str, int, bytes], Answered]


class Caller:
    """Tells one target; a target that is down holds up no other."""

    def __init__(self, journal: Journal, hook: Webhook, *, clock: Clock = now_ms, send: Post = post) -> None:
        self.journal, self.hook, self.clock, self.send = journal, hook, clock, send
        self.log = structlog.get_logger("webhook").bind(target=hook.name)
        with journal.write() as tx:
            deliveries.begin(tx, hook.name)

    def run(self, bells: Bells) -> None:
        """Tell until told to stop."""
        bell: Bell = bells.webhook(self.hook.name)
        while not bells.stop.is_set():
            if not self.batch(bells):
                bell.wait(_POLL_SECONDS)

    def batch(self, bells: Bells | None = None) -> int:
        """Intend what is new and deliver what is due; returns how many deliveries were tried."""
        self._intend()
        with self.journal.read() as tx:
            due = deliveries.due(tx, self.hook.name, self.clock())
        tried = 0
        for one in due:
            if bells is not None and bells.stop.is_set():
                break
            tried += 1
            if not self._deliver(one):
                break  # the target is in trouble: the others would fare no better
        return tried

    def _intend(self) -> None:
        """Write down what the target is to be told, before anything is sent."""
        name, now = self.hook.name, self.clock()
        decided: list[tuple[int, str]] = []
        alarmed: list[tuple[int, str]] = []
        with self.journal.read() as tx:
            if "decision" in self.hook.events:
                decided = [(row["id"], _decision(row)) for row in deliveries.untold_decisions(tx, name)]
            if "alarm" in self.hook.events:
                alarmed = [(row["id"], _alarm(row)) for row in deliveries.untold_alarms(tx, name)]
        if decided or alarmed:
            with self.journal.write() as tx:
                deliveries.add(tx, name, "decision", decided, now)
                deliveries.add(tx, name, "alarm", alarmed, now)

    def _deliver(self, one: Delivery) -> bool:
        """One try; False when the target took nothing."""
        try:
            answer = self.send(self.hook, one.event, int(time.time()), one.body.encode())
        except MailmlError as error:
            self._failed(one, str(error), 0.0)
            return False
        if answer.good:
            with self.journal.write() as tx:
                deliveries.settle(tx, one.id, "delivered", self.clock(), str(answer.status))
            self.log.debug("delivered", webhook_event=one.event)
        else:
            self._failed(one, answer.words, answer.again, gone=answer.gone)
        return answer.good

    def _failed(self, one: Delivery, why: str, again: float, *, gone: bool = False) -> None:
        now = self.clock()
        wait = max(again, backoff.seconds(one.attempts + 1, longest=_LONGEST_WAIT))
        over = gone or now - one.created_at > self.hook.give_up_hours * HOUR
        self.log.warning("given up" if over else "not taken yet", webhook_event=one.event, why=why)
        with self.journal.write() as tx:
            if over:
                deliveries.settle(tx, one.id, "dead", now, why)
                events.add(tx, "webhook_dead", now, f"{self.hook.name} {one.event}: {why}", level="alarm")
            else:
                deliveries.postpone(tx, one.id, now + round(wait * SECOND), why)


def _decision(row: dict[str, Any]) -> str:
    """A decision as the target reads it: flat, without anything a customer wrote."""
    made = json.loads(row["decision"]) if row["decision"] else {}
    category, due = made.get("category") or {}, made.get("due") or {}
    return _json(
        type="decision",
        id=f"decision:{row['id']}",
        at=_moment(row["decided_at"]),
        mailbox=row["mailbox"],
        message=row["sha256"],
        reference=row["reference"] or "",
        received_at=_moment(row["received_at"]),
        kind=row["kind"],
        disposition=row["disposition"],
        queue=row["queue"],
        folder=row["folder"],
        priority=made.get("priority", 0),
        category=category.get("label") or "",
        probability=category.get("probability", 0.0),
        rule=row["rule"],
        ack=bool(row["ack"]),
        ack_reason=row["ack_reason"],
        due_at=due.get("at", ""),
        bundle=row["bundle"],
    )


def _alarm(row: dict[str, Any]) -> str:
    return _json(
        type="alarm",
        id=f"alarm:{row['id']}",
        at=_moment(row["at"]),
        kind=row["kind"],
        note=row["note"],
        mailbox=row["mailbox"] or "",
        reference=row["reference"] or "",
    )


def _json(**values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def _moment(ms: int) -> str:
    return to_datetime(ms).isoformat()
