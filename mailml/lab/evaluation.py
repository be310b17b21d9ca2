"""What an evaluation knows: truth, probabilities and decided answers, and every figure and table of them.

Figures are of the *decided* answer: least expected cost, thresholds, and abstentions counted as the fallback
they lead to. Intervals are 95 %, by bootstrap over whole groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier import Policy
from mailml.lab import examples as rows_of
from mailml.lab import measures, slices
from mailml.lab.examples import Examples
from mailml.lab.fitting import Enough
from mailml.lab.leakage import Leakage
from mailml.lab.measures import ClassFigures
from mailml.lab.resampling import Bootstrap, Floats, Interval, Ints

if TYPE_CHECKING:
    import pandas as pd

DECIDED, ARGMAX = "this model, least cost", "this model, likeliest class"


@dataclass(frozen=True, slots=True)
class Line:
    """One way of deciding in the comparison table, all on the same messages."""

    name: str
    accuracy: Interval
    macro_f1: Interval
    cost: Interval  # per message


@dataclass(frozen=True, eq=False)
class Evaluation:
    """An evaluation. `how` says on what; `probabilities` are (examples, classes); `notes` are its caveats.

    Everything is computed when asked for.
    """

    examples: Examples = field(repr=False)
    classes: tuple[str, ...]
    probabilities: Floats = field(repr=False)
    known: Floats = field(repr=False)
    min_known: float
    policy: Policy
    groups: Ints = field(repr=False)
    how: str
    model: str
    enough: Enough | None = None
    parameters: dict[str, Any] = field(default_factory=dict, repr=False)
    others: tuple[tuple[str, Ints], ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    leakage: Leakage | None = None

    @cached_property
    def truth(self) -> Ints:
        """The labels as positions in `classes`."""
        return rows_of.label_numbers(self.examples.labels, self.classes)

    @cached_property
    def said(self) -> Ints:
        """The decided actions as positions in `policy.actions`; abstentions are the fallback."""
        return decided(self.policy, self.probabilities, self.known, self.min_known)

    @cached_property
    def bootstrap(self) -> Bootstrap:
        """The resampling behind every interval."""
        return Bootstrap(self.groups)

    @cached_property
    def per_class(self) -> list[ClassFigures]:
        """Precision, recall and F1 of every class, with support."""
        return measures.per_class(self.truth, self.said, self.classes, self.bootstrap)

    @cached_property
    def accuracy(self) -> Interval:
        """The share of messages whose decided answer is their label."""
        return self.bootstrap.mean(self.said == self.truth)

    @cached_property
    def macro_f1(self) -> Interval:
        """The mean F1 over classes."""
        return measures.macro_f1(self.truth, self.said, len(self.classes), self.bootstrap)

    @cached_property
    def cost(self) -> Interval:
        """The decided cost per message, in the unit of the cost matrix."""
        return self.bootstrap.mean(self._costs(self.said))

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """Which messages get a class by the classifier's own choice, not by abstaining."""
        fallback = self.policy.actions.index(self.policy.fallback)
        own = (self.said != fallback) | (self.probabilities.argmax(axis=1) == fallback)
        return np.asarray(own & (self.known >= self.min_known))

    @cached_property
    def coverage(self) -> Interval:
        """The share of messages that are answered."""
        return self.bootstrap.mean(self.answered)

    @cached_property
    def log_loss(self) -> float:
        """Mean negative log probability of the truth."""
        return measures.log_loss(self.truth, self.probabilities)

    @cached_property
    def ece(self) -> float:
        """Expected calibration error: 0.03 means promises are off by three points on average."""
        return measures.ece(self.truth, self.probabilities)

    @cached_property
    def comparison(self) -> list[Line]:
        """This model beside what it must beat, all on the same messages."""
        fallback, matrix = self.policy.actions.index(self.policy.fallback), self.policy.matrix()
        constant = int(np.argmin(matrix[self.truth].mean(axis=0)))
        rows = [(DECIDED, self.said), (ARGMAX, self.probabilities.argmax(axis=1))]
        for action in dict.fromkeys((fallback, constant)):
            rows.append((f"all to {self.policy.actions[action]}", np.full(len(self.truth), action)))
        return [self._line(name, said) for name, said in [*rows, *self.others]]

    def to_frame(self) -> pd.DataFrame:
        """One row per class: precision, recall and F1 with their intervals, support, how often said."""
        import pandas as pd

        return pd.DataFrame([_flat(f) for f in self.per_class]).set_index("label")

    def comparison_frame(self) -> pd.DataFrame:
        """`comparison` as a frame."""
        import pandas as pd

        return pd.DataFrame([_flat(line) for line in self.comparison]).set_index("name")

    def confusion(self) -> pd.DataFrame:
        """Truth in rows, decided answers in columns."""
        import pandas as pd

        actions = self.policy.actions
        counts = measures.confusion(self.truth, self.said, len(self.classes), len(actions))
        return pd.DataFrame(counts, index=list(self.classes), columns=list(actions))

    def reliability(self) -> pd.DataFrame:
        """What was promised against what came true, in tenths of probability."""
        import pandas as pd

        points = measures.reliability(self.truth, self.probabilities)
        return pd.DataFrame(points, columns=["promised", "true", "messages"])

    def coverage_curve(self) -> pd.DataFrame:
        """Coverage, accuracy and cost of a single threshold, from 0 to 0.95."""
        import pandas as pd

        return pd.DataFrame(measures.coverage_curve(self.truth, self.probabilities, self.policy))

    def by(self, what: str) -> pd.DataFrame:
        """Accuracy and cost by "language", "month", "length" or "sender_domain"."""
        costs = self._costs(self.said)
        return slices.by(what, self.examples, self.said == self.truth, costs, self.bootstrap)

    def _costs(self, said: Ints) -> Floats:
        return np.asarray(self.policy.matrix()[self.truth, said], dtype=np.float64)

    def _line(self, name: str, said: Ints) -> Line:
        f1 = measures.macro_f1(self.truth, said, len(self.classes), self.bootstrap)
        costs = self.bootstrap.mean(self._costs(said))
        return Line(name, self.bootstrap.mean(said == self.truth), f1, costs)


def decided(policy: Policy, probabilities: Floats, known: Floats, min_known: float) -> Ints:
    """The action for every row, as `Model.categorize` would choose; abstentions are the fallback."""
    said = policy.taken(np.round(probabilities, 6), known)
    said[known < min_known] = policy.actions.index(policy.fallback)
    return said


def _flat(line: Any) -> dict[str, Any]:
    """A line of figures as columns: an interval becomes three."""
    row: dict[str, Any] = {}
    for name in line.__dataclass_fields__:
        value = getattr(line, name)
        if isinstance(value, Interval):
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            row[name] = value
    return row
