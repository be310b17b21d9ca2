"""The threshold panel: costs in minutes and thresholds by slider or number, and what they would have done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from mailml.lab.escape import esc
from mailml.lab.panels.frame import CLASS, framed, words
from mailml.lab.panels.tuning import GRID, Minutes, Tuning
from mailml.lab.report import figures
from mailml.lab.report.figures import Picture
from mailml.lab.resampling import Interval

if TYPE_CHECKING:
    import pandas as pd

_COSTS = (
    ("misroute", "A wrong special queue", 60.0),
    ("triage", "Sorting one by hand", 60.0),
    ("missed_urgent", "An urgent one missed", 480.0),
)
_CELL = "padding:2px 14px 2px 0;text-align:left"


class ThresholdPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The panel. `tuning` is what the sliders say now; `tuning.use()` is the classifier that decides so."""

    def __init__(self, tuning: Tuning) -> None:
        self.tuning = tuning
        self._told, self._picture = widgets.HTML(_dom_classes=["mailml-told"]), widgets.HTML()
        self._minutes = {
            name: _Pair(text, getattr(tuning.minutes, name), most, 0.5, "minutes", self._moved)
            for name, text, most in _COSTS
        }
        special = [name for name in tuning.trained.classes if name != tuning.policy.fallback]
        self._floors = {
            name: _Pair(f"Least for {name}", tuning.thresholds.get(name, 0.0), 1.0, 0.01, "", self._moved)
            for name in special
        }
        solve = widgets.Button(
            description="Solve thresholds", tooltip="The cheapest thresholds at these costs"
        )
        solve.on_click(lambda _button: self._solve())
        pairs = [*self._minutes.values(), *self._floors.values()]
        children = [*(pair.row for pair in pairs), solve, self._told, self._picture]
        super().__init__(framed(children), _dom_classes=[CLASS])
        self._quiet = False
        self._draw()

    def _moved(self) -> None:
        if self._quiet:
            return
        minutes = Minutes(**{name: pair.value for name, pair in self._minutes.items()})
        floors = {name: pair.value for name, pair in self._floors.items() if pair.value > 0}
        self.tuning = Tuning(self.tuning.trained, minutes, floors, self.tuning.urgent)
        self._draw()

    def _solve(self) -> None:
        self.tuning = self.tuning.best()
        self._quiet = True  # every slider that is set here would draw the picture again
        for name, pair in self._floors.items():
            pair.set(self.tuning.thresholds.get(name, 0.0))
        self._quiet = False
        self._draw()

    def _draw(self) -> None:
        self._told.value = told(self.tuning)
        self._picture.value = picture(self.tuning.curve()).html()


class _Pair:
    """A slider and a number box that say the same."""

    def __init__(
        self, text: str, value: float, most: float, step: float, unit: str, moved: Callable[[], None]
    ) -> None:
        limits = {"min": 0.0, "max": most, "step": step, "value": min(value, most)}
        self._slider = widgets.FloatSlider(**limits, readout=False, continuous_update=False)
        self._box = widgets.BoundedFloatText(**limits, layout={"width": "6rem"})
        # not `widgets.link`: five steps of 0.4 on a slider are 10.000000000000002, which a box would show
        self._slider.observe(lambda change: self.set(round(change["new"], 4)), "value")
        self._box.observe(self._follow, "value")
        self._box.observe(lambda _change: moved(), "value")
        name = words(text, 40, layout={"width": "13rem"})
        self.row = widgets.HBox([name, self._slider, self._box, words(unit)])

    def _follow(self, change: Any) -> None:
        if abs(self._slider.value - change["new"]) > 1e-6:
            self._slider.value = change["new"]

    @property
    def value(self) -> float:
        return float(self._box.value)

    def set(self, value: float) -> None:
        self._box.value = value


def told(tuning: Tuning) -> str:
    """The verdict and the table of categories as HTML."""
    head = "".join(
        f"<th style='{_CELL}'>{name}</th>"
        for name in (
            "category",
            "solved threshold",
            "right there",
            "minutes saved in 100 messages",
            "verdict",
        )
    )
    rows = "".join(
        f"<tr><th style='{_CELL}' scope='row'>{esc(s.name, 40)}</th>"
        f"<td style='{_CELL}'>{'never' if s.threshold >= 1 else f'{s.threshold:.2f}'}</td>"
        f"<td style='{_CELL}'>{_share(s.right.value, s.right.low, s.right.high)} of {s.right.of:,}</td>"
        f"<td style='{_CELL}'>{_in_100(s.saved, 1)}</td>"
        f"<td style='{_CELL}'>{esc(s.verdict)}</td></tr>"
        for s in tuning.solved
    )
    return (
        f"<p role='status'><b>{esc(tuning.verdict)}</b> {_in_100(tuning.cost)} minutes in 100 messages; "
        f"everything to general: {100 * tuning.baseline.value:,.0f}.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def picture(curve: pd.DataFrame) -> Picture:
    """Coverage, accuracy and cost over one threshold for all categories, each with its 95% interval."""
    alt = "Share sent to a special queue, share right there, and minutes per message, by threshold"
    with figures.canvas(8.2, 3.2, alt) as drawing:
        axes, cost = drawing.axes, drawing.axes.twinx()
        for at, (name, text) in enumerate(
            (("coverage", "sent to a special queue"), ("accuracy", "right there"))
        ):
            _band(axes, curve, name, figures.COLOURS[at], text)
        _band(cost, curve, "cost", figures.BAD, "minutes per message")
        axes.set_ylim(0, 1.03)
        cost.set_ylim(bottom=0)
        cost.grid(visible=False)
        axes.set_xlim(GRID[0], GRID[-1])
        axes.yaxis.set_major_formatter(lambda value, _at: f"{value:.0%}")
        axes.set_xlabel("least probability, the same for all special queues; bands: 95% interval")
        cost.set_ylabel("minutes per message")
        handles = [*axes.get_lines(), *cost.get_lines()]
        axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return drawing.picture


def _band(axes: Any, curve: pd.DataFrame, name: str, colour: str, text: str) -> None:
    axes.fill_between(
        curve["threshold"], curve[f"{name}_low"], curve[f"{name}_high"], color=colour, alpha=0.15
    )
    axes.plot(curve["threshold"], curve[name], color=colour, lw=2, label=text)


def _in_100(each: Interval, places: int = 0) -> str:
    value, low, high = (f"{100 * number:,.{places}f}" for number in (each.value, each.low, each.high))
    return f"{value} ({low} to {high})"


def _share(value: float, low: float, high: float) -> str:
    return "–" if value != value else f"{value:.0%} ({low:.0%} to {high:.0%})"
