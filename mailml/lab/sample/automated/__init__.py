"""Automated mail of every kind, as real products write it: the makers in one table, chosen by weight."""

from __future__ import annotations

from datetime import datetime
from random import Random

from mailml.lab.sample.automated import away, bounces, machines, reports
from mailml.lab.sample.automated.written import Answer, Maker, Order
from mailml.lab.sample.record import SampleMessage, record
from mailml.message import parse

MAKERS: tuple[Maker, ...] = (*away.MAKERS, *bounces.MAKERS, *reports.MAKERS, *machines.MAKERS)


def maker(name: str) -> Maker:
    """The maker of this name."""
    return next(one for one in MAKERS if one.name == name)


def write(one: Maker, rng: Random, at: datetime, about: Answer, thread: str) -> SampleMessage:
    """One automated mail in the folder where the agents file it; `thread` is its own."""
    made = one.write(Order(rng, at, about))
    queue = one.folder.removeprefix("Queues/") if one.folder.startswith("Queues/") else ""
    return record(
        one.folder,
        made.raw,
        at,
        ("\\Seen",),
        message_id=made.message_id,
        thread=thread,
        topic=one.name,
        kind=one.kind,
        # a person who answers nothing we hold opens an interaction, whatever marks the mail imitates
        opens=one.kind == "human" and not parse(made.raw).is_reply,
        ack=one.ack,
        language=made.language,
        customer=made.sender,
        first_queue="General Support",
        final_queue=queue,
    )
