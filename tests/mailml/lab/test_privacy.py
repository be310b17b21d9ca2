"""A bundle of the sample mailbox is searched for its customers: none is in any file."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from mailml.bundle import Bundle
from mailml.classifier.ngrams import char_wb, fold, tokens
from mailml.flow import ready
from mailml.lab.export import export
from mailml.lab.frame import frame
from mailml.lab.labels import from_folders
from mailml.lab.queues import folder_categories
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import sample_desk
from mailml.lab.train import train


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The sample mailbox with its hostile mail, small."""
    return frame(sample_archive(tmp_path_factory.mktemp("archive") / "a", messages=700, hostile=True))


@pytest.fixture(scope="module", params=["linear", "hashing"])
def made(
    request: pytest.FixtureRequest, rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """A bundle of some labels and a teacher, who looked at all the rest of the mail as well."""
    flow = ready.load("default")
    told = from_folders(rows, folder_categories(list(rows["folder"].unique()), flow))[:220]
    labels = {label.message: label.label for label in told}
    trained = train(rows, labels, model=request.param, teacher="self")
    assert len(trained.corpus.texts) > len(labels)
    return export(trained, flow, sample_desk(), tmp_path_factory.mktemp("bundle") / "b", by="anna")


def files(made: Bundle) -> dict[str, str]:
    """Every file as text, folded; arrays are stored as they are, so words in them can be found."""
    return {file.name: file.read_bytes().decode("utf-8", "replace").lower() for file in made.path.iterdir()}


def customers(rows: pd.DataFrame) -> pd.DataFrame:
    """Mail from outside."""
    return rows[~rows["from_addr"].str.endswith("acme.example") & rows["from_addr"].ne("")]


def test_no_address_name_or_sentence_of_a_customer_is_inside(made: Bundle, rows: pd.DataFrame) -> None:
    """No sender's address or full name, no subject, and no forty characters of any mail, in any file."""
    people = customers(rows)
    traces = set(people["from_addr"].str.lower())
    traces |= {name.lower() for name in people["from_name"] if len(name.split()) >= 2}
    for text in people["own"]:
        lines = (line.strip().lower() for line in text.splitlines())
        traces |= {line[:40] for line in lines if len(line) >= 40}
    assert len(traces) > 500
    for name, content in files(made).items():
        found = sorted(trace for trace in traces if trace in content)
        assert not found, (name, found[:3])


def test_no_number_and_no_address_is_in_the_vocabulary(made: Bundle) -> None:
    """Order numbers, phone numbers, invoices: four digits are in no n-gram, nor an @."""
    assert made.model is not None
    terms = [term for block in made.model.blocks for term in block.terms]
    assert not [term for term in terms if "@" in term or len(re.findall(r"\d", term)) >= 4]


def test_every_word_was_written_by_two_senders(made: Bundle, rows: pd.DataFrame) -> None:
    """No n-gram of the model is one customer's own."""
    assert made.model is not None
    writers = defaultdict[str, set[str]](set)
    for text, sender in zip(rows["text"], rows["from_addr"], strict=True):
        words = tokens(fold(str(text)))
        grams = [*words, *(" ".join(pair) for pair in pairwise(words))]
        grams += [gram for word in fold(str(text)).split() for gram in char_wb(word, 3, 5)]
        for gram in grams:
            writers[gram].add(str(sender))
    own = [term for block in made.model.blocks for term in block.terms if len(writers[term]) < 2]
    assert not own, own[:5]


def test_the_hashing_model_holds_no_word_at_all(made: Bundle) -> None:
    """Its arrays are numbers, the linear one's hold words: the search above is not for nothing."""
    assert made.model is not None
    hashed = made.manifest["parameters"]["model"] == "hashing"
    assert all(bool(block.terms) != hashed for block in made.model.blocks)
    assert ("invoice" in files(made)["model.npz"]) != hashed


def test_golden_texts_are_ours(made: Bundle, rows: pd.DataFrame) -> None:
    """What a bundle shows as examples is in nobody's mail."""
    from mailml.bundle import golden

    mail = "\n".join(rows["own"])
    assert not [text for text in golden.TEXTS if len(text) > 30 and text.split("\n")[-1] in mail]


def test_a_bundle_is_found_by_its_folder_alone(made: Bundle) -> None:
    """The path it was made in is in none of its files."""
    parent = str(Path(made.path).parent)
    assert not [name for name, content in files(made).items() if parent.lower() in content]
