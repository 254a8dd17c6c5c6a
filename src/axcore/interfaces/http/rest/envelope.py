"""What all REST calls share: the envelope, the errors and the description of a call in the route table.

A body is ``{"data": ...}`` of type application/json. Success is ``{"status": "success", "data": ...}``; an error has
its real HTTP status and ``{"status": "error", "error": {"code", "message", "field"?}}``. Codes are words: ``invalid``,
``not_found``, ``conflict``, ``limit``, ``unsupported_media_type``, ``busy``, ``unavailable``; the simulated board has
its own as well. A write answers after the ledger committed it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import GenericAlias
from typing import Any, Final

import msgspec
from aiohttp import web

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, QueueFullError, StoreError
from axcore.interfaces.http.context import Context, Request
from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.jsonin import parse_json
from axcore.interfaces.http.routes import Handler, Route
from axcore.model.accounts import Role

BASE: Final = "/config/rest"
CODES: Final = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    500: "internal",
    503: "busy",
}
"""The words of errors that the server answers itself, before a handler is asked."""


class RestError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """``error`` of an answer. ``field`` is the dotted path of what is wrong, if it is one thing."""

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class RestRoute(Route):
    """A route with what OpenAPI tells about it."""

    summary: str
    body: Any = None
    """Type of ``data`` in the request; None = no body."""
    partial: bool = False
    """Every field of ``body`` may be left out (PATCH)."""
    data: Any = None
    """Type of ``data`` in the answer; None = none."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Query arguments and what they mean."""
    status: int = 200


# --- answers -------------------------------------------------------------------------------------------------------


def success(data: Any = msgspec.UNSET, status: int = 200) -> web.Response:
    """A success answer; without ``data`` it has none."""
    body: dict[str, Any] = {"status": "success"}
    if data is not msgspec.UNSET:
        body["data"] = data
    return plain(body, status)


def plain(document: Any, status: int = 200) -> web.Response:
    """A JSON document without an envelope."""
    response = web.Response(status=status, body=msgspec.json.encode(document), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def failure(error: RestError) -> web.Response:
    """An error answer."""
    body = ErrorBody(error.code, error.message, error.field)
    return plain({"status": "error", "error": body}, error.status)


_INPUT_ERRORS: Final[tuple[tuple[type[InputError], int, str], ...]] = (
    (NotFoundError, 404, "not_found"),
    (LimitError, 409, "limit"),
    (ConflictError, 409, "conflict"),
    (InputError, 400, "invalid"),
)


def as_rest_error(error: Exception) -> RestError | None:
    """The answer that an exception deserves; None for what only a bug explains."""
    match error:
        case RestError():
            return error
        case InputError():
            status, code = next((status, code) for kind, status, code in _INPUT_ERRORS if isinstance(error, kind))
            return RestError(status, code, error.reason, error.field)
        case BadRequestError():
            return RestError(400, "invalid", error.text)
        case QueueFullError():
            return RestError(503, "busy", "too much at once, try again")
        case StoreError():
            return RestError(503, "unavailable", "the state cannot be stored; nothing was changed")
        case _:
            return None


def rest(handler: Handler) -> Handler:
    """``handler`` with its exceptions turned into error answers."""

    @functools.wraps(handler)
    async def wrapped(request: Request, ctx: Context) -> web.StreamResponse:
        try:
            return await handler(request, ctx)
        except Exception as error:
            answer = as_rest_error(error)
            if answer is None:
                raise
            return failure(answer)

    return wrapped


# --- requests ------------------------------------------------------------------------------------------------------


def decode_data(raw: bytes) -> Any:
    """``data`` of a body. Raises InputError."""
    document = parse_json(raw)
    if not isinstance(document, dict):
        raise InputError("body", 'must be {"data": ...}')
    for name in document:
        if name != "data":
            raise InputError(name[:64], 'the body has "data" and nothing else')
    if "data" not in document:
        raise InputError("data", "is required")
    return document["data"]


async def read_data(request: Request) -> Any:
    """``data`` of the request's body. Raises RestError, InputError."""
    if request.content_type != "application/json":
        raise RestError(415, "unsupported_media_type", "the body must be application/json")
    return decode_data(await request.read())


async def read_object(request: Request) -> dict[str, Any]:
    """Like ``read_data``, and it is an object."""
    data = await read_data(request)
    if not isinstance(data, dict):
        raise InputError("data", "must be an object")
    return data


def arguments(request: Request, allowed: Mapping[str, str] | None = None) -> dict[str, str]:
    """The query as a dict. Raises InputError for an unknown or repeated argument."""
    found: dict[str, str] = {}
    for name, value in request.arguments().fields:
        if name not in (allowed or ()):
            raise InputError(name[:64], f"unknown argument (known: {', '.join(allowed or ()) or 'none'})")
        if name in found:
            raise InputError(name, "given twice")
        found[name] = value
    return found


def whole_number(arguments: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    """A query argument that is a whole number. Raises InputError."""
    text = arguments.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and lowest <= int(text) <= highest):
        raise InputError(name, f"must be a whole number, {lowest} to {highest}")
    return int(text)


# --- routes --------------------------------------------------------------------------------------------------------


def shelf(
    path: str, name: str, what: str, types: tuple[Any, Any], handlers: Sequence[Any], *, role: Role
) -> tuple[RestRoute, ...]:
    """The five routes of records: list, add, get, change, remove, with their handlers in this order.

    ``what``: one of them in words; ``types``: as entered and as shown.
    """
    spec, record = types
    every, add, one, patch, remove = (rest(handler) for handler in handlers)
    key = f"{path}/{{id}}"
    return (
        RestRoute(
            method="GET", safe=True, path=path, role=role, name=f"{name}.list", handler=every,
            summary=f"All {what}s", data=GenericAlias(list, (record,)),
        ),
        RestRoute(
            method="POST", path=path, role=role, name=f"{name}.add", handler=add, summary=f"Add a {what}", body=spec,
            data=record, status=201,
        ),
        RestRoute(
            method="GET", safe=True, path=key, role=role, name=f"{name}.get", handler=one, summary=f"One {what}",
            data=record,
        ),
        RestRoute(
            method="PATCH", path=key, role=role, name=f"{name}.update", handler=patch, summary=f"Change a {what}",
            body=spec, partial=True, data=record,
        ),
        RestRoute(
            method="DELETE", path=key, role=role, name=f"{name}.remove", handler=remove, summary=f"Remove a {what}",
        ),
    )  # fmt: skip
