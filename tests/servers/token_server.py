"""An identity provider over HTTPS: it issues tokens to msal and tells Dovecot whose they are (RFC 7662)."""

from __future__ import annotations

import base64
import json
import secrets
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.servers import tls
from tests.servers.listening import listening
from tests.servers.missing import free_port

CLIENT, SECRET = "11111111-1111-1111-1111-111111111111", "client secret"
SCOPE = "https://outlook.office365.com/.default"
PERSONS = (
    "https://outlook.office365.com/IMAP.AccessAsUser.All",
    "https://outlook.office365.com/SMTP.Send",
)


class TokenServer:
    """The provider; a context manager. `mailbox` is the one its app may open."""

    def __init__(self, folder: Path, mailbox: str = "", *, lifetime: float = 3600.0) -> None:
        self.folder, self.mailbox, self.lifetime = folder, mailbox, lifetime
        self.port = free_port()
        self.tokens: dict[str, tuple[str, float]] = {}
        self.issued = 0
        # the device-code flow: who signs in, when, and how long a sign-in is remembered
        self.person, self.approved, self.remembered = mailbox, True, True
        self.certificate: str = ""  # PEM of the certificate the app may sign with

    def __enter__(self) -> TokenServer:
        self.certificates = tls.make(self.folder / "tls")
        self._server = listening(self.port, _handler(self), self.certificates)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The authority, without the tenant."""
        return f"https://localhost:{self.port}"

    @property
    def introspection(self) -> str:
        """Where Dovecot asks about a token."""
        return f"https://mailml:secret@localhost:{self.port}/introspect"

    def account(self, secret_file: Path) -> dict[str, Any]:
        """The keys of an account that gets its tokens here; the secret is written to `secret_file`."""
        secret_file.write_text(SECRET)
        return {
            "auth": "microsoft365",
            "tenant": "tenant",
            "client_id": CLIENT,
            "client_secret_file": str(secret_file),
            "authority": self.url,
            "authority_ca_file": str(self.certificates.ca),
        }

    def revoke(self) -> None:
        """Makes every token issued so far worthless."""
        self.tokens.clear()

    def issue(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint: client credentials, or a service account's signed assertion."""
        if "assertion" in form:
            return self._delegated(form["assertion"])
        if form.get("grant_type") == "urn:ietf:params:oauth:grant-type:device_code":
            return self._device(form)
        if form.get("grant_type") == "refresh_token":
            return self._refreshed(form)
        if "client_assertion" in form:
            return self._certified(form["client_assertion"])
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            words = "AADSTS7000215: Invalid client secret provided."
            return 401, {"error": "invalid_client", "error_description": words}
        self.issued += 1
        # As Exchange does: a token for another audience is issued gladly and refused at the mailbox.
        token = f"{'imap' if form.get('scope') == SCOPE else 'graph'}-{secrets.token_urlsafe(24)}"
        if token.startswith("imap"):
            self.tokens[token] = (self.mailbox, time.time() + self.lifetime)
        answer = {"token_type": "Bearer", "expires_in": int(self.lifetime), "access_token": token}
        return 200, answer

    def device_code(self) -> tuple[int, dict[str, Any]]:
        """The answer of the device endpoint: a code for a person to enter."""
        message = f"To sign in, open {self.url}/device and enter the code ABCD-EFGH."
        answer = {"device_code": "device", "user_code": "ABCD-EFGH", "interval": 1, "expires_in": 2}
        return 200, {**answer, "verification_uri": f"{self.url}/device", "message": message}

    def _device(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if not self.approved:
            return 400, {"error": "authorization_pending", "error_description": "AADSTS70016: pending"}
        return self._signed_in(form.get("device_code") == "device")

    def _refreshed(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        return self._signed_in(self.remembered and form.get("refresh_token") == "refresh")

    def _signed_in(self, good: bool) -> tuple[int, dict[str, Any]]:
        """A person's tokens, with the claims that say who it is."""
        if not good:
            words = "AADSTS700082: The refresh token has expired due to inactivity."
            return 400, {"error": "invalid_grant", "error_description": words}
        self.issued += 1
        token = f"person-{secrets.token_urlsafe(24)}"
        self.tokens[token] = (self.person, time.time() + self.lifetime)
        claims = {"preferred_username": self.person, "sub": self.person, "oid": self.person, "tid": "tenant"}
        claims |= {"aud": CLIENT, "iss": f"{self.url}/tenant/v2.0", "exp": int(time.time()) + 3600}
        who = {"uid": self.person, "utid": "tenant"}
        return 200, {
            "token_type": "Bearer",
            "expires_in": int(self.lifetime),
            "access_token": token,
            "refresh_token": "refresh",
            "scope": " ".join(PERSONS),
            "id_token": f"{_part({'alg': 'none'})}.{_part(claims)}.",
            "client_info": _part(who),
        }

    def _certified(self, assertion: str) -> tuple[int, dict[str, Any]]:
        """An app's token for an assertion signed by the certificate it registered (RFC 7523)."""
        head, body, signature = assertion.split(".")
        certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        key, claims = certificate.public_key(), json.loads(_bytes(body))
        assert isinstance(key, rsa.RSAPublicKey)
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        try:
            key.verify(_bytes(signature), f"{head}.{body}".encode(), pss, hashes.SHA256())
            good = claims["iss"] == CLIENT and claims["aud"].startswith(self.url)
        except InvalidSignature:
            good = False
        if not good:
            words = "AADSTS700027: The certificate used to sign the client assertion is not registered."
            return 401, {"error": "invalid_client", "error_description": words}
        return self._app_token()

    def _app_token(self) -> tuple[int, dict[str, Any]]:
        self.issued += 1
        token = f"imap-{secrets.token_urlsafe(24)}"
        self.tokens[token] = (self.mailbox, time.time() + self.lifetime)
        return 200, {"token_type": "Bearer", "expires_in": int(self.lifetime), "access_token": token}

    def _delegated(self, assertion: str) -> tuple[int, dict[str, Any]]:
        body = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if (claims.get("sub"), claims.get("scope")) != (self.mailbox, "https://mail.google.com/"):
            words = "Client is unauthorized to retrieve access tokens using this method"
            return 401, {"error": "unauthorized_client", "error_description": words}
        self.issued += 1
        token = f"gmail-{secrets.token_urlsafe(24)}"
        self.tokens[token] = (self.mailbox, time.time() + self.lifetime)
        return 200, {"token_type": "Bearer", "expires_in": int(self.lifetime), "access_token": token}

    def service_account(self, path: Path) -> str:
        """Writes a service account's key file whose tokens come from here, and returns its path."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        fields = {
            "type": "service_account",
            "client_email": "mailml@project.example",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(fields))
        return str(path)

    def introspect(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer to "whose is this token"."""
        user, expires = self.tokens.get(form.get("token", ""), ("", 0.0))
        if expires <= time.time():
            return 200, {"active": False}
        return 200, {"active": True, "username": user, "exp": int(expires), "scope": SCOPE}


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _handler(server: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self, code: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            tenant = self.path.split("/")[1]
            base = f"{server.url}/{tenant}/oauth2/v2.0"
            if not self.path.endswith("/.well-known/openid-configuration"):
                return self.reply(404, {"error": "not_found"})
            return self.reply(
                200,
                {
                    "issuer": f"{server.url}/{tenant}/v2.0",
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "device_authorization_endpoint": f"{base}/devicecode",
                    "jwks_uri": f"{server.url}/{tenant}/keys",
                },
            )

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
            if self.path.endswith("/devicecode"):
                return self.reply(*server.device_code())
            answer = server.issue if self.path.endswith("/token") else server.introspect
            self.reply(*answer(form))

        def log_message(self, format: str, *arguments: object) -> None:
            del format, arguments

    return Handler
