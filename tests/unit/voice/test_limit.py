"""The ingress limit of a voice process: when it is in force, and which connections are not read meanwhile."""

import socket
from collections.abc import Iterator

import pytest

from axcore.interfaces.cli.instance import wait_for
from axcore.voice.ingress import HOLD_NS, NS, Gate
from axcore.voice.limit import LOOK_NS, MUCH, TELL_NS, Greedy, Limit, streams

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Two connections: our end, the peer's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        found = []
        for _ in range(2):
            peer = socket.create_connection(listener.getsockname())
            ours = listener.accept()[0]
            ours.setblocking(False)
            found.append((ours, peer))
        yield found
        for ours, peer in found:
            ours.close()
            peer.close()


@pytest.fixture
def limit() -> Limit:
    return Limit(0.1, 0, Gate(None))


def read(ours: socket.socket) -> bytes:
    try:
        return ours.recv(1 << 20)
    except BlockingIOError:
        return b""


def only(monkeypatch: pytest.MonkeyPatch, pairs: list[Pair]) -> None:
    """Both ends are this process's here: let the peers' be somebody else's."""
    own = [ours for ours, _ in pairs]

    def there(kind: socket.SocketKind) -> Iterator[socket.socket]:
        return iter([one.dup() for one in own])

    monkeypatch.setattr("axcore.voice.ingress.sockets", there)


def test_who_sends_much_is_not_read_until_the_limit_goes(pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, pairs)
    (loud, flooder), (quiet, caller) = pairs
    greedy = Greedy()
    assert greedy.look(0) == 0
    flooder.send(bytes(MUCH))
    caller.send(b"BYE")
    wait_for("what was sent", lambda: len(read(loud)) == MUCH, 30)
    assert greedy.look(LOOK_NS - 1) == 0  # not yet
    assert greedy.look(LOOK_NS) == 1
    flooder.send(b"more")
    caller.send(b"ACK")
    wait_for("the caller", lambda: read(quiet) in (b"ACK", b"BYEACK"), 30)
    assert read(loud) == b""
    greedy.let_go()
    wait_for("what was kept out, again", lambda: read(loud) == b"more", 30)


def test_a_connection_that_is_not_read_can_be_closed(pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, pairs)
    (loud, flooder), _ = pairs
    greedy = Greedy()
    greedy.look(0)
    flooder.send(bytes(MUCH))
    wait_for("what was sent", lambda: len(read(loud)) == MUCH, 30)
    assert greedy.look(LOOK_NS) == 1
    loud.close()
    greedy.let_go()
    flooder.settimeout(30)
    assert flooder.recv(1) == b""


def test_connections_of_the_process_with_itself_are_no_peers(pairs: list[Pair]) -> None:
    own = {ours.getsockname()[:2] for ours, _ in pairs}
    there = list(streams())
    assert not [found for _, _, found in there if found.getsockname()[:2] in own]
    for _, _, found in there:
        found.close()


def test_it_comes_into_force_and_goes_and_is_told_once_a_minute(limit: Limit) -> None:
    assert not limit.step(NS // 10, 0)
    assert not limit.in_force
    assert limit.step(NS // 10 + 1, 1)
    assert limit.in_force
    assert limit.rest_ms(1) == HOLD_NS // 1_000_000
    assert not limit.step(NS, 2)  # the same flood
    assert not limit.step(NS, 2 + HOLD_NS)
    assert not limit.in_force
    assert not limit.step(2 * NS, 3 + HOLD_NS)  # it was told just now
    assert limit.in_force
    assert limit.step(3 * NS, 1 + TELL_NS)
