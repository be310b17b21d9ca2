"""What the linter says of flows that read without a fault."""

from __future__ import annotations

import pytest

from mailml.flow import Flow, ready, source
from mailml.flow.lint import Finding, lint
from mailml.verdict import Identity
from tests.growth import cpu

DESK = Identity(
    addresses=frozenset({"support@acme.example"}),
    domains=frozenset({"acme.example"}),
    authserv_ids=frozenset({"mx.acme.example"}),
)


def flow(*rules: tuple[str, str]) -> Flow:
    """A flow of (when, then) rules, named r0, r1, …"""
    toml = "".join(
        f"[[rule]]\nname = 'r{n}'\nwhen = {when}\nthen = {then}\n" for n, (when, then) in enumerate(rules)
    )
    return source.loads(f"default = 'D'\n{toml}")


def queued(*whens: str) -> Flow:
    """A flow whose rules each go to a queue."""
    return flow(*[(when, "{ queue = 'Q' }") for when in whens])


def sorts(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Which rule got which sort of remark."""
    return [(one.rule, one.sort) for one in found]


class TestOrder:
    @pytest.mark.parametrize(
        ("earlier", "later"),
        [
            ('{ subject = { contains = "invoice" } }', '{ subject = { contains = "Invoice 4" } }'),
            ('{ subject = { contains = ["a", "b"] } }', '{ subject = { starts_with = ["xa", "xb"] } }'),
            ('{ subject = { contains = "a" } }', '{ subject = { is = "xay" }, is_reply = true }'),
            ("{ subject = { exists = true } }", '{ subject = { matches = "." } }'),
            ('{ subject = { matches = ["a", "b"] } }', '{ subject = { matches = "b" } }'),
            (
                '{ from_domain = ["a.example", "b.example"] }',
                '{ from_domain = "b.example", is_reply = true }',
            ),
            ('{ from_domain = "a.example" }', '{ from_address = "x@a.example" }'),
            ('{ from_address = { ends_with = "a.example" } }', '{ from_domain = "a.example" }'),
            ("{ size = { at_least = 10 } }", "{ size = { at_least = 11, at_most = 20 } }"),
            ("{ received.hour = { at_most = 12 } }", "{ received.hour = { is = [3, 4] } }"),
            ('{ category = "billing" }', '{ category = { is = "billing", at_least = 0.9 } }'),
            ('{ any = [{ is_reply = true }, { kind = "human" }] }', '{ kind = "human" }'),
            (
                '{ not = { subject = { contains = "a" } } }',
                '{ not = { any = [{ subject = { contains = "a" } }, { is_reply = true }] } }',
            ),
            ('{ not = { kind = "bounce" } }', '{ kind = "human" }'),
        ],
    )
    def test_a_shadowed_rule_is_proven(self, earlier: str, later: str) -> None:
        """A rule all of whose mail an earlier one takes is named with that one; the other order is fine."""
        (found,) = [one for one in lint(queued(earlier, later)) if one.sort == "shadowed"]
        assert found.rule == "r1"
        assert '"r0"' in str(found)
        assert "shadowed" not in [one.sort for one in lint(queued(later, earlier))]

    @pytest.mark.parametrize(
        ("earlier", "later"),
        [
            ('{ subject = { contains = "invoice 4" } }', '{ subject = { contains = "invoice" } }'),
            ('{ text = { contains = "a" } }', '{ text = { contains = "a", scope = "everything" } }'),
            ('{ subject = { starts_with = "a" } }', '{ subject = { contains = "a" } }'),
            ('{ subject = { contains = " a " } }', '{ subject = { contains = "x a y" } }'),
            ('{ to = "a@b.example", cc = "c@d.example" }', '{ to = "a@b.example" }'),
            ("{ size = { at_least = 11 } }", "{ size = { at_least = 10 } }"),
        ],
    )
    def test_what_is_not_proven_is_not_said(self, earlier: str, later: str) -> None:
        """Rules that may fire are left alone."""
        assert "shadowed" not in [one.sort for one in lint(queued(earlier, later))]

    @pytest.mark.parametrize(
        "later",
        [
            '{ from_domain = ["b.example", "a.example"] }',
            '{ any = [{ from_domain = "a.example" }, { from_domain = "b.example" }] }',
            '{ from_domain = ["a.example", "b.example"], is_reply = true }',
            '{ is_reply = true, any = [{ from_domain = "a.example" }, { from_address = "x@b.example" }] }',
        ],
    )
    def test_several_rules_shadow_together(self, later: str) -> None:
        """What two earlier rules take between them is shadowed by both; one alternative more is not."""
        earlier = ['{ from_domain = "a.example" }', "{ is_reply = false }", '{ from_domain = "b.example" }']
        found = [one for one in lint(queued(*earlier, later)) if one.rule == "r3" and one.sort == "shadowed"]
        assert ['"r0" and "r2"' in str(one) for one in found] == [True]
        more = later.replace('"a.example"', '"a.example", "c.example"').replace(
            '= "a.example", "c.example"', '= ["a.example", "c.example"]'
        )
        assert "shadowed" not in [one.sort for one in lint(queued(*earlier, more)) if one.rule == "r3"]

    def test_a_rule_that_goes_on_shadows_nothing(self) -> None:
        """`continue` lets mail through."""
        going_on = flow(
            ("{}", "{ tags = ['x'], continue = true }"), ("{ is_reply = true }", "{ queue = 'Q' }")
        )
        assert lint(going_on) == ()

    def test_behind_a_rule_that_takes_all_nothing_is_reached(self) -> None:
        """Every rule after an empty condition is unreachable."""
        found = lint(queued("{}", "{ is_reply = true }", "{ kind = 'human' }"))
        assert sorts(found) == [("r1", "unreachable"), ("r2", "unreachable")]

    @pytest.mark.parametrize(
        "when",
        [
            '{ kind = "human", not = { kind = ["human", "bounce"] } }',
            '{ all = [{ from_domain = "a.example" }, { from_domain = "b.example" }] }',
            "{ size = { at_least = 10, at_most = 9 } }",
            '{ subject = { exists = false, contains = "x" } }',
            "{ is_reply = true, all = [{ is_reply = false }] }",
            "{ not = {} }",
            '{ kind = "own_loop" }',
            '{ kind = ["report", "own_loop"], is_reply = true }',
        ],
    )
    def test_rules_that_can_never_fire(self, when: str) -> None:
        """A rule that contradicts itself, or asks for mail that never gets here, is named."""
        assert ("r0", "never") in sorts(lint(queued(when)))

    def test_values_that_may_meet_do_not_contradict(self) -> None:
        """A field with several values may be both."""
        assert lint(queued('{ all = [{ to = "a@b.example" }, { to = "c@d.example" }] }')) == ()


class TestTrust:
    @pytest.mark.parametrize(
        ("when", "forgeable"),
        [
            ('{ from_domain = "a.example" }', True),
            ('{ from_address = { ends_with = "@a.example" } }', True),
            ('{ header.From = { contains = "a.example" } }', True),
            ('{ any = [{ from_domain = "a.example" }, { subject = "x" }] }', True),
            ('{ any = [{ from_domain = "a.example", authenticated = true }, { subject = "x" }] }', False),
            ('{ from_domain = "a.example", authenticated = true }', False),
            ('{ from_domain = "a.example", authenticated = false }', True),
            ('{ not = { from_domain = "a.example" } }', False),
            ("{ from_domain = { exists = true } }", False),
        ],
    )
    def test_a_sender_without_proof_is_forgeable(self, when: str, forgeable: bool) -> None:
        """Whoever asks for a sender must ask `authenticated` on the same path."""
        assert (("r0", "forgeable") in sorts(lint(queued(when)))) is forgeable

    def test_nothing_is_authenticated_where_no_server_is_trusted(self) -> None:
        """A rule that needs proof is useless at a desk that names no server."""
        rules = queued("{ authenticated = true }")
        assert sorts(lint(rules, Identity())) == [("r0", "never")]
        assert lint(rules, DESK) == ()

    def test_headers_that_cost_customers_their_answer(self) -> None:
        """X-Auto-Response-Suppress and filing by any header of an outsider are named."""
        found = sorts(lint(ready.load("guide"), DESK))
        assert found == [
            ("suppress: X-Auto-Response-Suppress exists", "suppress"),
            ("suppress: Auto-Submitted is auto-replied", "hides"),
        ]
        acked = flow(("{ header.x-auto-response-suppress = 'OOF' }", "{ queue = 'Q', ack = false }"))
        assert sorts(lint(acked)) == [("r0", "suppress")]

    def test_our_own_domain(self) -> None:
        """A rule for our own domain catches colleagues, and is told so."""
        found = sorts(lint(queued('{ from_domain = "acme.example", authenticated = true }'), DESK))
        assert found == [("r0", "own")]


class TestReading:
    def test_quoted_history(self) -> None:
        """A text condition over everything may fire on what we wrote ourselves."""
        assert sorts(lint(queued('{ text = { contains = "x", scope = "everything" } }'))) == [
            ("r0", "quoted")
        ]

    def test_categories_that_nobody_gives(self) -> None:
        """A class the classifier does not know is named, with those it knows."""
        found = lint(ready.load("default"), DESK, categories=["billing", "sales"])
        assert sorts(found) == [("technical", "category")]
        assert "billing, sales" in str(found[0])

    def test_a_rule_that_does_nothing(self) -> None:
        """A rule that changes nothing and goes on is idle."""
        assert sorts(lint(flow(("{ is_reply = true }", "{ continue = true }")))) == [("r0", "idle")]

    def test_the_default_flow_is_clean(self) -> None:
        """Nothing is to be said of the flow that mailml starts with."""
        assert lint(ready.load("default"), DESK, categories=["billing", "technical", "general"]) == ()

    def test_a_very_long_flow_costs_what_its_length_costs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each rule is compared with the nearest before it only: beyond those, time grows with the length."""
        monkeypatch.setattr("mailml.flow.lint._MOST_PAIRS", 50)
        rules = queued(
            *[f'{{ subject = {{ contains = "word{n}x" }}, is_reply = true }}' for n in range(800)]
        ).rules
        times = [cpu(lint, Flow(rules[:many], "D")) for many in (200, 800)]
        assert times[1] / times[0] < 9  # 4.5 if linear with its short start, 20 if quadratic
