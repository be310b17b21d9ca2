"""Messages and labels brought together: the rows a model is trained or judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.errors import LabelError, NotEnoughData


@dataclass(frozen=True)
class Examples:
    """Labelled messages in columns of one length; `notes` says in sentences what was left out and why.

    `texts` is what the classifier reads; `messages` are SHA-256 hashes; times are aware or None; a thread or
    sender of "" is unknown.
    """

    texts: Sequence[str]
    labels: Sequence[str]
    messages: Sequence[str]
    threads: Sequence[str]
    senders: Sequence[str]
    times: Sequence[datetime | None]
    notes: tuple[str, ...] = ()
    names: Sequence[str] = ()  # the senders' display names, where known: they are kept out of the vocabulary
    newest: datetime | None = None  # when the latest of the labels was given, where that is known

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return f"Examples({len(self)} messages, {len(set(self.labels))} classes)"

    def rows(self, which: Iterable[int]) -> Examples:
        """Some of the rows, in the given order."""
        index = [int(i) for i in which]
        columns = ("texts", "labels", "messages", "threads", "senders", "times")
        picked: dict[str, Any] = {name: [getattr(self, name)[i] for i in index] for name in columns}
        if self.names:
            picked["names"] = [self.names[i] for i in index]
        return replace(self, **picked)

    def noting(self, *notes: str) -> Examples:
        """The same rows with more notes."""
        return replace(self, notes=(*self.notes, *(note for note in notes if note)))

    @property
    def hash(self) -> str:
        """SHA-256 over messages and labels, order left out: names the training data in a manifest."""
        pairs = sorted(f"{m}\t{label}" for m, label in zip(self.messages, self.labels, strict=True))
        return hashlib.sha256("\n".join(pairs).encode()).hexdigest()


def from_lists(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    threads: Sequence[Any] | None = None,
    senders: Sequence[str] | None = None,
    times: Sequence[datetime | None] | None = None,
) -> Examples:
    """Examples from plain sequences of one length; raises LabelError when the lengths differ."""
    n = len(texts)
    nothing = [""] * n
    columns = {"labels": labels, "threads": threads, "senders": senders, "times": times}
    for name, column in columns.items():
        if column is not None and len(column) != n:
            raise LabelError(f"there are {n} texts and {len(column)} {name}", cure="Pass one for each text")
    hashes = [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in texts]
    names = [
        str(thread) if thread is not None else "" for thread in (threads if threads is not None else nothing)
    ]
    when = list(times) if times is not None else [None] * n
    who = list(senders) if senders is not None else nothing
    return Examples(list(texts), [str(label) for label in labels], hashes, names, who, when)


def from_frame(frame: Any, labels: Any) -> Examples:
    """Examples from a frame (`lab.frame`) and labels (a label store, or message hash -> label).

    Raises LabelError when there are no labels, or none for a message of the frame. Labels for messages that
    are gone are left out and noted; so are messages without text, and a message's second copy.
    """
    wanted = _wanted(labels)
    if not wanted:
        raise NotEnoughData("there are no labels", cure="Label some messages first: `mailml label`")
    first = _first_rows(frame, wanted)
    if not first:
        what = f"none of the {len(wanted)} labels is for a message of this frame"
        raise LabelError(what, cure="They may be for another archive, or the messages are gone: pull again")
    part = frame.iloc[sorted(first.values())]
    texts = texts_of(part)
    messages = [str(m) for m in part["sha256"]]
    times = [None if t is None or t != t else t.to_pydatetime() for t in _column(part, "received", None)]
    threads, senders = _strings(_column(part, "thread", "")), _strings(_column(part, "from_addr", ""))
    names = _strings(_column(part, "from_name", ""))
    given = [wanted[m] for m in messages]
    newest = _newest(labels, messages)
    examples = Examples(texts, given, messages, threads, senders, times, names=names, newest=newest)
    full = [i for i, text in enumerate(texts) if text.strip()]
    gone, empty = len(wanted) - len(first), len(texts) - len(full)
    return examples.rows(full).noting(
        f"{gone} labels are for messages that are not in the frame." if gone else "",
        f"{empty} labelled messages have no text and were left out." if empty else "",
    )


def capped(examples: Examples, most: int) -> Examples:
    """At most `most` messages of one sender and class (the latest kept): nobody can flood the training."""
    seen: dict[tuple[str, str], int] = {}
    kept = []
    for row in sorted(range(len(examples)), key=lambda i: _stamp(examples.times[i]), reverse=True):
        key = (examples.senders[row], examples.labels[row])
        seen[key] = seen.get(key, 0) + 1
        if not key[0] or seen[key] <= most:
            kept.append(row)
    cut = len(examples) - len(kept)
    if not cut:
        return examples
    return examples.rows(sorted(kept)).noting(
        f"{cut} messages were left out of training: at most {most} of one sender and class count."
    )


def before(examples: Examples, until: datetime) -> Examples:
    """The examples that came before `until` (aware), noting how many are held out; without a time is past."""
    if until.tzinfo is None:
        raise LabelError(f"`until` has no time zone: {until}", cure="Pass an aware time, such as one in UTC")
    kept = [i for i, time in enumerate(examples.times) if time is None or time < until]
    held = len(examples) - len(kept)
    note = f"{held} labelled messages from {until:%Y-%m-%d} on are held out of training, for the back-test."
    return examples.rows(kept).noting(note if held else "")


def texts_of(frame: Any) -> list[str]:
    """What the classifier reads of each message of a frame: its `text`, or subject and own words."""
    if "text" in frame.columns:
        return _strings(frame["text"])
    subjects, own = _strings(_column(frame, "subject", "")), _strings(_column(frame, "own", ""))
    return [f"{subject}\n{words}" if subject else words for subject, words in zip(subjects, own, strict=True)]


def label_numbers(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.int64]:
    """The labels as positions in `classes`."""
    position = {name: i for i, name in enumerate(classes)}
    return np.array([position[label] for label in labels], dtype=np.int64)


def _wanted(labels: Any) -> dict[str, str]:
    found: Mapping[str, Any] = labels.latest() if hasattr(labels, "latest") else dict(labels)
    return {str(message): str(getattr(label, "label", label)) for message, label in found.items()}


def _newest(labels: Any, messages: Sequence[str]) -> datetime | None:
    """When the latest label of these messages was given; None where labels are plain words."""
    found = labels.latest() if hasattr(labels, "latest") else dict(labels)
    times = [found[m].at for m in messages if hasattr(found[m], "at")]
    return max(times, default=None)


def _first_rows(frame: Any, wanted: Mapping[str, str]) -> dict[str, int]:
    if "sha256" not in frame.columns:
        raise LabelError("the frame has no column `sha256`", cure="Pass what lab.frame(…) returns")
    first: dict[str, int] = {}
    for row, message in enumerate(frame["sha256"]):
        if message in wanted:
            first.setdefault(str(message), row)
    return first


def _column(frame: Any, name: str, default: Any) -> Iterable[Any]:
    return frame[name] if name in frame.columns else [default] * len(frame)


def _strings(values: Iterable[Any]) -> list[str]:
    return ["" if value is None or value != value else str(value) for value in values]


def _stamp(time: datetime | None) -> float:
    return time.timestamp() if time is not None else float("-inf")
