"""`lab.compare`: every model on the same folds, and what each must beat, in one table.

Models meet on whole groups that none of them saw. Beside them stand the desk's own flow, a keyword list,
everything to one queue, the likeliest class of the first model, and the first model trained on shuffled
labels: a figure that is no better than these says nothing. What is compared with what, and whether the
difference is more than chance, is said by a paired interval over groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.classifier import Policy
from mailml.errors import InputError
from mailml.lab import baselines, measures
from mailml.lab.evaluation import decided
from mailml.lab.flow_lines import FlowEntry, flow_entry, flow_lines
from mailml.lab.resampling import Bootstrap, Floats, Interval, Ints, paired_difference
from mailml.lab.settings import MODELS, Settings
from mailml.lab.sides import Side
from mailml.lab.teaching import costs
from mailml.lab.train import Trained, train

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle

Rules = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Row:
    """One way of deciding: figures of the decided answers; log-loss and ECE where there are probabilities.

    `saved` is what it saves per message against the first row, with its 95% interval: above 0 is cheaper.
    """

    name: str
    accuracy: Interval
    macro_f1: Interval
    cost: Interval
    saved: Interval
    log_loss: float = float("nan")
    ece: float = float("nan")
    served: bool = True


@dataclass(frozen=True)
class Contest:
    """The table, and the trained models by name (`lab.export` takes one)."""

    rows: tuple[Row, ...]
    trained: Mapping[str, Trained] = field(repr=False)
    how: str

    def to_frame(self) -> pd.DataFrame:
        """One row per way of deciding, intervals as three columns."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["rows"]).set_index("name")

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"how": self.how, "rows": [_flat(row) for row in self.rows]}

    def __str__(self) -> str:
        head = f"{'decided by':<32}{'accuracy':>24}{'cost a message':>24}{'saves':>26}{'loss':>7}{'ECE':>7}"
        lines = [self.how, "", head]
        for row in self.rows:
            figures = "".join(f"{v:>7.3f}" if v == v else f"{'':>7}" for v in (row.log_loss, row.ece))
            where = "" if row.served else "  (workbench only)"
            lines.append(
                f"{row.name:<32}{row.accuracy!s:>24}{row.cost!s:>24}{row.saved!s:>26}{figures}{where}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from mailml.lab.report.page import Page, Section, table

        names = ("decided by", "accuracy", "macro F1", "cost a message", "saves a message", "log-loss", "ECE")
        shown = table(names, map(_told, self.rows))
        section = Section("On the same messages", "With 95% intervals over groups.", None, (shown,))
        return Page("Models, rules, and what they must beat", self.how, "", "", (), (section,))._repr_html_()


def compare(
    messages: Any,
    labels: Any,
    *,
    models: Sequence[str] = (),
    teacher: str = "",
    encoder: str = "",
    rules: Rules | None = None,
    archive: Archive | None = None,
    bundle: Bundle | None = None,
    flow: Side | None = None,
    settings: Settings | None = None,
    **told: Any,
) -> Contest:
    """Train several models on the same messages and labels, and put them into one table.

    `models` are names of `mailml.lab.settings.MODELS`, all that can be trained here unless given; with
    `teacher` the first one is taught as well. `rules` maps a category to words: the first category one of
    whose words is in the text, as a table of rules would route. With `archive` and `bundle` the bundle's
    flow, or another `flow` on its desk, is a line as well: its rules read each message as in production, and
    where they ask for a category the first model answers as for mail that it never saw. The rest is as in
    `lab.train`.
    """
    entry = _entry(archive, bundle, flow)
    base = replace(settings or Settings(), encoder=encoder)
    wanted = list(models) or [name for name in MODELS if name != "embedding" or encoder]
    trained = {name: train(messages, labels, settings=replace(base, model=name), **told) for name in wanted}
    if teacher:
        taught = replace(base, model=wanted[0], teacher=teacher)
        made = train(messages, labels, settings=taught, **told)
        trained[f"{wanted[0]}, taught by {teacher}"] = made
    return contest(trained, rules=rules, flow=entry)


def contest(
    trained: Mapping[str, Trained], *, rules: Rules | None = None, flow: FlowEntry | None = None
) -> Contest:
    """The table of models that were trained on the same labels; raises InputError where they were not."""
    if not trained:
        raise InputError("there is no model to compare", cure="Name one or more")
    first = next(iter(trained.values()))
    if {made.examples.hash for made in trained.values()} != {first.examples.hash}:
        raise InputError("the models were trained on different labels", cure="Train them on the same")
    rows = [_model(name, made, first) for name, made in trained.items()]
    lines, note = flow_lines(flow, next(iter(trained)), first) if flow is not None else ([], "")
    rows += [_fixed(name, said, first) for name, said in [*lines, *_others(first, rules)]]
    how = f"{len(first.examples):,} messages, each predicted by a model that saw nothing of its group: "
    return Contest(tuple(rows), dict(trained), "; ".join(filter(None, (how + first.folds[0].how, note))))


def _entry(archive: Archive | None, bundle: Bundle | None, flow: Side | None) -> FlowEntry | None:
    if archive is None and bundle is None and flow is None:
        return None
    if archive is None or bundle is None:
        raise InputError("a flow reads mail and belongs to a desk", cure="Give archive=… and bundle=…")
    return flow_entry(archive, bundle, flow)


def _others(first: Trained, rules: Rules | None) -> list[tuple[str, Ints]]:
    """What a model must beat."""
    policy, n = _bare(first), len(first.truth)
    fallback, matrix = policy.actions.index(policy.fallback), policy.matrix()
    constant = int(np.argmin(matrix[first.truth].mean(axis=0)))
    found = [("likeliest class", first.probabilities.argmax(axis=1))]
    found += [(f"all to {policy.actions[k]}", np.full(n, k)) for k in dict.fromkeys((fallback, constant))]
    found.append(("keyword list", baselines.keywords(first)))
    if rules is not None:
        found.append(("rules", baselines.by_rules(first, rules)))
    chance = baselines.shuffled(first)
    found.append(("shuffled labels (control)", decided(policy, chance, first.known, 0.0)))
    return found


def _model(name: str, made: Trained, first: Trained) -> Row:
    said = decided(_bare(made), made.probabilities, made.known, made.model.min_known)
    row = _fixed(name, said, first, costs(made))
    loss, gap = (
        measures.log_loss(made.truth, made.probabilities),
        measures.ece(made.truth, made.probabilities),
    )
    return replace(row, log_loss=loss, ece=gap, served=made.learner.servable)


def _fixed(name: str, said: Ints, first: Trained, own: Floats | None = None) -> Row:
    over, policy = Bootstrap(first.groups), _bare(first)
    paid = policy.matrix()[first.truth, said] if own is None else own
    return Row(
        name,
        over.mean(said == first.truth),
        measures.macro_f1(first.truth, said, len(first.classes), over),
        over.mean(paid),
        paired_difference(costs(first), paid, first.groups),
    )


def _bare(made: Trained) -> Policy:
    return replace(made.policy, withheld="")


def _told(row: Row) -> tuple[object, ...]:
    """A row as a reader wants it."""
    intervals = (row.accuracy, row.macro_f1, row.cost, row.saved)
    name = row.name if row.served else f"{row.name} (workbench only)"
    return (name, *map(str, intervals), *(f"{v:.3f}" if v == v else None for v in (row.log_loss, row.ece)))


def _flat(row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {"name": row.name}
    for name in ("accuracy", "macro_f1", "cost", "saved"):
        interval: Interval = getattr(row, name)
        values |= {name if key == "value" else f"{name}_{key}": v for key, v in interval.to_dict().items()}
    for name in ("log_loss", "ece"):
        number = getattr(row, name)
        values[name] = round(number, 6) if np.isfinite(number) else None
    return {**values, "served": row.served}
