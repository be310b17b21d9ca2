"""Statements whose text is made once: SQLAlchemy writes them, the database's own driver runs them.

A mail needs some thirty statements. Each costs 200 µs when its expression is built anew, 38 µs when
SQLAlchemy runs one that was built before, and 5 µs this way (measured on SQLite). Types and names stay
SQLAlchemy's: what goes in and comes out passes the same converters, what fails is raised as the same errors.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

_Converter = Callable[[Any], Any]
_SAVED = "SAVEPOINT apart"
_KEPT = "RELEASE SAVEPOINT apart"
_BACK = "ROLLBACK TO SAVEPOINT apart"


@dataclass(frozen=True, slots=True)
class _Text:
    """One statement as one database reads it."""

    sql: str
    order: tuple[str, ...] | None  # of values where they have no names
    constants: Mapping[str, Any]
    into: tuple[tuple[str, _Converter], ...]
    row: Callable[[Sequence[Any]], Any]

    def values(self, given: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        row = {**self.constants, **given}
        for name, convert in self.into:
            row[name] = convert(row[name])
        return row if self.order is None else [row[name] for name in self.order]


class Prepared:
    """A statement of the common path; values are given by name, for an insert by the names of its columns.

    Not for lists of values in one parameter (IN): their text depends on how many there are.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._texts: dict[tuple[str, ...], _Text] = {}

    def rows(self, tx: Connection, **given: Any) -> list[Any]:
        """Every row, as a named tuple of its columns."""
        text = self._text(tx, given)
        return [text.row(row) for row in self._run(tx, text, text.values(given)).fetchall()]

    def first(self, tx: Connection, **given: Any) -> Any | None:
        """The first row, if there is one."""
        text = self._text(tx, given)
        row = self._run(tx, text, text.values(given)).fetchone()
        return None if row is None else text.row(row)

    def value(self, tx: Connection, **given: Any) -> Any:
        """The first column of the first row, None where there is no row."""
        row = self.first(tx, **given)
        return None if row is None else row[0]

    def run(self, tx: Connection, **given: Any) -> int:
        """How many rows were written."""
        text = self._text(tx, given)
        return int(self._run(tx, text, text.values(given)).rowcount)

    def many(self, tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write one after the other; all rows name the same columns."""
        if not rows:
            return
        text = self._text(tx, rows[0])
        try:
            cursor = tx.connection.dbapi_connection.cursor()  # type: ignore[union-attr]
            cursor.executemany(text.sql, [text.values(row) for row in rows])
        except Exception as error:  # noqa: BLE001 - SQLAlchemy tells apart what it knows
            _failed(tx, text.sql, error)

    def _run(self, tx: Connection, text: _Text, values: Any) -> Any:
        try:
            return tx.connection.dbapi_connection.execute(text.sql, values)  # type: ignore[union-attr]
        except Exception as error:  # noqa: BLE001 - as above
            _failed(tx, text.sql, error)

    def _text(self, tx: Connection, given: Mapping[str, Any]) -> _Text:
        key = (tx.dialect.name, *given)
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = _made(self._statement, tx.dialect, list(given))
        return found


def _made(statement: Any, dialect: Any, names: list[str]) -> _Text:
    columns = names if statement.is_insert else None
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    if missing := {name for name, bind in binds.items() if bind.required} - set(names):
        raise TypeError(f"no value for {', '.join(sorted(missing))}")
    into = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
    constants = {name: value for name, value in compiled.params.items() if name not in names}
    for name, value in constants.items():
        convert = into.pop(name, None)
        constants[name] = convert(value) if convert else value
    order = tuple(compiled.positiontup) if compiled.positional else None
    given = tuple((name, convert) for name, convert in into.items() if convert is not None)
    return _Text(compiled.string, order, constants, given, _row_of(compiled, dialect))


def _row_of(compiled: Any, dialect: Any) -> Callable[[Sequence[Any]], Any]:
    """What makes a row of the driver one of the statement."""
    columns = compiled._result_columns
    if not columns:
        return tuple
    named: Any = namedtuple  # typed for names that are known beforehand
    make: Callable[[Sequence[Any]], Any] = named("Row", [one.keyname for one in columns], rename=True)._make
    out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    if not any(out):
        return make
    return lambda row: make([turn(one) if turn else one for turn, one in zip(out, row, strict=True)])


def _failed(tx: Connection, sql: str, error: Exception) -> NoReturn:
    """Raise it as SQLAlchemy would, without the values: a lost line is then known to be lost."""
    tx._handle_dbapi_exception(error, sql, None, None, None)


@contextmanager
def apart(tx: Connection) -> Iterator[None]:
    """A block that is taken back by itself when it fails; blocks may stand within one another."""
    _say(tx, _SAVED)
    try:
        yield
    except BaseException as error:
        try:
            _say(tx, _BACK)
            _say(tx, _KEPT)
        except OperationalError as gone:
            # a database whose disk fails takes back everything by itself, and the savepoint with it
            raise (error if isinstance(error, OperationalError) else gone) from error
        raise
    _say(tx, _KEPT)


def _say(tx: Connection, sql: str) -> None:
    try:
        tx.connection.dbapi_connection.execute(sql)  # type: ignore[union-attr]
    except Exception as error:  # noqa: BLE001 - as above
        _failed(tx, sql, error)
