"""An event on the wire: as ``wsnt:NotificationMessage``, as ONVIF metadata document, as the JSON of the data stream.

Sources: OASIS WS-BaseNotification 1.3; ONVIF Core Specification, section "Notification interface" (message format) and
Streaming Specification, section "Metadata" (the document); VAPIX event streaming over websocket.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from axcore.model.topics import AXIS_NAMESPACE, ONVIF_NAMESPACE
from axcore.runtime.clock import parse_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from axcore.model.events import Event

INITIALIZED: Final = "Initialized"
CHANGED: Final = "Changed"
DELETED: Final = "Deleted"
DIALECT: Final = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple"
NAMESPACES: Final[Mapping[str, str]] = {
    "tt": "http://www.onvif.org/ver10/schema",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "tns1": ONVIF_NAMESPACE,
    "tnsaxis": AXIS_NAMESPACE,
}
"""Prefixes that ``notification_xml`` uses; whoever embeds the element declares them."""

_DECLARATIONS: Final = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
_SPECIAL: Final = re.compile('[&<>"\t\n\r]|[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
_ENTITIES: Final = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;",
}  # fmt: skip


def xml_text(text: str) -> str:
    """``text`` for an XML attribute or text node; what XML 1.0 cannot hold becomes U+FFFD."""
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], "\ufffd"), text)


def notification_xml(event: Event, operation: str = CHANGED) -> str:
    """The ``<wsnt:NotificationMessage>`` element of an event, with the prefixes of ``NAMESPACES``.

    ``operation`` is INITIALIZED, CHANGED or DELETED; a pulse has none, whatever is given. The topic is plain text in
    its declared spelling (``tns1:Device/tnsaxis:IO/Port``); items keep the order of the event, state first.
    """
    kind = f' PropertyOperation="{xml_text(operation)}"' if event.is_property and operation else ""
    return (
        f'<wsnt:NotificationMessage><wsnt:Topic Dialect="{DIALECT}">{xml_text(event.topic)}</wsnt:Topic>'
        f'<wsnt:Message><tt:Message UtcTime="{xml_text(event.time)}"{kind}>'
        f"{_items('Source', event.source)}<tt:Key/>{_items('Data', event.data)}"
        "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


def metadata_stream_xml(event: Event, operation: str = CHANGED) -> bytes:
    """One complete ``tt:MetadataStream`` document with one event, UTF-8."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<tt:MetadataStream {_DECLARATIONS}>'
        f"<tt:Event>{notification_xml(event, operation)}</tt:Event></tt:MetadataStream>"
    ).encode()


def notification_json(event: Event) -> dict[str, Any]:
    """``{timestamp, topic, message: {source, key, data}}``: timestamp in ms of UTC since 1970, every value a string."""
    return {
        "topic": event.topic,
        "timestamp": timestamp_ms(event),
        "message": {"source": dict(event.source), "key": {}, "data": dict(event.data)},
    }


def timestamp_ms(event: Event) -> int:
    """When the event happened: ms of UTC since 1970; 0 if it bears no time."""
    try:
        return parse_rfc3339(event.time) // 1_000_000
    except ValueError:
        return 0


def _items(part: str, items: Mapping[str, str]) -> str:
    if not items:
        return f"<tt:{part}/>"
    inner = "".join(
        f'<tt:SimpleItem Name="{xml_text(name)}" Value="{xml_text(value)}"/>' for name, value in items.items()
    )
    return f"<tt:{part}>{inner}</tt:{part}>"
