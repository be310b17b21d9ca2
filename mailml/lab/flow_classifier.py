"""Rules as an estimator: columns of mail in, the category that each message's queue stands for out.

So a flow stands in one table with models and baselines (`lab.compare`), as rules do in human-learn's
`FunctionClassifier` and in Snorkel.
"""
# ruff: noqa: N803 - X is what scikit-learn calls it

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from mailml.errors import InputError
from mailml.flow import Flow

if TYPE_CHECKING:
    import polars as pl


class FlowClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A flow that answers with categories; `fit` learns nothing.

    Parameters
    ----------
    flow : the rules
    fallback : the category of the default queue
    queues : queue -> category, where rules do not say it by asking for a category

    Rules whose queue stands for no category (an urgent or an enterprise queue), and those that file, are
    passed over: what a message is about is then said by the rules below. `passed_over_` names them.
    """

    def __init__(
        self, flow: Flow, fallback: str = "general", queues: Mapping[str, str] | None = None
    ) -> None:
        self.flow = flow
        self.fallback = fallback
        self.queues = queues

    def fit(self, X: Any = None, y: Sequence[Any] | None = None) -> Self:
        """Nothing is learned; `classes_` are the categories it can answer with."""
        self.answers_ = {**answers_of(self.flow, self.fallback), **(self.queues or {})}
        speaking = [rule for rule in self.flow.rules if rule.then.queue in self.answers_]
        self.passed_over_ = tuple(
            rule.name
            for rule in self.flow.rules
            if rule not in speaking and (rule.then.queue or rule.then.file)
        )
        self.flow_ = Flow(tuple(speaking), self.flow.default)
        self.classes_ = np.unique(list(self.answers_.values()))
        return self

    def predict(self, X: pl.DataFrame) -> Any:
        """The category of each message; X are columns as `lab.columns` makes them."""
        from mailml.flow.batch import run_archive

        if not hasattr(self, "flow_"):
            self.fit()
        if not hasattr(X, "get_columns"):
            raise InputError(
                "a flow reads columns of mail, not texts", cure="Pass lab.columns(archive, bundle)"
            )
        outcomes = run_archive(self.flow_, X)
        said = [self.answers_.get(one.queue, self.fallback) for one in outcomes.different]
        return np.array(said, dtype=object)[outcomes.number]


def answers_of(flow: Flow, fallback: str) -> dict[str, str]:
    """Queue -> the one category that its rules ask for, whatever else they ask; the default is `fallback`.

    For reading a flow's answers. What agents' folders prove is another question: see `lab.queues`.
    """
    said: dict[str, set[str]] = {}
    for rule in flow.rules:
        asked = [ask for ask in rule.asks() if ask.field == "category" and ask.operator == "is"]
        if rule.then.queue and asked:
            named = {str(value) for ask in asked for value in ask.expected}
            said.setdefault(rule.then.queue, set()).update(named)
    found = {queue: next(iter(names)) for queue, names in said.items() if len(names) == 1}
    return {flow.default: fallback, **found}
