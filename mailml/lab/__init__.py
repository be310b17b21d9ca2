"""The workbench: `from mailml import lab`, and everything an analyst calls hangs on `lab`.

Nothing here sends or changes mail: folders are opened with EXAMINE and read with BODY.PEEK. Nothing heavy is
imported until it is called, so that `from mailml import lab` stays instant.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailml.archive import Archive as Archive
    from mailml.bundle import Bundle as Bundle
    from mailml.lab import displays as displays
    from mailml.lab import labels as labels
    from mailml.lab import panels as panels
    from mailml.lab import sample as sample
    from mailml.lab import split as split
    from mailml.lab import thresholds as thresholds
    from mailml.lab import truth as truth
    from mailml.lab.ageing import ageing as ageing
    from mailml.lab.autoreply_report import autoreply_report as autoreply_report
    from mailml.lab.backtest import backtest as backtest
    from mailml.lab.contest import compare as compare
    from mailml.lab.coverage import coverage as coverage
    from mailml.lab.doctor import doctor as doctor
    from mailml.lab.drift import drift as drift
    from mailml.lab.evaluate import evaluate as evaluate
    from mailml.lab.explain import explain as explain
    from mailml.lab.export import export as export
    from mailml.lab.first_bundle import first_bundle as first_bundle
    from mailml.lab.frame import frame as frame
    from mailml.lab.hops import hops as hops
    from mailml.lab.leakage import leakage as leakage
    from mailml.lab.learning_curve import learning_curve as learning_curve
    from mailml.lab.lint_archive import lint as lint
    from mailml.lab.mailbox import first_desk as first_desk
    from mailml.lab.mailbox import mailbox as mailbox
    from mailml.lab.mine import mine as mine
    from mailml.lab.misrouting import misrouting as misrouting
    from mailml.lab.preview import preview as preview
    from mailml.lab.pull import pull as pull
    from mailml.lab.pull import pull_job as pull_job
    from mailml.lab.replay import replay as replay
    from mailml.lab.report import report as report
    from mailml.lab.retraining import retrain as retrain
    from mailml.lab.sample_archive import sample_archive as sample_archive
    from mailml.lab.sample_bundle import sample_bundle as sample_bundle
    from mailml.lab.sample_bundle import sample_desk as sample_desk
    from mailml.lab.sla_report import sla_report as sla_report
    from mailml.lab.suspects import suspects as suspects
    from mailml.lab.tracing import trace as trace
    from mailml.lab.train import train as train
    from mailml.lab.versus import versus as versus
    from mailml.lab.with_flow import with_flow as with_flow

# Functions that users call as `lab.NAME(...)`: where each lives.
_FUNCTIONS = {
    "Archive": "mailml.archive",
    "Bundle": "mailml.bundle",
    "ageing": "mailml.lab.ageing",
    "autoreply_report": "mailml.lab.autoreply_report",
    "backtest": "mailml.lab.backtest",
    "compare": "mailml.lab.contest",
    "coverage": "mailml.lab.coverage",
    "doctor": "mailml.lab.doctor",
    "drift": "mailml.lab.drift",
    "evaluate": "mailml.lab.evaluate",
    "explain": "mailml.lab.explain",
    "export": "mailml.lab.export",
    "first_bundle": "mailml.lab.first_bundle",
    "first_desk": "mailml.lab.mailbox",
    "frame": "mailml.lab.frame",
    "hops": "mailml.lab.hops",
    "leakage": "mailml.lab.leakage",
    "learning_curve": "mailml.lab.learning_curve",
    "lint": "mailml.lab.lint_archive",
    "mine": "mailml.lab.mine",
    "mailbox": "mailml.lab.mailbox",
    "misrouting": "mailml.lab.misrouting",
    "preview": "mailml.lab.preview",
    "pull": "mailml.lab.pull",
    "pull_job": "mailml.lab.pull",
    "replay": "mailml.lab.replay",
    "report": "mailml.lab.report",
    "retrain": "mailml.lab.retraining",
    "sample_archive": "mailml.lab.sample_archive",
    "sample_bundle": "mailml.lab.sample_bundle",
    "sample_desk": "mailml.lab.sample_bundle",
    "sla_report": "mailml.lab.sla_report",
    "suspects": "mailml.lab.suspects",
    "trace": "mailml.lab.tracing",
    "train": "mailml.lab.train",
    "versus": "mailml.lab.versus",
    "with_flow": "mailml.lab.with_flow",
}
_MODULES = ("displays", "labels", "panels", "sample", "split", "thresholds", "truth")

__all__: list[str] = [*_FUNCTIONS, *_MODULES]  # noqa: PLE0604 - the names of the two tables above


class _FrontDoor(ModuleType):
    """A package whose functions keep their names although modules have the same ones."""

    def __getattr__(self, name: str) -> Any:
        if name in _FUNCTIONS:
            found = getattr(importlib.import_module(_FUNCTIONS[name]), name)
        elif name in _MODULES:
            found = importlib.import_module(f"{self.__name__}.{name}")
        else:
            raise AttributeError(f"mailml.lab has no {name!r}; it has {', '.join(__all__)}")
        self.__dict__[name] = found
        return found

    def __setattr__(self, name: str, value: object) -> None:
        # importing mailml.lab.frame makes Python set the module as `lab.frame`, over the function
        if name in _FUNCTIONS and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted(__all__)


sys.modules[__name__].__class__ = _FrontDoor
