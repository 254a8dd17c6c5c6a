"""Who uses a thing, asked before it is removed: rules use schedules, calls use clips, accounts use certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from axcore.errors import ConflictError

T = TypeVar("T")
Find = Callable[[T], Iterable[str]]
"""Who uses it, in words."""

MOST_NAMED: Final = 3


class Users(Generic[T]):
    """Those who may use things of one kind; ``add`` belongs to set-up."""

    def __init__(self) -> None:
        self._finds: tuple[Find[T], ...] = ()

    def add(self, find: Find[T]) -> None:
        """Have ``find`` asked from now on."""
        self._finds = (*self._finds, find)

    def of(self, thing: T) -> tuple[str, ...]:
        """All who use it."""
        return tuple(user for find in self._finds for user in find(thing))


def refuse_if_used(field: str, subject: str, users: Iterable[str]) -> None:
    """ConflictError names who uses ``subject``, the first of them."""
    named = tuple(users)
    if named:
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        raise ConflictError(field, f"{subject} is used by {', '.join(named[:MOST_NAMED])}{more}; change that first")
