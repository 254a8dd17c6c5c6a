"""The events of doors and of access decisions (VAPIX *Door control service*, *Access control service*).

Cards are named where nobody is known by them; PINs never are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from axcore.devices.door_parts import Change, Output
from axcore.model import events as topics
from axcore.model.doors import DoorState
from axcore.model.events import NewEvent
from axcore.model.pacs import CARD_NAMES
from axcore.services.pacs.decision import Decision

DOOR_TOPICS = {
    "mode": topics.DOOR_MODE,
    "door": topics.DOOR_PHYSICAL_STATE,
    "lock": topics.LOCK_PHYSICAL_STATE,
    "double_lock": topics.DOUBLE_LOCK_PHYSICAL_STATE,
    "alarm": topics.DOOR_ALARM,
    "warning": topics.DOOR_WARNING,
    "tamper": topics.DOOR_TAMPER,
    "fault": topics.DOOR_FAULT,
}


def door_events(token: str, outputs: Iterable[Output], t_ns: int = 0) -> list[NewEvent]:
    """The changes among what came out of a door, as events. A warning is a pulse: its end is not told."""
    changes = (entry for entry in outputs if isinstance(entry, Change))
    return [_door_event(token, entry, t_ns) for entry in changes if (entry.what, entry.value) != ("warning", "Normal")]


def door_announcements(token: str, state: DoorState, t_ns: int = 0) -> list[NewEvent]:
    """Every state of a door, for the start and for heartbeats."""
    reasons = {"tamper": state.tamper_reason, "fault": " ".join(state.fault_reasons)}
    values = {what: getattr(state, what) for what in DOOR_TOPICS}
    changes = [Change(what, value, reasons.get(what, "")) for what, value in values.items() if value is not None]
    return door_events(token, changes, t_ns)


def decided(decision: Decision, shown: Mapping[str, str], t_ns: int = 0) -> list[NewEvent]:
    """What is told of a decision: nothing while more must be shown."""
    if decision.reason == "MoreRequired":
        return []
    source = {"AccessPointToken": decision.access_point}
    if decision.reason == "InvalidCredential" and not decision.credential and not decision.anonymous:
        data = {name: shown[name] for name in CARD_NAMES if name in shown}
        kind = "Card" if data or "PIN" not in shown else "PIN"
        return [NewEvent(topic=topics.ACCESS_DENIED_NOT_FOUND + kind, source=source, data=data, t_ns=t_ns)]
    data, kind = _holder(decision), "Anonymous" if decision.anonymous else "Credential"
    if decision.granted:
        events = [NewEvent(topic=topics.ACCESS_GRANTED + kind, source=source, data=data, t_ns=t_ns)]
        if decision.duress:
            events.append(NewEvent(topic=topics.ACCESS_DURESS, source=source, data=data, t_ns=t_ns))
    else:
        denied = {**data, "Reason": decision.reason}
        events = [NewEvent(topic=topics.ACCESS_DENIED + kind, source=source, data=denied, t_ns=t_ns)]
        if decision.reason == "InvalidPIN":
            events.append(NewEvent(topic=topics.ACCESS_DENIED_PIN, source=source, data=data, t_ns=t_ns))
    if decision.passback:
        events.append(passback_event(decision.credential, decision.user, True, t_ns=t_ns))
    return events


def outcome_event(decision: Decision, taken: bool, t_ns: int = 0) -> NewEvent:
    """The second event of a granted access: the door was opened, or not."""
    topic = topics.ACCESS_TAKEN if taken else topics.ACCESS_NOT_TAKEN
    kind = "Anonymous" if decision.anonymous else "Credential"
    source = {"AccessPointToken": decision.access_point}
    return NewEvent(topic=topic + kind, source=source, data=_holder(decision), t_ns=t_ns)


def passback_event(credential: str, user: str, violation: bool, *, by_client: bool = False, t_ns: int = 0) -> NewEvent:
    """A credential is where it should not be able to be, or not any more (``by_client``: it was reset)."""
    return NewEvent(
        topic=topics.APB_VIOLATION,
        source={"CredentialToken": credential, "CredentialHolderName": user},
        data={
            "ApbViolation": "1" if violation else "0",
            "ClientUpdated": "1" if by_client else "0",
            "Reason": "AntiPassbackViolation",
        },
        is_property=True,
        t_ns=t_ns,
    )


def _door_event(token: str, change: Change, t_ns: int) -> NewEvent:
    data = {"State": change.value}
    if change.reason:
        data["Reason"] = change.reason
    return NewEvent(topic=DOOR_TOPICS[change.what], source={"DoorToken": token}, data=data, is_property=True, t_ns=t_ns)


def _holder(decision: Decision) -> dict[str, str]:
    if decision.anonymous:
        return {}
    return {"CredentialToken": decision.credential, "CredentialHolderName": decision.user}
