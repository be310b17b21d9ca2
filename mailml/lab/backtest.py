"""`lab.backtest`: a candidate over the whole archive, against another bundle and what agents did.

Both sides decide every message with the code of production; the truth is where agents finally left the mail,
or what labels say. `BackTest.write` makes `backtest.json`, the verdict for machines, and an HTML page.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailml.errors import InputError, NotEnoughData
from mailml.lab.changes import Change, open_change
from mailml.lab.comparison import Comparison, compare
from mailml.lab.costs import Costs, joint_costs
from mailml.lab.labels import Labels
from mailml.lab.misroutes import MINUTES_PER_MISROUTE
from mailml.lab.report.backtest import backtest_page
from mailml.lab.report.page import write_whole
from mailml.lab.sides import Side, both_sides, check_desk
from mailml.lab.truth import check_truth, labelled
from mailml.lab.verdict_file import to_dict
from mailml.verdict import Context

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.replay import Replayed
    from mailml.lab.report.page import Page

OPENED = 200  # messages that open on the written page


@dataclass(frozen=True, eq=False, repr=False)
class BackTest(Comparison):
    """The figures of `Comparison`, which show themselves, open messages and write themselves down."""

    archive: Archive | None = field(default=None, repr=False)
    sides: tuple[Bundle, Bundle] | None = field(default=None, repr=False)  # before, after
    contexts: Mapping[str, tuple[Context, Context]] = field(default_factory=dict, repr=False)

    def open(self, message: int | str, *, addresses: bool = False) -> Change:
        """A message with both decisions side by side: by its row of `diff()`, or by SHA-256.

        Addresses are masked unless asked for. Raises InputError for a row or message that is not there.
        """
        rows = self.diff() if isinstance(message, int) else self.rows[self.rows["sha256"].eq(message)]
        at = message if isinstance(message, int) else 0
        if not -len(rows) <= at < len(rows):
            what = f"there is no message {message!r}"
            raise InputError(what, cure=f"{len(self.diff())} messages change; rows count from 0")
        return self._opened(rows.iloc[at].to_dict(), addresses=addresses)

    def opened(self, most: int = OPENED, *, addresses: bool = False) -> list[Change]:
        """The first messages of `diff()`, opened."""
        rows = self.diff().head(most).to_dict("records")
        return [self._opened(row, addresses=addresses) for row in rows]

    def _opened(self, row: Mapping[Any, Any], *, addresses: bool) -> Change:
        contexts = self.contexts.get(row["sha256"])
        if self.archive is None or self.sides is None or contexts is None:
            raise InputError("this comparison was made of tables alone", cure="Use lab.backtest to open mail")
        return open_change(row, self.archive, self.sides, contexts, addresses=addresses)

    def page(self, *, addresses: bool = False) -> Page:
        """The comparison as a page."""
        opened = self.opened(addresses=addresses) if self.archive is not None else []
        return backtest_page(self, [change.entry() for change in opened], addresses=addresses)

    def to_dict(self) -> dict[str, Any]:
        """The verdict as `backtest.json` holds it."""
        return to_dict(self)

    def write(self, folder: str | os.PathLike[str], *, addresses: bool = False) -> Path:
        """Write `backtest.json` and `backtest.html` into a folder; returns the HTML file."""
        verdict = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        write_whole(Path(folder) / "backtest.json", verdict)
        return self.page(addresses=addresses).write(Path(folder) / "backtest.html")

    def __repr__(self) -> str:
        # the dataclass's own would spread strangers' subjects over the log
        return str(self)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def backtest(
    candidate: Side,
    baseline: Side,
    archive: Archive,
    *,
    truth: Mapping[str, str] | Labels | None = None,
    fail_if: str | Sequence[str] = (),
    minutes_each: float = MINUTES_PER_MISROUTE,
    costs: Costs | None = None,
    workers: int = 1,
) -> BackTest:
    """Replay both sides over the archive and compare them with each other and with what agents did.

    Candidate and baseline are bundles; one of them may be a flow (a `Flow`, its file, or its TOML text),
    which is then decided with the other side's desk and classifier. `truth` maps a message's SHA-256 to the
    queue it belonged in (see `lab.truth`), or is a label store; unless given, the folder decides in which
    agents left it. Minutes are those of the desk's cost matrix, where `minutes_each` is a plainly wrong
    queue, or of `costs`. With `fail_if` (one condition or several) the verdict carries `gates`, see
    mailml.lab.gate.

    Raises InputError for a candidate or a truth made for another desk, ConfigError for conditions that cannot
    be read, NotEnoughData for one that cannot be judged and for an archive without incoming mail.
    """
    from mailml.lab.replay import replayed

    after_bundle, before_bundle = both_sides(candidate, baseline)
    remarks = [check_desk(after_bundle, before_bundle, _folders(archive))]
    queues = sorted({*after_bundle.flow.queues(), *before_bundle.flow.queues()})
    before = replayed(archive, before_bundle, queues=queues, workers=workers)
    if before.rows["sent"].all():
        cure = "Pull the Inbox and the folders of the queues first: `mailml pull`"
        raise NotEnoughData("the archive holds no incoming message", where=str(archive.path), cure=cure)
    same = after_bundle is before_bundle or after_bundle.id == before_bundle.id
    after = before if same else replayed(archive, after_bundle, queues=queues, workers=workers)
    known = labelled(truth, before_bundle) if isinstance(truth, Labels) else truth
    if known is not None:
        remarks.append(check_truth(known, set(before.rows["sha256"]), queues))
    test = compare(
        after.rows,
        before.rows,
        truth=known,
        fail_if=fail_if,
        costs=costs or joint_costs(before_bundle, after_bundle, minutes_each),
        zone=before_bundle.desk.calendar.zone,
        remarks=" ".join(filter(None, remarks)),
    )
    contexts = _contexts(before, after)
    return BackTest(**vars(test), archive=archive, sides=(before_bundle, after_bundle), contexts=contexts)


def _folders(archive: Archive) -> set[str]:
    return set(archive.table(columns=["folder"]).column(0).to_pylist())


def _contexts(before: Replayed, after: Replayed) -> dict[str, tuple[Context, Context]]:
    """In which contexts each message was decided: the same on both sides but for what they acknowledged."""
    pairs = zip(before.rows["sha256"], before.contexts, after.contexts, strict=True)
    return {sha: (one, other) for sha, one, other in pairs if one is not None and other is not None}
