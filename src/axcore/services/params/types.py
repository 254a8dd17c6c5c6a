"""What a parameter is: a dotted name, a typed text value, who may read and write it, and the owner behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from axcore.errors import InputError
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

MAX_VALUE = 1024
"""Characters of a value."""
Kind = Literal["string", "int", "bool", "enum"]


class ParamError(InputError):
    """An update that was refused: ``name`` and ``value`` are what param.cgi repeats."""

    def __init__(self, name: str, value: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.value = value


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of an owner. ``apply`` None: read-only."""

    name: str
    """Without ``root.``."""
    get: Callable[[], str]
    apply: Callable[[Transaction, str], None] | None = None
    """Ledger job that sets a checked value. Raises InputError."""
    read: Role = Role.VIEWER
    write: Role = Role.ADMIN
    kind: Kind = "string"
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0

    def check(self, value: str) -> str:
        """``value`` in its stored form. Raises InputError."""
        return check_value(self.name, self.kind, value, choices=self.choices, low=self.low, high=self.high)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A parameter that the parameter service itself keeps; whoever uses it asks the service for the value."""

    name: str
    default: str
    kind: Kind = "string"
    choices: tuple[str, ...] = ()
    """For ``enum``; for ``bool`` the words for true and false."""
    low: int = 0
    high: int = 0
    read: Role = Role.VIEWER
    write: Role = Role.ADMIN
    verify: Callable[[str], object] | None = None
    """Further check of the owner. Raises InputError."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group that users add and remove by template: ``StreamProfile.S0``, ``S1`` ..."""

    template: str
    parent: str
    letter: str
    fields: tuple[tuple[str, str], ...]
    """Names and defaults."""
    limit: int
    read: Role = Role.VIEWER
    write: Role = Role.OPERATOR


class Source(Protocol):
    """An owner that shows parameters; asked each time, since what it has may change."""

    def __call__(self) -> Iterable[Parameter]: ...


def check_value(
    name: str, kind: Kind, value: str, *, choices: tuple[str, ...] = (), low: int = 0, high: int = 0
) -> str:
    """``value`` if it fits the type; booleans and enumerations in their own spelling. Raises InputError."""
    if len(value) > MAX_VALUE or (value and not value.isprintable()):
        raise InputError(name, f"a value is one line of at most {MAX_VALUE} printable characters")
    if kind == "int":
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10) or not low <= int(value) <= high:
            raise InputError(name, f"a whole number from {low} to {high}")
        return str(int(value))
    if kind in ("enum", "bool"):
        for choice in choices:
            if value.lower() == choice.lower():
                return choice
        raise InputError(name, f"one of {', '.join(choices)}")
    return value
