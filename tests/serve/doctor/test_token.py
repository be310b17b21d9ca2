"""Tokens are opened and judged, and never printed."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest

from mailml.transport.account import Account
from serve.doctor.token import claims, token

GOOD = {"aud": "https://outlook.office365.com", "roles": ["IMAP.AccessAsApp", "SMTP.SendAsApp"]}


def jwt(**values: Any) -> str:
    """An unsigned token with these claims."""
    body = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


@dataclass(frozen=True)
class Held:
    """A provider that holds one token."""

    value: str

    def token(self) -> str:
        """That token."""
        return self.value


def told(text: str, protocol: str = "imap") -> dict[str, tuple[str, str]]:
    """What is said of a token: state and answer by name."""
    account = Account(name="desk", host="mail.example", user="u", auth=Held(text))
    found = list(token("desk", account, protocol))
    assert text not in json.dumps([one.to_plain() for one in found])
    assert "c2ln" not in json.dumps([one.to_plain() for one in found])
    return {one.name.removeprefix("desk: token").strip(): (one.state, one.found) for one in found}


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
def test_a_good_token(protocol: str) -> None:
    """Audience, role and expiry are good, for the mailbox and for sending."""
    said = told(jwt(**GOOD, exp=time.time() + 3600), protocol)
    assert {state for state, _ in said.values()} == {"ok"}
    assert set(said) == {"audience", "roles", "expiry"}


def test_a_token_for_graph() -> None:
    """It is issued gladly and refused at the mailbox: the audience says so first."""
    said = told(jwt(aud="https://graph.microsoft.com", roles=["Mail.Read"], exp=time.time() + 3600))
    assert said["audience"] == ("failed", "https://graph.microsoft.com")
    assert said["roles"][0] == "failed"


def test_a_person_has_scopes() -> None:
    """Delegated permissions stand in `scp`."""
    assert told(jwt(aud=GOOD["aud"], scp="IMAP.AccessAsUser.All SMTP.Send"))["roles"][0] == "ok"
    assert told(jwt(aud=GOOD["aud"], scp="User.Read"))["roles"][0] == "failed"


def test_a_token_that_is_over() -> None:
    """One that ends at once points to the clock."""
    assert told(jwt(**GOOD, exp=time.time() - 10))["expiry"][0] == "warning"


@pytest.mark.parametrize(
    "text", ["AbCdEf", "a.b", "a.!!!.c", "a.W10.c", "a..c", jwt() + ".x", "a." + "W1" * 60_000 + ".c"]
)
def test_what_is_no_jwt_is_opaque(text: str) -> None:
    """Nothing is guessed of it, whatever it looks like."""
    assert claims(text) == {}
    assert told(text)[""][0] == "ok"


@pytest.mark.parametrize("value", [None, 3, "x", {"a": 1}, [{"b": 2}]])
def test_claims_of_wrong_types(value: Any) -> None:
    """A hostile provider's claims are judged like missing ones."""
    said = told(jwt(aud=value, roles=value, scp=value, exp=value))
    assert said["audience"][0] == "failed"
    assert said["roles"][0] == "failed"
