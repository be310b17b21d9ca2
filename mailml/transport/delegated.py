"""Tokens of a person who signed in once with a device code: a mailbox without an app's own rights.

`login` shows a code, the person enters it in a browser, and the refresh token goes into a cache file that
only we may read. From then on tokens are renewed silently, by whichever process needs one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailml.errors import AuthError, ConnectError
from mailml.transport import oauth

# Delegated scopes are named one by one: `.default` would ask for whatever the app was ever granted.
SCOPES = [
    "https://outlook.office365.com/IMAP.AccessAsUser.All",
    "https://outlook.office365.com/SMTP.Send",
]
_LOGIN = "Sign in again: mailml-serve login"


@dataclass(frozen=True)
class DelegatedTokens:
    """Tokens for `user`, who signed in with a device code; `cache` is the file that remembers it."""

    tenant: str
    client_id: str
    user: str
    cache: str
    authority: str = oauth.AUTHORITY
    ca_file: str | None = None
    _cell: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def token(self) -> str:
        """An access token for IMAP and SMTP; raises AuthError when somebody has to sign in (again)."""
        with self._lock, self._app() as app:
            account = next(iter(app.get_accounts(self.user)), None)
            if account is None:
                raise AuthError(f"nobody has signed in as {self.user}", where=self.authority, cure=_LOGIN)
            with self._reaching():
                answer = app.acquire_token_silent_with_error(SCOPES, account) or {}
        if not answer.get("access_token"):
            refused = oauth.refused(answer, self.authority)
            raise AuthError(refused.what, where=refused.where, cure=_LOGIN)
        self._cell["expires_at"] = time.time() + float(answer.get("expires_in", 0))
        return str(answer["access_token"])

    def expires_at(self) -> float | None:
        """When the token handed out last ends (seconds since 1970), None before the first."""
        found: float | None = self._cell.get("expires_at")
        return found

    def login(self, show: Callable[[str], None]) -> str:
        """Let a person sign in: `show` gets the provider's sentence with address and code.

        Waits until it is done or the code ends. Returns who signed in. Raises AuthError when it was refused,
        took too long, or was somebody else than the account's user.
        """
        with self._lock, self._app() as app, self._reaching():
            flow = app.initiate_device_flow(SCOPES)
            if "user_code" not in flow:
                raise oauth.refused(flow, self.authority)
            show(str(flow["message"]))
            answer = app.acquire_token_by_device_flow(flow)
            if not answer.get("access_token"):
                raise oauth.refused(answer, self.authority)
            who = str(answer.get("id_token_claims", {}).get("preferred_username", ""))
            if who.lower() != self.user.lower():
                for account in app.get_accounts(who):
                    app.remove_account(account)
                raise AuthError(
                    f"{who or 'somebody else'} signed in, not {self.user}",
                    where=self.authority,
                    cure=f"Sign in as {self.user}, or change `user`",
                )
            return who

    @contextlib.contextmanager
    def _app(self) -> Iterator[Any]:
        """msal over the cache file, read before and written after, under a lock between processes."""
        import msal

        with _locked(Path(self.cache)) as path:
            cache = msal.SerializableTokenCache()
            if path.exists():
                cache.deserialize(path.read_text("utf-8"))
            with self._reaching():
                app = msal.PublicClientApplication(
                    self.client_id,
                    authority=f"{self.authority.rstrip('/')}/{self.tenant}",
                    instance_discovery=None if self.authority == oauth.AUTHORITY else False,
                    token_cache=cache,
                    http_client=oauth.session(self.ca_file),
                )
            try:
                yield app
            finally:
                if cache.has_state_changed:
                    _write(path, cache.serialize())

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        with oauth.reaching(self.authority):
            yield


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[Path]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConnectError(f"the token cache cannot be used: {error.strerror}", where=str(path)) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_mode & 0o077:
            raise AuthError("others may read the token cache", where=str(path), cure=f"chmod 600 {path}")
        yield path
    finally:
        os.close(fd)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by anybody else, not even for a moment."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
    os.replace(draft, path)
