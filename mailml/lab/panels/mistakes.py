"""From a number in the confusion matrix to the messages behind it, their reasons, and a corrected label.

`Mistakes` does without a widget what the error panel does with one. All answers are out-of-fold: the model
that gave them had seen no message of the same group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mailml.errors import InputError, LabelError
from mailml.lab import measures
from mailml.lab.escape import mask, plain_text
from mailml.lab.evaluate import decided
from mailml.lab.labels import Label, Labels
from mailml.lab.panels.session import AUTOMATED, login
from mailml.lab.resampling import Ints
from mailml.lab.train import Trained

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle

NOTE = "corrected while looking at errors"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One message the classifier got wrong. `sure` is the probability it gave to what it said."""

    message: str  # SHA-256
    truth: str
    said: str
    sure: float
    title: str
    row: int = field(repr=False)


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The errors of a trained classifier; `archive` and `bundle` let them be read and their rules be told."""

    trained: Trained
    labels: Labels | None = None
    archive: Archive | None = None
    bundle: Bundle | None = None
    by: str = ""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    corrected: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        wrong = int(np.sum(self.said != self.trained.truth))
        return f"Mistakes({wrong:,} of {len(self.said):,} messages, {len(self.corrected)} labels corrected)"

    @cached_property
    def said(self) -> Ints:
        """The decided answers, abstentions as the general queue: positions in `actions`."""
        trained = self.trained
        return decided(trained.policy, trained.probabilities, trained.known, trained.model.min_known)

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be said."""
        return self.trained.policy.actions

    def confusion(self) -> pd.DataFrame:
        """Truth in rows, answers in columns."""
        import pandas as pd

        classes = self.trained.classes
        counts = measures.confusion(self.trained.truth, self.said, len(classes), len(self.actions))
        return pd.DataFrame(counts, index=list(classes), columns=list(self.actions))

    def cell(self, truth: str, said: str) -> tuple[Mistake, ...]:
        """The messages behind one number, the most confident answer first."""
        if truth not in self.trained.classes or said not in self.actions:
            known = ", ".join(self.actions)
            raise InputError(
                f"no number for {truth!r:.40} answered as {said!r:.40}", cure=f"There are {known}"
            )
        k, a = self.trained.classes.index(truth), self.actions.index(said)
        rows = np.flatnonzero((self.trained.truth == k) & (self.said == a))
        # an action that is no class has no probability of its own: how unsure the rest was orders it
        p = self.trained.probabilities
        sure = p[rows, a] if a < p.shape[1] else 1 - p[rows].max(axis=1, initial=0)
        order = np.argsort(-sure, kind="stable")
        return tuple(self._mistake(int(rows[i]), truth, said, float(sure[i])) for i in order)

    def reasons(self, mistake: Mistake) -> str:
        """Why, as lines of text: probabilities, the words for the answer and for the truth, rules tried."""
        text = self.trained.examples.texts[mistake.row]
        p = self.trained.probabilities[mistake.row]
        shares = ", ".join(f"{name} {share:.0%}" for name, share in zip(self.trained.classes, p, strict=True))
        lines = [f"labelled {mistake.truth}, answered {mistake.said}: {shares}"]
        for name in dict.fromkeys((mistake.said, mistake.truth)):
            if name in self.trained.classes:
                told = self.trained.model.explain(text, name, n=8)
                words = ", ".join(f"{plain_text(word, 30)} {weight:+.2f}" for word, weight in told.words)
                lines.append(f"for {name}: {words or 'no word it knows'}")
        return "\n".join([*lines, *self._tree(mistake)])

    def read(self, mistake: Mistake) -> str:
        """The customer's words, addresses masked."""
        return mask(plain_text(self.trained.examples.texts[mistake.row], 4_000))

    def correct(self, mistake: Mistake, label: str) -> None:
        """The label was the mistake: the message is `label`. On disk when this returns."""
        if self.labels is None:
            raise LabelError("no label file to write to", cure="Give labels=… when you open the errors")
        known = (*self.trained.classes, AUTOMATED)
        if label not in known:
            raise LabelError(
                f"{label!r:.60} is no category here", cure=f"The categories are {', '.join(known)}"
            )
        said = Label(mistake.message, label, self.by or login(), "panel", self.clock(), note=NOTE)
        self.labels.add([said])
        self.corrected[mistake.message] = label

    def _mistake(self, row: int, truth: str, said: str, sure: float) -> Mistake:
        examples = self.trained.examples
        title = mask(plain_text(examples.texts[row].partition("\n")[0], 90)) or "(no subject)"
        return Mistake(examples.messages[row], truth, said, sure, title, row)

    def _tree(self, mistake: Mistake) -> list[str]:
        """The whole decision, where there is an archive and a bundle to make it with."""
        if self.archive is None or self.bundle is None:
            return []
        from mailml.decide import decide
        from mailml.explain import explain
        from mailml.message import parse
        from mailml.verdict import Context

        message = parse(self.archive.raw(mistake.message))
        times = [*message.received_dates, message.date]
        at = next((time for time in times if time is not None), datetime(1970, 1, 1, tzinfo=UTC))
        decision = decide(message, self.bundle, Context(received_at=at, now=at))
        return ["", mask(explain(mistake.message[:12], message, decision, self.bundle, at))]
