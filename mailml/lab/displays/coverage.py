"""What each rule of a flow decides, how much of it rightly, and what rules before it take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from mailml.lab.displays.display import Display
from mailml.lab.report.figures import BAD, GOOD, GRID, MUTED, Picture, canvas, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mailml.lab.covering import Covering

_MOST = 40  # rules in a picture; those that fit most
_PALE = "#a9cfe8"  # what nobody knows must not shout


@dataclass(frozen=True, slots=True)
class Bar:
    """One rule: messages it places rightly, wrongly, unknown whether; fits but others place; disputed."""

    name: str
    right: int
    wrong: int
    unknown: int
    others: int
    conflict: int

    @property
    def fits(self) -> int:
        """The whole length."""
        return self.right + self.wrong + self.unknown + self.others


_PARTS = (
    ("right", GOOD, "decides: right"),
    ("wrong", BAD, "wrong"),
    ("unknown", _PALE, "truth unknown"),
    ("others", GRID, "fits, others decide"),
)


@dataclass(repr=False)
class CoverageDisplay(Display):
    """One bar a rule in the flow's order: right, wrong, unknown, and what others decide of what it fits."""

    size = (8.2, 4.0)
    bars: Sequence[Bar]
    of: int
    left_out: int = 0

    @classmethod
    def from_coverage(cls, coverage: Covering) -> Self:
        """From what `lab.coverage` returns; of very many rules those that fit most."""
        shown = sorted(range(len(coverage.rules)), key=lambda n: -coverage.rules[n].fits)[:_MOST]
        bars = []
        for n in sorted(shown):
            rule, share = coverage.rules[n], coverage.rules[n].decided_accuracy
            wrong, unknown = share.of - share.hits, rule.decides - share.of
            others = rule.fits - rule.decides
            bars.append(Bar(rule.rule, share.hits, wrong, unknown, others, rule.conflict))
        return cls(bars, coverage.of, len(coverage.rules) - len(bars))

    @property
    def alt(self) -> str:
        """How much is decided by rules, and how much of it rightly."""
        right, wrong = sum(bar.right for bar in self.bars), sum(bar.wrong for bar in self.bars)
        conflict = sum(bar.conflict for bar in self.bars)
        return (
            f"Coverage of {len(self.bars)} rules on {self.of:,} messages: {right:,} decided rightly, "
            f"{wrong:,} wrongly; {conflict:,} times a rule differs from another that fits as well"
        )

    def draw(self, axes: Axes) -> None:
        """The numbers at the end: messages that fit, and those on which another rule says otherwise."""
        rows = list(reversed(self.bars))
        base = [0] * len(rows)
        for name, colour, words in _PARTS:
            widths = [int(getattr(bar, name)) for bar in rows]
            axes.barh(range(len(rows)), widths, left=base, color=colour, height=0.68, label=words)
            base = [a + b for a, b in zip(base, widths, strict=True)]
        for at, bar in enumerate(rows):
            differ = f", {bar.conflict:,} in conflict" if bar.conflict else ""
            beside: Any = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
            axes.annotate(f"{bar.fits:,}{differ}", (bar.fits, at), fontsize=9, color=MUTED, **beside)
        axes.set_yticks(range(len(rows)), [label(bar.name) for bar in rows])
        axes.set_xlim(0, max([bar.fits for bar in rows] + [1]) * 1.22)
        rest = f"; {self.left_out} rules that fit least are left out" if self.left_out else ""
        axes.set_xlabel(f"messages, of {self.of:,} that reach the flow{rest}")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, fontsize=9, handlelength=1.2)

    def picture(self) -> Picture:
        """As high as the rules need."""
        with canvas(8.2, 1.0 + 0.34 * max(len(self.bars), 1), self.alt) as drawing:
            self.draw(drawing.axes)
        return drawing.picture
