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
IO_VIRTUAL_PORT = "tns1:Device/tnsaxis:IO/VirtualPort"  # property; the manual trigger: source port, data state 0|1
RELAY = "tns1:Device/Trigger/Relay"  # property; source RelayToken, data LogicalState active|inactive
CASING_OPEN = "tns1:Device/tnsaxis:Casing/Open"  # property; source Name, data Open 0|1
REX = "tns1:Device/tnsaxis:Intercom/REX"  # property; source port, data active 0|1
CALL_BUTTON = "tns1:Device/tnsaxis:Intercom/CallButton"  # property; data active 0|1
CONTROL_BUTTON = "tns1:Device/tnsaxis:ControlButton/Pressed"  # pulse; data function O3C
RFID = "tns1:Device/tnsaxis:Intercom/RFID"  # pulse; a card was read
KEYPIN = "tns1:Device/tnsaxis:Intercom/KeyPin"  # pulse; a PIN was entered (never holds the digits)
QR = "tns1:Device/tnsaxis:Intercom/QR"  # pulse; a QR code was read (never holds its text)
KEYPAD_STATE = "tns1:Device/tnsaxis:Intercom/KeypadState"  # property; data state idle|entering
SPEED_DIAL = "tns1:Device/tnsaxis:Intercom/SpeedDial"  # pulse; data number
READER_FAULT = "tns1:Device/tnsaxis:Reader/Fault"  # pulse; a frame was refused, data error, bits, glitches
EXPANSION_STATUS = "tns1:Device/tnsaxis:Expansion/Connection"  # property; source module, data state, secure 0|1
EXPANSION_INPUT = "tns1:Device/tnsaxis:Expansion/Input"  # property; source module, input 1.., data active 0|1
WIRELESS_HUB = "tns1:Device/tnsaxis:WirelessHub/Connection"  # property; data state connected|not_connected
READER_INPUT = "tns1:Device/tnsaxis:Reader/Input"  # property; source IdPointToken, input 0.., data active 0|1
READER_CONNECTION = (
    "tns1:Device/tnsaxis:Reader/Connection"  # property; source side|IdPointToken, data state, secure 0|1, reason
)
READER_ATTACK = "tns1:Device/tnsaxis:Reader/Attack"  # pulse; source side|IdPointToken, data kind, code: refused
READER_KEY = "tns1:Device/tnsaxis:Reader/KeyChanged"  # pulse; source side|IdPointToken: a new base key is in use
READER_INSTALL = "tns1:Device/tnsaxis:Reader/InstallWindow"  # property; source side|IdPointToken, data open 0|1
READER_BUZZER = "tns1:Device/tnsaxis:Reader/Buzzer"  # pulse; data on, off (ms), count: the controller wants a sound
READER_TEXT = "tns1:Device/tnsaxis:Reader/Text"  # pulse; data text, seconds (0 = for good)
READER_TAMPER = "tns1:Device/tnsaxis:Reader/Tamper"  # property; data active 0|1: of the external reader
SCHEDULE_INTERVAL = "tns1:UserAlarm/tnsaxis:Recurring/Interval"  # property; source id, data active 0|1
SCHEDULE_PULSE = "tns1:UserAlarm/tnsaxis:Recurring/Pulse"  # pulse; source id
ENTRY_GRANTED = (
    "tns1:AccessControl/tnsaxis:EntryList/AccessGranted"  # pulse; data holder, name, credential, condition, remaining
)
ENTRY_DENIED = "tns1:AccessControl/tnsaxis:EntryList/AccessDenied"  # pulse; data reason, credential
SUPERVISED_PORT = "tns1:Device/tnsaxis:IO/SupervisedPort"  # property; source port, data state open|close|short|cut
LED_STATE = "tns1:Device/tnsaxis:LED/State"  # property; source led, data color, interval (ms, 0 = steady)
DEVICE_MOTION = "tns1:Device/tnsaxis:Tampering/DeviceMotion"  # pulse: the device was moved
EXTERNAL_TAMPER = "tns1:Device/tnsaxis:Tampering/External"  # property; source Name, data Active 0|1, Reason
EXTERNAL_ALARM = "tns1:Device/tnsaxis:IO/ExternalAlarm"  # likewise
POWER_FAULT = "tns1:Device/tnsaxis:Status/PowerFault"  # property; source Name, data Fault None|OverCurrent|UnderVoltage
SHOCK = "tns1:Device/tnsaxis:Tampering/ShockDetected"  # pulse
AUDIO_LEVEL = "tns1:AudioSource/tnsaxis:TriggerLevel"  # property; source channel, data triggered 0|1
TEMPERATURE_ABOVE = "tns1:Device/tnsaxis:Status/Temperature/Above"  # property; source sensor, data sensor_level 0|1
TEMPERATURE_BELOW = "tns1:Device/tnsaxis:Status/Temperature/Below"  # likewise
TEMPERATURE_INSIDE = "tns1:Device/tnsaxis:Status/Temperature/Inside"  # likewise
CLIP_PLAYING = "tnsaxis:MediaClip/Playing"  # property; source: the output; data Playing 0|1
CLIP_CURRENT = "tnsaxis:MediaClip/CurrentlyPlaying"  # pulse; likewise, data FileName; each time that a clip begins
SPEAKER_TEST = "tns1:Device/tnsaxis:SpeakerTest/TestResult"  # pulse; source DeviceUUID, data SpeakerTestStatus, Reason
STORAGE_DISRUPTION = "tnsaxis:Storage/Disruption"  # property; source disk_id, data disruption 0|1
STORAGE_ALERT = "tnsaxis:Storage/Alert"  # property; source disk_id, data alert 0|1 (little room left)
CALL_STATE = "tnsaxis:Call/State"  # property; source Source; data CallState
CALL_STATE_CHANGE = "tnsaxis:Call/StateChange"  # pulse; source Source; data Reason, CallDirection, CallId and both URIs
CALL_DTMF = "tnsaxis:Call/DTMF"  # pulse; data DTMFEventId, CallId
SIP_ACCOUNT = "tnsaxis:Call/AccountStatus"  # property; source account, data registered 0|1, code, reason
DOOR_MODE = "tns1:Door/State/DoorMode"  # property; source DoorToken, data State
DOOR_PHYSICAL_STATE = "tns1:Door/State/DoorPhysicalState"  # likewise
LOCK_PHYSICAL_STATE = "tns1:Door/State/LockPhysicalState"  # likewise
DOUBLE_LOCK_PHYSICAL_STATE = "tns1:Door/State/DoubleLockPhysicalState"  # likewise
DOOR_ALARM = "tns1:Door/State/DoorAlarm"  # likewise
DOOR_TAMPER = "tns1:Door/State/DoorTamper"  # likewise
DOOR_FAULT = "tns1:Door/State/DoorFault"  # likewise
LIGHT_STATUS = "tns1:Device/tnsaxis:Light/Status"  # property; source id, data state ON|OFF
SIREN_STATUS = "tns1:Device/tnsaxis:Siren/Status"  # property; source id, data state ON|OFF
MAINTENANCE_MODE = "tns1:Device/tnsaxis:Siren/MaintenanceMode"  # property; data active 0|1
HEALTH_CHECK = "tns1:Device/tnsaxis:Siren/HealthCheck"  # pulse; data passed 0|1, errors
DOOR_WARNING = "tns1:Door/State/DoorWarning"  # pulse; source DoorToken, data State
ACCESS_GRANTED = "tns1:AccessControl/AccessGranted/"  # + Credential|Anonymous; pulse; source AccessPointToken
ACCESS_TAKEN = "tns1:AccessControl/AccessTaken/"  # likewise: the door was opened
ACCESS_NOT_TAKEN = "tns1:AccessControl/AccessNotTaken/"  # likewise: it was not
ACCESS_DENIED = "tns1:AccessControl/Denied/"  # likewise, data Reason
ACCESS_DENIED_NOT_FOUND = "tns1:AccessControl/Denied/CredentialNotFound/"  # + Card|PIN; data Card, CardNr
ACCESS_DENIED_PIN = "tns1:AccessControl/Denied/Authentication/InvalidPIN"  # pulse; source AccessPointToken
ACCESS_DURESS = "tns1:AccessControl/Duress"  # pulse; source AccessPointToken, data CredentialToken
APB_VIOLATION = "tns1:Credential/State/ApbViolation"  # property; source CredentialToken, data ApbViolation 0|1
ACCESS_POINT_ENABLED = "tns1:AccessPoint/State/Enabled"  # property; source AccessPointToken, data State true|false
CREDENTIAL_ENABLED = "tns1:Credential/State/Enabled"  # pulse; source CredentialToken, data State true|false
PACS_CONFIGURATION = "tns1:Configuration/"  # + Credential|Door|...  + /Changed|Removed; pulse; source ...Token
ID_POINT_ACTIVITY = "tns1:IdPoint/tnsaxis:Activity"  # pulse; source IdPointToken, data Reason
ID_POINT_REQUEST = "tns1:IdPoint/tnsaxis:Request/"  # + IdData|PIN|REX; pulse; source IdPointToken, data never a PIN
ID_POINT_TIMEOUT = "tns1:IdPoint/tnsaxis:Timeout"  # pulse; source IdPointToken
ID_POINT_ID_DATA = "tns1:IdPoint/tnsaxis:Request/IdData"  # pulse; source IdPointToken, data Card, BitCount
ID_POINT_TAMPERING = "tns1:IdPoint/tnsaxis:Tampering"  # property; source IdPointToken, data Active 0|1
ID_POINT_STATUS = "tns1:IdPoint/tnsaxis:Status/Connection"  # property; source IdPointToken, data State Online|Offline
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
