"""Who vouches for a bundle: an Ed25519 signature (RFC 8032) over the manifest, which holds every hash.

Keys are PEM bytes, PEM files, or key objects of `cryptography`. The signature is 64 bytes in hex, in
manifest.sig, which is the one file that the manifest does not list.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from mailml.bundle.manifest import MANIFEST, SIGNATURE, read
from mailml.bundle.writing import write_file
from mailml.errors import BundleDamagedError, BundleError, InputError

# Said before the manifest, so that a signature made for something else can never pass for one of a bundle.
_PURPOSE = b"mailml bundle manifest\n"

PrivateKey = Ed25519PrivateKey | bytes | str | os.PathLike[str]
PublicKey = Ed25519PublicKey | bytes | str | os.PathLike[str]


def sign(path: str | os.PathLike[str], private_key: PrivateKey) -> None:
    """Sign the bundle at `path`: writes manifest.sig. Raises InputError for a key that is none."""
    folder = Path(path)
    data, _ = read(folder)
    signature = _private(private_key).sign(_PURPOSE + data)
    write_file(folder / SIGNATURE, signature.hex().encode() + b"\n")


def make_keys(private: str | os.PathLike[str], public: str | os.PathLike[str]) -> None:
    """Make a new pair of keys as PEM files; the private one is readable by its owner alone.

    Raises InputError where one of the files is there already: a key is never replaced by accident.
    """
    for path in (Path(private), Path(public)):
        if path.exists():
            raise InputError("is there already", where=str(path), cure="Choose another name, or move it away")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made: list[Path] = []
    for path, data, mode in ((Path(private), secret, 0o600), (Path(public), shown, 0o644)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # made with its final mode: a private key is never readable by others, not even for a moment
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            made.append(path)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
        except OSError as error:
            for half in made:  # it would stand in the way of the next try
                half.unlink(missing_ok=True)
            raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from error


def fingerprint(key: PublicKey) -> str:
    """A short name of a public key to compare by eye: 16 hex digits of its SHA-256."""
    raw = _public(key).public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def is_signed(path: str | os.PathLike[str]) -> bool:
    """Whether a signature lies beside the manifest; by whom, only `verify` can tell."""
    return (Path(path) / SIGNATURE).is_file()


def verify(path: str | os.PathLike[str], public_key: PublicKey) -> None:
    """Check the signature by this key.

    Raises BundleError when there is none, BundleDamagedError when it is another key's or another manifest's.
    """
    folder = Path(path)
    data, _ = read(folder)
    verify_manifest(folder, data, public_key)


def verify_manifest(folder: Path, manifest: bytes, public_key: PublicKey) -> None:
    """`verify` for manifest bytes that were read already, so that nobody swaps them in between."""
    file = folder / SIGNATURE
    if not file.is_file():
        raise BundleError(f"the bundle is not signed: it has no {SIGNATURE}", where=str(folder))
    try:
        signature = bytes.fromhex(file.read_bytes()[:200].decode("ascii"))
        _public(public_key).verify(signature, _PURPOSE + manifest)
    except (ValueError, InvalidSignature) as error:
        cure = "It was changed after signing, or someone else signed it: do not serve it"
        raise BundleDamagedError(
            f"{SIGNATURE} is not this key's over {MANIFEST}", where=str(folder), cure=cure
        ) from error


def _private(key: PrivateKey) -> Ed25519PrivateKey:
    if isinstance(key, Ed25519PrivateKey):
        return key
    try:
        loaded = load_pem_private_key(_pem(key), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise InputError("the private key is not readable PEM without a password") from error
    if not isinstance(loaded, Ed25519PrivateKey):
        raise InputError("the private key is not an Ed25519 key")
    return loaded


def _public(key: PublicKey) -> Ed25519PublicKey:
    if isinstance(key, Ed25519PublicKey):
        return key
    try:
        loaded = load_pem_public_key(_pem(key))
    except (ValueError, OSError) as error:
        raise InputError("the public key is not readable PEM") from error
    if not isinstance(loaded, Ed25519PublicKey):
        raise InputError("the public key is not an Ed25519 key")
    return loaded


def _pem(key: bytes | str | os.PathLike[str]) -> bytes:
    return key if isinstance(key, bytes) else Path(key).read_bytes()
