"""Actions of rules: what a device can be told to do, as data. Who performs each is ``services/events/performers.py``.

A kind of action is a struct with a tag (``"type"`` on the wire). ``while_active`` tells whether it has no length of its
own and starts and stops with its rule. Whether the values fit this device (a port that is an output, a recipient that
there is) is for its performer to say.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

MIN_DURATION = 0.05
"""Seconds; the shortest that "Toggle I/O once" can be, besides 0 = stay there."""
MAX_DURATION = 86_400.0
HttpMethod = Literal["GET", "POST", "PUT"]
Qos = Literal[0, 1, 2]


class _Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    while_active: ClassVar[bool] = False


# --- I/O ------------------------------------------------------------------------------------------------------------


class ToggleIoOnce(_Action, frozen=True, kw_only=True, tag="toggle_io_once"):
    """I/O > Toggle I/O once: bring a port to a state for a time."""

    port: str
    """Port id ("4") or name ("Door")."""
    state: bool = True
    duration: float = 0.0
    """Seconds, 0.05..86400; 0 = leave it there."""


class ToggleIoWhileActive(_Action, frozen=True, kw_only=True, tag="toggle_io_while_active"):
    """I/O > Toggle I/O while the rule is active."""

    while_active: ClassVar[bool] = True

    port: str
    state: bool = True


class VirtualInputOnce(_Action, frozen=True, kw_only=True, tag="virtual_input_once"):
    """I/O > Activate or deactivate a virtual input."""

    input: int
    """1..64."""
    state: bool = True
    duration: float | None = None
    """Seconds that it stays active; none = until something deactivates it, 0 = a pulse."""


class VirtualInputWhileActive(_Action, frozen=True, kw_only=True, tag="virtual_input_while_active"):
    """I/O > Virtual input active while the rule is active."""

    while_active: ClassVar[bool] = True

    input: int


# --- light and sound ------------------------------------------------------------------------------------------------


class LedOnce(_Action, frozen=True, kw_only=True, tag="led_once"):
    """LEDs > Flash or light an indicator for a time."""

    led: str
    color: str
    duration: float
    """Seconds, 0.05..86400."""
    interval: float = 0.0
    """Seconds of a whole on and off; 0 = steady."""


class LedWhileActive(_Action, frozen=True, kw_only=True, tag="led_while_active"):
    """LEDs > Flash or light an indicator while the rule is active."""

    while_active: ClassVar[bool] = True

    led: str
    color: str
    interval: float = 0.0


class StartProfile(_Action, frozen=True, kw_only=True, tag="start_profile"):
    """Light and siren > Run a profile once (for its own duration)."""

    profile: str


class StopProfile(_Action, frozen=True, kw_only=True, tag="stop_profile"):
    """Light and siren > Stop a profile."""

    profile: str


class ProfileWhileActive(_Action, frozen=True, kw_only=True, tag="profile_while_active"):
    """Light and siren > Run a profile while the rule is active."""

    while_active: ClassVar[bool] = True

    profile: str


class PlayClip(_Action, frozen=True, kw_only=True, tag="play_clip"):
    """Audio clips > Play audio clip."""

    clip: str
    volume: int = 100
    """Percent, 0..1000."""
    repeat: int = 0
    """Times that it is played again; -1 = until stopped."""
    to_call: bool = False
    """Whoever is talked to hears it too."""


class PlayClipWhileActive(_Action, frozen=True, kw_only=True, tag="play_clip_while_active"):
    """Audio clips > Play audio clip while the rule is active."""

    while_active: ClassVar[bool] = True

    clip: str
    volume: int = 100
    to_call: bool = False


class StopClip(_Action, frozen=True, kw_only=True, tag="stop_clip"):
    """Audio clips > Stop playing audio clip."""


class RunSpeakerTest(_Action, frozen=True, kw_only=True, tag="run_speaker_test"):
    """Audio > Run speaker test."""


# --- telling others -------------------------------------------------------------------------------------------------


class HttpNotification(_Action, frozen=True, kw_only=True, tag="http_notification"):
    """Notifications > Send notification through HTTP or HTTPS."""

    recipient: str
    """Id or name of an HTTP or HTTPS recipient."""
    method: HttpMethod = "GET"
    query: str = ""
    """Added to the recipient's address, with modifiers (``#``, ``%``)."""
    body: str = ""
    """Message of a POST or PUT, with modifiers."""
    content_type: str = "text/plain; charset=utf-8"


class TcpNotification(_Action, frozen=True, kw_only=True, tag="tcp_notification"):
    """Notifications > Send notification through TCP."""

    recipient: str
    message: str


class TcpNotificationWhileActive(_Action, frozen=True, kw_only=True, tag="tcp_notification_while_active"):
    """Notifications > Send notifications through TCP while the rule is active: one every ``interval`` seconds."""

    while_active: ClassVar[bool] = True

    recipient: str
    message: str
    interval: float = 1.0


class EmailNotification(_Action, frozen=True, kw_only=True, tag="email_notification"):
    """Notifications > Send notification to email."""

    recipient: str
    subject: str
    body: str = ""


class SendFiles(_Action, frozen=True, kw_only=True, tag="send_files"):
    """Files > Send files through FTP, SFTP, HTTP, network share or email."""

    recipient: str
    source: str
    """What is sent: ``event`` (the event that fired the rule), ``event_log``, ``device_information``."""
    folder: str = ""
    """Below the recipient's folder, with modifiers."""
    name: str = "%Y-%m-%d_%H-%M-%S"
    """File name without its ending, with modifiers; a sequence number makes it unique."""


class MqttPublish(_Action, frozen=True, kw_only=True, tag="mqtt_publish"):
    """MQTT > Send MQTT publish message."""

    topic: str
    payload: str = ""
    qos: Qos = 0
    retain: bool = False
    device_prefix: bool = False
    """The device topic prefix stands before ``topic``."""


class SnmpTrap(_Action, frozen=True, kw_only=True, tag="snmp_trap"):
    """SNMP > Send SNMP trap."""

    message: str


class MakeCall(_Action, frozen=True, kw_only=True, tag="make_call"):
    """Calls > Make a call."""

    to: str
    """SIP address, or id or name of a contact or group, or ``VMS``."""
    account: str = ""
    """Id of the SIP account that an address is called from; empty = the default account."""


Action = (
    ToggleIoOnce
    | ToggleIoWhileActive
    | VirtualInputOnce
    | VirtualInputWhileActive
    | LedOnce
    | LedWhileActive
    | StartProfile
    | StopProfile
    | ProfileWhileActive
    | PlayClip
    | PlayClipWhileActive
    | StopClip
    | RunSpeakerTest
    | HttpNotification
    | TcpNotification
    | TcpNotificationWhileActive
    | EmailNotification
    | SendFiles
    | MqttPublish
    | SnmpTrap
    | MakeCall
)
