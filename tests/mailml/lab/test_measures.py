"""The figures: equal to scikit-learn's where it has them, and intervals that respect groups."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from mailml.classifier import Policy
from mailml.lab import measures
from mailml.lab.resampling import Bootstrap, Interval, paired_difference

RNG = np.random.default_rng(5)
TRUTH = RNG.integers(0, 3, 400)
SAID = np.where(RNG.random(400) < 0.7, TRUTH, RNG.integers(0, 3, 400))
P = RNG.dirichlet([1, 1, 1], 400)
ALONE = Bootstrap(np.arange(400))


def test_precision_recall_and_f1_are_scikit_learns() -> None:
    """Every class's three figures and its support."""
    expected = metrics.precision_recall_fscore_support(TRUTH, SAID)
    made = measures.per_class(TRUTH, SAID, ("a", "b", "c"), ALONE)
    for k, figures in enumerate(made):
        values = (figures.precision.value, figures.recall.value, figures.f1.value)
        assert values == pytest.approx([column[k] for column in expected[:3]], abs=1e-6)
        assert figures.support == expected[3][k]
        assert figures.precision.low < figures.precision.value < figures.precision.high


def test_a_class_never_said_has_unknown_precision_and_no_f1() -> None:
    """Nothing is made up where there is nothing to divide by."""
    never = measures.per_class(np.array([0, 0, 1]), np.array([0, 0, 0]), ("a", "b"), Bootstrap(np.arange(3)))[
        1
    ]
    assert str(never.precision) == "unknown"
    assert never.precision.to_dict() == {"value": None, "low": None, "high": None}
    assert never.recall.value == 0
    assert never.f1.value == 0


def test_macro_f1_and_log_loss_are_scikit_learns() -> None:
    """The two summary figures."""
    assert measures.macro_f1(TRUTH, SAID, 3, ALONE).value == pytest.approx(
        metrics.f1_score(TRUTH, SAID, average="macro"), abs=1e-6
    )
    assert measures.log_loss(TRUTH, P) == pytest.approx(metrics.log_loss(TRUTH, P))


def test_confusion_is_scikit_learns_with_room_for_the_fallback() -> None:
    """Truth in rows; one more column where the fallback is no class."""
    assert np.array_equal(measures.confusion(TRUTH, SAID, 3, 3), metrics.confusion_matrix(TRUTH, SAID))
    assert measures.confusion(np.array([0, 1]), np.array([2, 2]), 2, 3).tolist() == [[0, 0, 1], [0, 0, 1]]


def test_calibration_error_by_hand() -> None:
    """Promised 0.9 and right half the time is off by 0.4."""
    p = np.array([[0.9, 0.1]] * 4)
    assert measures.ece(np.array([0, 0, 1, 1]), p) == pytest.approx(0.4)
    assert measures.reliability(np.array([0, 0, 1, 1]), p) == [(pytest.approx(0.9), 0.5, 4)]


def test_coverage_falls_and_ends_in_the_fallback() -> None:
    """A threshold covers less the higher it is; what it does not cover costs the fallback."""
    curve = measures.coverage_curve(TRUTH, P, Policy(("a", "general", "c")))
    covered = [row["coverage"] for row in curve]
    assert covered == sorted(covered, reverse=True)
    assert covered[0] == 1.0
    assert len(curve) == 20


def test_intervals_over_groups_are_wider_than_over_rows() -> None:
    """A hundred copies of four facts are four facts."""
    hits = np.repeat([True, True, True, False], 100)
    alone = Bootstrap(np.arange(400)).mean(hits)
    together = Bootstrap(np.repeat(np.arange(4), 100)).mean(hits)
    assert alone.value == together.value == 0.75
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_intervals_are_the_same_every_time() -> None:
    """A fixed seed: the card of the same data is the same bytes."""
    assert Bootstrap(np.arange(50)).mean(SAID[:50] == 1) == Bootstrap(np.arange(50)).mean(SAID[:50] == 1)


def test_a_paired_difference_sees_what_two_intervals_cannot() -> None:
    """Row by row better is better, although the rows differ much more among each other."""
    base = RNG.normal(10, 5, 300)
    better = paired_difference(base, base - 0.1, np.arange(300))
    assert better.low > 0
    assert better.value == pytest.approx(0.1, abs=1e-4)
    nothing = paired_difference(base, base[::-1], np.arange(300))
    assert nothing.low < 0 < nothing.high


def test_no_rows_at_all_are_unknown() -> None:
    """An empty evaluation has no figures, and does not fail."""
    empty = Bootstrap(np.array([], dtype=np.int64)).mean(np.array([], dtype=bool))
    assert not np.isfinite(empty.value)
    assert str(Interval(0.5, 0.25, 0.75)) == "0.500 (0.250 to 0.750)"


@pytest.mark.parametrize(("interval", "sure"), [((1.0, 0.1, 1.9), True), ((1.0, -0.3, 2.3), False)])
def test_how_sure_a_saving_is_counts_in_standard_errors(
    interval: tuple[float, float, float], sure: bool
) -> None:
    """An interval of 95 % is 3.92 standard errors wide; what is unknown is never sure."""
    assert Interval(*interval).above_nothing(1.645) is sure
    assert not Interval(float("nan"), float("nan"), float("nan")).above_nothing(0.0)
