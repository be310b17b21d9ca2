"""The files the demo writes for the real commands: read them, change them, run the commands by hand."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from mailml.demo.running import Running
from mailml.errors import InputError
from mailml.lab.sample.desk import ADDRESS, AUTHSERV, BILLING_ADDRESS, DOMAIN, NAME

_MARK = ".mailml-demo"

_ACCOUNTS = """\
# The mailboxes that `mailml pull` reads: every table is one account. For your own:
#
#   [account.support]
#   host = "imap.example.com"          # TLS on port 993 unless you say otherwise
#   user = "support@example.com"
#   auth = "password"                  # or "microsoft365", "gmail"
#   password_env = "SUPPORT_PASSWORD"  # or password_file, password_keyring
#
[account.desk]
host = "{host}"
port = {imap}
security = "none"  # only on this machine: the demo's server speaks no TLS
user = "{user}"
auth = "password"
password_file = "password"
"""

_DESK = f"""\
# Who we are, when we are open, what we promise.
[identity]
name = "{NAME}"
addresses = ["{ADDRESS}", "{BILLING_ADDRESS}"]
domains = ["{DOMAIN}"]
authserv_ids = ["{AUTHSERV}"]  # the name our own server writes into Authentication-Results

[calendar]
zone = "Europe/Berlin"
week = {{ mon-fri = ["08:30-17:30"] }}
country = "DE"
holidays = [2025-12-24, 2025-12-31, 2026-12-24, 2026-12-31]

[sla]
target = "4 business hours"
"""

_SERVE = """\
# The service: `python -m serve run --config serve.toml`.
[serve]
journal = "journal.sqlite"
bundle = "bundle"
poll_seconds = 5

[[mailbox]]
name = "desk"
host = "{host}"
port = {imap}
security = "none"
user = "{user}"
auth = "password"
password_file = "password"

[smtp]
host = "{host}"
port = {smtp}
security = "none"
auth = "none"
from = "{user}"
"""


def prepare(output: Path) -> None:
    """Make the folder, or empty the one of an earlier demo; a folder with anything else in it is refused."""
    if output.exists() and any(output.iterdir()) and not (output / _MARK).exists():
        cure = "Name another folder with --output, or empty this one"
        raise InputError("holds files that no demo has written", where=str(output), cure=cure)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / _MARK).write_text("made by `mailml demo`; emptied by the next one\n", encoding="utf-8")


def write(output: Path, server: Running) -> None:
    """Write mailml.toml, desk.toml, flow.toml, serve.toml and the password beside them."""
    places = {"host": server.host, "imap": server.imap, "smtp": server.smtp, "user": server.user}
    flow = resources.files("mailml.flow.ready").joinpath("default.toml").read_text(encoding="utf-8")
    files = {
        "mailml.toml": _ACCOUNTS.format(**places),
        "desk.toml": _DESK,
        "flow.toml": flow,
        "serve.toml": _SERVE.format(**places),
    }
    for name, text in files.items():
        (output / name).write_text(text, encoding="utf-8")
    secret = output / "password"
    secret.touch(mode=0o600)
    secret.write_text(server.password + "\n", encoding="utf-8")
