from __future__ import annotations

import pytest

from axcore.errors import InputError
from axcore.interfaces.rtsp.server import ports_for
from axcore.interfaces.rtsp.target import Transport, choose_transport, describe, parse_target, read_stream

BASE = "rtsp://host:554/axis-media/media.amp"


def test_addresses() -> None:
    target = parse_target(BASE + "?video=0&event=on")
    assert target is not None
    assert (target.base, target.path, target.query) == ("rtsp://host:554", "/axis-media/media.amp", "video=0&event=on")
    assert target.track == "rtsp://host:554/axis-media/media.amp/stream=events?video=0&event=on"
    track = parse_target(target.track)
    assert track is not None
    assert track.is_stream
    assert track.path.endswith("/stream=events")
    assert track.same(target)
    other = parse_target("rtsp://[::1]/axis-media/media.amp/")
    assert other is not None
    assert (other.base, other.path) == ("rtsp://[::1]", "/axis-media/media.amp")
    assert not other.same(target)


@pytest.mark.parametrize(
    "uri", ["*", "/axis-media/media.amp", "http://h/", "rtsp://", "rtsp://u:p@h/", "rtsp://h:99999/", "rtsp://h/#x", "rtsp://h\r\n/"]
)  # fmt: skip
def test_what_is_no_address(uri: str) -> None:
    assert parse_target(uri) is None


def stream(query: str, path: str = "/axis-media/media.amp") -> object:
    target = parse_target(f"rtsp://host{path}?{query}")
    assert target is not None
    return read_stream(target)


def test_only_the_event_stream_is_there() -> None:
    assert stream("event=on")
    assert stream("event=on&video=1&audio=1&videocodec=h264")
    assert stream("videocodec=h264") is None
    assert stream("event=off") is None
    assert stream("event=on", "/axis-media/other.amp") is None


def test_filters_come_percent_encoded() -> None:
    text = "event=on&eventtopic=onvif%3ADevice%2Faxis%3AIO%2F%2F.%7Convif:Other"
    text += "&eventcontent=boolean(//SimpleItem[@Name=%22port%22%20and%20@Value=%221%22])"
    found = stream(text)
    assert isinstance(found, tuple)
    assert [topic.path for topic in found[0].topics] == ["tns1:Device/tnsaxis:IO", "tns1:Other"]
    assert found[0].matches("tns1:Device/tnsaxis:IO/Port", {"port": "1"}, {})
    assert not found[0].matches("tns1:Device/tnsaxis:IO/Port", {"port": "2"}, {})


@pytest.mark.parametrize(
    "query", ["event=on&eventtopic=a%20b", "event=on&eventcontent=x", "event=on&x=%zz", "event=on&event=off"]
)
def test_filters_that_are_not_understood(query: str) -> None:
    with pytest.raises(InputError):
        stream(query)


@pytest.mark.parametrize(
    ("text", "transport"),
    [
        ("RTP/AVP;unicast;client_port=50000-50001", Transport(50000, 50001, tcp=False)),
        ("RTP/AVP/UDP;unicast;client_port=50000", Transport(50000, 50001, tcp=False)),
        ("RTP/AVP/TCP;unicast;interleaved=2-3", Transport(2, 3, tcp=True)),
        ("rtp/avp/tcp", Transport(0, 1, tcp=True)),
        ("RTP/AVP;multicast, RTP/AVP/TCP;interleaved=0-1", Transport(0, 1, tcp=True)),
        ('RTP/AVP;client_port=50000-50001;mode="PLAY"', Transport(50000, 50001, tcp=False)),
        ("", None),
        ("RTP/AVP;unicast", None),
        ("RTP/AVP;multicast", None),
        ("RTP/SAVP;client_port=50000-50001", None),
        ("RTP/AVP;client_port=50000-50001;destination=192.0.2.1", None),
        ("RTP/AVP;client_port=50000-50001;mode=RECORD", None),
        ("RTP/AVP;client_port=53-54", None),
        ("RTP/AVP;client_port=50001-50000", None),
        ("RTP/AVP;client_port=65535", None),
        ("RTP/AVP;client_port=99999-100000", None),
        ("RTP/AVP;client_port=x", None),
        ("RTP/AVP/TCP;interleaved=255-256", None),
        (";;;,,,=", None),
    ],
)
def test_transports(text: str, transport: Transport | None) -> None:
    assert choose_transport(text) == transport


def test_the_description_has_an_absolute_control_address_after_its_medium() -> None:
    target = parse_target(BASE + "?event=on")
    assert target is not None
    lines = describe(target, "192.0.2.7", 5).decode().split("\r\n")
    medium = lines.index("m=application 0 RTP/AVP 98")
    assert f"a=control:{target.track}" in lines[medium:]
    assert "a=rtpmap:98 vnd.onvif.metadata/90000" in lines[medium:]
    assert "o=- 5 1 IN IP4 192.0.2.7" in lines
    assert b"IN IP6 fe80::1\r\n" in describe(target, "fe80::1%eth0", 5)


def test_ports_to_try() -> None:
    assert ports_for("off", simulate=True) == ()
    assert ports_for(0, simulate=True) == (0,)
    assert ports_for("auto", simulate=True) == (8554, 0)
    assert ports_for("auto", simulate=False) == (554, 8554, 0)
