"""The kinds of records of access control: what each is, how it is checked, and what is told when it changes.

A check sees the index and every record as they would be after the change; it refuses with an InputError and changes
nothing. Records may be set in any order (VAPIX *Access control service*, *Set up the initial system*): what a record
refers to may come later, and what is missing never opens a door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model import doors
from axcore.model.pacs import AccessController, EncryptionKey, IdDataConfiguration, IdPointConfiguration
from axcore.services.pacs import check, event_log, io, keystore, readers
from axcore.services.pacs.index import FIELDS, KINDS, Index

Tables = Callable[[str], Mapping[str, Any]]
"""The records of a kind by token."""
Check = Callable[[Any, Index, Tables], None]

PASSAGE = "pacs.passage"
DOOR = "pacs.door"
DOOR_CONFIGURATION = "pacs.door_configuration"
PRIORITIES = "pacs.priority_configuration"
IGNORE_FILTER = "pacs.ignore_filter"
ALARM_FILTER = "pacs.alarm_filter"
IO_ASSIGNMENT = "pacs.io_assignment"
ENCRYPTION_KEY = "pacs.encryption_key"
ID_POINT = "pacs.id_point"
ID_POINT_CONFIGURATION = "pacs.id_point_configuration"
DOOR_SCHEDULES = "pacs.door_schedule_configuration"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of records."""

    name: str
    """Kind in the store; the key is the token."""
    struct: type[Any]
    check: Check
    merge: Callable[[Any, Any], Any] | None = None
    """What becomes of a record that is there when another one is set with its token; None: it is replaced."""
    most: int = 1_000
    """How many there may be."""
    told: str = ""
    """Name in the topic of the event that tells a change, ``tns1:Configuration/<told>/Changed``; empty = none."""

    @property
    def field(self) -> str:
        """Field of the index that holds them; empty = the service does."""
        return "" if self.name == "pacs.schedule" else FIELDS.get(self.name, "")


def _alone(function: Callable[[Any], Any]) -> Check:
    """A check that looks at nothing but the record."""

    def checked(record: Any, _index: Index, _tables: Tables) -> None:
        function(record)

    return checked


def _credential(record: Any, index: Index, _tables: Tables) -> None:
    check.check_credential(record, index)


def priorities_of(door: doors.Door, tables: Tables) -> doors.PriorityConfiguration:
    """The priority levels of a door. NotFoundError for a configuration that is not there."""
    token = door.priority_configuration or doors.STANDARD
    found: doors.PriorityConfiguration | None = tables(PRIORITIES).get(token)
    if found is None:
        if token != doors.STANDARD:
            raise NotFoundError("priority_configuration", f"there is no {token[:80]!r}")
        return doors.STANDARD_PRIORITIES
    return found


def _door(record: doors.Door, _index: Index, tables: Tables) -> None:
    levels = priorities_of(record, tables)
    doors.check_door(record, levels)
    hardware = tables(DOOR_CONFIGURATION).get(record.token)
    if hardware is not None:
        _check_times(hardware, levels, tables, "priority_configuration")


def _door_configuration(record: doors.DoorConfiguration, _index: Index, tables: Tables) -> None:
    check.check_named(record)
    doors.check_configuration(record)
    door = tables(DOOR).get(record.token)
    if door is not None:
        _check_times(record, priorities_of(door, tables), tables, "schedule_configuration")


def _check_times(
    hardware: doors.DoorConfiguration, levels: doors.PriorityConfiguration, tables: Tables, field: str
) -> None:
    """The schedules of a door name levels that it has."""
    times = tables(DOOR_SCHEDULES).get(hardware.schedule_configuration)
    if times is not None:
        try:
            doors.check_schedules(times, levels)
        except InputError as error:
            raise ConflictError(field, f"does not fit {hardware.schedule_configuration!r}: {error.reason}") from None


def _priorities(record: doors.PriorityConfiguration, _index: Index, tables: Tables) -> None:
    check.check_named(record)
    doors.check_priorities(record)
    for door in tables(DOOR).values():
        if (door.priority_configuration or doors.STANDARD) != record.token:
            continue
        if door.default_priority and door.default_priority not in {held.level for held in record.actions}:
            raise ConflictError("actions", f"the door {door.token} needs the level {door.default_priority!r}")
        hardware = tables(DOOR_CONFIGURATION).get(door.token)
        if hardware is not None:
            _check_times(hardware, record, tables, "actions")


def _door_schedules(record: doors.DoorScheduleConfiguration, _index: Index, tables: Tables) -> None:
    check.check_named(record)
    for hardware in tables(DOOR_CONFIGURATION).values():
        door = tables(DOOR).get(hardware.token)
        if hardware.schedule_configuration == record.token and door is not None:
            doors.check_schedules(record, priorities_of(door, tables))


_OWN: dict[str, tuple[Check, int, str]] = {
    "pacs.user": (_alone(check.check_user), check.MAX_CREDENTIALS, ""),
    "pacs.credential": (_credential, check.MAX_CREDENTIALS, "Credential"),
    "pacs.access_profile": (_alone(check.check_access_profile), 10_000, ""),
    "pacs.authentication_profile": (_alone(check.check_authentication_profile), 1_000, ""),
    "pacs.access_point": (_alone(check.check_access_point), 1_000, "AccessPoint"),
    "pacs.id_point": (_alone(check.check_id_point), 1_000, "tnsaxis:IdPoint"),
    "pacs.area": (_alone(check.check_named), 1_000, "Area"),
    "pacs.schedule": (_alone(check.check_schedule), 1_000, ""),
}
_MORE: tuple[Kind, ...] = (
    Kind(name=DOOR, struct=doors.Door, check=_door, most=256, told="Door"),
    Kind(name=DOOR_CONFIGURATION, struct=doors.DoorConfiguration, check=_door_configuration, most=256),
    Kind(name=PRIORITIES, struct=doors.PriorityConfiguration, check=_priorities, most=256),
    Kind(name=DOOR_SCHEDULES, struct=doors.DoorScheduleConfiguration, check=_door_schedules, most=256),
    Kind(name="pacs.access_controller", struct=AccessController, check=_alone(check.check_named), most=64),
    Kind(
        name=ID_POINT_CONFIGURATION, struct=IdPointConfiguration,
        check=_alone(readers.check_configuration), merge=readers.merged,
    ),
    Kind(name=IO_ASSIGNMENT, struct=io.IoAssignment, check=_alone(check.check_named)),
    Kind(name=IGNORE_FILTER, struct=event_log.EventFilter, check=_alone(event_log.check_filter), most=64),
    Kind(name=ALARM_FILTER, struct=event_log.EventFilter, check=_alone(event_log.check_filter), most=64),
    Kind(
        name=ENCRYPTION_KEY, struct=EncryptionKey, check=_alone(keystore.check_key), merge=keystore.merged, most=256,
    ),
    Kind(name="pacs.id_data_configuration", struct=IdDataConfiguration, check=_alone(readers.check_id_data)),
)  # fmt: skip

ALL: dict[str, Kind] = {
    **{name: Kind(name=name, struct=KINDS[name], check=own[0], most=own[1], told=own[2]) for name, own in _OWN.items()},
    **{kind.name: kind for kind in _MORE},
}
"""Every kind that is set and removed by token. Anti-passback data is kept by what happens at the doors alone."""
