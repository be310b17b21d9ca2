"""Sending: every way it can end is told apart, against a real SMTP server."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.errors import (
    AuthError,
    ConnectError,
    SmtpPermanentError,
    SmtpTemporaryError,
    SmtpUncertainError,
    TLSError,
)
from mailml.transport import smtp
from tests.servers.missing import free_port
from tests.servers.smtp_sink import CUT, CUT_BODY, CUT_REPLY, HANG, SmtpSink

RAW = b"Message-ID: <1@acme.example>\r\nSubject: Your request\r\n\r\nWe have it.\r\n.\r\n..two\r\n"
TO = ["customer@example.org"]


def test_a_mail_arrives_byte_for_byte(smtp_sink: SmtpSink) -> None:
    """Lines of dots survive, the envelope is ours, and the server's words come back."""
    sent = smtp.send(smtp_sink.account(), "support@acme.example", TO, RAW)
    (mail,) = smtp_sink.mails
    assert (mail.mail_from, list(mail.rcpt_to), mail.raw) == ("support@acme.example", TO, RAW)
    assert sent.answer == "250 2.0.0 taken"
    assert not sent.refused


def test_bare_line_ends_become_crlf(smtp_sink: SmtpSink) -> None:
    """A bare LF or CR never goes over the wire: it could smuggle a second mail past a lax server."""
    smtp.send(smtp_sink.account(), "", TO, b"Subject: x\n\nA\n.\nMAIL FROM:<evil@example.org>\rB")
    (mail,) = smtp_sink.mails
    assert mail.raw == b"Subject: x\r\n\r\nA\r\n.\r\nMAIL FROM:<evil@example.org>\r\nB\r\n"
    assert mail.mail_from == ""


def test_before_body_runs_once_and_before_anything_is_taken(smtp_sink: SmtpSink) -> None:
    """The commit point lies after the server's go-ahead and before the first byte of the body."""
    seen: list[int] = []
    smtp.send(
        smtp_sink.account(), "a@b.example", TO, RAW, before_body=lambda: seen.append(len(smtp_sink.mails))
    )
    assert seen == [0]


def test_a_failing_commit_sends_nothing(smtp_sink: SmtpSink) -> None:
    """When the journal cannot commit, the line is cut and the mail is not taken."""

    def full() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        smtp.send(smtp_sink.account(), "a@b.example", TO, RAW, before_body=full)
    assert smtp_sink.mails == ()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("451 4.7.1 greylisted", SmtpTemporaryError),
        ("554 5.7.1 no", SmtpPermanentError),
        (CUT, SmtpUncertainError),
        (CUT_REPLY, SmtpUncertainError),
    ],
)
def test_each_end_of_the_body_is_told_apart(smtp_sink: SmtpSink, reply: str, error: type[Exception]) -> None:
    """4xx may be tried again, 5xx never, and a lost or cut reply is uncertain, not a refusal."""
    smtp_sink.replies.append(reply)
    with pytest.raises(error):
        smtp.send(smtp_sink.account(), "a@b.example", TO, RAW + b"x" * 70 + b"\r\n")
    smtp.send(smtp_sink.account(), "a@b.example", TO, RAW)  # the next mail goes through


def test_a_line_cut_in_the_body_is_temporary(smtp_sink: SmtpSink) -> None:
    """Without the final dot no server may have taken the mail, so it is safe to try again.

    20 MB, because what fits into the sockets' buffers looks sent although nobody read it: that is uncertain.
    """
    smtp_sink.replies.append(CUT_BODY)
    with pytest.raises(SmtpTemporaryError, match="broke in the body"):
        smtp.send(smtp_sink.account(), "a@b.example", TO, RAW + (b"x" * 70 + b"\r\n") * 280_000)
    assert smtp_sink.mails == ()


def test_silence_after_the_dot_is_uncertain(smtp_sink: SmtpSink) -> None:
    """A server that takes the mail and never answers leaves doubt, and says so in a sentence."""
    smtp_sink.replies.append(HANG)
    with pytest.raises(SmtpUncertainError, match="Message-ID in the Sent"):
        smtp.send(smtp_sink.account(timeout=0.5), "a@b.example", TO, RAW)
    assert len(smtp_sink.mails) == 1


@pytest.mark.parametrize(
    ("reply", "error"), [("450 later", SmtpTemporaryError), ("550 no", SmtpPermanentError)]
)
def test_refused_recipients(smtp_sink: SmtpSink, reply: str, error: type[Exception]) -> None:
    """All recipients refused is an error; one of two refused is told and the other gets the mail."""
    smtp_sink.recipient_replies["gone@example.org"] = reply
    with pytest.raises(error, match=r"gone@example\.org"):
        smtp.send(smtp_sink.account(), "a@b.example", ["gone@example.org"], RAW)
    sent = smtp.send(smtp_sink.account(), "a@b.example", ["gone@example.org", *TO], RAW)
    assert list(sent.refused) == ["gone@example.org"]
    assert [list(mail.rcpt_to) for mail in smtp_sink.mails] == [TO]


@pytest.mark.parametrize(
    ("reply", "error"), [("421 busy", SmtpTemporaryError), ("553 no", SmtpPermanentError)]
)
def test_a_refused_sender(smtp_sink: SmtpSink, reply: str, error: type[Exception]) -> None:
    """The answer to MAIL FROM decides like any other before the body: nothing was taken."""
    smtp_sink.mail_replies.append(reply)
    with pytest.raises(error, match="sender"):
        smtp.send(smtp_sink.account(), "a@b.example", TO, RAW)
    assert smtp_sink.mails == ()


@pytest.mark.parametrize(
    "address", ["a@b\r\nRCPT TO:<evil@example.org>", "a b@example.org", "<a@b.example>", "a@b\0"]
)
def test_an_address_cannot_inject_commands(smtp_sink: SmtpSink, address: str) -> None:
    """An address with blanks, brackets or line ends never reaches the server."""
    with pytest.raises(SmtpPermanentError, match="no address"):
        smtp.send(smtp_sink.account(), "a@b.example", [address], RAW)
    assert smtp_sink.mails == ()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_secured_and_logged_in(tmp_path: Path, security: str) -> None:
    """STARTTLS and implicit TLS verify the certificate, and the password logs in."""
    with SmtpSink(tmp_path, security) as sink:
        smtp.send(sink.account(), "a@b.example", TO, RAW)
        assert len(sink.mails) == 1
        with pytest.raises(TLSError, match="not trusted"):
            smtp.send(sink.account(ca_file=str(other_authority(tmp_path))), "a@b.example", TO, RAW)
        with pytest.raises(AuthError, match="refused the login"):
            smtp.send(sink.account(password="wrong"), "a@b.example", TO, RAW)
        assert len(sink.mails) == 1


def other_authority(folder: Path) -> Path:
    """An authority that signed nothing here."""
    from tests.servers import tls

    return tls.make(folder / "other").ca


def test_a_token_logs_in(tmp_path: Path) -> None:
    """XOAUTH2 hands the token over; a token the server does not know is an AuthError."""
    (tmp_path / "token").write_text("good-token\n")
    with SmtpSink(tmp_path / "sink", "tls") as sink:
        table = {"auth": "token", "token_file": str(tmp_path / "token")}
        with pytest.raises(AuthError):
            smtp.send(sink.account(**table), "a@b.example", TO, RAW)
        sink.tokens.add("good-token")
        smtp.send(sink.account(**table), "a@b.example", TO, RAW)
        assert len(sink.mails) == 1


def test_nobody_there() -> None:
    """A port without a server and a host without an address are ConnectErrors that name the cure."""
    from mailml.transport.account import Account

    table = {"host": "localhost", "port": free_port(), "security": "none", "auth": "none"}
    with pytest.raises(ConnectError, match="nothing listens"):
        smtp.send(Account.from_mapping(table, protocol="smtp"), "a@b.example", TO, RAW)
    table |= {"host": "no-such-host.invalid", "security": "tls"}
    with pytest.raises(ConnectError, match="not known"):
        smtp.send(Account.from_mapping(table, protocol="smtp"), "a@b.example", TO, RAW)


def test_several_mails_over_one_connection(smtp_sink: SmtpSink) -> None:
    """A session sends one mail after the other, also after a recipient was refused in between."""
    with smtp.connect(smtp_sink.account()) as session:
        for _ in range(3):
            session.send("a@b.example", TO, RAW)
    assert len(smtp_sink.mails) == 3


def test_addresses_outside_ascii(smtp_sink: SmtpSink) -> None:
    """A server with SMTPUTF8 gets the address as it is written."""
    smtp.send(smtp_sink.account(), "a@b.example", ["jürgen@example.org"], RAW)
    assert smtp_sink.mails[0].rcpt_to == ("jürgen@example.org",)
