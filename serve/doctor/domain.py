"""The corporate domain in DNS: MX, SPF, DKIM, DMARC, and whether mail from our address aligns."""

from __future__ import annotations

from collections.abc import Iterator

from mailml.errors import ConnectError

from ..config import Config
from .check import FAILED, OK, WARNING, Check, failed, judged
from .names import RESERVED, Names
from .spf import MOST_LOOKUPS, Spf, SpfError

# What the large providers and common mailers call their keys; a domain's own is named in dkim_selector.
_SELECTORS = ("selector1", "selector2", "google", "default", "dkim", "mail", "k1", "s1", "s2")
_SHORTEST_KEY = 200  # letters of base64: 1,024-bit keys have 216


def domain(config: Config, names: Names) -> Iterator[Check]:
    """Every check on the domain; a name server that does not answer is a warning, not a failure."""
    sender = config.smtp.sending.from_.rpartition("@")[2].lower()
    if not names.server and sender.rpartition(".")[2] in RESERVED:
        yield Check("dns", WARNING, f"{sender} is a reserved name: nothing can be asked", "Use a real domain")
        return
    for ask in (_mx, _spf, _dkim, _dmarc):
        try:
            yield from ask(config, names, sender)
        except SpfError as error:
            yield failed("dns: SPF", error)
        except ConnectError as error:
            yield Check(f"dns: {ask.__name__[1:].upper()}", WARNING, error.what, error.cure)


def _mx(_: Config, names: Names, sender: str) -> Iterator[Check]:
    found = [record.split() for record in names.ask(sender, "MX")]
    hosts = [record[-1].rstrip(".") for record in sorted(found, key=lambda one: int(one[0]))]
    cure = "Add an MX record for the domain; without one, answers cannot come back"
    yield judged("dns: MX", bool(hosts) and hosts != [""], ", ".join(hosts) or "none", cure)


def _spf(config: Config, names: Names, sender: str) -> Iterator[Check]:
    spf = Spf(names)
    record = spf.record(sender)
    if not record:
        cure = 'Add a TXT record, e.g. "v=spf1 include:spf.protection.outlook.com -all"'
        yield Check("dns: SPF", FAILED, "none", cure)
        return
    words = record.lower().split()
    if "+all" in words or "all" in words:
        yield Check("dns: SPF", FAILED, f"{record}: anybody may send as you", 'End it with "-all" or "~all"')
        return
    host = config.smtp.account.host
    addresses = names.addresses(host)
    results = []
    for address in addresses:
        one = Spf(names)
        results.append(one.result(sender, address))
        spf.lookups = max(spf.lookups, one.lookups)
    yield Check("dns: SPF", OK, f"{record} ({spf.lookups} of {MOST_LOOKUPS} lookups)")
    passes = "pass" in results
    # a submission server seldom sends from the address it listens on: only a probe mail proves it
    told = f"{host} is allowed" if passes else f"{host} ({', '.join(addresses) or 'no address'}) is not named"
    cure = "Include your provider's record, or prove it with: mailml-serve doctor --probe"
    yield judged("dns: SPF covers the server", passes, told, cure, otherwise=WARNING)


def _dkim(config: Config, names: Names, sender: str) -> Iterator[Check]:
    own = config.smtp.sending.dkim_selector
    found = {}
    for selector in [own] if own else _SELECTORS:
        for text in names.ask(f"{selector}._domainkey.{sender}", "TXT"):
            found[selector] = _tags(text).get("p", "").replace(" ", "")
    good = {selector: key for selector, key in found.items() if key}
    # acknowledgements have the empty envelope sender (RFC 3834), so SPF cannot align them
    cure = "Switch DKIM signing on at your provider: acknowledgements cannot pass DMARC otherwise. "
    cure += "Name another selector in [smtp] dkim_selector"
    if not good:
        told = "revoked (empty p=)" if found else f"none under {own or 'the usual selectors'}"
        yield Check("dns: DKIM", FAILED if own else WARNING, told, cure)
        return
    short = [selector for selector, key in good.items() if len(key) < _SHORTEST_KEY and "ed25519" not in key]
    told = f"selector {', '.join(sorted(good))}"
    if short:
        yield Check("dns: DKIM", WARNING, f"{told}: the key of {short[0]} is short", "Use RSA with 2048 bits")
    else:
        yield Check("dns: DKIM", OK, told)


def _dmarc(config: Config, names: Names, sender: str) -> Iterator[Check]:
    where, tags = _policy(names, sender)
    if not tags:
        cure = f'Add TXT at _dmarc.{sender}, e.g. "v=DMARC1; p=none; rua=mailto:you@{sender}"'
        yield Check("dns: DMARC", WARNING, "none", cure)
        return
    yield Check("dns: DMARC", OK, f"p={tags.get('p', 'none')} at {where}")
    envelope = (config.smtp.sending.envelope or config.smtp.sending.from_).rpartition("@")[2].lower()
    strict = tags.get("aspf", "r") == "s"
    aligned = envelope == sender if strict else related(envelope, sender)
    told = f"envelope {envelope}, From {sender}, {'strict' if strict else 'relaxed'}"
    cure = "Let [smtp] envelope be an address of the From domain"
    yield judged("dns: From aligned by SPF", aligned, told, cure)


def _policy(names: Names, domain: str) -> tuple[str, dict[str, str]]:
    """The domain's DMARC record, or that of the nearest parent that has one."""
    labels = domain.split(".")
    for depth in range(len(labels) - 1):
        name = ".".join(labels[depth:])
        for text in names.ask(f"_dmarc.{name}", "TXT"):
            tags = _tags(text)
            if tags.get("v") == "DMARC1":
                return f"_dmarc.{name}", tags
    return "", {}


def related(one: str, other: str) -> bool:
    """Relaxed alignment, as far as it can be told without a list of public suffixes."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _tags(text: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
