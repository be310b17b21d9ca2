"""Bundles in production: signed or refused, reloaded whole, shared by reference, promoted by a rename."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailml.bundle import Bundle, sign
from mailml.errors import BundleDamagedError, BundleError, InputError, MailmlError
from serve import releases
from serve.bundles import Bundles, share
from serve.config import Config
from serve.journal import Journal, events
from serve.optional import Releases
from tests.serve.room import Room
from tests.serve.service import bundle, mail

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_FLOW = 'default = "Somewhere Else"\n'


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with two bundles, `old` and `new`, and the link `current` that leads to the old one."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    bundle(folder / "old")
    bundle(folder / "new", OTHER_FLOW)
    (folder / "current").symlink_to("old")
    return folder


@pytest.fixture
def public_key(tmp_path: Path) -> Path:
    """The file of the key that vouches."""
    path = tmp_path / "public.pem"
    path.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def ids(shelf: Path) -> tuple[str, str]:
    """The ids of the old and the new bundle."""
    return Bundle.load(shelf / "old").id, Bundle.load(shelf / "new").id


def kinds(journal: Journal) -> list[str]:
    """The kinds of all events, oldest first."""
    with journal.read() as tx:
        return [str(event["kind"]) for event in reversed(events.latest(tx))]


def test_an_unsigned_bundle_is_refused_at_the_start(shelf: Path, journal: Journal, public_key: Path) -> None:
    """With a public key configured nothing unsigned ever decides, and a signed one does."""
    with pytest.raises(BundleError, match="not signed"):
        Bundles(shelf / "current", journal, Releases(public_key=public_key))
    sign(shelf / "old", KEY)
    assert Bundles(shelf / "current", journal, Releases(public_key=public_key)).current.id == ids(shelf)[0]


def test_an_unsigned_bundle_is_refused_at_a_reload(shelf: Path, journal: Journal, public_key: Path) -> None:
    """The old one stays in use, an alarm says why, and health can tell; signing heals it."""
    sign(shelf / "old", KEY)
    held = Bundles(shelf / "current", journal, Releases(public_key=public_key))
    point(shelf / "current", "new")
    held.reload()
    held.look()
    assert held.current.id == ids(shelf)[0]
    assert "not signed" in held.refusals["current"]
    assert "bundle_refused" in kinds(journal)
    sign(shelf / "new", KEY)
    held.reload()
    held.look()
    assert held.current.id == ids(shelf)[1]
    assert not held.refusals


def point(link: Path, target: str) -> None:
    """Lead a link elsewhere."""
    link.unlink()
    link.symlink_to(target)


def test_a_signature_by_somebody_else(shelf: Path, journal: Journal, public_key: Path) -> None:
    """Another key's signature is no signature."""
    sign(shelf / "old", Ed25519PrivateKey.generate())
    with pytest.raises(BundleDamagedError, match="not this key's"):
        Bundles(shelf / "current", journal, Releases(public_key=public_key))


def test_a_link_led_elsewhere_is_seen_between_two_messages(room: Room, shelf: Path) -> None:
    """Mail before the change is decided by the one, mail after it by the other, none by half of each."""
    bundles = Bundles(shelf / "current", room.journal, clock=room.clock)
    room.worker.bundles = bundles
    room.decide(mail(1))
    point(shelf / "current", "new")
    bundles.reload()
    bundles.look()
    rows = room.decide(mail(2))
    assert [row["bundle"] for row in rows] == list(ids(shelf))


def test_the_share_of_a_reference_never_changes() -> None:
    """A reference lies at one place between 0 and 100 for ever, and references spread evenly."""
    assert share("K7Q2-9M4D") == pytest.approx(61.1476, abs=1e-4)
    places = [share(f"{number:04}-TEST") for number in range(2000)]
    assert all(0 <= place < 100 for place in places)
    assert 0.2 < sum(place < 25 for place in places) / len(places) < 0.3


def test_the_canary_decides_for_its_share_alone(room: Room, shelf: Path) -> None:
    """Exactly the interactions below the share; a later mail of an interaction goes to the same bundle."""
    settings = Releases(canary=shelf / "new", canary_percent=50)
    room.worker.bundles = Bundles(shelf / "current", room.journal, settings, clock=room.clock)
    rows = room.decide(*(mail(number) for number in range(1, 31)))
    old, new = ids(shelf)
    assert {row["bundle"] for row in rows} == {old, new}
    for row in rows:
        assert (row["bundle"] == new) == (share(row["reference"]) < 50)
    answers = [
        mail(f"{n}b", sender=f"c{n}@customer{n}.example", In_Reply_To=f"<m{n}@customer.example>")
        for n in range(1, 31)
    ]
    both = room.decide(*answers)[-30:]
    assert [row["reference"] for row in both] == [row["reference"] for row in rows]
    assert [row["bundle"] for row in both] == [row["bundle"] for row in rows]


def test_a_canary_that_cannot_be_used_stops_nothing(shelf: Path, journal: Journal) -> None:
    """It is an alarm; the current bundle decides for everybody."""
    settings = Releases(canary=shelf / "nowhere", canary_percent=100)
    held = Bundles(shelf / "current", journal, settings)
    assert held.choose("K7Q2-9M4D") is held.current
    assert "canary" in held.refusals
    assert kinds(journal) == ["bundle_refused"]


@pytest.fixture
def config(room: Room, shelf: Path) -> Config:
    """A configuration whose bundle is the link."""
    service = room.config.service.model_copy(update={"bundle": shelf / "current"})
    return room.config.model_copy(update={"service": service})


def test_promote_and_roll_back(config: Config, room: Room, shelf: Path) -> None:
    """One command each; a running service sees both, and going back twice is going forward."""
    old, new = ids(shelf)
    running = Bundles(shelf / "current", room.journal)
    assert releases.promote(config, room.journal, shelf / "new") == (old, new)
    running.reload()
    running.look()
    assert running.current.id == new
    assert releases.roll_back(config, room.journal) == (new, old)
    assert Bundle.load(shelf / "current").id == old
    assert releases.roll_back(config, room.journal) == (old, new)
    assert {"bundle_promoted", "bundle_rolled_back", "bundle_loaded"} <= set(kinds(room.journal))


def test_nothing_unusable_is_promoted(config: Config, room: Room, shelf: Path, public_key: Path) -> None:
    """A damaged candidate, an unsigned one, the current one, a folder in place of the link: all refused."""
    (shelf / "new" / "card.json").write_text("{}")
    with pytest.raises(BundleDamagedError):
        releases.promote(config, room.journal, shelf / "new")
    signed = config.model_copy(update={"releases": Releases(public_key=public_key)})
    with pytest.raises(MailmlError, match="not signed"):
        releases.promote(signed, room.journal, copy(shelf))
    with pytest.raises(InputError, match="current bundle already"):
        releases.promote(config, room.journal, shelf / "old")
    with pytest.raises(InputError, match="nothing can be promoted"):
        releases.promote(room.config, room.journal, shelf / "old")
    assert os.readlink(shelf / "current") == "old"
    with pytest.raises(InputError, match="no bundle to go back to"):
        releases.roll_back(config, room.journal)


def copy(shelf: Path) -> Path:
    """Another good bundle on the shelf."""
    return bundle(shelf / "third", 'default = "Third"\n').path


def test_bundles_at_hand(config: Config, shelf: Path) -> None:
    """The current one and its neighbours are found by id; a damaged neighbour is found too, junk is not."""
    (shelf / "junk").mkdir()
    (shelf / "junk" / "manifest.json").write_text("nonsense")
    found = releases.known(config)
    assert set(found) == set(ids(shelf))
    assert all(path.is_dir() for path in found.values())


def test_a_bundle_swapped_while_it_is_read(
    shelf: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is resolved before the first byte is read: never half of one and half of another."""
    real = Bundle.load
    held = Bundles(shelf / "current", journal)

    def slow(path: Path, **options: object) -> Bundle:
        point(shelf / "current", "new")
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Bundle, "load", slow)
    held.reload()
    held.look()
    monkeypatch.setattr(Bundle, "load", real)
    assert held.current.id == ids(shelf)[0]
    assert not held.refusals
    held.reload()
    held.look()
    assert held.current.id == ids(shelf)[1]


@dataclasses.dataclass(frozen=True)
class Attack:
    """A hostile bundle: what is done to a good one."""

    name: str
    file: str
    data: bytes


HOSTILE = (
    Attack("manifest is no JSON", "manifest.json", b"{"),
    Attack("manifest of a deep nest", "manifest.json", b"[" * 100_000),
    Attack("a path that leads out", "manifest.json", b'{"format": 1, "files": {"../../etc/passwd": {}}}'),
    Attack("a format from the future", "manifest.json", b'{"format": 99}'),
    Attack("a pickle for a model", "model.npz", b"\x80\x04cos\nsystem\n(S'touch /tmp/owned'\ntR."),
    Attack("a zip that swells", "model.npz", b"PK\x03\x04" + b"\0" * 1000),
    Attack("another flow under the same hash", "flow.toml", b'default = "Stolen"\n'),
    Attack("a desk of another kind", "desk.toml", b"identity = 3\n"),
    Attack("a script beside the files", "run.sh", b"#!/bin/sh\ntouch /tmp/owned\n"),
    Attack("a page that is not listed", "card.html", b"<script>alert(1)</script>"),
)


@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.name)
def test_a_hostile_bundle_is_refused_in_one_sentence(attack: Attack, shelf: Path, journal: Journal) -> None:
    """Whatever lies there: no code runs, the old bundle stays, and the reason is one clear error of ours."""
    held = Bundles(shelf / "current", journal)
    shutil.copytree(shelf / "new", shelf / "evil")
    (shelf / "evil" / attack.file).write_bytes(attack.data)
    with pytest.raises(MailmlError):
        Bundle.load(shelf / "evil")
    point(shelf / "current", "evil")
    held.reload()
    held.look()
    assert held.current.id == ids(shelf)[0]
    assert held.refusals["current"]
    assert not Path("/tmp/owned").exists()


@pytest.mark.parametrize("name", ["flow.toml", "manifest.json"])
def test_links_and_pipes_in_a_bundle(name: str, shelf: Path, journal: Journal) -> None:
    """A link out of the folder and a pipe that never ends are refused before anything is read from them."""
    for kind in ("link", "pipe"):
        evil = shelf / f"evil-{kind}"
        shutil.copytree(shelf / "new", evil)
        (evil / name).unlink()
        (evil / name).symlink_to("/etc/hostname") if kind == "link" else os.mkfifo(evil / name)
        with pytest.raises(BundleError):
            Bundle.load(evil)
