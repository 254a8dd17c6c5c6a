"""What the intercom tells: events (VAPIX Call service events) and indicator icons (manual: Indicator icons)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from axcore.devices.call import Call
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.intercom import CallState, CallStatus
from axcore.model.voice import Registration

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction
    from axcore.services.indicators import IndicatorService

FLASH_MS: Final = 1000
OWNER: Final = "call"
CALL_ICON, SPEECH_ICON = "statusCall", "statusSpeak"
_REASONS: Final = {403: "forbidden", 404: "not found", 408: "no answer", 480: "unavailable", 486: "busy",
                   487: "cancelled", 603: "declined"}  # fmt: skip


def ending(code: int, reason: str) -> str:
    """Why a leg has ended, for people."""
    if code // 100 == 2:
        return "hung up"
    return _REASONS.get(code, f"{code} {reason}".strip())


def state(value: CallState, correlation: str | None = None) -> NewEvent:
    """The state of the device's call."""
    return NewEvent(topic=events.CALL_STATE, data={"CallState": value}, is_property=True, correlation=correlation)


def change(status: CallStatus, correlation: str | None = None) -> NewEvent:
    """One call is in another state."""
    data = {
        "Reason": status.reason or status.state,
        "CallDirection": status.direction,
        "CallId": status.id,
        "RemoteURI": status.remote_uri,
        "DeviceURI": status.device_uri,
    }
    return NewEvent(topic=events.CALL_STATE_CHANGE, data=data, correlation=correlation)


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
