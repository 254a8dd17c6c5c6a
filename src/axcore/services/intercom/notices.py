"""What the intercom tells: events (VAPIX Call service events) and indicator icons (manual: Indicator icons)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from axcore.devices.call import Call, state_reason
from axcore.errors import InputError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.intercom import CALL_SOURCE, CallDirection, CallState, CallStatus
from axcore.model.sip import identity
from axcore.model.voice import Registration

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction
    from axcore.services.indicators import IndicatorService

FLASH_MS: Final = 1000
OWNER: Final = "call"
CALL_ICON, SPEECH_ICON = "statusCall", "statusSpeak"
_SOURCE: Final = {"Source": CALL_SOURCE}
_REASONS: Final = {403: "forbidden", 404: "not found", 408: "no answer", 480: "unavailable", 486: "busy",
                   487: "cancelled", 603: "declined"}  # fmt: skip


def ending(code: int, reason: str) -> str:
    """Why a leg has ended, for people."""
    if code // 100 == 2:
        return "hung up"
    return _REASONS.get(code, f"{code} {reason}".strip())


def state(value: CallState, correlation: str | None = None) -> NewEvent:
    """The state of the device's call."""
    data: dict[str, str] = {"CallState": value}
    return NewEvent(topic=events.CALL_STATE, source=_SOURCE, data=data, is_property=True, correlation=correlation)


def change(status: CallStatus, correlation: str | None = None) -> NewEvent:
    """One call is in another state."""
    data = _data(state_reason(status), status.direction, status.remote_uri, status.device_uri) | {"CallId": status.id}
    return NewEvent(topic=events.CALL_STATE_CHANGE, source=_SOURCE, data=data, correlation=correlation)


def denied(remote: str, local: str) -> NewEvent:
    """Somebody called who may not."""
    return NewEvent(topic=events.CALL_STATE_CHANGE, source=_SOURCE, data=_data("Denied", "Incoming", remote, local))


def _data(reason: str, direction: CallDirection, remote: str, local: str) -> dict[str, str]:
    return {
        "Reason": reason,
        "CallDirection": direction,
        "CallId": "",
        "RemoteURI": _who(remote),
        "DeviceURI": _who(local),
    }


def _who(address: str) -> str:
    """What rules compare; what is no address stays as it came."""
    try:
        return identity(address)
    except InputError:
        return address


def registration(report: Registration) -> NewEvent:
    """Whether an account is registered."""
    data = {"registered": "1" if report.active else "0", "code": str(report.code), "reason": report.reason}
    return NewEvent(topic=events.SIP_ACCOUNT, source={"account": report.account}, data=data, is_property=True)


def fault(reason: str, correlation: str | None = None) -> NewEvent:
    """Something could not be done."""
    data = {"component": "intercom", "reason": reason}
    return NewEvent(topic=events.SYSTEM_FAULT, data=data, correlation=correlation)


class Lights:
    """The icons of a door station: calling, being called, talking."""

    def __init__(self, indicators: IndicatorService, leds: frozenset[str]) -> None:
        self._indicators = indicators
        self._on = {CALL_ICON, SPEECH_ICON} <= leds

    def show(self, tx: Transaction, call: Call) -> None:
        """Steady blue: somebody is called; flashing blue: somebody calls; steady amber: they talk."""
        if not self._on:
            return
        owner = f"{OWNER} {call.id}"
        if call.state == "Calling":
            flash = FLASH_MS if call.direction == "Incoming" else 0
            self._indicators.light(tx, CALL_ICON, "blue", flash, owner=owner)
            return
        self._indicators.release(tx, CALL_ICON, owner)
        if call.state == "Active":
            self._indicators.light(tx, SPEECH_ICON, "amber", owner=owner)
        else:
            self._indicators.release(tx, SPEECH_ICON, owner)
