"""The served model: equal to scikit-learn, abstaining with a reason, explaining exactly, bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline

from mailml.classifier import NO_MODEL, Model
from mailml.classifier.ngrams import LIMIT, Block, char_wb, fold
from mailml.errors import BundleDamagedError
from tests.growth import cpu
from tests.mailml.lab.tickets import tickets

Arrays = dict[str, NDArray[Any]]
ODD = ["", "   ", "a", "ok", "😀😀", "İstanbul ß ŉ ﬁ", "zero\u200bwidth", "日本語のテキスト", "x" * 3000,
       "a\x00b\x1c\x85c\u2028d",
       "INVOICE invoice Invoice", "12345 67", "ünïcödé _under_ score", "\ud800 lone surrogate"]  # fmt: skip


def exported(pipe: Any) -> tuple[dict[str, Any], Arrays]:
    """A scikit-learn pipeline's numbers as `Model` reads them."""
    layer, union = pipe[-1], pipe[0]
    arrays: Arrays = {"intercept": layer.intercept_}
    start, blocks = 0, []
    for name, vectorizer in union.transformer_list:
        terms = vectorizer.get_feature_names_out()
        arrays[f"{name}_terms"] = np.frombuffer("\n".join(terms).encode(), dtype=np.uint8)
        arrays[f"{name}_idf"] = vectorizer.idf_
        arrays[f"{name}_coef"] = layer.coef_[:, start : start + len(terms)].T
        start += len(terms)
        blocks.append({"name": name, "analyzer": vectorizer.analyzer, "ngrams": list(vectorizer.ngram_range)})
    meta = {"kind": "tfidf-linear", "classes": list(layer.classes_), "temperature": 1.0, "blocks": blocks}
    return meta, arrays


@pytest.fixture(scope="module")
def pipe() -> Any:
    """A plain scikit-learn pipeline fitted on made-up tickets."""
    made = tickets(160)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2)
    return make_pipeline(FeatureUnion([("word", words), ("char", chars)]), LogisticRegression(C=10)).fit(
        made.texts, made.labels
    )


@pytest.fixture(scope="module")
def model(pipe: Any) -> Model:
    """The same pipeline as a served model."""
    return Model.from_arrays(*exported(pipe))


def test_equals_scikit_learn_on_mail_and_oddities(pipe: Any, model: Model) -> None:
    """Single and batched probabilities are the pipeline's own to 1e-9, whatever the text."""
    texts = [*tickets(60, seed=9).texts, *(text for text in ODD if "\ud800" not in text)]
    expected = pipe.predict_proba(texts)
    one_by_one = np.array([model.proba(text) for text in texts])
    assert np.abs(one_by_one - expected).max() < 1e-9
    assert np.abs(model.probas(texts) - expected).max() < 1e-9


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_equals_scikit_learn(text: str) -> None:
    """Hypothesis' texts get the n-grams of scikit-learn's own analyzers."""
    word = TfidfVectorizer(ngram_range=(1, 2)).build_analyzer()(text)
    block = Block(
        "w", "word", (1, 2), sorted(set(word)), np.ones(len(set(word))), np.zeros((len(set(word)), 2))
    )
    counts = block.count(fold(text))
    assert counts.counts.sum() == len(word)
    assert counts.unknown == 0
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()(text)
    assert sorted(gram for w in fold(text).split() for gram in char_wb(w, 3, 5)) == sorted(chars)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=400))
def test_categorize_is_total_and_rounded(text: str) -> None:
    """Any text gets a class or a reason; probabilities are millionths that sum to one."""
    made = Model.from_arrays(*small())
    category = made.categorize(text)
    assert (category.label is None) == bool(category.reason)
    if category.probabilities:
        assert sum(round(p * 1_000_000) for _, p in category.probabilities) == 1_000_000
    assert made.categorize(text) == category


def small() -> tuple[dict[str, Any], Arrays]:
    """A model of two words that is easy to work out by hand."""
    meta = {
        "kind": "tfidf-linear",
        "classes": ["billing", "technical"],
        "temperature": 2.0,
        "min_known": 0.3,
        "blocks": [{"name": "word", "analyzer": "word", "ngrams": [1, 1]}],
    }
    arrays: Arrays = {
        "intercept": np.zeros(2),
        "word_terms": np.frombuffer(b"invoice\nlogin", dtype=np.uint8),
        "word_idf": np.array([1.0, 1.0]),
        "word_coef": np.array([[4.0, 0.0], [0.0, 4.0]]),
    }
    return meta, arrays


def test_the_arithmetic_by_hand() -> None:
    """softmax((4, 0) / 2) for the one word of billing, and the temperature counts."""
    made = Model.from_arrays(*small())
    expected = 1 / (1 + np.exp(-2.0))
    assert made.proba("invoice invoice") == pytest.approx([expected, 1 - expected])
    category = made.categorize("Invoice!")
    assert (category.label, category.probability) == ("billing", round(expected, 6))
    assert category.words == (("invoice", 1.0),)


def test_an_empty_text_abstains_and_says_so() -> None:
    """Mail without text, attachments only, gets no category."""
    category = Model.from_arrays(*small()).categorize(" \n ")
    assert category.abstained
    assert "no text" in category.reason


def test_a_language_never_seen_abstains(model: Model) -> None:
    """A text of which too little is known gets no category, and the reason says how little."""
    meta, arrays = model.to_arrays()
    careful = Model.from_arrays({**meta, "min_known": 0.4}, arrays)
    for text in (
        "Laskussa on virhe, voitteko korjata sen pian",
        "請求書が間違っています",
        "Счёт неверный",
        "😀 🎉",
    ):
        category = careful.categorize(text)
        assert category.abstained, text
        assert "never seen" in category.reason
    assert careful.categorize("the invoice shows the wrong amount").label == "billing"


def test_explanation_adds_up_to_the_score(model: Model) -> None:
    """The weights for and against a class sum to its score over the mean of all classes."""
    text = "the invoice for the scanner shows the wrong amount"
    explained = model.explain(text, "billing", n=10_000)
    logits = np.log(model.proba(text))
    expected = logits[model.classes.index("billing")] - logits.mean()
    bias = model.intercept - model.intercept.mean()
    total = sum(w for _, w in explained.words) + sum(w for _, w in explained.against)
    assert total + bias[model.classes.index("billing")] == pytest.approx(expected, abs=1e-3)
    assert any(word == "invoice" for word, _ in explained.words[:10])
    assert explained.margin >= 0
    assert explained.category == model.categorize(text)


def test_explaining_a_class_that_is_none_is_refused(model: Model) -> None:
    """The error lists the classes there are."""
    with pytest.raises(ValueError, match="billing, general, technical"):
        model.explain("hello", "sales")


def test_round_trip_keeps_numbers_and_id(model: Model) -> None:
    """to_arrays and from_arrays are inverse; the id names the numbers, not how wide they were stored."""
    meta, arrays = model.to_arrays()
    again = Model.from_arrays(meta, arrays)
    assert again.id == model.id
    assert np.array_equal(again.proba("the invoice"), model.proba("the invoice"))
    narrowed = {k: a.astype(np.float32) if a.dtype.kind == "f" else a for k, a in arrays.items()}
    narrow = Model.from_arrays(meta, narrowed)
    assert narrow.id != model.id
    assert narrow.to_arrays()[1]["intercept"].dtype == np.float32
    assert Model.from_arrays(*narrow.to_arrays()).id == narrow.id


def test_ten_megabytes_cost_no_more_than_the_cap(model: Model) -> None:
    """A giant body is read up to the cap: same answer as the cap alone, and no more work than a few of it."""
    text = "the invoice is wrong and " * 420_000
    assert np.array_equal(model.proba(text), model.proba(text[:LIMIT]))
    assert cpu(model.proba, text) < 10 * max(cpu(model.proba, text[:LIMIT]), 1e-3)


def test_hostile_words_do_not_grow_memory(model: Model) -> None:
    """Endless new words empty the memory of words instead of growing it."""
    block = next(b for b in model.blocks if b.analyzer == "char_wb")
    for start in range(0, 60_000, 3_000):
        model.proba(" ".join(f"w{n}" for n in range(start, start + 3_000)))
    assert len(block._memory) <= 50_000
    assert all(len(word) <= 40 for word in block._memory)


def test_no_model_is_an_abstention() -> None:
    """A bundle without classifier still has an answer, and it is not a class."""
    assert NO_MODEL.abstained
    assert NO_MODEL.reason


def damaged(**changes: Any) -> tuple[dict[str, Any], Arrays]:
    """The small model with something changed in its description or its arrays."""
    meta, arrays = small()
    for name, value in changes.items():
        (arrays if name in arrays else meta)[name] = value
    return meta, arrays


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "forest"}, "kind 'forest'"),
        ({"classes": ["billing"]}, "two or more different names"),
        ({"classes": ["a", "a"]}, "two or more different names"),
        ({"classes": "ab"}, "two or more different names"),
        ({"temperature": 0.0}, "out of range"),
        ({"temperature": float("nan")}, "out of range"),
        ({"temperature": "hot"}, "not readable"),
        ({"min_known": 3.0}, "out of range"),
        ({"policy": {"costs": {"billing": {"technical": float("inf")}}}}, "not readable"),
        ({"policy": []}, "not readable"),
        ({"blocks": []}, "one to eight"),
        ({"blocks": [{"name": "word", "analyzer": "evil", "ngrams": [1, 1]}]}, "block is not readable"),
        (
            {"blocks": [{"name": "word", "analyzer": "char_wb", "ngrams": [1, 10**9]}]},
            "block is not readable",
        ),
        ({"blocks": ["word"]}, "block is not readable"),
        ({"word_coef": np.zeros((2, 3))}, "expected floats of shape (2, 2)"),
        ({"word_coef": np.array([[np.nan, 0.0], [0.0, 0.0]])}, "not a finite number"),
        ({"word_idf": np.array([1, 1])}, "expected floats"),
        ({"word_terms": np.frombuffer(b"same\nsame", dtype=np.uint8)}, "names an n-gram twice"),
        ({"word_terms": np.frombuffer(b"\xff\xfe\nx", dtype=np.uint8)}, "not UTF-8"),
        ({"word_terms": np.zeros(3)}, "not a line of bytes"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], says: str) -> None:
    """Every wrong name, range, shape, type or value is one clear sentence."""
    with pytest.raises(BundleDamagedError, match=says.replace("(", r"\(").replace(")", r"\)")):
        Model.from_arrays(*damaged(**changes))


def test_a_missing_array_is_named() -> None:
    """The sentence says which array is not there."""
    meta, arrays = small()
    del arrays["word_idf"]
    with pytest.raises(BundleDamagedError, match="word_idf is missing"):
        Model.from_arrays(meta, arrays)


def hashed() -> tuple[dict[str, Any], Arrays]:
    """A model of three buckets."""
    meta = {
        "kind": "tfidf-linear",
        "classes": ["a", "b"],
        "temperature": 1.0,
        "blocks": [{"name": "word", "analyzer": "word", "ngrams": [1, 1], "buckets": 8}],
    }
    arrays: Arrays = {
        "intercept": np.zeros(2),
        "word_buckets": np.array([1, 3, 6], dtype=np.int32),
        "word_idf": np.ones(3),
        "word_coef": np.arange(6.0).reshape(3, 2),
    }
    return meta, arrays


@pytest.mark.parametrize(
    ("buckets", "size", "says"),
    [
        ([1, 3, 8], 8, "not ascending within its 8 buckets"),
        ([-1, 3, 6], 8, "not ascending"),
        ([3, 1, 6], 8, "not ascending"),
        ([1, 1, 6], 8, "not ascending"),
        ([1, 3, 6], 2**40, "not 1 to"),
        ([1, 3, 6], 0, "not 1 to"),
        ([1, 3, 6], "8", "not 1 to"),
        ([1.0, 3.0, 6.0], 8, "not a line of whole numbers"),
        ([1, 3], 8, "expected floats of shape"),
    ],
)
def test_buckets_that_cannot_be_are_refused(buckets: list[Any], size: Any, says: str) -> None:
    """Outside the hash, out of order, twice, or so many that memory would be asked for: a sentence each."""
    meta, arrays = hashed()
    kind = np.int32 if isinstance(buckets[0], int) else np.float64
    arrays["word_buckets"] = np.array(buckets, dtype=kind)
    meta["blocks"][0]["buckets"] = size
    with pytest.raises(BundleDamagedError, match=says):
        Model.from_arrays(meta, arrays)


def test_a_model_of_buckets_comes_back() -> None:
    """Round trip, and unknown words stay unknown."""
    made = Model.from_arrays(*hashed())
    assert Model.from_arrays(*made.to_arrays()).id == made.id
    assert made.known("some other words entirely with many of them") < 1
    assert made.proba("anything").sum() == pytest.approx(1)
