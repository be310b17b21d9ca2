"""The file of `mailml-serve export-feedback`, read: what the running service decided, moved and sent.

The lab never opens the service's journal, SQLite or other: this file is what the two have agreed on. It gives
the same table as `lab.replay`, so every report is made from it as from a mailbox's history.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailml.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_CURE = "Write it with: mailml-serve export-feedback --out feedback.jsonl"
_TRUE = frozenset({"true", "True", "1"})
# What a decision is made of: these columns of a replay are overlaid with what the service really did.
DECIDED = (
    "kind", "row", "disposition", "queue", "filed_in", "priority", "category", "probability", "ack",
    "ack_reason", "due", "target", "rule", "bundle",
)  # fmt: skip
_TEXTS = (
    "sha256", "joined_by", "subject", "kind", "row", "disposition", "queue", "rule", "ack_reason", "target",
    "bundle", "queue_now", "moved_to", "reference", "from", "folder", "mailbox",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Feedback:
    """What the file says. `messages` has a row per message with its keys, `answers` one per mail of ours."""

    path: Path
    made: str
    messages: pd.DataFrame = field(repr=False)
    answers: pd.DataFrame = field(repr=False)

    @property
    def source(self) -> str:
        """Where figures made from it come from, in words."""
        return f"the journal of mailml-serve, {len(self.messages):,} messages, exported {self.made[:16]} UTC"

    def ledger(self) -> pd.DataFrame:
        """The table of `lab.replay` as the service lived it.

        Where an interaction was resolved is known when it stands in another queue now, or when a person
        answered it where it was; else `final_queue` is "".
        """
        import pandas as pd

        ours, theirs = _ours(self.answers), _theirs(self.messages)
        human = set(self.answers.loc[~self.answers["automatic"], "reference"])
        moved, answered = theirs["queue_now"].ne(theirs["queue"]), theirs["thread"].isin(human)
        theirs["final_queue"] = theirs["queue_now"].where(moved | answered, "")
        theirs["final_queue"] = theirs["final_queue"].where(theirs["queue"].ne(""), "")
        both = pd.concat([theirs, ours], ignore_index=True) if len(ours) else theirs
        return _typed(both.sort_values("at", kind="stable").reset_index(drop=True))

    def overlay(self, ledger: pd.DataFrame) -> pd.DataFrame:
        """A replayed history with what the service really decided; its own mail stays, the rest is left out.

        Threads, answers and final folders are the mailbox's: it knows what agents did by hand.
        """
        lived = _theirs(self.messages).drop_duplicates("sha256").set_index("sha256")
        known = ledger[ledger["sent"] | ledger["sha256"].isin(lived.index)].copy()
        incoming = ~known["sent"]
        at = lived.reindex(known.loc[incoming, "sha256"])
        for column in DECIDED:
            values = known[column].astype(object)
            values[incoming] = at[column].to_numpy()
            known[column] = values
        known["due_sum"] = ""
        return _typed(known.reset_index(drop=True))


def read(path: str | os.PathLike[str]) -> Feedback:
    """Read a feedback file, JSON Lines or CSV; raises InputError for anything else, with what to do."""
    import pandas as pd

    file = Path(path)
    if "://" in str(path) or not file.is_file():
        what = "is a database's address" if "://" in str(path) else "no such file"
        raise InputError(f"{what}: the lab reads an exported file", where=str(path), cure=_CURE)
    with file.open("rb") as opened:
        if opened.read(15) == b"SQLite format 3":
            raise InputError(
                "is the journal itself, which only the service reads", where=str(path), cure=_CURE
            )
    kinds: dict[str, list[dict[str, Any]]] = {"head": [], "message": [], "answer": []}
    for number, line in _lines(file):
        if line.get("what") not in kinds:
            raise InputError("is no line of a feedback file", where=f"{file}:{number}", cure=_CURE)
        kinds[line["what"]].append(line)
    heads = kinds["head"]
    if not heads or str(heads[0].get("format")) != str(FORMAT):
        told = heads[0].get("format") if heads else "none"
        raise InputError(f"has format {told}, this version reads {FORMAT}", where=str(file), cure=_CURE)
    messages = pd.DataFrame(kinds["message"], columns=_columns(kinds["message"], _TEXTS))
    answers = pd.DataFrame(kinds["answer"], columns=_columns(kinds["answer"], ("reference", "message_id")))
    return Feedback(file, str(heads[0]["at"]), _clean(messages), _clean(answers))


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8", newline="") as opened:
        if file.suffix == ".csv":
            for at, row in enumerate(csv.DictReader(opened), 2):
                yield at, {key: _unquoted(value or "") for key, value in row.items() if key}
            return
        for number, line in enumerate(opened, 1):
            try:
                value = json.loads(line)
            except ValueError as error:
                raise InputError(f"is no JSON ({error})", where=f"{file}:{number}", cure=_CURE) from error
            yield number, value if isinstance(value, dict) else {}


def _unquoted(cell: str) -> str:
    """The cell without the quote that keeps a spreadsheet from running it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r") else cell


def _columns(rows: list[dict[str, Any]], more: tuple[str, ...]) -> list[str]:
    flags = ("opens", "ack", "automatic", "moved_by_hand")
    always = [*more, *flags, "at", "due_at", "undone_at", "uid", "uidvalidity", "priority", "category"]
    return list(dict.fromkeys([*always, "probability", "quarantined", *(rows[0] if rows else ())]))


def _clean(rows: pd.DataFrame) -> pd.DataFrame:
    """The same columns from JSON and from CSV: flags as bool, times in UTC, missing texts empty."""
    import pandas as pd

    made = rows.copy()
    for name in ("opens", "ack", "automatic", "moved_by_hand"):
        made[name] = made[name].map(lambda value: value is True or value in _TRUE).astype(bool)
    for name in ("at", "due_at", "undone_at"):
        made[name] = pd.to_datetime(made[name].replace("", None), utc=True, format="ISO8601")
    for name in ("uid", "uidvalidity", "priority"):
        made[name] = pd.to_numeric(made[name], errors="coerce").fillna(0).astype("int64")
    made["probability"] = pd.to_numeric(made["probability"], errors="coerce")
    for name in [name for name in _TEXTS if name in made]:
        made[name] = made[name].fillna("").astype(str)
    made["category"] = made["category"].replace("", None)
    return made


def _theirs(messages: pd.DataFrame) -> pd.DataFrame:
    names = {"mailbox": "account", "reference": "thread", "from": "from_addr", "due_at": "due"}
    made = messages.rename(columns=names | {"folder": "filed_in", "moved_to": "folder"})
    made["thread"] = made["thread"].where(made["thread"].ne(""), made["sha256"])
    return made.assign(sent=False, automatic=False, due_sum="", seen=False, thanks=False, final_queue="")


def _ours(answers: pd.DataFrame) -> pd.DataFrame:
    made = answers[["at", "automatic", "reference"]].rename(columns={"reference": "thread"})
    blank = dict.fromkeys(
        ("account", "folder", "sha256", "joined_by", "from_addr", "subject", "kind", "row", "disposition",
         "queue", "filed_in", "ack_reason", "due_sum", "target", "rule", "final_queue", "bundle"), ""
    )  # fmt: skip
    made = made.assign(**blank, sent=True, opens=False, ack=False, seen=False, thanks=False)
    return made.assign(uid=0, uidvalidity=0, priority=0, category=None, probability=float("nan"), due=None)


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    from mailml.lab.replay import COLUMNS

    made = rows[list(COLUMNS)].copy()
    for name in ("at", "due"):
        made[name] = pd.to_datetime(made[name], utc=True)
    flags = dict.fromkeys(("opens", "sent", "automatic", "ack", "seen", "thanks"), "bool")
    return made.astype({"probability": "float64", "priority": "int64", **flags})
