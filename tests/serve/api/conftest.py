"""One running API for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.api.running import Api, serving


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with the usual settings; tests only ask it questions."""
    with serving(tmp_path_factory.mktemp("api"), "per_minute = 100000\nmax_body_kb = 64") as started:
        yield started
