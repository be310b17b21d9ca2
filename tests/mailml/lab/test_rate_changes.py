"""Since when a rate is another one: real changes are found at their week, chance is not taken for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from mailml.lab.rate_changes import changes, table

START = datetime(2026, 1, 5, tzinfo=UTC)


def rows(
    seed: int, groups: dict[str, tuple[float, float]], weeks: int = 40, a_week: int = 12
) -> pd.DataFrame:
    """Interactions of some groups, each with one rate in the first twenty weeks and another after."""
    rng, made = np.random.default_rng(seed), []
    for name, (before, after) in groups.items():
        for week in range(weeks):
            rate = before if week < 20 else after
            for wrong in rng.random(a_week) < rate:
                at = START + timedelta(weeks=week, hours=float(rng.random() * 160))
                made.append((at, name, bool(wrong)))
    return pd.DataFrame(made, columns=["at", "rule", "misrouted"])


def test_a_step_is_found_at_its_week() -> None:
    """A rule that goes from 5 to 30 percent is named with its week and both rates; its neighbour is not."""
    found = changes(rows(1, {"billing": (0.05, 0.30), "technical": (0.1, 0.1)}), "rule")
    first = found[0]
    assert (first.group, first.found) == ("billing", True)
    assert abs(first.since - (START + timedelta(weeks=20))) <= timedelta(weeks=2)
    assert first.before.value < 0.1 < 0.2 < first.after.value
    assert not found[1].found
    assert "billing: more since" in str(first)


def test_getting_better_is_a_change_too() -> None:
    """A rule that was mended is called better."""
    told = table(changes(rows(2, {"mended": (0.35, 0.05)}), "rule"))
    assert list(told["verdict"]) == ["better"]


def test_chance_is_seldom_taken_for_a_change() -> None:
    """Of twenty histories of ten steady rules each hardly one has a change: the level holds for all."""
    steady = {f"rule {n}": (0.05 + n / 50, 0.05 + n / 50) for n in range(10)}
    alarms = [any(one.found for one in changes(rows(seed, steady, 24, 6), "rule")) for seed in range(20)]
    assert sum(alarms) <= 4


def test_too_little_says_nothing() -> None:
    """Few weeks, few cases, no misroute at all, or no rows: there is nothing to test."""
    assert not changes(rows(3, {"young": (0.1, 0.9)}, weeks=4), "rule")
    assert not changes(rows(3, {"rare": (0.5, 0.5)}, weeks=12, a_week=1), "rule")
    assert not changes(rows(3, {"perfect": (0.0, 0.0)}), "rule")
    assert not changes(rows(3, {}), "rule")


def test_the_same_rows_give_the_same_answer() -> None:
    """The dealing is seeded."""
    same = rows(4, {"a": (0.1, 0.2)})
    assert changes(same, "rule") == changes(same, "rule")


def test_a_missing_group_has_a_name() -> None:
    """Interactions without a category are a group like any other."""
    without = rows(5, {"x": (0.05, 0.4)}).assign(rule=None)
    assert changes(without, "rule")[0].group == "(none)"
