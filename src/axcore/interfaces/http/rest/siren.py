"""``/config/rest/siren/v1``: profiles, what runs, maintenance mode, health check. Needs an operator.

A profile is named in the path (percent-encoded). Saving one answers with what the flash analyser says of its light.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_data, read_object, rest, success
from axcore.model.accounts import Role
from axcore.model.convert import convert, patched
from axcore.model.profiles import Function, Profile
from axcore.services.siren import ImportMode, choices

if TYPE_CHECKING:
    from axcore.devices.arbiter import Activity
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/siren/v1"
SECOND_NS: Final = 1_000_000_000
_QUERY: Final = {"names": "only these, with commas between them"}


class Saved(Profile, frozen=True, kw_only=True):
    """A profile, and how its light flashes when the safe mode is off."""

    flashes: str = ""
    safe: bool = True


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """Something that runs; the first of a function shows."""

    id: int
    pattern: str
    priority: int
    seconds_left: float | None
    profile: str | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, highest priority first."""

    light: list[Running]
    siren: list[Running]
    maintenance: bool
    poe_class: int


class MaintenanceMode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Maintenance mode; ``seconds`` of None is until it is turned off."""

    on: bool
    seconds: int | None = None


class ImportBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Profiles to load, all or none."""

    profiles: list[Profile]
    mode: ImportMode = "add"


async def _saved(profile: Profile) -> Saved:
    fields = {name: getattr(profile, name) for name in Profile.__struct_fields__}
    if profile.light is None:
        return Saved(**fields)
    await asyncio.to_thread(choices.learn, profile.light)
    report = await asyncio.to_thread(choices.flashes, profile.light)
    return Saved(**fields, flashes=str(report), safe=report.safe)


async def list_profiles(request: Request, ctx: Context) -> web.Response:
    """All profiles (export), or those of ``names``."""
    asked = arguments(request, _QUERY).get("names")
    profiles = ctx.siren.profiles
    if asked is None:
        return success(list(profiles.all.values()))
    return success([profiles.get(name) for name in asked.split(",")])


async def add_profile(request: Request, ctx: Context) -> web.Response:
    """Save a new profile; 409 for the 31st and for a name that is taken."""
    profile = convert(await read_object(request), Profile)
    siren = ctx.siren
    kept = await ctx.ledger.run(lambda tx: siren.profiles.add(tx, profile, siren.poe_class))
    return success(await _saved(kept), 201)


async def get_profile(request: Request, ctx: Context) -> web.Response:
    """One profile."""
    return success(ctx.siren.profiles.get(request.path_params["id"]))


async def patch_profile(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch, name, siren = await read_object(request), request.path_params["id"], ctx.siren

    def job(tx: Any) -> Profile:
        changed = patched(siren.profiles.get(name), patch, Profile)
        kept: Profile = siren.profiles.replace(tx, name, changed, siren.poe_class)
        return kept

    return success(await _saved(await ctx.ledger.run(job)))


async def delete_profile(request: Request, ctx: Context) -> web.Response:
    """Forget a profile."""
    name = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.siren.profiles.remove(tx, name))
    return success()


async def start_profile(request: Request, ctx: Context) -> web.Response:
    """Start a profile."""
    name, siren = request.path_params["id"], ctx.siren
    await asyncio.to_thread(choices.learn, siren.profiles.get(name).light)
    return success(await ctx.ledger.run(lambda tx: siren.start_profile(tx, name)))


async def stop_profile(request: Request, ctx: Context) -> web.Response:
    """Stop what a profile started."""
    name = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.siren.stop_profile(tx, name))
    return success()


async def import_profiles(request: Request, ctx: Context) -> web.Response:
    """Load profiles: add them, delete the old ones and add, or overwrite those of the same name."""
    body, siren = convert(await read_data(request), ImportBody), ctx.siren
    await ctx.ledger.run(lambda tx: siren.profiles.load_in(tx, body.profiles, body.mode, siren.poe_class))
    return success(list(siren.profiles.all.values()))


async def preview(request: Request, ctx: Context) -> web.Response:
    """Start what a profile would do, before it is saved."""
    profile, siren = convert(await read_object(request), Profile), ctx.siren
    await asyncio.to_thread(choices.learn, profile.light)
    return success(await ctx.ledger.run(lambda tx: siren.preview(tx, profile)))


async def stop_preview(request: Request, ctx: Context) -> web.Response:
    """Stop the preview."""
    await ctx.ledger.run(lambda tx: ctx.siren.stop_owner(tx, "preview"))
    return success()


async def get_status(request: Request, ctx: Context) -> web.Response:
    """What runs."""
    arguments(request)
    now, siren = ctx.clock.mono_ns(), ctx.siren

    def running(function: Function) -> list[Running]:
        return [_running(activity, now) for activity in siren.activities(function)]

    return success(
        Status(light=running("light"), siren=running("siren"), maintenance=siren.maintenance, poe_class=siren.poe_class)
    )


def _running(activity: Activity, now_ns: int) -> Running:
    left = activity.left_ns(now_ns)
    names = {11: "Maintenance", 12: "Identify", 13: "Health check"}
    return Running(
        id=activity.id,
        pattern=activity.what.pattern if activity.what is not None else names[activity.priority],
        priority=activity.priority,
        seconds_left=None if left is None else left / SECOND_NS,
        profile=activity.profile,
    )


async def put_maintenance(request: Request, ctx: Context) -> web.Response:
    """Turn maintenance mode on, for a time or until it is turned off, or off."""
    mode, siren = convert(await read_object(request), MaintenanceMode), ctx.siren
    if mode.seconds is not None and not 0 <= mode.seconds <= 259_200:
        raise InputError("seconds", "must be 0..259200")
    await ctx.ledger.run(lambda tx: siren.set_maintenance(tx, mode.on, mode.seconds))
    return success()


async def get_health(request: Request, ctx: Context) -> web.Response:
    """The outcome of the last health check; 404 if there was none."""
    return success(ctx.siren.health.last())


async def run_health(request: Request, ctx: Context) -> web.Response:
    """Begin a health check; 409 while one runs."""
    await ctx.ledger.run(ctx.siren.health.run)
    return success()


def _profile_routes() -> tuple[RestRoute, ...]:
    one, operator = f"{API}/profiles/{{id}}", Role.OPERATOR
    return (
        RestRoute(
            method="GET", safe=True, path=f"{API}/profiles", role=operator, name="siren.profiles",
            handler=rest(list_profiles), summary="All profiles", data=list[Profile],
            query=_QUERY,
        ),
        RestRoute(
            method="POST", path=f"{API}/profiles", role=operator, name="siren.add", handler=rest(add_profile),
            summary="Save a profile", body=Profile, data=Saved, status=201,
        ),
        RestRoute(
            method="GET", safe=True, path=one, role=operator, name="siren.get", handler=rest(get_profile),
            summary="One profile", data=Profile,
        ),
        RestRoute(
            method="PATCH", path=one, role=operator, name="siren.update", handler=rest(patch_profile),
            summary="Change a profile", body=Profile, partial=True, data=Saved,
        ),
        RestRoute(
            method="DELETE", path=one, role=operator, name="siren.remove", handler=rest(delete_profile),
            summary="Remove a profile",
        ),
        RestRoute(
            method="POST", path=f"{one}/start", role=operator, name="siren.start", handler=rest(start_profile),
            summary="Start a profile", data=dict[str, Any],
        ),
        RestRoute(
            method="POST", path=f"{one}/stop", role=operator, name="siren.stop", handler=rest(stop_profile),
            summary="Stop a profile",
        ),
    )  # fmt: skip


def _signal_routes() -> tuple[RestRoute, ...]:
    operator = Role.OPERATOR
    return (
        RestRoute(
            method="POST", path=f"{API}/import", role=operator, name="siren.import", handler=rest(import_profiles),
            summary="Load profiles, all or none", body=ImportBody, data=list[Profile], max_body=1 << 18,
        ),
        RestRoute(
            method="POST", path=f"{API}/preview", role=operator, name="siren.preview", handler=rest(preview),
            summary="Start what a profile would do", body=Profile, data=dict[str, Any],
        ),
        RestRoute(
            method="DELETE", path=f"{API}/preview", role=operator, name="siren.preview-stop",
            handler=rest(stop_preview), summary="Stop the preview",
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/status", role=operator, name="siren.status",
            handler=rest(get_status), summary="What runs", data=Status,
        ),
        RestRoute(
            method="PUT", path=f"{API}/maintenance", role=operator, name="siren.maintenance",
            handler=rest(put_maintenance), summary="Turn maintenance mode on or off", body=MaintenanceMode,
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/health-check", role=operator, name="siren.health",
            handler=rest(get_health), summary="The last health check", data=dict[str, Any],
        ),
        RestRoute(
            method="POST", path=f"{API}/health-check", role=operator, name="siren.health-run",
            handler=rest(run_health), summary="Begin a health check",
        ),
    )  # fmt: skip


ROUTES: Final = (*_profile_routes(), *_signal_routes())
