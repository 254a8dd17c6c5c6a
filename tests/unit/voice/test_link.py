"""The voice process's end of its socket: waiting for the answer to what it has told."""

import socket
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("pjsua2")

from axcore.model.voice import Quit, frame
from axcore.voice.link import Link

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def device() -> Iterator[Pair]:
    """The device's end, and the process's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def sip() -> Iterator[Pair]:
    """A peer, and the SIP socket."""
    peer, socket_ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with peer, socket_:
        yield peer, socket_


def test_a_command_ends_the_wait(device: Pair, sip: Pair) -> None:
    link = Link(device[1])
    sender = threading.Timer(0.001, device[0].sendall, [frame(Quit())])
    sender.start()
    found = any(link.wait(sip[1]) for _ in range(2000))
    sender.join()
    assert found
    assert link.take() == Quit()


def test_sip_ends_the_wait_without_a_command(device: Pair, sip: Pair) -> None:
    link = Link(device[1])
    sip[0].send(b"INVITE")
    assert not link.wait(sip[1])
    assert link.take() is None
    assert sip[1].recv(100) == b"INVITE"


def test_both_at_once_are_a_command(device: Pair, sip: Pair) -> None:
    link = Link(device[1])
    sip[0].send(b"INVITE")
    device[0].sendall(frame(Quit()))
    assert link.wait(sip[1])


@pytest.mark.parametrize("known", [False, True], ids=["without", "with"])
def test_without_either_the_wait_is_over_soon(device: Pair, sip: Pair, known: bool) -> None:
    assert not Link(device[1]).wait(sip[1] if known else None)
