"""The loop breaker's memory: acknowledgements granted, silenced addresses, the global breaker.

Everything here is asked and written inside the transaction that creates the acknowledgement, under the write
lock: two messages can never both be granted the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Label, bindparam, delete, func, insert, or_, select, update

from ..instants import DAY, HOUR, words
from ..limits import Limits
from . import events
from .engine import Tx
from .prepared import Prepared
from .schema import acks, breakers, silences
from .schema import events as told

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

    def keys(self) -> dict[str, str]:
        """The columns it is counted by."""
        return {"address": self.address, "domain": self.domain, "subject": self.subject, "body": self.body}


def _counted(measure: str, window: str) -> Label[int]:
    same = (acks.c[measure] == bindparam(measure)) & (acks.c.at > bindparam(window))
    return select(func.count()).select_from(acks).where(same).scalar_subquery().label(measure)


_OPEN = select(breakers.c.why).where(breakers.c.name == GLOBAL)
_SILENT = select(silences.c.until).where(
    silences.c.address == bindparam("address"), silences.c.until > bindparam("now")
)
# All in one statement, built once: it is asked for every message, under the write lock.
_ASKED = Prepared(
    select(
        _OPEN.scalar_subquery().label("tripped"),
        _SILENT.scalar_subquery().label("silenced"),
        _counted("address", "day"),
        _counted("body", "day"),
        _counted("subject", "day"),
        _counted("domain", "hour"),
    )
)
_SIGN = or_(*(told.c.kind == kind for kind in LOOP_SIGNS))
_LATELY = Prepared(
    select(
        _OPEN.scalar_subquery(),
        select(func.count())
        .select_from(told)
        .where(_SIGN, told.c.at > bindparam("since"), told.c.level != events.FORGIVEN)
        .scalar_subquery(),
        select(func.count()).select_from(acks).where(acks.c.at > bindparam("since")).scalar_subquery(),
    )
)
_TRIPPED, _SILENCED = Prepared(_OPEN), Prepared(_SILENT)
_GRANT = Prepared(insert(acks))


def refusal(tx: Tx, asked: Asked, limits: Limits, now: int) -> str | None:
    """Why no acknowledgement may be sent now, or None. Counts nothing yet: `grant` does."""
    (found,) = _ASKED.rows(tx, **asked.keys(), day=now - DAY, hour=now - HOUR, now=now)
    if found.tripped is not None:
        return f"the global breaker is open: {found.tripped}"
    if found.silenced is not None:
        return f"an acknowledgement to this address bounced; silent until {words(found.silenced)}"
    measures = [
        ("per_address_day", limits.per_address_day, found.address),
        ("per_body_day", limits.per_body_day, found.body),
        ("per_domain_hour", limits.per_domain(asked.domain), found.domain),
    ]
    if asked.subject:
        measures.append(("per_subject_day", limits.per_subject_day, found.subject))
    for name, allowed, counted in measures:
        if counted >= allowed:
            return f"limit {name} = {allowed} is reached"
    return None


def grant(tx: Tx, asked: Asked, interaction: int, now: int) -> None:
    """Count an acknowledgement before it is sent; a second one for the interaction breaks the transaction."""
    _GRANT.run(tx, interaction_id=interaction, at=now, **asked.keys())


def watch(tx: Tx, limits: Limits, now: int) -> str | None:
    """Trip the global breaker when the last hour looks like a loop; returns why, the first time."""
    open_, signs, granted = _LATELY.rows(tx, since=now - HOUR)[0]
    if open_ is not None:
        return None
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
    found: str | None = _TRIPPED.value(tx)
    return found


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
    until: int | None = _SILENCED.value(tx, address=address, now=now)
    return until
