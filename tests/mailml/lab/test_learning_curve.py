"""The learning curve: fewer labels are worse, and the forecast goes on as it went."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mailml.errors import NotEnoughData
from mailml.lab.learning_curve import LearningCurve, Point, learning_curve
from tests.mailml.lab.trained import trained


def curve(*costs: float) -> LearningCurve:
    """Costs at 50, 100, 200, 400 labels."""
    return LearningCurve(tuple(Point(50 * 2**i, 0.5, cost) for i, cost in enumerate(costs)))


def test_more_labels_are_better_on_mail_that_can_be_learned() -> None:
    """From a few dozen labels to all of them accuracy rises and cost falls, out-of-fold."""
    made = learning_curve(trained())
    assert len(made.points) >= 3
    first, last = made.points[0], made.points[-1]
    assert first.labels < last.labels <= 240
    assert first.accuracy < last.accuracy
    assert first.cost > last.cost
    assert list(made.to_frame().columns) == ["accuracy", "cost", "cost_low", "cost_high"]
    assert all(point.cost_low <= point.cost <= point.cost_high for point in made.points)
    ahead = made.expected(200)
    assert ahead.low <= ahead.value <= ahead.high
    assert ahead.value == pytest.approx(made.forecast(200))
    saved = made.saving(200)
    assert saved.low <= saved.value <= saved.high
    assert " to " in made.sentence(200)
    assert "far beyond" in made.sentence(5_000)
    assert made.forecast(1000) <= made.forecast(0)


def test_the_forecast_is_exact_on_its_own_law() -> None:
    """0.1 + 2/sqrt(n) is continued as such."""
    made = curve(*(0.1 + 2 / np.sqrt(50 * 2**i) for i in range(4)))
    assert made.forecast(600) == pytest.approx(0.1 + 2 / np.sqrt(1000))
    assert made.sentence(600) == "600 more labels would save about 37 of 200 per 1,000 messages."


def test_what_does_not_fall_is_not_promised_to_fall() -> None:
    """Flat or rising costs: more of the same buys nothing."""
    for made in (curve(0.3, 0.3, 0.3, 0.3), curve(0.2, 0.25, 0.3, 0.35)):
        assert made.forecast(1000) == pytest.approx(made.forecast(0))
        assert "hardly change" in made.sentence()


def test_it_shows_itself() -> None:
    """In a notebook it is a picture with its sentence, and the numbers beside it."""
    page = learning_curve(trained())._repr_html_()
    assert "200 more labels" in page
    assert "data:image/svg+xml" in page
    assert "out-of-fold" in page


def test_a_steep_fall_never_goes_below_nothing() -> None:
    """A cost cannot become negative, however many labels are asked about."""
    assert curve(0.9, 0.4, 0.1, 0.01).forecast(10**7) >= 0


def test_too_few_labels_have_no_curve() -> None:
    """Shares so small that a class is missing make no point."""
    with pytest.raises(NotEnoughData, match="learning curve"):
        learning_curve(trained(), shares=(0.01, 0.015, 1.0))


def test_the_policy_in_use_counts() -> None:
    """Costs are those of the model's own policy."""
    dear = trained().with_policy(replace(trained().policy, withheld="", thresholds={"billing": 1.01}))
    assert (
        learning_curve(dear, shares=(0.5, 0.75, 1.0)).points[-1].cost
        > learning_curve(trained(), shares=(0.5, 0.75, 1.0)).points[-1].cost
    )
