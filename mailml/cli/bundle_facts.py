"""What a bundle is, for people: `mailml bundle show`. Machines read `--json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mailml.bundle import Bundle, is_signed
from mailml.text.printable import one_line

Fact = tuple[str, str]


def facts(loaded: Bundle, path: Path) -> Iterator[Fact]:
    """Name and value of everything worth a line; a bundle may be a stranger's, so no value moves a cursor."""
    for name, value in _told(loaded, path):
        if value:
            yield name, one_line(value, 1_000)


def _told(loaded: Bundle, path: Path) -> Iterator[Fact]:
    manifest, card = loaded.manifest, loaded.card
    made = [_day(manifest.get("created"), clock=True), f"by {manifest['by']}" if manifest.get("by") else ""]
    yield "made", ", ".join(part for part in (*made, f"format {manifest.get('format')}") if part)
    yield "signed", "yes; `mailml bundle verify --key KEY` proves by whom" if is_signed(path) else "no"
    yield "rules", ", ".join(rule.name for rule in loaded.flow.rules)
    yield "queues", ", ".join(sorted(loaded.flow.queues()))
    yield "classifier", _classifier(loaded)
    yield "trained on", _training(manifest.get("training") or {})
    yield "figures", _figures(card.get("overall") or {})
    yield "verdict", str(card.get("verdict") or "")
    yield "settings", _side_by_side(manifest.get("parameters") or {})
    yield "versions", _side_by_side(manifest.get("versions") or {})


def _classifier(loaded: Bundle) -> str:
    if loaded.model is None:
        return "none: it routes by rules alone"
    withheld = f"; abstains always: {loaded.model.policy.withheld}" if loaded.model.policy.withheld else ""
    return f"says {', '.join(loaded.model.classes)}{withheld} (model {loaded.model.id})"


def _training(told: Mapping[str, Any]) -> str:
    if not told:
        return ""
    classes = ", ".join(f"{name} {count:,}" for name, count in (told.get("classes") or {}).items())
    days = f" from {_day(told['from'])} to {_day(told['to'])}" if told.get("from") and told.get("to") else ""
    until = f"; labels until {_day(told['labels_until'])}" if told.get("labels_until") else ""
    return f"{told.get('messages', 0):,} messages{days}: {classes}{until}"


def _figures(overall: Mapping[str, Any]) -> str:
    """Accuracy and coverage as shares, the cost as it is, each with its interval."""
    shares = {"accuracy": "accuracy", "macro_f1": "macro F1", "coverage": "answered"}
    found = [f"{words} {_interval(overall[key], '.1%')}" for key, words in shares.items() if key in overall]
    if "cost" in overall:
        found.append(f"cost {_interval(overall['cost'], '.3f')} a message")
    return ", ".join(found)


def _interval(told: Mapping[str, float], form: str) -> str:
    value, low, high = (format(told[key], form) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})" if low != high else value


def _side_by_side(values: Mapping[str, Any]) -> str:
    """`seed 7, by sender, words 1 to 2`: what is empty or off is left out."""
    kept = ((str(name).replace("_", " "), value) for name, value in values.items())
    return ", ".join(
        f"{name} {_plain(value)}".strip() for name, value in kept if value not in ("", {}, [], None, False)
    )


def _plain(value: object) -> str:
    if value is True:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return " to ".join(map(_plain, value)) if len(value) == 2 else " ".join(map(_plain, value))
    if isinstance(value, dict):
        return " ".join(f"{name}: {_plain(item)}" for name, item in value.items())
    return str(value)


def _day(text: object, *, clock: bool = False) -> str:
    """The day of an ISO time, and its hour where asked; what is none is shown as it stands."""
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text or "")
    return f"{when:%Y-%m-%d %H:%M %Z}".strip() if clock else f"{when:%Y-%m-%d}"
