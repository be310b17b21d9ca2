"""Which bundle serves: promote one, roll back to the one before. One rename of a link, seen at once.

`[serve] bundle` is a symbolic link, e.g. `current -> bundles/3fe1…`; beside it stands `current.previous`.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from mailml.bundle import Bundle
from mailml.bundle.writing import sync_folder
from mailml.errors import InputError, MailmlError

from .bundles import load
from .config import Config
from .instants import Clock, now_ms
from .journal import Journal, events


def promote(config: Config, journal: Journal, candidate: Path, *, clock: Clock = now_ms) -> tuple[str, str]:
    """Let the link lead to the candidate; returns the ids before and after.

    The candidate is loaded with every check first, its signature included. Raises BundleError for one that
    cannot be used, InputError where `[serve] bundle` is a folder and no link.
    """
    link = config.service.bundle
    if link.exists() and not link.is_symlink():
        raise InputError(
            "is a folder, not a link: nothing can be promoted",
            where=str(link),
            cure=f"Once: mv {link} {link}-first && ln -s {link.name}-first {link}",
        )
    target = candidate.resolve()
    if target == link.resolve():
        raise InputError("is the current bundle already", where=str(candidate))
    after = load(target, config.releases.public_key)
    before = _id(link)
    if link.is_symlink():
        _point(_previous(link), Path(os.readlink(link)))
    _point(link, target)
    with journal.write() as tx:
        events.add(tx, "bundle_promoted", clock(), f"{before} -> {after.id}")
    return before, after.id


def roll_back(config: Config, journal: Journal, *, clock: Clock = now_ms) -> tuple[str, str]:
    """Let the link lead to where it led before; once more undoes it. Returns the ids before and after."""
    link = config.service.bundle
    previous = _previous(link)
    if not previous.is_symlink():
        raise InputError("there is no bundle to go back to", where=str(link), cure="Promote one instead")
    target, now = Path(os.readlink(previous)), Path(os.readlink(link))
    before, after = _id(link), load(link.parent / target, config.releases.public_key)
    _point(link, target)
    _point(previous, now)
    with journal.write() as tx:
        events.add(tx, "bundle_rolled_back", clock(), f"{before} -> {after.id}", level="warning")
    return before, after.id


def known(config: Config) -> dict[str, Path]:
    """Every bundle at hand by its id: current, shadow, canary, the one before, and their neighbours."""
    link = config.service.bundle
    named = [link, _previous(link), config.releases.shadow, config.releases.canary]
    paths = [path.resolve() for path in named if path is not None]
    neighbours = [one for path in paths if path.parent.is_dir() for one in sorted(path.parent.iterdir())]
    found: dict[str, Path] = {}
    for path in dict.fromkeys([*paths, *neighbours]):
        if (path / "manifest.json").is_file() and (name := _id(path)) != "none":
            found.setdefault(name, path)
    return found


def _previous(link: Path) -> Path:
    return link.with_name(f"{link.name}.previous")


def _id(path: Path) -> str:
    """The id of the bundle a path leads to, whatever else is wrong with it; "none" where there is none."""
    try:
        return Bundle.load(path, verify=False).id
    except (MailmlError, OSError):
        return "none"


def _point(link: Path, target: Path) -> None:
    """Lead a link elsewhere so that whoever looks sees the old target or the new one, whatever dies when."""
    draft = link.with_name(f".{link.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    os.symlink(target, draft)
    os.replace(draft, link)
    sync_folder(link.parent)
