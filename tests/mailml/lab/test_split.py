"""Splits: what belongs together never stands on both sides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.errors import NotEnoughData
from mailml.lab import split

START = datetime(2026, 1, 1, tzinfo=UTC)
LONG = (
    "the planner stopped working after the update of last night and nobody in the office can open it any more"
)


def days(*numbers: float) -> list[datetime | None]:
    """Times some days after New Year."""
    return [START + timedelta(days=number) for number in numbers]


def test_threads_senders_and_twins_are_one_group() -> None:
    """Same thread, same sender, or the same words but for digits and case."""
    texts = ["one", "two", "three", "four", "Order 11 is late!", "order 12 IS LATE"]
    threads = ["A", "A", "", "", "", ""]
    senders = ["x@a.example", "y@a.example", "y@a.example", "", "", ""]
    groups = split.groups_of(texts, threads, senders)
    assert groups[0] == groups[1] == groups[2]
    assert groups[4] == groups[5]
    assert len(set(groups.tolist())) == 3


def test_near_duplicates_are_found_and_different_mail_is_not() -> None:
    """One word more in a long mail is the same mail; another mail about the same thing is not."""
    other = "please send the invoice for the planner once more because our accounting cannot find it"
    groups = split.groups_of([LONG, LONG + " today", other])
    assert groups[0] == groups[1] != groups[2]


def test_empty_texts_and_unknown_senders_join_nothing() -> None:
    """Nothing in common is not something in common."""
    groups = split.groups_of(["", "", "😀", "1234"], ["", "", "", ""], ["", "", "", ""])
    assert len(set(groups.tolist())) == 4


def test_a_web_form_is_no_person() -> None:
    """A sender of more than a tenth of all mail does not make it all one group."""
    texts = [f"question about {word}" for word in "abcdefghijklmnopqrstuvwxyz" * 4]
    texts = [f"{text} number {chr(97 + n % 26)}{chr(97 + n // 26)}" for n, text in enumerate(texts)]
    groups = split.groups_of(texts, senders=["form@us.example"] * 60 + [f"p{n}@x.example" for n in range(44)])
    assert len(set(groups.tolist())) == len(texts)


def test_chains_of_look_alikes_fall_back_to_equal_words() -> None:
    """Mail from a template is not one matter: where near-duplicates chain, only equal words join."""
    texts = [f"{LONG} {a} {b}" for a in "abcdef" for b in "uvwxyz"]
    groups = split.groups_of([*texts, texts[0]])
    assert len(set(groups.tolist())) == len(texts)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=30, max_size=80),
    st.integers(2, 5),
)
def test_folds_cover_everything_once_and_share_no_group(rows: list[tuple[str, int]], folds: int) -> None:
    """Every row is tested exactly once, and its group never trained its own test."""
    labels, groups = [label for label, _ in rows], [group for _, group in rows]
    try:
        made = split.grouped(labels, groups, folds)
    except NotEnoughData:
        return
    tested = np.concatenate([fold.test for fold in made])
    assert sorted(tested.tolist()) == list(range(len(rows)))
    for fold in made:
        assert not {groups[i] for i in fold.train} & {groups[i] for i in fold.test}
        assert len({labels[i] for i in fold.train}) > 1


def test_all_mail_in_one_thread_is_not_enough() -> None:
    """The class that cannot be tested is named, with what to do."""
    with pytest.raises(NotEnoughData, match=r"'billing' belong together.*Label messages of other customers"):
        split.grouped(["billing", "billing", "technical", "technical"], [1, 1, 2, 3])
    with pytest.raises(NotEnoughData, match="no labelled messages"):
        split.grouped([], [])


def test_folds_are_the_same_every_time() -> None:
    """A fixed seed: two runs, one split."""
    labels, groups = ["a", "b", "c"] * 20, list(range(60))
    one, two = split.grouped(labels, groups), split.grouped(labels, groups)
    assert [fold.test.tolist() for fold in one] == [fold.test.tolist() for fold in two]


def test_by_time_trains_on_the_past_and_leaves_old_threads_out() -> None:
    """Tested are groups that began after the cut; late mail of old ones is on neither side."""
    made = split.by_time(days(0, 1, 2, 3, 8, 9, 9.5, 10), [0, 1, 2, 3, 0, 4, 4, 5], test_share=0.5)
    assert made.train.tolist() == [0, 1, 2, 3]
    assert made.test.tolist() == [5, 6, 7]
    assert made.left_out.tolist() == [4]
    assert "2026-01-09" in made.how


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 15)), min_size=5, max_size=60))
def test_by_time_never_leaks_a_group_or_the_future(rows: list[tuple[int, int]]) -> None:
    """No group on both sides, nothing trained on is later than anything tested."""
    times, groups = days(*(float(day) for day, _ in rows)), [group for _, group in rows]
    try:
        made = split.by_time(times, groups)
    except NotEnoughData:
        return
    assert not {groups[i] for i in made.train} & {groups[i] for i in made.test}
    assert max(rows[i][0] for i in made.train) < min(rows[i][0] for i in made.test)
    assert sorted([*made.train, *made.test, *made.left_out]) == list(range(len(rows)))


def test_by_time_with_an_empty_side_says_so() -> None:
    """One long thread, or mail without dates, cannot be split by time."""
    with pytest.raises(NotEnoughData, match="test side empty"):
        split.by_time(days(0, 1, 2, 3), [0, 0, 0, 0])
    with pytest.raises(NotEnoughData, match="training side empty"):
        split.by_time([None, None], [0, 1])


def test_a_random_split_says_that_it_flatters() -> None:
    """It is made only by its name, and its own sentence goes into the card."""
    made = split.random(["a", "b"] * 30, 0.25)
    assert "flatters" in made.how
    assert len(made.test) == 15
