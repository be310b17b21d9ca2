"""Coverage of rules: every figure as counted by hand, message by message, and what is said beside it."""

from __future__ import annotations

import base64
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import FlowError, InputError
from mailml.flow import Rule, source
from mailml.lab import truth as truths
from mailml.lab.coverage import Coverage
from mailml.lab.covering import covering
from mailml.lab.displays import CoverageDisplay
from mailml.lab.reaching import Reaching, disagree
from mailml.lab.replay import replay
from mailml.lab.sides import with_rules

TANGLED = """
default = "General Support"
[[rule]]
name = "tag replies"
when = { is_reply = true }
then = { tags = ["reply"], priority = 2, continue = true }
[[rule]]
name = "first guess"
when = { text = { contains = ["error", "invoice", "the"] } }
then = { queue = "Tech Support", continue = true }
[[rule]]
name = "money"
when = { text = { contains = ["invoice", "refund", "Rechnung"] } }
then = { queue = "Billing", priority = 5 }
[[rule]]
name = "offers"
when = { subject = { contains = ["p", "k"] } }
then = { file = "Automated/Excluded" }
[[rule]]
name = "broken"
when = { text = { contains = ["error", "crash", "Fehler"] } }
then = { queue = "Tech Support" }
[[rule]]
name = "nothing <b>&"
when = { subject = "no such subject" }
then = { queue = "Billing" }
"""


@pytest.fixture(scope="module")
def made(mailbox: Archive, plain_bundle: Bundle) -> Coverage:
    """The tangled rules on the sample."""
    return lab.coverage(plain_bundle, mailbox, TANGLED)


@pytest.fixture(scope="module")
def by_hand(made: Coverage) -> list[dict[str, Any]]:
    """Message by message: the rules that fit, the one that decides, and the truth."""
    hits = made.reaching.batch.hits(made.reaching.flow)
    outcomes = made.reaching.batch.outcomes(made.reaching.flow)
    return [
        {
            "fit": [rule for rule in made.reaching.flow.rules if hits[rule.name][n]],
            "rule": outcomes[n].rule,
            "truth": made.reaching.truth[n],
        }
        for n in range(made.of)
    ]


def differs(one: Rule, other: Rule) -> bool:
    """Whether two rules set another place or priority, said in other words than the code's."""
    a, b = one.then, other.then
    places = {a.queue or a.file, b.queue or b.file} - {""}
    ranks = {a.priority, b.priority} - {None}
    return len(places) > 1 or len(ranks) > 1


def test_every_figure_is_the_one_counted_by_hand(made: Coverage, by_hand: list[dict[str, Any]]) -> None:
    """Fits, decides, overlap, conflict and both accuracies, for every rule."""
    for rule, told in zip(made.reaching.flow.rules, made.rules, strict=False):
        mine = [one for one in by_hand if rule in one["fit"]]
        decided = [one for one in by_hand if one["rule"] == rule.name]
        assert (told.rule, told.fits, told.decides) == (rule.name, len(mine), len(decided))
        assert told.coverage == pytest.approx(len(mine) / made.of)
        assert told.overlap == sum(len(one["fit"]) > 1 for one in mine)
        assert told.conflict == sum(any(differs(rule, other) for other in one["fit"]) for one in mine)
        known = [one for one in mine if one["truth"] and (rule.then.queue or rule.then.file)]
        held = sum(one["truth"] == rule.then.queue for one in known)
        assert (told.accuracy.hits, told.accuracy.of) == (held, len(known))
        known = [one for one in decided if one["truth"]]
        held = sum(one["truth"] == rule.then.queue for one in known)
        assert (told.decided_accuracy.hits, told.decided_accuracy.of) == (held, len(known))
    assert [one.conflict > 0 for one in made.rules] == [True, True, True, True, True, False, False]
    assert made.overlapping == sum(len(one["fit"]) > 1 for one in by_hand)
    assert made.conflicting == sum(
        any(differs(a, b) for a, b in combinations(one["fit"], 2)) for one in by_hand
    )


def test_the_default_queue_is_a_row_and_all_mail_is_decided_once(
    made: Coverage, by_hand: list[dict[str, Any]]
) -> None:
    """The last row is what no rule places; the rows' decisions add up to the mail that reaches the flow."""
    default = made.rules[-1]
    assert (default.rule, default.goes) == ("default", "General Support")
    assert default.decides == sum(one["rule"] == "default" for one in by_hand) == made.of - made.placed
    assert sum(one.decides for one in made.rules) == made.of
    assert made.rules[0].goes == "(goes on)"
    assert made.rules[0].accuracy.of == 0  # it says no queue, so it is neither right nor wrong
    assert made.rules[3].goes == "file in Automated/Excluded"


def test_pairs_say_who_is_right(made: Coverage, by_hand: list[dict[str, Any]]) -> None:
    """Each two rules that fit the same mail, counted by hand; those that differ stand first."""
    rows = made.pairs.to_dict("records")
    assert {(row["first"], row["second"]) for row in rows} == {
        (a.name, b.name) for one in by_hand for a, b in combinations(one["fit"], 2)
    }
    rules = {rule.name: rule for rule in made.reaching.flow.rules}
    for row in rows:
        one, other = rules[row["first"]], rules[row["second"]]
        both = [told for told in by_hand if one in told["fit"] and other in told["fit"]]
        assert row["messages"] == len(both)
        assert row["judged"] == sum(bool(told["truth"]) for told in both)
        assert row["first_right"] == sum(told["truth"] == one.then.queue != "" for told in both)
        assert row["second_right"] == sum(told["truth"] == other.then.queue != "" for told in both)
        assert bool(row["differ"]) == differs(one, other) == bool(disagree(one, other))
    assert [bool(row["differ"]) for row in rows] == sorted(
        (bool(row["differ"]) for row in rows), reverse=True
    )
    assert "queue and priority" not in set(made.pairs["differ"])
    assert {"queue", "priority"} <= set(made.pairs["differ"])


def test_many_rules_are_paired_in_parts(made: Coverage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A matrix too large to be held at once is put together from parts to the same table."""
    monkeypatch.setattr("mailml.lab.covering._CELLS", 100)
    assert covering(made.reaching).pairs.equals(made.pairs)


def test_it_says_of_how_much_of_the_mail_it_speaks(
    made: Coverage, mailbox: Archive, plain_bundle: Bundle
) -> None:
    """Mail that the table of automated mail files is named, and truth that is unknown is not counted."""
    rows = replay(mailbox, plain_bundle)
    incoming = rows[~rows["sent"]]
    assert made.reaching.incoming == len(incoming)
    assert made.of == int(incoming["queue"].ne("").sum()) < len(incoming)
    assert f"{made.of:,} of {len(incoming):,} incoming messages reach the flow" in made.note
    tried = with_rules(plain_bundle, made.reaching.flow)
    left = truths.folders(mailbox, tried) | truths.folders(mailbox, plain_bundle)
    opening = set(incoming[incoming["opens"]]["sha256"])
    told = zip(made.reaching.messages["sha256"], made.reaching.truth, strict=True)
    assert all(truth == (left.get(sha, "") if sha in opening else "") for sha, truth in told)
    assert 0 < made.judged < made.of


def test_a_queue_that_only_the_bundle_knows_is_a_truth(mailbox: Archive, word_bundle: Bundle) -> None:
    """Mail that agents left in a queue which the tried flow has not is judged, and judged wrong."""
    alone = lab.coverage(word_bundle, mailbox, 'default = "General Support"\n')
    assert len(alone.rules) == 1
    share = alone.rules[0].decided_accuracy
    assert {"Billing", "Tech Support"} <= set(alone.reaching.truth)
    assert 0 < share.hits < share.of == alone.judged


def test_truth_may_be_given(mailbox: Archive, word_bundle: Bundle) -> None:
    """With a mapping only its messages are judged; one for another archive is refused."""
    shas = lab.coverage(word_bundle, mailbox).reaching.messages.filter(opens=True)["sha256"].to_list()[:7]
    told = lab.coverage(word_bundle, mailbox, truth=dict.fromkeys(shas, "Billing"))
    assert told.judged == 7
    with pytest.raises(InputError):
        lab.coverage(word_bundle, mailbox, truth={"0" * 64: "Billing"})


def test_training_mail_is_left_out(made: Coverage) -> None:
    """What may be judged is decided as in a back-test: the note of the classifier's time stands beside it."""
    mail = made.reaching
    noted = Reaching(mail.flow, mail.messages, mail.incoming, mail.truth, "Judged on later mail.")
    assert covering(noted).note.endswith("Judged on later mail.")


def test_a_flow_with_faults_is_refused(mailbox: Archive, word_bundle: Bundle) -> None:
    """Every fault of the flow, its names at this desk included."""
    bad = '\n[[rule]]\nname = "a"\nwhen = { category = "biling" }\nthen = { ack = "vip" }\n'
    with pytest.raises(FlowError) as caught:
        lab.coverage(word_bundle, mailbox, 'default = "G"\n' + bad)
    assert "billing" in str(caught.value)


def test_it_shows_itself(made: Coverage) -> None:
    """Text, table and page; names of rules are text, never markup."""
    frame = made.to_frame()
    assert frame.loc["money", "fits"] == made.rules[2].fits
    assert {"accuracy", "accuracy_low", "accuracy_of", "decided_accuracy"} <= set(frame.columns)
    assert "first guess" in str(made)
    html = made._repr_html_()
    assert "nothing <b>" not in html
    assert "nothing &lt;b&gt;&amp;" in html
    assert "<img" in html


def test_the_picture_says_what_the_table_says(made: Coverage) -> None:
    """A bar is as long as what fits, in four parts; the words beside it name the conflict."""
    display = CoverageDisplay.from_coverage(made)
    assert [bar.fits for bar in display.bars] == [one.fits for one in made.rules]
    assert [bar.right + bar.wrong + bar.unknown for bar in display.bars] == [
        one.decides for one in made.rules
    ]
    svg = base64.b64decode(display._repr_html_().partition("base64,")[2].partition('"')[0]).decode()
    assert f"{made.rules[2].fits:,}, {made.rules[2].conflict:,} in conflict" in svg
    assert f"{made.of:,} that reach the flow" in svg
    assert str(sum(bar.right for bar in display.bars)) in display.alt.replace(",", "")


def test_of_very_many_rules_those_that_fit_most_are_drawn(made: Coverage) -> None:
    """A flow of a hundred rules is a picture of forty, which says how many are left out."""
    rules = [
        f'[[rule]]\nname = "r{n}"\nwhen = {{ size = {{ at_least = {n} }} }}\nthen = {{ queue = "Q" }}\n'
        for n in range(100)
    ]
    flow = source.loads('default = "Q"\n' + "".join(rules))
    mail = made.reaching
    many = covering(Reaching(flow, mail.messages, mail.incoming, np.array([""] * made.of, dtype=object)))
    display = CoverageDisplay.from_coverage(many)
    assert (len(display.bars), display.left_out) == (40, 61)
    assert many.conflicting == 0  # they all say the same


def test_a_flow_of_two_thousand_rules_is_covered(made: Coverage) -> None:
    """Every rule is a row, and pairs are told only where rules meet."""
    rules = [
        f'[[rule]]\nname = "r{n}"\nwhen = {{ size = {n} }}\nthen = {{ queue = "Q{n % 2}" }}\n'
        for n in range(1999)
    ]
    last = '[[rule]]\nname = "large"\nwhen = { size = { at_least = 1000 } }\nthen = { queue = "Q0" }\n'
    flow = source.loads('default = "Q0"\n' + "".join(rules) + last)
    mail = made.reaching
    many = covering(Reaching(flow, mail.messages, mail.incoming, mail.truth))
    sizes = mail.messages["size"].to_numpy()
    assert len(many.rules) == 2_001
    assert sum(one.decides for one in many.rules) == made.of
    met = np.unique(sizes[(sizes >= 1000) & (sizes < 1999)])
    assert list(many.pairs["first"].sort_values()) == sorted(f"r{n}" for n in met)
    assert many.conflicting == int(((sizes >= 1000) & (sizes < 1999) & (sizes % 2 == 1)).sum()) > 0
