"""``/config/rest/schedules/v1``: schedules and pulses (manual: System > Events > Schedules). Needs an operator."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.rest.envelope import (
    BASE,
    RestRoute,
    arguments,
    read_object,
    rest,
    shelf,
    success,
    whole_number,
)
from axcore.model.accounts import Role
from axcore.model.schedules import Schedule, ScheduleKind, ScheduleSpec
from axcore.model.times import NS, parse_rfc3339
from axcore.services import time as zones

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/schedules/v1"
DEFAULT_COUNT: Final = 10
MAX_COUNT: Final = 200
_QUERY: Final = {
    "from": "changes after this moment, RFC 3339 with a time zone (default: now)",
    "count": f"at most this many, 1 to {MAX_COUNT} (default {DEFAULT_COUNT})",
}


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule and whether it holds."""

    id: str
    name: str
    icalendar: str
    exception: str
    kind: ScheduleKind
    active: bool
    """Now; a pulse never does."""


class EdgeView(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a schedule."""

    utc: str
    """``2026-03-29T06:00:00Z``."""
    local: str
    """The same in the device's time zone, with its offset."""
    active: bool | None
    """An interval begins or ends; null: a pulse."""


def _view(ctx: Context, schedule: Schedule) -> ScheduleView:
    fields = {name: getattr(schedule, name) for name in Schedule.__struct_fields__}
    return ScheduleView(**fields, active=ctx.schedules.active(schedule.id, ctx.clock.wall_ns()))


async def list_schedules(request: Request, ctx: Context) -> web.Response:
    """All schedules."""
    arguments(request)
    return success([_view(ctx, schedule) for schedule in ctx.schedules.schedules()])


async def add_schedule(request: Request, ctx: Context) -> web.Response:
    """Add a schedule; 409 for a name that is taken and for the 257th."""
    spec = await read_object(request)
    schedule = await ctx.ledger.run(lambda tx: ctx.schedules.add(tx, spec), actor=request.identity.name)
    response = success(_view(ctx, schedule), 201)
    response.headers["Location"] = f"{API}/schedules/{schedule.id}"
    return response


async def get_schedule(request: Request, ctx: Context) -> web.Response:
    """One schedule."""
    return success(_view(ctx, ctx.schedules.schedule(request.path_params["id"])))


async def patch_schedule(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch = await read_object(request)
    key = request.path_params["id"]
    found = await ctx.ledger.run(lambda tx: ctx.schedules.update(tx, key, patch), actor=request.identity.name)
    return success(_view(ctx, found))


async def delete_schedule(request: Request, ctx: Context) -> web.Response:
    """Remove a schedule; 409 while a rule or a credential uses it."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.schedules.remove(tx, key), actor=request.identity.name)
    return success()


async def get_edges(request: Request, ctx: Context) -> web.Response:
    """When a schedule changes next."""
    query = arguments(request, _QUERY)
    most = whole_number(query, "count", DEFAULT_COUNT, 1, MAX_COUNT)
    start = _moment(query["from"]) if "from" in query else ctx.clock.wall_ns()
    edges = await asyncio.to_thread(ctx.schedules.edges, request.path_params["id"], start, most)
    zone = zones.zone(ctx.params.text("Time.TimeZone"))
    found = []
    for edge in edges:
        moment = datetime.fromtimestamp(edge.t, UTC)
        utc, local = f"{moment:%Y-%m-%dT%H:%M:%SZ}", moment.astimezone(zone).isoformat()
        found.append(EdgeView(utc=utc, local=local, active=edge.active))
    return success(found)


def _moment(text: str) -> int:
    try:
        found = parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise InputError("from", str(error)) from None
    if not 0 <= found < 4_102_444_800 * NS:
        raise InputError("from", "the year must be 1970..2099")
    return found


def _routes() -> tuple[RestRoute, ...]:
    one, operator = f"{API}/schedules/{{id}}", Role.OPERATOR
    schedules = (list_schedules, add_schedule, get_schedule, patch_schedule, delete_schedule)
    return (
        *shelf(f"{API}/schedules", "schedules", "schedule", (ScheduleSpec, ScheduleView), schedules, role=operator),
        RestRoute(
            method="GET", safe=True, path=f"{one}/edges", role=operator, name="schedules.edges",
            handler=rest(get_edges), summary="When a schedule changes next", data=list[EdgeView], query=_QUERY,
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
