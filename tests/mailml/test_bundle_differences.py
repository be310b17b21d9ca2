"""What changed between two bundles, in sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.bundle import Bundle, desk, differences
from mailml.classifier import Policy
from mailml.flow import source
from tests.mailml.bundles import DESK, small_bundle, small_model

FLOW = """
default = "General Support"

[[rule]]
name = "urgent"
when = { subject = { contains = "[URGENT]" } }
then = { queue = "Priority Support", priority = 10 }

[[rule]]
name = "billing"
when = { category = { is = "billing" } }
then = { queue = "Billing" }
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle that is served now."""
    return small_bundle(tmp_path_factory.mktemp("d") / "old", flow=source.loads(FLOW), text_model=None)


def changed(path: Path, **changes: object) -> Bundle:
    """The same with something changed."""
    return small_bundle(path / "new", **{"flow": source.loads(FLOW), "text_model": None, **changes})


def test_the_same_bundle_differs_in_nothing(old: Bundle, tmp_path: Path) -> None:
    """Another hour of export is no difference."""
    assert differences(old, changed(tmp_path, by="someone else")) == ()


def test_rules_are_named(old: Bundle, tmp_path: Path) -> None:
    """New, gone, changed, another order, another default."""
    text = FLOW.replace("priority = 10", "priority = 20").replace("General Support", "Desk") + (
        '\n[[rule]]\nname = "vip"\nwhen = { from_domain = { is = ["vip.example"] } }\n'
        'then = { queue = "VIP" }\n'
    )
    said = differences(old, changed(tmp_path, flow=source.loads(text)))
    assert said == (
        "flow: the default queue is 'Desk', was 'General Support'",
        "flow: rule 'vip' is new",
        "flow: rule 'urgent' was changed",
    )


def test_a_rule_that_is_gone_and_an_order_that_changed(old: Bundle, tmp_path: Path) -> None:
    """The order of rules is a difference, because the first match wins."""
    head, urgent, billing = FLOW.split("[[rule]]")
    swapped = "[[rule]]".join([head, billing, urgent])
    said = differences(old, changed(tmp_path, flow=source.loads(swapped)))
    assert said == ("flow: the rules come in another order: billing, urgent",)
    gone = changed(tmp_path / "b", flow=source.loads("[[rule]]".join([head, urgent])))
    assert "flow: rule 'billing' is gone" in differences(old, gone)


def test_desk_policy_and_data_are_named(old: Bundle, tmp_path: Path) -> None:
    """Dotted keys, old and new values."""
    made = desk.loads(DESK.replace("4 business hours", "2 business hours").replace("cut_off_hours = 12", ""))
    model = small_model()
    priced = model.with_policy(Policy(model.classes, thresholds={"billing": 0.9}))
    said = differences(old, changed(tmp_path, desk=made, model=priced, training={"sha256": "1" * 64}))
    assert "desk: sla.target is '2 business hours', was '4 business hours'" in said
    assert "desk: ack.cut_off_hours is not set, was 12" in said
    assert f"classifier: {priced.id}, was {model.id}" in said
    assert "classifier's policy: thresholds.billing is 0.9, was not set" in said
    assert any(sentence.startswith("training sha256 is '1111") for sentence in said)


def test_a_model_that_is_gone_is_said(old: Bundle, tmp_path: Path) -> None:
    """From a classifier to rules alone."""
    assert f"classifier: none, was {small_model().id}" in differences(old, changed(tmp_path, model=None))
