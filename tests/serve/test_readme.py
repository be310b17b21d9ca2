"""serve/README.md is true: its serve.toml is read without a fault; every key and command is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from mailml.errors import ConfigError
from serve.__main__ import app
from serve.config import Places, Sending, Service, loads
from serve.limits import Limits
from tests.conftest import ROOT

README = (ROOT / "serve" / "README.md").read_text("utf-8")


def sample() -> str:
    """The configuration shown there."""
    found = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_sample_is_read(tmp_path: Path) -> None:
    """The shown file is good, to the last key."""
    config = loads(sample(), path=tmp_path / "serve.toml", environment={})
    assert config.mailboxes[0].queue_folder("Billing") == "Finance/Incoming"
    assert config.limits == Limits()
    assert config.service.idle_minutes == Service.model_fields["idle_minutes"].default


def test_the_sample_is_really_checked(tmp_path: Path) -> None:
    """One wrong key in it is a fault, so the test above can fail."""
    with pytest.raises(ConfigError):
        loads(sample().replace("poll_seconds", "pol_seconds"), path=tmp_path / "serve.toml", environment={})


@pytest.mark.parametrize("model", [Service, Places, Sending, Limits])
def test_every_key_is_in_it(model: type[Service]) -> None:
    """No key is a secret."""
    keys = [field.alias or name for name, field in model.model_fields.items()]
    missing = [key for key in keys if not re.search(rf"^(# )?{key} = ", sample(), re.MULTILINE)]
    assert not missing


def test_every_command_is_in_it() -> None:
    """Each command appears as `mailml-serve NAME`."""

    def walk(command: object, prefix: str) -> list[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            return [prefix]
        return [name for key, item in inner.items() for name in walk(item, f"{prefix} {key}")]

    names = walk(typer.main.get_command(app), "mailml-serve")
    assert len(names) > 10
    assert not [name for name in names if name not in README]
