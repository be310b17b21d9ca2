"""What an archive adds to the linter: counted against the mail itself, and what it cannot know said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.flow import source
from mailml.flow.conditions import AnyOf, Ask, Not
from mailml.flow.lint import Finding
from mailml.lab.lint_archive import Linted, own_words_only
from mailml.lab.reaching import reaching
from mailml.lab.replay import replay
from tests.mailml.lab.trained import trained

HEAD = 'default = "General Support"\n'


def rule(name: str, when: str, then: str = 'queue = "Billing"') -> str:
    """A rule as TOML."""
    return f'[[rule]]\nname = "{name}"\nwhen = {when}\nthen = {{ {then} }}\n'


def linted(archive: Archive, bundle: Bundle, *rules: str) -> Linted:
    """What is remarkable about these rules."""
    return lab.lint(bundle, archive, HEAD + "".join(rules))


def only(found: Linted, name: str, sort: str) -> Finding:
    """The one remark of this sort about a rule."""
    (one,) = [finding for finding in found.findings if (finding.rule, finding.sort) == (name, sort)]
    return one


def test_a_rule_that_never_fires(mailbox: Archive, plain_bundle: Bundle) -> None:
    """It is named, with the question that no message answers with yes; a proven one is not named twice."""
    made = linted(
        mailbox,
        plain_bundle,
        rule("never here", '{ from_domain = "nobody.example", is_reply = true, authenticated = true }'),
        rule("never", "{ is_reply = true, not = { is_reply = true } }"),
    )
    assert "no message fits it: none has from_domain is 'nobody.example'" in str(
        only(made, "never here", "unused")
    )
    assert [one.sort for one in made.findings if one.rule == "never"] == ["never"]
    assert len(made.wrong) == 2


def test_a_rule_whose_mail_others_take(mailbox: Archive, plain_bundle: Bundle) -> None:
    """Not provable, but so on this archive: the takers are named with their share, the greediest first."""
    made = linted(
        mailbox,
        plain_bundle,
        rule("small", "{ size = { at_most = 1500 } }"),
        rule("goes on", "{}", 'tags = ["x"], continue = true'),
        rule("large", "{ size = { at_least = 1000 } }"),
        rule("late", '{ subject = { exists = true }, kind = "human" }'),
    )
    one = only(made, "late", "taken")
    fits = reaching(mailbox, plain_bundle).batch.hits(
        source.loads(HEAD + rule("r", '{ subject = { exists = true }, kind = "human" }'))
    )["r"]
    sizes = reaching(mailbox, plain_bundle).messages["size"].to_numpy()[fits]
    small = int((sizes <= 1500).sum())
    assert one.what == (
        f'all {len(sizes)} messages it fits are taken before it: "large" takes {len(sizes) - small}, '
        f'"small" takes {small}'
    )
    assert not [finding for finding in made.findings if finding.rule == "goes on"]


def test_what_is_proven_gets_its_count(mailbox: Archive, plain_bundle: Bundle) -> None:
    """A rule that is provably shadowed says how much it fits here; nothing else is said of it."""
    made = linted(
        mailbox,
        plain_bundle,
        rule("all replies", "{ is_reply = true }"),
        rule("some replies", "{ is_reply = true, has_attachment = false }", 'queue = "Tech Support"'),
    )
    (one,) = [finding for finding in made.findings if finding.rule == "some replies"]
    assert one.sort == "shadowed"
    assert "messages and decides none" in one.proof


def test_a_rule_that_is_always_overruled(mailbox: Archive, plain_bundle: Bundle) -> None:
    """What goes on and is placed elsewhere every time places nothing."""
    made = linted(
        mailbox,
        plain_bundle,
        rule("first", "{ is_reply = true }", 'queue = "Tech Support", continue = true'),
        rule("last", "{}"),
    )
    assert "placed elsewhere by a later rule" in str(only(made, "first", "overridden"))
    assert "this rule wins" in only(made, "last", "contradict").what


def test_rules_that_contradict(mailbox: Archive, plain_bundle: Bundle) -> None:
    """Who is right is counted; only where the rule that loses is right more often something is wrong."""
    money = rule("money", '{ text = { contains = ["invoice", "Rechnung", "refund", "facture"] } }')
    broken = rule("any", "{}", 'queue = "Tech Support"')
    good = linted(mailbox, plain_bundle, money, broken)
    one = only(good, "any", "contradict")
    assert one.note
    assert not one.cure
    bad = linted(
        mailbox,
        plain_bundle,
        rule(
            "wrong",
            '{ text = { contains = ["invoice", "Rechnung", "refund"] } }',
            'queue = "Priority Support"',
        ),
        money,
    )
    other = only(bad, "money", "contradict")
    assert not other.note
    assert other.cure == 'Perhaps it belongs before "wrong".'
    pairs = lab.coverage(plain_bundle, mailbox, HEAD + money + broken).pairs.iloc[0]
    assert f"Of {pairs['judged']} whose place is known, {pairs['first_right']} belonged" in one.proof
    ranks = linted(
        mailbox,
        plain_bundle,
        rule("one", "{ is_reply = true }", 'queue = "Billing", priority = 1'),
        rule("two", "{}", 'queue = "Billing", priority = 2'),
    )
    assert only(ranks, "two", "contradict").proof == ""  # where mail belonged says nothing of its priority


def test_text_that_history_triggers_is_counted(mailbox: Archive, plain_bundle: Bundle) -> None:
    """How many messages fit only by quoted text, counted on the columns."""
    words = ["error", "invoice", "Fehler"]
    made = linted(
        mailbox,
        plain_bundle,
        rule("quoted", f'{{ text = {{ contains = {words}, scope = "everything" }} }}'),
        rule("unquoted", f'{{ not = {{ text = {{ contains = {words}, scope = "everything" }} }} }}'),
    )
    rows = reaching(mailbox, plain_bundle).messages.select("text", "text/everything").to_dicts()
    folded = [{name: (value or "").casefold() for name, value in row.items()} for row in rows]
    fits = [any(word.casefold() in row["text/everything"] for word in words) for row in folded]
    own = [any(word.casefold() in row["text"] for word in words) for row in folded]
    only_by = sum(a and not b for a, b in zip(fits, own, strict=True))
    assert only_by > 5
    assert only(made, "quoted", "quoted").proof.startswith(f"{only_by} of the {sum(fits)} messages")
    assert f"{only_by} more would fit" in only(made, "unquoted", "quoted").proof


def test_own_words_only_changes_nothing_else() -> None:
    """The scope goes from every question, wherever it stands."""
    ask = Ask("text", "contains", ("x",), "everything")
    reply = Ask("is_reply", "is", (True,))
    own = replace(ask, scope="")
    assert own_words_only(AnyOf((Not(ask), reply))) == AnyOf((Not(own), reply))


def test_mail_that_a_forger_could_write_is_counted(mailbox: Archive, plain_bundle: Bundle) -> None:
    """Of what fits, how much is not proven genuine; without a trusted server that cannot be said."""
    found = linted(mailbox, plain_bundle, rule("all", '{ from_domain = { ends_with = "e" } }'))
    rows = reaching(mailbox, plain_bundle).messages
    fits = rows.filter(rows["from_domain"].str.ends_with("e"))
    many = int((~fits["authenticated"]).sum())
    assert many > 0
    assert only(found, "all", "forgeable").proof == (
        f"{many} of the {len(fits)} messages it fits are not proven to be genuine."
    )
    desk = plain_bundle.desk
    trusting = replace(
        plain_bundle, desk=replace(desk, identity=replace(desk.identity, authserv_ids=frozenset()))
    )
    rules = (rule("all", '{ from_domain = { ends_with = "e" } }'), rule("proof", "{ authenticated = true }"))
    made = linted(mailbox, trusting, *rules)
    assert "cannot be said" in only(made, "all", "forgeable").proof
    assert [one.sort for one in made.findings if one.rule == "proof"] == ["never"]


def test_acknowledgements_that_rules_cost(mailbox: Archive, plain_bundle: Bundle) -> None:
    """Counted by deciding the archive with and without the rule, and blamed on the rule that says so."""
    words = '{ text = { contains = ["invoice", "Rechnung", "refund"] } }'
    rules = (
        rule("silent", words, 'queue = "Billing", ack = false'),
        rule("filed", "{ size = { at_most = 1200 } }", 'file = "Automated/Excluded"'),
        rule(
            "header",
            "{ header.X-Auto-Response-Suppress = { exists = true } }",
            'queue = "Billing", ack = false',
        ),
    )
    made = linted(mailbox, plain_bundle, *rules)
    acked = {
        name: set(rows[rows["ack"]]["sha256"])
        for name, rows in (
            (
                "with",
                replay(mailbox, replace(plain_bundle, flow=source.loads(HEAD + "".join(rules)), id="with")),
            ),
            ("without", replay(mailbox, replace(plain_bundle, flow=source.loads(HEAD), id="without"))),
        )
    }
    lost = acked["without"] - acked["with"]
    hits = lab.coverage(plain_bundle, mailbox, HEAD + "".join(rules)).reaching
    shas = hits.messages["sha256"].to_list()
    mine = [{sha for sha, n in zip(shas, hits.decided, strict=True) if n == at} & lost for at in range(3)]
    assert set.union(*mine) == lost
    assert len(mine[0]) > 5
    assert only(made, "silent", "costs").what.startswith(f"it costs {len(mine[0])} acknowledgements here")
    assert only(made, "silent", "costs").note
    if mine[1]:
        assert f"{len(mine[1])} acknowledgement" in only(made, "filed", "costs").what
    assert only(made, "header", "suppress").proof.startswith(f"It costs {len(mine[2]) or 'none'}")


def test_a_classifier_that_is_not_there_is_not_the_rules_fault(
    mailbox: Archive, plain_bundle: Bundle
) -> None:
    """Rules that ask for a category are noted as untried where the bundle has no classifier."""
    made = linted(mailbox, plain_bundle, rule("asks", '{ category = "billing" }'))
    one = only(made, "asks", "untried")
    assert one.note
    assert "the bundle has no classifier" in str(one)
    assert made.wrong == ()


def test_a_clean_flow_and_how_it_shows_itself(mailbox: Archive, word_bundle: Bundle) -> None:
    """Nothing is wrong with the words; text, table and page say on how much mail they were tried."""
    made = lab.lint(word_bundle, mailbox)
    assert made.wrong == ()
    assert "incoming messages reach the flow" in str(made)
    assert "note: " in str(made)
    assert list(made.to_frame().columns) == ["rule", "sort", "what", "proof", "cure", "note"]
    named = linted(mailbox, word_bundle, rule("<script>", '{ subject = "no such subject" }'))
    assert "&lt;script&gt;" in named._repr_html_()
    assert "<script>" not in named._repr_html_()
    empty = linted(mailbox, word_bundle)
    assert "nothing is to be said" in str(empty)
    assert "Nothing is to be said" in empty._repr_html_()


def test_a_classifier_that_always_abstains_is_named(mailbox: Archive, plain_bundle: Bundle) -> None:
    """Where the classifier was withheld its rules cannot fire, and the reason is the classifier's."""
    made = trained()
    withheld = made.model.with_policy(replace(made.policy, withheld="not enough data"))
    found = linted(mailbox, replace(plain_bundle, model=withheld), rule("asks", '{ category = "billing" }'))
    assert "always abstains (not enough data)" in only(found, "asks", "untried").what


def test_a_queue_in_which_no_mail_lies(mailbox: Archive, plain_bundle: Bundle) -> None:
    """A misspelt queue is wrong and told what was meant; a new one is noted; one with a folder is neither."""
    made = linted(
        mailbox,
        plain_bundle,
        rule("typo", "{ size = { at_most = 1100 } }", 'queue = "Biling"'),
        rule("new", "{ size = { at_most = 1300 } }", 'queue = "Warranty"'),
        rule("known", "{ size = { at_most = 1500 } }", 'queue = "Billing"'),
    )
    assert only(made, "typo", "queue").cure == 'Did you mean "Billing"?'
    assert not only(made, "typo", "queue").note
    assert only(made, "new", "queue").note
    assert not [one for one in made.findings if (one.rule, one.sort) == ("known", "queue")]


def test_a_flow_for_another_desk_is_refused(mailbox: Archive, word_bundle: Bundle) -> None:
    """A flow that knows none of the queues here was written for somebody else."""
    with pytest.raises(InputError, match="nobody here has such a queue"):
        lab.lint(word_bundle, mailbox, 'default = "Warehouse"\n')
