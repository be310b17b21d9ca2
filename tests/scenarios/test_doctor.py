"""The doctor against real servers: TLS lines, tokens, a probe mail through Postfix into Dovecot."""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serve.doctor.check import Check
from serve.doctor.line import certificate, kept_by_the_kernel, skew, time_of
from serve.doctor.rights import full
from tests.serve.service import Service
from tests.servers.dns_server import DnsServer, txt
from tests.servers.dovecot import Dovecot, User
from tests.servers.dovecot_config import Settings
from tests.servers.missing import ServerMissing
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink
from tests.servers.token_server import TokenServer

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(180)]


def examined(service: Service, *options: str, good: int | None = 0) -> dict[str, dict[str, Any]]:
    """What the doctor says, by name."""
    told = json.loads(service.call("doctor", "--json", *options, good=good).stdout)
    return {one["name"]: one for one in told}


def test_everything_in_order(service: Service) -> None:
    """DNS, line, login, capabilities, folders, sending: in this order, every failure with a cure."""
    zone = {
        ("acme.example", "MX"): ["10 mx.acme.example."],
        ("acme.example", "TXT"): [txt("v=spf1 ip4:127.0.0.1 -all")],
        ("selector1._domainkey.acme.example", "TXT"): [txt("v=DKIM1; p=" + "A" * 392)],
        ("_dmarc.acme.example", "TXT"): [txt("v=DMARC1; p=reject")],
    }
    service.imap = service.mailbox.mapping("tls")
    with DnsServer(zone) as dns:
        told = examined(service, "--nameserver", dns.address)
    # the test's certificate is good for a week, which is a reason to look; who keeps the clock is open here
    bad = [name for name, one in told.items() if one["state"] != "ok" and name != "clock"]
    assert bad == ["mailbox desk: TLS"], told
    assert "no ACL" in told["mailbox desk: rights"]["found"]
    names = list(told)
    order = [
        "bundle",
        "dns: MX",
        "dns: DMARC",
        "mailbox desk: TLS",
        "mailbox desk: login",
        "mailbox desk: IDLE",
    ]
    order += ["mailbox desk: MOVE", "mailbox desk: UIDPLUS", "mailbox desk: CONDSTORE", "smtp"]
    assert [name for name in names if name in order] == order
    assert "TLSv1" in told["mailbox desk: TLS"]["found"]


def test_rights_to_folders(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    """A mailbox we may only read, and a queue we may not put mail in, are named with what is missing."""
    try:
        server = Dovecot(Settings(acl=True))
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with server:
        service = Service(tmp_path / "serve", server.user(), smtp_sink)
        service.imap["inbox"] = "Desk"
        with service.mailbox.client() as client:
            for folder in ("Desk", "Queues", "Queues/General Support"):
                client.create_folder(folder)
        good = examined(service)["mailbox desk: rights"]
        assert (good["state"], good["found"]) == ("ok", "enough to move mail, in 3 folders")
        for folder, *granted in (
            ("Desk", "lookup", "read", "write-seen", "write-deleted"),
            ("Queues", "lookup", "read"),
            ("Queues/General Support", "lookup", "read"),
        ):
            server.doveadm("acl", "set", "-u", service.mailbox.name, folder, "owner", *granted)
        told = examined(service, good=3)
    inbox = told["mailbox desk: rights to Desk"]
    assert (inbox["state"], inbox["found"]) == ("failed", "cannot take mail out (e)")
    assert inbox["cure"].endswith("user=ACCOUNT lrtesw")
    assert "make folders (k)" in told["mailbox desk: rights to Queues"]["found"]
    assert "put mail in (i)" in told["mailbox desk: rights to Queues/General Support"]["found"]
    assert "mailbox desk: rights" not in told


@pytest.mark.parametrize(
    ("told", "means"), [("lrswicda", "lrswicdatek"), ("lrd", "lrdte"), ("lrtd", "lrtd"), ("lrkc", "lrkc")]
)
def test_old_rights_are_understood(told: str, means: str) -> None:
    """Servers of RFC 2086 say d and c for what is t, e and k today; newer ones say them beside these."""
    assert set(full(told)) == set(means)


def test_a_clock_nobody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no host answers the kernel is asked who keeps its clock; what cannot be asked is said so."""
    assert time_of("https://127.0.0.1:1", None) is None
    for state, wanted, words in (
        (0, "ok", "kept by NTP"),
        (5, "warning", "nobody keeps"),
        (-1, "warning", "could not"),
    ):
        monkeypatch.setattr(ctypes, "CDLL", lambda _, state=state: SimpleNamespace(adjtimex=lambda _: state))
        one = kept_by_the_kernel()
        assert (one.state, words in one.found, bool(one.cure)) == (wanted, True, wanted != "ok")


def test_a_failure_has_a_cure_and_a_code(service: Service) -> None:
    """Exit code 3 for scripts, and no failure without something to do about it."""
    service.imap["password"] = "wrong"
    service.smtp["port"] = 1
    service.serve["journal"] = "serve.toml/journal.sqlite"
    told = examined(service, good=3)
    failures = [one for one in told.values() if one["state"] == "failed"]
    assert {"journal folder", "mailbox desk", "smtp"} <= {one["name"] for one in failures}
    assert all(one["cure"] for one in failures)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_line_of_a_mailbox(dovecot: User, security: str) -> None:
    """Version and remaining days, by both ways to TLS; an unknown authority is named with the cure."""
    (one,) = certificate("desk", dovecot.account(security), "imap")
    assert (one.state, "certificate good for" in one.found) == ("warning", True)  # a week is left
    mapping = dovecot.mapping(security)
    del mapping["ca_file"]
    from mailml.transport.account import Account

    (bad,) = certificate("desk", Account.from_mapping(mapping, name="desk"), "imap")
    assert bad.state == "failed"
    assert "ca_file" in bad.cure


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_line_of_a_server_that_sends(tmp_path: Path, security: str) -> None:
    """The same over SMTP."""
    with SmtpSink(tmp_path / "sink", security) as sink:
        (one,) = certificate("smtp", sink.account(), "smtp")
    assert "certificate good for" in one.found


def test_a_server_without_starttls(tmp_path: Path) -> None:
    """It is said in words instead of hanging."""
    with SmtpSink(tmp_path / "sink", "none") as sink:
        account = sink.account(security="starttls")
        (one,) = certificate("smtp", account, "smtp")
    assert isinstance(one, Check)
    assert (one.state, one.found) == ("failed", "the server offers no STARTTLS")


@pytest.mark.parametrize(("seconds", "state"), [(3, "ok"), (-59, "ok"), (61, "failed"), (-3600, "failed")])
def test_a_clock_that_is_off(seconds: float, state: str) -> None:
    """A minute is forgiven, an hour is named with its direction and the cure."""
    one = skew("clock", seconds, "there")
    assert one.state == state
    assert ("ahead" in one.found) is (seconds > 0)
    assert bool(one.cure) is (state == "failed")


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[TokenServer]:
    """An identity provider."""
    with TokenServer(tmp_path / "authority", "support@example.test") as server:
        yield server


def test_tokens_clock_and_the_end_of_a_secret(
    service: Service, authority: TokenServer, tmp_path: Path
) -> None:
    """The provider's clock, the token, when the secret ends; a refusal in the provider's words."""
    try:
        dovecot = Dovecot(token_url=authority.introspection, token_ca=authority.certificates.ca)
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with dovecot:
        table = {**dovecot.user("support@example.test").mapping(), **authority.account(tmp_path / "secret")}
        del table["password"]
        service.imap = {**table, "client_secret_expires": "2020-01-31"}
        told = examined(service, good=3)
        assert told["clock"]["state"] == "ok"
        assert told["mailbox desk: token"]["state"] == "ok"
        assert told["mailbox desk: login"]["state"] == "ok"
        assert "ended on 2020-01-31" in told["desk: credential"]["found"]
        (tmp_path / "secret").write_text("wrong")
        told = examined(service, good=3)
        assert "AADSTS7000215" in told["mailbox desk: token"]["found"]


@pytest.fixture
def mailed(service: Service, postfix: Postfix) -> Service:
    """A service that sends through Postfix into its own mailbox."""
    service.smtp["port"] = postfix.port
    return service


def test_a_probe_mail(mailed: Service) -> None:
    """It leaves, arrives, is timed, and proves that folders can be made and mail be moved."""
    told = examined(mailed, "--probe-to", mailed.mailbox.name)
    assert told["probe: sent"]["state"] == told["probe: arrived"]["state"] == "ok"
    assert told["probe: clock"]["state"] == "ok"
    assert told["probe: moved"]["found"] == "to Automated/Probe"
    assert told["probe: authenticated"]["state"] == "warning"
    assert mailed.folders() == {"Automated/Probe": 1}


def test_a_probe_while_the_service_runs(mailed: Service) -> None:
    """The service knows it as its own mail and files it: no interaction, no acknowledgement."""
    with mailed:
        told = examined(mailed, "--probe-to", mailed.mailbox.name)
        assert told["probe: arrived"]["state"] == "ok"
        assert "running service" in told["probe: moved"]["found"]
        mailed.wait(lambda: mailed.decisions(), "the probe's decision")
        (line,) = mailed.decisions()
    assert line["decision"]["verdict"]["kind"] == "own_loop"
    assert line["decision"]["ack"]["send"] is False
    assert not mailed.sink.mails


def test_a_probe_that_never_comes(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sink takes it and keeps it: a failure that says where to look."""
    from serve.doctor import probe

    monkeypatch.setattr(probe.probe, "__kwdefaults__", {"seconds": 2.0})
    begun = time.monotonic()
    told = examined(service, "--probe", good=3)
    assert told["probe: sent"]["state"] == "ok"
    assert told["probe: arrived"]["state"] == "failed"
    assert "junk" in told["probe: arrived"]["cure"]
    assert time.monotonic() - begun > 2
