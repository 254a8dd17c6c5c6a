"""``/config/rest/doors/v1``: doors of a controller and their commands, supervised inputs, alarms, power.

Commands have the names of the door control service (``LockDoor`` ...). Whatever opens or locks needs an operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, success
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.doors import DoorState, LineState
from axcore.services.doors.alarms import AlarmSettings
from axcore.services.doors.power import PowerPage
from axcore.services.doors.supervision import Supervision

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/doors/v1"


class DoorView(msgspec.Struct, frozen=True, kw_only=True):
    """A door as it is."""

    token: str
    name: str
    place: int | None
    """Number of its terminals; None: it has none."""
    state: DoorState


class AccessBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An access without a card. Times in ms; None = as the door says."""

    unlock: bool = True
    extended: bool = False
    access_ms: int | None = None
    open_too_long_ms: int | None = None
    pre_alarm_ms: int | None = None


class CommandBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command to a door."""

    command: str
    level: str = ""
    """Priority level; empty = that of the door."""


class SupervisionView(Supervision, frozen=True, kw_only=True):
    """A supervised input: what is set, and what was measured."""

    line: str
    state: LineState | None
    millivolt: int | None


def _view(ctx: Context, token: str) -> DoorView:
    controller = ctx.controller
    state = controller.doors.state(token)
    return DoorView(
        token=token, name=controller.pacs.doors[token].name, place=controller.doors.place(token), state=state
    )


async def list_doors(request: Request, ctx: Context) -> web.Response:
    """Every door."""
    arguments(request)
    return success([_view(ctx, token) for token in ctx.controller.doors.tokens])


async def get_door(request: Request, ctx: Context) -> web.Response:
    """One door."""
    return success(_view(ctx, request.path_params["id"]))


async def access_door(request: Request, ctx: Context) -> web.Response:
    """Make a door accessible."""
    body, token, doors = (
        convert(await read_object(request), AccessBody),
        request.path_params["id"],
        ctx.controller.doors,
    )
    given = msgspec.structs.asdict(body)
    await ctx.ledger.run(lambda tx: doors.access(tx, token, **given), actor=request.identity.name)
    return success(_view(ctx, token))


async def command_door(request: Request, ctx: Context) -> web.Response:
    """Give a door a command."""
    body, token = convert(await read_object(request), CommandBody), request.path_params["id"]
    doors = ctx.controller.doors
    await ctx.ledger.run(lambda tx: doors.command(tx, token, body.command, body.level), actor=request.identity.name)
    return success(_view(ctx, token))


async def list_supervision(request: Request, ctx: Context) -> web.Response:
    """Every input that can be supervised."""
    arguments(request)
    return success([_supervised(ctx, line) for line in ctx.controller.supervision.settings])


async def patch_supervision(request: Request, ctx: Context) -> web.Response:
    """Supervise an input, or not."""
    patch, line, service = await read_object(request), request.path_params["id"], ctx.controller.supervision
    await ctx.ledger.run(lambda tx: service.configure(tx, line, patch), actor=request.identity.name)
    return success(_supervised(ctx, line))


def _supervised(ctx: Context, line: str) -> SupervisionView:
    service = ctx.controller.supervision
    seen = next((state for state in service.states() if state.line == line), None)
    setting: Supervision = service.settings[line]
    return SupervisionView(
        line=line, enabled=setting.enabled, connection=setting.connection, state=None if seen is None else seen.state,
        millivolt=None if seen is None else seen.millivolt,
    )  # fmt: skip


async def get_alarms(request: Request, ctx: Context) -> web.Response:
    """Which alarms the device raises."""
    arguments(request)
    return success(ctx.controller.alarms.settings)


async def patch_alarms(request: Request, ctx: Context) -> web.Response:
    """Turn alarms on or off."""
    patch, service = await read_object(request), ctx.controller.alarms
    return success(await ctx.ledger.run(lambda tx: service.configure(tx, patch), actor=request.identity.name))


async def get_power(request: Request, ctx: Context) -> web.Response:
    """The power monitoring page."""
    arguments(request)
    return success(ctx.controller.power_page())


def _routes() -> tuple[RestRoute, ...]:
    viewer, operator, admin = Role.VIEWER, Role.OPERATOR, Role.ADMIN
    one: dict[str, Any] = {"safe": True, "role": viewer, "method": "GET"}
    return (
        RestRoute(
            **one, path=f"{API}/doors", name="doors.list", handler=rest(list_doors), summary="All doors",
            data=list[DoorView],
        ),
        RestRoute(
            **one, path=f"{API}/doors/{{id}}", name="doors.get", handler=rest(get_door), summary="One door",
            data=DoorView,
        ),
        RestRoute(
            method="POST", path=f"{API}/doors/{{id}}/access", role=operator, name="doors.access",
            handler=rest(access_door), summary="Make a door accessible", body=AccessBody, data=DoorView,
        ),
        RestRoute(
            method="POST", path=f"{API}/doors/{{id}}/commands", role=operator, name="doors.command",
            handler=rest(command_door), summary="Lock, unlock, block a door ...", body=CommandBody, data=DoorView,
        ),
        RestRoute(
            **one, path=f"{API}/supervision", name="doors.supervision", handler=rest(list_supervision),
            summary="Inputs that can be supervised", data=list[SupervisionView],
        ),
        RestRoute(
            method="PATCH", path=f"{API}/supervision/{{id}}", role=admin, name="doors.supervision.update",
            handler=rest(patch_supervision), summary="Supervise an input", body=Supervision, partial=True,
            data=SupervisionView,
        ),
        RestRoute(
            **one, path=f"{API}/alarms", name="doors.alarms", handler=rest(get_alarms),
            summary="Alarms of the controller", data=AlarmSettings,
        ),
        RestRoute(
            method="PATCH", path=f"{API}/alarms", role=admin, name="doors.alarms.update", handler=rest(patch_alarms),
            summary="Turn alarms on or off", body=AlarmSettings, partial=True, data=AlarmSettings,
        ),
        RestRoute(
            **one, path=f"{API}/power", name="doors.power", handler=rest(get_power), summary="Power monitoring",
            data=PowerPage,
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
