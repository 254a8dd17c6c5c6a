"""An event as a notification message (WS-BaseNotification, with the message of ONVIF Core)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from axcore.model.events import Event

from .names import PREFIXES
from .xmlio import EMPTY, Xml, join, tag

SIMPLE: Final = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple"
NAMESPACES: Final[dict[str, str]] = {prefix: PREFIXES[prefix] for prefix in ("wsnt", "tt", "tns1", "tnsaxis")}
"""What the document around the message has to declare."""


def notification_xml(event: Event, operation: str) -> str:
    """``<wsnt:NotificationMessage>`` without declarations.

    ``operation`` of a property is ``Initialized``, ``Changed`` or ``Deleted``; what only happens has none.
    """
    message = tag(
        "tt:Message",
        _items("tt:Source", event.source),
        tag("tt:Key") if event.is_property else EMPTY,
        _items("tt:Data", event.data),
        UtcTime=event.time,
        PropertyOperation=operation if operation and event.is_property else None,
    )
    topic = tag("wsnt:Topic", event.topic, Dialect=SIMPLE)
    return tag("wsnt:NotificationMessage", topic, tag("wsnt:Message", message))


def _items(name: str, items: Mapping[str, str]) -> Xml:
    if not items:
        return EMPTY
    return tag(name, join([tag("tt:SimpleItem", Name=key, Value=value) for key, value in items.items()]))
