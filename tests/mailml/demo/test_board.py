"""The demo's claims: each can fail, and says with which figures."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from mailml.demo.board import Board, as_hoped, claims
from mailml.lab.sample import LiveMail


def mail(name: str, kind: str = "human", *, ack: bool = True, queue: str = "") -> LiveMail:
    """A mail with this Message-ID."""
    raw = f"Message-ID: <{name}@x.test>\r\nSubject: {name}\r\n\r\nhi".encode()
    return LiveMail(name, name, "a@x.test", "support@acme.example", raw, kind, ack, queue)


def line(name: str, queue: str = "Billing", *, ack: str = "sent", took: float | None = 0.1) -> dict[str, Any]:
    """What the service says of it; `ack` is its state, or the reason for none in capitals."""
    sends = ack.islower()
    effects = [{"effect": "move", "state": "done"}] + ([{"effect": "ack", "state": ack}] if sends else [])
    made = {
        "verdict": {"kind": "human"},
        "queue": queue,
        "folder": "",
        "rule": "billing",
        "ack": {"send": sends, "reason": None if sends else ack},
    }
    told = {
        "state": "decided",
        "quarantined": "",
        "decision": made,
        "effects": effects,
        "seconds_to_moved": took,
    }
    return told | {"message_id": f"<{name}@x.test>"}


def board() -> Board:
    """Two customers, one of them acknowledged, and a machine: all as it should be."""
    made = Board(
        [
            mail("one", queue="Billing"),
            mail("two", ack=False, queue="Billing"),
            mail("away", "auto_reply", ack=False),
        ]
    )
    made.update([line("one"), line("two", ack="ALREADY_ACKED"), line("away", ack="AUTO_REPLY"), line("old")])
    return made


def held(
    made: Board, left: int = 1, answers: tuple[str, ...] = ("<one@x.test>",), same: bool = True
) -> list[bool]:
    """Which claims hold."""
    return [claim.held for claim in claims(made, [b"x"] * left, list(answers), same)]


def test_a_good_run_holds() -> None:
    """Where all went well every claim holds, and mail that was not sent by the demo is counted apart."""
    made = board()
    assert held(made) == [True] * 5
    assert made.settled()
    assert [other["message_id"] for other in made.others] == ["<old@x.test>"]
    assert as_hoped(made) == (2, 2)


@pytest.mark.parametrize(
    ("left", "answers", "same", "broken"),
    [
        (1, ("<away@x.test>",), True, 1),  # an automatic mail was answered
        (1, ("<two@x.test>",), True, 1),  # a conversation was acknowledged again
        (0, (), True, 2),  # a customer heard nothing
        (2, ("<one@x.test>", "<one@x.test>"), True, 2),  # a customer heard twice
        (1, ("<one@x.test>",), False, 4),  # a decision could not be repeated
    ],
)
def test_each_claim_can_fail(left: int, answers: tuple[str, ...], same: bool, broken: int) -> None:
    """What went wrong breaks its claim and no other."""
    assert held(board(), left, answers, same) == [number != broken for number in range(5)]


def test_a_lost_mail_breaks_the_first_claim() -> None:
    """A mail that the service knows nothing of is never settled, and the first claim says so."""
    made = board()
    made.mails.append(mail("lost", ack=False))
    assert not made.settled()
    assert held(made)[0] is False


def test_slow_routing_breaks_the_fourth_claim() -> None:
    """A median over a second does not hold."""
    made = board()
    made.update([line("one", took=2.0), line("two", ack="X", took=3.0), line("away", ack="X", took=0.1)])
    assert held(made)[3] is False


def test_unsettled_effects_are_waited_for() -> None:
    """A decided mail whose acknowledgement is still on its way has not settled; a quarantined one has."""
    made = Board([mail("one")])
    made.update([line("one", ack="sending")])
    assert not made.settled()
    made.update([line("one") | {"state": "quarantined", "decision": None, "quarantined": "too large"}])
    assert made.settled()


def test_wrong_queue_is_counted() -> None:
    """A mail in another queue than a person would choose is counted, and no claim hides it."""
    made = board()
    made.update([line("one", queue="Tech Support"), line("two", ack="X"), line("away", ack="X")])
    assert as_hoped(made) == (1, 2)


def test_table_shows_text_not_markup() -> None:
    """Names and queues are shown as they are: markup of rich or HTML in them does nothing."""
    made = Board([mail("[red]bold[/red]"), mail("waiting")])
    made.update([line("[red]bold[/red]", queue="<b>Q</b>")])
    console = Console(width=110, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(made.table("title"))
    shown = console.export_text()
    assert "[red]bold[/red]" in shown
    assert "<b>Q</b>" in shown
    assert "…" in shown


def test_every_row_fills_the_table() -> None:
    """Waiting, quarantined and routed mails have a cell for each column: no row adds a column of its own."""
    made = Board([mail("waiting"), mail("kept"), mail("done")])
    made.update(
        [line("done"), line("kept") | {"state": "quarantined", "decision": None, "quarantined": "too big"}]
    )
    table = made.table("title")
    assert len(table.columns) == 5
    assert [made.table("title", *rows).row_count for rows in ((), (1,), (0, 1))] == [3, 2, 1]


@pytest.mark.parametrize("width", [80, 100, 110])
def test_no_column_is_lost_in_a_narrow_terminal(width: int) -> None:
    """From 80 columns on, the time of every mail is shown and the reasons are words."""
    name = "a-mail-with-a-long-name-that-needs-much-room"
    made, out = Board([mail(name)]), io.StringIO()
    made.update([line(name, "Enterprise Support", ack="SUPPRESS_REQUESTED")])
    Console(file=out, width=width).print(made.table("Live", width=width))
    assert "0.10" in out.getvalue()
    assert "SUPPRESS REQUESTED" in out.getvalue()
