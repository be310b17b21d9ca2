"""Laws of a changed file: it reads as the changed flow, and what was not changed is still there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.flow import Ask, Flow, Rule, Then, ready, source
from mailml.flow.editing import rewrite
from tests.laws import flows as made

pytest.importorskip("tomlkit")
FILE = """\
# The desk's rules.  Ask Ann before you change them.

default = "General"   # the last resort

# --- urgent things ---

# Monday's meeting wanted this one first
[[rule]]
name = "urgent"
when = { subject = { contains = "[URGENT]" } }   # in any case
then = { queue = "Priority", priority = 10 } # ten minutes

[[rule]]
name  =  'enterprise'
# a condition over several lines
when = { all = [
    { from_domain = "client.example" }, # their domain
    { authenticated = true },
] }
then = { queue = "Enterprise" }
[[rule]]
name = "billing"
[rule.when]
category = { is = "billing" }
[rule.then]
queue = "Billing" # as long as they take it

# the end
"""
SPACES = st.sampled_from(["", "\n", "# a remark\n", "\n# one: [[rule]] in a comment\n\n"])


def commented(flow: Flow, remarks: list[str]) -> str:
    """The file of a flow with remarks between its rules, each with a number of its own."""
    head, *blocks = source.dumps(flow).split("[[rule]]\n")
    parts = [head]
    for n, block in enumerate(blocks):
        remark = remarks[n % len(remarks)].replace("remark", f"remark {n}")
        parts.append(f"{remark}[[rule]]\n{block}")
    return "".join(parts)


@settings(max_examples=120, deadline=None)
@given(
    made.flows(5), st.lists(SPACES, min_size=1, max_size=3), st.randoms(use_true_random=False), made.flows(2)
)
def test_any_change_reads_back(flow: Flow, remarks: list[str], rng: object, other: Flow) -> None:
    """Whatever is removed, added, moved, renamed or changed, the new file reads as the new flow."""
    toml = commented(flow, remarks)
    assert rewrite(toml, flow) == toml
    rules = list(flow.rules)
    rng.shuffle(rules)  # type: ignore[attr-defined]
    rules = [*rules[: len(rules) - len(rules) // 3], *(replace(r, name=f"new {r.name}") for r in other.rules)]
    if rules:
        rules[0] = replace(rules[0], when=Ask("subject", "contains", ("x",)))
        rules[-1] = replace(rules[-1], name="quite another name")
    wanted = Flow(tuple(rules), other.default)
    assert source.loads(rewrite(toml, wanted)) == wanted


@settings(max_examples=80, deadline=None)
@given(made.flows(6), st.lists(SPACES, min_size=1, max_size=3), st.data())
def test_unchanged_rules_keep_their_bytes(flow: Flow, remarks: list[str], data: st.DataObject) -> None:
    """After one rule was changed, every line of the other rules and every remark is still there, in order."""
    if not flow.rules:
        return
    toml = commented(flow, remarks)
    n = data.draw(st.integers(0, len(flow.rules) - 1))
    rules = list(flow.rules)
    rules[n] = replace(rules[n], then=Then("Quite another queue"), continue_=False)
    new = rewrite(toml, Flow(tuple(rules), flow.default))
    pairs = list(zip(toml.split("\n"), new.split("\n"), strict=True))
    assert sum(one != two for one, two in pairs) <= 1


class TestByHand:
    flow = source.loads(FILE)

    def changed(self, n: int, **values: object) -> Flow:
        rules = list(self.flow.rules)
        rules[n] = replace(rules[n], **values)  # type: ignore[arg-type]
        return Flow(tuple(rules), self.flow.default)

    def test_one_value_is_one_line(self) -> None:
        """Only the line of the changed key differs, and the remark behind it stays."""
        new = rewrite(FILE, self.changed(0, then=Then("Priority", 20)))
        pairs = list(zip(FILE.splitlines(), new.splitlines(), strict=True))
        assert [two for one, two in pairs if one != two] == [
            'then = { queue = "Priority", priority = 20 } # ten minutes'
        ]

    def test_the_default_keeps_its_remark(self) -> None:
        """A changed default is one changed line."""
        new = rewrite(FILE, Flow(self.flow.rules, "Triage"))
        assert new == FILE.replace('"General"', '"Triage"')

    def test_rules_move_with_their_comments(self) -> None:
        """A rule that is moved takes along the comment right above it; section comments stay."""
        urgent, enterprise, billing = self.flow.rules
        new = rewrite(FILE, Flow((enterprise, billing, urgent), self.flow.default))
        assert sorted(new.splitlines()) == sorted(FILE.splitlines())
        assert new.index("Monday's meeting") > new.index("as long as they take it")
        assert new.endswith("# the end\n")

    def test_a_rule_is_removed_with_its_comment(self) -> None:
        """Nothing but the block of the rule is gone."""
        new = rewrite(FILE, Flow(self.flow.rules[1:], self.flow.default))
        start, end = FILE.index("# Monday"), FILE.index("[[rule]]\nname  =  'ent")
        assert new == FILE[:start] + FILE[end:]

    def test_a_rule_is_added(self) -> None:
        """A new rule is one more block, and the rest is as it was."""
        more = Rule("new", Ask("is_reply", "is", (True,)), Then("Replies"))
        new = rewrite(FILE, Flow((*self.flow.rules, more), self.flow.default))
        assert set(FILE.splitlines()) <= set(new.splitlines())
        assert source.loads(new).rules[-1] == more

    def test_sub_tables_are_changed_too(self) -> None:
        """A rule whose condition is a table of its own reads as the changed rule."""
        wanted = self.changed(2, when=Ask("category", "is", ("technical",)))
        assert source.loads(rewrite(FILE, wanted)) == wanted

    def test_a_renamed_rule_keeps_its_comments(self) -> None:
        """A name is one changed line."""
        new = rewrite(FILE, self.changed(0, name="very urgent"))
        assert new == FILE.replace('name = "urgent"', 'name = "very urgent"')

    def test_windows_line_ends_stay(self) -> None:
        """A file with CR LF keeps them in everything that is not written anew."""
        toml = FILE.replace("\n", "\r\n")
        new = rewrite(toml, self.changed(0, then=Then("Priority", 20)))
        assert new == toml.replace("priority = 10", "priority = 20")

    def test_ready_flows_keep_their_words(self) -> None:
        """The ready flow with one more rule still explains itself."""
        text, flow = ready.text("default"), ready.load("default")
        more = Rule("vip", Ask("from_domain", "is", ("vip.example",)), Then("VIP"))
        new = rewrite(text, Flow((more, *flow.rules), flow.default))
        assert set(text.splitlines()) <= set(new.splitlines())
        assert source.loads(new).rules[0] == more

    def test_a_file_of_another_shape_is_written_anew(self) -> None:
        """Rules in an inline list are a valid flow, and a changed one is written in the usual shape."""
        toml = 'default = "D"\nrule = [{ name = "a", when = {}, then = { queue = "A" } }]\n'
        wanted = Flow((Rule("b", then=Then("B")),), "D")
        assert rewrite(toml, wanted) == source.dumps(wanted)
