"""Events: the one thing that everything in axcore speaks of.

An event has a topic (a path of the VAPIX/ONVIF topic tree), a source (which instance) and data. It is a *property* when
it tells a state that lasts, a *pulse* when it tells something that happened. Values are strings, as on every wire.
"""

from __future__ import annotations

import msgspec

# Topics, in the spelling of event declarations (tns1 = ONVIF, tnsaxis = vendor).
IO_PORT = "tns1:Device/tnsaxis:IO/Port"  # property; source port, data state 0|1
IO_OUTPUT_PORT = "tns1:Device/tnsaxis:IO/OutputPort"  # property; source port, data state 0|1
IO_VIRTUAL_INPUT = "tns1:Device/tnsaxis:IO/VirtualInput"  # property; source port 1..64, data active 0|1
RELAY = "tns1:Device/Trigger/Relay"  # property; source RelayToken, data LogicalState active|inactive
CASING_OPEN = "tns1:Device/tnsaxis:Casing/Open"  # property; source Name, data Open 0|1
REX = "tns1:Device/tnsaxis:Intercom/REX"  # property; source port, data active 0|1
CALL_BUTTON = "tns1:Device/tnsaxis:Intercom/CallButton"  # property; data active 0|1
RFID = "tns1:Device/tnsaxis:Intercom/RFID"  # pulse; a card was read
KEYPIN = "tns1:Device/tnsaxis:Intercom/KeyPin"  # pulse; a PIN was entered (never holds the digits)
QR = "tns1:Device/tnsaxis:Intercom/QR"  # pulse; a QR code was read (never holds its text)
KEYPAD_STATE = "tns1:Device/tnsaxis:Intercom/KeypadState"  # property; data state idle|entering
SPEED_DIAL = "tns1:Device/tnsaxis:Intercom/SpeedDial"  # pulse; data number
READER_FAULT = "tns1:Device/tnsaxis:Reader/Fault"  # pulse; a frame was refused, data error, bits, glitches
SCHEDULE_INTERVAL = "tns1:UserAlarm/tnsaxis:Recurring/Interval"  # property; source id, data active 0|1
SCHEDULE_PULSE = "tns1:UserAlarm/tnsaxis:Recurring/Pulse"  # pulse; source id
ENTRY_GRANTED = (
    "tns1:AccessControl/tnsaxis:EntryList/AccessGranted"  # pulse; data holder, name, credential, condition, remaining
)
ENTRY_DENIED = "tns1:AccessControl/tnsaxis:EntryList/AccessDenied"  # pulse; data reason, credential
SYSTEM_READY = "tns1:Device/tnsaxis:Status/SystemReady"  # property; data ready 0|1
SYSTEM_FAULT = "tns1:Device/tnsaxis:SystemMessage/Fault"  # pulse; data component, reason
STATE_RECOVERED = "tns1:Device/tnsaxis:SystemMessage/StateRecovered"  # pulse; data file, reason
ACTION_FAILED = "tns1:Device/tnsaxis:SystemMessage/ActionFailed"  # pulse; data rule, reason
EVENTS_DROPPED = "tns1:Device/tnsaxis:EventLogger/DroppedEvents"  # pulse; data count
CONFIGURATION_CHANGED = "tns1:Device/tnsaxis:Configuration/Changed"  # pulse; data kind, key, action, user

MQTT_CLIENT_STATUS = "tnsaxis:MQTT/ClientStatus"  # property; data connected 0|1
MQTT_STATELESS = "tnsaxis:MQTT/Message/Stateless"  # pulse; source topicFilter, data topic, payload
MQTT_STATEFUL = "tnsaxis:MQTT/Message/Stateful"  # property; source topicFilter, data topic, payload (the state)


class NewEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event before the ledger has numbered and dated it."""

    topic: str
    source: dict[str, str] = {}
    data: dict[str, str] = {}
    is_property: bool = False
    t_ns: int = 0
    """Monotonic time of the cause (CLOCK_MONOTONIC, ns); 0 = when published."""
    correlation: str | None = None
    """What the caller of a board operation gave, on every event that the operation caused."""


class Event(NewEvent, frozen=True, kw_only=True, omit_defaults=True):
    """An event as stored and delivered."""

    id: int
    """Strictly rising, also across restarts."""
    time: str
    """UTC wall time, RFC 3339 with microseconds and Z."""
