"""What the journal tells people and scripts: the status, and every decision as a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mailml.message import parse
from mailml.text.printable import one_line

from .config import Config
from .instants import DAY, HOUR, Clock, now_ms, words
from .journal import Journal, Tx, decisions, events, figures
from .replay import Replay


def status(journal: Journal, config: Config, *, clock: Clock = now_ms) -> dict[str, Any]:
    """The service in numbers, from the journal alone: it is true whether or not the service runs."""
    now = clock()
    with journal.read() as tx:
        oldest = figures.oldest_waiting(tx)
        return {
            "at": words(now),
            "mailboxes": [_mailbox(row, now) for row in figures.watched(tx)],
            "messages": figures.states(tx),
            "latency_seconds": figures.latencies(tx),
            "outbox": figures.outbox_states(tx),
            "oldest_waiting_seconds": None if oldest is None else (now - oldest) / 1000,
            "interactions": figures.conversations(tx, now),
            "breaker": figures.breaker(tx, now - DAY),
            "alarms_24h": figures.alarms(tx, now - DAY),
            "latest_alarms": [
                {**one, "at": words(_int(one["at"]))} for one in events.latest(tx, 5, alarms=True)
            ],
        }


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _mailbox(row: dict[str, Any], now: int) -> dict[str, Any]:
    fresh = row["fresh_at"]
    return {
        "name": row["name"],
        "inbox": row["folder"],
        "fresh_seconds_ago": None if fresh is None else (now - fresh) / 1000,
        "last_uid": row["last_uid"],
        "failure": row["failure"],
        "failing_since": words(row["failed_at"]) if row["failed_at"] else "",
    }


def status_lines(told: dict[str, Any]) -> Iterator[str]:
    """The status for a terminal."""
    for box in told["mailboxes"]:
        ago = box["fresh_seconds_ago"]
        fresh = "never seen" if ago is None else f"seen {ago:.0f} s ago"
        trouble = (
            f", failing since {box['failing_since']}: {one_line(box['failure'])}" if box["failure"] else ""
        )
        yield f"mailbox   {box['name']} ({box['inbox']}): {fresh}{trouble}"
    yield f"messages  {_counts(told['messages'])}"
    for name, spread in told["latency_seconds"].items():
        if spread["count"]:
            figures_ = f"p50 {spread['p50']:.3f} s, p99 {spread['p99']:.3f} s, worst {spread['worst']:.3f} s"
            yield f"latency   {name.replace('_', ' ')}: {figures_} (last {spread['count']})"
    for effect, counts in sorted(told["outbox"].items()):
        yield f"outbox    {effect}: {_counts(counts)}"
    if told["oldest_waiting_seconds"] is not None:
        yield f"waiting   oldest for {told['oldest_waiting_seconds']:.0f} s"
    yield f"threads   {_counts(told['interactions'])}"
    breaker = told["breaker"]
    state = f"OPEN: {one_line(breaker['why'])}" if breaker["open"] else "closed"
    yield f"breaker   {state}; {breaker['acks_granted_24h']} acknowledgements in 24 h"
    yield f"alarms    {_counts(told['alarms_24h'])} in 24 h"
    for one in told["latest_alarms"]:
        yield f"          {one['at']}  {one['kind']}  {one_line(str(one['note']))}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def every_decision(
    journal: Journal, *, hours: float | None = None, config: Config | None = None, clock: Clock = now_ms
) -> Iterator[dict[str, Any]]:
    """Each message with its outcome, in order of arrival; with `config` each decision is also made again."""
    since = 0 if hours is None else clock() - round(hours * HOUR)
    replay = None if config is None else Replay(config)
    with journal.read() as tx:
        for row in decisions.every(tx, since):
            line = _line(tx, row)
            if replay is not None and row["decision"]:
                line["same_again"] = replay.again(tx, row)[0]
            yield line


def _line(tx: Tx, row: dict[str, Any]) -> dict[str, Any]:
    effects = decisions.effects(tx, row["id"])
    seen = row["seen_at"]
    return {
        "number": row["id"],
        "mailbox": row["mailbox"],
        "uidvalidity": row["uidvalidity"],
        "uid": row["uid"],
        "sha256": row["sha256"],
        "message_id": row["message_id"],
        **_envelope(tx, row["id"]),
        "state": row["state"],
        "reference": row["reference"] or "",
        "joined_by": row["joined_by"] or "",
        "joined_on": row["joined_on"] or "",
        "bundle": row["bundle"] or "",
        "context": json.loads(row["context"]) if row["context"] else None,
        "decision": json.loads(row["decision"]) if row["decision"] else None,
        "quarantined": row["quarantined"] if row["state"] == "quarantined" else "",
        "undone": row["undone_at"] is not None,
        "effects": effects,
        "received_at": row["received_at"],
        "seen_at": seen,
        "seconds_to_decided": _seconds(seen, row["decided_at"]),
        "seconds_to_moved": _seconds(seen, row["moved_at"]),
    }


def _envelope(tx: Tx, number: int) -> dict[str, str]:
    """Subject and sender for people who read the line, as long as the raw mail is kept."""
    raw = decisions.raw(tx, number)
    message = None if raw is None else parse(raw)
    sender = message.from_ if message else None
    found = {"subject": message.subject if message else "", "from": sender.addr if sender else ""}
    # bytes of no charset must not keep the line from being printed
    return {name: value.encode("utf-8", "replace").decode() for name, value in found.items()}


def _seconds(start: int, end: int | None) -> float | None:
    return None if end is None else (end - start) / 1000
