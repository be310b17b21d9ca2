"""A certificate in place of a client secret: one PEM file with the key and the certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailml.errors import AuthError
from mailml.transport.secret import secret_path

_BEGIN = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Key and certificate by their file; read at every use, so that a renewed file takes effect by itself."""

    place: str
    base: str = field(default="", repr=False)

    def reveal(self) -> dict[str, Any]:
        """The credential as msal takes it; raises AuthError with the cure."""
        text = self._text()
        if _BEGIN not in text or "PRIVATE KEY-----" not in text:
            raise AuthError(
                f"the file {self.place} holds no private key and certificate",
                cure="Put both into one PEM file: cat key.pem certificate.pem > both.pem",
            )
        # msal signs with the SHA-256 thumbprint of the certificate it is given
        return {"private_key": text, "public_certificate": text[text.index(_BEGIN) :]}

    def ends(self) -> datetime:
        """When the certificate is no longer valid (UTC)."""
        from cryptography import x509

        text = self._text()
        try:
            found = x509.load_pem_x509_certificate(text[text.index(_BEGIN) :].encode())
        except ValueError as error:
            raise AuthError(f"the file {self.place} holds no readable certificate: {error}") from error
        return found.not_valid_after_utc

    def _text(self) -> str:
        path = secret_path(self.place, self.base)
        try:
            return path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not PEM"
            raise AuthError(
                f"the certificate file {path} cannot be read: {why}", cure="Check path and rights"
            ) from error
