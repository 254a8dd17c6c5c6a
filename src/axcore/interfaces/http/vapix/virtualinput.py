"""``virtualinput/*.cgi``: the 64 virtual inputs, over the XML family (VAPIX, virtual input API, schema 1.1).

Every answer is HTTP 200 with a ``VirtualInputResponse``; errors are a ``GeneralError`` with one of the codes below.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.sax.saxutils import escape

from aiohttp import web

from axcore.errors import AxError, InputError
from axcore.interfaces.http.routes import Route
from axcore.model.accounts import Role
from axcore.model.ports import VIRTUAL_INPUTS

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.interfaces.http.forms import Form

NAMESPACE: Final = "http://www.axis.com/vapix/http_cgi/virtualinput1"
SCHEMA_MAJOR: Final = 1
SCHEMA_MINOR: Final = 1
MAX_DURATION: Final = 31_536_000
"""Seconds (a year)."""

MISSING_ARGUMENT: Final = 10
NO_SUCH_INPUT: Final = 20
SCHEMA_NOT_SUPPORTED: Final = 30
INTERNAL_ERROR: Final = 40
INVALID_DURATION: Final = 50
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)


class VirtualInputError(AxError):
    """A request that gets a ``GeneralError``."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class Change(NamedTuple):
    """What a request asks for; ``duration`` in seconds, None = until deactivated, 0 = a pulse."""

    port: int
    duration: int | None


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def check_schema(query: Form, *, required: bool = True) -> None:
    """``schemaversion`` must be the supported major version. Raises VirtualInputError."""
    text = query.get("schemaversion")
    if not text and not required:
        return
    if not text:
        raise VirtualInputError(MISSING_ARGUMENT, "The argument schemaversion is missing")
    if _number(text) != SCHEMA_MAJOR:
        raise VirtualInputError(SCHEMA_NOT_SUPPORTED, f"The schema version must be {SCHEMA_MAJOR}")


def read_change(query: Form, *, with_duration: bool) -> Change:
    """The arguments of activate.cgi (with duration) and deactivate.cgi. Raises VirtualInputError."""
    check_schema(query)
    text = query.get("port")
    if not text:
        raise VirtualInputError(MISSING_ARGUMENT, "The argument port is missing")
    port = _number(text)
    if port is None or not 1 <= port <= VIRTUAL_INPUTS:
        raise VirtualInputError(NO_SUCH_INPUT, f"Virtual inputs are numbered 1 to {VIRTUAL_INPUTS}")
    wanted = query.get("duration") if with_duration else None
    if wanted is None:
        return Change(port, None)
    duration = _number(wanted)
    if duration is None or duration > MAX_DURATION:
        raise VirtualInputError(INVALID_DURATION, f"The duration is a whole number of seconds, 0 to {MAX_DURATION}")
    return Change(port, duration)


def document(body: str) -> str:
    """A complete ``VirtualInputResponse``."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<VirtualInputResponse xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' SchemaVersion="{SCHEMA_MAJOR}.{SCHEMA_MINOR}" xsi:schemaLocation="{NAMESPACE} {NAMESPACE}_0.xsd">'
        f"{body}</VirtualInputResponse>\n"
    )


def changed_document(element: str, changed: bool) -> str:
    """The answer to activate (``ActivateSuccess``) or deactivate (``DeactivateSuccess``)."""
    flag = "true" if changed else "false"
    return document(f"<Success><{element}><StateChanged>{flag}</StateChanged></{element}></Success>")


def versions_document() -> str:
    """The answer to getschemaversions.cgi."""
    version = (
        f"<SchemaVersion><MajorVersion>{SCHEMA_MAJOR}</MajorVersion><MinorVersion>{SCHEMA_MINOR}</MinorVersion>"
        "<Deprecated>false</Deprecated></SchemaVersion>"
    )
    return document(f"<Success><GetSchemaVersionsSuccess>{version}</GetSchemaVersionsSuccess></Success>")


def error_document(error: VirtualInputError) -> str:
    """A ``GeneralError``."""
    return document(
        f"<Error><GeneralError><ErrorCode>{error.code}</ErrorCode>"
        f"<ErrorDescription>{escape(error.description)}</ErrorDescription></GeneralError></Error>"
    )


def _xml(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/xml", charset="utf-8")


async def _change(request: Request, ctx: Context, active: bool) -> web.Response:
    try:
        wanted = read_change(request.arguments(), with_duration=active)
        try:
            changed = await ctx.ledger.run(
                lambda tx: ctx.ports.set_virtual_input(tx, wanted.port, active, wanted.duration)
            )
        except InputError as error:
            code = INVALID_DURATION if error.field.endswith("duration") else NO_SUCH_INPUT
            raise VirtualInputError(code, error.reason) from error
        except AxError as error:
            raise VirtualInputError(INTERNAL_ERROR, "Internal error, nothing was changed") from error
    except VirtualInputError as error:
        return _xml(error_document(error))
    return _xml(changed_document("ActivateSuccess" if active else "DeactivateSuccess", changed))


async def activate_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/virtualinput/activate.cgi?schemaversion=1&port=1[&duration=s] (operator)."""
    return await _change(request, ctx, True)


async def deactivate_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/virtualinput/deactivate.cgi?schemaversion=1&port=1 (operator)."""
    return await _change(request, ctx, False)


async def schemaversions_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/virtualinput/getschemaversions.cgi (operator)."""
    try:
        check_schema(request.arguments(), required=False)
    except VirtualInputError as error:
        return _xml(error_document(error))
    return _xml(versions_document())


_PATH: Final = "/axis-cgi/virtualinput"
ROUTES: Final = (
    Route(
        method="GET", path=f"{_PATH}/activate.cgi", role=Role.OPERATOR, handler=activate_cgi,
        name="virtual-input.activate",
    ),
    Route(
        method="GET", path=f"{_PATH}/deactivate.cgi", role=Role.OPERATOR, handler=deactivate_cgi,
        name="virtual-input.deactivate",
    ),
    Route(
        method="GET", path=f"{_PATH}/getschemaversions.cgi", role=Role.OPERATOR, handler=schemaversions_cgi,
        name="virtual-input.versions", safe=True,
    ),
)  # fmt: skip
