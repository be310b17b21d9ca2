"""Evaluation pictures in scikit-learn's manner: made from predictions or a report, drawn on any axes.

`ReliabilityDisplay.from_predictions(y, p).plot(ax)` as with scikit-learn's own displays; in a notebook each
shows itself as an offline SVG in the house style. After `plot`, `ax_` and `figure_` are there.
"""

from mailml.lab.displays.coverage import CoverageDisplay
from mailml.lab.displays.curve import LearningCurveDisplay
from mailml.lab.displays.display import Display
from mailml.lab.displays.parts import ConfusionDisplay, SliceDisplay
from mailml.lab.displays.probability import CoverageCostDisplay, ReliabilityDisplay

__all__ = [
    "ConfusionDisplay",
    "CoverageCostDisplay",
    "CoverageDisplay",
    "Display",
    "LearningCurveDisplay",
    "ReliabilityDisplay",
    "SliceDisplay",
]
