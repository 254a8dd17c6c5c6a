"""Requests to ``/vapix/call``: one method of the Call service each, as JSON or in the simple form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from axcore.errors import InputError, QueueFullError, StoreError
from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.jsonin import MissingFieldError, parse_json

from . import simple
from .methods import PREFIX, fault_of, run

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request


async def serve(request: Request, ctx: Context) -> web.Response:
    """One method."""
    plain = "format=simple" in request.raw_query.split("&")  # also where the query cannot be read
    try:
        answer = await (_simple(request, ctx) if plain else _json(request, ctx))
        return _written(answer, plain=plain)
    except (InputError, QueueFullError, StoreError) as error:
        return _written(fault_of(error).told(), plain=plain, status=400)
    except BadRequestError as error:
        return _written(fault_of(InputError("request", error.text)).told(), plain=plain, status=400)


async def _json(request: Request, ctx: Context) -> dict[str, Any]:
    if request.method == "GET":
        raise InputError("format", "GET is for format=simple; JSON comes by POST")
    body = parse_json(await request.read())
    if not isinstance(body, dict) or len(body) != 1:
        raise InputError("body", f'must be {{"{PREFIX}Method": {{...}}}}')
    (name, args), *_ = body.items()
    return await run(name, args, request, ctx)


async def _simple(request: Request, ctx: Context) -> dict[str, Any]:
    fields = (await request.form()).fields
    actions = [value for name, value in fields if name == "action"]
    if not actions:
        raise MissingFieldError("action", "is required")
    if len(actions) > 1:
        raise InputError("action", "is there more than once")
    given = [(name, value) for name, value in fields if name not in ("format", "action")]
    args = simple.read(given, actions[0].removeprefix(PREFIX))
    return await run(actions[0], args, request, ctx)


def _written(answer: dict[str, Any], *, plain: bool, status: int = 200) -> web.Response:
    if plain:
        return web.Response(status=status, text=simple.write(answer), content_type="text/plain")
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type="application/json")
