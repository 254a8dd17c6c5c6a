"""``/config/rest/speaker-test/v1``: calibrate, test, report. Needs an administrator.

Calibrating and testing take about three seconds: both answer at once with the status ``Pending``, and the report tells
how it ended (the event ``SpeakerTest/TestResult`` as well).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, rest, success
from axcore.model.accounts import Role
from axcore.services.speaker_test import Report

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/speaker-test/v1"


async def get_report(request: Request, ctx: Context) -> web.Response:
    """Where it stands."""
    arguments(request)
    return success(ctx.speaker_test.report)


async def calibrate(request: Request, ctx: Context) -> web.Response:
    """Keep what the microphone hears of the test tones."""
    await _nothing(request)
    await ctx.ledger.run(ctx.speaker_test.calibrate, actor=request.identity.name)
    return success(ctx.speaker_test.report, 202)


async def run_test(request: Request, ctx: Context) -> web.Response:
    """Play the tones again, and compare."""
    await _nothing(request)
    await ctx.ledger.run(ctx.speaker_test.test, actor=request.identity.name)
    return success(ctx.speaker_test.report, 202)


async def _nothing(request: Request) -> None:
    arguments(request)
    if await request.read():
        raise InputError("body", "must be empty")


_ROLE: Final = Role.ADMIN
ROUTES: Final = (
    RestRoute(
        method="GET", safe=True, path=API, role=_ROLE, name="speaker-test.report", handler=rest(get_report),
        summary="Report of the speaker test", data=Report,
    ),
    RestRoute(
        method="POST", path=f"{API}/calibrate", role=_ROLE, name="speaker-test.calibrate", handler=rest(calibrate),
        summary="Calibrate the speaker test", data=Report, status=202,
    ),
    RestRoute(
        method="POST", path=f"{API}/run", role=_ROLE, name="speaker-test.run", handler=rest(run_test),
        summary="Run the speaker test", data=Report, status=202,
    ),
)  # fmt: skip
