"""The doctor's questions to DNS, answered by a real name server of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailml.errors import ConnectError
from serve.config import Config, loads
from serve.doctor import names as room_of_names
from serve.doctor.check import Check
from serve.doctor.domain import domain, related
from serve.doctor.names import Names
from serve.doctor.spf import Spf, SpfError
from tests.serve.room import TOML
from tests.servers.dns_server import DnsServer, txt

HERE, SELECTOR = "acme.example", "selector1._domainkey.acme.example"
KEY = "MIIBIjANBgkq" + "A" * 380
GOOD: dict[tuple[str, str], list[str]] = {
    ("acme.example", "MX"): ["20 mx2.acme.example.", "10 mx1.acme.example."],
    ("acme.example", "TXT"): [
        txt("unrelated=1"),
        txt("v=spf1 ip4:127.0.0.0/8 include:_spf.provider.example -all"),
    ],
    ("_spf.esp.example", "TXT"): [txt("v=spf1 ip4:192.0.2.0/24 ~all")],
    ("selector1._domainkey.acme.example", "TXT"): [txt(f"v=DKIM1; k=rsa; p={KEY}")],
    ("_dmarc.acme.example", "TXT"): [txt("v=DMARC1; p=reject; rua=mailto:d@acme.example")],
}


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """A name server that knows a domain in good order."""
    with DnsServer(GOOD) as started:
        yield started


def config(folder: Path, **smtp: str) -> Config:
    """A configuration that sends from support@acme.example; `smtp` adds keys to [smtp]."""
    lines = "".join(f'{key} = "{value}"\n' for key, value in smtp.items())
    return loads(
        TOML.replace("[[mailbox]]", f"{lines}[[mailbox]]"), path=folder / "serve.toml", environment={}
    )


def checks(dns: DnsServer, folder: Path, **smtp: str) -> dict[str, Check]:
    """The checks by name."""
    return {one.name: one for one in domain(config(folder, **smtp), Names(dns.address))}


def states(found: dict[str, Check]) -> dict[str, str]:
    """The states by name."""
    return {name.removeprefix("dns: "): one.state for name, one in found.items()}


def test_a_domain_in_good_order(dns: DnsServer, tmp_path: Path) -> None:
    """MX, SPF, DKIM, DMARC, alignment: all good, long records (over TCP) included."""
    found = checks(dns, tmp_path)
    assert set(states(found).values()) == {"ok"}
    assert set(states(found)) == {
        "MX",
        "SPF",
        "SPF covers the server",
        "DKIM",
        "DMARC",
        "From aligned by SPF",
    }
    assert found["dns: MX"].found == "mx1.acme.example, mx2.acme.example"
    assert found["dns: DKIM"].found == "selector selector1"
    assert "p=reject" in found["dns: DMARC"].found


def test_a_domain_that_has_nothing(tmp_path: Path) -> None:
    """Each missing record is named with the record to add."""
    with DnsServer({("acme.example", "A"): ["192.0.2.1"]}) as empty:
        found = checks(empty, tmp_path)
    assert states(found) == {"MX": "failed", "SPF": "failed", "DKIM": "warning", "DMARC": "warning"}
    assert all(one.cure for one in found.values())


@pytest.mark.parametrize(
    ("owner", "kind", "records", "name", "state", "says"),
    [
        (HERE, "MX", ["0 ."], "MX", "failed", "Add an MX"),
        (HERE, "TXT", [txt("v=spf1 -all"), txt("v=spf1 ~all")], "SPF", "failed", "Merge"),
        (HERE, "TXT", [txt("v=spf1 +all")], "SPF", "failed", "anybody"),
        (HERE, "TXT", [txt("v=spf1 nonsense -all")], "SPF", "failed", "unknown word"),
        (HERE, "TXT", [txt("v=spf1 include:acme.example -all")], "SPF", "failed", "includes itself"),
        (HERE, "TXT", [txt("v=spf1 ip4:10.0.0.1 -all")], "SPF covers the server", "warning", "--probe"),
        (SELECTOR, "TXT", [txt("v=DKIM1; p=")], "DKIM", "warning", "revoked"),
        (SELECTOR, "TXT", [txt("p=MIGf" + "A" * 100)], "DKIM", "warning", "2048"),
    ],
)
def test_a_record_that_is_wrong(
    dns: DnsServer,
    tmp_path: Path,
    owner: str,
    kind: str,
    records: list[str],
    name: str,
    state: str,
    says: str,
) -> None:
    """Null MX, two SPF records, an open one, loops, revoked and short keys."""
    dns.zone[owner, kind] = records
    one = checks(dns, tmp_path)[f"dns: {name}"]
    assert one.state == state
    assert says in f"{one.found} {one.cure}"


def test_a_selector_of_its_own(dns: DnsServer, tmp_path: Path) -> None:
    """A named selector is asked alone, and its absence is a failure."""
    dns.zone["acme2026._domainkey.acme.example", "TXT"] = [txt(f"v=DKIM1; p={KEY}")]
    assert checks(dns, tmp_path, dkim_selector="acme2026")["dns: DKIM"].state == "ok"
    assert checks(dns, tmp_path, dkim_selector="lost")["dns: DKIM"].state == "failed"
    assert not [name for name, _ in dns.asked if name.startswith("google._domainkey")][1:]


def test_the_policy_of_the_parent(dns: DnsServer, tmp_path: Path) -> None:
    """A subdomain without a record has its parent's, and strict alignment is strict."""
    sub = loads(
        TOML.replace("support@acme.example", "support@mail.acme.example"),
        path=tmp_path / "serve.toml",
        environment={},
    )
    found = {one.name: one for one in domain(sub, Names(dns.address))}
    assert found["dns: DMARC"].found.endswith("_dmarc.acme.example")
    dns.zone["_dmarc.acme.example", "TXT"] = [txt("v=DMARC1; p=none; aspf=s")]
    strict = checks(dns, tmp_path, envelope="bounces@bounce.acme.example")
    assert strict["dns: From aligned by SPF"].state == "failed"
    dns.zone["_dmarc.acme.example", "TXT"] = [txt("v=DMARC1; p=none")]
    relaxed = checks(dns, tmp_path, envelope="bounces@bounce.acme.example")
    assert relaxed["dns: From aligned by SPF"].state == "ok"
    foreign = checks(dns, tmp_path, envelope="bounces@esp.example")
    assert foreign["dns: From aligned by SPF"].state == "failed"


@pytest.mark.parametrize("trouble", ["silent", "broken"])
def test_a_name_server_in_trouble_proves_nothing(
    dns: DnsServer, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer and SERVFAIL are warnings that say so, never a failed domain."""
    monkeypatch.setattr(room_of_names, "_LIFETIME", 0.5)
    setattr(dns, trouble, True)
    found = checks(dns, tmp_path)
    assert set(states(found).values()) == {"warning"}
    assert "could not be asked" in found["dns: MX"].found
    with pytest.raises(ConnectError):
        Names(dns.address).ask("acme.example", "MX")


def test_reserved_names_are_not_asked(tmp_path: Path) -> None:
    """.example exists nowhere: one warning, unless a server was named."""
    (one,) = domain(config(tmp_path), Names())
    assert (one.state, "reserved" in one.found) == ("warning", True)


@pytest.mark.parametrize(
    ("record", "address", "result"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.9", "pass"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.3.9", "fail"),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db8::1", "pass"),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db9::1", "softfail"),
        ("v=spf1 ?ip4:192.0.2.1 -all", "192.0.2.1", "neutral"),
        ("v=spf1 a -all", "192.0.2.80", "pass"),
        ("v=spf1 a:www.acme.example/28 -all", "192.0.2.90", "pass"),
        ("v=spf1 mx -all", "192.0.2.25", "pass"),
        ("v=spf1 include:partner.example -all", "198.51.100.1", "pass"),
        ("v=spf1 include:partner.example -all", "198.51.100.2", "fail"),
        ("v=spf1 redirect=partner.example", "198.51.100.1", "pass"),
        ("v=spf1 exists:%{i}.x.example -all", "192.0.2.1", "fail"),
        ("v=spf1", "192.0.2.1", "neutral"),
        ("something else", "192.0.2.1", "none"),
    ],
)
def test_who_may_send(record: str, address: str, result: str) -> None:
    """The mechanisms of RFC 7208 that name a fixed sender."""
    zone = {
        ("acme.example", "TXT"): [txt(record)],
        ("acme.example", "A"): ["192.0.2.80"],
        ("acme.example", "MX"): ["10 mx.acme.example."],
        ("mx.acme.example", "A"): ["192.0.2.25"],
        ("www.acme.example", "A"): ["192.0.2.81"],
        ("partner.example", "TXT"): [txt("v=spf1 ip4:198.51.100.1 -all")],
    }
    with DnsServer(zone) as server:
        assert Spf(Names(server.address)).result("acme.example", address) == result


def test_too_many_lookups() -> None:
    """The eleventh lookup is the permanent error that receivers make of it."""
    zone = {(f"d{n}.example", "TXT"): [txt(f"v=spf1 include:d{n + 1}.example -all")] for n in range(12)}
    with DnsServer(zone) as server, pytest.raises(SpfError, match="more than 10"):
        Spf(Names(server.address)).result("d0.example", "192.0.2.1")


def test_relaxed_alignment() -> None:
    """A subdomain aligns, a lookalike does not."""
    assert related("mail.acme.example", "acme.example")
    assert not related("evilacme.example", "acme.example")
