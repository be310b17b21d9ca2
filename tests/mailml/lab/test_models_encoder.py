"""The sentence encoder: vectors by the mask, and a clear sentence for whatever is no encoder."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mailml.errors import InputError, MissingExtraError
from mailml.lab.models.encoder import Encoder
from tests.mailml.lab.tiny_encoder import tiny_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder."""
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


def test_words_of_one_meaning_are_near_and_vectors_have_length_one(folder: Path) -> None:
    """`invoice` and `refund` point the same way, `password` another."""
    vectors = Encoder(folder)(["the invoice", "a refund please", "my password"])
    assert vectors.shape == (3, 4)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert vectors[0] @ vectors[1] > 0.9 > 0.2 > vectors[0] @ vectors[2]


def test_padding_counts_for_nothing(folder: Path) -> None:
    """A text has the same vector alone and in a batch with a long one."""
    encoder = Encoder(folder)
    texts = ["invoice", "error " * 40, "", "visit the office"]
    together = encoder(texts)
    for row, text in enumerate(texts):
        assert np.allclose(encoder([text])[0], together[row] if text else 0, atol=1e-9)


def test_an_empty_text_is_nothing_and_an_empty_list_too(folder: Path) -> None:
    """No words: zeros; no texts: no rows."""
    encoder = Encoder(folder)
    assert not encoder(["  ", "invoice"])[0].any()
    assert len(encoder([])) == 0


def test_many_texts_keep_their_order(folder: Path) -> None:
    """Batches are cut by length, and the vectors come back in the order of the texts."""
    words = ["invoice", "error error error", "visit"] * 40
    vectors = Encoder(folder)(words)
    assert vectors.argmax(axis=1).tolist() == [0, 1, 2] * 40


def test_ten_megabytes_are_cut(folder: Path) -> None:
    """A giant text is read up to the encoder's own limit: the rest changes nothing."""
    encoder = Encoder(folder)
    assert np.allclose(encoder(["invoice " * 300 + "error " * 100_000])[0], encoder(["invoice " * 300])[0])


def test_a_graph_that_pools_itself_does_as_well(tmp_path: Path) -> None:
    """One vector per text is taken as it is, brought to length one."""
    vectors = Encoder(tiny_encoder(tmp_path, shape="texts", asks=("input_ids",)))(["refund refund"])
    assert np.linalg.norm(vectors) == pytest.approx(1)


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    """What is not there is said before anything is loaded."""
    (tiny_encoder(tmp_path) / missing).unlink()
    with pytest.raises(InputError, match=f"holds no {missing}"):
        Encoder(tmp_path)


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_a_broken_file_is_named(tmp_path: Path, broken: str) -> None:
    """Nonsense in either file is a sentence with its path, not a trace of a library."""
    (tiny_encoder(tmp_path) / broken).write_bytes(b"nonsense")
    with pytest.raises(InputError, match=broken):
        Encoder(tmp_path)(["invoice"])


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"asks": ("input_ids", "pixel_values")}, "asks for input_ids, pixel_values"),
        ({"shape": "scalar"}, "output of shape"),
        ({"fill": float("nan")}, "not finite"),
    ],
)
def test_an_odd_graph_is_refused(tmp_path: Path, told: dict[str, Any], says: str) -> None:
    """Other inputs, a shape that is no vector per text, numbers that are none."""
    with pytest.raises(InputError, match=says):
        Encoder(tiny_encoder(tmp_path, **told))(["some words"])


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
def test_without_the_extra_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """A base install names the extra instead of a module."""
    plain = builtins.__import__

    def refuse(name: str, *args: Any, **named: Any) -> Any:
        if name == library:
            raise ImportError(name)
        return plain(name, *args, **named)

    monkeypatch.setattr("importlib.import_module", lambda name: refuse(name))
    monkeypatch.delitem(sys.modules, library, raising=False)
    with pytest.raises(MissingExtraError, match=r"mailml\[embeddings\]"):
        Encoder(folder)(["invoice"])
