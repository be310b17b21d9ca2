"""Webhooks: signed, journalled, retried, given up in the end, and never led into our own network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailml.errors import AuthError, ConfigError, ConnectError, MailmlError, TLSError
from serve import backoff
from serve.bells import Bells
from serve.config import loads
from serve.instants import DAY, HOUR, MINUTE
from serve.journal import deliveries, events
from serve.optional import Webhook
from serve.webhook_post import post, public, secret_of, signature
from serve.webhooks import Caller
from tests.serve.room import TOML, Room
from tests.serve.service import mail
from tests.servers import tls
from tests.servers.web_sink import Answer, Received, WebSink

SECRET = "a secret of more than twenty-four letters"


@pytest.fixture
def sink() -> Iterator[WebSink]:
    """A target that takes everything."""
    with WebSink() as started:
        yield started


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """What signs."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)


def hook(url: str, **changes: Any) -> Webhook:
    """A target in our own network, which these tests run in."""
    values: dict[str, Any] = {"name": "crm", "url": url, "secret_env": "HOOK_SECRET", "allow_private": True}
    return Webhook(**{**values, "timeout_seconds": 5, **changes})


def caller(room: Room, sink: WebSink, **changes: Any) -> Caller:
    """The role that tells the sink, on the room's clock."""
    return Caller(room.journal, hook(f"{sink.url}/hook?x=1", **changes), clock=room.clock)


def told(sink: WebSink) -> list[dict[str, Any]]:
    """The bodies the sink got."""
    return [json.loads(one.body) for one in sink.received]


def test_every_decision_is_told_once(room: Room, sink: WebSink) -> None:
    """From its first look on: ids and reasons, flat, under an id that stays the same; then never again."""
    room.decide(mail(0))
    role = caller(room, sink)
    rows = room.decide(mail(1), mail(2, Auto_Submitted="auto-replied"))
    assert role.batch() == 2
    assert role.batch() == 0
    first, second = told(sink)
    assert (first["type"], first["queue"], first["ack"]) == ("decision", "General Support", True)
    assert (first["reference"], first["message"]) == (rows[1]["reference"], rows[1]["sha256"])
    assert (second["kind"], second["ack_reason"]) == ("auto_reply", "auto_reply")
    assert all(not isinstance(value, (dict, list)) for value in first.values())
    assert sink.received[0].headers["webhook-id"] == first["id"]
    assert sink.received[0].path == "/hook?x=1"


def test_nothing_a_customer_wrote_leaves(room: Room, sink: WebSink) -> None:
    """No subject, no address, no word of the body."""
    role = caller(room, sink)
    room.decide(mail(1, subject="Privatissimum", sender="Ann <ann@customer.example>", body="Privatissimum"))
    role.batch()
    assert b"rivatissimum" not in sink.received[0].body
    assert b"customer.example" not in sink.received[0].body


def verify(got: Received, secret: bytes) -> bool:
    """What a receiver does (Standard Webhooks)."""
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    mine = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(got.headers["webhook-signature"], f"v1,{mine}")


def test_the_signature_holds_id_time_and_body(room: Room, sink: WebSink) -> None:
    """A receiver with the secret can check it, and one with another cannot; the time is now."""
    role = caller(room, sink)
    room.decide(mail(1))
    role.batch()
    (got,) = sink.received
    assert verify(got, SECRET.encode())
    assert not verify(got, b"another")
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert (
        len(
            {signature(b"k", *rest) for rest in (("a", 1, b""), ("b", 1, b""), ("a", 2, b""), ("a", 1, b"x"))}
        )
        == 4
    )


def test_a_secret_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """`whsec_` and base64 is the bytes behind it; a short one is refused with the cure."""
    monkeypatch.setenv("HOOK_SECRET", "whsec_" + base64.b64encode(b"0123456789").decode())
    assert secret_of(hook("https://x.example")) == b"0123456789"
    monkeypatch.setenv("HOOK_SECRET", "short")
    with pytest.raises(AuthError, match="openssl rand"):
        secret_of(hook("https://x.example"))


def test_alarms_are_told_but_not_those_of_webhooks(room: Room, sink: WebSink) -> None:
    """Otherwise a target that is down would be told of its own death for ever."""
    role = caller(room, sink)
    with room.journal.write() as tx:
        events.add(tx, "mailbox_silent", room.now, "desk", level="alarm", mailbox=room.mailbox)
        events.add(tx, "webhook_dead", room.now, "crm", level="alarm")
        events.add(tx, "started", room.now)
    assert role.batch() == 1
    assert told(sink) == [
        {
            "type": "alarm",
            "id": "alarm:1",
            "kind": "mailbox_silent",
            "note": "desk",
            "mailbox": "desk",
            "reference": "",
            "at": told(sink)[0]["at"],
        }
    ]


def test_only_what_is_asked_for(room: Room, sink: WebSink) -> None:
    """`events` leaves the rest out."""
    role = caller(room, sink, events=["alarm"])
    room.decide(mail(1))
    assert role.batch() == 0


def states(room: Room) -> dict[str, int]:
    """How many deliveries are in each state."""
    with room.journal.read() as tx:
        return {state: count for _, state, count in deliveries.counts(tx)}


def test_a_target_that_is_down_is_tried_again(room: Room, sink: WebSink) -> None:
    """Later and later, the others wait behind it, and all of it arrives in the end, in order."""
    role = caller(room, sink)
    room.decide(mail(1), mail(2))
    sink.answer = lambda _: Answer(503)
    assert role.batch() == 1
    assert role.batch() in (0, 1)  # the second one is due, and fares no better
    assert states(room) == {"pending": 2}
    sink.answer = lambda _: Answer(200)
    room.now += HOUR
    assert role.batch() == 2
    assert states(room) == {"delivered": 2}
    ids = [one["id"] for one in told(sink)]
    assert ids[-2:] == sorted(set(ids))


def test_when_the_target_names_a_time(room: Room, sink: WebSink) -> None:
    """Retry-After is honoured, within an hour."""
    role = caller(room, sink)
    room.decide(mail(1))
    sink.answer = lambda _: Answer(429, {"Retry-After": "600"})
    role.batch()
    room.now += 9 * MINUTE
    assert role.batch() == 0
    room.now += 2 * MINUTE
    assert role.batch() == 1


@pytest.mark.parametrize(("status", "after"), [(410, 0), (500, 73 * HOUR), (404, 73 * HOUR)])
def test_what_is_given_up_is_dead_and_can_be_raised(
    room: Room, sink: WebSink, status: int, after: int
) -> None:
    """At once when the target is gone for good, else after `give_up_hours`; an alarm; by hand once more."""
    role = caller(room, sink)
    room.decide(mail(1))
    sink.answer = lambda _: Answer(status)
    role._intend()
    room.now += after
    role.batch()
    assert states(room) == {"dead": 1}
    with room.journal.read() as tx:
        assert [event["kind"] for event in events.latest(tx, alarms=True)] == ["webhook_dead"]
        assert str(status) in deliveries.held(tx, "dead")[0].note
    sink.answer = lambda _: Answer(200)
    with room.journal.write() as tx:
        assert deliveries.retry(tx, room.now, "other") == 0
        assert deliveries.retry(tx, room.now) == 1
    assert role.batch() == 1
    assert states(room) == {"delivered": 1}


def test_a_kill_between_the_answer_and_the_row(
    room: Room, sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is told again under the same id: at least once, and the receiver can tell."""
    role = caller(room, sink)
    room.decide(mail(1))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deliveries, "settle", dies)
    with pytest.raises(KeyboardInterrupt):
        role.batch()
    monkeypatch.undo()
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    assert caller(room, sink).batch() == 1
    assert len({one.headers["webhook-id"] for one in sink.received}) == 1
    assert len(sink.received) == 2


def test_decisions_that_commit_late_are_told(room: Room, sink: WebSink) -> None:
    """A row whose number is below the mark, committed after it, is not skipped."""
    role = caller(room, sink)
    room.decide(mail(1), mail(2), mail(3))
    with room.journal.read() as tx:
        rows = deliveries.untold_decisions(tx, "crm")
    with room.journal.write() as tx:
        deliveries.add(tx, "crm", "decision", [(rows[2]["id"], "{}")], room.now)
    role.batch()
    assert {one.headers["webhook-id"] for one in sink.received} == {"decision:1", "decision:2", "decision:3"}


def test_two_targets_do_not_wait_for_each_other(room: Room, sink: WebSink) -> None:
    """Each has rows, marks and a thread of its own."""
    good = caller(room, sink)
    bad = Caller(room.journal, hook(f"http://127.0.0.1:{_closed()}", name="dead"), clock=room.clock)
    room.decide(mail(1))
    assert bad.batch() == 1
    assert good.batch() == 1
    assert len(sink.received) == 1


def _closed() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_it_runs_until_told_to_stop(room: Room, sink: WebSink) -> None:
    """A bell wakes it at once; the end ends it."""
    bells, role = Bells(), caller(room, sink)
    thread = threading.Thread(target=role.run, args=(bells,))
    thread.start()
    room.decide(mail(1))
    end = time.monotonic() + 10
    while not sink.received and time.monotonic() < end:
        bells.news()
        time.sleep(0.02)
    bells.end()
    thread.join(10)
    assert not thread.is_alive()
    assert len(sink.received) == 1


# -- the way there --------------------------------------------------------------------------------

PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1"),
    *("::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "192.0.2.1", "2001:db8::1", "198.18.0.1"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, and each of them wrapped in IPv6."""
    assert not public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    """The internet, also through NAT64."""
    assert public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "0x7f.1", "2130706433", "127.1"])
def test_our_own_network_is_refused(sink: WebSink, host: str) -> None:
    """However the address is written, nothing is connected to unless it was allowed."""
    target = hook(f"https://{host}:{sink.port}/", allow_private=False)
    with pytest.raises(MailmlError, match=r"no public address.*allow_private|name is not known"):
        post(target, "x:1", 1, b"{}")
    assert not sink.received


def test_one_private_address_among_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with both is refused: which one would be taken is chance."""
    both = [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(MailmlError, match=r"10\.0\.0\.1 is no public address"):
        post(hook("https://both.example", allow_private=False), "x:1", 1, b"{}")


def test_a_name_that_changes_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is judged, private a moment later. It is asked once, and pinned."""
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    def answers(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("8.8.8.8" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(address: tuple[str, int], *_: object) -> None:
        connected.append(address)
        raise OSError("no way there in a test")

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectError):
        post(hook("https://rebind.example", allow_private=False), "x:1", 1, b"{}")
    assert asked == ["rebind.example"]
    assert connected == [("8.8.8.8", 443)]


def test_redirects_are_not_followed(sink: WebSink) -> None:
    """A target cannot send us elsewhere."""
    sink.answer = lambda _: Answer(302, {"Location": f"{sink.url}/other"})
    answer = post(hook(sink.url), "x:1", 1, b"{}")
    assert not answer.good
    assert "redirects are not followed" in answer.words
    assert len(sink.received) == 1


def test_a_trickling_answer_is_cut_off(sink: WebSink) -> None:
    """One byte now and then keeps every read alive: the whole request has a deadline."""
    sink.answer = lambda _: Answer(trickle=0.05)
    with pytest.raises(ConnectError):
        post(hook(sink.url, timeout_seconds=0.5), "x:1", 1, b"{}")


def test_a_large_answer_is_not_read(sink: WebSink) -> None:
    """A few words are kept of a refusal, and not a hundred megabytes."""
    sink.answer = lambda _: Answer(500, body=b"x" * 5_000_000)
    assert len(post(hook(sink.url), "x:1", 1, b"{}").words) < 300


def test_tls_is_verified(tmp_path: Path) -> None:
    """An unknown authority and a wrong name are refused; a configured authority is trusted."""
    files = tls.make(tmp_path / "tls")
    with WebSink(files) as sink:
        with pytest.raises(TLSError, match="no TLS"):
            post(hook(sink.url), "x:1", 1, b"{}")
        assert post(hook(sink.url, ca_file=files.ca), "x:1", 1, b"{}").good
    wrong = tls.make(tmp_path / "wrong", host="other.example")
    with WebSink(wrong) as sink:
        with pytest.raises(TLSError):
            post(hook(sink.url, ca_file=wrong.ca), "x:1", 1, b"{}")
        assert not sink.received


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('url = "http://x.example"', "must be https"),
        ('url = "ftp://x.example"', "must be an https address"),
        ('url = "https://"', "must be an https address"),
        ('url = "https://u:p@x.example"', "must not hold a user"),
        ('url = "https://x.example/\\na"', "must be an https address"),
        ('url = "https://x.example"\nsecret_file = "s"', "one of secret_env and secret_file"),
        ('url = "https://x.example"\nevents = ["mail"]', "events"),
    ],
)
def test_a_webhook_configured_wrongly(tmp_path: Path, lines: str, says: str) -> None:
    """Each fault in a sentence, before anything is started."""
    text = f'{TOML}\n[[webhook]]\nname = "crm"\nsecret_env = "S"\n{lines}\n'
    with pytest.raises(ConfigError, match=says):
        loads(text, path=tmp_path / "serve.toml", environment={})


def test_waits_grow(monkeypatch: pytest.MonkeyPatch, room: Room, sink: WebSink) -> None:
    """Every failure waits longer than the one before, up to an hour."""
    monkeypatch.setattr(backoff.random, "uniform", lambda _, high: high)
    role = caller(room, sink)
    room.decide(mail(1))
    sink.answer = lambda _: Answer(500)
    waits = []
    for _ in range(14):
        role.batch()
        with room.journal.read() as tx:
            (one,) = deliveries.due(tx, "crm", room.now + DAY)
        waits.append(one.due_at - room.now)
        room.now = one.due_at
    assert waits == sorted(waits)
    assert waits[0] == 1000
    assert waits[-1] == HOUR
