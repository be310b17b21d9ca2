"""Mail that is easily misjudged, from the documented behaviour of mail systems: each beside its verdict."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any

import pytest

from mailml.autoreply import TextModel
from mailml.verdict import Verdict
from tests.conftest import ROOT
from tests.mailml.judged import BODY, mail, verdict

CASES: list[dict[str, Any]] = tomllib.loads((ROOT / "tests/corpus/tricky.toml").read_text("utf-8"))["mail"]
MODEL = TextModel.shipped()
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case["of"][:60])


def raw(case: dict[str, Any]) -> bytes:
    """The case as a mail to us."""
    # a folded line goes on with a blank; anything else starts a header
    headers = case["head"].strip("\n").replace("\n ", "\r\n ").split("\n")
    return mail(*headers, body=case.get("body", BODY).replace("\n", "\r\n"))


def told(found: Verdict) -> str:
    """The verdict as the file writes it."""
    reason = found.ack_reason.value if found.ack_reason else "-"
    return f"{found.kind.value} {found.row} {found.disposition.value} {reason}"


@EVERY
def test_each_gets_the_verdict_the_table_asks_for(case: dict[str, Any]) -> None:
    """Kind, row, disposition and the reason for no acknowledgement, by the table alone."""
    assert told(verdict(raw(case), **case.get("known", {}))) == case["verdict"]


@EVERY
def test_the_words_change_no_verdict_of_these(case: dict[str, Any]) -> None:
    """With the text model nobody of these people loses the acknowledgement, and no machine gains one."""
    assert told(verdict(raw(case), model=MODEL, **case.get("known", {}))) == case["verdict"]


def test_there_are_enough_of_them_and_each_says_what_it_is_of() -> None:
    """At least 150, with people among them, and no two of the same name."""
    assert len(CASES) >= 150
    assert len({case["of"] for case in CASES}) == len(CASES)
    kinds = Counter(case["verdict"].split()[0] for case in CASES)
    assert kinds["human"] >= 50
    assert min(kinds[kind] for kind in ("bounce", "auto_reply", "auto_generated", "list_bulk")) >= 10
