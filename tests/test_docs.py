"""The documentation is a test subject: commands, keys, fields and operators appear in it; its links hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from tests.conftest import ROOT

PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
BOOK = sorted(
    page for room in ("mailml", "serve", "data", "notebooks") for page in (ROOT / room).rglob("*.md")
)


def everything_written() -> str:
    """All pages as one text."""
    return "\n".join(page.read_text(encoding="utf-8") for page in [*PAGES, *BOOK])


def command_names() -> list[str]:
    """Every command of `mailml`."""
    from mailml.cli import app

    return spelled_out(app)


def spelled_out(app: typer.Typer) -> list[str]:
    """Every command of an application, groups spelled out."""

    def walk(command: object, prefix: str) -> list[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            return [prefix]
        return [name for key, item in inner.items() for name in walk(item, f"{prefix} {key}".strip())]

    return walk(typer.main.get_command(app), "")


def test_every_mailml_command_is_documented() -> None:
    """Each command of the command line appears as `mailml NAME`."""
    names, text = command_names(), everything_written()
    assert {"pull", "decide", "bundle verify"} <= set(names)
    missing = [name for name in names if f"mailml {name}" not in text]
    assert not missing


def test_every_rule_field_and_operator_is_documented() -> None:
    """Each field and operator of the flow language appears in the flow's page."""
    from mailml.flow import conditions

    text = everything_written()
    missing = [name for name in (*conditions.FIELDS, *conditions.OPERATORS) if f"`{name}`" not in text]
    assert not missing


def test_every_key_of_the_service_is_documented() -> None:
    """Each key of serve.toml and each command of mailml-serve appears in the pages."""
    from mailml.transport.account import KEYS
    from serve import config
    from serve.__main__ import app

    text = everything_written()
    models = (config.Service, config.Places, config.Sending, config.Limits, config.Releases, config.Http)
    models += (config.Webhook, config.Alarms, config.Retention)
    keys = [field.alias or name for model in models for name, field in model.model_fields.items()]
    assert not [key for key in (*keys, *KEYS) if f"`{key}`" not in text and f"`{key} =" not in text]
    names = spelled_out(app)
    assert {"run", "quarantine retry"} <= set(names)
    assert not [name for name in names if f"mailml-serve {name}" not in text]


def test_every_key_of_the_desk_is_documented() -> None:
    """Each table and key of desk.toml appears in the bundle's page."""
    from dataclasses import fields

    from mailml.bundle import desk
    from mailml.reply import AckPolicy

    text = everything_written()
    missing = [name for name in desk.KEYS if f"[{name}]" not in text]
    missing += [
        key for keys in desk.KEYS.values() for key in keys if f"{key} =" not in text and f"{key}." not in text
    ]
    missing += [field.name for field in fields(AckPolicy) if field.name not in text]
    assert not missing


@pytest.mark.parametrize("page", [*PAGES, *BOOK], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists."""
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken


def test_the_project_speaks_of_itself_only() -> None:
    """No page holds a path of somebody's machine or the host of a package registry."""
    forbidden = re.compile(r"/work/|/root/|/home/\w|pypi\.org|files\.pythonhosted|registry\.npmjs")
    assert not forbidden.findall(everything_written())
