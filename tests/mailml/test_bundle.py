"""A bundle: the same inputs the same bytes, whole or not there, refused in one sentence when hostile."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mailml.bundle import Bundle, desk, write
from mailml.bundle import npz as npz_of
from mailml.errors import BundleDamagedError, BundleError, BundleVersionError, FlowError, MailmlError
from mailml.flow import source
from tests.conftest import ROOT
from tests.mailml.bundles import CREATED, resealed, small_bundle, small_desk, small_model

ALL = ["autoreply.json", "autoreply.npz", "card.html", "card.json", "desk.toml", "flow.toml", "golden.json",
       "manifest.json", "model.json", "model.npz"]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whole bundle; tests that change something copy it."""
    return small_bundle(tmp_path_factory.mktemp("bundles") / "whole").path


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def refused(folder: Path, kind: type[MailmlError] = BundleDamagedError) -> str:
    """The sentence a bundle is refused with."""
    with pytest.raises(kind) as caught:
        Bundle.load(folder)
    sentence = str(caught.value)
    assert str(folder) in sentence or "golden.json" in sentence or "model.npz" in sentence
    assert "\n" not in sentence
    return sentence


def test_holds_exactly_its_files_and_reads_them_back(made: Path) -> None:
    """Every part that went in comes out, and the id names the manifest."""
    loaded = Bundle.load(made)
    assert sorted(os.listdir(made)) == ALL
    assert loaded.desk.cut_off == timedelta(hours=12)
    assert loaded.desk.sla_target.minutes == 240
    assert loaded.desk.identity.address == "support@acme.example"
    assert loaded.model is not None
    assert loaded.model.id == small_model().id
    assert loaded.text_model is not None
    assert loaded.card == {"verdict": "made by hand"}
    assert loaded.manifest["created"] == CREATED.isoformat() == loaded.created
    assert len(loaded.id) == 12
    assert loaded.model.categorize("login").label == "technical"


def test_the_same_inputs_are_the_same_bytes(made: Path, tmp_path: Path) -> None:
    """Two writes of one bundle differ in no byte, so their ids are equal; another desk is another id."""
    again = small_bundle(tmp_path / "again")
    assert again.id == Bundle.load(made).id
    for name in ALL:
        assert (made / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    other = small_bundle(tmp_path / "other", desk=desk.default("help@acme.example"))
    assert other.id != again.id


def test_a_bundle_of_rules_alone_has_no_models(tmp_path: Path) -> None:
    """Without classifier and text model there are no arrays, and it loads."""
    bare = small_bundle(tmp_path / "bare", model=None, text_model=None, card_html="")
    assert bare.model is None
    assert bare.text_model is None
    assert sorted(os.listdir(bare.path)) == [
        n for n in ALL if n.split(".")[0] not in {"autoreply", "model"} and n != "card.html"
    ]


def test_nothing_is_overwritten_unless_told(made: Path, tmp_path: Path) -> None:
    """A path that is taken is refused and left alone; with `replace` the new bundle takes its place."""
    path = small_bundle(tmp_path / "b").path
    with pytest.raises(BundleError, match="something is there already"):
        small_bundle(path, by="someone else")
    assert Bundle.load(path).manifest["by"] == "the tests"
    assert small_bundle(path, by="someone else", replace=True).manifest["by"] == "someone else"
    assert os.listdir(tmp_path) == ["b"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk in the middle: no bundle under the name, no half folder beside it."""

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        small_bundle(tmp_path / "b")
    assert os.listdir(tmp_path) == []


def test_a_class_the_desk_does_not_know_is_refused(tmp_path: Path) -> None:
    """A category no rule can name would be routed nowhere on purpose."""
    narrow = desk.loads('[identity]\naddresses = []\n[classifier]\ncategories = ["billing", "technical"]\n')
    with pytest.raises(BundleError, match="says 'general', which is no category of the desk"):
        small_bundle(tmp_path / "b", desk=narrow)


@pytest.mark.parametrize("name", ALL)
def test_a_flipped_byte_in_any_file_is_found(copy: Path, name: str) -> None:
    """One bit anywhere: the file is named, or the manifest is no longer believed."""
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 0x04
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(BundleError) as caught:
        Bundle.load(copy)
    assert name in str(caught.value) or name == "manifest.json"


@pytest.mark.parametrize("name", [n for n in ALL if n != "manifest.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    """Each file of the manifest must be there."""
    (copy / name).unlink()
    assert f"{name} of the manifest is missing" in refused(copy)


def test_an_extra_file_is_named(copy: Path) -> None:
    """What the manifest does not list does not belong."""
    (copy / "extra.py").write_text("import os")
    assert "extra.py" in refused(copy)


@pytest.mark.parametrize(
    ("number", "cure"),
    [(2, "Upgrade mailml"), (0, "Export"), ("1", "Export"), (None, "Export"), (True, "Export")],
)
def test_another_format_is_refused_with_what_to_do(copy: Path, number: Any, cure: str) -> None:
    """A newer format asks for an upgrade, anything else for an export."""
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": number}))
    sentence = refused(copy, BundleVersionError)
    assert f"format {number!r}, this version of mailml reads 1" in sentence
    assert cure in sentence


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    """A missing folder, an empty one, and a file each have their sentence."""
    assert "no bundle here" in refused(tmp_path / "nowhere", BundleError)
    assert "holds no manifest.json" in refused(tmp_path, BundleError)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"format": 1}', '{"format": 1, "files": []}',
                                  '{"format": 1, "files": {"../evil": {}}}'])  # fmt: skip
def test_a_manifest_of_nonsense_is_refused(copy: Path, text: str) -> None:
    """No JSON, no object, or files that no bundle has."""
    (copy / "manifest.json").write_text(text)
    with pytest.raises(BundleError):
        Bundle.load(copy)


def test_links_and_pipes_are_not_followed(copy: Path, tmp_path: Path) -> None:
    """A file that is a link to the right bytes, or a pipe that would block, is no file of a bundle."""
    (copy / "card.json").rename(tmp_path / "card.json")
    (copy / "card.json").symlink_to(tmp_path / "card.json")
    assert "cannot be opened" in refused(copy)
    (copy / "card.json").unlink()
    os.mkfifo(copy / "card.json")
    assert "no ordinary file" in refused(copy)


def test_a_giant_text_is_not_read(copy: Path) -> None:
    """Nobody needs a card of twenty megabytes; it is refused before it is in memory."""
    resealed(copy, "card.html", b" " * 20_000_000)
    assert "no ordinary file of at most 16,777,216 bytes" in refused(copy)


def stored(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of the given members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def entries(folder: Path) -> dict[str, bytes]:
    """The members of the classifier's npz."""
    with zipfile.ZipFile(folder / "model.npz") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def npy(array: Any, pickled: bool = False) -> bytes:
    """An array as npy bytes."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=pickled)
    return out.getvalue()


def header(shape: tuple[int, ...], data: bytes) -> bytes:
    """An npy whose header claims any shape for the data that follows."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return out.getvalue() + data


SWAPS: dict[str, tuple[str, bytes, str]] = {
    "a pickled array": ("word_idf", npy(np.array([print] * 3), pickled=True), "word_idf"),
    "not a number": ("word_idf", npy(np.float32([1, np.nan, 1])), "finite number"),
    "infinity": ("intercept", npy(np.array([1, np.inf, 1])), "intercept holds"),
    "another shape": ("word_idf", npy(np.float32([1, 2, 3, 4])), "word_idf"),
    "another type": ("word_idf", npy(np.int32([1, 2, 3])), "word_idf is int32"),
    "a huge shape": ("word_idf", header((10**15,), b"x" * 12), "word_idf is float32(1000000000000000,)"),
    "a fortran order": (
        "word_coef",
        npy(np.asfortranarray(np.float32(np.arange(9).reshape(3, 3)))),
        "word_coef",
    ),
    "no npy at all": ("word_idf", b"MZ" + b"\0" * 90, "not a readable npz"),
    "cut short": ("word_idf", header((3,), b"x" * 10), "word_idf"),
    "an extra array": ("evil", npy(np.zeros(3)), "evil.npy"),
    "a path upwards": ("../../evil", npy(np.zeros(3)), "../../evil.npy"),
    "a path from the root": ("/etc/evil", npy(np.zeros(3)), "/etc/evil.npy"),
}


@pytest.mark.parametrize("name", SWAPS)
def test_a_hostile_array_with_the_right_hash_is_refused(copy: Path, name: str) -> None:
    """Even when the manifest vouches for it: nothing is unpickled, expanded or believed."""
    array, data, says = SWAPS[name]
    resealed(copy, "model.npz", stored({**entries(copy), f"{array}.npy": data}))
    assert says in refused(copy)


def test_a_missing_array_is_named(copy: Path) -> None:
    """What is declared must be there."""
    resealed(copy, "model.npz", stored({k: v for k, v in entries(copy).items() if k != "word_idf.npy"}))
    assert "word_idf.npy" in refused(copy)


def test_a_zip_bomb_is_refused_unexpanded(copy: Path) -> None:
    """Two hundred megabytes behind a small file are read off the directory, not expanded."""
    bomb = stored({**entries(copy), "word_idf.npy": b"\0" * 200_000_000}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 300_000
    resealed(copy, "model.npz", bomb)
    assert "expands to 200,000,000 bytes, 12 are declared" in refused(copy)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nothing more", b"half"])
def test_what_is_no_zip_is_refused(copy: Path, data: bytes) -> None:
    """Empty, only a beginning, or cut in half."""
    resealed(copy, "model.npz", (copy / "model.npz").read_bytes()[:300] if data == b"half" else data)
    assert "not a readable npz" in refused(copy)


def test_a_size_that_lies_in_the_zip_directory_is_found(copy: Path) -> None:
    """A member whose directory entry claims the declared size but expands to more is cut off and refused."""
    bomb = bytearray(stored({**entries(copy), "word_idf.npy": b"\0" * 50_000_000}, zipfile.ZIP_DEFLATED))
    size, honest = (50_000_000).to_bytes(4, "little"), (140).to_bytes(4, "little")
    resealed(copy, "model.npz", bytes(bomb).replace(size, honest))
    assert "word_idf" in refused(copy)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"dtype": "<f4", "shape": [10**12]}, "more than the"),
        ({"dtype": "|O", "shape": [3]}, "not allowed"),
        ({"dtype": "<f4", "shape": [-3]}, "not allowed"),
        ({"dtype": "<f4", "shape": [1, 1, 3]}, "not allowed"),
        ({"dtype": "<f4", "shape": "3"}, "not allowed"),
        ("evil", "not allowed"),
    ],
)
def test_a_description_that_asks_for_too_much_is_refused(copy: Path, entry: Any, says: str) -> None:
    """Declared sizes are checked before a single byte is expanded."""
    described = json.loads((copy / "model.json").read_text())
    described["arrays"]["word_idf"] = entry
    resealed(copy, "model.json", json.dumps(described).encode())
    assert says in refused(copy)


def test_a_failing_golden_text_is_refused(copy: Path) -> None:
    """A bundle whose numbers answer otherwise than when it was made must not serve."""
    golden = json.loads((copy / "golden.json").read_text())
    golden["texts"][2]["probabilities"][0] += 0.001
    resealed(copy, "golden.json", json.dumps(golden).encode())
    assert "classifier no longer gives golden text 3 the answer" in refused(copy)


def test_golden_texts_cannot_be_left_out(copy: Path) -> None:
    """No golden texts is no proof."""
    resealed(copy, "golden.json", b'{"texts": []}')
    assert "no golden texts" in refused(copy)


def test_arrays_changed_together_with_their_hash_fail_the_golden_texts(copy: Path) -> None:
    """A weight changed by someone who also repairs the manifest is found by the answers."""
    changed = {**entries(copy), "word_coef.npy": npy(np.float32([[4, 0, 0], [0, 0, 4], [0, 4, 0]]))}
    described = json.loads((copy / "model.json").read_text())
    resealed(copy, "model.npz", stored(changed))
    assert described["arrays"]["word_coef"]["shape"] == [3, 3]
    assert "golden text" in refused(copy)


def test_unverified_loading_still_checks_shapes(copy: Path) -> None:
    """`verify=False` looks into a damaged bundle; it never trusts sizes."""
    with open(copy / "card.json", "a") as file:
        file.write(" ")
    assert Bundle.load(copy, verify=False).card["verdict"] == "made by hand"
    resealed(copy, "model.npz", stored({**entries(copy), "word_idf.npy": header((10**15,), b"x" * 12)}))
    with pytest.raises(BundleDamagedError):
        Bundle.load(copy, verify=False)


def test_the_frozen_bundle_of_format_1_loads_for_ever() -> None:
    """Bundles exported by the first version keep loading and keep their answers."""
    frozen = Bundle.load(ROOT / "tests" / "bundles" / "v1")
    assert frozen.manifest["format"] == 1
    assert frozen.model is not None
    assert frozen.model.categorize("the invoice shows the wrong amount").label == "billing"
    assert frozen.text_model is not None
    assert frozen.desk.sla_target.text == "4 business hours"
    assert {rule.name for rule in frozen.flow.rules} >= {"urgent", "billing", "technical"}


def test_loads_without_workbench_libraries_and_small(made: Path) -> None:
    """No scikit-learn, scipy or pandas is imported, and the process stays under 120 MB."""
    script = (
        "import sys\n"
        "from mailml.bundle import Bundle\n"
        "b = Bundle.load(sys.argv[1]); b.model.categorize('the invoice is wrong')\n"
        "heavy = {'sklearn', 'scipy', 'pandas', 'polars', 'matplotlib', 'pyarrow'} & set(sys.modules)\n"
        "peak = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "print(sorted(heavy), peak < 120_000)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(made)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[] True"


def test_arrays_are_the_same_bytes_whatever_their_order_and_memory() -> None:
    """npz bytes depend on names and values only."""
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2], dtype=np.uint8)
    one = npz_of.dumps({"a": a, "b": b})
    other = npz_of.dumps({"b": b, "a": np.asfortranarray(a).astype(">f4")})
    assert one == other
    back = npz_of.loads(one, npz_of.declare({"a": a, "b": b}), where="x")
    assert np.array_equal(back["a"], a)
    assert np.array_equal(back["b"], b)


@pytest.mark.parametrize(
    ("then", "when", "told"),
    [
        ('ack = "vip"', "{}", "'vip' is no template of the desk"),
        ("ack = true", '{ category = { is = "biling" } }', "biling"),
    ],
)
def test_rules_that_name_what_the_desk_has_not_replace_nothing(
    copy: Path, then: str, when: str, told: str
) -> None:
    """A rule with an unknown template or category is refused, and the bundle that stood there still loads."""
    flow = f'default = "G"\n[[rule]]\nname = "a"\nwhen = {when}\nthen = {{ queue = "Q", {then} }}\n'
    before = Bundle.load(copy)
    with pytest.raises(MailmlError, match=told):
        write(copy, flow=source.loads(flow), desk=before.desk, created=CREATED, replace=True)
    assert Bundle.load(copy).id == before.id


def test_a_promise_that_cannot_be_kept_is_refused_with_its_rule(tmp_path: Path) -> None:
    """A rule's sla that no calendar can answer is named when a bundle is written and when one is loaded."""
    flow = 'default = "G"\n[[rule]]\nname = "vip"\nwhen = {}\nthen = { queue = "Q", sla = "50 weeks" }\n'
    where = tmp_path / "bundle"
    write(where, flow=source.loads(flow), desk=small_desk(), created=CREATED)
    said = 'rule "vip", key "then.sla": \'99 weeks\' is not between a minute and a year'
    with pytest.raises(FlowError, match=said):
        write(
            where,
            flow=source.loads(flow.replace("50", "99")),
            desk=small_desk(),
            created=CREATED,
            replace=True,
        )
    file = where / "flow.toml"
    file.write_text(file.read_text().replace("50 weeks", "99 weeks"))
    with pytest.raises(FlowError, match=said):
        Bundle.load(where, verify=False)
