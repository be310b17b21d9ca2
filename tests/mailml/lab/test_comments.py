"""A flow written back keeps what people wrote: comments, spelling, order of keys; and always is the flow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.flow import Ask, Flow, Rule, Then, source
from mailml.lab.panels.comments import rewritten
from tests.laws.flows import flows

SAVED = """\
# Who to ask: Anna.
default = "General Support"   # everything else

# Urgent first; see the contract, section 4.
[[rule]]
name = 'urgent'
when = { subject = { contains = [
    "[URGENT]",   # as the form writes it
    "[DRINGEND]",
] } }
then = { queue = "Priority Support", priority = 10 } # minutes

# Asked for by sales in May.
[[rule]]
name = "enterprise"
when = { from_domain = { is = "enterprise-client.com" } }
then = { queue = "Enterprise Support" }
"""


def test_nothing_changes_where_nothing_changed() -> None:
    """The same flow gives the same text, to the letter."""
    assert rewritten(SAVED, source.loads(SAVED)) == SAVED


def test_a_moved_rule_takes_its_comments_along() -> None:
    """Order changes, words do not."""
    flow = source.loads(SAVED)
    text = rewritten(SAVED, Flow(flow.rules[::-1], flow.default))
    assert source.loads(text).rules == flow.rules[::-1]
    for line in SAVED.splitlines():
        assert line in text
    assert text.index("# Asked for by sales") < text.index("# Urgent first")


def test_only_what_changed_is_written_anew() -> None:
    """Another priority leaves the condition with its comments; another condition the outcome."""
    flow = source.loads(SAVED)
    first = replace(flow.rules[0], then=replace(flow.rules[0].then, priority=20))
    text = rewritten(SAVED, Flow((first, flow.rules[1]), flow.default))
    assert source.loads(text).rules[0].then.priority == 20
    assert '"[URGENT]",   # as the form writes it' in text
    assert "# Urgent first" in text
    second = replace(flow.rules[1], when=Ask("subject", "is", ("x",)))
    text = rewritten(SAVED, Flow((flow.rules[0], second), flow.default))
    assert "# Asked for by sales in May." in text
    assert source.loads(text).rules[1] == second


def test_rules_come_go_and_are_renamed() -> None:
    """A new rule is added, one that goes takes its comments with it, a new name keeps the rest."""
    flow = source.loads(SAVED)
    fresh = Rule("money", Ask("subject", "contains", ("invoice",)), Then("Billing"))
    renamed = replace(flow.rules[0], name="very urgent")
    text = rewritten(SAVED, Flow((renamed, fresh), "Elsewhere"))
    assert source.loads(text) == Flow((renamed, fresh), "Elsewhere")
    assert "# Urgent first" in text
    assert "by sales" not in text
    assert "# Who to ask: Anna." in text


OTHER = ["", "rule = []\n", 'default = "a"\nrule = [{ name = "x" }]\n', "= broken", "[[rule]]\n"]


@pytest.mark.parametrize("saved", OTHER)
def test_a_file_of_another_shape_is_written_from_scratch(saved: str) -> None:
    """Whatever stood there, what is written is the flow."""
    flow = source.loads(SAVED)
    assert source.loads(rewritten(saved, flow)) == flow


@settings(max_examples=60, deadline=None)
@given(before=flows(), after=flows(), data=st.data())
def test_it_is_always_the_flow(before: Flow, after: Flow, data: st.DataObject) -> None:
    """From any flow to any other, rules kept, changed, moved or gone: what is written is the new one."""
    some = st.lists(st.sampled_from(before.rules), unique_by=lambda rule: rule.name)
    kept = data.draw(some) if before.rules else []
    names = {rule.name for rule in kept}
    mixed = Flow((*kept, *(rule for rule in after.rules if rule.name not in names)), after.default)
    assert source.loads(rewritten(source.dumps(before), mixed)) == mixed
