"""The RTSP parser against a plain reference, in any pieces, and against anything at all."""

from __future__ import annotations

import contextlib

from hypothesis import example, given
from hypothesis import strategies as st

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
)
from axcore.interfaces.rtsp.target import choose_transport, describe, parse_target, read_stream

TOKEN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=12)
NAME = st.text("ABCXYZabcxyz-", min_size=1, max_size=10).map(lambda name: "X-" + name)
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)
URI = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, Message]:
    """A request as octets, and what it says."""
    method, uri, cseq = draw(TOKEN), draw(URI), str(draw(st.integers(0, 999_999_999)))
    body = draw(st.binary(max_size=64))
    extra = draw(st.dictionaries(NAME, VALUE.map(str.strip), max_size=5))
    extra = {name: value.strip(" \t") for name, value in {n.lower(): v for n, v in extra.items()}.items()}
    lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {cseq}", *(f"{n}:  {v}\t" for n, v in extra.items())]
    headers = {"cseq": cseq, **extra}
    if body or draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
        headers["content-length"] = str(len(body))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body, Message(method, uri, headers, body)


FRAMES = st.tuples(st.integers(0, 255), st.binary(max_size=300)).map(lambda f: (frame(*f), Frame(*f)))
CUTS = st.lists(st.integers(1, 40), max_size=200)
NOISE = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [b"\r\n", b"\r", b"\n", b"$", b"OPTIONS", b" ", b"rtsp://h/", b"RTSP/1.0", b"CSeq: 1\r\n", b"\r\n\r\n",
             b"Content-Length: 5\r\n", b"Content-Length: 99999\r\n", b":", b"\x00", b"\xff", b"$\x00\x00\x02ab"]
        ),
        max_size=40,
    ).map(b"".join),
)  # fmt: skip


def outcome(pieces: list[bytes]) -> tuple[list[Message | Frame], tuple[int, str] | None]:
    """Messages, and status and sequence number of the error that ends them."""
    reader, found = Reader(), []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (message := reader.next()) is not None:
                found.append(message)
        except MessageError as error:
            return found, (error.status, error.cseq)
        assert reader.pending <= len(piece) + MAX_HEAD + MAX_BODY + 65539
    return found, None


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


@given(st.lists(requests() | FRAMES, max_size=5), CUTS)
def test_what_was_written_is_read_in_any_pieces(written: list[tuple[bytes, Message | Frame]], sizes: list[int]) -> None:
    data = b"".join(octets for octets, _ in written)
    assert outcome(cut(data, sizes)) == ([message for _, message in written], None)


@given(NOISE, CUTS)
@example(b"OPTIONS " + b"a" * (MAX_LINE + 9) + b"\r\nbad\r\n\r\n", [40] * 200)
@example(b"O rtsp://h/ RTSP/1.0\r\n" + b"X:1\r\n" * (MAX_HEAD // 5) + b"\r\n", [40] * 200)
@example(b"O rtsp://h/ RTSP/1.0\r\n" + b"X:1\r\n" * (MAX_HEADERS + 1) + b"\r\n", [3] * 200)
def test_noise_is_refused_or_waited_for_the_same_in_any_pieces(data: bytes, sizes: list[int]) -> None:
    assert outcome(cut(data, sizes)) == outcome([data])


def plain(data: bytes) -> list[Message | Frame] | None:
    """A reference for whole messages: slow, by splitting; None for what it does not understand."""
    found: list[Message | Frame] = []
    while data:
        if data.startswith(b"\r\n"):
            data = data[2:]
        elif data.startswith(b"$"):
            size = 4 + int.from_bytes(data[2:4], "big")
            if len(data) < max(4, size):
                return found
            found.append(Frame(data[1], data[4:size]))
            data = data[size:]
        else:
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                return found
            lines = head.decode("latin-1").split("\r\n")
            words = lines[0].split(" ")
            pairs = [line.split(":", 1) for line in lines[1:]]
            if len(words) != 3 or words[2] != "RTSP/1.0" or any(len(pair) < 2 for pair in pairs):
                return None
            headers = {name.lower(): value.strip(" \t") for name, value in pairs}
            if len(headers) < len(pairs) or not headers.get("cseq", "").isascii():
                return None
            length = int(headers.get("content-length", "0"))
            if len(rest) < length:
                return found
            found.append(Message(words[0], words[1], headers, rest[:length]))
            data = rest[length:]
    return found


@given(NOISE)
def test_what_is_accepted_is_what_a_plain_reader_reads(data: bytes) -> None:
    found, error = outcome([data])
    if error is None:
        assert found == plain(data)


@given(st.text(max_size=120) | URI.map(lambda text: "rtsp://host/axis-media/media.amp?" + text))
def test_any_address_is_read_or_refused(text: str) -> None:
    target = parse_target(text)
    if target is not None:
        assert parse_target(target.track) is not None
        assert b"\n" not in describe(target, "192.0.2.1", 1).replace(b"\r\n", b"")
        with contextlib.suppress(ValueError):
            read_stream(target)


PARTS = ["RTP/AVP", "/TCP", ";", ",", "client_port=", "interleaved=", "1-2", "50000-50001", "unicast", "=", '"']


@given(st.text(st.characters(max_codepoint=0xFF), max_size=80) | st.lists(st.sampled_from(PARTS)).map("".join))
def test_any_transport_is_chosen_or_refused(text: str) -> None:
    chosen = choose_transport(text)
    if chosen is not None:
        assert (0 if chosen.tcp else 1024) <= chosen.rtp < chosen.rtcp <= (255 if chosen.tcp else 65535)
