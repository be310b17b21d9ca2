"""Access tokens for mailboxes: Microsoft 365 client credentials, Google service accounts, or one handed in.

The libraries (msal, google-auth) are imported when the first token is asked for: a password account never
pays for them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from mailml.errors import AuthError, ConnectError
from mailml.transport._certificate import Certificate
from mailml.transport.secret import Secret

# IMAP and SMTP accept this audience only; a Graph-scope token is issued gladly and then refused at login.
MICROSOFT_SCOPE = "https://outlook.office365.com/.default"
GOOGLE_SCOPE = "https://mail.google.com/"
AUTHORITY = "https://login.microsoftonline.com"


@runtime_checkable
class TokenProvider(Protocol):
    """Whoever can hand out an access token that is good for the next few minutes."""

    def token(self) -> str:
        """A token to log in with now; raises AuthError with the provider's own words."""
        ...


@dataclass(frozen=True)
class StaticToken:
    """A token somebody else renews (a file or variable written by another program)."""

    secret: Secret

    def token(self) -> str:
        """The token as its source holds it now."""
        return self.secret.reveal()


@dataclass(frozen=True)
class MicrosoftTokens:
    """Client credentials of an app registered in Entra ID (application permission IMAP.AccessAsApp).

    msal caches the token and renews it when 300 seconds are left, so it is asked at every login and no token
    is kept here. `authority` is another cloud's login host; `ca_file` trusts a private authority.
    """

    tenant: str
    client_id: str
    secret: Secret | Certificate
    authority: str = AUTHORITY
    ca_file: str | None = None
    secret_ends: date | None = None  # Entra ID does not tell an app when its own secret ends
    _cell: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def token(self) -> str:
        """An access token for IMAP and SMTP, from the cache where it is still good."""
        with self._lock, reaching(self.authority):
            answer = self._app().acquire_token_for_client([MICROSOFT_SCOPE])
        if token := answer.get("access_token"):
            self._cell["expires_at"] = time.time() + float(answer.get("expires_in", 0))
            return str(token)
        # a renewed secret or certificate file must take effect without a restart
        self._cell.pop("app", None)
        raise refused(answer, self.authority)

    def expires_at(self) -> float | None:
        """When the token handed out last ends (seconds since 1970), None before the first."""
        found: float | None = self._cell.get("expires_at")
        return found

    def _app(self) -> Any:
        import msal

        if "app" not in self._cell:
            self._cell["app"] = msal.ConfidentialClientApplication(
                self.client_id,
                client_credential=self.secret.reveal(),
                authority=f"{self.authority.rstrip('/')}/{self.tenant}",
                instance_discovery=None if self.authority == AUTHORITY else False,
                http_client=session(self.ca_file),
            )
        return self._cell["app"]


@contextlib.contextmanager
def reaching(authority: str) -> Iterator[None]:
    """Errors of the way to an identity provider in our own words."""
    try:
        yield
    except OSError as error:  # requests' errors are OSErrors
        raise ConnectError(f"the identity provider cannot be reached: {error}", where=authority) from error
    except ValueError as error:  # msal's word for a tenant that does not exist
        raise AuthError(f"the identity provider refused: {error}", where=authority) from error


def session(ca_file: str | None) -> Any:
    """An HTTP session for msal and google-auth that never waits for ever."""
    import requests

    made = requests.Session()
    if ca_file:
        # REQUESTS_CA_BUNDLE would override `verify`: with an own authority the environment has no say.
        made.verify, made.trust_env = ca_file, False
    made.request = _with_timeout(made.request)  # type: ignore[method-assign]
    return made


def _with_timeout(request: Any) -> Any:
    # requests waits for ever by default, and a login that hangs is a mailbox that silently stopped.
    def timed(*args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("timeout", 30)
        return request(*args, **kwargs)

    return timed


def refused(answer: dict[str, Any], where: str) -> AuthError:
    """The identity provider's refusal in its own words, with the cure."""
    words = str(answer.get("error_description") or answer.get("error") or "no reason given").splitlines()[0]
    cures = {
        "AADSTS7000215": "Create a new client secret and store its value, not its id",
        "AADSTS7000222": "The client secret has expired: create a new one",
        "AADSTS700027": "Upload this certificate to the app registration, or renew it",
        "AADSTS7000218": "Allow public client flows in the app registration",
        "AADSTS70016": "Enter the code within its time",
        "AADSTS700016": "Check client_id and tenant",
        "AADSTS90002": "Check the tenant",
    }
    cure = next((cure for code, cure in cures.items() if code in words), "Check tenant, client_id and secret")
    return AuthError(f"the identity provider refused: {words}", where=where, cure=cure)


@dataclass(frozen=True)
class GoogleTokens:
    """A Google service account with domain-wide delegation, acting for `user` (scope https://mail.google.com/)."""

    key_file: str
    user: str
    _cell: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def token(self) -> str:
        """An access token for IMAP and SMTP; renewed when google-auth no longer calls it valid."""
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.auth.transport.requests import Request

        with self._lock:
            credentials = self._credentials()
            try:
                if not credentials.valid:
                    credentials.refresh(Request(session(None)))
            except TransportError as error:
                raise ConnectError(
                    f"Google's token service cannot be reached: {error}", where=self.user
                ) from error
            except GoogleAuthError as error:
                raise AuthError(
                    f"Google refused a token: {error.args[0] if error.args else error}",
                    where=self.user,
                    cure="Check domain-wide delegation of the service account for https://mail.google.com/",
                ) from error
            if credentials.expiry is not None:  # google-auth's is naive UTC
                self._cell["expires_at"] = credentials.expiry.replace(tzinfo=UTC).timestamp()
        return str(credentials.token)

    def expires_at(self) -> float | None:
        """When the token handed out last ends (seconds since 1970), None before the first."""
        found: float | None = self._cell.get("expires_at")
        return found

    def _credentials(self) -> Any:
        from google.oauth2 import service_account

        if "credentials" not in self._cell:
            try:
                load: Any = service_account.Credentials.from_service_account_file
                path = str(Path(self.key_file).expanduser())
                self._cell["credentials"] = load(path, scopes=[GOOGLE_SCOPE], subject=self.user)
            except (OSError, ValueError) as error:
                raise AuthError(
                    f"the service account file {self.key_file} cannot be used: {error}",
                    cure="Download the JSON key again",
                ) from error
        return self._cell["credentials"]
