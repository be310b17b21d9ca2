"""The mailbox of a notebook: the sample by default, the reader's own by one name."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailml import lab
from mailml.archive import Archive, Arrival
from mailml.errors import ConfigError, InputError
from mailml.lab.mailbox import own_account
from mailml.lab.sample_bundle import UNTIL
from tests.mailml.lab.tickets import tickets
from tests.servers.dovecot import User

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACCOUNT = """
[account.desk]
host = "127.0.0.1"
port = {port}
security = "tls"
ca_file = "{ca}"
user = "{user}"
auth = "password"
password = "{password}"
"""


def own(path: Path, rows: list[tuple[str, str, str]]) -> Archive:
    """An archive of somebody's own: folder, sender and text of each mail, an hour apart."""
    archive = Archive.open(path, create=True)
    archive.append(
        Arrival(
            "desk",
            folder,
            1,
            number,
            f"From: {sender}\r\nSubject: s\r\nMessage-ID: <{number}@z.example>\r\n\r\n{text}".encode(),
            NOON + timedelta(hours=number),
            (),
        )
        for number, (folder, sender, text) in enumerate(rows, 1)
    )
    return archive


def test_without_an_account_it_is_the_sample(tmp_path: Path) -> None:
    """The sample comes with its hostile mails, and again from disk the second time."""
    first = lab.mailbox("", tmp_path, messages=60)
    assert first.path == tmp_path / "archive"
    assert len(lab.mailbox("", tmp_path, messages=60)) == len(first) > 60
    assert lab.first_desk(first, tmp_path / "desk.toml").identity.primary == "support@acme.example"


def test_an_unknown_account_is_told(tmp_path: Path) -> None:
    """A wrong name says which there are; a file that is missing, which file."""
    settings = tmp_path / "mailml.toml"
    with pytest.raises(InputError, match=r"mailml\.toml"):
        own_account("desk", settings)
    settings.write_text(ACCOUNT.format(port=1, ca="", user="u", password="p").replace('ca_file = ""\n', ""))
    with pytest.raises(InputError, match="Did you mean 'desk'"):
        own_account("dask", settings)
    settings.write_text("[account.desk]\nhots = 1\n")
    with pytest.raises(ConfigError, match="hots"):
        own_account("desk", settings)


@pytest.mark.scenario
def test_ones_own_account_is_pulled(dovecot: User, tmp_path: Path) -> None:
    """The name of an account brings its mail, and what came since on the next call."""
    settings = tmp_path / "mailml.toml"
    told = dovecot.mapping()
    settings.write_text(
        "[account.desk]\n"
        + "\n".join(f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for k, v in told.items())
    )
    dovecot.deliver(b"From: a@b.example\r\nSubject: one\r\n\r\nx\r\n")
    assert len(lab.mailbox("desk", tmp_path, settings=settings)) == 1
    dovecot.deliver(b"From: a@b.example\r\nSubject: two\r\n\r\nx\r\n")
    archive = lab.mailbox("desk", tmp_path, settings=settings)
    assert archive.path == tmp_path / "desk"
    assert len(archive) == 2


def test_the_desk_is_read_off_the_sent_mail(tmp_path: Path) -> None:
    """The addresses that answers come from are ours, the commonest first; a file beside it wins."""
    sent = [("Sent", "help@shop.example", "x")] * 60 + [("Sent", "billing@shop.example", "x")] * 39
    archive = own(tmp_path / "a", [*sent, ("Sent", "typo@shop.example", "x"), ("INBOX", "c@d.example", "x")])
    desk = lab.first_desk(archive, tmp_path / "desk.toml")
    assert desk.identity.primary == "help@shop.example"
    assert desk.identity.addresses == {"help@shop.example", "billing@shop.example"}
    (tmp_path / "desk.toml").write_text('[identity]\naddresses = ["me@me.example"]\n')
    assert lab.first_desk(archive, tmp_path / "desk.toml").identity.addresses == {"me@me.example"}


def test_without_sent_mail_the_addresses_are_asked_for(tmp_path: Path) -> None:
    """Nobody guesses addresses: the error says where to write them."""
    archive = own(tmp_path / "a", [("INBOX", "c@d.example", "x")])
    with pytest.raises(InputError, match="no sent mail") as told:
        lab.first_desk(archive, tmp_path / "desk.toml")
    assert "desk.toml" in str(told.value)


def test_a_first_bundle_learns_where_agents_left_mail(tmp_path: Path) -> None:
    """Queue folders teach a classifier on the first three quarters; it is loaded again the second time."""
    made = tickets(240)
    folders = {
        "billing": "Queues/Billing",
        "technical": "Queues/Tech Support",
        "general": "Queues/General Support",
    }
    rows = [
        (folders[label], sender or f"c{n}@d.example", text)
        for n, (label, sender, text) in enumerate(zip(made.labels, made.senders, made.texts, strict=True))
    ]
    archive = own(tmp_path / "a", [*rows, ("Sent", "help@shop.example", "x")])
    bundle = lab.first_bundle(archive, tmp_path / "b")
    assert bundle.model is not None
    assert bundle.desk.identity.primary == "help@shop.example"
    assert lab.first_bundle(archive, tmp_path / "b").id == bundle.id


def test_folders_that_teach_nothing_leave_the_rules(tmp_path: Path) -> None:
    """Without queue folders there is a bundle of rules, and a warning that says why."""
    archive = own(tmp_path / "a", [("INBOX", "c@d.example", "x"), ("Sent", "help@shop.example", "x")])
    with pytest.warns(UserWarning, match="rules only"):
        bundle = lab.first_bundle(archive, tmp_path / "b")
    assert bundle.model is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lab.first_bundle(archive, tmp_path / "c", rules_only=True).model is None


def test_the_sample_keeps_its_last_months_for_judging(tmp_path: Path) -> None:
    """The first bundle of the sample is the sample bundle: it has not seen mail after its date."""
    archive = lab.mailbox("", tmp_path, messages=400)
    bundle = lab.first_bundle(archive, tmp_path / "b", rules_only=True)
    assert bundle.desk.identity.primary == "support@acme.example"
    assert UNTIL.tzinfo is not None
