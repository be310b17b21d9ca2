"""The vocabulary: what enough different people wrote, and nothing that names one of them."""

from __future__ import annotations

import numpy as np
import pytest

from mailml.lab import vocabulary


def counted(texts: list[str], limits: tuple[int, int] = (100, 100)) -> tuple[vocabulary.Counted, ...]:
    """Words alone and pairs, characters 3 to 4."""
    return vocabulary.count(texts, words=(1, 2), chars=(3, 4), limits=limits)


def kept(texts: list[str], senders: list[int], threads: list[int]) -> set[str]:
    """The words and pairs that a model of all rows may know."""
    block = counted(texts)[0]
    columns = block.kept(np.arange(len(texts)), np.array(senders), np.array(threads))
    return set(block.terms[columns])


def test_two_senders_and_two_threads_must_have_written_it() -> None:
    """One sender twice, or two senders in one thread, is not wide-spread."""
    texts = ["alpha beta", "alpha beta", "alpha gamma", "gamma delta"]
    assert kept(texts, [1, 1, 2, 3], [1, 2, 3, 4]) == {"alpha", "gamma"}
    assert kept(texts, [1, 2, 3, 4], [1, 1, 1, 1]) == set()


@pytest.mark.parametrize("term", ["a@b", "1234", "a1b2c3d4", "x\ny", "@"])
def test_addresses_and_numbers_are_never_public(term: str) -> None:
    """Whatever holds an @, four digits or a line break is dropped however often it was written."""
    assert not vocabulary.is_public(term)


def test_ordinary_words_are_public() -> None:
    """Short numbers and words in any script are fine."""
    assert all(map(vocabulary.is_public, ["invoice", "error 404", "счёт", "請求"]))


def test_numbers_that_everybody_writes_are_dropped_all_the_same() -> None:
    """A hotline's number in every signature is still a number."""
    assert kept(["call 0800123 now"] * 3, [1, 2, 3], [1, 2, 3]) == {"call", "now"}


def test_the_most_frequent_stay_when_there_are_too_many() -> None:
    """The limit keeps by count, in alphabetical order where counts tie."""
    block = vocabulary.count(["b b a c", "b a c d"], words=(1, 1), chars=(3, 3), limits=(2, 2))[0]
    assert block.kept(np.arange(2), np.arange(2), np.arange(2)).size == 0  # single letters are no words
    block = vocabulary.count(["bb bb aa cc", "bb aa cc dd"], words=(1, 1), chars=(3, 3), limits=(2, 2))[0]
    columns = block.kept(np.arange(2), np.arange(2), np.arange(2))
    assert list(block.terms[columns]) == ["aa", "bb"]


def test_only_the_rows_of_training_count() -> None:
    """What the held-out rows wrote is unknown to a fold's model."""
    block = counted(["alpha", "alpha", "omega", "omega"])[0]
    columns = block.kept(np.array([0, 1]), np.arange(4), np.arange(4))
    assert list(block.terms[columns]) == ["alpha"]
    held, total = block.known(np.array([0, 2]), columns)
    assert (held / total).tolist() == [1.0, 0.0]


def test_pairs_of_known_words_are_not_missed() -> None:
    """An unknown pair is no sign of a foreign text; an unknown word is."""
    block = counted(["alpha beta", "beta alpha"])[0]
    columns = block.kept(np.arange(2), np.arange(2), np.arange(2))
    assert list(block.terms[columns]) == ["alpha", "beta"]
    held, total = block.known(np.arange(2), columns)
    assert held.tolist() == total.tolist() == [2.0, 2.0]


def test_texts_without_n_grams_make_an_empty_block() -> None:
    """Nothing to count is not an error."""
    blocks = counted(["!!", "?"])
    assert all(block.counts.shape[1] == len(block.terms) for block in blocks)
    assert len(blocks[0].terms) == 0


def test_unknown_owners_are_each_their_own() -> None:
    """Two messages without a sender are not of one sender."""
    assert vocabulary.numbers(["a", "", "a", ""]).tolist() == [0, 1, 0, 2]
