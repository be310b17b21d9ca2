"""A flow as an estimator, and as a line in the table of models: its answers are those of production."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError, NotEnoughData
from mailml.flow import ready, source
from mailml.lab.columns import columns
from mailml.lab.contest import Contest
from mailml.lab.flow_classifier import FlowClassifier, answers_of
from mailml.lab.replay import replay
from tests.mailml.lab.conftest import WORDS

ASKING = """
default = "General Support"
[[rule]]
name = "urgent"
when = { subject = { contains = "[URGENT]" } }
then = { queue = "Priority Support" }
[[rule]]
name = "billing"
when = { category = "billing" }
then = { queue = "Billing" }
[[rule]]
name = "broke"
when = { any = [{ category = "technical" }, { text = { contains = "error" } }] }
then = { queue = "Tech Support" }
[[rule]]
name = "both"
when = { category = ["billing", "technical"], is_reply = true }
then = { queue = "Shared" }
"""
QUEUES = {"Billing": "billing", "Tech Support": "technical", "General Support": "general"}


@pytest.fixture(scope="module")
def labels(mailbox: Archive) -> dict[str, str]:
    """Each message that lies in the folder of a queue, labelled by it."""
    rows = lab.frame(mailbox, text=False)
    said = {sha: QUEUES.get(folder.split("/")[-1], "") for sha, folder in rows[["sha256", "folder"]].values}
    return {sha: label for sha, label in said.items() if label}


@pytest.fixture(scope="module")
def frame(mailbox: Archive) -> pd.DataFrame:
    """The mail with its texts."""
    return lab.frame(mailbox)


@pytest.fixture(scope="module")
def table(mailbox: Archive, frame: pd.DataFrame, labels: dict[str, str], word_bundle: Bundle) -> Contest:
    """A model and the ready flow, which asks a classifier."""
    ask = source.dumps(ready.load("default"))
    return lab.compare(frame, labels, models=["linear"], archive=mailbox, bundle=word_bundle, flow=ask)


def test_queues_stand_for_the_category_that_their_rules_ask() -> None:
    """One category is an answer, two are none; rules that ask something else as well do not take it away."""
    flow = source.loads(ASKING)
    assert answers_of(flow, "general") == {
        "General Support": "general", "Billing": "billing", "Tech Support": "technical",
    }  # fmt: skip
    made = FlowClassifier(flow).fit()
    assert made.passed_over_ == ("urgent", "both")
    assert list(made.classes_) == ["billing", "general", "technical"]


def test_it_answers_what_the_flow_decides(mailbox: Archive, word_bundle: Bundle) -> None:
    """On the archive's columns its answers are the queues of a replay, read as categories."""
    mail = columns(mailbox, word_bundle)
    made = FlowClassifier(word_bundle.flow, queues=QUEUES)
    rows = replay(mailbox, word_bundle).set_index("sha256")
    told = [rows.loc[sha, "queue"] for sha in mail["sha256"]]
    placed = [queue in QUEUES for queue in told]
    assert sum(placed) > 100
    said = np.array([QUEUES.get(queue, "") for queue in told])
    assert (made.predict(mail) == said)[placed].all()
    assert set(made.predict(mail)[~np.array(placed)]) <= set(QUEUES.values())  # "urgent" is passed over


def test_it_is_an_estimator(mailbox: Archive, word_bundle: Bundle) -> None:
    """It clones, scores and needs no training; texts are refused with what it reads instead."""
    mail = columns(mailbox, word_bundle).head(50)
    made = clone(FlowClassifier(word_bundle.flow, "general", QUEUES))
    said = made.predict(mail)
    assert made.score(mail, said) == 1.0
    with pytest.raises(InputError, match="reads columns"):
        made.predict(["a text"])


def test_a_flow_that_only_asks_decides_as_the_model_it_asks(table: Contest) -> None:
    """The ready flow passes the classifier's answer on, abstentions included: the same line twice."""
    rows = {row.name: row for row in table.rows}
    asking = rows["flow, asking linear"]
    assert asking.accuracy == rows["linear"].accuracy
    assert (asking.saved.low, asking.saved.value, asking.saved.high) == (0, 0, 0)
    assert rows["flow, no classifier"].cost == rows["all to general"].cost
    assert '"urgent", "enterprise" are passed over' in table.how


def test_rules_are_scored_on_the_archive(
    mailbox: Archive, frame: pd.DataFrame, labels: dict[str, str], word_bundle: Bundle
) -> None:
    """The accuracy of rules by words is that of the queues they decide, counted by hand."""
    trained = {"linear": lab.train(frame, labels, model="linear")}
    from mailml.lab.contest import contest
    from mailml.lab.flow_lines import FlowEntry

    flow = source.loads('default = "General Support"\n' + WORDS)
    mail = columns(mailbox, word_bundle)
    table = contest(trained, flow=FlowEntry(FlowClassifier(flow, "general", QUEUES).fit(), mail))
    examples = trained["linear"].examples
    said = dict(zip(mail["sha256"], FlowClassifier(flow, "general", QUEUES).predict(mail), strict=True))
    right = [said.get(sha, "general") == labels[sha] for sha in examples.messages]
    (row,) = [one for one in table.rows if one.name == "flow"]
    assert row.accuracy.value == pytest.approx(np.mean(right))
    missing = sum(sha not in said for sha in examples.messages)
    assert (f"{missing} labelled messages never reach it" in table.how) == bool(missing)
    nobody = FlowEntry(FlowClassifier(flow), mail.with_columns(pl.lit("x").alias("sha256")))
    with pytest.raises(InputError, match="no labelled message reaches the flow"):
        contest(trained, flow=nobody)


def test_a_flow_needs_its_mail_and_its_desk(
    mailbox: Archive, frame: pd.DataFrame, labels: dict[str, str]
) -> None:
    """Half of what it takes is refused before anything is trained."""
    with pytest.raises(InputError, match="belongs to a desk"):
        lab.compare(frame, labels, archive=mailbox)
    with pytest.raises((InputError, NotEnoughData)):
        lab.compare(frame, {}, flow=ASKING)
