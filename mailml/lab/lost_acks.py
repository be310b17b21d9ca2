"""How many acknowledgements each rule of a flow costs, found by deciding an archive with and without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mailml.flow.flow import Rule
from mailml.lab.reaching import Reaching
from mailml.lab.replay import replay
from mailml.lab.sides import with_rules

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle


def acks_lost(archive: Archive, bundle: Bundle, mail: Reaching) -> list[tuple[int, int]]:
    """Per rule how many messages get no acknowledgement for it, and how many of those people wrote.

    Found by deciding the archive again with rules that leave acknowledgements alone.
    """
    rules = mail.flow.rules
    costly = [n for n, rule in enumerate(rules) if rule.then.ack is False or rule.then.file]
    lost = [(0, 0)] * len(rules)
    if not costly:
        return lost
    generous = with_rules(bundle, replace(mail.flow, rules=tuple(map(_generous, rules))))
    acked = [
        dict(zip(rows["sha256"], rows["ack"], strict=True))
        for rows in (replay(archive, bundle), replay(archive, generous))
    ]
    missing = [acked[1].get(sha, False) and not acked[0].get(sha, False) for sha in mail.messages["sha256"]]
    denied, people = np.array(missing, np.bool_), (mail.messages["kind"] == "human").to_numpy()
    for n, blamed in _blamed(mail, costly).items():
        lost[n] = int((blamed & denied).sum()), int((blamed & denied & people).sum())
    return lost


def _blamed(mail: Reaching, costly: Sequence[int]) -> dict[int, np.ndarray]:
    """Per costly rule the messages on which it has the last word about the acknowledgement."""
    last = np.full(len(mail), -1)
    for n, rule in enumerate(mail.flow.rules):
        if rule.then.ack is not None:
            last[mail.bits(mail.acts[n])] = n
    for n in costly:
        if mail.flow.rules[n].then.file:
            last[mail.decided == n] = n
    return {n: last == n for n in costly}


def _generous(rule: Rule) -> Rule:
    """The rule without its say about acknowledgements; what it filed goes on to the rules below."""
    then = rule.then
    kept = replace(then, file="", ack=None if then.ack is False else then.ack)
    return replace(rule, then=kept, continue_=rule.continue_ or bool(then.file))
