from __future__ import annotations

from axcore.interfaces.streams.notification import (
    DELETED,
    INITIALIZED,
    NAMESPACES,
    metadata_stream_xml,
    notification_json,
    notification_xml,
    xml_text,
)
from axcore.model.events import IO_PORT, Event
from axcore.testing.rtsp import items


def event(**given: object) -> Event:
    fields = {
        "id": 1, "time": "2026-01-31T12:00:00.250000Z", "topic": IO_PORT, "source": {"port": "0"},
        "data": {"state": "1"}, "is_property": True,
    }  # fmt: skip
    return Event(**{**fields, **given})  # type: ignore[arg-type]


def test_a_document_holds_the_event() -> None:
    assert items(metadata_stream_xml(event(), INITIALIZED)) == {
        "topic": IO_PORT,
        "operation": "Initialized",
        "time": "2026-01-31T12:00:00.250000Z",
        "source": {"port": "0"},
        "data": {"state": "1"},
    }
    assert items(metadata_stream_xml(event()))["operation"] == "Changed"
    assert items(metadata_stream_xml(event(), DELETED))["operation"] == "Deleted"


def test_a_pulse_has_no_property_operation() -> None:
    assert "PropertyOperation" not in notification_xml(event(is_property=False), INITIALIZED)


def test_an_event_without_items_is_a_document_too() -> None:
    found = items(metadata_stream_xml(event(source={}, data={})))
    assert (found["source"], found["data"]) == ({}, {})


def test_the_first_data_item_stays_the_first() -> None:
    text = notification_xml(event(data={"state": "1", "a": "2"}))
    assert text.index('Name="state"') < text.index('Name="a"')


def test_what_xml_cannot_hold_does_not_break_the_document() -> None:
    hostile = "<&>\"'\t\n\r\x00\x1b\ud800\ufffe\U0001f600]]>"
    found = items(metadata_stream_xml(event(source={hostile: hostile}, data={"x": hostile})))
    clean = "<&>\"'\t\n\r\ufffd\ufffd\ufffd\ufffd\U0001f600]]>"
    assert found["source"] == {clean: clean}
    assert found["data"] == {"x": clean}
    assert xml_text("plain") == "plain"


def test_the_element_names_only_declared_prefixes() -> None:
    declarations = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    document = f"<tt:MetadataStream {declarations}><tt:Event>{notification_xml(event())}</tt:Event></tt:MetadataStream>"
    assert items(document.encode())["topic"] == IO_PORT


def test_json_has_string_values_and_milliseconds() -> None:
    assert notification_json(event()) == {
        "topic": IO_PORT,
        "timestamp": 1769860800250,
        "message": {"source": {"port": "0"}, "key": {}, "data": {"state": "1"}},
    }
    assert notification_json(event(time=""))["timestamp"] == 0
