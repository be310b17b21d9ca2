"""Laws of the back-test: against itself it is empty, with sides swapped it is its own mirror image."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailml.archive import Archive
from mailml.bundle import Bundle, write
from mailml.bundle import desk as desks
from mailml.flow import Flow
from mailml.lab.backtest import backtest
from mailml.lab.comparison import CHANGES
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sides import with_rules
from tests.laws import flows
from tests.mailml.lab.conftest import DESK

# Flows over the sample's own words, so that rules hit, and over its queues and folders.
QUEUES = ["Billing", "Tech Support", "General Support", "Priority Support"]
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A small sample mailbox, hostile mails among it."""
    return sample_archive(tmp_path_factory.mktemp("laws") / "a", messages=150, hostile=True)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A desk to put flows on."""
    path: Path = tmp_path_factory.mktemp("laws") / "b"
    made = datetime(2026, 11, 1, tzinfo=UTC)
    return write(path, flow=Flow((), "General Support"), desk=desks.from_mapping(DESK), created=made)


def made_up() -> st.SearchStrategy[Flow]:
    """Any flow of the flow laws with the sample's queues in place of its own; templates the desk has none."""
    return flows.flows().map(_at_this_desk)


def _at_this_desk(flow: Flow) -> Flow:
    queue = {"": ""} | {name: QUEUES[at % len(QUEUES)] for at, name in enumerate(flow.queues())}
    rules = [
        replace(rule, then=replace(rule.then, queue=queue[rule.then.queue], ack_template=""))
        for rule in flow.rules
    ]
    return Flow(tuple(rules), queue[flow.default])


@few
@given(flow=made_up())
def test_against_itself_it_is_empty(archive: Archive, bundle: Bundle, flow: Flow) -> None:
    """No message differs, the rates are equal, nothing is saved and nothing lost."""
    candidate = with_rules(bundle, flow)
    test = backtest(candidate, candidate, archive)
    again = backtest(flow, candidate, archive)
    for one in (test, again):
        assert one.changes == dict.fromkeys(CHANGES, 0)
        assert one.diff().empty
        assert one.acks == {"gain": 0, "lose": 0}
        assert one.before == one.after
        assert one.saved.value == 0.0
        assert not one.after.of or one.difference.value == 0.0


@few
@given(one=made_up(), other=made_up())
def test_swapped_it_is_its_mirror_image(archive: Archive, bundle: Bundle, one: Flow, other: Flow) -> None:
    """Which flow is the candidate turns every figure round and changes none."""
    first, second = with_rules(bundle, one), with_rules(bundle, other)
    there, back = backtest(first, second, archive), backtest(second, first, archive)
    assert there.changes == back.changes
    assert (there.before, there.after) == (back.after, back.before)
    assert there.acks == {"gain": back.acks["lose"], "lose": back.acks["gain"]}
    assert there.saved.value == pytest.approx(-back.saved.value)
    assert (there.saved.low, there.saved.high) == pytest.approx((-back.saved.high, -back.saved.low))
    assert there.transfers().equals(back.transfers().T.rename_axis("before").rename_axis("after", axis=1))
    load = back.load()
    turned = load.rename(columns={"before": "after", "after": "before", "busy_before": "busy_after",
                                  "busy_after": "busy_before"})  # fmt: skip
    assert there.load().equals(turned[list(load.columns)])
    assert sorted(there.diff()["sha256"]) == sorted(back.diff()["sha256"])
