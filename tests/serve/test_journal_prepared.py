"""Prepared statements mean what SQLAlchemy means by them, on every database."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from serve.journal import Journal, Tx, apart
from serve.journal.prepared import Prepared
from serve.journal.schema import breakers, incoming, mailboxes, raws

_ADD = Prepared(insert(breakers))
_MAILBOX = Prepared(insert(mailboxes).returning(mailboxes.c.id))
_MAIL = Prepared(insert(incoming).returning(incoming.c.id, incoming.c.truncated))
_RAW = Prepared(insert(raws))


def put(journal: Journal, *names: str) -> None:
    """A breaker of each name."""
    with journal.write() as tx:
        _ADD.many(tx, [{"name": name, "tripped_at": 1, "why": f"{name}\0"} for name in names])


def names(journal: Journal) -> set[str]:
    """The breakers that are there."""
    with journal.read() as tx:
        return set(tx.execute(select(breakers.c.name)).scalars())


def test_what_goes_in_is_converted_as_the_table_says(journal: Journal) -> None:
    """NUL, which PostgreSQL refuses, is replaced; truth values and bytes come back as what they were."""
    put(journal, "one")
    with journal.write() as tx:
        assert Prepared(select(breakers.c.why)).value(tx) == "one\ufffd"
        box = _MAILBOX.value(tx, name="desk", folder="INBOX")
        row = {"mailbox_id": box, "uidvalidity": 1, "uid": 1, "sha256": "x", "size": 1, "truncated": True}
        mail = _MAIL.first(tx, **row, received_at=1, seen_at=1, due_at=0)
        assert mail is not None
        assert mail.truncated is True
        _RAW.run(tx, incoming_id=mail.id, raw=b"\0\xff")
        assert Prepared(select(raws.c.raw)).value(tx) == b"\0\xff"


def test_rows_have_names_and_constants_stay(journal: Journal) -> None:
    """A value written into the statement needs not be given; what is missing is told by name."""
    put(journal, "one", "two")
    found = Prepared(
        select(breakers.c.name, func.length(breakers.c.name))
        .where(breakers.c.name != "one", breakers.c.tripped_at == bindparam("at"))
        .limit(bindparam("most"))
    )
    with journal.read() as tx:
        (row,) = found.rows(tx, at=1, most=5)
        assert (row.name, row[1]) == ("two", 3)
        assert found.first(tx, at=2, most=5) is None
        assert found.value(tx, at=2, most=5) is None
        with pytest.raises(TypeError, match="no value for most"):
            found.rows(tx, at=1)


def test_failures_are_those_of_sqlalchemy_and_tell_no_values(journal: Journal) -> None:
    """A second row with one name breaks its transaction, and the error does not quote what was given."""
    put(journal, "one")
    with pytest.raises(IntegrityError) as told:
        put(journal, "one")
    assert "tripped_at" in str(told.value)
    assert "one\0" not in str(told.value)
    with pytest.raises(IntegrityError), journal.write() as tx:
        _ADD.run(tx, name="one", tripped_at=1, why="")


def both(tx: Tx, first: str, second: str) -> None:
    """Two breakers, or none of them."""
    with apart(tx):
        for name in (first, second):
            _ADD.run(tx, name=name, tripped_at=1, why="")


def test_a_block_that_fails_is_taken_back_alone(journal: Journal) -> None:
    """What stands before, behind and around the block stays; an inner block takes nothing of the outer."""
    with journal.write() as tx:
        both(tx, "before", "too")
        with pytest.raises(IntegrityError):
            both(tx, "lost", "before")
        with apart(tx):
            both(tx, "outer", "around")
            with pytest.raises(IntegrityError):
                both(tx, "inner", "outer")
        both(tx, "behind", "last")
    assert names(journal) == {"before", "too", "outer", "around", "behind", "last"}
