"""Where a password or client secret comes from: read when it is needed, never shown, never stored."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mailml.errors import AuthError, MissingExtraError


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by its source: `env`, `file`, `keyring` ("service/user") or `literal`.

    `repr` names the source and never the value. The value is read at every `reveal`, so that a rotated
    password file takes effect at the next connection without a restart.
    """

    source: str
    place: str = field(repr=False)
    base: str = field(default="", repr=False)

    def __repr__(self) -> str:
        return f"<secret in {self.describe()}>"

    def describe(self) -> str:
        """The source in words, safe to print."""
        words = {"env": f"environment variable {self.place}", "file": f"file {self.place}"}
        return words.get(self.source, "the keyring" if self.source == "keyring" else "the configuration")

    def reveal(self) -> str:
        """The value itself; raises AuthError with the cure when the source has none."""
        return _READERS[self.source](self)


def _from_env(secret: Secret) -> str:
    value = os.environ.get(secret.place, "")
    if value:
        return value
    raise AuthError(
        f"the environment variable {secret.place} is not set", cure=f"Set it: export {secret.place}=…"
    )


def secret_path(place: str, base: str = "") -> Path:
    """The file of a secret: a bare relative name is first looked up among systemd's credentials."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (found := Path(credentials, place)).is_file():
        return found
    return Path(base, place).expanduser() if base else Path(place).expanduser()


def _from_file(secret: Secret) -> str:
    path = secret_path(secret.place, secret.base)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text"
        raise AuthError(
            f"the secret file {path} cannot be read: {reason}", cure="Check path and rights"
        ) from error
    # Only the line end an editor adds is not part of the secret; blanks may be.
    value = text.rstrip("\r\n")
    if not value:
        raise AuthError(f"the secret file {path} is empty", cure="Write the secret into it")
    return value


def _from_keyring(secret: Secret) -> str:
    try:
        import keyring
    except ImportError as error:
        raise MissingExtraError(
            "passwords in the keyring need the package keyring",
            cure="Install it (pip install keyring), or use password_file or password_env",
        ) from error
    service, _, user = secret.place.rpartition("/")
    try:
        value = keyring.get_password(service or "mailml", user)
    except Exception as error:
        raise AuthError(
            f"the keyring cannot be read: {error}", cure="Use password_file or password_env"
        ) from error
    if not value:
        raise AuthError(
            f"the keyring holds no password for {secret.place}",
            cure=f"Store it: keyring set {service or 'mailml'} {user}",
        )
    return str(value)


def _literal(secret: Secret) -> str:
    return secret.place


_READERS: dict[str, Callable[[Secret], str]] = {
    "env": _from_env,
    "file": _from_file,
    "keyring": _from_keyring,
    "literal": _literal,
}
