"""``time.cgi``: date, time and time zone, as far as they are read (VAPIX, time API)."""

from __future__ import annotations

from typing import Any

from axcore.interfaces.http.vapix.ajr import GEN2, AjrApi, Call
from axcore.model.accounts import Role
from axcore.services import time as zones

API = AjrApi(api_id="time-service", name="Time API", path="/axis-cgi/time.cgi", versions=("1.0",), codes=GEN2)


def _now(call: Call) -> dict[str, Any]:
    wall, zone = call.ctx.clock.wall_ns(), call.ctx.params.text("Time.TimeZone")
    found: dict[str, Any] = {
        "dateTime": zones.utc(wall).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "localDateTime": zones.local(wall, zone).replace(microsecond=0).isoformat(),
        "maxYearSupported": zones.MAX_YEAR,
        "timeZone": zone,
        "dstEnabled": zones.has_dst(wall, zone),
    }
    posix = zones.posix_zone(zone)
    return found if posix is None else {**found, "posixTimeZone": posix}


@API.method("getDateTimeInfo", Role.VIEWER, safe=True)
async def get_date_time_info(call: Call) -> Any:
    """UTC, local time and zone."""
    return _now(call)


@API.method("getAll", Role.VIEWER, safe=True)
async def get_all(call: Call) -> Any:
    """The same and the zones to choose from."""
    return {**_now(call), "timeZones": zones.known_zones()}


ROUTES = API.routes()
APIS = (API.entry(),)
