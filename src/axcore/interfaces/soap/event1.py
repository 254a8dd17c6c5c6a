"""VAPIX event service: which events there are, scheduled events, virtual inputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol

from axcore.errors import InputError, NotFoundError
from axcore.model.accounts import Role
from axcore.services.events import ConditionType, Item

from . import names
from .dispatch import Operation
from .envelope import Call, Fault, invalid
from .values import boolean
from .xmlio import EMPTY, Xml, join, tag

_TIMES: Final = re.compile(r"(?<!\S)((?:DTSTART|DTEND|EXDATE)(?:;[^:\s]*)?:)(\S+)", re.ASCII)
_MINUTES: Final = re.compile(r"\d{8}T\d{4}", re.ASCII)

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.runtime.ledger import Transaction


class Schedules(Protocol):
    """What is needed of the schedule service (``ctx.schedules``): records with ``id``, ``name`` and ``icalendar``."""

    def schedules(self) -> tuple[Any, ...]: ...
    def add(self, tx: Transaction, spec: dict[str, Any]) -> Any: ...
    def remove(self, tx: Transaction, schedule_id: str) -> None: ...


# --- the topic tree ------------------------------------------------------------------------------------------------


def topic_set(types: Iterable[ConditionType]) -> Xml:
    """``wstop:TopicSet``: the topics as a tree, each with the source and data items of its events."""
    return topic_tree(types, message_instance, lambda kind: {"aev__NiceName": kind.name})


def topic_tree(
    types: Iterable[ConditionType],
    describe: Callable[[ConditionType], Xml],
    more: Callable[[ConditionType], dict[str, str]] = lambda _: {},
) -> Xml:
    """``wstop:TopicSet`` with a description in each topic, and ``more`` attributes on it."""
    tree: dict[str, Any] = {}
    for kind in types:
        at = tree
        for part in kind.topic.split("/"):
            at = at.setdefault(part, {})
        at.setdefault("", kind)

    def nodes(level: dict[str, Any]) -> Xml:
        return join([node(name, below) for name, below in level.items() if name])

    def node(name: str, below: dict[str, Any]) -> Xml:
        kind: ConditionType | None = below.get("")
        if kind is None:
            return tag(name, nodes(below))
        return tag(name, describe(kind), nodes(below), wstop__topic="true", **more(kind))

    return tag("wstop:TopicSet", nodes(tree))


def message_instance(kind: ConditionType) -> Xml:
    """What an event of this kind holds. One data item of a property is marked as its state."""
    state = next((item.name for item in kind.data if item.name in kind.match), None)
    if kind.stateful and state is None and kind.data:
        state = kind.data[0].name
    source = join([_item(item, False) for item in kind.source])
    data = join([_item(item, kind.stateful and item.name == state) for item in kind.data])
    # Omitted for what only happens, but for an instance with nothing in it: client libraries stumble over that.
    property_flag = "true" if kind.stateful else None if source or data else "false"
    return tag(
        "aev:MessageInstance",
        tag("aev:SourceInstance", source) if source else EMPTY,
        tag("aev:DataInstance", data) if data else EMPTY,
        aev__isProperty=property_flag,
    )


def _item(item: Item, state: bool) -> Xml:
    nice = item.nice_values or (None,) * len(item.values)
    values = [tag("aev:Value", value, aev__NiceName=name) for value, name in zip(item.values, nice, strict=False)]
    return tag(
        "aev:SimpleItemInstance",
        join(values),
        aev__NiceName=item.nice_name,
        Type=item_type(item),
        Name=item.name,
        isPropertyState="true" if state else None,
    )


def item_type(item: Item) -> str:
    """XML Schema type of the values of an item."""
    if item.values == ("0", "1"):
        return "xsd:boolean"
    if item.values and all(value.lstrip("-").isdigit() for value in item.values):
        return "xsd:int"
    return "xsd:string"


async def get_event_instances(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetEventInstances``."""
    return tag("aev:GetEventInstancesResponse", topic_set(ctx.events.conditions()))


# --- scheduled events ----------------------------------------------------------------------------------------------


def _schedules(ctx: Context) -> Schedules:
    if ctx.schedules is None:
        raise Fault("this device has no schedules", "ter:ActionNotSupported", code="Receiver")
    service: Schedules = ctx.schedules
    return service


def basic_times(icalendar: str) -> str:
    """The text with its times in the basic format of ISO 8601: clients also write ``20111212T06:00``."""

    def basic(match: re.Match[str]) -> str:
        stamps = [stamp.replace("-", "").replace(":", "") for stamp in match[2].split(",")]
        return match[1] + ",".join([stamp + "00" if _MINUTES.fullmatch(stamp) else stamp for stamp in stamps])

    return _TIMES.sub(basic, icalendar)


async def add_scheduled_event(call: Call, request: Request, ctx: Context) -> Xml:
    """``AddScheduledEvent``: with DTEND an interval, without a pulse; gives ``EventID``."""
    service = _schedules(ctx)
    given = call.body.first("NewScheduledEvent")
    schedule = given.first("Schedule") if given is not None else None
    text = schedule.value("ICalendar") if schedule is not None else None
    if given is None or not text:
        raise invalid("NewScheduledEvent: needs a Name and a Schedule with an ICalendar")
    spec = {"name": given.value("Name") or "", "icalendar": basic_times(text)}
    try:
        added = await ctx.ledger.run(lambda tx: service.add(tx, spec))
    except InputError as error:
        detail = "aev:InvalidScheduleFault" if error.field.startswith("icalendar") else ""
        raise invalid(str(error), detail=detail) from None
    return tag("aev:AddScheduledEventResponse", tag("aev:EventID", str(added.id)))


async def get_scheduled_events(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetScheduledEvents``; ``ScheduleFilter/ScheduleType`` chooses ``Interval`` or ``Pulse``."""
    service = _schedules(ctx)
    filtered = call.body.first("ScheduleFilter")
    wanted = (filtered if filtered is not None else call.body).value("ScheduleType")
    if wanted not in (None, "", "Interval", "Pulse"):
        raise invalid("ScheduleType: must be Interval or Pulse")
    found = [item for item in service.schedules() if not wanted or _is_pulse(item.icalendar) == (wanted == "Pulse")]
    shown = [
        tag(
            "aev:ScheduledEvent",
            tag("aev:EventID", str(item.id)),
            tag("aev:Name", item.name),
            tag("aev:Schedule", tag("aev:ICalendar", item.icalendar)),
        )
        for item in found
    ]
    return tag("aev:GetScheduledEventsResponse", tag("aev:ScheduledEvents", join(shown)))


def _is_pulse(icalendar: str) -> bool:
    return "DTEND" not in icalendar.upper()


async def remove_scheduled_event(call: Call, request: Request, ctx: Context) -> Xml:
    """``RemoveScheduledEvent``."""
    service = _schedules(ctx)
    wanted = call.body.value("EventID") or ""
    try:
        await ctx.ledger.run(lambda tx: service.remove(tx, wanted))
    except NotFoundError:
        reason = f"EventID: there is no scheduled event {wanted[:40]!r}"
        raise invalid(reason, "ter:NotFound", detail="aev:ScheduledEventNotFoundFault") from None
    return tag("aev:RemoveScheduledEventResponse")


# --- virtual inputs ------------------------------------------------------------------------------------------------


async def change_virtual_input_state(call: Call, request: Request, ctx: Context) -> Xml:
    """``ChangeVirtualInputState``; tells whether the state is another one now."""
    text = call.body.value("port") or ""
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise invalid("port: must be the number of a virtual input")
    active = boolean(call.body.value("active"), "active")
    changed = await ctx.ledger.run(lambda tx: ctx.ports.set_virtual_input(tx, int(text), active))
    state = tag("aev:stateChanged", "true" if changed else "false")
    return tag("aev:ChangeVirtualInputStateResponse", state)


OPERATIONS: Final = tuple(
    Operation(namespace=names.EVENT1, name=name, role=role, handler=handler)
    for name, role, handler in (
        ("GetEventInstances", Role.VIEWER, get_event_instances),
        ("AddScheduledEvent", Role.OPERATOR, add_scheduled_event),
        ("GetScheduledEvents", Role.OPERATOR, get_scheduled_events),
        ("RemoveScheduledEvent", Role.OPERATOR, remove_scheduled_event),
        ("ChangeVirtualInputState", Role.OPERATOR, change_virtual_input_state),
    )
)
