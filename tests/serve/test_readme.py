"""serve/README.md is true: the serve.toml it shows is read without a fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailml.errors import ConfigError
from serve.config import loads
from tests.conftest import ROOT


def sample() -> str:
    """The first configuration shown there."""
    found = re.search(r"```toml\n(.*?)```", (ROOT / "serve" / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_sample_is_read(tmp_path: Path) -> None:
    """The shown file is good as it stands."""
    config = loads(sample(), path=tmp_path / "serve.toml", environment={})
    assert config.mailboxes[0].queue_folder("Billing") == "Queues/Billing"
    assert config.smtp.account.port == 587


def test_the_sample_is_really_checked(tmp_path: Path) -> None:
    """One wrong key in it is a fault, so the test above can fail."""
    with pytest.raises(ConfigError):
        loads(sample().replace("poll_seconds", "pol_seconds"), path=tmp_path / "serve.toml", environment={})
