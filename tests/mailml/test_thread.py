"""References, signed Message-IDs, normal subjects, and which interaction a message joins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

import pytest

from mailml.bundle import desk
from mailml.errors import InputError
from mailml.lab.sample import ADDRESS as SAMPLE_ADDRESS
from mailml.lab.sample import generate
from mailml.message import Message, parse
from mailml.thread import (
    Joined,
    Party,
    Threads,
    answered_ids,
    copy_key,
    find_references,
    is_marked,
    join,
    normal_subject,
    own_message_id,
    parties_of,
    reference_of,
    verify_own_message_id,
)
from tests.growth import growth

KEY = b"a key of thirty-two bytes or more"
REF = "K7Q2-9M4D"


def mail(sender: str, *lines: str, to: str = "support@acme.example", body: str = "Hello") -> Message:
    """A message with these header lines."""
    return parse("\r\n".join([f"From: {sender}", f"To: {to}", *lines, "", body]).encode())


class Known:
    """A lookup with one interaction, which remembers what it was asked."""

    def __init__(self, party: Party, ids: dict[str, str] | None = None) -> None:
        self.party, self.ids, self.asked = party, ids or {}, list[str]()

    def by_message_id(self, message_id: str, /) -> Party | None:
        self.asked.append(message_id)
        return self.party if message_id in self.ids else None

    def by_reference(self, reference: str, /) -> Party | None:
        self.asked.append(reference)
        return self.party if reference == self.party.reference else None


PARTY = Party(REF, frozenset({"ann@customer.example", "support@acme.example"}))


class TestReferences:
    def test_a_seed_always_gives_the_same_reference(self) -> None:
        """The reference of a seed is stable, short, and in letters nobody confuses."""
        reference = reference_of(b"seed")
        assert reference == reference_of(b"seed") != reference_of(b"other")
        assert len(reference) == 9
        assert reference[4] == "-"
        assert not set(reference) & set("ILOU")

    @pytest.mark.parametrize(
        ("subject", "found"),
        [
            ("Re: [#K7Q2-9M4D] printer", (REF,)),
            ("re: [# k7q2-9m4d] printer", (REF,)),
            ("AW: (K7Q2-9M4D)", (REF,)),
            ("about #K7Q2\u20139M4D please", (REF,)),  # a telephone's long dash
            ("#K7Q2-9M4D #K7Q2-9M4D #AAAA-BBBB", (REF, "AAAA-BBBB")),
            ("#KTQ2-9MAO", ("KTQ2-9MA0",)),  # somebody read a zero as an O
            ("#K7Q2-9M4DX", ()),
            ("WEEK-ENDS and part K7Q2-9M4D", ()),  # neither number sign nor bracket
            ("#UUUU-UUUU", ()),
            ("", ()),
        ],
    )
    def test_references_are_found_in_subjects(self, subject: str, found: tuple[str, ...]) -> None:
        """Case, brackets, dashes and misread letters are forgiven; ordinary words are left alone."""
        assert find_references(subject) == found

    def test_every_reference_is_found_again(self) -> None:
        """Whatever reference_of gives, find_references reads out of a subject."""
        for n in range(300):
            reference = reference_of(str(n).encode())
            assert find_references(f"Auto: [#{reference}] We have it".lower()) == (reference,)


class TestOwnMessageIds:
    def test_an_id_of_ours_verifies_and_is_stable(self) -> None:
        """The same arguments give the same id, which names its reference again."""
        first = own_message_id(REF, 1, "acme.example", KEY)
        assert first == own_message_id(REF.lower(), 1, "acme.example", KEY)
        assert first.startswith("<K7Q2-9M4D.1.")
        assert first.endswith("@acme.example>")
        assert verify_own_message_id(first, KEY) == REF

    def test_case_and_brackets_do_not_matter(self) -> None:
        """Servers that change case and programs that drop brackets leave an id of ours recognisable."""
        written = own_message_id(REF, 12, "Acme.Example", KEY)
        for form in (written.lower(), written.upper(), written.strip("<>"), f"  {written} "):
            assert verify_own_message_id(form, KEY) == REF

    def test_a_look_alike_proves_nothing(self) -> None:
        """Another reference, number, domain, signature or key, and no key at all, are refused."""
        good = own_message_id(REF, 1, "acme.example", KEY)
        signature = good.split(".")[2].split("@")[0]
        for forged in (
            good.replace(REF, "AAAA-BBBB"),
            good.replace(".1.", ".2."),
            good.replace("@acme", "@evil"),
            good.replace(signature, "0" * 20),
            good.replace(signature, signature[:-1]),
            "<abc@example.com>",
            "<>",
            "",
        ):
            assert verify_own_message_id(forged, KEY) is None
        assert verify_own_message_id(good, b"another key") is None
        assert verify_own_message_id(good, b"") is None

    @pytest.mark.parametrize(
        ("reference", "n", "domain", "key"),
        [
            ("nonsense", 1, "a.example", KEY),
            (REF, -1, "a.example", KEY),
            (REF, 1, "a b", KEY),
            (REF, 1, "a", b""),
        ],
    )
    def test_nonsense_makes_no_id(self, reference: str, n: int, domain: str, key: bytes) -> None:
        """A malformed reference, number or domain, or an empty key, is refused with a sentence."""
        with pytest.raises(InputError):
            own_message_id(reference, n, domain, key)


class TestNormalSubject:
    @pytest.mark.parametrize(
        ("subject", "normal"),
        [
            ("RE: [acme-users] AW: Printer  broken", "printer broken"),
            ("Re[2]: FWD : RE^3: invoice", "invoice"),
            ("回复：转发: 帐单", "帐单"),
            ("Rép: Odp: SV: Antw: VS: facture", "facture"),
            ("Отв: счёт", "счёт"),
            ("[EXTERNAL] [#K7Q2-9M4D] Re: hello", "hello"),
            ("Auto: [#K7Q2-9M4D] Your request", "your request"),
            ("[URGENT]", "[urgent]"),
            ("Re: [#K7Q2-9M4D]", ""),
            ("Re:", ""),
            ("", ""),
            ("Rechnung: 5", "rechnung: 5"),
            ("Real: estate", "real: estate"),
            ("STRASSE ｇｅｓｐｅｒｒｔ", "strasse gesperrt"),
        ],
    )
    def test_prefixes_of_many_languages_are_stripped(self, subject: str, normal: str) -> None:
        """Reply and forward prefixes and tags go, words stay, spelling variants meet."""
        assert normal_subject(subject) == normal

    @pytest.mark.parametrize("piece", ["Re: ", "[", " ", "[a]", "Re ["])
    def test_it_is_linear_on_hostile_subjects(self, piece: str) -> None:
        """Four times the prefixes, brackets or blanks take about four times as long."""
        hostile = piece * (400_000 // len(piece))
        assert growth(normal_subject, hostile) < 9
        assert growth(find_references, hostile) < 9


class TestJoin:
    def test_a_new_message_opens_its_own(self) -> None:
        """Without any evidence nothing is joined and nothing is linked."""
        assert join(mail("ann@customer.example", "Message-ID: <1@c>"), Known(PARTY), KEY) == Joined()

    def test_our_signed_id_joins(self) -> None:
        """An answer to a message of ours joins by its signature, without the id being stored anywhere."""
        own = own_message_id(REF, 1, "acme.example", KEY)
        joined = join(mail("Ann <ANN@customer.example>", f"In-Reply-To: {own}"), Known(PARTY), KEY)
        assert (joined.reference, joined.by, joined.evidence) == (REF, "own_message_id", own)
        assert joined.answers_ours

    def test_an_unsigned_look_alike_does_not_join(self) -> None:
        """An id that only looks like ours joins nothing."""
        forged = own_message_id(REF, 1, "acme.example", b"somebody else's key")
        assert join(mail("ann@customer.example", f"In-Reply-To: {forged}"), Known(PARTY), KEY) == Joined()

    def test_references_join_by_any_known_id(self) -> None:
        """A known id anywhere in References is enough, the nearest is the evidence."""
        message = mail("ann@customer.example", "References: <a@c> <b@c> <unknown@c>")
        joined = join(message, Known(PARTY, {"<a@c>": REF, "<b@c>": REF}), KEY)
        assert (joined.by, joined.evidence) == ("references", "<b@c>")

    def test_the_reference_in_the_subject_joins_last(self) -> None:
        """A reference in the subject joins where no id did, and a party alone may use it."""
        message = mail("ann@customer.example", f"Subject: Re: [#{REF.lower()}] printer")
        assert join(message, Known(PARTY), KEY).by == "subject_reference"

    @pytest.mark.parametrize(
        "line",
        [
            f"In-Reply-To: {own_message_id(REF, 1, 'a.example', KEY)}",
            "References: <a@c>",
            f"Subject: [#{REF}]",
        ],
    )
    def test_a_stranger_is_linked_and_never_let_in(self, line: str) -> None:
        """Whatever the evidence, a sender who is no party opens an interaction linked to the other."""
        joined = join(mail("eve@evil.example", line), Known(PARTY, {"<a@c>": REF}), KEY)
        assert joined == Joined(linked=REF)

    def test_mail_without_a_sender_joins_nothing(self) -> None:
        """No parseable From is no party."""
        message = parse(f"Subject: [#{REF}]\r\n\r\nhi".encode())
        assert join(message, Known(PARTY), KEY) == Joined(linked=REF)

    def test_a_closed_interaction_says_so(self) -> None:
        """Joining a closed interaction is told to the caller, who decides whether it re-opens."""
        closed = Party(REF, PARTY.addresses, closed=True)
        assert join(mail("ann@customer.example", f"Subject: [#{REF}]"), Known(closed), KEY).reopens

    def test_empty_and_own_ids_are_never_looked_up(self) -> None:
        """Empty ids and the message's own are not evidence."""
        lookup = Known(PARTY, {"<>": REF, "<1@c>": REF})
        message = mail(
            "ann@customer.example", "Message-ID: <1@c>", "In-Reply-To: <>", "References: <> < > <1@C>"
        )
        assert join(message, lookup, KEY) == Joined()
        assert lookup.asked == []

    def test_a_hostile_references_header_costs_few_lookups(self) -> None:
        """Ten thousand ids become at most fifty questions, the newest among them."""
        ids = " ".join(f"<{n}@c>" for n in range(10_000))
        lookup = Known(PARTY)
        join(mail("ann@customer.example", f"References: {ids}"), lookup, KEY)
        assert len(lookup.asked) <= 50
        assert lookup.asked[0] == "<9999@c>"

    def test_nearest_ids_come_first(self) -> None:
        """In-Reply-To goes before References, and References backwards, each id once."""
        message = mail("a@b.example", "In-Reply-To: <3@c>", "References: <1@c> <2@c> <3@c>")
        assert answered_ids(message) == ("<3@c>", "<2@c>", "<1@c>")


class TestThreads:
    def test_a_conversation_stays_together(self) -> None:
        """Question, answer and thanks are one interaction; each joins by the id before it."""
        threads = Threads()
        first = threads.place(mail("ann@c.example", "Message-ID: <1@c>", "Subject: printer"))
        answer = threads.place(
            mail("support@acme.example", "Message-ID: <2@a>", "In-Reply-To: <1@c>", to="ann@c.example")
        )
        thanks = threads.place(mail("ann@c.example", "Message-ID: <3@c>", "References: <1@c> <2@a>"))
        assert first.by == "new"
        assert {first.reference, answer.reference, thanks.reference} == {first.reference}
        assert (answer.by, thanks.by) == ("references", "references")
        assert len(threads) == 1
        assert first.reference in threads

    def test_two_mails_without_ids_stay_apart(self) -> None:
        """Empty Message-IDs never join anything, even for equal bytes."""
        threads = Threads()
        one, two = (threads.place(mail("ann@c.example", "Subject: hi")) for _ in range(2))
        assert one.reference != two.reference

    def test_an_id_that_two_interactions_claim_joins_nothing(self) -> None:
        """A duplicate Message-ID (mail made by scripts) is no evidence from the second use on."""
        threads = Threads()
        threads.place(mail("ann@c.example", "Message-ID: <same@c>", "Subject: one"))
        threads.place(mail("bob@c.example", "Message-ID: <same@c>", "Subject: two"))
        answer = threads.place(mail("ann@c.example", "Message-ID: <3@c>", "In-Reply-To: <same@c>"))
        assert answer.by == "new"
        assert len(threads) == 3

    def test_the_same_mail_in_two_mailboxes_is_one_interaction(self) -> None:
        """A copy with other Received fields belongs to the interaction of the first; its id stays good."""
        threads = Threads()
        lines = ("Message-ID: <1@c>", "Date: Mon, 2 Mar 2026 10:00:00 +0000", "Subject: hi")
        one = threads.place(mail("ann@c.example", "Received: by a", *lines))
        two = threads.place(mail("ann@c.example", "Received: by b", *lines))
        answer = threads.place(mail("ann@c.example", "Message-ID: <2@c>", "In-Reply-To: <1@c>"))
        assert (two.reference, two.by) == (one.reference, "same_message")
        assert answer.reference == one.reference

    def test_a_stranger_who_quotes_an_id_is_linked(self) -> None:
        """Replay keeps strangers out as serve does."""
        threads = Threads()
        first = threads.place(mail("ann@c.example", "Message-ID: <1@c>"))
        stranger = threads.place(mail("eve@e.example", "Message-ID: <2@e>", "In-Reply-To: <1@c>"))
        assert stranger.reference != first.reference
        assert stranger.linked == first.reference

    def test_our_own_addresses_are_parties_everywhere(self) -> None:
        """A colleague may answer from support@ what a customer wrote to billing@, where the desk says so."""
        question = mail("ann@c.example", "Message-ID: <1@c>", to="billing@acme.example")
        answer = mail("support@acme.example", "Message-ID: <2@a>", "In-Reply-To: <1@c>", to="ann@c.example")
        apart, together = Threads(), Threads(ours=["Support@acme.example"])
        assert apart.place(question).reference != apart.place(answer).reference
        assert together.place(question).reference == together.place(answer).reference

    def test_closing_and_coming_back(self) -> None:
        """A message to a closed interaction re-opens it in the replay."""
        threads = Threads()
        reference = threads.place(mail("ann@c.example", "Message-ID: <1@c>")).reference
        threads.close(reference)
        assert threads.place(mail("ann@c.example", "Message-ID: <2@c>", "In-Reply-To: <1@c>")).reopens
        assert not threads.place(mail("ann@c.example", "Message-ID: <3@c>", "In-Reply-To: <1@c>")).reopens

    def test_ids_and_parties_can_be_added_by_hand(self) -> None:
        """A sent mail's id and an envelope recipient count like those of a message."""
        threads = Threads()
        reference = reference_of(b"x")
        threads.add(mail("ann@c.example", "Message-ID: <1@c>"), reference, addresses=["Boss@C.example"])
        threads.add_id("<sent@acme>", reference)
        joined = join(mail("boss@c.example", "In-Reply-To: <SENT@acme>"), threads, KEY)
        assert joined.reference == reference

    def test_who_asks_to_be_answered_elsewhere_may_write_from_there(self) -> None:
        """The address of a Reply-To is a party to the interaction it was named in."""
        threads = Threads()
        first = threads.place(mail("ann@c.example", "Message-ID: <1@c>", "Reply-To: boss@c.example"))
        answer = threads.place(mail("boss@c.example", "Message-ID: <2@c>", "In-Reply-To: <1@c>"))
        assert (answer.reference, answer.by) == (first.reference, "references")


class TestSubjects:
    OPENED = datetime(2026, 3, 2, 10, tzinfo=UTC)

    def two(
        self, subject: str, *lines: str, sender: str = "ann@c.example", hours: float = 1
    ) -> tuple[str, Joined]:
        """The reference of an interaction about a printer, and where a later mail is placed."""
        threads = Threads(ours=["support@acme.example"], same_subject=timedelta(days=2))
        first = threads.place(
            mail("ann@c.example", "Message-ID: <1@c>", "Subject: My printer"), at=self.OPENED
        )
        later = mail(sender, "Message-ID: <2@c>", f"Subject: {subject}", *lines)
        return first.reference, threads.place(later, at=self.OPENED + timedelta(hours=hours))

    @pytest.mark.parametrize("subject", ["Re: My printer", "AW: my  PRINTER", "[ext] Antw: My printer"])
    def test_an_answer_that_names_nothing_joins_by_its_subject(self, subject: str) -> None:
        """In time, from a party, and marked as an answer: the subject is the evidence."""
        reference, joined = self.two(subject)
        assert (joined.reference, joined.by, joined.evidence) == (reference, "same_subject", "my printer")

    @pytest.mark.parametrize(
        ("subject", "line", "sender", "hours"),
        [
            ("My printer", "X-None: 1", "ann@c.example", 1),  # a new mail under an old subject
            ("Re: My printer", "X-None: 1", "eve@e.example", 1),  # a stranger
            ("Re: My printer", "X-None: 1", "support@acme.example", 1),  # ourselves
            ("Re: My printer", "X-None: 1", "ann@c.example", 49),  # too late
            ("Re: My scanner", "X-None: 1", "ann@c.example", 1),
            ("Re: ", "X-None: 1", "ann@c.example", 1),
        ],
    )
    def test_anything_less_opens_an_interaction(
        self, subject: str, line: str, sender: str, hours: float
    ) -> None:
        """Without the mark, the party, the time or the subject nothing is joined."""
        reference, joined = self.two(subject, line, sender=sender, hours=hours)
        assert joined.by == "new"
        assert joined.reference != reference

    def test_a_mail_that_answers_something_unknown_may_join_by_its_subject(self) -> None:
        """In-Reply-To says that it is an answer, even if nobody knows to what."""
        reference, joined = self.two("My printer", "In-Reply-To: <lost@elsewhere>")
        assert joined.reference == reference

    def test_two_interactions_under_one_subject_join_nothing(self) -> None:
        """Where the subject is not the only one of its sender it is no evidence."""
        threads = Threads(same_subject=timedelta(days=2))
        for number in range(2):
            threads.place(mail("ann@c.example", f"Message-ID: <{number}@c>", "Subject: hi"), at=self.OPENED)
        assert threads.place(mail("ann@c.example", "Subject: Re: hi"), at=self.OPENED).by == "new"

    def test_it_is_off_unless_a_desk_says_otherwise(self) -> None:
        """Without a time limit no subject joins anything."""
        threads = Threads()
        threads.place(mail("ann@c.example", "Message-ID: <1@c>", "Subject: hi"), at=self.OPENED)
        assert threads.place(mail("ann@c.example", "Subject: Re: hi"), at=self.OPENED).by == "new"
        assert not desk.default("support@acme.example").same_subject

    @pytest.mark.parametrize(
        ("subject", "marked"),
        [
            ("Re: x", True),
            ("[list] AW[2]: x", True),
            ("x", False),
            ("[list] x", False),
            ("", False),
            ("Fwd: x", True),
        ],
    )
    def test_a_subject_says_whether_it_answers(self, subject: str, marked: bool) -> None:
        """Prefixes of many languages behind any tags, nothing else."""
        assert is_marked(subject) is marked


def pairs_of(groups: Mapping[str, str]) -> set[tuple[str, str]]:
    """Every two messages that stand in one group."""
    by_group: dict[str, list[str]] = {}
    for message, group in sorted(groups.items()):
        by_group.setdefault(group, []).append(message)
    return {pair for members in by_group.values() for pair in combinations(members, 2)}


def joined(days: int, forgetful: float) -> tuple[float, float]:
    """Precision and recall over the pairs of the sample mailbox's true threads.

    `forgetful` is the share of customers' answers whose mail program names nothing that it answers.
    """
    chance = Random(11)
    threads = Threads(ours=[SAMPLE_ADDRESS], same_subject=timedelta(days=days))
    placed, true = dict[str, str](), dict[str, str]()
    for one in sorted(generate(seed=7, messages=3000).messages, key=lambda one: one.received):
        raw = one.raw
        if one.truth["role"] == "customer" and one.truth["position"] and chance.random() < forgetful:
            raw = re.sub(rb"(?im)^(In-Reply-To|References):.*\r\n([ \t].*\r\n)*", b"", raw)
        message = parse(raw)
        reference = threads.place(message, at=one.received).reference
        if one.truth["role"] in ("customer", "agent"):  # what machines answer belongs to no true thread
            true[message.sha256], placed[message.sha256] = one.truth["thread"], reference
    wanted, found = pairs_of(true), pairs_of(placed)
    assert len(wanted) > 2000
    both = len(wanted & found)
    print(
        f"{len(true)} messages, {days} days: {both / len(found):.4f} precise, {both / len(wanted):.4f} found"
    )
    return both / len(found), both / len(wanted)


def test_joining_finds_the_true_threads_of_the_sample_mailbox() -> None:
    """Of all pairs of messages of one conversation nearly all are joined, and hardly a pair of two."""
    precision, recall = joined(days=0, forgetful=0.0)
    assert precision > 0.995
    assert recall > 0.98


def test_the_subject_finds_most_of_what_forgetful_mail_programs_lose() -> None:
    """With a third of the answers naming nothing, two weeks of subjects find them and join few strangers."""
    _, without = joined(days=0, forgetful=0.33)
    precision, recall = joined(days=14, forgetful=0.33)
    assert recall > without + 0.1
    assert precision > 0.99


class TestPeople:
    LINES = ("Message-ID: <1@c>", "Date: Mon, 2 Mar 2026 10:00:00 +0000")

    def test_copies_share_a_key_and_other_mail_does_not(self) -> None:
        """Each server adds its own Received; sender, date, subject and Message-ID make the copy."""
        original = copy_key(mail("ann@c.example", *self.LINES, "Subject: hi"))
        assert copy_key(mail("ann@c.example", "Received: by mx", *self.LINES, "Subject: hi")) == original
        assert copy_key(mail("eve@c.example", *self.LINES, "Subject: hi")) != original
        assert copy_key(mail("ann@c.example", *self.LINES, "Subject: other")) != original
        assert copy_key(mail("ann@c.example", "Message-ID: <1@c>", "Subject: hi")) != original
        assert copy_key(mail("ann@c.example", "Subject: hi")) == ""

    def test_a_subject_that_cannot_be_stored_has_a_key(self) -> None:
        """Megabytes and lone surrogates of a hostile header end in a key like any other."""
        wild = "Subject: " + "x" * 100_000 + " =?utf-16?b?2AA=?="
        assert len(copy_key(mail("ann@c.example", *self.LINES, wild))) == 64

    def test_everybody_of_a_mail_is_a_party(self) -> None:
        """Sender, Reply-To, recipients and copies, lower-case, each once, and no more than can be handled."""
        message = mail("A@B.example", "Cc: c@d.example, A@b.example", "Reply-To: r@b.example")
        assert parties_of(message) == {"a@b.example", "c@d.example", "r@b.example", "support@acme.example"}
        crowd = ", ".join(f"u{n}@many.example" for n in range(5000))
        assert len(parties_of(mail("a@b.example", f"Cc: {crowd}", to=crowd))) <= 301
