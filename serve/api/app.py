"""The application: routes, keys, rate limits, and errors that are flat JSON with a cure."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from mailml.errors import MailmlError

from ..bundles import Bundles
from ..clients import Clients, Rates
from ..config import Config
from ..health import examine
from ..journal import Journal
from ..metrics import CONTENT_TYPE, Metrics
from . import answers
from .guard import Guard
from .models import (
    Classified,
    ClassifyAsked,
    DecideAsked,
    Decided,
    HeadersAsked,
    HeadersJudged,
    Refused,
)

_BEARER = HTTPBearer(auto_error=False, description="Authorization: Bearer KEY")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="or X-API-Key: KEY")
_TOLD: dict[int | str, dict[str, Any]] = {
    code: {"model": Refused} for code in (400, 401, 408, 413, 415, 422, 429)
}


class Refusal(Exception):  # noqa: N818 - it is an answer
    """A request that is not answered."""

    def __init__(self, status: int, error: str, cure: str = "", **headers: str) -> None:
        super().__init__(error)
        self.status, self.error, self.cure = status, error, cure
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Door:
    """Lets a client in by its key, as often as it may."""

    def __init__(self, journal: Journal, per_minute: int) -> None:
        self.clients, self.rates, self.per_minute = Clients(journal), Rates(), per_minute
        self.log = structlog.get_logger("api")

    def enter(
        self,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
        header: Annotated[str | None, Depends(_HEADER)],
    ) -> str:
        """The client's name; refuses one that has no key, or comes too often."""
        client = self.clients.who(bearer.credentials if bearer else header or "")
        if client is None:
            self.log.warning("refused", why="no key" if not (bearer or header) else "unknown key")
            raise Refusal(
                401,
                "the key is missing or unknown",
                "Make one: mailml-serve keys add NAME",
                www_authenticate="Bearer",
            )
        wait = self.rates.wait(str(client.id), client.per_minute or self.per_minute)
        if wait:
            again = str(math.ceil(wait))
            raise Refusal(429, "too many requests", f"Come back in {again} s", retry_after=again)
        return client.name


def create(
    config: Config,
    journal: Journal,
    bundles: Bundles,
    key: bytes,
    *,
    now: Callable[[], datetime] | None = None,
) -> Any:
    """The ASGI application over an open journal. `now` is the clock of dry runs."""
    assert config.http is not None
    app = FastAPI(
        title="mailml",
        summary="Routing for a support mailbox: what would be decided, and why. Nothing here changes mail.",
        version="1",
        docs_url=None,  # the page would load scripts from a foreign server
        redoc_url=None,
        responses=_TOLD,
    )
    door = Door(journal, config.http.per_minute)
    _questions(app, door, bundles, key, now or (lambda: datetime.now(UTC)))
    _watching(app, door, config, journal, bundles)
    _faults(app)
    return Guard(app, max_body=config.http.max_body_kb * 1024)


def _questions(app: FastAPI, door: Door, bundles: Bundles, key: bytes, now: Callable[[], datetime]) -> None:
    guarded = [Depends(door.enter)]

    @app.post("/v1/classify", dependencies=guarded, operation_id="classify")
    def classify(asked: ClassifyAsked) -> Classified:
        """Say what a text is about: a category with its probability, or an abstention."""
        bundles.look()
        return answers.classify(bundles.current, asked)

    @app.post("/v1/headers", dependencies=guarded, operation_id="headers")
    def headers(asked: HeadersAsked) -> HeadersJudged:
        """Say whether a machine wrote a mail, by its headers, and on what evidence."""
        bundles.look()
        return answers.headers(bundles.current, asked, now(), key)

    @app.post("/v1/decide", dependencies=guarded, operation_id="decide")
    def decide(asked: DecideAsked) -> Decided:
        """Decide a mail without doing anything about it: queue, priority, category, acknowledgement, due."""
        bundles.look()
        return answers.dry_run(bundles.current, asked, now(), key)


def _watching(app: FastAPI, door: Door, config: Config, journal: Journal, bundles: Bundles) -> None:
    metrics = Metrics(journal, config, bundles)
    assert config.http is not None
    guarded = [] if config.http.open_metrics else [Depends(door.enter)]

    @app.get("/healthz", operation_id="healthz")
    def healthz() -> JSONResponse:
        """Whether the process answers and its journal can be read."""
        found = examine(journal, config, bundles)
        broken = [one for one in found.troubles if one.mode == "journal"]
        return JSONResponse({"alive": not broken, "status": found.status}, 503 if broken else 200)

    @app.get("/readyz", operation_id="readyz")
    def readyz() -> JSONResponse:
        """Whether mail is being routed, and every way in which the service is degraded."""
        found = examine(journal, config, bundles)
        return JSONResponse(found.to_plain(), 200 if found.ready else 503)

    @app.get("/metrics", dependencies=guarded, operation_id="metrics", response_class=Response)
    def read_metrics() -> Response:
        """Numbers in the Prometheus format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def _faults(app: FastAPI) -> None:
    """Every error as flat JSON: what was wrong, and what to do; never a trace or a piece of the request."""

    def told(status: int, error: str, cure: str = "", headers: Any = None) -> JSONResponse:
        return JSONResponse({"error": error, "cure": cure}, status, headers=headers)

    @app.exception_handler(Refusal)
    def refused(_: Request, refusal: Refusal) -> JSONResponse:
        return told(refusal.status, refusal.error, refusal.cure, refusal.headers)

    @app.exception_handler(RequestValidationError)
    def wrong(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
        return told(422, "; ".join(faults)[:2000], "See /openapi.json")

    @app.exception_handler(HTTPException)
    def other(_: Request, error: HTTPException) -> JSONResponse:
        return told(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(MailmlError)
    def ours(_: Request, error: MailmlError) -> JSONResponse:
        return told(422, error.what, error.cure)

    @app.exception_handler(Exception)
    def broken(_: Request, error: Exception) -> JSONResponse:
        structlog.get_logger("api").error("request failed", why=type(error).__name__)
        # the server ends this line, and a client that used it again would see a reset
        close = {"Connection": "close"}
        return told(500, "the service could not answer", "Look into its log", headers=close)
