"""The ingress limit: what it lets through, and when."""

import socket
from collections.abc import Iterator

import pytest

from axcore.voice.ingress import HOLD_NS, NS, PASSED, Gate, Meter, udp_socket


def test_the_limit_comes_into_force_and_goes() -> None:
    meter = Meter(10)
    assert not meter.add(10, 0)
    assert meter.add(1, NS // 2)
    assert meter.floods == 1
    assert meter.add(0, NS // 2 + HOLD_NS - 1)
    assert not meter.add(0, NS // 2 + HOLD_NS)


def test_a_flood_that_goes_on_is_one_flood() -> None:
    meter = Meter(10)
    assert [meter.add(11, second * NS) for second in range(5)] == [True] * 5
    assert meter.floods == 1


def test_it_tells_how_long_it_stays_so_that_nobody_has_to_look_more_often() -> None:
    meter = Meter(10)
    assert meter.rest_ms(0) == 0
    meter.add(11, NS)
    assert meter.rest_ms(NS) == HOLD_NS // 1_000_000
    assert meter.rest_ms(NS + HOLD_NS - 1) == 1
    assert not meter.add(0, NS + HOLD_NS)
    assert meter.rest_ms(NS + HOLD_NS) == 0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours, socket.socket(type=socket.SOCK_DGRAM) as theirs:
        ours.bind(("127.0.0.1", 0))
        ours.setblocking(False)
        theirs.connect(ours.getsockname())
        yield ours, theirs


def received(ours: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(ours.recv(100))
        except BlockingIOError:
            return found


def test_a_shut_gate_lets_through_what_belongs_to_calls(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    gate = Gate(ours)
    gate.shut()
    gate.shut()
    for word in (*PASSED, b"INVITE sip:", b"OPTIONS s", b"REGISTER ", b"\x00", b"xyz"):
        theirs.send(word)
    assert received(ours) == list(PASSED)
    gate.open()
    gate.open()
    theirs.send(b"INVITE sip:")
    assert received(ours) == [b"INVITE sip:"]


def test_the_socket_of_a_port_is_found(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    found = udp_socket(ours.getsockname()[1])
    assert found is not None
    assert found.getsockname() == ours.getsockname()
    found.close()


def test_no_socket_no_limit() -> None:
    gate = Gate(None)
    gate.shut()
    assert not gate.closed
