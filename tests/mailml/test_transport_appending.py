"""Messages put into a folder: one by one or all in one command, each once, and refused as a whole."""

from __future__ import annotations

import pytest

from mailml.errors import FolderError
from mailml.transport import imap
from tests.servers.dovecot import User

MAILS = [f"Message-ID: <{number}@x.example>\r\n\r\nwords {number}\r\n".encode() for number in range(5)]


@pytest.mark.parametrize("capabilities", [(), ("MULTIAPPEND",), ("LITERAL+",)])
def test_all_lie_there_in_order(dovecot: User, capabilities: tuple[str, ...]) -> None:
    """With MULTIAPPEND or without, each message lies there once, with flags, under the UID that is told."""
    with imap.connect(dovecot.account()) as session:
        for name in capabilities:
            session._client._cached_capabilities = tuple(
                one for one in session._client.capabilities() if one != name.encode()
            )
        assert session.append_all("Sent", MAILS[:1], ["\\Seen"]) == [1]
        assert session.append_all("Sent", MAILS[1:], ["\\Seen"]) == [2, 3, 4, 5]
        assert session.append_all("Sent", []) == []
        session.examine("Sent")
        found = list(session.fetch_raw(session.uids()))
    assert [one.raw for one in found] == MAILS
    assert {one.flags for one in found} == {("\\Seen",)}


def test_bare_line_ends_become_those_of_mail(dovecot: User) -> None:
    """What is written in another system's line ends is stored with CRLF, alone and among others."""
    with imap.connect(dovecot.account()) as session:
        session.append_all("Sent", [b"A: 1\n\nx\n", b"B: 2\r\n\r\ny\r\n"])
        session.examine("Sent")
        assert [one.raw for one in session.fetch_raw([1, 2])] == [b"A: 1\r\n\r\nx\r\n", b"B: 2\r\n\r\ny\r\n"]


def test_a_refusal_is_told_and_puts_nothing_there(dovecot: User) -> None:
    """A folder that is not there refuses all of them in words, and the line can be used on."""
    with imap.connect(dovecot.account()) as session:
        with pytest.raises(FolderError):
            session.append_all("No such folder", MAILS)
        assert not session.has_folder("No such folder")
        assert session.append_all("Sent", MAILS) == [1, 2, 3, 4, 5]
