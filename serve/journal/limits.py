"""The loop breaker's memory: acknowledgements granted, silenced addresses, the global breaker.

Everything here is asked and written inside the transaction that creates the acknowledgement, under the write
lock: two messages can never both be granted the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from ..instants import DAY, HOUR, words
from ..limits import Limits
from . import events
from .engine import Tx
from .schema import acks, breakers, silences

GLOBAL = "global"
LOOP_SIGNS = ["own_loop", "ack_refused", "ack_bounced"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An acknowledgement that might be sent: to whom, and what it would answer, as folded keys."""

    address: str
    subject: str
    body: str

    @property
    def domain(self) -> str:
        """The address's domain."""
        return self.address.rpartition("@")[2]


def refusal(tx: Tx, asked: Asked, limits: Limits, now: int) -> str | None:
    """Why no acknowledgement may be sent now, or None. Counts nothing yet: `grant` does."""
    if (why := tripped(tx)) is not None:
        return f"the global breaker is open: {why}"
    if (until := silenced(tx, asked.address, now)) is not None:
        return f"an acknowledgement to this address bounced; silent until {words(until)}"
    day, hour = acks.c.at > now - DAY, acks.c.at > now - HOUR
    measures = [
        ("per_address_day", limits.per_address_day, day & (acks.c.address == asked.address)),
        ("per_body_day", limits.per_body_day, day & (acks.c.body == asked.body)),
        ("per_domain_hour", limits.per_domain(asked.domain), hour & (acks.c.domain == asked.domain)),
    ]
    if asked.subject:
        measures.append(("per_subject_day", limits.per_subject_day, day & (acks.c.subject == asked.subject)))
    for name, allowed, where in measures:
        if _count(tx, where) >= allowed:
            return f"limit {name} = {allowed} is reached"
    return None


def _count(tx: Tx, where: ColumnElement[bool]) -> int:
    return int(tx.execute(select(func.count()).select_from(acks).where(where)).scalar_one())


def grant(tx: Tx, asked: Asked, interaction: int, now: int) -> None:
    """Count an acknowledgement before it is sent; a second one for the interaction breaks the transaction."""
    row = {"address": asked.address, "domain": asked.domain, "subject": asked.subject, "body": asked.body}
    tx.execute(insert(acks).values(interaction_id=interaction, at=now, **row))


def watch(tx: Tx, limits: Limits, now: int) -> str | None:
    """Trip the global breaker when the last hour looks like a loop; returns why, the first time."""
    if tripped(tx) is not None:
        return None
    signs = events.count(tx, LOOP_SIGNS, now - HOUR)
    granted = _count(tx, acks.c.at > now - HOUR)
    if signs >= limits.loop_signs_hour:
        why = f"{signs} signs of a loop within an hour"
    elif granted >= limits.global_hour:
        why = f"{granted} acknowledgements within an hour"
    else:
        return None
    tx.execute(insert(breakers).values(name=GLOBAL, tripped_at=now, why=why))
    events.add(tx, "breaker_tripped", now, why, level="alarm")
    return why


def tripped(tx: Tx) -> str | None:
    """Why the global breaker is open, None when it is closed."""
    return tx.execute(select(breakers.c.why).where(breakers.c.name == GLOBAL)).scalar()


def reset(tx: Tx, now: int) -> bool:
    """Close the global breaker by hand; the signs that tripped it no longer count."""
    gone = tx.execute(delete(breakers).where(breakers.c.name == GLOBAL)).rowcount > 0
    if gone:
        events.forgive(tx, LOOP_SIGNS)
        events.add(tx, "breaker_reset", now, level="warning")
    return gone


def silence(tx: Tx, address: str, until: int, why: str) -> None:
    """No acknowledgements to this address until then."""
    if tx.execute(
        update(silences).where(silences.c.address == address).values(until=until, why=why)
    ).rowcount:
        return
    tx.execute(insert(silences).values(address=address[:320], until=until, why=why))


def silenced(tx: Tx, address: str, now: int) -> int | None:
    """Until when the address is silenced, None when it is not."""
    live = (silences.c.address == address) & (silences.c.until > now)
    return tx.execute(select(silences.c.until).where(live)).scalar()
