"""ONVIF events by pull point (ONVIF Core, section "Real-time Pull-Point Notification Interface").

Each subscription has an address of its own; the header ``dom0:SubscriptionId`` says the same to clients that send it
back, and ``wsa:To`` to those that post to the service's address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from axcore.errors import LimitError, NotFoundError
from axcore.interfaces.streams.notification import notification_xml
from axcore.model.accounts import Role
from axcore.model.topics import AXIS_NAMESPACE, ONVIF_NAMESPACE
from axcore.rules import Filter, parse_filter
from axcore.rules.filters import CONCRETE, CONCRETE_SET, ITEM_FILTER
from axcore.runtime.clock import NS, rfc3339
from axcore.services.events import ConditionType, Item

from . import filters, names
from .dispatch import Operation
from .entry import PATH, base
from .envelope import Call, Fault, invalid
from .event1 import item_type, topic_tree
from .subscriptions import DEFAULT_SECONDS, MAX_PULL_POINTS, PullPoint, PullPoints
from .values import seconds, until
from .xmlio import EMPTY, Xml, join, tag

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

ADDRESS: Final = f"{PATH}/pullpoint/"
MAX_TIMEOUT: Final = 60.0
"""Seconds that a pull waits at most."""
MAX_MESSAGES: Final = 256


def _points(ctx: Context) -> PullPoints:
    if ctx.pull_points is None:
        raise Fault("this device has no pull points", "ter:ActionNotSupported", code="Receiver")
    points: PullPoints = ctx.pull_points
    return points


def _base_fault(ctx: Context, detail: str, reason: str, *subcodes: str) -> Fault:
    """A fault of WS-BaseNotification, which has a time and a description."""
    content = join([tag("wsrf-bf:Timestamp", _time(ctx)), tag("wsrf-bf:Description", reason)])
    return Fault(reason, *(subcodes or ("ter:InvalidArgVal",)), detail=detail, content=content)


def _time(ctx: Context, seconds_from_now: float = 0.0) -> str:
    return rfc3339(ctx.clock.wall_ns() + round(seconds_from_now * NS))


def _point(call: Call, request: Request, ctx: Context) -> PullPoint:
    key = request.path_params.get("id", "")
    if not key:
        key = next((header.text.strip() for header in call.headers if header.name == "SubscriptionId"), "")
    if not key:
        key = call.header(names.WSA, "To").partition(ADDRESS)[2]
    try:
        return _points(ctx).get(key, request.identity.name, ctx.streams)
    except NotFoundError as error:
        subcodes = ("ter:InvalidArgVal", "wsrf-rw:ResourceUnknownFault")
        raise _base_fault(ctx, "wsrf-rw:ResourceUnknownFault", error.reason, *subcodes) from None


def _lifetime(text: str | None, ctx: Context, detail: str) -> float:
    if not text:
        return DEFAULT_SECONDS
    try:
        asked = until(text, ctx.clock.wall_ns())
    except ValueError as error:
        raise _base_fault(ctx, detail, f"TerminationTime: {error}") from None
    if asked <= 0:
        raise _base_fault(ctx, detail, "TerminationTime: is over already")
    return asked


async def create(call: Call, request: Request, ctx: Context) -> Xml:
    """``CreatePullPointSubscription``: filter and end; the present states of properties come first."""
    given = call.body.first("Filter")
    asked = Filter()
    if given is not None and given.children:
        try:
            texts = filters.read_filter(given, "wsnt")
        except Fault as error:
            raise _base_fault(ctx, error.detail, error.reason) from None
        asked = parse_filter(texts.topic, texts.content, dialect=texts.dialect)
    end = _lifetime(call.body.value("InitialTerminationTime"), ctx, "wsnt:UnacceptableInitialTerminationTimeFault")
    try:
        point = _points(ctx).create(request.identity.name, asked, end, ctx.streams)
    except LimitError as error:
        raise _base_fault(ctx, "wsnt:UnableToCreatePullPointFault", error.reason) from None
    reference = tag(
        "tev:SubscriptionReference",
        tag("wsa:Address", base(request) + ADDRESS + point.key),
        tag("wsa:ReferenceParameters", tag("dom0:SubscriptionId", point.key)),
    )
    return tag(
        "tev:CreatePullPointSubscriptionResponse",
        reference,
        tag("wsnt:CurrentTime", _time(ctx)),
        tag("wsnt:TerminationTime", _time(ctx, point.left)),
    )


async def pull(call: Call, request: Request, ctx: Context) -> Xml:
    """``PullMessages``: waits up to ``Timeout`` for the first of up to ``MessageLimit`` messages."""
    point = _point(call, request, ctx)
    text = call.body.value("Timeout")
    try:
        timeout = min(seconds(text), MAX_TIMEOUT) if text else MAX_TIMEOUT
    except ValueError as error:
        raise invalid(f"Timeout: {error}") from None
    limit = call.body.value("MessageLimit") or "1"
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10 and int(limit) > 0):
        raise invalid("MessageLimit: must be a number above 0")
    messages = await point.pull(min(int(limit), MAX_MESSAGES), timeout)
    dropped = point.new_drops()
    return tag(
        "tev:PullMessagesResponse",
        tag("tev:CurrentTime", _time(ctx)),
        tag("tev:TerminationTime", _time(ctx, point.left)),
        join([Xml(notification_xml(event, operation)) for event, operation in messages]),
        axcore__Dropped=str(dropped) if dropped else None,
    )


async def renew(call: Call, request: Request, ctx: Context) -> Xml:
    """``Renew``: a new end, as time or as duration from now."""
    point = _point(call, request, ctx)
    point.renew(_lifetime(call.body.value("TerminationTime"), ctx, "wsnt:UnacceptableTerminationTimeFault"))
    return tag(
        "wsnt:RenewResponse",
        tag("wsnt:TerminationTime", _time(ctx, point.left)),
        tag("wsnt:CurrentTime", _time(ctx)),
    )


async def unsubscribe(call: Call, request: Request, ctx: Context) -> Xml:
    """``Unsubscribe``."""
    _points(ctx).remove(_point(call, request, ctx), ctx.streams)
    return tag("wsnt:UnsubscribeResponse")


async def set_synchronization_point(call: Call, request: Request, ctx: Context) -> Xml:
    """``SetSynchronizationPoint``: the states of all properties are told again."""
    _point(call, request, ctx).synchronize()
    return tag("tev:SetSynchronizationPointResponse")


# --- what there is -------------------------------------------------------------------------------------------------


async def get_event_properties(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetEventProperties``: dialects, and the topics with their message descriptions."""
    return tag(
        "tev:GetEventPropertiesResponse",
        tag("tev:TopicNamespaceLocation", ONVIF_NAMESPACE),
        tag("tev:TopicNamespaceLocation", AXIS_NAMESPACE),
        tag("wsnt:FixedTopicSet", "false"),
        topic_tree(ctx.events.conditions(), _description),
        tag("wsnt:TopicExpressionDialect", CONCRETE),
        tag("wsnt:TopicExpressionDialect", CONCRETE_SET),
        tag("tev:MessageContentFilterDialect", ITEM_FILTER),
        tag("tev:MessageContentSchemaLocation", names.TT),
    )


def _description(kind: ConditionType) -> Xml:
    def items(name: str, given: tuple[Item, ...]) -> Xml:
        shown = [tag("tt:SimpleItemDescription", Name=item.name, Type=item_type(item)) for item in given]
        return tag(name, join(shown)) if shown else EMPTY

    return tag(
        "tt:MessageDescription",
        items("tt:Source", kind.source),
        items("tt:Data", kind.data),
        IsProperty="true" if kind.stateful else "false",
    )


async def get_service_capabilities(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetServiceCapabilities``."""
    capabilities = tag(
        "tev:Capabilities",
        WSSubscriptionPolicySupport="false",
        WSPullPointSupport="true",
        WSPausableSubscriptionManagerInterfaceSupport="false",
        MaxNotificationProducers="0",
        MaxPullPoints=str(MAX_PULL_POINTS),
        PersistentNotificationStorage="false",
    )
    return tag("tev:GetServiceCapabilitiesResponse", capabilities)


OPERATIONS: Final = tuple(
    Operation(namespace=namespace, name=name, role=role, handler=handler)
    for namespace, name, role, handler in (
        (names.TEV, "CreatePullPointSubscription", Role.OPERATOR, create),
        (names.TEV, "PullMessages", Role.OPERATOR, pull),
        (names.TEV, "SetSynchronizationPoint", Role.OPERATOR, set_synchronization_point),
        (names.WSNT, "Renew", Role.OPERATOR, renew),
        (names.WSNT, "Unsubscribe", Role.OPERATOR, unsubscribe),
        (names.TEV, "GetEventProperties", Role.VIEWER, get_event_properties),
        (names.TEV, "GetServiceCapabilities", Role.VIEWER, get_service_capabilities),
    )
)
