"""Which messages to label, and in which order: by chance, where the model wavers, where agents differ."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailml.errors import InputError
from mailml.lab.arrivals import Key
from mailml.lab.escape import mask, plain_text
from mailml.lab.folders import is_history, is_sent, queue_of
from mailml.lab.labels import Labels

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle

ORDERS = ("random", "uncertain", "disagreement", "cluster", "review")
# Judging a pool of this size takes seconds; the least certain of 2,000 are uncertain enough.
_POOL = 2_000
Shown = Callable[[str], str]  # how a text is shown: as it is, or with its addresses masked
_LONGEST = 6_000  # characters of a body in the panel
_COLUMNS = (
    "account", "folder", "uidvalidity", "uid", "internaldate", "sha256", "subject", "from_addr", "own",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """One message to label, as plain text; `guess` and `trace` are the bundle's, shown on demand."""

    message: str  # SHA-256
    subject: str
    sender: str
    received: str
    body: str
    guess: str = ""
    trace: str = ""  # the whole decision as a tree: every rule that was tried, and why


def candidates(
    archive: Archive,
    *,
    labels: Labels | None = None,
    bundle: Bundle | None = None,
    order: str = "random",
    n: int = 100,
    seed: int = 0,
    addresses: bool = False,
) -> list[Candidate]:
    """Up to `n` incoming messages that no person has labelled yet; with "review" those whose labels disagree.

    `order`: random (an honest sample for evaluation), uncertain (the classifier's two best answers are
    close), disagreement (the flow would send it elsewhere than where agents left it), cluster (one of each
    topic after the other), review (where hand labels, agents' doings and folders disagree, the weightiest
    first; needs `labels`). The middle two need a bundle with a classifier. The same seed gives the same
    messages. Addresses are masked unless `addresses` asks for them.
    """
    shown: Shown = str if addresses else mask
    if order not in ORDERS:
        raise InputError(f"{order!r} is no order", cure=f"The orders are {', '.join(ORDERS)}")
    if order in ("uncertain", "disagreement") and (bundle is None or bundle.model is None):
        raise InputError(f"the order {order!r} needs a bundle with a classifier", cure="Give bundle=…")
    if order == "review":
        return _to_review(archive, labels, bundle, n, shown)
    rows = _unlabelled(archive, labels, bundle)
    chance = random.Random(seed)
    chance.shuffle(rows)
    if order == "cluster":
        return [_candidate(row, shown) for row in _one_of_each(rows[:_POOL], seed)[:n]]
    if bundle is None:
        return [_candidate(row, shown) for row in rows[:n]]
    pool = rows[: n if order == "random" else _POOL]
    judged = [(*_judge(archive, row, bundle, shown), row) for row in pool]
    if order == "uncertain":
        judged.sort(key=lambda item: item[0])
    elif order == "disagreement":
        judged = [item for item in judged if item[1]]
    return [_candidate(row, shown, guess, trace) for _, _, guess, trace, row in judged[:n]]


def _unlabelled(archive: Archive, labels: Labels | None, bundle: Bundle | None) -> list[dict[str, Any]]:
    said = labels.latest() if labels is not None else {}
    done = {message for message, label in said.items() if label.source in ("panel", "csv")}
    own = bundle.desk.identity.addresses if bundle is not None else frozenset[str]()
    rows: dict[str, dict[str, Any]] = {}
    for row in archive.table(columns=list(_COLUMNS)).to_pylist():
        ours = is_sent(row["folder"]) or row["from_addr"] in own
        if not ours and is_history(row["folder"]) and row["sha256"] not in done:
            rows.setdefault(row["sha256"], row)
    return [rows[sha] for sha in sorted(rows)]


def _to_review(
    archive: Archive, labels: Labels | None, bundle: Bundle | None, n: int, shown: Shown
) -> list[Candidate]:
    from mailml.lab.mine import to_review

    if labels is None:
        raise InputError("the order 'review' needs labels that disagree", cure="Give labels=…")
    there = {row["sha256"]: row for row in _unlabelled(archive, None, bundle)}
    return [_candidate(there[sha], shown) for sha in to_review(labels) if sha in there][:n]


def _judge(
    archive: Archive, row: dict[str, Any], bundle: Bundle, shown: Shown
) -> tuple[float, bool, str, str]:
    """How sure the classifier is (its best less its second), whether agents disagree, guess and trace."""
    from mailml.decide import decide
    from mailml.explain import explain
    from mailml.message import parse
    from mailml.text import classifier_input, own_words
    from mailml.verdict import Context

    message = parse(archive.raw(key_of(row)))
    at = row["internaldate"]
    decision = decide(message, bundle, Context(received_at=at, now=at, mailbox=row["account"]))
    category = decision.category
    if category is None and bundle.model is not None:
        category = bundle.model.categorize(classifier_input(message, own_words(message)))
    chances = sorted((chance for _, chance in category.probabilities), reverse=True) if category else []
    margin = chances[0] - chances[1] if len(chances) > 1 else 1.0
    final = queue_of(row["folder"], bundle.flow.queues())
    guess = f"{decision.kind.value}; rule {decision.rule} → {decision.queue or decision.folder}"
    if category is not None and chances:
        words = ", ".join(plain_text(word, 30) for word, _ in category.words[:6])
        guess = f"{category.label or 'no answer'} {chances[0]:.0%} ({words})\n{guess}"
    trace = shown(explain(row["sha256"][:12], message, decision, bundle, at))
    return margin, bool(final and decision.queue and final != decision.queue), guess, trace


def key_of(row: dict[str, Any]) -> Key:
    """The key of a row of the archive's table."""
    return row["account"], row["folder"], row["uidvalidity"], row["uid"]


def _one_of_each(rows: Sequence[dict[str, Any]], seed: int, topics: int = 20) -> list[dict[str, Any]]:
    """Rows dealt out so that each of some twenty topics comes once before any comes twice."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(rows) <= topics:
        return list(rows)
    texts = [f"{row['subject']} {row['own'] or ''}"[:2_000] or "empty" for row in rows]
    vectorizer = TfidfVectorizer(max_features=5_000, sublinear_tf=True)
    words = vectorizer.fit_transform(texts)
    found = MiniBatchKMeans(topics, random_state=seed, n_init=1).fit_predict(words)
    turn: dict[int, int] = {}
    order = []
    for at, topic in enumerate(found):
        order.append((turn.setdefault(int(topic), 0), at))
        turn[int(topic)] += 1
    return [rows[at] for _, at in sorted(order)]


def _candidate(row: dict[str, Any], shown: Shown, guess: str = "", trace: str = "") -> Candidate:
    return Candidate(
        message=row["sha256"],
        subject=plain_text(shown(row["subject"]), 300),
        sender=plain_text(shown(row["from_addr"]), 120),
        received=f"{row['internaldate']:%a %d %b %Y %H:%M} UTC" if row["internaldate"] else "",
        body=plain_text(shown(row["own"] or ""), _LONGEST),
        guess=guess,
        trace=plain_text(trace, _LONGEST),
    )
