"""The desk: what an analyst sets beside the flow. Who we are, when we are open, what we promise, what a
misroute costs. Read from desk.toml with every fault at once; kept as written inside a bundle."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from mailml.bundle import toml
from mailml.bundle.reading import Section, is_number, meant
from mailml.classifier import Policy
from mailml.classifier.policy import FALLBACK
from mailml.errors import ConfigError, Fault
from mailml.files import read_text
from mailml.reply import AckPolicy
from mailml.sla import Calendar, Target, parse_target
from mailml.verdict import Identity

CATEGORIES = ("billing", "general", "technical")
TARGET = "4 business hours"

# Every key of desk.toml, table by table; [ack] and [calendar] are read by their own rooms.
KEYS: Mapping[str, tuple[str, ...]] = {
    "identity": ("name", "addresses", "primary", "domains", "lists", "web_forms", "authserv_ids"),
    "calendar": ("zone", "week", "country", "subdiv", "holidays"),
    "sla": ("target",),
    "ack": (),
    "threads": ("same_subject_days",),
    "classifier": ("categories", "fallback", "costs", "thresholds"),
}


@dataclass(frozen=True)
class Desk:
    """One support desk. Make one with `loads`, `load`, `from_mapping` or `default`.

    `costs[truth][action]` and `thresholds` are what was set; what was not is `Policy`'s default. `source` is
    the TOML text it was read from, which a bundle keeps.
    """

    identity: Identity
    calendar: Calendar
    sla_target: Target
    ack: AckPolicy
    categories: tuple[str, ...]
    fallback: str
    costs: Mapping[str, Mapping[str, float]]
    thresholds: Mapping[str, float]
    same_subject: timedelta
    source: str = field(repr=False, compare=False)

    @property
    def cut_off(self) -> timedelta:
        """How old a mail may be that is still acknowledged."""
        return timedelta(hours=self.ack.cut_off_hours)

    def policy(self, classes: tuple[str, ...], withheld: str = "") -> Policy:
        """How a classifier with these classes decides at this desk."""
        return Policy(classes, self.fallback, self.costs, self.thresholds, withheld)


def loads(source: str, *, where: str = "desk.toml") -> Desk:
    """Read desk.toml's text; raises ConfigError with every fault, each with its table and key."""
    try:
        values = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([Fault("", f"is not TOML: {error}")], where=where) from error
    faults: list[Fault] = []
    for name in values:
        if name not in KEYS:
            faults.append(Fault(f"[{name}]", "is not a table of a desk", meant(name, KEYS)))
    desk = _desk(values, source, faults)
    if faults:
        raise ConfigError(faults, where=where)
    return desk


def load(path: str | os.PathLike[str]) -> Desk:
    """Read a desk.toml file; raises InputError when it cannot be opened."""
    return loads(read_text(Path(path)), where=str(path))


def from_mapping(values: Mapping[str, Any]) -> Desk:
    """The desk that a nested mapping describes; the same keys as desk.toml."""
    return loads(toml.dumps(values), where="desk")


def default(*addresses: str, **identity: Any) -> Desk:
    """A ready desk: office hours in UTC, four business hours, acks on; yours once it knows your addresses."""
    domains = sorted({address.rpartition("@")[2] for address in addresses})
    who = {"addresses": list(addresses), "domains": domains, **identity}
    return from_mapping({"identity": who, "sla": {"target": TARGET}})


def dumps(desk: Desk) -> str:
    """The text a desk was read from."""
    return desk.source


def _desk(values: Mapping[str, Any], source: str, faults: list[Fault]) -> Desk:
    def section(name: str) -> Section:
        return Section(name, values.get(name, {}), faults, KEYS[name])

    identity = _identity(section("identity"))
    office = Calendar.from_mapping({})
    # the rooms of calendar and ack check their own keys: here any are let through
    hours = Section("calendar", values.get("calendar", {}), faults, values.get("calendar", {}))
    calendar = hours.parsed("", lambda: Calendar.from_mapping(values.get("calendar", {})), office)
    promise = section("sla")
    words = promise.text("target", TARGET)
    target = promise.parsed("target", lambda: parse_target(words), parse_target(TARGET))
    answer = Section("ack", values.get("ack", {}), faults, values.get("ack", {}))
    ack = answer.parsed("", lambda: AckPolicy.from_mapping(values.get("ack", {})), AckPolicy())
    categories, fallback, costs, thresholds = _classifier(section("classifier"))
    days = section("threads").number("same_subject_days", 0, 0, 365)
    return Desk(
        identity=identity,
        calendar=calendar,
        sla_target=target,
        ack=ack,
        categories=categories,
        fallback=fallback,
        costs=costs,
        thresholds=thresholds,
        same_subject=timedelta(days=days),
        source=source,
    )


def _identity(section: Section) -> Identity:
    if not section.has("addresses"):
        cure = 'Write addresses = ["support@example.com"]: nothing else is acknowledged'
        section.fault("addresses", "is missing", cure)
    addresses = section.addresses("addresses")
    # answers leave from the address that is named first, unless another one is chosen
    primary = section.text("primary", section.first("addresses")).strip().lower()
    if section.has("primary") and primary not in addresses:
        section.fault("primary", f"{primary!r} is none of the addresses", meant(primary, addresses))
    return Identity(
        addresses=addresses,
        domains=section.domains("domains"),
        lists=section.addresses("lists"),
        web_forms=section.addresses("web_forms"),
        authserv_ids=frozenset(name.strip().lower() for name in section.texts("authserv_ids")),
        primary=primary,
        name=section.text("name", ""),
    )


def _classifier(
    section: Section,
) -> tuple[tuple[str, ...], str, dict[str, dict[str, float]], dict[str, float]]:
    categories = section.texts("categories", CATEGORIES)
    if len(categories) < 2:
        section.fault("categories", "names fewer than two categories")
    fallback = section.text("fallback", FALLBACK)
    actions = {*categories, fallback}
    costs: dict[str, dict[str, float]] = {}
    for truth, row in section.table("costs").items():
        if truth not in categories:
            section.fault(f"costs.{truth}", "is not a category", meant(truth, categories))
        elif not isinstance(row, Mapping):
            section.fault(f"costs.{truth}", "is not a table", "Write { action = cost }")
        else:
            costs[truth] = dict(_prices(section, f"costs.{truth}", row, actions, float("inf")))
    thresholds = _prices(section, "thresholds", section.table("thresholds"), actions, 1.0)
    return categories, fallback, costs, thresholds


def _prices(
    section: Section, key: str, row: Mapping[str, Any], known: set[str], most: float
) -> dict[str, float]:
    found = {}
    for name, value in row.items():
        if name not in known:
            section.fault(f"{key}.{name}", "is not a category", meant(name, known))
        elif not is_number(value) or not 0 <= value <= most:
            bounds = "of 0 or more" if most == float("inf") else f"from 0 to {most:g}"
            section.fault(f"{key}.{name}", f"is {value!r:.60}, not a number {bounds}")
        else:
            found[name] = float(value)
    return found
