"""Who waited for whom: every mail of a person that asks, and the human answer that ended its wait.

Automated mail, ours or theirs, neither asks nor answers. A mail that only a word model takes for an automatic
one asks all the same when a person of ours answered it: who was answered was worth an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mailml.lab.open_time import NEVER, Micros, micros

if TYPE_CHECKING:
    import pandas as pd

Mask = NDArray[np.bool_]
_WORDS_ALONE = "13"  # the row of the table of automated mail that only reads words, and never files


@dataclass(frozen=True, eq=False)
class Turns:
    """Rows of the ledger that begin a wait, by position, each with when it ended (`NEVER` if it did not).

    `openings` are the mails that opened an interaction; `later` are those of a customer who wrote again after
    an answer. A second mail before any answer begins no new wait; a thank-you never does.
    """

    openings: NDArray[np.intp]
    opening_answers: Micros
    later: NDArray[np.intp]
    later_answers: Micros


def turns(ledger: pd.DataFrame) -> Turns:
    """The waits in a history as `lab.replay` gives it. Sorting, no loop: a million rows in a second."""
    import pandas as pd

    sent, opens = _mask(ledger["sent"]), _mask(ledger["opens"])
    human = np.asarray(ledger["kind"].eq("human"), dtype=bool)
    words = np.asarray(ledger["row"].eq(_WORDS_ALONE)) if "row" in ledger else np.zeros(len(ledger), bool)
    delivered = np.asarray(ledger["queue"].ne(""), dtype=bool)
    thanks = _mask(ledger["thanks"]) if "thanks" in ledger else np.zeros(len(ledger), bool)
    opening = opens & ~sent & delivered & (human | words)
    asks = opening | (~sent & ~opens & ~thanks & (human | words))
    answers = sent & ~_mask(ledger["automatic"])
    threads, _ = pd.factorize(ledger["thread"])
    rows, ended, after_answer = _paired(threads, micros(ledger["at"]), asks, answers)
    # by words alone it was a machine; only an answer of ours says otherwise
    counts = human[rows] | (ended != NEVER)
    first = opening[rows] & counts
    later = ~opening[rows] & after_answer & counts
    order = np.argsort(rows[first], kind="stable")
    return Turns(rows[first][order], ended[first][order], rows[later], ended[later])


def _paired(
    threads: NDArray[Any], at: Micros, asks: Mask, answers: Mask
) -> tuple[NDArray[np.intp], Micros, Mask]:
    """Every ask (by row) with when the next answer in its thread left, and whether it follows an answer."""
    taken = np.flatnonzero(asks | answers)
    order = taken[np.lexsort((answers[taken], at[taken], threads[taken]))]
    thread, answer = threads[order], answers[order]
    places = np.where(answer, np.arange(len(order)), len(order))
    following = np.minimum.accumulate(places[::-1])[::-1]
    found = following < len(order)
    following = np.where(found, following, 0)
    same = found & (thread[following] == thread) if len(order) else found
    ended = np.where(same, at[order][following], NEVER) if len(order) else at[order]
    after = np.zeros(len(order), dtype=bool)
    after[1:] = answer[:-1] & (thread[:-1] == thread[1:])
    asked = ~answer
    return order[asked], ended[asked], after[asked]


def _mask(column: Any) -> Mask:
    return np.asarray(column, dtype=bool)
