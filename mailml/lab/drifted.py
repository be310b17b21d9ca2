"""Is the mail of these weeks still the mail the classifier was trained for?

What is compared is honest on both sides: the classifier's confidence and vocabulary on new mail against what
it reached on training mail it had not seen (the card says so), never against mail it knows by heart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mailml.errors import NotEnoughData
from mailml.lab.drift_checks import Check, checks, corrected, labels_of
from mailml.lab.drifting import Texts, texts_of
from mailml.lab.new_topics import Topic, new_topics
from mailml.lab.open_time import micros
from mailml.lab.unseen import training_span

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.labels import Labels

LEAST = 40  # messages on either side: fewer say nothing
NEW_LABELS = 200  # so many since training are worth a training of their own
_SHARE = 0.03  # of the recent mail: a topic smaller than that does not yet cost anyone a morning


@dataclass(frozen=True, eq=False)
class Drift:
    """What changed since training. `weeks` has per week: arrivals, abstained, mean confidence, known words.

    `mix` has the shares of categories (queues, without a classifier) then and now.
    """

    checks: tuple[Check, ...]
    topics: tuple[Topic, ...]
    weeks: pd.DataFrame = field(repr=False)
    mix: pd.DataFrame = field(repr=False)
    then: tuple[datetime, datetime]
    now: tuple[datetime, datetime]
    messages: tuple[int, int]
    new_labels: int | None
    source: str
    bundle: str
    notes: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why to train again; empty when there is no reason."""
        why = [f"{one.name}: {one.then} then, {one.now} now" for one in self.checks if one.retrain]
        big = [topic for topic in self.topics if topic.share >= _SHARE]
        why += [
            f"a new topic, {topic.share:.0%} of recent mail: {', '.join(topic.words[:4])}" for topic in big
        ]
        if self.new_labels is not None and self.new_labels >= NEW_LABELS:
            why.append(f"{self.new_labels:,} labels are newer than the training")
        return tuple(why)

    @property
    def verdict(self) -> str:
        """`retrain`, `watch` (something changed that training does not cure), or `steady`."""
        if self.reasons:
            return "retrain"
        return "watch" if any(one.changed for one in self.checks) or self.topics else "steady"

    def table(self) -> pd.DataFrame:
        """The checks as a table."""
        import pandas as pd

        rows = [(one.name, one.then, one.now, one.p, _word(one), one.note) for one in self.checks]
        return pd.DataFrame(rows, columns=["what", "then", "now", "p", "verdict", "note"])


@dataclass(frozen=True, slots=True)
class Past:
    """A history as it is read: one row per message, the words of each by its hash, and what it is of."""

    ledger: pd.DataFrame
    texts: Mapping[str, str]
    source: str


def compare(past: Past, bundle: Bundle, labels: Labels | None, days: int) -> Drift:
    """The mail of the last `days` against the training time of the bundle; see `lab.drift`."""
    ledger, texts = past.ledger, past.texts
    rows = ledger[~ledger["sent"] & ledger["kind"].eq("human") & ~ledger["thanks"]].sort_values("at")
    then, now, rest = _split(rows, bundle, days)
    judged = texts_of(texts, bundle, rest) if bundle.model is not None and texts else None
    notes: list[str] = []
    topics: tuple[Topic, ...] = ()
    if judged is None:
        notes.append("Vocabulary, confidence and new topics need the bodies of an archive and a classifier.")
    else:
        unsure = [sha for sha in now["sha256"] if judged.abstained.get(sha, False)]
        topics = new_topics(texts, unsure, then["sha256"].tolist(), now)
    return Drift(
        checks=corrected(checks(then, now, bundle, judged)),
        topics=topics,
        weeks=_weeks(rest, judged),
        mix=_mix(then, now, judged),
        then=_span(then),
        now=_span(now),
        messages=(len(then), len(now)),
        new_labels=_new_labels(labels, bundle),
        source=past.source,
        bundle=bundle.id,
        notes=tuple(notes),
    )


def past_of(history: Any, bundle: Bundle, archive: Archive | None) -> Past:
    """What `lab.drift` may be given, read; bodies come from `archive` where the history holds none."""
    from mailml.lab.drifting import bodies
    from mailml.lab.feedback import Feedback
    from mailml.lab.replay import replay

    if isinstance(history, Feedback):
        ledger = history.ledger()
        texts = bodies(archive) if archive is not None else {}
        return Past(ledger, texts, history.source)
    if hasattr(history, "columns") and not hasattr(history, "append"):
        texts = bodies(archive) if archive is not None else {}
        return Past(history, texts, f"mailbox history, {len(history):,} messages")
    ledger = replay(history, bundle)
    told = f"mailbox history, {len(ledger):,} messages, bundle {bundle.id}"
    return Past(ledger, bodies(history), told)


def _split(rows: pd.DataFrame, bundle: Bundle, days: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The mail of then (training), of now (the last days), and everything after the beginning of then."""
    if rows.empty:
        raise NotEnoughData("no person wrote in this history", cure="Pull the Inbox and the queue folders")
    at, span = micros(rows["at"]), training_span(bundle)
    last = rows["at"].max().to_pydatetime()
    start, end = span or (rows["at"].min().to_pydatetime(), rows["at"].iloc[len(rows) // 2].to_pydatetime())
    since = max(end, last - timedelta(days=days))
    then = rows[(at >= micros([start])[0]) & (at <= micros([end])[0])]
    now = rows[at > micros([since])[0]]
    if min(len(then), len(now)) < LEAST:
        what = f"{len(then)} messages of the training time and {len(now)} after it; each side needs {LEAST}"
        raise NotEnoughData(what, cure="Pull newer mail, or compare more days")
    return then, now, rows[at >= micros([start])[0]]


def _mix(then: pd.DataFrame, now: pd.DataFrame, judged: Texts | None) -> pd.DataFrame:
    import pandas as pd

    from mailml.lab.intervals import wilson

    column = "category" if judged is not None else "queue"
    before, after = labels_of(then, judged), labels_of(now, judged)
    names = sorted({*before, *after})
    rows = [
        (name, wilson(before.count(name), len(before)), wilson(after.count(name), len(after)))
        for name in names
    ]
    return pd.DataFrame(rows, columns=[column, "then", "now"])


def _weeks(rows: pd.DataFrame, judged: Texts | None) -> pd.DataFrame:
    made = rows.assign(week=rows["at"].dt.tz_localize(None).dt.to_period("W-SUN").dt.start_time)
    for name, facts in _per_message(judged).items():
        made[name] = made["sha256"].map(facts).astype("float64")
    grouped = made.groupby("week")
    table = grouped.size().to_frame("arrivals")
    for name in _per_message(judged):
        table[name] = grouped[name].mean()
    return table.reset_index()


def _per_message(judged: Texts | None) -> dict[str, Mapping[str, Any]]:
    if judged is None:
        return {}
    return {"abstained": judged.abstained, "confidence": judged.confidence, "known_words": judged.known}


def _new_labels(labels: Labels | None, bundle: Bundle) -> int | None:
    span = training_span(bundle)
    if labels is None or span is None:
        return None
    made = datetime.fromisoformat(str(bundle.manifest.get("created", span[1].isoformat())))
    return sum(label.at > max(span[1], made) for label in labels.latest().values())


def _span(rows: pd.DataFrame) -> tuple[datetime, datetime]:
    return rows["at"].min().to_pydatetime(), rows["at"].max().to_pydatetime()


def _word(one: Check) -> str:
    if one.retrain:
        return "changed: retrain"
    return "changed" if one.changed else "steady"
