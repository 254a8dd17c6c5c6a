"""``/vapix/axast``: the speaker test (VAPIX, Auto speaker test service API 1.0), as JSON or as simple key=value pairs.

JSON: ``{"axast:PerformSpeakerTest": {}}``. Simple: ``format=simple&action=axast:PerformSpeakerTest``, in the query or
as a form. Errors are faults, HTTP 400.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.errors import AxError, ConflictError, InputError
from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.forms import parse_urlencoded
from axcore.interfaces.http.jsonin import parse_json
from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.model.accounts import Role
from axcore.services.speaker_test import NotCalibratedError

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

PATH: Final = "/vapix/axast"
PREFIX: Final = "axast:"
COMMANDS: Final = ("CalibrateSpeakerTest", "PerformSpeakerTest", "GetSpeakerTestReport")
FORM: Final = "application/x-www-form-urlencoded"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """An error, in the order in which it is written."""

    Fault: str
    FaultCode: str
    FaultSubCode: str
    FaultReason: str
    FaultMsg: None = None


def receiver(sub: str, reason: str) -> Fault:
    """The device cannot."""
    return Fault(Fault="env:Receiver", FaultCode="ter:Action", FaultSubCode=sub, FaultReason=reason)


def sender(reason: str) -> Fault:
    """The request is wrong."""
    return Fault(Fault="env:Sender", FaultCode="ter:InvalidArgVal", FaultSubCode="ter:InvalidArgs", FaultReason=reason)


def _command_of(name: str) -> str:
    command = name.removeprefix(PREFIX)
    if not name.startswith(PREFIX) or command not in COMMANDS:
        raise InputError("action", f"there is no command {name[:60]!r}")
    return command


def read_json(body: bytes) -> str:
    """The command of a JSON request. InputError, BadRequestError."""
    asked = parse_json(body)
    if not isinstance(asked, dict) or len(asked) != 1:
        raise InputError("body", "must be an object with one command")
    ((name, parameters),) = asked.items()
    if parameters != {}:
        raise InputError("body", "the command has no parameters")
    return _command_of(name)


async def obey(command: str, request: Request, ctx: Context) -> dict[str, Any]:
    """What the command answers. AxError."""
    if command == "GetSpeakerTestReport":
        report = ctx.speaker_test.report
        return {
            "SpeakerTestReport": {
                "SpeakerTestStatus": report.status,
                "TestTimestamp": report.test_timestamp,
                "CalibrationTimestamp": report.calibration_timestamp,
            }
        }
    job = ctx.speaker_test.calibrate if command == "CalibrateSpeakerTest" else ctx.speaker_test.test
    await ctx.ledger.run(job, actor=request.identity.name)
    return {}


async def _answer(request: Request, ctx: Context, simple: bool, command: str | None) -> web.Response:
    try:
        done = await obey(command or read_json(await request.read()), request, ctx)
    except NotCalibratedError:
        return _fault(receiver("axast:DeviceNotCalibrated", "The speaker test has to be calibrated first."), simple)
    except ConflictError as error:
        return _fault(receiver("ter:Failure", f"{error}"), simple)
    except InputError as error:
        return _fault(sender(f"{error}"), simple)
    except BadRequestError as error:
        return _fault(sender(error.text), simple)
    except AxError as error:
        return _fault(receiver("ter:Failure", f"{error}"), simple)
    return _text(_flat(done)) if simple else _json(done)


def _flat(value: dict[str, Any], before: str = "") -> str:
    lines = ""
    for name, part in value.items():
        lines += _flat(part, f"{before}{name}_") if isinstance(part, dict) else f"{before}{name}={part}\n"
    return lines


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def _text(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/plain")


def _fault(fault: Fault, simple: bool) -> web.Response:
    if not simple:
        return _json(fault, 400)
    fields = msgspec.structs.asdict(fault).items()
    return _text("".join(f"{k}={'null' if v is None else msgspec.json.encode(v).decode()}\n" for k, v in fields), 400)


def _simple_command(fields: Any) -> str:
    if fields.get("format") != "simple":
        raise InputError("format", "must be simple")
    return _command_of(fields.get("action") or "")


async def get(request: Request, ctx: Context) -> web.Response:
    """A simple request in the address."""
    try:
        command = _simple_command(request.arguments())
    except (InputError, BadRequestError) as error:
        return _fault(sender(f"{error}"), simple=True)
    return await _answer(request, ctx, True, command)


async def post(request: Request, ctx: Context) -> web.Response:
    """A JSON request, or a simple one as a form or in the address."""
    form = None
    try:
        query = request.arguments()
        form = query if query.get("format") else None
        if form is None and request.content_type == FORM:
            body = await request.read()
            form = None if body.lstrip()[:1] == b"{" else parse_urlencoded(body.decode("utf-8", "replace"))
        command = None if form is None else _simple_command(form)
    except (InputError, BadRequestError) as error:
        return _fault(sender(f"{error}"), simple=True)
    return await _answer(request, ctx, form is not None, command)


_ROLES: Final = {PREFIX + command: Role.ADMIN for command in COMMANDS}
ROUTES: Final = (
    Route(method="GET", path=PATH, role=Role.ADMIN, handler=get, name="speaker-test.get", roles=_ROLES),
    Route(method="POST", path=PATH, role=Role.ADMIN, handler=post, name="speaker-test.post", roles=_ROLES),
)
APIS: Final = (ApiEntry(id="auto-speaker-test", name="Auto Speaker Test Service API", version="1.0"),)
