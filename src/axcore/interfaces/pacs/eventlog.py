"""Event logger service (VAPIX *Event logger service*): events and alarms fetched by time and keys, their filters; and
the heartbeat.

``FetchEvents3`` is what clients use beyond the documentation: its sets have times of their own, local ones if it is
asked, and events have a time for people. Other controllers' events are not collected here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from axcore.errors import InputError, NotFoundError
from axcore.interfaces.soap.envelope import Fault, invalid
from axcore.model.events import Event
from axcore.model.topics import plain_form
from axcore.runtime.clock import parse_rfc3339, rfc3339
from axcore.services.pacs import kinds
from axcore.services.pacs.event_log import MAX_FETCH, EventFilter, Pair, Wanted, fetch
from axcore.services.time import utc

from .codec import NAMES, ArgumentError, Arguments
from .people import moment
from .records import Records, capabilities
from .table import Answer, Caller, Empty, Operation, Some

NS: Final = 1_000_000_000
_TOKEN: Final = re.compile(r"Axis-[0-9a-f]+:\d+\.(\d+)")


class FilterSet(msgspec.Struct, frozen=True, kw_only=True):
    """Keys and values that must all be there, in a time."""

    start: str = ""
    stop: str = ""
    filters: tuple[Pair, ...] = ()


class Fetch(Arguments, frozen=True, kw_only=True):
    """``FetchEvents``, ``FetchEvents2``, ``FetchEvents3``, and the same for alarms."""

    start: str = ""
    stop: str = ""
    filters: tuple[Pair, ...] = ()
    filter_sets: tuple[FilterSet, ...] = ()
    """Any of them will do."""
    limit: int | None = None
    row_id: int | None = None
    descending: bool = False
    include_human_readable_time: bool = False
    convert_filter_time_from_local: bool = False


class KeyValue(msgspec.Struct, frozen=True):
    """A key of an event, and what is known about it."""

    key: str
    value: str
    tags: tuple[str, ...] = ()


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is fetched."""

    rowid: int
    token: str
    uuid: str
    utc_time: str
    human_readable_time: str | None = None
    key_values: tuple[KeyValue, ...]
    tags: tuple[str, ...] = ()


class WireFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A filter on the wire."""

    token: str
    key_values: tuple[Pair, ...] = ()
    uuids: tuple[str, ...] = ()


class Beat(Arguments, frozen=True, kw_only=True):
    """``Heartbeat``."""

    duration: int


NAMES[Fetch] = {"row_id": "RowID"}
NAMES[Fetched] = {"rowid": "rowid", "uuid": "UUID"}
NAMES[WireFilter] = {"uuids": "UUIDs"}
NAMES[EventFilter] = {"uuids": "UUIDs"}


async def _fetched(given: Fetch, caller: Caller, *, alarms: bool) -> tuple[list[Fetched], bool]:
    pacs, ledger = caller.pacs, caller.ctx.ledger
    local = given.convert_filter_time_from_local
    common = _wanted(FilterSet(start=given.start, stop=given.stop, filters=given.filters), "", caller, local)
    sets = [_wanted(held, f"FilterSets[{at}].", caller, local) for at, held in enumerate(given.filter_sets)]
    wanted = tuple(_both(common, entry) for entry in sets) or (common,)
    limit = given.limit if given.limit is not None and given.limit > 0 else MAX_FETCH
    if given.row_id is not None and given.row_id < 0:
        raise InputError("RowID", "must be 0 or more")
    held = list(pacs.alarms.held.values())
    ignored, kept = pacs.table(kinds.IGNORE_FILTER).values(), pacs.table(kinds.ALARM_FILTER).values()

    def of_alarms(number: int, most: int) -> list[Event]:
        return [event for event in held if event.id > number][:most]

    def work() -> tuple[list[Fetched], bool]:
        read, hidden = (of_alarms, ()) if alarms else (ledger.events_after, tuple(ignored))
        events, more = fetch(
            read, ledger.last_id, wanted, limit, given.row_id, descending=given.descending, ignored=hidden,
            kept=tuple(kept),
        )  # fmt: skip
        return [_shown(event, caller, given.include_human_readable_time) for event in events], more

    return await asyncio.to_thread(work)


def _wanted(held: FilterSet, path: str, caller: Caller, local: bool) -> Wanted:
    times = {}
    for name, field, text in (("start", "Start", held.start), ("stop", "Stop", held.stop)):
        try:
            times[name] = rfc3339(moment(f"{path}{field}", text, caller, local=local)) if text else ""
        except InputError as error:
            raise invalid(str(error), f"ter:Invalid{field}Time") from None
    for at, pair in enumerate(held.filters):
        if not pair.key:
            raise ArgumentError(f"{path}Filters[{at}].Key", "is required")
    return Wanted(start=times["start"], stop=times["stop"], pairs=held.filters)


def _both(one: Wanted, other: Wanted) -> Wanted:
    """What both ask for."""
    stops = [entry.stop for entry in (one, other) if entry.stop]
    return Wanted(
        start=max(one.start, other.start), stop=min(stops, default=""), pairs=(*one.pairs, *other.pairs)
    )  # fmt: skip


def _shown(event: Event, caller: Caller, human: bool) -> Fetched:
    parts = plain_form(event.topic).split("/")
    tags = ("property-state", "onvif-data") if event.is_property else ("onvif-data",)
    found = [KeyValue(key, value, tags) for key, value in event.data.items()]
    for key, value in event.source.items():
        kind = ("wstype:pt:ReferenceToken",) if key.endswith("Token") else ()
        found.append(KeyValue(key, value, (*kind, "onvif-source")))
    found += [KeyValue(f"topic{n}", part) for n, part in reversed(list(enumerate(parts)))]
    wall_ns = parse_rfc3339(event.time)
    local = utc(wall_ns).astimezone(caller.pacs.zone).strftime("%Y-%m-%d %H:%M:%S") if human else None
    return Fetched(
        rowid=event.id, token=f"Axis-{caller.serial}:{wall_ns // NS}.{event.id:09}", uuid=caller.device_uuid,
        utc_time=event.time, human_readable_time=local, key_values=tuple(found),
    )  # fmt: skip


async def fetch_events(given: Fetch, caller: Caller) -> Answer:
    """``FetchEvents``: events from the log, and whether there are more after the last one."""
    events, more = await _fetched(given, caller, alarms=False)
    return {"Event": events, "More": more}


async def fetch_alarms(given: Fetch, caller: Caller) -> Answer:
    """``FetchAlarms``: alarms that nobody has acknowledged."""
    events, more = await _fetched(given, caller, alarms=True)
    return {"Alarm": events, "More": more}


async def remove_logged_alarm(given: Some, caller: Caller) -> Answer:
    """``RemoveLoggedAlarm``: acknowledge alarms."""
    numbers = []
    for token in given.token:
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise NotFoundError("Token", f"there is no {token[:80]!r}")
        numbers.append(int(found[1]))
    await caller.run(lambda tx: caller.pacs.alarms.remove(tx, numbers))
    return {}


async def get_event_distribution_config(given: Empty, caller: Caller) -> Answer:
    """``GetEventDistributionConfig``: events stay on this device."""
    return {"EventDistributionConfig": [{"GlobalDistributionEnabled": False}]}


async def global_distribution(given: Empty, caller: Caller) -> Answer:
    """``EnableGlobalDistribution``: there is no network of controllers."""
    raise Fault("events are not distributed", "ter:ActionNotSupported", "ter:NotSupported", code="Receiver")


async def no_distribution(given: Empty, caller: Caller) -> Answer:
    """``DisableGlobalDistribution``: it is off anyway."""
    return {}


async def heartbeat(given: Beat, caller: Caller) -> Answer:
    """``Heartbeat``: the master is alive for so many milliseconds."""
    return {"SessionId": await caller.run(lambda tx: caller.pacs.heartbeat.beat(tx, given.duration))}


def _read_filter(given: WireFilter, caller: Caller) -> EventFilter:
    since = caller.ctx.ledger.last_id
    return EventFilter(token=given.token, key_values=given.key_values, uuids=given.uuids, since=since)


def _show_filter(held: EventFilter, caller: Caller) -> WireFilter:
    return WireFilter(token=held.token, key_values=held.key_values, uuids=held.uuids)


def _filters(wire: str, kind: str) -> Records:
    return Records(
        service="axloc", wire=wire, element="Filter", kind=kind, struct=WireFilter, read=_read_filter,
        show=_show_filter,
    )  # fmt: skip


RECORDS: Final = (_filters("IgnoreFilter", kinds.IGNORE_FILTER), _filters("AlarmFilter", kinds.ALARM_FILTER))


def operations() -> Iterator[Operation]:
    """Every operation of the services."""
    for records in RECORDS:
        yield from records.operations()
    log, config = partial(Operation, service="axlog"), partial(Operation, service="axloc")
    for suffix in ("", "2", "3"):
        yield log(name=f"FetchEvents{suffix}", arguments=Fetch, handler=fetch_events)
    for suffix in ("", "2"):
        yield log(name=f"FetchAlarms{suffix}", arguments=Fetch, handler=fetch_alarms)
    yield log(name="RemoveLoggedAlarm", arguments=Some, handler=remove_logged_alarm)
    yield capabilities("axlog", lambda caller: {"MaxLimit": MAX_FETCH})
    yield capabilities("axloc", lambda caller: {"EnableGlobalEvents": False})
    yield config(name="GetEventDistributionConfig", arguments=Empty, handler=get_event_distribution_config)
    yield config(name="EnableGlobalDistribution", arguments=Empty, handler=global_distribution)
    yield config(name="DisableGlobalDistribution", arguments=Empty, handler=no_distribution)
    yield Operation(service="axhbt", name="Heartbeat", arguments=Beat, handler=heartbeat)
