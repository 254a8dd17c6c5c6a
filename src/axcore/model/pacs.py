"""Physical access control: who may pass which door, when, and with what (VAPIX *Access control service*, *User
service*, *IdPoint service*).

Names of the wire in our spelling; tokens are what other records refer by. Points in time are ISO 8601 with a zone,
empty = open; times are whole milliseconds. PINs are stored as they are entered and appear in no repr.

A list of schedules is active when one of them is and the exception of none is (VAPIX, *Specify time-dependent access
behavior*); an empty one never is.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from axcore.model.credentials import HIDDEN

SECRET = frozenset(("PIN", "DuressPIN"))
"""IdData that is never shown."""
CARD_NAMES = ("Card", "CardNr")
ALWAYS = ("standard_always",)
"""What counts where no schedules are named."""
MAX_NAME = 64
MAX_DESCRIPTION = 1024
MAX_VALUE = 512

Reason = Literal[
    "Granted", "InvalidCredential", "CredentialNotEnabled", "CredentialNotActive", "CredentialExpired",
    "InvalidAccessProfile", "Unauthorized", "NotPermittedAtThisTime", "InvalidPIN", "AntiPassbackViolation",
    "MoreRequired",
]  # fmt: skip
"""Why an access is granted or denied (VAPIX; ONVIF Access Control, DenyReason). ``MoreRequired``: not decided yet."""
Action = Literal["Access", "AccessDoor", "AccessDoorWithoutUnlock"]
Operator = Literal["IdDataEqual", "IdDataEqualToField", "OperatorValueEqual"]


class Attribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A named value of an entity."""

    name: str
    value: str = ""
    type: str = ""


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Someone who holds credentials."""

    token: str
    name: str = ""
    description: str = ""
    attributes: tuple[Attribute, ...] = ()


class IdData(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What identifies a credential: ``Card`` (all bits, hex), ``CardNr``, ``PIN``, ``DuressPIN``, or any other name."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"IdData({self.name!r}, {HIDDEN if self.name in SECRET else self.value!r})"


class CredentialAccessProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """An access profile that a credential has, for a while."""

    access_profile: str
    valid_from: str = ""
    valid_to: str = ""


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A card, a PIN or both, and what may be accessed with it. Names of its IdData are unique."""

    token: str
    user_token: str = ""
    description: str = ""
    enabled: bool = True
    status: str = "Enabled"
    """A word for people; ``enabled`` decides."""
    valid_from: str = ""
    valid_to: str = ""
    id_data: tuple[IdData, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    """``ExtendedAccessTime``; ``AccessTime``, ``OpenTooLongTime``, ``PreAlarmTime`` (``PT7S``);
    ``AntiPassbackOverride`` (``True``)."""
    authentication_profiles: tuple[str, ...] = ()
    """They go before those of the access profile and of the access point."""
    access_profiles: tuple[CredentialAccessProfile, ...] = ()


class AccessPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An access point of a profile, and when it may be passed."""

    access_point: str
    schedules: tuple[str, ...] = ALWAYS


class AccessProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a group of credentials may pass, and when."""

    token: str
    name: str = ""
    description: str = ""
    enabled: bool = True
    valid_from: str = ""
    valid_to: str = ""
    schedules: tuple[str, ...] = ALWAYS
    authentication_profiles: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    policies: tuple[AccessPolicy, ...] = ()


class IdFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that must be shown, and how it is compared."""

    id_data_name: str
    operator: Operator = "IdDataEqual"
    operator_value: str = ""


class AuthenticationProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must be shown, while its schedules are active."""

    token: str
    name: str = ""
    description: str = ""
    id_factors: tuple[IdFactor, ...]
    schedules: tuple[str, ...] = ALWAYS


class IdPointDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A reader of an access point."""

    id_point: str
    device_uuid: str = ""


class AccessPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A way through a door in one direction."""

    token: str
    name: str = ""
    description: str = ""
    entity: str = ""
    """Token of the door."""
    entity_type: str = "axtdc:Door"
    door_device_uuid: str = ""
    enabled: bool = True
    id_points: tuple[IdPointDevice, ...] = ()
    authentication_profiles: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    """``Direction``, ``Duress``, ``AntiPassbackMode`` (``Logical``, ``TimedLogical``), ``AntiPassbackTimeout``
    (seconds), ``AntiPassbackEnforcementMode`` (``Hard``, ``Soft``)."""
    action: Action = "Access"
    action_arguments: tuple[Attribute, ...] = ()
    area_from: str = ""
    area_to: str = ""


class IdPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A reader as the access control sees it."""

    token: str
    name: str = ""
    description: str = ""
    min_pin_size: int = 4
    max_pin_size: int = 4
    """The entry ends by itself at this length."""
    end_of_pin: str = "#"
    """The key that ends an entry before."""
    timeout_ms: int = 3_000
    """How long the reader waits for the next key, or for what is still required."""
    heartbeat_ms: int = 0
    area: str = ""
    location: str = ""
    action: str = ""
    """The last three are words for people."""


class Area(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the premises that access points lead from and to."""

    token: str
    name: str = ""
    description: str = ""
    attributes: tuple[Attribute, ...] = ()


class ScheduleText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A schedule as access control keeps it: iCalendar text, and the times at which it does not hold."""

    token: str
    name: str = ""
    description: str = ""
    definition: str
    exception: str = ""
    attributes: tuple[Attribute, ...] = ()


class AccessController(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A device that decides, and the access points that it decides on."""

    token: str
    name: str = ""
    description: str = ""
    access_points: tuple[str, ...] = ()


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A named value of a hardware configuration (``IdPoint.Reader.Type``)."""

    name: str
    value: str = ""


class IdDataField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some bits of what a reader sends, and what they are."""

    map: str
    """``10-25``: bits counted from 1, the first one sent first."""
    name: str
    encoding: str = "BinBE2Int"


class IdDataConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the bits of a card of one length are read."""

    token: str
    name: str = ""
    description: str = ""
    input_bit_length: int
    fields: tuple[IdDataField, ...] = ()


class IdPointConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The hardware of a reader; its token is that of the id point."""

    token: str
    device_uuid: str = ""
    settings: tuple[Setting, ...] = ()
    id_data_configurations: tuple[str, ...] = ()


class EncryptionKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key of the key store (VAPIX *Keystore service*); readers name it by its token."""

    token: str
    name: str = ""
    description: str = ""
    key: str = ""
    """Hexadecimal octets. It leaves the device in no answer and no event."""
    modified: str = ""
    """When it was set last (RFC 3339, UTC)."""

    def __repr__(self) -> str:
        return f"EncryptionKey(token={self.token!r}, name={self.name!r}, key={HIDDEN if self.key else ''!r})"


class Passage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where anti-passback saw a credential last (``AntipassbackData``)."""

    credential: str
    area: str
    """Token of the area that it went into."""
    pass_ok_ns: int = 0
    """Wall time, UTC ns, from which it may enter the area again (``TimedLogical``)."""
    by_time: bool = False
    """``TimedLogical``; False: only after it has left."""


DEFAULT_AUTHENTICATION = (
    AuthenticationProfile(
        token="CardOnly", name="CardOnly", description="Card only", id_factors=(IdFactor("Card"),),
    ),
    AuthenticationProfile(
        token="PINOnly", name="PINOnly", description="PIN only", id_factors=(IdFactor("PIN"),),
    ),
    AuthenticationProfile(
        token="CardPlusPin", name="CardPlusPin", description="Card + PIN",
        id_factors=(IdFactor("Card"), IdFactor("PIN")), schedules=("standard_always",),
    ),
    AuthenticationProfile(
        token="REXOnly", name="REXOnly", description="REX only",
        id_factors=(IdFactor("REX", "OperatorValueEqual", "Active"),), schedules=("standard_always",),
    ),
)  # fmt: skip
"""As delivered."""

DEFAULT_SCHEDULES = (
    ScheduleText(
        token="standard_always", name="Always",
        definition="DTSTART:19700101T000000 DTEND:19700102T000000 RRULE:FREQ=DAILY",
    ),
    ScheduleText(
        token="standard_office_hours", name="Office Hours",
        definition="DTSTART:19700101T080000 DTEND:19700101T170000 RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    ),
    ScheduleText(
        token="standard_weekends", name="Weekends",
        definition="DTSTART:19700103T000000 DTEND:19700104T000000 RRULE:FREQ=WEEKLY;BYDAY=SA,SU",
    ),
)  # fmt: skip
"""As delivered."""

Record = (
    User | Credential | AccessProfile | AuthenticationProfile | AccessPoint | AccessController | IdPoint
    | IdPointConfiguration | IdDataConfiguration | Area | ScheduleText | Passage
)  # fmt: skip
