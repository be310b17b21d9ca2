"""serve.toml and the environment -> one frozen configuration, or every fault of it at once.

    [serve]      journal, bundle, loop key, polling
    [[mailbox]]  an IMAP account, its inbox and where queues and filed mail lie
    [smtp]       the account that sends, and the corporate address
    [limits]     the loop breaker
    [bundle] [http] [[webhook]] [alarms] [retention]   see optional.py

A key of [serve] may also be given as the environment variable MAILML_SERVE_<KEY>, which wins over the file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailml.errors import ConfigError, Fault, InputError
from mailml.files import read_text
from mailml.transport.account import KEYS as ACCOUNT_KEYS
from mailml.transport.account import Account

from .faults import faults_of, meant
from .limits import Limits
from .optional import Alarms, Http, Releases, Retention, Webhook
from .service_table import Service

_ENVIRONMENT = "MAILML_SERVE_"
_ADDRESS = r"^[!-;=?-~]+@[!-;=?-~]+$"  # one address alone, without names, blanks or line ends
_SECTIONS = ("serve", "mailbox", "smtp", "limits", "bundle", "http", "webhook", "alarms", "retention")
_PATHS = ("public_key", "shadow", "canary", "certificate_file", "key_file")
M = TypeVar("M", bound=BaseModel)
_frozen = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Places(BaseModel):
    """The keys of [[mailbox]] that are not the account's."""

    model_config = _frozen

    name: Annotated[str, Field(min_length=1, max_length=200)]
    inbox: Annotated[str, Field(min_length=1)] = "INBOX"
    queue_prefix: str = "Queues/"
    filed_prefix: str = "Automated/"
    queues: Mapping[str, str] = Field(default_factory=dict)


class Sending(BaseModel):
    """The keys of [smtp] that are not the account's."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: Annotated[str, Field(alias="from", pattern=_ADDRESS)]
    reply_to: Annotated[str, Field(pattern=f"^$|{_ADDRESS}")] = ""
    envelope: Annotated[str, Field(pattern=f"^$|{_ADDRESS}")] = (
        ""  # MAIL FROM of agents' replies; acknowledgements have the null sender
    )
    connections: Annotated[int, Field(ge=1, le=16)] = 1  # to the server at once; Exchange Online allows three
    dkim_selector: Annotated[str, Field(pattern=r"^[\w.-]*$")] = ""  # for the doctor; "" tries the usual ones
    sent_folder: str = "auto"  # "auto" is the server's own, "" keeps no copies


class Mailbox(BaseModel):
    """One mailbox to watch: where it is and where its mail goes."""

    model_config = _frozen

    account: Account
    places: Places

    @property
    def name(self) -> str:
        """The mailbox's name in the journal and the logs."""
        return self.places.name

    def queue_folder(self, queue: str) -> str:
        """The folder of a queue."""
        return self.places.queues.get(queue, f"{self.places.queue_prefix}{queue}")

    def filed_folder(self, folder: str) -> str:
        """The visible folder of filed mail."""
        return self.places.filed_prefix + folder.removeprefix("Automated/")


class Smtp(BaseModel):
    """The account that sends, and as whom."""

    model_config = _frozen

    account: Account
    sending: Sending


class Config(BaseModel):
    """The whole configuration, checked."""

    model_config = _frozen

    path: Path
    service: Service
    mailboxes: tuple[Mailbox, ...]
    smtp: Smtp
    limits: Limits
    releases: Releases = Releases()
    http: Http | None = None
    webhooks: tuple[Webhook, ...] = ()
    alarms: Alarms = Alarms()
    retention: Retention = Retention()

    def accounts(self) -> dict[str, Account]:
        """Every account that logs in somewhere, by name."""
        return {**{one.name: one.account for one in self.mailboxes}, "smtp": self.smtp.account}


def load(path: str | Path, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration of a file; raises InputError or ConfigError with all faults."""
    path = Path(path)
    if not path.exists():
        raise InputError(
            "cannot be read: there is no such file", where=str(path), cure="Name it with --config"
        )
    return loads(read_text(path), path=path, environment=os.environ if environment is None else environment)


def loads(text: str, *, path: Path, environment: Mapping[str, str]) -> Config:
    """The configuration of a text; `path` names it and is where relative paths start."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault("", f"is not TOML: {error}")], where=path.name) from error
    reader = _Reader(tables, path)
    config = reader.config(environment)
    if reader.faults or config is None:
        raise ConfigError(reader.faults, where=path.name)
    return config


class _Reader:
    """Reads the tables in order and collects every fault instead of stopping at the first."""

    def __init__(self, tables: Mapping[str, Any], path: Path) -> None:
        self.tables, self.path, self.base = tables, path, path.resolve().parent
        self.faults: list[Fault] = []

    def config(self, environment: Mapping[str, str]) -> Config | None:
        for name in self.tables:
            if name not in _SECTIONS:
                self.faults.append(Fault(f"[{name}]", "is not a table of serve.toml", meant(name, _SECTIONS)))
        service = self._model(Service, self._service(environment), "[serve]")
        mailboxes = [self._mailbox(table, n) for n, table in enumerate(self._mailbox_tables(), 1)]
        self._check_names([one for one in mailboxes if one])
        smtp = self._smtp()
        limits = self._model(Limits, self._table("limits"), "[limits]")
        more = self._optional()
        if self.faults or service is None or smtp is None or limits is None:
            return None
        found = tuple(one for one in mailboxes if one)
        return Config(path=self.path, service=service, mailboxes=found, smtp=smtp, limits=limits, **more)

    def _optional(self) -> dict[str, Any]:
        """The tables that may be left out, those that are there."""
        found: dict[str, Any] = {}
        models = (("bundle", Releases), ("http", Http), ("alarms", Alarms), ("retention", Retention))
        for name, model in models:
            if name in self.tables:
                values = self._paths(self._table(name), *_PATHS)
                found["releases" if name == "bundle" else name] = self._model(model, values, f"[{name}]")
        hooks = self.tables.get("webhook", [])
        if not isinstance(hooks, list):
            self.faults.append(Fault("[[webhook]]", "must be written with two brackets"))
            hooks = []
        found["webhooks"] = tuple(self._webhook(table, n) for n, table in enumerate(hooks, 1))
        names = [hook.name for hook in found["webhooks"] if hook]
        self._check_twice("[[webhook]]", names)
        return found

    def _webhook(self, table: Any, number: int) -> Webhook | None:
        where = f"[[webhook]] number {number}"
        if not isinstance(table, Mapping):
            self.faults.append(Fault(where, "must be a table"))
            return None
        hook = self._model(Webhook, self._paths(dict(table), "ca_file"), where)
        return hook.based(str(self.base)) if hook else None

    def _paths(self, table: dict[str, Any], *keys: str) -> dict[str, Any]:
        """Relative paths start in the folder of the file."""
        for key in keys:
            if isinstance(value := table.get(key), str) and value:
                table[key] = self.base / Path(value).expanduser()
        return table

    def _table(self, name: str) -> dict[str, Any]:
        table = self.tables.get(name, {})
        if isinstance(table, Mapping):
            return dict(table)
        self.faults.append(Fault(f"[{name}]", "must be a table"))
        return {}

    def _service(self, environment: Mapping[str, str]) -> dict[str, Any]:
        table = self._table("serve")
        for variable in sorted(environment):
            key = variable.removeprefix(_ENVIRONMENT).lower()
            if variable.startswith(_ENVIRONMENT) and key in Service.model_fields:
                table[key] = environment[variable]
            elif variable.startswith(_ENVIRONMENT):
                cure = meant(key, Service.model_fields)
                self.faults.append(Fault(f"environment variable {variable}", "names no key of [serve]", cure))
        self._paths(table, "journal", "bundle", "loop_key_file")
        if "loop_key_file" not in table and isinstance(table.get("journal"), Path):
            table["loop_key_file"] = table["journal"].with_name("loop.key")
        if table.get("database") and not {"loop_key_env", "loop_key_file"} & set(self._table("serve")):
            what = "is missing: routers that share a database recognise each other's mail by one key"
            self.faults.append(Fault("[serve] loop_key_env", what, "or give loop_key_file"))
        return table

    def _mailbox_tables(self) -> list[Any]:
        tables = self.tables.get("mailbox", [])
        if isinstance(tables, list) and tables:
            return tables
        self.faults.append(
            Fault("[[mailbox]]", "is missing" if not tables else "must be written with two brackets")
        )
        return []

    def _mailbox(self, table: Any, number: int) -> Mailbox | None:
        name = table.get("name") if isinstance(table, Mapping) else None
        where = f"[[mailbox]] {name!r}" if name else f"[[mailbox]] number {number}"
        account, places = self._with_account(table, Places, where, "imap", str(name or ""))
        return Mailbox(account=account, places=places) if account and places else None

    def _smtp(self) -> Smtp | None:
        if "smtp" not in self.tables:
            self.faults.append(
                Fault("[smtp]", "is missing", "Name the server that sends the acknowledgements")
            )
            return None
        account, sending = self._with_account(self._table("smtp"), Sending, "[smtp]", "smtp", "smtp")
        return Smtp(account=account, sending=sending) if account and sending else None

    def _with_account(
        self, table: Any, model: type[M], where: str, protocol: str, name: str
    ) -> tuple[Account | None, M | None]:
        """A table that holds an account's keys beside a room's own."""
        if not isinstance(table, Mapping):
            self.faults.append(Fault(where, "must be a table"))
            return None, None
        own_keys = {field.alias or key for key, field in model.model_fields.items()}
        for key in table:
            if key not in own_keys and key not in ACCOUNT_KEYS:
                self._unknown(where, key, own_keys)
        own = self._model(model, {key: table[key] for key in table if key in own_keys}, where)
        account = None
        try:
            keys = {key: table[key] for key in table if key in ACCOUNT_KEYS}
            account = Account.from_mapping(keys, name=name, protocol=protocol, base=self.base, where=where)
        except ConfigError as error:
            self.faults.extend(error.faults)
        return account, own

    def _unknown(self, where: str, key: str, own_keys: set[str]) -> None:
        self.faults.append(
            Fault(f"{where}, key {key!r}", "is not known", meant(key, {*own_keys, *ACCOUNT_KEYS}))
        )

    def _model(self, model: type[M], values: dict[str, Any], where: str) -> M | None:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            self.faults.extend(faults_of(error, model, where))
            return None

    def _check_names(self, mailboxes: list[Mailbox]) -> None:
        self._check_twice("[[mailbox]]", [mailbox.name for mailbox in mailboxes])

    def _check_twice(self, where: str, names: list[str]) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.faults.append(
                Fault(f"{where} {name!r}", "is there more than once", "Give each a name of its own")
            )
