"""A property that is computed once and then is a plain attribute.

functools.cached_property takes a lock on every first read in Python 3.11; with forty properties a mail that
was a tenth of the time of reading it. Two threads may both compute a value here: it is the same value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - it is used like property
    """Turn a method without arguments into an attribute that is computed when it is first read."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> lazy[T]: ...
    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> T | lazy[T]:
        if owner is None:
            return self
        value = self.compute(owner)
        # Written past __setattr__, which a frozen dataclass refuses.
        owner.__dict__[self.name] = value
        return value
