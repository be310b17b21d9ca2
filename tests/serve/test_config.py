"""serve.toml: every fault at once, with its place and what was probably meant; defaults; environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.errors import ConfigError, InputError
from serve.config import load, loads
from tests.conftest import ROOT

FOLDER = ROOT / "tests" / "bad_config" / "serve"
BAD = sorted(FOLDER.glob("*.toml"))
GOOD = """
[serve]
journal = "state/journal.sqlite"
bundle = "bundles/current"
[smtp]
host = "smtp.acme.example"
user = "support@acme.example"
password_env = "SMTP_PASSWORD"
from = "support@acme.example"
[[mailbox]]
name = "desk"
host = "imap.acme.example"
user = "support@acme.example"
password_env = "IMAP_PASSWORD"
queues = { "Billing" = "Finance/Incoming" }
"""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_reports_all_its_faults_at_once(path: Path) -> None:
    """The message is exactly the one beside the file."""
    with pytest.raises(ConfigError) as caught:
        loads(path.read_text("utf-8"), path=path, environment={})
    assert str(caught.value) + "\n" == path.with_suffix(".expected").read_text("utf-8")


def test_there_are_enough_bad_files() -> None:
    """At least ten, and one with five mistakes."""
    assert len(BAD) >= 10
    assert any(path.with_suffix(".expected").read_text().count("\n  - ") == 5 for path in BAD)


def test_a_good_file_has_its_defaults() -> None:
    """What is not said is safe: TLS, a minute's poll beside IDLE, the guide's folders."""
    config = loads(GOOD, path=Path("/etc/mailml/serve.toml"), environment={})
    assert config.service.journal == Path("/etc/mailml/state/journal.sqlite")
    assert config.service.loop_key_file == Path("/etc/mailml/state/loop.key")
    assert config.service.poll_seconds == 60.0
    assert config.service.idle is True
    assert config.service.idle_minutes == 4.0
    (mailbox,) = config.mailboxes
    assert (mailbox.account.port, mailbox.account.security) == (993, "tls")
    assert mailbox.queue_folder("Tech Support") == "Queues/Tech Support"
    assert mailbox.queue_folder("Billing") == "Finance/Incoming"
    assert mailbox.filed_folder("Automated/Bounces") == "Automated/Bounces"
    assert mailbox.filed_folder("Newsletters") == "Automated/Newsletters"
    assert config.smtp.account.port == 465
    assert config.smtp.sending.sent_folder == "auto"
    assert config.limits.per_address_day == 3


def test_filed_mail_may_lie_elsewhere() -> None:
    """Another prefix takes the place of the table's own."""
    config = loads(GOOD + 'filed_prefix = "Robots/"\n', path=Path("serve.toml"), environment={})
    assert config.mailboxes[0].filed_folder("Automated/Bounces") == "Robots/Bounces"


def test_the_environment_wins() -> None:
    """A variable overrides its key of [serve]; a misspelt one is a fault with a suggestion."""
    config = loads(GOOD, path=Path("serve.toml"), environment={"MAILML_SERVE_POLL_SECONDS": "5", "HOME": "/"})
    assert config.service.poll_seconds == 5.0
    with pytest.raises(ConfigError) as caught:
        loads(GOOD, path=Path("serve.toml"), environment={"MAILML_SERVE_POL_SECONDS": "5"})
    assert "Did you mean 'poll_seconds'?" in str(caught.value)


def test_it_is_frozen_and_keeps_its_secrets() -> None:
    """Nobody changes the configuration by accident, and printing it shows no password."""
    text = GOOD.replace('password_env = "IMAP_PASSWORD"', 'password = "hunter2"')
    text = text.replace("imap.acme.example", "localhost")
    config = loads(text, path=Path("serve.toml"), environment={})
    with pytest.raises(ValueError):
        config.service.poll_seconds = 1.0  # type: ignore[misc]
    assert "hunter2" not in repr(config)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """The place, the reason, and the way out."""
    with pytest.raises(InputError) as caught:
        load(tmp_path / "none.toml", {})
    assert "Name it with --config" in str(caught.value)
