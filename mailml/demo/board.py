"""What became of every mail that the demo sent, as the service's own decisions tell it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from mailml.lab.sample import LiveMail

Line = Mapping[str, Any]
_FINAL = {"done", "gone", "sent", "failed", "uncertain", "withheld"}  # states of the outbox that are ends
_FIXED = 66  # columns that all but the name of a mail take
_COLOURS = {
    "Priority Support": "red",
    "Enterprise Support": "magenta",
    "Billing": "yellow",
    "Tech Support": "cyan",
}


@dataclass(slots=True)
class Board:
    """The mails in sending order, each with its line of `serve decisions --jsonl`, once there is one."""

    mails: list[LiveMail] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)
    others: list[Line] = field(default_factory=list)

    def update(self, lines: Iterable[Line]) -> None:
        """Take what the service says now, whole."""
        known = {mail.message_id for mail in self.mails}
        told = list(lines)
        self.lines = {line["message_id"]: line for line in told if line["message_id"] in known}
        self.others = [line for line in told if line["message_id"] not in known]

    def of(self, mail: LiveMail) -> Line | None:
        """What the service says of a mail."""
        return self.lines.get(mail.message_id)

    def settled(self) -> bool:
        """Whether every mail has its outcome and every effect has ended."""
        return all((line := self.of(mail)) is not None and _settled(line) for mail in self.mails)

    def seconds(self) -> list[float]:
        """From seen in INBOX to moved into its folder, of every mail so far."""
        found = (line["seconds_to_moved"] for line in self.lines.values())
        return sorted(second for second in found if second is not None)

    def table(self, title: str, first: int = 0, last: int | None = None, *, width: int = 110) -> Table:
        """The mails from number `first` on, for the terminal; `last` leaves only so many of the latest."""
        table = Table(
            title=title, title_justify="left", pad_edge=False, collapse_padding=True, box=box.SIMPLE_HEAD
        )
        # where a terminal is narrow the mail's name gives way, and what became of it stays readable
        name_width = min(38, max(8, width - _FIXED))
        table.add_column("mail", max_width=name_width, no_wrap=True, overflow="ellipsis")
        for name, width in (("kind", 14), ("went to", 19), ("ack, or why not", 18), ("s", 4)):
            table.add_column(name, min_width=width, no_wrap=True, overflow="ellipsis")
        mails = self.mails[first:]
        for mail in mails[-last:] if last else mails:
            table.add_row(*self._row(mail))
        return table

    def _row(self, mail: LiveMail) -> tuple[Text, ...]:
        line = self.of(mail)
        if line is None or line["decision"] is None:
            said = ("…", "") if line is None else (line["state"], line["quarantined"])
            return (Text(mail.about), *(Text(word, style="dim") for word in (*said, "", "")))
        made = line["decision"]
        place, took = made["queue"] or made["folder"], line["seconds_to_moved"]
        return (
            Text(mail.about),
            Text(_words(made["verdict"]["kind"])),
            Text(place, style=_COLOURS.get(made["queue"], "dim" if made["folder"] else "")),
            _ack(line),
            Text("…" if took is None else f"{took:.2f}"),
        )


def _ack(line: Line) -> Text:
    ack = line["decision"]["ack"]
    if not ack["send"]:
        return Text(_words(ack["reason"]), style="dim")
    state = next((effect["state"] for effect in line["effects"] if effect["effect"] == "ack"), "?")
    return Text(state, style="green" if state == "sent" else "yellow")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _settled(line: Line) -> bool:
    if line["state"] == "quarantined":
        return True
    return line["decision"] is not None and all(effect["state"] in _FINAL for effect in line["effects"])


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing the demo promises, whether it held, and the figures."""

    says: str
    held: bool
    figures: str


def claims(board: Board, left: list[bytes], answers_to: list[str], same_again: bool) -> list[Claim]:
    """What the demo shows, checked. `left` are mails that left the server, `answers_to` what they answer."""
    mails = {mail.message_id: mail for mail in board.mails}
    outcomes = [line for line in board.lines.values() if line["decision"] or line["state"] == "quarantined"]
    machine = [mail for mail in board.mails if mail.kind != "human"]
    answered = [mails[identifier] for identifier in answers_to if identifier in mails]
    wrongly = [mail.name for mail in answered if mail.kind != "human" or not mail.ack]
    expected = sum(mail.ack for mail in board.mails)
    twice = len(answers_to) - len(set(answers_to))
    times = board.seconds()
    middle, worst = (statistics.median(times), times[-1]) if times else (0.0, 0.0)
    return [
        Claim(
            "every mail has exactly one recorded outcome",
            len(outcomes) == len(board.mails) == len(board.lines),
            f"{len(outcomes)} of {len(board.mails)}, {len(board.mails) - len(times)} not moved",
        ),
        Claim("no automatic mail was answered", not wrongly, f"{len(machine)} sent, {len(wrongly)} answered"),
        Claim(
            "every customer got one acknowledgement",
            len(left) == expected and not twice,
            f"{len(left)} of {expected}, {twice} twice",
        ),
        Claim(
            "from arrival to its folder in under a second (median)",
            bool(times) and middle < 1.0,
            f"median {middle:.2f} s, worst {worst:.2f} s",
        ),
        Claim(
            "every decision made again is the same, byte for byte", same_again, f"{len(outcomes)} compared"
        ),
    ]


def as_hoped(board: Board) -> tuple[int, int]:
    """(mails that ended in the queue a person would choose, mails where that is known)."""
    right = total = 0
    for mail in board.mails:
        line = board.of(mail)
        if line is None or line["decision"] is None or not (mail.queue or mail.not_queue):
            continue
        queue = line["decision"]["queue"]
        total += 1
        right += queue == mail.queue if mail.queue else queue != mail.not_queue
    return right, total
