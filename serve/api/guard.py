"""What stands before every handler: size, time and kind of a request, each refused in one clear sentence."""

from __future__ import annotations

import asyncio
import json
from typing import Any

Scope = dict[str, Any]
_BODY_SECONDS = 15.0  # a client that trickles its body must not hold a place for ever
_READING = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """ASGI middleware around the application."""

    def __init__(self, app: Any, *, max_body: int, seconds: float = _BODY_SECONDS) -> None:
        self.app, self.max_body, self.seconds = app, max_body, seconds

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Read the whole body within its bounds, then let the application answer."""
        if scope["type"] != "http" or scope["method"] in _READING:
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        refusal = self._refusal(headers)
        body = b""
        if refusal is None:
            try:
                async with asyncio.timeout(self.seconds):
                    body, refusal = await self._body(receive)
            except TimeoutError:
                refusal = 408, f"the body did not come within {self.seconds:g} s", ""
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        await self.app(scope, _replay(body, receive), send)

    def _refusal(self, headers: dict[bytes, bytes]) -> tuple[int, str, str] | None:
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if kind != b"application/json":
            told = kind.decode("ascii", "replace")[:60] or "nothing"
            return 415, f"the content type is {told}", "Send application/json"
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.max_body:
            return self._too_large()
        return None

    def _too_large(self) -> tuple[int, str, str]:
        return 413, f"the body is over {self.max_body // 1024} KB", "Shorten it, or raise [http] max_body_kb"

    async def _body(self, receive: Any) -> tuple[bytes, tuple[int, str, str] | None]:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return b"", (400, "the request broke off", "")
            part = event.get("body", b"")
            size += len(part)
            if size > self.max_body:
                return b"", self._too_large()
            parts.append(part)
            more = event.get("more_body", False)
        body = b"".join(parts)
        return body, _unreadable(body)


def _unreadable(body: bytes) -> tuple[int, str, str] | None:
    """Why a body is no JSON object. A nest too deep for the parser is as unreadable as a stray brace."""
    try:
        value = json.loads(body)
    except UnicodeDecodeError:
        return 400, "the body is not UTF-8", ""
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, json.JSONDecodeError) else "nested too deeply or out of range"
        return 400, f"the body is not JSON ({why})", ""
    return None if isinstance(value, dict) else (400, "the body is not a JSON object", "")


def _replay(body: bytes, receive: Any) -> Any:
    told = False

    async def again() -> dict[str, Any]:
        nonlocal told
        if told:
            event: dict[str, Any] = await receive()
            return event
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Any, status: int, error: str, cure: str) -> None:
    body = json.dumps({"error": error, "cure": cure}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    # what is left of the body would be read as the next request
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
