"""The evaluation card: what a bundle's classifier is worth, for people (card.html) and machines (card.json).

It holds figures, class names, settings and caveats; no text of any message, no address, and no domain.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import numpy as np

from mailml.lab.evaluation import Evaluation
from mailml.lab.report.drawings import calibration, confusion
from mailml.lab.report.figures import lines
from mailml.lab.report.page import Page, Section, Table, Tile, from_frame, table
from mailml.lab.resampling import Interval

_LANGUAGES_UP_TO = 5_000  # messages; telling languages apart costs 0.6 ms each
_PICTURED_CLASSES = 14
_PAIRS = 50  # leaking pairs that are listed


def figures(report: Evaluation) -> dict[str, Any]:
    """Everything the card says, as JSON values: numbers rounded to 6 places, unknown ones None."""
    overall = {"accuracy": report.accuracy, "macro_f1": report.macro_f1, "cost": report.cost}
    overall["coverage"] = report.coverage
    confused, points = report.confusion().to_numpy().tolist(), report.reliability().itertuples(index=False)
    return {
        "how": report.how,
        "model": report.model,
        "messages": len(report.examples),
        "groups": len(np.unique(report.groups)),
        "classes": dict(sorted(Counter(report.examples.labels).items())),
        "training_data": report.examples.hash,
        "verdict": report.enough.sentence if report.enough else "",
        "enough_data": report.enough.yes if report.enough else None,
        "overall": {name: value.to_dict() for name, value in overall.items()},
        "log_loss": _number(report.log_loss),
        "ece": _number(report.ece),
        "per_class": [
            {"label": f.label, "support": f.support, "said": f.said, "precision": f.precision.to_dict(),
             "recall": f.recall.to_dict(), "f1": f.f1.to_dict()}
            for f in report.per_class
        ],
        "comparison": [
            {"name": line.name, "accuracy": line.accuracy.to_dict(), "macro_f1": line.macro_f1.to_dict(),
             "cost": line.cost.to_dict()}
            for line in report.comparison
        ],
        "confusion": {"actions": list(report.policy.actions), "counts": confused},
        "reliability": [[_number(p), _number(t), int(n)] for p, t, n in points],
        "policy": report.policy.to_dict(),
        "leakage": _leakage_figures(report),
        "parameters": report.parameters,
        "notes": list(report.notes),
    }  # fmt: skip


def page(report: Evaluation, made: datetime | None = None, title: str = "Evaluation card") -> Page:
    """The card as a self-contained page; in a notebook it shows itself."""
    lead = f"How well the classifier tells {_listed(report.classes)} apart, judged on {report.how}."
    sections = [_verdict(report), _comparison(report), _classes(report), _confusion(report)]
    sections += [
        _reliability(report),
        _coverage(report),
        *_languages(report),
        *_leakage(report),
        _about(report),
    ]
    source = f"training data {report.examples.hash[:12]}, model {report.model}"
    return Page(
        title, lead, source, f"{made:%Y-%m-%d %H:%M}" if made else "", _tiles(report), tuple(sections)
    )


def html(report: Evaluation, made: datetime | None = None) -> str:
    """card.html: one file, no script, no request to anywhere."""
    return page(report, made).html()


def _tiles(report: Evaluation) -> tuple[Tile, ...]:
    single = min(line.cost.value for line in report.comparison if line.name.startswith("all to "))
    cheaper = "good" if report.cost.high < single else "bad"
    return (
        Tile("accuracy", f"{report.accuracy.value:.1%}", _range(report.accuracy)),
        Tile("macro-F1", f"{report.macro_f1.value:.3f}", _range(report.macro_f1, percent=False)),
        Tile("cost a message", f"{report.cost.value:.2f}", f"best single queue {single:.2f}", cheaper),
        Tile("answered", f"{report.coverage.value:.1%}", "the rest abstains"),
        Tile(
            "calibration error", f"{report.ece:.3f}", "0 is perfect", "good" if report.ece <= 0.05 else "bad"
        ),
    )


def _verdict(report: Evaluation) -> Section:
    if report.enough is None:
        return Section("Verdict", "This evaluation gives no verdict of its own: see the comparison.")
    lead = f"{report.enough.sentence[0].upper()}{report.enough.sentence[1:]}."
    if not report.enough.yes:
        lead += " The classifier is exported but abstains, so the flow's own default decides."
    return Section("Verdict", lead)


def _comparison(report: Evaluation) -> Section:
    rows = [(ln.name, str(ln.accuracy), str(ln.macro_f1), str(ln.cost)) for ln in report.comparison]
    lead = (
        "The same messages decided in other ways. A model that is not cheaper than sending everything to one "
        "queue is of no use, however accurate it looks."
    )
    columns = ("decided by", "accuracy", "macro-F1", "cost a message")
    return Section("Comparison", lead, tables=(table(columns, rows, "95% intervals in brackets"),))


def _classes(report: Evaluation) -> Section:
    rows = [
        (f.label, str(f.precision), str(f.recall), str(f.f1), f.support, f.said) for f in report.per_class
    ]
    columns = ("class", "precision", "recall", "F1", "messages", "said")
    lead = "Precision: how often it is right when it says so. Recall: how many of the class it finds."
    return Section("Classes", lead, tables=(table(columns, rows, "95% intervals in brackets"),))


def _confusion(report: Evaluation) -> Section:
    counts = report.confusion()
    picture = None
    if len(report.classes) <= _PICTURED_CLASSES and counts.shape[0] == counts.shape[1]:
        alt = "Confusion matrix: the table below holds the same numbers"
        picture = confusion(counts.to_numpy().tolist(), report.classes, alt)
    shown = from_frame(counts, "truth in rows, decided answers in columns", folded=True, index=True)
    return Section("Confusion", "What is taken for what.", picture, (shown,))


def _reliability(report: Evaluation) -> Section:
    frame = report.reliability()
    points = [(float(p), float(t), int(n)) for p, t, n in frame.itertuples(index=False)]
    picture = calibration(points, f"Calibration: mean gap {report.ece:.3f}; the table holds the points")
    lead = f"On the dashed line promises come true. The mean gap is {report.ece:.3f}."
    return Section("Calibration", lead, picture, (from_frame(frame, "by tenth", folded=True),))


def _coverage(report: Evaluation) -> Section:
    frame = report.coverage_curve()
    columns = [f"{t:.2f}" for t in frame["threshold"]]
    series = {
        "coverage": frame["coverage"].tolist(),
        "accuracy of what is answered": frame["accuracy"].tolist(),
    }
    alt = "Coverage falls and accuracy rises with the threshold; the table holds the numbers"
    picture = lines(columns, series, alt, "", percent=True)
    lead = "What one threshold for all classes would do instead of least cost."
    return Section("Coverage and accuracy", lead, picture, (from_frame(frame, "by threshold", folded=True),))


def _languages(report: Evaluation) -> list[Section]:
    if not 0 < len(report.examples) <= _LANGUAGES_UP_TO:
        return []
    frame = report.by("language")
    return [Section("Languages", "Small numbers say little.", tables=(from_frame(frame, index=True),))]


def _leakage_figures(report: Evaluation) -> dict[str, int] | None:
    """How many test messages have a relative in training; None where nothing was split."""
    found = report.leakage
    if found is None:
        return None
    counts = {"threads": found.threads, "senders": found.senders, "texts": found.texts}
    return {"tested": found.tested, "leaking": found.leaking, **counts}


def _leakage(report: Evaluation) -> list[Section]:
    if report.leakage is None:
        return []
    pairs = report.leakage.to_frame().head(_PAIRS)
    tables = (from_frame(pairs, "messages by their hashes", folded=True),) if len(pairs) else ()
    return [Section("Leakage", str(report.leakage), tables=tables)]


def _about(report: Evaluation) -> Section:
    counts = Counter(report.examples.labels)
    data = table(("class", "labelled messages"), sorted(counts.items()), "training data")
    told = [(name, str(value)) for name, value in sorted(report.parameters.items())]
    settings = table(("setting", "value"), told, "settings", folded=True)
    tables: tuple[Table, ...] = (data, settings) if told else (data,)
    return Section("What it was made from", report.how, tables=tables, notes=report.notes)


def _range(interval: Interval, *, percent: bool = True) -> str:
    low, high = (f"{v:.1%}" if percent else f"{v:.3f}" for v in (interval.low, interval.high))
    return f"95% interval {low} to {high}"


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) <= 8 else f"{len(names)} classes"


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
