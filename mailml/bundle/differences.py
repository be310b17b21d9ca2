"""What changed from one bundle to another, in sentences: for whoever has to approve it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from mailml.bundle.bundle import Bundle
from mailml.flow import Rule


def differences(old: Bundle, new: Bundle) -> tuple[str, ...]:
    """One sentence per change of rules, desk, classifier, training data and versions; empty for none."""
    before, after = old.manifest, new.manifest
    return (
        *_rules(old, new),
        *_desk(old, new),
        *_models(old, new),
        *_values("training", before.get("training", {}), after.get("training", {})),
        *_values("parameter", before.get("parameters", {}), after.get("parameters", {})),
        *_values("version of", before.get("versions", {}), after.get("versions", {})),
    )


def _rules(old: Bundle, new: Bundle) -> Iterator[str]:
    if old.flow.default != new.flow.default:
        yield f"flow: the default queue is {new.flow.default!r}, was {old.flow.default!r}"
    before, after = _named(old), _named(new)
    yield from (f"flow: rule {name!r} is gone" for name in before if name not in after)
    yield from (f"flow: rule {name!r} is new" for name in after if name not in before)
    both = [name for name in before if name in after]
    yield from (f"flow: rule {name!r} was changed" for name in both if before[name] != after[name])
    if both != [name for name in after if name in before]:
        yield f"flow: the rules come in another order: {', '.join(after)}"


def _named(bundle: Bundle) -> dict[str, Rule]:
    return {rule.name: rule for rule in bundle.flow.rules}


def _desk(old: Bundle, new: Bundle) -> Iterator[str]:
    yield from _values("desk:", tomllib.loads(old.desk.source), tomllib.loads(new.desk.source))


def _models(old: Bundle, new: Bundle) -> Iterator[str]:
    before, after = old.model.id if old.model else "none", new.model.id if new.model else "none"
    if before != after:
        yield f"classifier: {after}, was {before}"
    if old.model and new.model:
        yield from _values("classifier's policy:", old.model.policy.to_dict(), new.model.policy.to_dict())
        if old.model.classes != new.model.classes:
            yield f"classifier: says {', '.join(new.model.classes)}; said {', '.join(old.model.classes)}"
    texts = [b.text_model.version if b.text_model else "none" for b in (old, new)]
    if texts[0] != texts[1]:
        yield f"text model of automated mail: {texts[1]}, was {texts[0]}"


def _values(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Differences of nested values, by their dotted names."""
    before, after = dict(_flat(old)), dict(_flat(new))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{what} {name} is {_shown(after, name)}, was {_shown(before, name)}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(values: Mapping[str, Any], name: str) -> str:
    return repr(values[name])[:120] if name in values else "not set"
