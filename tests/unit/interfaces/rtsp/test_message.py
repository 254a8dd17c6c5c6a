from __future__ import annotations

import pytest

from axcore.interfaces.rtsp.message import (
    MAX_BODY,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_LINE,
    Frame,
    Message,
    MessageError,
    Reader,
    frame,
    reply,
)

OPTIONS = b"OPTIONS rtsp://host/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"


def read(data: bytes) -> list[Message | Frame]:
    reader = Reader()
    reader.feed(data)
    found = []
    while (message := reader.next()) is not None:
        found.append(message)
    return found


def test_requests_frames_and_bodies_in_a_row() -> None:
    body = b"SET_PARAMETER rtsp://h/a RTSP/1.0\r\ncseq:2\r\nContent-Length: 3\r\nX: a\r\nx: b\r\n\r\nabc"
    assert read(b"\r\n" + OPTIONS + frame(1, b"xyz") + body) == [
        Message("OPTIONS", "rtsp://host/", {"cseq": "1"}),
        Frame(1, b"xyz"),
        Message("SET_PARAMETER", "rtsp://h/a", {"cseq": "2", "content-length": "3", "x": "a, b"}, b"abc"),
    ]
    assert read(b"") == []
    assert read(OPTIONS)[0].cseq == "1"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nCSeq: 1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505),
        (b"OPTIONS rtsp://h/ RTSP/1.1\r\nCSeq: 1\r\n\r\n", 505),
        (b"OPTIONS  rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/\x00 RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\nCSeq: 1\n\n\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: x\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: -1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nCSeq: 1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nSession: 1\r\nsession: 2\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n folded: 2\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nX : 2\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nno colon\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nX: a\x0bb\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 0x1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
        (b"OPTIONS rtsp://h/" + b"a" * MAX_LINE + b" RTSP/1.0\r\nCSeq: 1\r\n\r\n", 414),
        (b"OPTIONS rtsp://h/" + b"a" * MAX_LINE, 414),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n" + b"X: 1\r\n" * 10_000 + b"\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n" + b"X: 1\r\n" * MAX_HEADERS + b"\r\n", 400),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n" + b"X: %s\r\n" % (b"x" * MAX_LINE) * 5, 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
def test_what_is_refused(data: bytes, status: int) -> None:
    reader = Reader()
    reader.feed(data)
    with pytest.raises(MessageError) as raised:
        reader.next()
    assert raised.value.status == status
    assert reader.pending == 0
    reader.feed(OPTIONS)
    with pytest.raises(MessageError):
        reader.next()


def test_the_limits_themselves_pass() -> None:
    line = b"OPTIONS rtsp://h/" + b"a" * (MAX_LINE - 26) + b" RTSP/1.0"
    assert len(line) == MAX_LINE
    head = line + b"\r\nCSeq: 1" + b"\r\nX: 1" * (MAX_HEADERS - 1) + b"\r\n\r\n"
    assert len(read(head)) == 1
    filler = b"X: " + b"x" * 4000
    head = b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n" + b"\r\n".join([filler] * 4)
    head += b"\r\nY: " + b"y" * (MAX_HEAD - len(head) - 5)
    assert len(head) == MAX_HEAD
    assert len(read(head + b"\r\n\r\n")) == 1


def test_a_sequence_number_is_answered_where_it_was_seen() -> None:
    reader = Reader()
    reader.feed(b"OPTIONS rtsp://h/ RTSP/2.0\r\nCSeq: 7\r\n\r\n")
    with pytest.raises(MessageError) as raised:
        reader.next()
    assert raised.value.cseq == "7"


def test_a_reply_has_its_headers_in_order() -> None:
    assert reply(200, "3", [("Session", "a;timeout=60")]) == (
        b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nServer: axcore\r\nSession: a;timeout=60\r\n\r\n"
    )
    assert reply(400, "", body=b"why").endswith(b"Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nwhy")
