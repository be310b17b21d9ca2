"""Displays: made from predictions or a report, drawn on any axes, safe and telling in a notebook."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from matplotlib.figure import Figure

from mailml.classifier import Policy
from mailml.lab.displays import (
    ConfusionDisplay,
    CoverageCostDisplay,
    CoverageDisplay,
    Display,
    LearningCurveDisplay,
    ReliabilityDisplay,
    SliceDisplay,
)
from mailml.lab.displays.coverage import Bar
from mailml.lab.learning_curve import LearningCurve, Point
from tests.mailml.lab.trained import judged

HOSTILE = "<script>alert(1)</script>$\\frac$"


def all_displays() -> list[Display]:
    """One of each, from the report of a trained model."""
    report = judged()
    curve = LearningCurve(tuple(Point(50 * 2**i, 0.5, 0.6 / (i + 1), 0.1, 0.7) for i in range(4)))
    parts = [
        SliceDisplay.from_report(report, what) for what in ("language", "length", "month", "sender_domain")
    ]
    makers = (ReliabilityDisplay, CoverageCostDisplay, ConfusionDisplay)
    rules = CoverageDisplay([Bar(HOSTILE, 4, 1, 2, 3, 1), Bar("default", 0, 0, 0, 0, 0)], 20)
    made = [maker.from_report(report) for maker in makers]
    return [*made, *parts, LearningCurveDisplay.from_curve(curve), rules]


def svg(display: Display) -> str:
    """What the browser gets to draw."""
    html = display._repr_html_()
    return base64.b64decode(html.partition("base64,")[2].partition('"')[0]).decode()


def test_each_draws_on_given_axes_and_on_its_own() -> None:
    """`plot` takes axes or makes some, returns the display and leaves `ax_` and `figure_`."""
    for display in all_displays():
        axes = Figure().add_subplot()
        assert display.plot(axes) is display
        assert display.ax_ is axes
        assert display.figure_ is axes.figure
        assert axes.has_data()
        assert display.plot().ax_ is not axes


def test_each_shows_itself_with_words() -> None:
    """In a notebook a display is an offline image with a sentence for those who cannot see it."""
    for display in all_displays():
        html = display._repr_html_()
        assert html.startswith("<img")
        assert "http" not in html.partition("base64")[0]
        assert len(display.alt) > 20
        assert svg(display).startswith("<svg")


def test_reliability_from_predictions() -> None:
    """Promises kept lie on the line; the counts and the mean gap are those of the predictions."""
    truth = ["yes"] * 80 + ["no"] * 20
    display = ReliabilityDisplay.from_predictions(truth, np.tile([0.2, 0.8], (100, 1)), classes=["no", "yes"])
    assert display.promised == pytest.approx([0.8])
    assert (display.true[0].hits, display.true[0].of) == (80, 100)
    assert display.ece == pytest.approx(0, abs=1e-9)
    off = ReliabilityDisplay.from_predictions(truth, np.tile([0.0, 1.0], (100, 1)))
    assert off.ece == pytest.approx(0.2)


def test_coverage_and_cost_from_predictions() -> None:
    """The star is the policy's own decision, the dotted line the best single queue."""
    policy = Policy(("billing", "general"), costs={"billing": {"general": 1.0}, "general": {"billing": 2.0}})
    sure = np.array([[0.95, 0.05]] * 6 + [[0.1, 0.9]] * 4)
    display = CoverageCostDisplay.from_predictions(["billing"] * 6 + ["general"] * 4, sure, policy)
    assert display.decided == pytest.approx((1.0, 1.0, 0.0))
    assert display.single == pytest.approx(0.6)
    assert display.coverage[0] == 1.0
    assert "100% answered" in display.alt


def test_the_report_and_its_display_say_the_same() -> None:
    """Coverage and cost of the star are the report's own figures."""
    report = judged()
    display = CoverageCostDisplay.from_report(report)
    assert display.decided is not None
    assert display.decided[0] == pytest.approx(report.coverage.value)
    assert display.decided[2] == pytest.approx(report.cost.value)
    assert ReliabilityDisplay.from_report(report).ece == pytest.approx(report.ece, abs=1e-3)


def test_hostile_names_are_only_text() -> None:
    """A sender's domain that is markup or mathematics is shown as it is written."""
    display = SliceDisplay("sender_domain", [HOSTILE], [(0.5, 0.4, 0.6, 10)], 0.5)
    drawn = svg(display)
    assert "<script" not in drawn
    assert "&lt;script" in drawn
    assert "<script" not in display._repr_html_()
    confusion = ConfusionDisplay([[1, 0], [0, 1]], [HOSTILE, "b"], [HOSTILE, "b"])
    assert "<script" not in svg(confusion)


def test_parts_that_are_surely_worse_are_seen() -> None:
    """The worst part is named in the words of the picture."""
    display = SliceDisplay("language", ["en", "xx"], [(0.9, 0.85, 0.95, 90), (0.2, 0.1, 0.3, 10)], 0.83)
    assert display.alt == "Accuracy by language: 83% overall, worst xx"
