"""Signatures: by this key over this manifest, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from mailml.bundle import Bundle, fingerprint, is_signed, make_keys, sign, verify
from mailml.errors import BundleDamagedError, BundleError, InputError
from tests.mailml.bundles import small_bundle


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle without signature."""
    return small_bundle(tmp_path_factory.mktemp("bundles") / "b", text_model=None).path


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A copy to sign."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def test_a_signed_bundle_is_accepted_and_keeps_its_id(copy: Path) -> None:
    """Signing adds one file and changes nothing else."""
    before = Bundle.load(copy).id
    sign(copy, KEY)
    verify(copy, KEY.public_key())
    assert Bundle.load(copy, public_key=KEY.public_key()).id == before == Bundle.load(copy).id


def test_pem_files_do_as_well(copy: Path, tmp_path: Path) -> None:
    """Keys may be PEM files or bytes."""
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    sign(copy, tmp_path / "key.pem")
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert Bundle.load(copy, public_key=public).id == Bundle.load(copy, public_key=KEY.public_key()).id


def test_an_unsigned_bundle_is_refused_where_a_key_is_asked_for(copy: Path) -> None:
    """No signature is no approval."""
    with pytest.raises(BundleError, match="is not signed"):
        Bundle.load(copy, public_key=KEY.public_key())


def test_another_key_is_refused(copy: Path) -> None:
    """Someone else's signature does not count."""
    sign(copy, Ed25519PrivateKey.generate())
    with pytest.raises(BundleDamagedError, match="not this key's"):
        verify(copy, KEY.public_key())


@pytest.mark.parametrize("text", ["", "zz", "00" * 64, "00" * 10_000, "é"])
def test_a_signature_of_nonsense_is_refused(copy: Path, text: str) -> None:
    """No hex, no signature, too long."""
    (copy / "manifest.sig").write_text(text)
    with pytest.raises(BundleDamagedError, match=r"manifest\.sig"):
        verify(copy, KEY.public_key())


def test_a_changed_manifest_is_refused(copy: Path) -> None:
    """A single blank more in the manifest, and the signature is not for it."""
    sign(copy, KEY)
    with open(copy / "manifest.json", "a") as file:
        file.write(" ")
    with pytest.raises(BundleDamagedError, match="not this key's"):
        Bundle.load(copy, public_key=KEY.public_key())


@pytest.mark.parametrize("key", [b"nonsense", b"", "nowhere.pem"])
def test_a_key_that_is_none_is_refused(copy: Path, key: bytes | str) -> None:
    """Both ways say that the key is not readable, and never show it."""
    with pytest.raises(InputError, match="private key is not readable"):
        sign(copy, key)
    sign(copy, KEY)
    with pytest.raises(InputError, match="public key is not readable"):
        verify(copy, key)


def test_a_key_of_another_kind_is_refused(copy: Path) -> None:
    """X25519 is for exchanging keys, not for signing."""
    other = X25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(InputError, match="not an Ed25519 key"):
        sign(copy, pem)
    sign(copy, KEY)
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(InputError, match="not an Ed25519 key"):
        verify(copy, public)


def test_a_pair_of_keys_is_made_that_signs(copy: Path, tmp_path: Path) -> None:
    """The private key is its owner's alone, the pair works, and one of another pair does not."""
    make_keys(tmp_path / "k" / "key.pem", tmp_path / "k" / "key.pub")
    assert (tmp_path / "k" / "key.pem").stat().st_mode & 0o077 == 0
    assert not is_signed(copy)
    sign(copy, tmp_path / "k" / "key.pem")
    assert is_signed(copy)
    verify(copy, tmp_path / "k" / "key.pub")
    make_keys(tmp_path / "other.pem", tmp_path / "other.pub")
    assert fingerprint(tmp_path / "other.pub") != fingerprint(tmp_path / "k" / "key.pub")
    with pytest.raises(BundleDamagedError, match="not this key's"):
        verify(copy, tmp_path / "other.pub")


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    """Where one of the two names is taken nothing is written."""
    (tmp_path / "key.pub").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        make_keys(tmp_path / "key.pem", tmp_path / "key.pub")
    assert not (tmp_path / "key.pem").exists()
    assert (tmp_path / "key.pub").read_text() == "mine"
