"""Conditions about calls, doors and sensors, for the devices that have them.

Manual: System > Detectors (audio, shock), Accessories > I/O ports (supervised), Storage, SIP > DTMF.
"""

from __future__ import annotations

import msgspec

from axcore.devices import DeviceModel, SensorSpec
from axcore.model import events
from axcore.model.intercom import CALL_SOURCE


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A source or data item of an event. ``values`` lists what it can be; empty = any text."""

    name: str
    nice_name: str
    values: tuple[str, ...] = ()
    nice_values: tuple[str, ...] = ()
    listed: bool = False
    """``values`` are all that there is, even when there is none."""
    address: bool = False
    """A SIP address: compared without port and parameters."""


class ConditionType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of condition."""

    topic: str
    group: str
    name: str
    stateful: bool
    source: tuple[Item, ...] = ()
    data: tuple[Item, ...] = ()
    match: dict[str, str] = {}


CALL_STATES = ("Idle", "Calling", "Active", "Terminating", "Terminated")
CALL_REASONS = {
    "Initiated": "Initiated",
    "Denied": "Denied",
    "NoAnswer": "No answer",
    "Busy": "Busy",
    "Failed": "Failed",
    "AcceptedByRemote": "Accepted by remote",
    "AcceptedByDevice": "Accepted by device",
    "Terminated": "Terminated",
}
"""Why a call changed its state (VAPIX: CallStateChangeReason), and how users are told."""
SUPERVISED_STATES = ("open", "close", "short", "cut")
_FLAG = ("0", "1")
_DOOR_MODES = (*("Unknown", "Locked", "Unlocked", "Accessed", "Blocked", "LockedDown", "LockedOpen", "DoubleLocked"),)
_DOOR_STATES = (
    (events.DOOR_MODE, "Door mode", _DOOR_MODES, "Accessed"),
    (events.DOOR_PHYSICAL_STATE, "Door position", ("Unknown", "Open", "Closed", "Fault"), "Open"),
    (events.LOCK_PHYSICAL_STATE, "Lock position", ("Unknown", "Locked", "Unlocked", "Fault"), "Unlocked"),
    (events.DOOR_ALARM, "Door alarm", ("Normal", "DoorForcedOpen", "DoorOpenTooLong"), "DoorForcedOpen"),
    (events.DOOR_TAMPER, "Door tampering", ("Unknown", "NotInTamper", "TamperDetected"), "TamperDetected"),
    (events.DOOR_FAULT, "Door fault", ("Unknown", "NotInFault", "FaultDetected"), "FaultDetected"),
)
_TEMPERATURES = (
    (events.TEMPERATURE_ABOVE, "Above operating temperature"),
    (events.TEMPERATURE_BELOW, "Below operating temperature"),
    (events.TEMPERATURE_INSIDE, "Within operating temperature"),
)


def clips(model: DeviceModel) -> tuple[ConditionType, ...]:
    """Whether an audio clip plays, and which one begins (VAPIX: media clip events)."""
    if not model.speaker:
        return ()
    source = tuple(
        Item(name=name, nice_name=nice, values=(value,))
        for name, nice, value in (
            ("AudioOutput", "AudioOutput", "1"),
            ("audiodeviceid", "AudioDeviceId", "0"),
            ("audiooutputid", "AudioOutputId", "0"),
        )
    )
    playing = Item(name="Playing", nice_name="Playing status", values=_FLAG)
    return (
        ConditionType(
            topic=events.CLIP_PLAYING,
            group="Media",
            name="Playing state",
            stateful=True,
            source=source,
            data=(playing,),
            match={"Playing": "1"},
        ),
        ConditionType(
            topic=events.CLIP_CURRENT,
            group="Media",
            name="Currently playing media clip",
            stateful=False,
            source=source,
            data=(Item(name="FileName", nice_name="File Name"),),
        ),
    )


def speaker_test(model: DeviceModel) -> tuple[ConditionType, ...]:
    """How a speaker test ended (VAPIX: Auto speaker test service API)."""
    if not model.speaker_test:
        return ()
    device = Item(name="DeviceUUID", nice_name="Device UUID")
    status = Item(name="SpeakerTestStatus", nice_name="Result", values=("OK", "Failed"), listed=True)
    return (
        ConditionType(
            topic=events.SPEAKER_TEST,
            group="Media",
            name="Speaker test result",
            stateful=False,
            source=(device,),
            data=(status, Item(name="Reason", nice_name="Reason")),
        ),
    )


def calls(model: DeviceModel) -> tuple[ConditionType, ...]:
    """Call state and state change; the intercom publishes them, and adds DTMF with the events that there are."""
    if not model.calls:
        return ()
    source = (Item(name="Source", nice_name="Source", values=(CALL_SOURCE,)),)
    number = Item(name="CallId", nice_name="Call")
    state = Item(name="CallState", nice_name="State", values=CALL_STATES)
    reasons = tuple(CALL_REASONS)
    change = (
        Item(name="Reason", nice_name="Reason", values=reasons, nice_values=tuple(CALL_REASONS.values())),
        Item(name="CallDirection", nice_name="Call direction", values=("Incoming", "Outgoing")),
        number,
        Item(name="RemoteURI", nice_name="Remote SIP URI", address=True),
        Item(name="DeviceURI", nice_name="Local SIP URI", address=True),
    )
    return (
        ConditionType(
            topic=events.CALL_STATE, group="Call", name="State", stateful=True, source=source,
            data=(state,), match={"CallState": "Active"},
        ),
        ConditionType(
            topic=events.CALL_STATE_CHANGE, group="Call", name="State change", stateful=False, source=source,
            data=change,
        ),
    )  # fmt: skip


def doors(model: DeviceModel) -> tuple[ConditionType, ...]:
    """States of the doors of a controller."""
    if not model.doors:
        return ()
    door = (Item(name="DoorToken", nice_name="Door"),)
    states = tuple(
        ConditionType(
            topic=topic,
            group="Door",
            name=name,
            stateful=True,
            source=door,
            data=(Item(name="State", nice_name="State", values=values),),
            match={"State": holds},
        )
        for topic, name, values, holds in _DOOR_STATES
    )
    warning = ConditionType(
        topic=events.DOOR_WARNING, group="Door", name="Door open too long warning", stateful=False, source=door
    )
    return (*states, warning)


def sensors(model: DeviceModel) -> tuple[ConditionType, ...]:
    """What the device feels: supervised inputs, temperature, storage, sound, shock."""
    found: list[ConditionType] = []
    by_kind: dict[str, list[SensorSpec]] = {}
    for sensor in model.sensors:
        by_kind.setdefault(sensor.kind, []).append(sensor)
    if supervised := by_kind.get("supervised"):
        source = _source("port", "Port", [(str(supervised_port(s)), s.nice_name) for s in supervised])
        state = Item(name="state", nice_name="State", values=SUPERVISED_STATES)
        found.append(_state(events.SUPERVISED_PORT, "I/O", "Supervised input", source, (state, "cut")))
    if sound := by_kind.get("sound"):
        source = _source("channel", "Audio input", [(str(n), s.nice_name) for n, s in enumerate(sound, 1)])
        item = Item(name="triggered", nice_name="Above sound level", values=_FLAG)
        found.append(_state(events.AUDIO_LEVEL, "Audio", "Audio detection", source, (item, "1")))
    if temperature := by_kind.get("temperature"):
        source = _source("sensor", "Sensor", [(s.name, s.nice_name) for s in temperature])
        item = Item(name="sensor_level", nice_name="State", values=_FLAG)
        found += [_state(topic, "Device status", name, source, (item, "1")) for topic, name in _TEMPERATURES]
    if storage := by_kind.get("storage"):
        source = _source("disk_id", "Storage", [(s.name, s.nice_name) for s in storage])
        disrupted = Item(name="disruption", nice_name="Disrupted", values=_FLAG)
        alert = Item(name="alert", nice_name="Little room left", values=_FLAG)
        found.append(_state(events.STORAGE_DISRUPTION, "Edge storage", "Storage disruption", source, (disrupted, "1")))
        found.append(_state(events.STORAGE_ALERT, "Edge storage", "Storage alert", source, (alert, "1")))
    if "shock" in by_kind:
        found.append(ConditionType(topic=events.SHOCK, group="Device status", name="Shock detected", stateful=False))
    return tuple(found)


def supervised_port(sensor: SensorSpec) -> int:
    """The 0-based port id of a supervised input (``port1`` is port 0)."""
    return int(sensor.name.removeprefix("port")) - 1


def _source(name: str, nice_name: str, values: list[tuple[str, str]]) -> Item:
    return Item(
        name=name,
        nice_name=nice_name,
        values=tuple(value for value, _ in values),
        nice_values=tuple(nice for _, nice in values),
    )


def _state(topic: str, group: str, name: str, source: Item, data: tuple[Item, str]) -> ConditionType:
    item, holds = data
    match = {item.name: holds}
    return ConditionType(
        topic=topic, group=group, name=name, stateful=True, source=(source,), data=(item,), match=match
    )
