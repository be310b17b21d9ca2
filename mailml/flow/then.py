"""A `then` table of the file -> what a rule does; every fault is noted and the reading goes on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from mailml.flow.faults import Faults
from mailml.flow.flow import Then

KEYS = ("queue", "priority", "tags", "continue", "ack", "sla", "file")
_SLA = re.compile(r"[1-9]\d{0,5}(\.\d{1,2})? (business |working )?(minute|hour|day|week)s?")
_WEEK = 7 * 24 * 60
# filing there would be deleting: mail programs empty these folders by themselves
_TRASH = (
    *("trash", "deleted", "deleted items", "deleted messages", "bin", "papierkorb", "gelöschte elemente"),
    *(
        "corbeille",
        "papelera",
        "cestino",
        "[gmail]/trash",
        "[google mail]/trash",
        "inbox.trash",
        "inbox/trash",
    ),
)


class ThenReader:
    """Reads outcomes for one flow; knows the desk's queues when there are any."""

    def __init__(self, faults: Faults, queues: Collection[str] | None) -> None:
        self._faults, self._queues = faults, queues

    def read(self, table: object) -> tuple[Then, bool]:
        """The outcome, and whether later rules are tried as well."""
        if not isinstance(table, Mapping):
            self._faults.add("then", "is not a table", 'Write then = { queue = "Billing" }.')
            return Then(), False
        self._faults.keys(table, KEYS, "then", "then.")
        go_on = self._flag(table, "continue")
        file = self._folder(table)
        then = Then(
            queue=self.queue("then.queue", table["queue"]) if "queue" in table else "",
            priority=self._priority(table),
            tags=self._tags(table),
            ack=self._ack(table),
            ack_template=table["ack"] if isinstance(table.get("ack"), str) else "",
            sla=self._sla(table),
            file=file,
        )
        self._together(table, go_on=go_on)
        return then, go_on

    def queue(self, key: str, value: Any) -> str:
        """A queue's name, checked against the desk's."""
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self._faults.add(key, f"{value!r} is not the name of a queue")
            return ""
        if self._queues is not None and value not in self._queues:
            self._faults.unknown(key, f'"{value}" is not a queue', value, self._queues)
        return value

    def _together(self, table: Mapping[str, Any], *, go_on: bool) -> None:
        """Keys that need or exclude each other."""
        if not {"queue", "file", "continue"} & set(table):
            self._faults.add(
                "then", "has no queue", "Only a rule that files or says continue may leave it out."
            )
        if "file" in table and "queue" in table:
            self._faults.add("then", "has both queue and file", "A message goes to one of them.")
        if "file" in table and go_on:
            self._faults.add("then.continue", "cannot follow file", "Filing a message ends the flow.")
        if "file" in table and table.get("ack"):
            self._faults.add("then.ack", "cannot be on where the message is filed")
        if "continue" in table and not go_on and not {"queue", "file"} & set(table):
            self._faults.add("then", "has no queue")

    def _flag(self, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self._faults.add(f"then.{key}", f"{value!r} is neither true nor false")
        return value is True

    def _folder(self, table: Mapping[str, Any]) -> str:
        if "file" not in table:
            return ""
        value = table["file"]
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self._faults.add("then.file", f"{value!r} is not the name of a folder")
            return ""
        if value.strip().lower() in _TRASH:
            self._faults.add(
                "then.file", f'"{value}" is emptied by mail programs', "Nothing is ever deleted."
            )
        return value

    def _priority(self, table: Mapping[str, Any]) -> int | None:
        value = table.get("priority")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _WEEK:
            cure = "It is in minutes of ageing: 10 counts as having waited ten minutes longer."
            self._faults.add("then.priority", f"{value!r} is not a whole number of at most a week", cure)
            return None
        return value

    def _tags(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        value = table.get("tags", [])
        tags = [value] if isinstance(value, str) else value
        if not isinstance(tags, list) or not all(
            isinstance(t, str) and t.strip() and t.isprintable() for t in tags
        ):
            self._faults.add("then.tags", f"{value!r} is not a list of words", 'Write tags = ["vip"].')
            return ()
        return tuple(dict.fromkeys(tags))

    def _ack(self, table: Mapping[str, Any]) -> bool | None:
        value = table.get("ack")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip() and value.isprintable():
            return True
        self._faults.add("then.ack", f"{value!r} is neither true, false nor the name of a template")
        return None

    def _sla(self, table: Mapping[str, Any]) -> str:
        value = table.get("sla", "")
        if "sla" in table and not (isinstance(value, str) and _SLA.fullmatch(value)):
            self._faults.add(
                "then.sla", f"{value!r} is no SLA target", 'Write "4 business hours" or "30 minutes".'
            )
            return ""
        return str(value)
