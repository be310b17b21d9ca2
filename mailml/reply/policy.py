"""AckPolicy: whether, to whom and with which words acknowledgements are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal

from mailml.errors import ConfigError, Fault, TemplateError
from mailml.reply.templates import check

Unauthenticated = Literal["fixed", "none", "echo"]
UNAUTHENTICATED: tuple[Unauthenticated, ...] = ("fixed", "none", "echo")

_TEMPLATES = ("subject", "fixed_subject", "body", "body_html")
SUBJECT = "Auto: [#{{ interaction.reference }}] {{ subject }}"  # RFC 5230 5.3
FIXED_SUBJECT = "Auto: [#{{ interaction.reference }}] We have received your message"
BODY = """\
Hello{% if customer.name %} {{ customer.name }}{% endif %},

thank you for contacting us. Your request has been received and assigned
reference number #{{ interaction.reference }}.

We aim to respond within {{ sla.target }}. Please keep the reference in the
subject if you write to us again.

This message was sent automatically.

The Support Team
"""


@dataclass(frozen=True, slots=True)
class Words:
    """Other templates, which a rule of the flow may name; without `body_html` they have no HTML."""

    subject: str = SUBJECT
    body: str = BODY
    body_html: str = ""


@dataclass(frozen=True, slots=True)
class AckPolicy:
    """Whether and how acknowledgements are sent. A bad template is refused here, with `TemplateError`.

    `unauthenticated` says what senders get whose mail our server does not report as aligned and whom we do
    not know: "fixed" is a subject that echoes nothing of theirs, "none" is silence, "echo" trusts all.
    `cut_off_hours`: older mail is never acknowledged. `body_html` is shown instead of `body` by programs that
    read HTML; "" sends text/plain alone, which RFC 3834 and every reader like best.
    """

    enabled: bool = True
    subject: str = SUBJECT
    fixed_subject: str = FIXED_SUBJECT
    body: str = BODY
    body_html: str = ""
    unauthenticated: Unauthenticated = "fixed"
    cut_off_hours: float = 24.0
    templates: Mapping[str, Words] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for where, source in self._sources():
            check(source, where=where, markup=where.endswith("body_html"))

    def words(self, template: str = "") -> Words:
        """The templates a rule asked for by name; the desk's own where it named none or an unknown one."""
        return self.templates.get(template) or Words(self.subject, self.body, self.body_html)

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any], *, where: str = "ack") -> AckPolicy:
        """The policy that a table of settings describes. Raises `ConfigError` with all faults at once."""
        policy, faults = read(settings, where=where)
        if faults:
            raise ConfigError(faults, where=where)
        return policy

    def to_mapping(self) -> dict[str, Any]:
        """The settings that `from_mapping` reads back to an equal policy."""
        plain = _written(self)
        named = {name: _written(words) for name, words in sorted(self.templates.items())}
        return plain | ({"templates": named} if named else {})

    def _sources(self) -> list[tuple[str, str]]:
        own = [(name, source) for name, source in _written(self).items() if name in _TEMPLATES]
        for name, words in self.templates.items():
            own += [(f"templates.{name}.{key}", source) for key, source in _written(words).items()]
        return own


def _written(policy: AckPolicy | Words) -> dict[str, Any]:
    """The settings as they are written: no HTML is no key."""
    plain = {each.name: getattr(policy, each.name) for each in fields(policy) if each.name != "templates"}
    return {name: value for name, value in plain.items() if name != "body_html" or value}


def read(settings: Mapping[str, Any], *, where: str = "ack") -> tuple[AckPolicy, list[Fault]]:
    """(policy, faults): every fault of the settings in their order, and a policy of what was right."""
    faults: list[Fault] = []
    good: dict[str, Any] = {}
    for key, value in settings.items():
        place = f"{where}.{key}"
        try:
            good[key] = _value(key, value, place)
        except TemplateError as error:
            faults.append(Fault(error.where, error.what, error.cure))
        except ValueError as error:
            faults.append(Fault(place, str(error.args[0]), *error.args[1:2]))
    return AckPolicy(**good), faults


def _value(key: str, value: object, place: str) -> object:
    if key in _TEMPLATES:
        return check(value, where=place, markup=key == "body_html")
    if key == "enabled":
        if isinstance(value, bool):
            return value
        raise ValueError(f"{value!r} is neither true nor false")
    if key == "unauthenticated":
        if value in UNAUTHENTICATED:
            return value
        raise ValueError(f"{value!r} is not known", f"Known are {', '.join(UNAUTHENTICATED)}")
    if key == "cut_off_hours":
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 87_600:
            return float(value)
        raise ValueError(f"{value!r} is not a number of hours", "Write a number above 0, up to 87600")
    if key == "templates":
        return _templates(value, place)
    near = get_close_matches(key, [f.name for f in fields(AckPolicy)], 1)
    raise ValueError("there is no such setting", f'Did you mean "{near[0]}"?' if near else "Remove it")


def _templates(value: object, place: str) -> Mapping[str, Words]:
    if not isinstance(value, Mapping):
        raise ValueError("this must be a table of named templates")
    return MappingProxyType({str(name): _words(entry, f"{place}.{name}") for name, entry in value.items()})


def _words(entry: object, place: str) -> Words:
    if not isinstance(entry, Mapping) or set(entry) - {"subject", "body", "body_html"}:
        raise ValueError(f"{place} must be a table with subject, body and perhaps body_html")
    return Words(
        **{
            key: check(source, where=f"{place}.{key}", markup=key == "body_html")
            for key, source in entry.items()
        }
    )
