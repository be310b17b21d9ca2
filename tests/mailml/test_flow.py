"""What each field and operator means, in what order rules are asked, and what the trace says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from mailml.flow import Facts, Flow, Rule, Then, ready, source
from mailml.flow.conditions import FIELDS, OPERATORS, spec_of
from mailml.flow.flow import STOP
from mailml.flow.folding import fold, fold_expected
from mailml.message import parse
from mailml.text import own_words
from mailml.verdict import Category, Kind, RuleTrace, Test
from tests.growth import cpu, growth

MAIL = """\
From: Ann <Ann@Mail.Customer.example>
To: Support <support@acme.example>, billing@acme.example
Cc: boss@customer.example
Subject: =?utf-8?q?Rechnung_f=C3=BCr_Stra=C3=9Fe?= [URGENT]
X-Mailer: Mutt/2.2
X-Tag: one
X-Tag: two
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

I want my money back for credit
note number 4711, please.
Thank you

On Monday, Bob <bob@acme.example> wrote:
> Did you try the password reset?
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="Invoice 4711.PDF"

xx
--b--
"""


def facts(mail: str = MAIL, **more: Any) -> Facts:
    """The facts of a mail."""
    message = parse(mail.replace("\n", "\r\n").encode())
    return Facts(message, own_words(message), **more)


def flow(*rules: str) -> Flow:
    """A flow of rules, each given as its `when` table, named r0, r1, …, each with a queue of its own."""
    toml = "".join(
        f"[[rule]]\nname = 'r{n}'\nwhen = {when}\nthen = {{ queue = 'Q{n}' }}\n"
        for n, when in enumerate(rules)
    )
    return source.loads(f"default = 'General'\n{toml}")


def fits(when: str, of: Facts | None = None) -> bool:
    """Whether a rule with this `when` hits."""
    return flow(when).run(of or facts()).rule == "r0"


class TestFields:
    @pytest.mark.parametrize(
        ("when", "hit"),
        [
            ('{ subject = { contains = "[urgent]" } }', True),
            ('{ subject = { contains = "STRASSE" } }', True),
            ('{ subject = { starts_with = "Rechnung FÜR" } }', True),
            ('{ subject = { starts_with = "FÜR" } }', False),
            ('{ subject = { ends_with = "[URGENT]" } }', True),
            ('{ subject = { is = "rechnung für strasse [urgent]" } }', True),
            ('{ subject = "Rechnung" }', False),
            ('{ subject = { matches = "f.r" } }', True),
            ('{ subject = { matches = "RECHNUNG" } }', False),
            ('{ subject = { matches = "(?i)RECHNUNG" } }', True),
            ('{ text = { contains = "credit note" } }', True),  # the mail wraps it
            ('{ text = { matches = "credit note" } }', False),  # a pattern sees the lines
            ('{ text = { matches = "credit\\\\s+note" } }', True),
            ('{ text = { contains = "password" } }', False),  # quoted history
            ('{ text = { contains = "password", scope = "everything" } }', True),
            ('{ text = { contains = ["refund", "money back"] } }', True),
            ('{ from_address = { is = "ann@mail.customer.example" } }', True),
            ('{ from_domain = { is = "customer.example" } }', False),  # not its subdomains
            ('{ from_domain = { is = "mail.customer.example" } }', True),
            ('{ from_domain = { ends_with = ".customer.example" } }', True),
            ('{ to = { is = "billing@acme.example" } }', True),
            ('{ to = { is = "sales@acme.example" } }', False),
            ('{ cc = { contains = "boss@" } }', True),
            ('{ header.X-Mailer = { starts_with = "mutt" } }', True),
            ('{ header.x-tag = { is = "two" } }', True),
            ('{ "header.X-Tag" = { is = "three" } }', False),
            ("{ header.X-Absent = { exists = true } }", False),
            ("{ header.X-Absent = { exists = false } }", True),
            ("{ header.X-Tag = { exists = true } }", True),
            ("{ has_attachment = true }", True),
            ("{ has_attachment = false }", False),
            ('{ attachment_name = { ends_with = ".pdf" } }', True),
            ('{ attachment_name = { contains = "invoice" } }', True),
            ('{ size = { at_least = 100, at_most = "1 MB" } }', True),
            ('{ size = { at_least = "1 KB" } }', False),
            ('{ language = { is = ["en", "de"] } }', True),
            ('{ language = "fr" }', False),
            ('{ kind = "human" }', True),
            ('{ kind = ["bounce", "list_bulk"] }', False),
            ("{ is_reply = false }", True),
            ("{ authenticated = false }", True),
            ('{ mailbox = "support" }', False),
            ('{ category = { is = "billing" } }', False),
            ("{ category = { exists = false } }", True),
            ("{}", True),
        ],
    )
    def test_each_field_answers(self, when: str, hit: bool) -> None:
        """Every field and operator means what its table in the documentation says."""
        assert fits(when) is hit

    def test_received_is_on_the_desks_clock(self) -> None:
        """Hour and weekday come from the local arrival, and nothing fires without one."""
        monday = facts(received_local=datetime(2026, 3, 2, 17, 59))
        assert fits('{ received.hour = { at_least = 17 }, received.weekday = ["mon", "Tuesday"] }', monday)
        assert not fits("{ received.hour = { at_most = 16 } }", monday)
        assert not fits('{ received.weekday = { is = "sun" } }', monday)
        assert not fits("{ received.hour = { at_least = 0 } }")
        assert not fits('{ received.weekday = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }')

    def test_facts_beside_the_message(self) -> None:
        """Kind, mailbox and authentication are what the caller says they are."""
        of = facts(kind=Kind.LIST_BULK, mailbox="Support", authenticated=True)
        assert fits('{ kind = "list_bulk", mailbox = "support", authenticated = true }', of)

    def test_an_echoed_subject_is_not_read(self) -> None:
        """Behind the prefix of an automatic answer stands our own subject: rules see the prefix only."""
        mail = MAIL.replace(
            "=?utf-8?q?Rechnung_f=C3=BCr_Stra=C3=9Fe?= [URGENT]", "Automatic reply: [URGENT] x"
        )
        echo = facts(mail, echoes_subject=True)
        assert not fits('{ subject = { contains = "[URGENT]" } }', echo)
        assert fits('{ subject = "automatic reply" }', echo)
        assert fits('{ subject = { contains = "[URGENT]" } }', facts(mail))

    def test_a_mail_without_anything(self) -> None:
        """A mail that lacks every field answers no, and yes to `exists = false`."""
        empty = facts("\n")
        for field in (
            "subject",
            "text",
            "from_address",
            "from_domain",
            "to",
            "cc",
            "attachment_name",
            "language",
        ):
            assert fits(f"{{ {field} = {{ exists = false }} }}", empty), field
            assert not fits(f"{{ {field} = {{ exists = true }} }}", empty), field
            probe = "xx" if field == "language" else "x"
            assert not fits(f'{{ {field} = {{ is = "{probe}" }} }}', empty), field

    def test_every_field_and_operator_is_described(self) -> None:
        """Names, types and sentences are complete, and a header is a field by any name."""
        assert set(OPERATORS) == {o for spec in FIELDS.values() for o in spec.operators}
        assert all(spec.what for spec in FIELDS.values())
        assert spec_of("header.X-Anything") is FIELDS["header.NAME"]
        assert spec_of("headers") is None


class TestCategory:
    def test_it_is_asked_at_most_once_and_only_when_needed(self) -> None:
        """Rules that miss before it never ask the classifier; five that do ask it once."""
        asked = []

        def classify() -> Category:
            asked.append(1)
            return Category("technical", 0.7)

        flow('{ from_domain = "x.example", category = "billing" }').run(facts(category=classify))
        assert asked == []
        outcome = flow(*['{ category = "billing" }'] * 5).run(facts(category=classify))
        assert (len(asked), outcome.queue) == (1, "General")

    @pytest.mark.parametrize(
        ("when", "hit"),
        [
            ('{ category = { is = "billing", at_least = 0.8 } }', True),
            ('{ category = { is = "Billing", at_least = 0.9 } }', False),
            ('{ category = { is = ["billing", "technical"] } }', True),
            ("{ category = { at_most = 0.5 } }", False),
            ("{ category = { exists = true } }", True),
            ('{ not = { category = "technical" } }', True),
        ],
    )
    def test_thresholds_per_rule(self, when: str, hit: bool) -> None:
        """A rule may ask for a class, and for how probable it must be."""
        assert fits(when, facts(category=lambda: Category("billing", 0.85))) is hit

    def test_an_abstention_is_never_a_class(self) -> None:
        """When the classifier cannot tell, every question about it says no, and the trace says why."""
        of = facts(category=lambda: Category(None, 0.4, reason="too close to call"))
        for when in ('"billing"', "{ at_least = 0.0 }", "{ at_most = 1 }", "{ exists = true }"):
            outcome = flow(f"{{ category = {when} }}").run(of)
            assert outcome.rule == "default"
            assert outcome.trace[0].tests[0].found == "abstained: too close to call"


class TestGroups:
    @pytest.mark.parametrize(
        ("when", "hit"),
        [
            ('{ all = [{ has_attachment = true }, { subject = { contains = "urgent" } }] }', True),
            ('{ all = [{ has_attachment = true }, { subject = { contains = "xyz" } }] }', False),
            ('{ any = [{ has_attachment = false }, { subject = { contains = "urgent" } }] }', True),
            ("{ any = [{ has_attachment = false }, { is_reply = true }] }", False),
            ("{ not = { has_attachment = true } }", False),
            ("{ not = { not = { has_attachment = true } } }", True),
            ("{ not = { any = [{ is_reply = true }, { has_attachment = false }] } }", True),
            ("{ not = { all = [{ has_attachment = true }, { is_reply = true }] } }", True),
            ('{ has_attachment = true, any = [{ kind = "human" }], not = { is_reply = true } }', True),
        ],
    )
    def test_all_any_and_not_nest(self, when: str, hit: bool) -> None:
        """Groups combine questions as their names say."""
        assert fits(when) is hit

    def test_under_not_each_test_is_turned_round(self) -> None:
        """The trace of a `not` reads as it was decided, test by test, up to the one that settled it."""
        (trace,) = (
            flow("{ not = { any = [{ is_reply = true }, { has_attachment = true }] } }").run(facts()).trace
        )
        assert [(t.field, t.operator, t.found, t.hit) for t in trace.tests] == [
            ("is_reply", "not is", "false", True),
            ("has_attachment", "not is", "true", False),
        ]
        assert not trace.hit

    def test_questions_stop_at_the_one_that_decides(self) -> None:
        """Of three parts of an `all`, the third is not asked when the second says no."""
        (trace,) = flow("{ has_attachment = true, is_reply = true, authenticated = true }").run(facts()).trace
        assert [t.field for t in trace.tests] == ["has_attachment", "is_reply"]


class TestOrder:
    def test_the_first_match_wins_and_later_rules_are_not_tried(self) -> None:
        """The trace ends with the rule that decided, and says so."""
        outcome = flow("{ is_reply = true }", "{}", "{}").run(facts())
        assert (outcome.queue, outcome.rule) == ("Q1", "r1")
        assert [t.rule for t in outcome.trace] == ["r0", "r1"]
        assert outcome.trace[-1] == RuleTrace("r1", True, (), f'queue "Q1"; {STOP}')

    def test_nothing_fits_and_the_default_takes_it(self) -> None:
        """The default queue takes what no rule places, with every rule in the trace as a miss."""
        outcome = flow("{ is_reply = true }", "{ has_attachment = false }").run(facts())
        assert (outcome.queue, outcome.rule, outcome.priority) == ("General", "default", 0)
        assert [t.hit for t in outcome.trace] == [False, False]

    def test_continue_collects_and_the_last_word_counts(self) -> None:
        """What a rule that goes on set stands until a later one sets it again; tags add up."""
        built = source.loads("""
            default = "General"
            [[rule]]
            name = "vip"
            when = {}
            then = { tags = ["vip"], priority = 20, sla = "1 hour", ack = "vip", continue = true }
            [[rule]]
            name = "quiet"
            when = {}
            then = { queue = "A", priority = 5, tags = ["vip", "quiet"], ack = false, continue = true }
            [[rule]]
            name = "last"
            when = { has_attachment = true }
            then = { queue = "B", tags = ["file"] }
            [[rule]]
            name = "never"
            when = {}
            then = { queue = "C" }
        """)
        outcome = built.run(facts())
        assert (outcome.queue, outcome.rule, outcome.priority, outcome.sla) == ("B", "last", 5, "1 hour")
        assert outcome.tags == ("vip", "quiet", "file")
        assert (outcome.ack, outcome.ack_template) == (False, "")
        assert [t.rule for t in outcome.trace] == ["vip", "quiet", "last"]
        assert outcome.trace[0].then == 'priority 20, tags vip, ack "vip", sla "1 hour"; go on'

    def test_a_queue_set_on_the_way_stands_when_nothing_follows(self) -> None:
        """A rule that goes on may name the queue; without a later one it is not the default's."""
        built = Flow((Rule("a", then=Then(queue="A"), continue_=True),), "General")
        assert (built.run(facts()).queue, built.run(facts()).rule) == ("A", "a")

    def test_filing_takes_the_place_of_a_queue(self) -> None:
        """A rule that files names the folder and leaves no queue, whatever an earlier rule said."""
        rules = (Rule("a", then=Then(queue="A"), continue_=True), Rule("f", then=Then(file="Automated/X")))
        outcome = Flow(rules, "General").run(facts())
        assert (outcome.queue, outcome.file, outcome.rule) == ("", "Automated/X", "f")

    def test_an_empty_flow_sends_all_to_the_default(self) -> None:
        """A flow without rules is a working flow."""
        assert source.loads('default = "General"').run(facts()).queue == "General"

    def test_two_thousand_rules_work(self) -> None:
        """A flow of 2,000 rules reads, runs, traces each of them, and costs what its length costs."""
        built = flow(*[f'{{ text = {{ contains = "word{n} is" }} }}' for n in range(2_000)])
        outcome = built.run(facts(MAIL.replace("money back", "word1999 is back")))
        assert (outcome.rule, len(outcome.trace)) == ("r1999", 2_000)
        mail, quarter = facts(), Flow(built.rules[:500], "General")
        times = [cpu(lambda one: [one.run(mail) for _ in range(10)], one) for one in (quarter, built)]
        assert times[1] / max(times[0], 1e-4) < 9


class TestTrace:
    def test_a_test_says_what_was_asked_and_found(self) -> None:
        """Field, operator, expected and found values stand in the trace, for hits and misses."""
        outcome = flow('{ from_domain = ["a.example", "b.example"] }').run(facts())
        assert outcome.trace[0].tests == (
            Test("from_domain", "is", '"a.example" or "b.example"', "mail.customer.example", False),
        )

    def test_found_values_are_cut(self) -> None:
        """A found value never has more than 120 characters or a line break."""
        mail = MAIL.replace(
            "Cc: boss@customer.example", "Cc: " + ", ".join(f"p{n}@c.example" for n in range(99))
        )
        mail = mail.replace("I want my money back", "I want " + "very much " * 99 + "my money back")
        conditions = ('{ cc = "x" }', '{ text = { contains = "money" } }')
        for when in (*conditions, '{ text = { matches = "(?s)want.*money" } }', '{ cc = { matches = "p" } }'):
            (test,) = flow(when).run(facts(mail)).trace[0].tests
            assert 0 < len(test.found) <= 120
            assert "\n" not in test.found

    def test_a_miss_in_the_text_does_not_store_the_mail(self) -> None:
        """The customer's text stands in a trace only around a hit."""
        misses = flow('{ text = { contains = "xyz" } }', '{ text = { matches = "xyz" } }').run(facts())
        assert [trace.tests[0].found for trace in misses.trace] == ["", ""]
        hit = flow('{ text = { contains = "money back" } }').run(facts())
        assert hit.trace[0].tests[0].found.startswith("i want my money back for credit note")

    def test_remembered_traces_are_those_of_this_message(self) -> None:
        """After many other messages a flow says of one exactly what a fresh flow says."""
        conditions = (
            '{ subject = { contains = "x17x" } }',
            '{ subject = { contains = "zz" } }',
            "{ is_reply = true }",
        )
        used = flow(*conditions)
        for n in range(200):
            mail = MAIL.replace("[URGENT]", f"x{n}x")
            assert used.run(facts(mail)) == flow(*conditions).run(facts(mail))


class TestText:
    @pytest.mark.parametrize(
        ("text", "folded"),
        [
            ("  Credit\r\n\t NOTE ", "credit note"),
            ("Straße", "strasse"),
            ("ＦＵＬＬ\u00a0ｗｉｄｔｈ", "full width"),
            ("u\u0308ber", "über"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("ﬁne\u2028line", "fine line"),
            ("a\x85b\vc\fd", "a b c d"),
            ("½ µm", "1⁄2 μm"),
            ("", ""),
            (" \n ", ""),
        ],
    )
    def test_folding(self, text: str, folded: str) -> None:
        """One meaning of text: NFKC, case-folded, white space one blank."""
        assert fold(text) == folded

    def test_blanks_at_the_edge_of_what_is_expected_count(self) -> None:
        """ " ai " is a word of its own: at the ends of the text too, and never inside "mail"."""
        assert fold_expected(" AI\n") == " ai "
        assert fits('{ subject = { contains = " ai " } }', facts("Subject: AI\n\nx"))
        assert fits('{ subject = { contains = " ai " } }', facts("Subject: our AI bot\n\nx"))
        assert not fits('{ subject = { contains = " ai " } }', facts("Subject: mail\n\nx"))
        assert fits('{ subject = { starts_with = "Re " } }', facts("Subject: re bill\n\nx"))
        assert not fits('{ subject = { starts_with = "Re " } }', facts("Subject: refund\n\nx"))
        assert fits('{ subject = { ends_with = " bill" } }', facts("Subject: bill\n\nx"))

    def test_classes_of_patterns_are_ascii(self) -> None:
        r"""`\d` and `\b` keep RE2's meaning, the same one that the columns of an archive get."""
        assert not fits(r"{ subject = { matches = '\d' } }", facts("Subject: =?utf-8?q?=D9=A3?=\n\nx"))
        assert fits(r"{ subject = { matches = '\bber' } }", facts("Subject: =?utf-8?q?=C3=BCber?=\n\nx"))

    def test_patterns_see_composed_text(self) -> None:
        """A decomposed umlaut is found by a pattern with a composed one."""
        assert fits('{ subject = { matches = "über" } }', facts("Subject: =?utf-8?q?u=CC=88ber?=\n\nx"))

    def test_hostile_patterns_and_text_are_linear(self) -> None:
        """The pattern that hangs a backtracking engine takes four times as long for four times the text."""

        def look(text: str) -> None:
            assert not fits('{ subject = { matches = "^(a+)+$" } }', facts(f"Subject: {text}!\n\nx"))

        assert growth(look, "a" * 50_000) < 9


class TestQuestionsAboutTheFlow:
    def test_queues_folders_fields_and_categories(self) -> None:
        """A flow tells where it sends, what it reads and which categories it knows."""
        built = ready.load("guide")
        assert built.queues() == (
            "Priority Support",
            "Enterprise Support",
            "Billing",
            "Tech Support",
            "General Support",
        )
        assert built.folders() == ("Automated/Suppressed",)
        assert built.categories() == ("billing", "technical")
        assert built.asks("category")
        assert built.asks("header")
        assert built.asks("header.Auto-Submitted")
        assert not built.asks("language")


class TestReady:
    def mail(self, head: str, **more: Any) -> Facts:
        return facts(f"{head}\n\nHello", **more)

    @pytest.mark.parametrize("name", ["default", "guide"])
    @pytest.mark.parametrize(
        ("head", "more", "queue", "priority"),
        [
            ("Subject: [Urgent] down", {}, "Priority Support", 10),
            ("From: a@enterprise-client.com", {"authenticated": True}, "Enterprise Support", 0),
            ("From: a@enterprise-client.com", {}, "General Support", 0),  # anybody can write that
            ("From: a@x.enterprise-client.com", {"authenticated": True}, "General Support", 0),
            ("Subject: x", {"category": lambda: Category("billing", 0.9)}, "Billing", 0),
            ("Subject: x", {"category": lambda: Category("technical", 0.9)}, "Tech Support", 0),
            ("Subject: x", {"category": lambda: Category(None)}, "General Support", 0),
        ],
    )
    def test_the_ready_flows_route(
        self, name: str, head: str, more: dict[str, Any], queue: str, priority: int
    ) -> None:
        """Urgent first, then genuine enterprises, then the classifier, then the default."""
        outcome = ready.load(name).run(self.mail(head, **more))
        assert (outcome.queue, outcome.priority) == (queue, priority)

    @pytest.mark.parametrize(
        ("head", "filed"),
        [
            ("X-Auto-Response-Suppress: OOF", True),
            ("Auto-Submitted: auto-replied", True),
            ("Auto-Submitted: auto-generated", False),
            ("Subject: Delivery Status Notification (Failure)", True),
            ("Subject: A Delivery Status Notification", False),
        ],
    )
    def test_the_guides_three_rules_are_literal(self, head: str, filed: bool) -> None:
        """The guide flow files by its three rules and nothing else; the default flow files nothing."""
        assert bool(ready.load("guide").run(self.mail(head)).file) is filed
        assert not ready.load("default").run(self.mail(head)).file

    def test_unknown_names_are_refused(self) -> None:
        """A flow that does not come with mailml is refused, naming those that do."""
        assert ready.names() == ("default", "guide")
        with pytest.raises(Exception, match="default, guide"):
            ready.load("nonsense")
