"""Which category each queue stands for, read off a flow: what labels a message by where agents left it."""

from __future__ import annotations

from collections.abc import Collection

from mailml.errors import InputError
from mailml.flow import Flow
from mailml.lab.folders import queue_of


def categories_of(flow: Flow, fallback: str = "general") -> dict[str, str]:
    """Queue -> category, for the queues to which a rule sends one category and for the default queue.

    A queue that several categories share, or that a rule fills by other signs as well, says nothing certain
    of a message's category and is left out. The default queue stands for `fallback`.
    """
    said: dict[str, set[str]] = {flow.default: {fallback}}
    for rule in flow.rules:
        if rule.then.queue:
            asked = [ask for ask in rule.asks() if ask.field == "category" and ask.operator == "is"]
            named = {str(value) for ask in asked for value in ask.expected} or {""}
            said.setdefault(rule.then.queue, set()).update(named)
    return {queue: next(iter(names)) for queue, names in said.items() if len(names) == 1 and "" not in names}


def folder_categories(folders: Collection[str], flow: Flow, fallback: str = "general") -> dict[str, str]:
    """Folder -> category for the folders named after such a queue, as `lab.labels.from_folders` takes it.

    Raises InputError when there is none.
    """
    categories = categories_of(flow, fallback)
    places = {folder: queue_of(folder, list(categories)) for folder in sorted(folders)}
    chosen = {folder: categories[queue] for folder, queue in places.items() if queue}
    if not chosen:
        queues = ", ".join(sorted(categories)) or "none"
        what = f"no folder is named after a queue that the flow gives a category (queues: {queues})"
        raise InputError(what, cure='Say which folder is which, e.g. {"Queues/Billing": "billing"}')
    return chosen
