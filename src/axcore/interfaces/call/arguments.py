"""What the methods of the Call service share: how arguments are read, and faults in the words of who called."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import UnsetType

from axcore.errors import InputError
from axcore.interfaces.http.jsonin import MissingFieldError, convert
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context

Method = Callable[[dict[str, Any], "Context"], Awaitable[dict[str, Any]]]
Methods = Mapping[str, tuple[Role, Method]]
"""Least role and method, by name."""
Text = str | None | UnsetType
"""A text that may be missing; null is the empty one."""
T = TypeVar("T")
_UNKNOWN: Final = re.compile(r"contains unknown field `([^`]*)`")
_NAME: Final = re.compile(r"[A-Za-z_0-9]+")


class Args(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of a method, or an object among them: what is not known is refused."""


class NoArgs(Args, frozen=True, kw_only=True):
    """Of a method that needs nothing to be said."""


def read(args: object, kind: type[T], name: str) -> T:
    """What the method ``name`` was given. MissingFieldError and InputError name the argument."""
    try:
        return convert(args, kind, name)
    except InputError as error:
        field, reason = error.field, error.reason
        if unknown := _UNKNOWN.search(reason):
            field, reason = f"{field}.{unknown[1][:60]}", "is not known here"
        raise type(error)(field.removeprefix(f"{name}."), reason) from None


def one(args: dict[str, Any], name: str) -> dict[str, Any]:
    """The only argument, which is an object; a copy. MissingFieldError, InputError."""
    value = args.get(name)
    if name not in args:
        raise MissingFieldError(name, "is required")
    if not isinstance(value, dict):
        raise InputError(name, "must be an object")
    refuse_rest({key: each for key, each in args.items() if key != name}, "")
    return dict(value)


def refuse_rest(given: dict[str, Any], where: str) -> None:
    """InputError names the first of those that nobody has taken."""
    for name in given:
        raise InputError(f"{where}.{name[:60]}".lstrip("."), "is not known here")


def given(values: Mapping[str, Text]) -> dict[str, str]:
    """Those texts that are there; null is empty."""
    return {name: value or "" for name, value in values.items() if not isinstance(value, UnsetType)}


def some(wanted: tuple[str, ...] | None, there: Mapping[str, Any]) -> list[Any]:
    """Those of an optional list of ids that are there, in its order; all without one, or with an empty one."""
    keys = dict.fromkeys(wanted) if wanted else there
    return [there[key] for key in keys if key in there]


@contextmanager
def in_words(names: Mapping[str, str], where: str = "") -> Iterator[None]:
    """Errors about fields of the device's model name those of the API: ``names`` by the model's, below ``where``.

    A field whose first name is none of the model's is the API's already.
    """
    try:
        yield
    except InputError as error:
        first = _NAME.match(error.field)
        if first is None or first[0] not in names:
            raise
        told = _NAME.sub(lambda found: names.get(found[0], found[0]), error.field)
        raise type(error)(f"{where}.{told}".lstrip("."), error.reason) from None
