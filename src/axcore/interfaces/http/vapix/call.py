"""``/vapix/call``: the VAPIX Call service, one method a request, as JSON and in the simple form.

``{"axcall:Call": {"To": "sip:..."}}`` by POST, or ``?format=simple&action=axcall:Call&To=sip:...`` by GET or POST (then
arguments may be in an urlencoded body too). A fault is HTTP 400 with ``Fault``, ``FaultCode``, ``FaultSubCode``,
``FaultReason`` and ``FaultMsg``. The same methods are SOAP at ``/vapix/services`` (``interfaces.call``), and each asks
for the role that it needs. They are loaded with the first request: they take half a megabyte, and many devices are
never asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.errors import AxError, InputError, QueueFullError, StoreError
from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.jsonin import MissingFieldError, parse_json
from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request


async def serve(request: Request, ctx: Context) -> web.Response:
    """One method."""
    plain = "format=simple" in request.raw_query.split("&")  # also where the query cannot be read
    try:
        answer = await (_simple(request, ctx) if plain else _json(request, ctx))
        return _written(answer, plain=plain)
    except (InputError, QueueFullError, StoreError) as error:
        return _written(_fault(error), plain=plain, status=400)
    except BadRequestError as error:
        return _written(_fault(InputError("request", error.text)), plain=plain, status=400)


async def _json(request: Request, ctx: Context) -> dict[str, Any]:
    from axcore.interfaces.call.methods import PREFIX, run

    if request.method == "GET":
        raise InputError("format", "GET is for format=simple; JSON comes by POST")
    body = parse_json(await request.read())
    if not isinstance(body, dict) or len(body) != 1:
        raise InputError("body", f'must be {{"{PREFIX}Method": {{...}}}}')
    (name, args), *_ = body.items()
    return await run(name, args, request, ctx)


async def _simple(request: Request, ctx: Context) -> dict[str, Any]:
    from axcore.interfaces.call.methods import PREFIX, run
    from axcore.interfaces.call.simple import read

    fields = (await request.form()).fields
    actions = [value for name, value in fields if name == "action"]
    if not actions:
        raise MissingFieldError("action", "is required")
    if len(actions) > 1:
        raise InputError("action", "is there more than once")
    given = [(name, value) for name, value in fields if name not in ("format", "action")]
    args = read(given, actions[0].removeprefix(PREFIX))
    return await run(actions[0], args, request, ctx)


def _fault(error: AxError) -> dict[str, Any]:
    from axcore.interfaces.call.methods import fault_of

    return fault_of(error).told()


def _written(answer: dict[str, Any], *, plain: bool, status: int = 200) -> web.Response:
    if plain:
        from axcore.interfaces.call.simple import write

        return web.Response(status=status, text=write(answer), content_type="text/plain")
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type="application/json")


ROUTES: Final = (
    Route(method="GET", path="/vapix/call", role=Role.OPERATOR, handler=serve, name="call-service.simple"),
    Route(method="POST", path="/vapix/call", role=Role.OPERATOR, handler=serve, name="call-service"),
)
APIS: Final = (ApiEntry(id="call-service", name="Call service", version="2.0"),)
