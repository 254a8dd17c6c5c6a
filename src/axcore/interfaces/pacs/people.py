"""User service and schedule service (VAPIX *User service*, *Schedule service*)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from axcore.errors import InputError
from axcore.model.pacs import ScheduleText, User
from axcore.runtime.clock import parse_rfc3339
from axcore.services.pacs.calendar import Calendar
from axcore.services.pacs.service import MAX_PAGE

from .codec import ArgumentError, Arguments
from .records import Records, capabilities
from .table import Answer, Caller, Empty, Operation, unknown

NS: Final = 1_000_000_000


class Holds(Arguments, frozen=True, kw_only=True):
    """``ScheduleActive``."""

    token: tuple[str, ...] = ()
    local_time: str = ""
    utc_time: str = ""


class ByCredential(Arguments, frozen=True, kw_only=True):
    """``GetUserInfoByCredentialToken``; both names are understood."""

    token: tuple[str, ...] = ()
    credential_token: tuple[str, ...] = ()


def _user_info(user: User, caller: Caller) -> dict[str, Any]:
    return {"token": user.token, "Name": user.name, "Description": user.description}


async def get_user_info_by_credential_token(given: ByCredential, caller: Caller) -> Answer:
    """``GetUserInfoByCredentialToken``: the users who hold these credentials."""
    tokens = (*given.token, *given.credential_token)
    if not tokens:
        raise ArgumentError("CredentialToken", "is required")
    held = caller.pacs.get("pacs.credential", tokens)
    users = caller.pacs.get("pacs.user", [credential.user_token for credential in held])
    return {"UserInfo": [_user_info(user, caller) for user in users]}


def moment(field: str, text: str, caller: Caller, *, local: bool = False) -> int:
    """Wall time, ns, of an ``xs:dateTime``. One without a zone is UTC, or the local time of the device."""
    try:
        return parse_rfc3339(text)
    except ValueError:
        pass
    try:
        naive = datetime.fromisoformat(text)
        if naive.tzinfo is not None or len(text) < 10:
            raise ValueError("not a date")
        return parse_rfc3339(naive.replace(tzinfo=caller.pacs.zone if local else UTC).isoformat())
    except (ValueError, OverflowError):
        raise InputError(field, "must be a date and time like 2026-01-31T12:00:00Z") from None


async def schedule_active(given: Holds, caller: Caller) -> Answer:
    """``ScheduleActive``: any of them holds, and no exception of one does (*Checking schedule status*)."""
    if not given.token:
        raise ArgumentError("Token", "is required")
    wall_ns = caller.ctx.clock.wall_ns()
    if given.local_time:
        wall_ns = moment("LocalTime", given.local_time.removesuffix("Z"), caller, local=True)
    if given.utc_time:
        wall_ns = moment("UtcTime", given.utc_time, caller)
    asked = [_calendar(token, caller).ask(wall_ns) for token in given.token]
    excepted = any(exception for _, exception in asked)
    return {"Active": any(active for active, _ in asked) and not excepted, "Exception": excepted}


async def schedule_status_report(given: Empty, caller: Caller) -> Answer:
    """``ScheduleStatusReport``: all of them, now."""
    wall_ns, status = caller.ctx.clock.wall_ns(), []
    for token, calendar in sorted(caller.pacs.index.calendars.items()):
        active, exception = calendar.ask(wall_ns)
        status.append({"Token": token, "Active": active and not exception, "Exception": exception})
    return {"Status": status}


def _calendar(token: str, caller: Caller) -> Calendar:
    calendar = caller.pacs.index.calendars.get(token)
    if calendar is None:
        raise unknown("Token", token)
    return calendar


def _schedule_capabilities(caller: Caller) -> dict[str, Any]:
    return {
        "Component": ["VEVENT"], "SetSchedule": True, "GetSchedule": True, "RemoveSchedule": True,
        "ScheduleActive": True, "EventSupport": False, "MaxLimit": MAX_PAGE,
    }  # fmt: skip


RECORDS: Final = (
    Records(service="axudb", wire="User", kind="pacs.user", struct=User, info=_user_info),
    Records(service="axsch", wire="Schedule", kind="pacs.schedule", struct=ScheduleText, info=_user_info),
)


def operations() -> Iterator[Operation]:
    """Every operation of both services."""
    for records in RECORDS:
        yield from records.operations()
    schedules = partial(Operation, service="axsch")
    yield capabilities("axudb", lambda caller: {"MaxLimit": MAX_PAGE})
    yield Operation(
        service="axudb", name="GetUserInfoByCredentialToken", arguments=ByCredential,
        handler=get_user_info_by_credential_token,
    )  # fmt: skip
    yield capabilities("axsch", _schedule_capabilities)
    yield schedules(name="ScheduleActive", arguments=Holds, handler=schedule_active)
    yield schedules(name="ScheduleStatusReport", arguments=Empty, handler=schedule_status_report)
