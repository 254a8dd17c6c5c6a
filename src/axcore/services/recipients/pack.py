"""What a delivery becomes: modifiers replaced, files made. Runs in a thread; reads snapshots only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from axcore.model.actions import EmailNotification, HttpNotification, SendFiles
from axcore.model.events import Event

from .delivery import Delivery, DeliveryError, File
from .modifiers import Facts, escape_of, expand, file_part, query_of
from .parcel import Parcel

FileSource = Callable[[Delivery], tuple[bytes, str, str]]
"""Content, ending (``json``) and media type of a file. Any thread."""
NS = 1_000_000_000


class Packer:
    """``facts`` tells about the device (serial, address, hostname); ``sources`` are what *Send files* can send."""

    def __init__(
        self,
        facts: Callable[[], Mapping[str, str]],
        zone: Callable[[], tzinfo],
        sources: Mapping[str, FileSource],
    ) -> None:
        self._facts, self._zone, self.sources = facts, zone, dict(sources)

    def __call__(self, delivery: Delivery) -> Parcel:
        facts, message = self.facts(delivery), delivery.message
        if isinstance(message, HttpNotification):
            return Parcel(
                method=message.method,
                query=query_of(message.query, facts),
                text=expand(message.body, facts, escape_of(message.content_type)),
                content_type=message.content_type,
            )
        if isinstance(message, EmailNotification):
            return Parcel(subject=expand(message.subject, facts), text=expand(message.body, facts))
        if isinstance(message, SendFiles):
            return self._files(delivery, message, facts)
        return Parcel(text=expand(message.message, facts), number=delivery.sequence)

    def facts(self, delivery: Delivery) -> Facts:
        """What the modifiers of a delivery tell."""
        event = delivery.event
        items = {} if event is None else {**event.source, **event.data}
        local = datetime.fromtimestamp(delivery.wall_ns / NS, self._zone())
        topic = "" if event is None else event.topic
        return Facts(local=local, rule=delivery.rule_name, topic=topic, items=items, **self._facts())

    def _files(self, delivery: Delivery, message: SendFiles, facts: Facts) -> Parcel:
        source = self.sources.get(message.source)
        if source is None:
            raise DeliveryError(f"there is no file {message.source!r} to send")
        content, ending, media_type = source(delivery)
        # The number makes the name unique (manual: Recipients, Note).
        name = f"{file_part(expand(message.name, facts))}_{delivery.sequence:06}.{ending}"
        folder = tuple(file_part(part) for part in expand(message.folder, facts).split("/") if part.strip())
        file = File(name=name, content=content, content_type=media_type, folder=folder)
        return Parcel(subject=name, files=(file,), number=delivery.sequence)


def event_file(delivery: Delivery) -> tuple[bytes, str, str]:
    """The event that fired the rule."""
    event: Any = delivery.event or {}
    return msgspec.json.format(msgspec.json.encode(event), indent=1), "json", "application/json"


def log_file(read: Callable[[int], list[Event]], count: int = 1000) -> FileSource:
    """The latest ``count`` events, one JSON object a line."""

    def source(_delivery: Delivery) -> tuple[bytes, str, str]:
        return b"".join(msgspec.json.encode(event) + b"\n" for event in read(count)), "jsonl", "application/x-ndjson"

    return source


def information_file(describe: Callable[[], Mapping[str, Any]]) -> FileSource:
    """What the device is."""

    def source(_delivery: Delivery) -> tuple[bytes, str, str]:
        return msgspec.json.format(msgspec.json.encode(describe()), indent=1), "json", "application/json"

    return source
