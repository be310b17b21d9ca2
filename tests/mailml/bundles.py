"""Small bundles for tests: a classifier of two words, a text model of one, the default flow."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from mailml import bundle
from mailml.autoreply import TextModel
from mailml.bundle import Bundle, Desk, desk
from mailml.classifier import Model
from mailml.flow import ready

CREATED = datetime(2026, 3, 1, 12, tzinfo=UTC)
DESK = """
[identity]
name = "Acme Support"
addresses = ["support@acme.example", "billing@acme.example"]
domains = ["acme.example"]
authserv_ids = ["mx.acme.example"]

[calendar]
zone = "Europe/Berlin"
week = { mon-fri = ["09:00-17:00"] }
country = "DE"

[sla]
target = "4 business hours"

[classifier]
categories = ["billing", "general", "technical"]
costs.general = { billing = 3.0 }

[ack]
cut_off_hours = 12
"""


def small_desk() -> Desk:
    """A desk with something in every table."""
    return desk.loads(DESK)


def small_model() -> Model:
    """A classifier that knows two words and the letters of a third."""
    meta: dict[str, Any] = {
        "kind": "tfidf-linear",
        "classes": ["billing", "general", "technical"],
        "temperature": 1.0,
        "blocks": [
            {"name": "word", "analyzer": "word", "ngrams": [1, 1]},
            {"name": "char", "analyzer": "char_wb", "ngrams": [3, 4]},
        ],
    }
    arrays = {
        "intercept": np.array([0.1, 0.2, 0.3]),
        "word_terms": np.frombuffer(b"invoice\nlogin\nrechnung", dtype=np.uint8),
        "word_idf": np.array([1.0, 1.5, 2.0]),
        "word_coef": np.array([[4.0, 0, 0], [0, 0, 4.0], [4.0, 0, 0]]),
        "char_terms": np.frombuffer(b" re\nhel\nhelp", dtype=np.uint8),
        "char_idf": np.array([1.0, 1.0, 1.0]),
        "char_coef": np.array([[0.5, 0, 0], [0, 0.5, 0], [0, 0.5, 0]]),
    }
    return Model.from_arrays(meta, arrays)


def small_bundle(path: Path, **changes: Any) -> Bundle:
    """A whole bundle at `path`; arguments of `bundle.write` may be replaced."""
    arguments: dict[str, Any] = {
        "flow": ready.load("default"),
        "desk": small_desk(),
        "model": small_model(),
        "text_model": TextModel.shipped(),
        "card": {"verdict": "made by hand"},
        "card_html": "<!doctype html><title>card</title>",
        "created": CREATED,
        "by": "the tests",
        "versions": {"numpy": "2"},
        "training": {"sha256": "0" * 64},
    }
    return bundle.write(path, **{**arguments, **changes})


def resealed(folder: Path, name: str, data: bytes) -> None:
    """Replace a file and its size and hash in the manifest, as someone would who wants to be believed."""
    (folder / name).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
