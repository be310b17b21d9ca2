"""What was known of an interaction at the moment each message arrived: the `Context` of a replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailml.lab.arrivals import Arrival
from mailml.verdict import Context, Thread

LATELY = timedelta(days=30)  # AUTOREPLY: "the same person wrote a human message within 30 days"


@dataclass(slots=True)
class _State:
    """One interaction so far."""

    acked: bool = False
    answered: bool = False
    people: dict[str, datetime] = field(default_factory=dict)  # who wrote as a person, and when last


class Walk:
    """A walk through the history in order of arrival: ask for a message's context, then say what it was."""

    def __init__(self, loop_key: bytes = b"") -> None:
        self._loop_key = loop_key
        self._threads: dict[str, _State] = {}
        self._ours: dict[str, datetime] = {}  # folded Message-ID of our mail -> when it left
        self._answered: set[str] = set()  # addresses that a person of ours has written to

    def context(self, arrival: Arrival) -> Context:
        """Everything outside the message that its decision may depend on, as it was when it arrived.

        A replay decides at the moment of arrival, and the loop breaker never says no: both depend on the
        service's own history, which an archive does not hold.
        """
        return Context(
            received_at=arrival.at,
            now=arrival.at,
            mailbox=arrival.key[0],
            thread=self._thread(arrival),
            known_sender=arrival.from_addr in self._answered,
            loop_key=self._loop_key,
        )

    def received(self, arrival: Arrival, *, human: bool, acked: bool) -> None:
        """Record a customer's message: whether a person wrote it, and whether it was acknowledged."""
        state = self._state(arrival)
        state.acked = state.acked or acked
        if human and arrival.from_addr:
            state.people[arrival.from_addr] = arrival.at

    def sent(self, arrival: Arrival, *, automatic: bool) -> None:
        """Record a message of ours; one by a person answers the interaction and makes its reader known."""
        state = self._state(arrival)
        if arrival.message_id:
            self._ours[arrival.message_id] = arrival.at
        if automatic:
            return
        state.answered = True
        self._answered.update(arrival.to)

    def _state(self, arrival: Arrival) -> _State:
        return self._threads.setdefault(arrival.thread, _State())

    def _thread(self, arrival: Arrival) -> Thread:
        answered = [self._ours[i] for i in arrival.answers if i in self._ours]
        since = (arrival.at - max(answered)).total_seconds() if answered else None
        if arrival.opens:
            return Thread(answers_ours=bool(answered), seconds_since_ours=since)
        state = self._state(arrival)
        lately = state.people.get(arrival.from_addr)
        return Thread(
            reference=arrival.thread,
            joined_by=arrival.joined_by,
            # a copy of a mail that was decided before is never answered by itself
            acked=state.acked or arrival.joined_by == "same_message",
            answered=state.answered,
            answers_ours=bool(answered),
            human_within_30_days=lately is not None and arrival.at - lately <= LATELY,
            seconds_since_ours=since,
        )
