"""A bundle: everything one decision needs besides the message, as one directory with one name.

Loading runs no code of the bundle and needs no scikit-learn: TOML, JSON and plain arrays, each checked
against the manifest before it is used, and the golden texts asked again at the end.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailml.autoreply import TextModel
from mailml.bundle import desk as desks
from mailml.bundle import golden as goldens
from mailml.bundle import manifest as manifests
from mailml.bundle import npz
from mailml.bundle.desk import TARGET, Desk
from mailml.bundle.signing import PublicKey, verify_manifest
from mailml.bundle.writing import write_folder
from mailml.classifier import Model
from mailml.errors import BundleDamagedError, BundleError, Fault, FlowError, InputError
from mailml.flow import Flow, source
from mailml.sla import parse_target


@dataclass(frozen=True, eq=False)
class Bundle:
    """What a notebook exports and the service loads.

    `id` is the first 12 hex digits of the manifest's hash: equal ids decide equally. `model` is None for a
    bundle that routes by rules alone, `text_model` for one that judges automated mail by headers alone.
    """

    id: str
    path: Path
    manifest: Mapping[str, Any] = field(repr=False)
    flow: Flow = field(repr=False)
    desk: Desk = field(repr=False)
    model: Model | None = field(repr=False)
    text_model: TextModel | None = field(repr=False)
    card: Mapping[str, Any] = field(repr=False)

    @property
    def created(self) -> str:
        """When it was made (ISO 8601, UTC)."""
        return str(self.manifest.get("created", ""))

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], verify: bool = True, public_key: PublicKey | None = None
    ) -> Bundle:
        """Read a bundle, checking format, files, sizes, hashes, shapes, values and golden texts.

        `verify=False` leaves out hashes and golden texts, to look into a bundle that is damaged; sizes and
        shapes are checked always. With `public_key` an unsigned bundle is refused. Raises BundleError,
        BundleVersionError or BundleDamagedError with one sentence, FlowError or ConfigError with all faults.
        """
        folder = Path(path)
        data, values = manifests.read(folder)
        if public_key is not None:
            verify_manifest(folder, data, public_key)
        files = manifests.read_files(folder, values.get("files"), verify=verify)
        desk = desks.loads(_text(files, "desk.toml", folder), where=str(folder / "desk.toml"))
        flow = source.loads(
            _text(files, "flow.toml", folder), where=str(folder / "flow.toml"), categories=desk.categories
        )
        if faults := _broken_promises(flow):
            raise FlowError(faults, where=str(folder / "flow.toml"))
        model, text_model = _model(files, folder), _text_model(files, folder)
        if verify:
            golden = manifests.parse_json(files["golden.json"], folder / "golden.json")
            goldens.check(golden.get("texts", []), model, text_model)
        card = manifests.parse_json(files["card.json"], folder / "card.json")
        return cls(manifests.bundle_id(data), folder, values, flow, desk, model, text_model, card)


def write(
    path: str | os.PathLike[str],
    *,
    flow: Flow,
    desk: Desk,
    model: Model | None = None,
    text_model: TextModel | None = None,
    card: Mapping[str, Any] | None = None,
    card_html: str = "",
    created: datetime,
    by: str = "",
    versions: Mapping[str, str] | None = None,
    training: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> Bundle:
    """Write a bundle that appears whole or not at all, and load it again with every check.

    The same arguments are the same bytes. Raises BundleError when something is at `path` already and
    `replace` is not given, or when the model knows a class that is no category of the desk.
    """
    _check_classes(model, desk)
    check_rules(flow, desk)
    files = {"flow.toml": source.dumps(flow).encode(), "desk.toml": desk.source.encode()}
    files |= _model_files("model", model) | _model_files("autoreply", text_model)
    files["golden.json"] = manifests.to_json({"texts": goldens.answers(model, text_model)})
    files["card.json"] = manifests.to_json(dict(card or {}))
    if card_html:
        files["card.html"] = card_html.encode()
    about = {"created": created.astimezone(UTC).isoformat(), "by": by, "versions": dict(versions or {})}
    about |= {"training": dict(training or {}), "parameters": dict(parameters or {})}
    data = manifests.make(files, about)
    write_folder(Path(path), {**files, manifests.MANIFEST: data}, replace=replace)
    return Bundle.load(path)


def _check_classes(model: Model | None, desk: Desk) -> None:
    unknown = sorted(set(model.classes) - set(desk.categories)) if model is not None else []
    if unknown:
        raise BundleError(
            f"the classifier says {', '.join(map(repr, unknown))}, which is no category of the desk",
            where="desk.toml",
            cure="Add it to [classifier] categories, or relabel",
        )


def check_rules(flow: Flow, desk: Desk, where: str = "flow.toml") -> None:
    """Refuse rules that name what the desk has not: FlowError with each category, template and promise."""
    faults = _broken_promises(flow)
    for rule in flow.rules:
        if rule.then.ack_template and rule.then.ack_template not in desk.ack.templates:
            what = f"{rule.then.ack_template!r} is no template of the desk"
            cure = "Add [ack.templates.NAME], or take it out of the rule."
            faults.append(Fault(f'rule "{rule.name}", key "then.ack"', what, cure))
    try:
        source.loads(source.dumps(flow), categories=desk.categories)
    except FlowError as error:
        faults += error.faults
    if faults:
        raise FlowError(faults, where=where)


def _broken_promises(flow: Flow) -> list[Fault]:
    """Promises that no calendar can read: each would set aside every mail its rule hits."""
    faults = []
    for rule in flow.rules:
        try:
            parse_target(rule.then.sla or TARGET)
        except InputError as error:
            faults.append(Fault(f'rule "{rule.name}", key "then.sla"', error.what, error.cure))
    return faults


def _model_files(name: str, model: Model | TextModel | None) -> dict[str, bytes]:
    if model is None:
        return {}
    meta, arrays = model.to_arrays()
    described = {"meta": meta, "arrays": npz.declare(arrays)}
    return {f"{name}.json": manifests.to_json(described), f"{name}.npz": npz.dumps(arrays)}


def _model(files: Mapping[str, bytes], folder: Path) -> Model | None:
    found = _described(files, "model", folder)
    return Model.from_arrays(*found) if found else None


def _text_model(files: Mapping[str, bytes], folder: Path) -> TextModel | None:
    found = _described(files, "autoreply", folder)
    return TextModel.from_arrays(*found) if found else None


def _described(
    files: Mapping[str, bytes], name: str, folder: Path
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    if f"{name}.json" not in files and f"{name}.npz" not in files:
        return None
    if f"{name}.json" not in files or f"{name}.npz" not in files:
        raise manifests.damaged(f"has one of {name}.json and {name}.npz without the other", folder)
    described = manifests.parse_json(files[f"{name}.json"], folder / f"{name}.json")
    meta = described.get("meta")
    if not isinstance(meta, dict):
        raise manifests.damaged("describes no model", folder / f"{name}.json")
    return meta, npz.loads(files[f"{name}.npz"], described.get("arrays"), where=str(folder / f"{name}.npz"))


def _text(files: Mapping[str, bytes], name: str, folder: Path) -> str:
    try:
        return files[name].decode()
    except UnicodeDecodeError as error:
        raise BundleDamagedError("is not UTF-8 text", where=str(folder / name)) from error
