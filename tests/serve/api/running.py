"""A real API server on a free port over a journal and a bundle with a classifier."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from serve import clients
from serve.api.server import ApiServer
from serve.bells import Bells
from serve.bundles import Bundles
from serve.config import loads
from serve.journal import Journal
from tests.mailml.bundles import small_bundle
from tests.serve.room import KEY, TOML


class Api:
    """The running server with a key for it."""

    def __init__(self, server: ApiServer, journal: Journal, bundles: Bundles) -> None:
        self.server, self.journal, self.bundles = server, journal, bundles
        self.url = f"http://127.0.0.1:{server.port}"
        self.key = clients.add(journal, "tests")
        self.client = httpx.Client(base_url=self.url, headers={"X-API-Key": self.key}, timeout=30)

    def post(self, path: str, **values: object) -> httpx.Response:
        """A question with the key."""
        return self.client.post(path, json=values)

    def good(self, path: str, **values: object) -> dict[str, object]:
        """The answer to a question that must be answered."""
        answer = self.post(path, **values)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found


@contextmanager
def serving(folder: Path, http: str = "", more: str = "") -> Iterator[Api]:
    """Start the server and stop it again; `http` holds more lines of [http]."""
    small_bundle(folder / "bundle")
    text = f"{TOML}\n[http]\nport = 0\n{http}\n{more}"
    config = loads(text, path=folder / "serve.toml", environment={})
    with Journal.open(folder / "journal.sqlite") as journal:
        bundles = Bundles(config.service.bundle, journal, config.releases)
        server, bells = ApiServer(config, journal, bundles, KEY), Bells()
        thread = threading.Thread(target=server.run, args=(bells,))
        thread.start()
        try:
            yield Api(server, journal, bundles)
        finally:
            bells.end()
            thread.join(20)
