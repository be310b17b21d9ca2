"""What agents did with a message: the first answer that a person of ours sent after it, and who that was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def first_answers(ledger: pd.DataFrame) -> pd.DataFrame:
    """Every human answer in a replay: thread, answered_at, answered_by; in order."""
    sent = ledger[ledger["sent"] & ~ledger["automatic"]]
    answers = sent[["thread", "at", "from_addr"]].rename(columns={"from_addr": "answered_by"})
    return answers.assign(answered_at=answers["at"]).sort_values("at", kind="stable").reset_index(drop=True)


def with_answers(rows: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Rows with the first answer in their interaction from their arrival on; missing where there was none.

    An archive without Sent has no answers: both columns are empty then.
    """
    import pandas as pd

    if answers.empty or rows.empty:
        nobody = pd.Series("", index=rows.index, dtype="str")
        return rows.assign(
            answered_at=pd.Series(pd.NaT, index=rows.index, dtype=rows["at"].dtype), answered_by=nobody
        )
    order = rows.assign(place=range(len(rows))).sort_values("at", kind="stable")
    found = pd.merge_asof(order, answers, on="at", by="thread", direction="forward")
    found = found.sort_values("place").drop(columns="place").reset_index(drop=True)
    return found.assign(answered_by=found["answered_by"].fillna(""))
