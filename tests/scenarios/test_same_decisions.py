"""The one law: the notebook and the running router decide every message of the sample mailbox alike."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml import bundle as bundles
from mailml import lab
from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.flow import ready
from mailml.lab import queues
from mailml.lab.arrivals import arrivals
from mailml.lab.labels import Labels, from_folders
from mailml.lab.pull import pull
from mailml.lab.replay import replay
from mailml.verdict import Context, canonical_json
from serve.keys import loop_key
from serve.limits import Limits
from tests.serve.service import Service, mail

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.timeout(600)]
DESK = """
[identity]
name = "Acme Support"
addresses = ["support@acme.example", "billing@acme.example"]
domains = ["acme.example"]
authserv_ids = ["mx.acme.example"]
[calendar]
zone = "Europe/Berlin"
week = { mon-fri = ["09:00-17:00"] }
country = "DE"
[ack]
cut_off_hours = 87600
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> lab.Archive:
    """Half of the sample mailbox as an archive: the whole takes minutes on two cores."""
    return lab.sample_archive(tmp_path_factory.mktemp("sample") / "archive", messages=1500)


@pytest.fixture(scope="module")
def trained_bundle(history: lab.Archive, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with a classifier trained on the sample's folders."""
    flow, desk = ready.load("default"), bundles.desk.loads(DESK)
    frame = lab.frame(history)
    folder = tmp_path_factory.mktemp("labels")
    labels = Labels(folder / "labels.jsonl")
    labels.add(from_folders(frame, queues.folder_categories(set(frame["folder"]), flow)))
    trained = lab.train(frame, labels)
    created = datetime(2026, 3, 1, tzinfo=UTC)
    return bundles.write(folder / "bundle", flow=flow, desk=desk, model=trained.model, created=created)


def test_every_decision_is_the_same_in_the_notebook_and_in_the_router(
    service: Service, history: lab.Archive, trained_bundle: Bundle, tmp_path: Path
) -> None:
    """All incoming mail of the sample, decided by the router and by a replay: equal field by field."""
    incoming = sorted(
        (pair for pair in history.messages() if pair[0].folder != "Sent"),
        key=lambda pair: (pair[0].internaldate, pair[0].folder, pair[0].uid),
    )
    assert len(incoming) > 750
    with service.mailbox.client() as client:
        for row, raw in incoming:
            client.append("INBOX", raw, (), row.internaldate)
    archive = lab.Archive.open(tmp_path / "pulled", create=True)
    assert pull(service.mailbox.account("none"), archive, "INBOX", False).new == len(incoming)

    service.serve["bundle"] = str(trained_bundle.path)
    # the loop breaker counts by the clock, and a year of mail comes in a minute here
    numbers = (name for name in Limits.model_fields if name != "freemail")
    service.limits = dict.fromkeys(numbers, 1_000_000)
    service.once()
    served = {(line["mailbox"], line["uid"]): line for line in service.decisions()}
    assert len(served) == len(incoming)

    key = loop_key(service.config.service)
    ledger = replay(archive, trained_bundle, loop_key=key, decisions=True)
    differing = []
    for row in ledger.itertuples():
        line = served["desk", row.uid]
        if canonical_json(line["decision"]) != row.decision.to_json():
            differing.append((row.uid, row.subject, line["decision"], row.decision))
        context = Context.from_plain(line["context"], loop_key=key)
        again = decide(archive.raw(row.sha256), trained_bundle, context)
        assert again.to_json() == canonical_json(line["decision"])
    assert not differing, f"{len(differing)} differ, the first: {differing[0]}"
    assert ledger["queue"].nunique() >= 5


CONVERSATIONS = [
    # whom the customer asks to be answered at answers; a stranger who quotes the same mail does not join
    mail(1, Reply_To="boss@customer1.example"),
    mail(2, sender="boss@customer1.example", In_Reply_To="<m1@customer.example>", subject="Re: printer"),
    mail(3, sender="eve@evil.example", In_Reply_To="<m1@customer.example>", subject="Re: printer"),
    # a colleague answers from another of our addresses, and the customer answers that
    mail(4, sender="Acme Billing <billing@acme.example>", In_Reply_To="<m1@customer.example>"),
    mail(5, sender="boss@customer1.example", In_Reply_To="<m4@customer.example>"),
    # the same mail through two lists, each with its own Received, and an answer to it
    b"Received: by one.example; Mon, 2 Mar 2026 10:00:01 +0000\r\n" + mail(6),
    b"Received: by two.example; Mon, 2 Mar 2026 10:00:02 +0000\r\n" + mail(6),
    mail(7, sender="c6@customer6.example", In_Reply_To="<m6@customer.example>"),
    # a mail program that names nothing it answers, in time and too late, and a new mail under the old subject
    mail(11, subject="Lost"),
    mail(12, sender="c11@customer11.example", subject="AW: Lost 11", Subject="AW: Lost 11"),
    mail(13, sender="c11@customer11.example", Subject="Lost 11"),
    # a duplicate Message-ID joins nothing
    mail(8, Message_ID="<twice@scripts.example>"),
    mail(9, Message_ID="<twice@scripts.example>"),
    mail(10, sender="c8@customer8.example", In_Reply_To="<twice@scripts.example>"),
]


def test_every_mail_is_joined_alike_in_the_notebook_and_in_the_router(
    service: Service, tmp_path: Path
) -> None:
    """An archive's columns join what the router joins on whole mails: the same place for the same reason."""
    with service.mailbox.client() as client:
        for number, raw in enumerate(CONVERSATIONS):
            client.append("INBOX", raw, (), datetime(2026, 3, 2, 11, number, tzinfo=UTC))
    archive = lab.Archive.open(tmp_path / "pulled", create=True)
    pull(service.mailbox.account("none"), archive, "INBOX", False)
    desk_of = bundles.desk.loads(f"{DESK}[threads]\nsame_subject_days = 0.01\n")
    bundles.write(service.bundle_path, flow=ready.load("default"), desk=desk_of, created=datetime.now(UTC))
    service.once()
    with service.journal.read() as tx:
        rows = tx.exec_driver_sql(
            "select i.uid, n.reference, a.joined_by from arrivals a join incoming i on i.id = a.incoming_id"
            " join interactions n on n.id = a.interaction_id"
        )
        live = {row.uid: (row.reference, row.joined_by) for row in rows}
    history = arrivals(archive, desk_of.identity.addresses, same_subject=desk_of.same_subject)
    replayed = {one.key[3]: (one.thread, one.joined_by) for one in history}
    assert replayed == live
    together = [replayed[uid][0] for uid in (1, 2, 4, 5)]
    assert len(set(together)) == 1
    assert {by for _, by in replayed.values()} == {"new", "references", "same_message", "same_subject"}
    assert len({reference for reference, _ in replayed.values()}) == 8
