"""``lightcontrol.cgi`` (id ``light-control``, 1.1): the signaling light as one light that is on or off.

It is switched at priority 1, below every profile, as a steady white light. Intensities are those of the light, 1 to 5
(2 where the power is weak).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from axcore.interfaces.http.vapix.ajr import GEN1, AjrApi, AjrError, Call
from axcore.model.accounts import Role
from axcore.model.profiles import Light

LIGHT: Final = "led0"
OWNER: Final = "light control"
RANGE: Final = (1, 5)
API: Final = AjrApi(
    api_id="light-control", name="Light Control", path="/axis-cgi/lightcontrol.cgi", versions=("1.0", "1.1"), codes=GEN1
)


class _Which(msgspec.Struct, frozen=True):
    lightID: str  # noqa: N815 - wire name


class _Intensity(_Which, frozen=True):
    intensity: int


def _check(call: Call, kind: type[_Which] = _Which) -> Any:
    wanted = call.read(kind)
    if wanted.lightID != LIGHT:
        raise AjrError(GEN1.invalid, f"Invalid parameter value: there is no light {wanted.lightID[:40]}")
    return wanted


def _on(call: Call) -> bool:
    return any(activity.owner == OWNER for activity in call.ctx.siren.activities("light"))


def _intensity(call: Call) -> int:
    return int(call.ctx.siren.manual_intensity)


@API.method("getServiceCapabilities", Role.VIEWER, safe=True)
async def get_service_capabilities(call: Call) -> Any:
    """What of the API there is."""
    yes = ("automaticIntensitySupport", "manualIntensitySupport", "individualIntensitySupport")
    no = ("manualAngleOfIlluminationSupport", "automaticAngleOfIlluminationSupport", "dayNightSynchronizeSupport")
    flags = {name: name == "manualIntensitySupport" for name in yes}
    return {**flags, "getCurrentIntensitySupport": True, **dict.fromkeys(no, False)}


@API.method("getLightInformation", Role.VIEWER, safe=True)
async def get_light_information(call: Call) -> Any:
    """The one light."""
    item = {
        "lightID": LIGHT,
        "lightType": "White",
        "enabled": call.ctx.siren.light_enabled,
        "synchronizeDayNightMode": False,
        "lightState": _on(call),
        "automaticIntensityMode": False,
        "automaticAngleOfIlluminationMode": False,
        "nrOfLEDs": 144,
        "error": False,
        "errorInfo": "",
    }
    return {"items": [item]}


@API.method("getLightStatus", Role.VIEWER, safe=True)
async def get_light_status(call: Call) -> Any:
    """On or off."""
    _check(call)
    return {"status": _on(call)}


@API.method("activateLight", Role.OPERATOR)
async def activate_light(call: Call) -> Any:
    """Turn the light on."""
    _check(call)
    siren = call.ctx.siren
    if not siren.light_enabled:
        raise AjrError(GEN1.invalid, "The light is disabled")
    light = Light(pattern="Steady", colors=("white",), intensity=_intensity(call), priority=1)
    await call.ctx.ledger.run(lambda tx: siren.start(tx, light=light, owner=OWNER))


@API.method("deactivateLight", Role.OPERATOR)
async def deactivate_light(call: Call) -> Any:
    """Turn the light off."""
    _check(call)
    await call.ctx.ledger.run(lambda tx: call.ctx.siren.stop_owner(tx, OWNER))


async def _enable(call: Call, enabled: bool) -> None:
    _check(call)
    siren = call.ctx.siren

    def job(tx: Any) -> None:
        tx.assign(siren, "light_enabled", enabled)
        if not enabled:
            siren.stop_owner(tx, OWNER)

    await call.ctx.ledger.run(job)


@API.method("enableLight", Role.OPERATOR)
async def enable_light(call: Call) -> Any:
    """Let the light be turned on by this API."""
    await _enable(call, True)


@API.method("disableLight", Role.OPERATOR)
async def disable_light(call: Call) -> Any:
    """Turn the light off, and let it not be turned on by this API."""
    await _enable(call, False)


@API.method("getValidIntensity", Role.VIEWER, safe=True)
async def get_valid_intensity(call: Call) -> Any:
    """Intensities that can be set."""
    _check(call)
    return {"ranges": [{"low": RANGE[0], "high": call.ctx.siren.most_intensity}]}


@API.method("getManualIntensity", Role.VIEWER, safe=True)
async def get_manual_intensity(call: Call) -> Any:
    """The intensity that was set."""
    _check(call)
    return {"intensity": _intensity(call)}


@API.method("getCurrentIntensity", Role.VIEWER, safe=True)
async def get_current_intensity(call: Call) -> Any:
    """The intensity that the light has now."""
    _check(call)
    return {"intensity": _intensity(call) if _on(call) else 0}


@API.method("setManualIntensity", Role.OPERATOR)
async def set_manual_intensity(call: Call) -> Any:
    """Set the intensity, of a light that is on at once."""
    wanted = _check(call, _Intensity)
    siren = call.ctx.siren
    if not RANGE[0] <= wanted.intensity <= siren.most_intensity:
        raise AjrError(GEN1.invalid, f"Invalid parameter value: intensity is {RANGE[0]}..{siren.most_intensity}")

    def job(tx: Any) -> None:
        tx.assign(siren, "manual_intensity", wanted.intensity)
        if any(activity.owner == OWNER for activity in siren.activities("light")):
            light = Light(pattern="Steady", colors=("white",), intensity=wanted.intensity, priority=1)
            siren.start(tx, light=light, owner=OWNER)

    await call.ctx.ledger.run(job)


APIS: Final = (API.entry(),)
ROUTES: Final = API.routes()
