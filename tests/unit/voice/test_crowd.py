"""Which connections end when there are too many."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from axcore.interfaces.cli.instance import wait_for
from axcore.voice.crowd import (
    FREE,
    FREED_NS,
    FULL,
    MOST,
    NS,
    PATIENCE_NS,
    QUIET_NS,
    Crowd,
    Guest,
    Places,
    connections,
    leaving,
)
from axcore.voice.ingress import Gate, listeners


def guests(count: int, *, answered: bool = True, quiet: int = 0, first: int = 0) -> list[Guest]:
    return [Guest(first + number, answered, quiet) for number in range(count)]


def test_while_there_is_room_nobody_leaves() -> None:
    there = guests(MOST, answered=False, quiet=QUIET_NS)
    assert leaving(there, dict.fromkeys(range(MOST), 0), 100 * NS) == []


def test_who_was_never_answered_leaves_first_and_the_newest_may_stay() -> None:
    there = guests(10, first=100) + guests(MOST, answered=False)
    since = {guest.inode: guest.inode for guest in there}
    assert leaving(there, since, PATIENCE_NS + 50) == list(range(10))
    assert leaving(there, since, PATIENCE_NS - 1) == []


def test_then_the_quietest() -> None:
    there = [*guests(MOST, quiet=QUIET_NS), Guest(99, True, QUIET_NS + 1), Guest(98, True, 0)]
    assert leaving(there, dict.fromkeys(range(100), 0), NS)[0] == 99
    assert 98 not in leaving(there, dict.fromkeys(range(100), 0), NS)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as made:
        yield made


def test_connections_of_a_real_socket(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with contextlib.ExitStack() as stack:
        far = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(MOST + 3)]
        near = [stack.enter_context(listener.accept()[0]) for _ in far]
        near[0].send(b"answer")
        assert far[0].recv(6) == b"answer"
        found: list[Guest] = []

        def answered() -> bool:
            found[:] = []
            for guest, handle in connections(port):
                handle.close()
                found.append(guest)
            return any(guest.answered for guest in found)

        wait_for("the acknowledgement, which comes by itself", answered, 30, 0.01)
        assert [guest.answered for guest in found].count(True) == 1
        assert len(found) == MOST + 3
        crowd = Crowd(port)
        assert crowd.thin(0) == 0  # they have only come
        assert crowd.thin(PATIENCE_NS) == 3
        ended = 0
        for connection in far[1:]:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                ended += connection.recv(1) == b""
        assert ended == 3


def test_places_are_full_until_enough_are_free_again() -> None:
    places = Places()
    for _ in range(FULL - 1):
        places.came()
    assert not places.full(0)
    places.came()
    assert places.full(0)
    for _ in range(FULL - FREE + 1):
        places.went(0)
    assert places.full(FREED_NS - 1)  # PJSIP still has them
    assert not places.full(FREED_NS)


def test_a_shut_gate_of_a_listening_socket_lets_nobody_in(listener: socket.socket) -> None:
    place = listener.getsockname()
    (gate,) = [Gate(found, ()) for found in listeners() if found.getsockname() == place]
    gate.shut()
    with socket.socket() as client:
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.connect(place)
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
        gate.open()
        listener.settimeout(30)  # it comes again after a second
        listener.accept()[0].close()
    assert gate._socket is not None
    gate._socket.close()
