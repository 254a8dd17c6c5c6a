"""The parts of the MQTT service that decide without a network: topics, queues, back-off, packets, frames, payloads."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.model import events
from axcore.model.events import Event
from axcore.model.mqtt import EventFilter, Message, Publication, Subscription
from axcore.services.mqtt import websocket
from axcore.services.mqtt.backoff import LEAST_S, STABLE_S, Backoff
from axcore.services.mqtt.framing import HEAD, MAX_PACKET, ProtocolError, Splitter
from axcore.services.mqtt.incoming import MAX_PAYLOAD, Incoming, Pace, payload_text
from axcore.services.mqtt.outgoing import Outgoing
from axcore.services.mqtt.publication import Publisher
from axcore.services.mqtt.topics import check_filter, check_name, matches
from axcore.testing.mqtt_broker import length, publish

# --- topics


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True), ("a/b", "a/b/c", False), ("a/+", "a/b", True), ("a/+", "a/", True), ("a/+", "a", False),
        ("+/+", "/finance", True), ("/+", "/finance", True), ("+", "/finance", False), ("sport/#", "sport", True),
        ("sport/#", "sport/a/b", True), ("#", "a/b", True), ("#", "$SYS/a", False), ("+/a", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True), ("a/+/c", "a/b/c", True), ("a/+/c", "a/b/d", False), ("a", "A", False),
        ("$share/group/a/+", "a/b", True),
    ],
)  # fmt: skip
def test_matching_is_that_of_the_standard(pattern: str, topic: str, expected: bool) -> None:
    assert matches(check_filter(pattern, "f"), topic) is expected


@pytest.mark.parametrize("text", ["", "a+", "a/b#", "#/a", "a/#/b", "a\0b", "a\nb", "x" * 1025, "$share/a", "\ud800"])
def test_invalid_filters_name_the_field(text: str) -> None:
    with pytest.raises(InputError) as error:
        check_filter(text, "mqttFilterList[0].topicFilter")
    assert error.value.field == "mqttFilterList[0].topicFilter"


@pytest.mark.parametrize("text", ["", "a/+", "#", "a\0"])
def test_invalid_names(text: str) -> None:
    with pytest.raises(InputError):
        check_name(text, "topic")


_LEVEL = st.text("ab", max_size=2)
_NAME = st.lists(_LEVEL, min_size=1, max_size=4).map("/".join)
_PATTERN = st.lists(_LEVEL | st.just("+"), min_size=1, max_size=4).flatmap(
    lambda levels: st.sampled_from(["/".join(levels), "/".join([*levels, "#"])])
)


@given(_PATTERN, _NAME)
def test_matching_against_the_library(pattern: str, name: str) -> None:
    from paho.mqtt.client import topic_matches_sub

    assert matches(pattern, name) == topic_matches_sub(pattern, name)


# --- back-off


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 20)), min_size=1, max_size=60))
def test_never_more_than_three_connects_a_second_nor_longer_than_ten(steps: list[tuple[float, float]]) -> None:
    backoff = Backoff()
    for random, lasted in steps:
        assert LEAST_S <= backoff.next(random, lasted) <= 10.0


def test_a_connection_that_lasts_begins_anew() -> None:
    backoff = Backoff()
    waits = [backoff.next(0.5) for _ in range(6)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert backoff.next(0.5, STABLE_S - 1) == 8.0
    assert backoff.next(0.5, STABLE_S) == 0.5


# --- what waits for the broker


def test_what_promises_nothing_makes_room() -> None:
    queue = Outgoing(max_messages=3)
    for number in range(3):
        assert queue.post(Message(f"t{number}", b"", 1 if number == 1 else 0))
    assert queue.post(Message("t3", b"", 2))
    assert queue.lost == 1
    assert [message.topic for message in iter(queue.take, None)] == ["t1", "t2", "t3"]


def test_what_was_accepted_with_qos_1_stays() -> None:
    queue = Outgoing(max_messages=2)
    assert queue.post(Message("a", b"", 1))
    assert queue.post(Message("b", b"", 1))
    assert not queue.post(Message("c", b"", 1))
    assert not queue.post(Message("d", b"", 0))
    assert (queue.lost, [message.topic for message in iter(queue.take, None)]) == (2, ["a", "b"])


_MESSAGES = st.lists(st.tuples(st.sampled_from((0, 1, 2)), st.integers(0, 400)), max_size=80)


@given(_MESSAGES)
def test_the_queue_is_bounded_and_keeps_order(messages: list[tuple[int, int]]) -> None:
    queue = Outgoing(max_messages=10, max_octets=1000)
    accepted = []
    for number, (qos, size) in enumerate(messages):
        message = Message(str(number), b"x" * size, qos)  # type: ignore[arg-type]
        if queue.post(message) and qos:
            accepted.append(message)
        assert len(queue) <= 10
        assert queue.octets <= 1000
    taken = list(iter(queue.take, None))
    assert [message for message in taken if message.qos] == accepted
    assert [int(message.topic) for message in taken] == sorted(int(message.topic) for message in taken)
    assert queue.lost == len(messages) - len(taken)
    assert queue.octets == 0


# --- what comes from the broker


def box(*subscriptions: Subscription, **limits: int) -> Incoming:
    incoming = Incoming(**limits)
    incoming.set_filters(tuple((each, each.topic_filter) for each in subscriptions))
    return incoming


STATE, PULSE = Subscription(topic_filter="s/#", is_state_data=True), Subscription(topic_filter="p/+")


def test_the_newest_state_wins_and_nothing_is_lost() -> None:
    incoming = box(STATE, max_messages=2)
    for number in range(1000):
        assert incoming.put("s/a", b"%d" % number)
    assert [(found.payload, found.stateful) for found in incoming.take(10)] == [("999", True)]
    assert (incoming.lost, incoming.octets, len(incoming)) == (0, 0, 0)


def test_pulses_queue_in_order_and_the_rest_is_counted() -> None:
    incoming = box(PULSE, max_messages=3)
    assert [incoming.put("p/a", b"%d" % number) for number in range(5)] == [True, True, True, False, False]
    assert [found.payload for found in incoming.take(2)] == ["0", "1"]
    assert incoming.lost == 2


def test_what_was_retained_is_a_state_but_no_pulse() -> None:
    incoming = box(STATE, PULSE)
    assert not incoming.put("p/a", b"Open", retained=True)
    assert incoming.put("s/a", b"On", retained=True)


@pytest.mark.parametrize("payload", [b"x" * (MAX_PAYLOAD + 1), b"\x00" * (MAX_PAYLOAD // 2)])
def test_what_is_too_large_is_counted(payload: bytes) -> None:
    incoming = box(STATE, PULSE)
    assert not incoming.put("s/a", payload)
    assert not incoming.put("p/a", payload)
    assert not incoming.put("p/a", b"head", whole=False)
    assert incoming.lost == 3


def test_messages_of_no_subscription_are_nothing() -> None:
    incoming = box(PULSE)
    assert not incoming.put("q/a", b"x" * 100_000)
    assert (len(incoming), incoming.lost) == (0, 0)


def test_many_are_more_than_32_in_50_ms_now_or_just_before() -> None:
    pace = Pace()
    for number in range(100):  # 20 a second
        pace.add(number / 20)
        assert not pace.many(number / 20)
    for number in range(1000):  # 2000 a second
        now = 10.0 + number / 2000
        pace.add(now)
        assert pace.many(now) is (number > 31)
    assert pace.many(now + 0.04)
    assert not pace.many(now + 0.1)
    pace.add(now + 0.2)
    assert not pace.many(now + 0.2)


def test_subscriptions_that_are_gone_take_their_messages_with_them() -> None:
    incoming = box(STATE, PULSE)
    incoming.put("s/a", b"1")
    incoming.put("p/a", b"2")
    incoming.set_filters(((PULSE, "p/+"),))
    assert [found.payload for found in incoming.take(10)] == ["2"]
    assert incoming.octets == 0


def test_put_back_keeps_newer_states() -> None:
    incoming = box(STATE, PULSE)
    incoming.put("s/a", b"old")
    incoming.put("p/a", b"1")
    taken = incoming.take(10)
    incoming.put("s/a", b"new")
    incoming.put("p/a", b"2")
    incoming.put_back(taken)
    assert [found.payload for found in incoming.take(10)] == ["new", "1", "2"]


@given(st.binary(max_size=200))
def test_payloads_become_text_that_xml_and_json_can_carry(payload: bytes) -> None:
    text = payload_text(payload)
    assert all(letter in "\t\r\n" or ord(letter) >= 32 for letter in text)
    assert json.loads(json.dumps(text)) == text
    text.encode()


def test_readable_payloads_stay_as_they_are() -> None:
    assert payload_text('Tür auf\n{"a": 1}'.encode()) == 'Tür auf\n{"a": 1}'
    assert payload_text(b"\xff\x00On") == "\\xff\\x00On"


# --- packets


@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(1, 40))
def test_packets_survive_any_division(bodies: list[bytes], step: int) -> None:
    stream = b"".join(b"\x40" + length(len(body)) + body for body in bodies)
    splitter, found = Splitter(), []
    for at in range(0, len(stream), step):
        splitter.feed(stream[at : at + step])
        while (packet := splitter.next()) is not None:
            found.append(packet.body)
    assert found == bodies
    assert len(splitter) == 0


@given(st.binary(max_size=400))
def test_garbage_is_an_error_or_bounded(data: bytes) -> None:
    splitter = Splitter()
    splitter.feed(data)
    try:
        while splitter.next() is not None:
            pass
    except ProtocolError:
        return
    assert len(splitter) <= len(data)


@pytest.mark.parametrize("step", [997, 65_536, 10_000_000])
def test_a_publish_that_is_too_large_leaves_its_head_and_nothing_else(step: int) -> None:
    stream = publish(b"Door", b"x" * 3_000_000, 1) + publish(b"Door", b"Open")
    splitter, found, most = Splitter(), [], 0
    for at in range(0, len(stream), step):
        splitter.feed(stream[at : at + step])
        while (packet := splitter.next()) is not None:
            found.append(packet)
        most = max(most, len(splitter))
    assert [(packet.whole, len(packet.body)) for packet in found] == [(False, HEAD), (True, 10)]
    assert most <= HEAD + step


@pytest.mark.parametrize("stream", [b"\x30\xff\xff\xff\xff\x01", b"\x90" + length(MAX_PACKET + 1)])
def test_lies_are_errors(stream: bytes) -> None:
    splitter = Splitter()
    splitter.feed(stream)
    with pytest.raises(ProtocolError):
        splitter.next()


# --- web socket


def server_frame(data: bytes, opcode: int = 2, *, final: bool = True) -> bytes:
    size = len(data)
    head = bytes(((0x80 if final else 0) | opcode,))
    if size < 126:
        return head + bytes((size,)) + data
    return head + (b"\x7e" + size.to_bytes(2, "big") if size < 65536 else b"\x7f" + size.to_bytes(8, "big")) + data


@given(st.lists(st.binary(max_size=70_000), max_size=3), st.integers(1, 5000))
def test_frames_of_any_length_and_division(parts: list[bytes], step: int) -> None:
    stream = b"".join(server_frame(part) + server_frame(b"hi", 9) for part in parts)
    decoder, found = websocket.Decoder(), bytearray()
    for at in range(0, len(stream), step):
        found += decoder.feed(stream[at : at + step])
    assert bytes(found) == b"".join(parts)
    assert len(decoder.reply) == len(parts) * (2 + 4 + 2)


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_masking_is_its_own_inverse(data: bytes, mask: bytes) -> None:
    assert websocket.masked(data, mask) == bytes(octet ^ mask[at % 4] for at, octet in enumerate(data))


@given(st.binary(max_size=100_000))
def test_our_frames_are_masked_and_whole(data: bytes) -> None:
    frame = websocket.frame(data)
    extra = {126: 2, 127: 8}.get(frame[1] & 0x7F, 0)
    assert frame[1] & 0x80
    assert websocket.masked(frame[2 + extra + 4 :], frame[2 + extra : 6 + extra]) == data


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x01a", b"\xc2\x00", b"\x82\x81abcd", b"\x80\x00", b"\x89\x7e\x00\x80", b"\x09\x00", b"\x8b\x00",
        b"\x02\x00\x82\x00",
    ],
    ids=["text", "reserved", "masked", "continuation", "long ping", "split ping", "unknown", "new in the middle"],
)  # fmt: skip
def test_frames_that_cannot_be(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        websocket.Decoder().feed(frame)


def test_fragments_and_goodbye() -> None:
    decoder = websocket.Decoder()
    assert decoder.feed(server_frame(b"ab", final=False) + server_frame(b"cd", 0)) == b"abcd"
    assert decoder.feed(server_frame(b"\x03\xe8", 8)) == b""
    assert decoder.closed


def test_the_upgrade() -> None:
    request, key = websocket.request("::1", 80, "/broker/mqtt", False)
    head = request.decode()
    assert head.startswith("GET /broker/mqtt HTTP/1.1\r\nHost: [::1]\r\n")
    assert "Sec-WebSocket-Protocol: mqtt\r\n" in head
    accept = b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    good = f"HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt"
    websocket.check_response(good.encode(), key)
    for bad in (good.replace("101", "404"), good.replace(accept, "x"), good.replace(": mqtt", ": chat"), "", "\xff"):
        with pytest.raises(ProtocolError):
            websocket.check_response(bad.encode("latin-1"), key)


@given(st.binary(max_size=300))
def test_any_answer_is_an_error(head: bytes) -> None:
    with pytest.raises(ProtocolError):
        websocket.check_response(head, "key")


# --- events as messages

PORT = Event(
    id=7, time="2026-01-31T12:00:00.250000Z", topic=events.IO_PORT, source={"port": "0"}, data={"state": "1"},
    is_property=True,
)  # fmt: skip


def test_the_payload_is_what_home_assistant_reads() -> None:
    publisher = Publisher(
        Publication(event_filter_list=(EventFilter(topic_filter="onvif:Device//."),)), "axis/SERIAL", "SERIAL"
    )
    message = publisher.message(PORT)
    assert message is not None
    assert message.topic == "axis/SERIAL/event/onvif:Device/axis:IO/Port"
    assert message.payload == (
        b'{"topic":"onvif:Device/axis:IO/Port","timestamp":1769860800250,'
        b'"message":{"source":{"port":"0"},"key":{},"data":{"state":"1"}}}'
    )


def test_the_first_filter_that_matches_says_how() -> None:
    filters = (
        EventFilter(topic_filter="onvif:Device/axis:IO/Port", qos=2, retain="all"),
        EventFilter(topic_filter="onvif:Device//.", qos=1),
    )
    message = Publisher(Publication(event_filter_list=filters), "p", "s").message(PORT)
    assert message is not None
    assert (message.qos, message.retain) == (2, True)


def test_what_came_by_mqtt_does_not_go_out_by_mqtt() -> None:
    everything = EventFilter(topic_filter="axis:MQTT//.|onvif:Device//.")
    publisher = Publisher(Publication(event_filter_list=(everything,)), "p", "s")
    for topic in (events.MQTT_STATEFUL, events.MQTT_STATELESS):
        assert publisher.message(Event(id=1, time=PORT.time, topic=topic)) is None
    assert publisher.message(Event(id=1, time=PORT.time, topic=events.MQTT_CLIENT_STATUS)) is not None
