"""A trained model between two commands: a folder of arrays and JSON, without a word of any customer.

`mailml train` writes it, `mailml evaluate` and `mailml export` read it. Texts stay in the archive: the folder
names the messages by hash, and they are looked up again, so what is judged later is what was trained on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import replace as changed
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from mailml.bundle import npz
from mailml.bundle.manifest import parse_json, to_json
from mailml.bundle.writing import write_folder
from mailml.classifier import Model, Policy
from mailml.errors import InputError, LabelError
from mailml.lab import examples as rows_of
from mailml.lab.calibration import Calibration
from mailml.lab.examples import Examples
from mailml.lab.models import learner_of
from mailml.lab.models.corpus import corpus_of
from mailml.lab.models.workbench import WorkbenchModel, without_scorer
from mailml.lab.resampling import Interval
from mailml.lab.split import Split
from mailml.lab.train import Enough, Settings, Trained

_FORMAT = 2  # raise it when a field changes its meaning; older folders are then trained again
_EVIDENCE = ("probabilities", "scores", "known", "groups")


def save(trained: Trained, path: str | os.PathLike[str], *, replace: bool = True) -> Path:
    """Write a trained model to a folder, whole or not at all; an older one there is replaced."""
    folder = Path(path)
    if folder.exists() and not (folder / "trained.json").is_file():
        raise InputError("is not a model folder", where=str(folder), cure="Choose another path")
    described, arrays = _described(trained)
    evidence = {name: np.asarray(getattr(trained, name)) for name in _EVIDENCE}
    for number, fold in enumerate(trained.folds):
        evidence |= {f"train{number}": fold.train, f"test{number}": fold.test, f"left{number}": fold.left_out}
    about = {
        "format": _FORMAT,
        "model": described,
        "arrays": {"model": npz.declare(arrays), "evidence": npz.declare(evidence)},
        "messages": list(trained.examples.messages),
        "labels": list(trained.examples.labels),
        "notes": list(trained.examples.notes),
        "hash": trained.examples.hash,
        "newest": trained.examples.newest.isoformat() if trained.examples.newest else "",
        "folds": [fold.how for fold in trained.folds],
        "calibration": asdict(trained.calibration),
        "settings": asdict(trained.settings),
        "enough": asdict(trained.enough),
        "gap": trained.gap,
        "made_by": trained.made_by,
    }
    files = {
        "model.npz": npz.dumps(arrays),
        "evidence.npz": npz.dumps(evidence),
        "trained.json": to_json(about),
    }
    write_folder(folder, files, replace=replace)
    return folder


def load(path: str | os.PathLike[str], frame: Any) -> Trained:
    """The trained model of a folder, with the texts it was trained on looked up in a frame.

    Raises InputError for a folder that is none or of another format, LabelError when messages it was trained
    on are no longer in the archive, BundleDamagedError for arrays that are not those declared.
    """
    folder = Path(path)
    about = _read(folder)
    arrays = npz.loads(
        (folder / "model.npz").read_bytes(), about["arrays"]["model"], where=str(folder / "model.npz")
    )
    evidence = npz.loads(
        (folder / "evidence.npz").read_bytes(),
        about["arrays"]["evidence"],
        where=str(folder / "evidence.npz"),
    )
    settings = _settings(about["settings"])
    examples = _examples(about, frame, folder)
    calibration = Calibration(about["calibration"]["temperature"], tuple(about["calibration"]["shift"]))
    model = _model(about["model"], arrays, calibration)
    corpus = changed(corpus_of(examples, settings), groups=evidence["groups"])
    return Trained(
        model=model,
        examples=examples,
        classes=model.classes,
        probabilities=evidence["probabilities"],
        scores=evidence["scores"],
        known=evidence["known"],
        groups=evidence["groups"],
        folds=tuple(
            Split(evidence[f"train{n}"], evidence[f"test{n}"], how, evidence[f"left{n}"])
            for n, how in enumerate(about["folds"])
        ),
        calibration=calibration,
        settings=settings,
        enough=Enough(**{**about["enough"], "saved": Interval(**about["enough"]["saved"])}),
        gap=about["gap"],
        corpus=corpus,
        learner=learner_of(settings),
        made_by=about["made_by"],
    )


def _described(trained: Trained) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model as JSON values and arrays; of one that only the workbench runs, its policy alone."""
    model = trained.model
    if not isinstance(model, WorkbenchModel):
        return model.to_arrays()
    told: dict[str, Any] = {"workbench": model.kind, "id": model.id, "classes": list(model.classes)}
    told |= {"min_known": model.min_known, "policy": model.policy.to_dict()}
    return told, {"intercept": model.intercept}


def _model(told: Mapping[str, Any], arrays: Mapping[str, Any], calibration: Calibration) -> Model:
    if "workbench" not in told:
        return Model.from_arrays(told, arrays)
    classes = tuple(told["classes"])
    policy = Policy.from_dict(classes, told["policy"])
    kind, known, named = told["workbench"], told["min_known"], told["id"]
    scorer = without_scorer(kind)
    return WorkbenchModel(
        classes, (), arrays["intercept"], calibration.temperature, policy, known, named, scorer,
        calibration, kind,
    )  # fmt: skip


def _read(folder: Path) -> dict[str, Any]:
    file = folder / "trained.json"
    if not file.is_file():
        raise InputError(
            "is not a model folder", where=str(folder), cure="Make one with `mailml train --out`"
        )
    about = parse_json(file.read_bytes(), file)
    if about.get("format") != _FORMAT:
        what = f"holds a model of format {about.get('format')!r}, this version reads {_FORMAT}"
        raise InputError(what, where=str(folder), cure="Train again: `mailml train`")
    return about


def _settings(stored: Mapping[str, Any]) -> Settings:
    ranges = {name: tuple(stored[name]) for name in ("words", "chars")}
    return Settings(**{**stored, **ranges})


def _examples(about: Mapping[str, Any], frame: Any, folder: Path) -> Examples:
    """The training rows in their old order, with the texts of today's archive."""
    wanted = dict(zip(about["messages"], about["labels"], strict=True))
    found = rows_of.from_frame(frame, wanted)
    places = {message: row for row, message in enumerate(found.messages)}
    gone = [message for message in about["messages"] if message not in places]
    if gone:
        what = f"{len(gone)} of the {len(wanted)} messages it was trained on are not in this archive"
        raise LabelError(what, where=str(folder), cure="Use the archive it was trained on, or train again")
    ordered = found.rows(places[message] for message in about["messages"])
    if ordered.hash != about["hash"]:
        raise LabelError("the training data is not what it was", where=str(folder), cure="Train again")
    newest = datetime.fromisoformat(about["newest"]) if about["newest"] else None
    return changed(ordered, notes=tuple(about["notes"]), newest=newest)
