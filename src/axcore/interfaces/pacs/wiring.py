"""I/O assignment service (VAPIX *I/O assignment service*)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import msgspec

from axcore.services.pacs import io, kinds
from axcore.services.pacs.io import IoAssignment, IoInfo, IoUser, IoUserInfo

from .codec import TOKEN_ELEMENTS, ArgumentError, Arguments
from .table import Answer, Caller, Empty, Operation


class WireAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """``IoAssignment`` on the wire."""

    io_name: str
    io_mode: str = ""
    io_user: tuple[IoUser, ...] = ()


class Assign(Arguments, frozen=True, kw_only=True):
    """``SetIoAssignment``."""

    io_assignment: tuple[WireAssignment, ...] = ()


TOKEN_ELEMENTS.add(IoUser)
IO_KIND: Final = kinds.IO_ASSIGNMENT


def _infos(caller: Caller) -> tuple[IoInfo, ...]:
    return io.infos_of(caller.doors.model)


def _users(caller: Caller) -> list[IoUserInfo]:
    pacs = caller.pacs
    names = {token: door.name for token, door in pacs.doors.items()}
    names |= {token: point.name for token, point in pacs.index.id_points.items()}
    return io.users_of(pacs.door_configurations, pacs.table("pacs.id_point_configuration"), names)


async def get_io_info_list(given: Empty, caller: Caller) -> Answer:
    """``GetIoInfoList``: what the device has."""
    return {"IoInfo": list(_infos(caller))}


async def get_io_user_info_list(given: Empty, caller: Caller) -> Answer:
    """``GetIoUserInfoList``: what doors and readers need."""
    return {"IoUserInfo": _users(caller)}


async def get_io_assignment_list(given: Empty, caller: Caller) -> Answer:
    """``GetIoAssignmentList``: who has what."""
    doors, readers = caller.doors, caller.readers

    def line_of(user: IoUser) -> str:
        if user.type == "doorcontrol":
            return doors.line_of(user.token, user.usage)
        return "" if readers is None else readers.line_of(user.token, user.usage)

    return {
        "IoAssignment": [
            WireAssignment(io_name=entry.token, io_mode=entry.mode, io_user=entry.users)
            for entry in io.shown(caller.pacs.table(IO_KIND), _users(caller), line_of)
        ]
    }


async def set_io_assignment(given: Assign, caller: Caller) -> Answer:
    """``SetIoAssignment``: all or nothing; who had a pin that is needed loses it."""
    if not given.io_assignment:
        raise ArgumentError("IoAssignment", "is required")
    wanted = [
        IoAssignment(token=entry.io_name, mode=entry.io_mode, users=entry.io_user) for entry in given.io_assignment
    ]

    def job(tx: Any) -> None:
        pacs = caller.pacs
        held = pacs.table(IO_KIND)
        after = io.assigned(held, wanted, caller.doors.model, _users(caller))
        gone = [name for name in held if name not in after]
        changed = [entry for name, entry in after.items() if held.get(name) != entry]
        if gone:
            pacs.remove(tx, IO_KIND, gone)
        if changed:
            pacs.set(tx, IO_KIND, changed)

    await caller.run(job)
    return {}


def operations() -> Iterator[Operation]:
    """Every operation of the service."""
    own = partial(Operation, service="axisio")
    yield own(name="GetIoInfoList", arguments=Empty, handler=get_io_info_list)
    yield own(name="GetIoUserInfoList", arguments=Empty, handler=get_io_user_info_list)
    yield own(name="GetIoAssignmentList", arguments=Empty, handler=get_io_assignment_list)
    yield own(name="SetIoAssignment", arguments=Assign, handler=set_io_assignment)
