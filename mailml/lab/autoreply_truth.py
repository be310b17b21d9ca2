"""What is true of incoming mail without a label: who answered it, and what people said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mailml.lab.labels import Label, Labels

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive

_BY_HAND = frozenset({"panel", "csv"})


Named = Mapping[str, tuple[str, str]]  # SHA-256 -> (its own Message-ID, the Message-ID it answers)


def named(archive: Archive) -> dict[str, tuple[str, str]]:
    """Which mail each mail of an archive answers, as its In-Reply-To says (RFC 5322 3.6.4)."""
    table = archive.table(columns=["sha256", "message_id", "in_reply_to"]).to_pydict()
    columns = (table["sha256"], table["message_id"], table["in_reply_to"])
    return {sha: (own or "", (answers or [""])[0]) for sha, own, answers in zip(*columns, strict=True)}


def followed(ledger: pd.DataFrame, names: Named | None = None) -> pd.DataFrame:
    """What came of each incoming row: columns `answered` and `acked_in_sent` (booleans).

    `answered`: a person of ours answered it. With `names` an answer is to the mail that it names; one that
    names none of the archive, and every answer without `names`, is to the mail right before it in the thread
    (our own automatic mail does not count). `acked_in_sent`: the next mail is an automatic one of ours.
    """
    import pandas as pd

    known, where = names or {}, dict[str, list[object]]()
    for label, sha, sent in zip(ledger.index, ledger["sha256"], ledger["sent"], strict=True):
        own = known.get(sha, ("", ""))[0]
        if own and not sent:
            where.setdefault(own, []).append(label)
    found = pd.DataFrame({"answered": False, "acked_in_sent": False}, index=ledger.index)
    in_order = ledger.sort_values("at", kind="stable")
    answered, acked = set[object](), set[object]()
    for _, thread in in_order.groupby("thread", sort=False):
        targets = [where.get(known.get(sha, ("", ""))[1], []) for sha in thread["sha256"]]
        rows = zip(thread.index, thread["sent"], thread["automatic"], targets, strict=True)
        _backwards(list(rows), answered, acked)
    found.loc[list(answered), "answered"] = True
    found.loc[list(acked), "acked_in_sent"] = True
    return found


def _backwards(
    thread: list[tuple[object, bool, bool, list[object]]], answered: set[object], acked: set[object]
) -> None:
    """Walk a thread from its end; an answer waits for the mail before it, unless it names another."""
    waits, next_is_ack = False, False
    for label, sent, automatic, targets in reversed(thread):
        if not sent:
            if waits:
                answered.add(label)
            if next_is_ack:
                acked.add(label)
            waits = False
        elif not automatic:
            answered.update(targets)
            waits = not targets
        next_is_ack = sent and automatic


def said(labels: Labels | None) -> dict[str, bool]:
    """Message -> whether a machine wrote it, as far as labels say.

    A person who calls a message "billing" has said that a person wrote it. A category mined from folders
    says nothing of the kind: newsletters are moved into queues, too.
    """
    if labels is None:
        return {}
    told = {sha: _machine(label) for sha, label in labels.latest().items()}
    return {sha: machine for sha, machine in told.items() if machine is not None}


def _machine(label: Label) -> bool | None:
    if label.label in ("automated", "human"):
        return label.label == "automated"
    return False if label.source in _BY_HAND else None
