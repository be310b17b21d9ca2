"""The tables of serve.toml that may be left out: [bundle], [http], [[webhook]], [alarms], [retention]."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from mailml.transport.secret import Secret

_frozen = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Releases(BaseModel):
    """The [bundle] table: who vouches for a bundle, and which others look at the same mail."""

    model_config = _frozen

    public_key: Path | None = None  # Ed25519 PEM: a bundle not signed by it is refused
    shadow: Path | None = None  # decides too, is only recorded
    canary: Path | None = None  # decides for a share of the interactions
    canary_percent: Annotated[float, Field(ge=0, le=100)] = 0.0


class Http(BaseModel):
    """The [http] table: the API, health and metrics; absent, nothing listens."""

    model_config = _frozen

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8025
    per_minute: Annotated[int, Field(ge=1)] = 600  # requests of one client, unless its key says otherwise
    max_body_kb: Annotated[int, Field(ge=1, le=100_000)] = 1024
    open_metrics: bool = True  # /metrics without a key: counts and mailbox names, no customer's data
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together")
        return self

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class Webhook(BaseModel):
    """One [[webhook]]: who is told, signed with which secret, of what."""

    model_config = _frozen

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w.-]+$")]
    url: str
    secret_env: str = ""
    secret_file: str = ""
    events: frozenset[Literal["decision", "alarm"]] = frozenset({"decision", "alarm"})
    allow_private: bool = False  # an address of our own network, or plain http
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    give_up_hours: Annotated[float, Field(gt=0)] = 72.0
    ca_file: Path | None = None  # who vouches for its certificate, beside or instead of the public ones
    _base: str = PrivateAttr("")  # the folder of serve.toml

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            parts = urlsplit(self.url)
            good = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or not self.url.isascii() or any(ord(c) <= 32 for c in self.url):
            raise ValueError("url must be an https address")
        if parts.username or parts.password:
            raise ValueError("url must not hold a user or password: the signature says who we are")
        if parts.scheme == "http" and not self.allow_private:
            raise ValueError("url must be https unless allow_private = true")
        if bool(self.secret_env) == bool(self.secret_file):
            raise ValueError("give one of secret_env and secret_file")
        return self

    def based(self, folder: str) -> Self:
        """The same, with a relative secret_file taken from this folder."""
        self._base = folder
        return self

    @property
    def secret(self) -> Secret:
        """What signs the requests; read when it is needed."""
        source = "env" if self.secret_env else "file"
        return Secret(source, self.secret_env or self.secret_file, self._base)


class Alarms(BaseModel):
    """The [alarms] table: when somebody is told."""

    model_config = _frozen

    silent_minutes: Annotated[float, Field(gt=0)] | None = None  # None is three polls and a minute
    outbox_minutes: Annotated[float, Field(gt=0)] = 30.0  # an effect that waits longer
    quarantine_hour: Annotated[int, Field(ge=1)] = 5  # messages set aside within an hour
    secret_days: Annotated[float, Field(ge=0)] = 30.0  # before a client secret or certificate ends
    repeat_hours: Annotated[float, Field(gt=0)] = 24.0  # an alarm that still holds is told again


class Retention(BaseModel):
    """The [retention] table: how long bodies and people's data are kept; absent, for ever."""

    model_config = _frozen

    body_days: Annotated[float, Field(ge=1)] | None = None
    person_days: Annotated[float, Field(ge=1)] | None = None  # addresses, subjects, decision details

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.person_days is not None and self.body_days is not None and self.person_days < self.body_days:
            raise ValueError("person_days must not be below body_days")
        return self
