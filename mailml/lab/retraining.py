"""`lab.retrain`: labels since the last bundle -> a new one, if a back-test against the old one allows it.

The candidate is trained as the old bundle was, without the mail of the last days, and back-tested on the
archive against it. Only when the gate passes is the new bundle trained, on all mail, and written.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailml.bundle import Bundle
from mailml.errors import InputError, NotEnoughData
from mailml.lab import truth
from mailml.lab.settings import Settings

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.lab.backtest import BackTest
    from mailml.lab.labels import Labels
    from mailml.lab.train import Trained

GATE = "misroute_rate > baseline + 0.5%"
FEWEST = 20  # new labels; fewer change nothing that could be measured
HELD_OUT = 28  # days of mail the candidate is back-tested on
_JUDGED, _FEWEST_JUDGED = 100, 60  # messages whose queue is known


@dataclass(frozen=True)
class Retrained:
    """What became of it: `bundle` is None where none was written, and `why` says why not."""

    bundle: Bundle | None
    new_labels: int
    why: str
    test: BackTest | None = None

    @property
    def refused(self) -> bool:
        """Whether there was something new, and it did not pass."""
        return self.bundle is None and self.test is not None

    def __str__(self) -> str:
        head = f"bundle {self.bundle.id}: {self.bundle.path}" if self.bundle else "no new bundle"
        return f"{head}\n{self.why}"

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        made = self.bundle.id if self.bundle else None
        gates = [str(gate) for gate in self.test.gates] if self.test else []
        return {"bundle": made, "new_labels": self.new_labels, "why": self.why, "gates": gates}


def retrain(
    archive: Archive,
    labels: Labels,
    current: Bundle,
    path: str | os.PathLike[str],
    *,
    fail_if: str | Sequence[str] = GATE,
    fewest: int = FEWEST,
    days: int = HELD_OUT,
    by: str = "",
    created: datetime | None = None,
    replace: bool = False,
    workers: int = 1,
    **changes: Any,
) -> Retrained:
    """Train again with the labels that came since `current`, and write a bundle at `path` if it is no worse.

    Flow, desk and settings are those of `current`; `changes` are other settings (`teacher="self"`). Raises
    InputError for a bundle without a classifier, NotEnoughData where `days` leaves nothing to train on.
    """
    from mailml.lab.export import export
    from mailml.lab.frame import frame
    from mailml.lab.train import train

    if current.model is None:
        cure = "Make the first one with `mailml train` and `mailml export`"
        raise InputError("the bundle has no classifier to train again", where=str(current.path), cure=cure)
    news = new_labels(labels, current)
    if news < fewest:
        return Retrained(None, news, f"{news} new labels since the last bundle; {fewest} are asked for")
    settings = _settings(current, changes)
    rows = frame(archive, own=current.desk.identity.addresses)
    belongs = {**truth.folders(archive, current), **truth.labelled(labels, current)}
    until, late = _held_out(rows, belongs, days)
    early = train(rows, labels, until=until, settings=settings)
    if not early.enough.yes:
        return Retrained(None, news, early.enough.sentence)
    test = _tested(early, current, archive, late, fail_if, workers)
    failed = [str(gate) for gate in test.gates if gate.fails]
    if failed:
        return Retrained(None, news, "; ".join(failed), test)
    made = train(rows, labels, settings=settings)
    if not made.enough.yes:
        return Retrained(None, news, made.enough.sentence, test)
    # the same bytes for the same labels: what is not told is when the newest label was given
    bundle = export(made, current.flow, current.desk, path, created=created, by=by, replace=replace)
    passed = "; ".join(str(gate) for gate in test.gates)
    return Retrained(bundle, news, f"{news} new labels; back-tested from {until:%Y-%m-%d} on: {passed}", test)


def new_labels(labels: Labels, current: Bundle) -> int:
    """How many messages were labelled, or labelled otherwise, after the bundle's newest label."""
    told: Mapping[str, Any] = current.manifest.get("training", {})
    since = datetime.fromisoformat(told.get("labels_until") or current.created)
    return sum(label.at > since for label in labels.latest().values())


def _settings(current: Bundle, changes: Mapping[str, Any]) -> Settings:
    """The settings the bundle was trained with, as far as they are known, and what is to be otherwise."""
    known = {field.name for field in fields(Settings)}
    stored: Mapping[str, Any] = current.manifest.get("parameters", {})
    kept = {name: value for name, value in stored.items() if name in known and name != "encoder"}
    kept |= {name: tuple(kept[name]) for name in ("words", "chars") if name in kept}
    kept |= {name: value for name, value in changes.items() if value is not None}
    return Settings(**kept)


def _held_out(rows: Any, belongs: Mapping[str, str], days: int) -> tuple[datetime, dict[str, str]]:
    """From when on mail is held out, and to which queue each of these messages belongs.

    The last `days`, or as many as it takes for a hundred messages whose queue is known; a third at most.
    """
    known = rows[rows["sha256"].isin(list(belongs)) & rows["received"].notna()].sort_values("received")
    if len(known) < _FEWEST_JUDGED:
        what = f"of {len(known)} messages it is known where they belonged; a back-test needs {_FEWEST_JUDGED}"
        raise NotEnoughData(what, cure="Pull the queues' folders, or label more mail")
    times = known["received"]
    enough = times.iloc[-min(_JUDGED, len(known) // 3)].to_pydatetime()
    day: datetime = min(times.iloc[-1].to_pydatetime() - timedelta(days=days), enough).astimezone(UTC)
    day = max(day, times.iloc[len(known) * 2 // 3].to_pydatetime().astimezone(UTC))
    late = known[times >= day]["sha256"]
    return day, {str(sha): belongs[str(sha)] for sha in late}


def _tested(
    early: Trained,
    current: Bundle,
    archive: Archive,
    late: Mapping[str, str],
    fail_if: str | Sequence[str],
    workers: int,
) -> BackTest:
    """The candidate without the last days against the bundle in use, judged on those days alone."""
    from mailml.lab.backtest import backtest
    from mailml.lab.export import export

    with tempfile.TemporaryDirectory(prefix="mailml-retrain-") as folder:
        made = export(early, current.flow, current.desk, Path(folder) / "candidate", by="retrain")
        return backtest(made, current, archive, truth=late, fail_if=fail_if, workers=workers)
