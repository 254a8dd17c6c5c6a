"""``siren_and_light.cgi`` (id ``siren-and-light``, 1.0): start, stop, profiles, maintenance mode, health check.

Every fault has a code of the API's own table and changes nothing. ``uploadProfiles`` is multipart: a part ``request``
with the call and a part ``file`` with the JSON list of profiles.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.interfaces.http.jsonin import MissingFieldError, convert, parse_json
from axcore.interfaces.http.multipart import parts
from axcore.interfaces.http.routes import Route
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, AjrError, Call
from axcore.model.accounts import Role
from axcore.model.profiles import MAX_SECONDS, Function, Light, Profile, Siren
from axcore.services.siren import choices

if TYPE_CHECKING:
    from axcore.devices.arbiter import Activity
    from axcore.interfaces.http.context import Context, Request

MAX_UPLOAD: Final = 1 << 18
SECOND_NS: Final = 1_000_000_000

MAX_PROFILES, UNKNOWN_PROFILE, UNKNOWN_ID, NO_HEALTH_CHECK, NO_MAINTENANCE = 1201, 1202, 1203, 1204, 1205
_FUNCTION_CODES: Final = {  # member: (siren, light)
    "pattern": (2200, 2201),
    "intensity": (2202, 2203),
    "priority": (2204, 2205),
    "duration.unit": (2206, 2207),
    "duration.value": (2208, 2209),
    "duration": (2208, 2209),
    "colors.number": (2104, 2211),
    "colors": (2104, 2212),
    "speed": (2104, 2215),
}
FUNCTION_TYPE, NAME_TOO_LONG, DESCRIPTION_TOO_LONG = 2210, 2213, 2214
_PART: Final = re.compile(r"(?:.*\.)?(siren|light)\.(.+?)(?:\[\d+\])?$")


class _Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    profile: str | None = None
    siren: Siren | None = None
    light: Light | None = None


class _Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    all: list[str] | None = None
    sirenId: int | None = None  # noqa: N815 - wire name
    lightId: int | None = None  # noqa: N815
    profile: str | None = None


class _Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class _Maintenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    maintenanceMode: bool  # noqa: N815
    duration: int | None = None


class _Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    uploadMode: str = "add"  # noqa: N815


API: Final = AjrApi(
    api_id="siren-and-light",
    name="Siren and Light",
    path="/axis-cgi/siren_and_light.cgi",
    versions=("1.0",),
    codes=GEN3,
    versions_role=Role.OPERATOR,
)


def fault(error: InputError) -> Exception:
    """The error of this API for what was refused."""
    if isinstance(error, MissingFieldError):
        return error
    field = error.field.removeprefix("params.")
    found = _PART.match(field)
    if found is not None and found[2] in _FUNCTION_CODES:
        siren, light = _FUNCTION_CODES[found[2]]
        return AjrError(siren if found[1] == "siren" else light, f"Invalid {field}: {error.reason}")
    last = field.rpartition(".")[2]
    code = {"name": NAME_TOO_LONG, "description": DESCRIPTION_TOO_LONG}.get(last, GEN3.invalid)
    if isinstance(error, LimitError):
        code = MAX_PROFILES
    elif isinstance(error, NotFoundError):
        code = UNKNOWN_ID if field.endswith("Id") else UNKNOWN_PROFILE
    elif isinstance(error, ConflictError):
        code = GEN3.invalid
    return AjrError(code, f"{field}: {error.reason}")


def _read(call: Call, kind: Any) -> Any:
    try:
        return call.read(kind)
    except InputError as error:
        raise fault(error) from None


async def _run(call: Call, job: Any) -> Any:
    try:
        return await call.ctx.ledger.run(job, actor=call.request.identity.name)
    except InputError as error:
        raise fault(error) from None


@API.method("getCapabilities", Role.OPERATOR, safe=True)
async def get_capabilities(call: Call) -> Any:
    """What lights and sirens can be told."""
    return {"capabilities": call.ctx.siren.capabilities()}


@API.method("getStatus", Role.OPERATOR, safe=True)
async def get_status(call: Call) -> Any:
    """What runs, highest priority first; nothing: an empty object."""
    now = call.ctx.clock.mono_ns()
    functions: tuple[Function, Function] = ("siren", "light")
    found = {of: [item(of, activity, now) for activity in call.ctx.siren.activities(of)] for of in functions}
    return {of: items for of, items in found.items() if items}


def item(function: Function, activity: Activity, now_ns: int) -> dict[str, Any]:
    """An activity as getStatus tells it."""
    what = activity.what
    entry: dict[str, Any] = {f"{function}Id": activity.id, "pattern": _pattern(activity)}
    if function == "light":
        entry |= {"speed": what.speed if what else 1, "colors": list(what.colors or ()) if what else []}
    entry["intensity"] = what.intensity if what else (1 if function == "light" else 0)
    left = activity.left_ns(now_ns)
    if left is not None:
        entry["durationLeft"] = -(-left // SECOND_NS)
    entry["priority"] = activity.priority
    if activity.profile is not None:
        entry["profile"] = activity.profile
    return entry


def _pattern(activity: Activity) -> str:
    if activity.what is not None:
        return str(activity.what.pattern)
    return {11: "Maintenance", 12: "Identify", 13: "Health check"}[activity.priority]


@API.method("start", Role.OPERATOR)
async def start(call: Call) -> Any:
    """Start a profile, or a siren, a light or both."""
    wanted: _Start = _read(call, _Start)
    siren = call.ctx.siren
    if (wanted.profile is None) == (wanted.siren is None and wanted.light is None):
        raise AjrError(
            GEN3.missing if wanted.profile is None else GEN3.invalid, "Give a profile, or a siren or a light"
        )
    light = wanted.light
    if wanted.profile is not None:
        kept = siren.profiles.all.get(wanted.profile)
        light = kept.light if kept else None
    await asyncio.to_thread(choices.learn, light)
    if wanted.profile is not None:
        started = await _run(call, lambda tx: siren.start_profile(tx, wanted.profile))
    else:
        started = await _run(call, lambda tx: siren.start(tx, light=wanted.light, siren=wanted.siren))
    ids = {"sirenId": started.siren, "lightId": started.light}
    return {name: number for name, number in ids.items() if number is not None}


@API.method("stop", Role.OPERATOR)
async def stop(call: Call) -> Any:
    """Stop everything of a function, activities by id, or what a profile started."""
    wanted: _Stop = _read(call, _Stop)
    siren = call.ctx.siren
    ids = wanted.sirenId is not None or wanted.lightId is not None
    if (wanted.all is not None) + ids + (wanted.profile is not None) != 1:
        raise AjrError(GEN3.missing, "Give one of all, sirenId and lightId, or profile")
    if wanted.all is not None:
        names = wanted.all
        if not names or any(name not in ("siren", "light") for name in names):
            raise AjrError(FUNCTION_TYPE, "Invalid function type: siren and light are known")
        await _run(call, lambda tx: [siren.stop_all(tx, name) for name in names])
    elif wanted.profile is not None:
        await _run(call, lambda tx: siren.stop_profile(tx, wanted.profile))
    else:
        await _run(call, lambda tx: siren.stop_ids(tx, light=wanted.lightId, siren=wanted.sirenId))


@API.method("getProfiles", Role.OPERATOR, safe=True)
async def get_profiles(call: Call) -> Any:
    """Every profile."""
    return {"profiles": list(call.ctx.siren.profiles.all.values())}


@API.method("addProfile", Role.OPERATOR)
async def add_profile(call: Call) -> Any:
    """Keep a profile."""
    profile: Profile = _read(call, Profile)
    await asyncio.to_thread(choices.learn, profile.light)
    siren = call.ctx.siren
    await _run(call, lambda tx: siren.profiles.add(tx, profile, siren.poe_class))


@API.method("removeProfile", Role.OPERATOR)
async def remove_profile(call: Call) -> Any:
    """Forget a profile."""
    wanted: _Name = _read(call, _Name)
    await _run(call, lambda tx: call.ctx.siren.profiles.remove(tx, wanted.name))


@API.method("uploadProfiles", Role.OPERATOR)
async def upload_profiles(call: Call) -> Any:
    """Import: all of the file's profiles or none. ``serve`` puts the file into ``params["file"]``."""
    params = dict(call.params) if isinstance(call.params, dict) else {}
    file = params.pop("file", None)
    if not isinstance(file, bytes):
        raise AjrError(GEN3.missing, "Required parameter missing: file (a part of a multipart body)")
    mode = convert(params, _Upload).uploadMode
    if mode not in ("add", "overwrite", "erase_and_add"):
        raise AjrError(GEN3.invalid, "uploadMode: must be add, overwrite or erase_and_add")
    try:
        profiles = convert(parse_json(file), list[Profile], "profiles")
    except InputError as error:
        if error.field == "body":
            raise AjrError(GEN3.bad_json, f"file: {error.reason}") from None
        raise fault(error) from None
    siren = call.ctx.siren
    await _run(call, lambda tx: siren.profiles.load_in(tx, profiles, mode, siren.poe_class))


@API.method("runHealthCheck", Role.OPERATOR)
async def run_health_check(call: Call) -> Any:
    """Begin a health check."""
    await _run(call, call.ctx.siren.health.run)


@API.method("getLastHealthCheck", Role.OPERATOR, safe=True)
async def get_last_health_check(call: Call) -> Any:
    """The outcome of the last health check."""
    try:
        return call.ctx.siren.health.last()
    except NotFoundError as error:
        raise AjrError(NO_HEALTH_CHECK, error.reason) from None


@API.method("setMaintenanceMode", Role.OPERATOR)
async def set_maintenance_mode(call: Call) -> Any:
    """Maintenance mode on, for a time or until it is turned off, or off."""
    wanted: _Maintenance = _read(call, _Maintenance)
    if wanted.duration is not None and not 0 <= wanted.duration <= MAX_SECONDS:
        raise AjrError(GEN3.invalid, f"duration: must be 0..{MAX_SECONDS} s")
    await _run(call, lambda tx: call.ctx.siren.set_maintenance(tx, wanted.maintenanceMode, wanted.duration))


# --- multipart -----------------------------------------------------------------------------------------------------


async def serve(request: Request, ctx: Context) -> web.StreamResponse:
    """A JSON call, or a multipart body with the call and a file."""
    if request.content_type != "multipart/form-data":
        return await API.serve(request, ctx)
    parts = parts_of(request.headers.get("Content-Type", ""), await request.read())
    answer, status = await API.answer(parts.get("request", b""), request, ctx, file=parts.get("file"))
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type="application/json")


def parts_of(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a multipart body by name, the first of a name counts; none of one that is not well-formed."""
    try:
        found = parts(content_type, body)
    except InputError:
        return {}
    return {part.name: bytes(part.body) for part in reversed(found)}


APIS: Final = (API.entry(),)
ROUTES: Final = tuple(
    Route(
        method=route.method, path=route.path, role=route.role, handler=serve, name=route.name, safe=route.safe,
        max_body=MAX_UPLOAD, roles=route.roles,
    )
    for route in API.routes()
)  # fmt: skip
__all__ = ["API", "APIS", "ROUTES", "fault", "item", "parts_of"]
