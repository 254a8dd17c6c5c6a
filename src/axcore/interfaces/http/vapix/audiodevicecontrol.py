"""``audiodevicecontrol.cgi`` (1.0): gain, mute and type of the inputs and outputs (VAPIX Audio Device Control API).

There is one device with one input and one output. A connection type is the built-in one or the line connector, where
the configuration names it; each has one signal type, without power. What ``setDevicesSettings`` names is changed, all
of it or nothing. Gains are whole or half decibels here, any on REST (``/config/rest/audio/v1/settings``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.errors import InputError
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, Call
from axcore.model.accounts import Role
from axcore.model.audio import MAX_DB, MIN_DB, ConnectionType

if TYPE_CHECKING:
    from axcore.services.audio import AudioService

ID: Final = "0"
SIGNAL: Final = "unbalanced"
NO_POWER: Final = "none"
STEP_DB: Final = 0.5
API: Final = AjrApi(
    api_id="audio-device-control", name="Audio Device Control", path="/axis-cgi/audiodevicecontrol.cgi",
    versions=("1.0",), codes=GEN3,
)  # fmt: skip


class _Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client may set."""


class SignalGiven(_Given, frozen=True, kw_only=True):
    """A signal type of a connection type."""

    id: str = SIGNAL
    gain: float | None = None
    mute: bool | None = None
    powerTypeSelected: str = NO_POWER  # noqa: N815


class ConnectionGiven(_Given, frozen=True, kw_only=True):
    """A connection type."""

    id: str
    signalTypeSelected: str = SIGNAL  # noqa: N815
    signalTypes: tuple[SignalGiven, ...] = ()  # noqa: N815


class EndGiven(_Given, frozen=True, kw_only=True):
    """An input or output."""

    id: str = ID
    enabled: bool | None = None
    connectionTypeSelected: str | None = None  # noqa: N815
    connectionTypes: tuple[ConnectionGiven, ...] = ()  # noqa: N815


class DeviceGiven(_Given, frozen=True, kw_only=True):
    """A device."""

    id: str = ID
    inputs: tuple[EndGiven, ...] = ()
    outputs: tuple[EndGiven, ...] = ()


class Given(_Given, frozen=True, kw_only=True):
    """``params`` of ``setDevicesSettings``."""

    devices: tuple[DeviceGiven, ...]


def capabilities(audio: AudioService) -> dict[str, Any]:
    """What can be set."""
    gains = {"min": MIN_DB, "max": MAX_DB, "step": STEP_DB}
    signal = {"id": SIGNAL, "gainValues": gains, "powerTypes": [NO_POWER]}

    def end(kinds: tuple[ConnectionType, ...]) -> dict[str, Any]:
        return {"id": ID, "connectionTypes": [{"id": kind, "signalTypes": [signal]} for kind in kinds]}

    return {"devices": [{"id": ID, "inputs": [end(audio.inputs)], "outputs": [end(audio.outputs)]}]}


def settings(audio: AudioService) -> dict[str, Any]:
    """What is set. Gain and mute are those of the end, whichever connection type it has."""
    now = audio.settings

    def end(name: str, kinds: tuple[ConnectionType, ...]) -> dict[str, Any]:
        at = getattr(now, name)
        signal = {"id": SIGNAL, "gain": at.gain, "mute": at.mute, "powerTypeSelected": NO_POWER}
        types = [{"id": kind, "signalTypeSelected": SIGNAL, "signalTypes": [signal]} for kind in kinds]
        enabled = {"enabled": at.enabled} if name == "input" else {}
        return {"id": ID, **enabled, "connectionTypeSelected": at.type, "connectionTypes": types}

    inputs, outputs = end("input", audio.inputs), end("output", audio.outputs)
    return {"devices": [{"id": ID, "inputs": [inputs], "outputs": [outputs]}]}


def patch_of(given: Given, audio: AudioService) -> dict[str, dict[str, Any]]:
    """The changes that a request means. InputError names what there is not."""
    found: dict[str, dict[str, Any]] = {"input": {}, "output": {}}
    for n, device in enumerate(given.devices):
        at = f"params.devices[{n}]"
        _only(f"{at}.id", device.id, (ID,))
        for name, ends, kinds in (("input", device.inputs, audio.inputs), ("output", device.outputs, audio.outputs)):
            for m, end in enumerate(ends):
                found[name].update(_end(end, name, kinds, f"{at}.{name}s[{m}]"))
    return found


def _end(end: EndGiven, name: str, kinds: tuple[ConnectionType, ...], at: str) -> dict[str, Any]:
    _only(f"{at}.id", end.id, (ID,))
    patch: dict[str, Any] = {}
    if end.enabled is not None:
        if name == "output":
            raise InputError(f"{at}.enabled", "an output is always on; mute it")
        patch["enabled"] = end.enabled
    if end.connectionTypeSelected is not None:
        _only(f"{at}.connectionTypeSelected", end.connectionTypeSelected, kinds)
        patch["type"] = end.connectionTypeSelected
    for k, connection in enumerate(end.connectionTypes):
        here = f"{at}.connectionTypes[{k}]"
        _only(f"{here}.id", connection.id, kinds)
        _only(f"{here}.signalTypeSelected", connection.signalTypeSelected, (SIGNAL,))
        for j, signal in enumerate(connection.signalTypes):
            _only(f"{here}.signalTypes[{j}].id", signal.id, (SIGNAL,))
            _only(f"{here}.signalTypes[{j}].powerTypeSelected", signal.powerTypeSelected, (NO_POWER,))
            if signal.gain is not None:
                if signal.gain != signal.gain or not MIN_DB <= signal.gain <= MAX_DB or signal.gain % STEP_DB:
                    reason = f"must be {MIN_DB:g}..{MAX_DB:g} dB in steps of {STEP_DB:g}"
                    raise InputError(f"{here}.signalTypes[{j}].gain", reason)
                patch["gain"] = signal.gain
            if signal.mute is not None:
                patch["mute"] = signal.mute
    return patch


def _only(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(field, f"must be {' or '.join(known)}")


@API.method("getDevicesCapabilities", Role.VIEWER, safe=True)
async def get_capabilities(call: Call) -> dict[str, Any]:
    """What can be set."""
    return capabilities(call.ctx.audio)


@API.method("getDevicesSettings", Role.VIEWER, safe=True)
async def get_settings(call: Call) -> dict[str, Any]:
    """What is set."""
    return settings(call.ctx.audio)


@API.method("setDevicesSettings", Role.OPERATOR)
async def set_settings(call: Call) -> None:
    """Change what the request names."""
    audio = call.ctx.audio
    patch = patch_of(call.read(Given), audio)
    await call.ctx.ledger.run(lambda tx: audio.set(tx, patch), actor=call.request.identity.name)


@API.method("getHazardousSettings", Role.VIEWER, safe=True)
async def get_hazardous(call: Call) -> dict[str, Any]:
    """Settings that could do harm: power on a connector; there is none."""
    return {"devices": []}


ROUTES: Final = API.routes()
APIS: Final = (API.entry(),)
