"""Paths through NAT, end to end on loopback without SIP: two of them find each other, and nobody else is heard."""

from __future__ import annotations

import contextlib
import queue
import socket
import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import msgspec
import pytest

from axcore.drivers.nat import NatPaths
from axcore.model.nat import Candidate, Gathered, Ice, PathTold, Traversal
from axcore.model.voice import AgreedMedia
from axcore.services.intercom.accounts import INCOMING_SLOT, INCOMING_SLOTS
from axcore.services.intercom.check import MEDIA_PORTS
from axcore.testing.ports import free_port

pytest.importorskip("aioice", reason="extra axcore[voice]")

from aioice import stun

from axcore.drivers import ice

HOST = "127.0.0.1"
OFFSET = 48
"""Of the ports of a path."""
PATIENCE = 60.0
RTP, RTCP = bytes([0x80, 0]) + bytes(10), bytes([0x80, 201]) + bytes(6)
ICE = Traversal(ice=True)


class Side:
    """Who finds paths, and the native sockets of one leg."""

    def __init__(self, limit_s: float = 20.0) -> None:
        self.native = _pair()
        self.port = int(self.native[0].getsockname()[1])
        self.paths = NatPaths(HOST, limit_s=limit_s)
        self.found: queue.Queue[Gathered] = queue.Queue()
        self.told: queue.Queue[PathTold] = queue.Queue()
        self.paths.listen(self.told.put)
        self.place: tuple[str, int] = (HOST, 0)

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.paths.close()
        for one in self.native:
            one.close()

    def gather(self, how: Traversal = ICE) -> Gathered:
        self.paths.gather("a", self.port, how, self.found.put)
        return self.found.get(timeout=PATIENCE)

    def start(self, peer: Gathered, *, offered: bool, ice: Ice | None) -> None:
        agreed = AgreedMedia(
            local_port=self.port, remote_address=peer.address or HOST, remote_port=peer.port, codec="PCMU",
            clock_rate=8000, send_type=0, receive_type=0, ice=ice, offered=offered,
        )  # fmt: skip
        after = self.paths.start("a", agreed)
        assert after.ice is None
        self.place = (after.remote_address, after.remote_port)

    def say(self, data: bytes = RTP, component: int = 1) -> None:
        self.native[component - 1].sendto(data, (self.place[0], self.place[1] + component - 1))


def _pair() -> list[socket.socket]:
    """Two UDP ports in a row; the two of a path, ``OFFSET`` further on, are free too, and given to nobody else."""
    first, made = free_port(OFFSET + 2), []
    for number in (first, first + 1):
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made[-1].bind((HOST, number))
        made[-1].settimeout(PATIENCE)
    return made


def hear(side: Side, component: int = 1) -> bytes:
    return side.native[component - 1].recv(2048)


def repeat(act: Callable[[], Any], sock: socket.socket) -> bytes:
    """Do it until something is heard: before the checks are done nothing is passed on."""
    sock.settimeout(0.2)
    until = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < until:
            act()
            try:
                return sock.recv(2048)
            except TimeoutError:
                continue
    finally:
        sock.settimeout(PATIENCE)
    raise TimeoutError("nothing was heard")


@pytest.fixture
def sides() -> Iterator[tuple[Side, Side]]:
    with Side() as one, Side() as other:
        yield one, other


def meet(one: Side, other: Side) -> tuple[Gathered, Gathered]:
    offer, answer = one.gather(), other.gather()
    other.start(offer, offered=False, ice=offer.ice)
    one.start(answer, offered=True, ice=answer.ice)
    for side in (one, other):
        assert side.told.get(timeout=PATIENCE).what == "chosen"
    return offer, answer


def test_the_ports_that_sip_must_not_have_are_those_of_all_legs_and_their_paths() -> None:
    own = 2 * (INCOMING_SLOT + INCOMING_SLOTS)
    assert own <= ice.OFFSET, "a path has the port of no leg"
    assert ice.OFFSET + own == MEDIA_PORTS


def test_two_find_each_other_and_rtp_and_rtcp_pass_both_ways(sides: tuple[Side, Side]) -> None:
    one, other = sides
    meet(one, other)
    assert repeat(one.say, other.native[0]) == RTP
    assert repeat(other.say, one.native[0]) == RTP
    assert repeat(lambda: one.say(RTCP, 2), other.native[1]) == RTCP
    assert other.native[0].getsockname()[1] != one.port


def test_nobody_else_is_heard(sides: tuple[Side, Side]) -> None:
    one, other = sides
    _, answer = meet(one, other)
    assert repeat(one.say, other.native[0]) == RTP
    path = other.paths._paths["a"]
    assert path is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((HOST, 0))
        assert answer.ice is not None
        for candidate in answer.ice.candidates:
            stranger.sendto(b"\x80stranger....", (candidate.address, candidate.port))
            stranger.sendto(b"\x00\x01\x00\x00!\x12\xa4B" + bytes(12), (candidate.address, candidate.port))  # no login
            stranger.sendto(b"garbage", (candidate.address, candidate.port))
        stranger.sendto(b"\x80inside......", path.inner)
        until = time.monotonic() + PATIENCE
        while path.foreign < len(answer.ice.candidates):
            assert time.monotonic() < until
            time.sleep(0.01)
    marker = bytes([0x80, 0]) + b"the marker"
    one.say(marker)
    heard = [RTP]
    while heard[-1] != marker:
        heard.append(hear(other))
    assert set(heard) == {RTP, marker}


class HandMade:
    """A peer of one socket per candidate (two for RTP, one for RTCP) that answers checks only where it is told to."""

    def __init__(self) -> None:
        self.ice = Ice(ufrag="peer", password="p" * 22)
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        for one in self.sockets:
            one.bind((HOST, 0))
            one.setblocking(False)
        candidates = (
            Candidate(
                foundation=str(at), component=2 if at == 2 else 1, priority=3 - at, address=HOST, kind="host",
                port=one.getsockname()[1],
            )
            for at, one in enumerate(self.sockets)
        )  # fmt: skip
        self.ice = msgspec.structs.replace(self.ice, candidates=tuple(candidates))

    def close(self) -> None:
        for one in self.sockets:
            one.close()

    def answer(self, at: int) -> None:
        """Answer what has come to a socket."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data, place = self.sockets[at].recvfrom(2048)
                asked = stun.parse_message(data)
                if asked.message_class != stun.Class.REQUEST:
                    continue
                said = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=asked.transaction_id)
                said.attributes["XOR-MAPPED-ADDRESS"] = place
                said.add_message_integrity(self.ice.password.encode())
                self.sockets[at].sendto(bytes(said), place)

    def check(self, at: int, whom: Ice) -> None:
        """Send a check from a socket to the first candidate for RTP."""
        asked = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        asked.attributes["USERNAME"] = f"{whom.ufrag}:{self.ice.ufrag}"
        asked.attributes["PRIORITY"] = 1
        asked.attributes["ICE-CONTROLLED"] = 1
        asked.add_message_integrity(whom.password.encode())
        self.say(at, whom, bytes(asked))

    def say(self, at: int, whom: Ice, data: bytes = RTP) -> None:
        place = next(one for one in whom.candidates if one.component == 1)
        self.sockets[at].sendto(data, (place.address, place.port))


def test_a_peer_is_heard_where_it_has_checked_though_its_answer_to_our_check_came_too_late() -> None:
    """The peer takes the pair of its own choice among those that it was told are good (RFC 8445 section 12.2)."""
    with Side() as one, contextlib.closing(HandMade()) as peer:
        offer = one.gather().ice
        assert offer is not None
        one.start(Gathered(port=peer.ice.candidates[0].port), offered=True, ice=peer.ice)
        late, told = 1, False
        until = time.monotonic() + PATIENCE
        while not told:
            assert time.monotonic() < until
            peer.answer(0)
            peer.answer(2)
            peer.check(late, offer)
            with contextlib.suppress(queue.Empty):
                assert one.told.get(timeout=0.05).what == "chosen"
                told = True
        assert repeat(lambda: peer.say(late, offer), one.native[0]) == RTP


def test_a_peer_without_ice_speaks_with_the_agreed_address_alone(sides: tuple[Side, Side]) -> None:
    one, _ = sides
    found = one.gather()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        for sock in (peer, stranger):
            sock.bind((HOST, 0))
            sock.settimeout(PATIENCE)
        one.start(Gathered(port=peer.getsockname()[1]), offered=True, ice=None)
        assert repeat(one.say, peer) == RTP
        one.say()
        assert peer.recvfrom(2048)[1] == (found.address, found.port)
        place = (found.address, found.port)
        stranger.sendto(b"\x80stranger....", place)
        peer.sendto(RTP, place)
        assert hear(one) == RTP


def test_when_the_checks_fail_the_agreed_address_is_used(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axcore.drivers.ice.CHECKS_S", 0.3)
    one, _ = sides
    one.gather()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((HOST, 0))
        peer.settimeout(PATIENCE)
        port = peer.getsockname()[1]
        deaf = Candidate(foundation="1", component=1, priority=1, address=HOST, port=port, kind="host")
        ice = Ice(ufrag="abcd", password="p" * 22, candidates=(deaf,))
        one.start(Gathered(port=port), offered=True, ice=ice)
        assert one.told.get(timeout=PATIENCE).what == "failed"
        until = time.monotonic() + PATIENCE
        while peer.recv(2048) != RTP:  # checks, before
            assert time.monotonic() < until
            one.say()


def test_a_peer_that_is_gone_is_told_and_gets_nothing_more(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.05)
    monkeypatch.setattr("aioice.ice.CONSENT_FAILURES", 2)
    one, other = sides
    meet(one, other)
    other.paths.close()
    assert one.told.get(timeout=PATIENCE) == PathTold(
        leg="a", what="lost", detail="the other side does not answer any more"
    )


def test_a_server_that_is_silent_holds_nobody_up() -> None:
    with Side(limit_s=0.1) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        silent.settimeout(PATIENCE)
        server = f"{HOST}:{silent.getsockname()[1]}"
        how = Traversal(ice=True, stun=server, turn=server, turn_user="u", turn_password="p")
        found = one.gather(how)
        assert [(answer.kind, answer.ok, answer.reason) for answer in found.servers] == [
            ("stun", False, "does not answer"),
            ("turn", False, "does not answer"),
        ]
        assert found.ice is not None
        assert {candidate.kind for candidate in found.ice.candidates} == {"host"}


def test_with_stun_alone_the_native_ports_are_asked_about_and_left_free() -> None:
    with Side(limit_s=0.1) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        silent.settimeout(PATIENCE)
        for sock in one.native:
            sock.close()
        found = one.gather(Traversal(stun=f"{HOST}:{silent.getsockname()[1]}"))
        assert {silent.recvfrom(2048)[1][1] for _ in range(2)} == {one.port, one.port + 1}
        assert (found.address, found.port, found.ice) == ("", one.port, None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind((HOST, one.port))
        agreed = AgreedMedia(
            local_port=one.port, remote_address="192.0.2.1", remote_port=4000, codec="PCMU", clock_rate=8000,
            send_type=0, receive_type=0,
        )  # fmt: skip
        assert one.paths.start("a", agreed) is agreed


def test_ports_that_are_taken_are_told(sides: tuple[Side, Side]) -> None:
    one, _ = sides
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, one.port + OFFSET))
        found = one.gather()
    assert found.fault.startswith(f"ports of RTP {one.port}: ")
    assert found.taken
    assert (found.address, found.port, found.ice) == ("", one.port, None)


def test_with_stun_alone_native_ports_that_are_taken_are_told() -> None:
    with Side(limit_s=0.1) as one:  # who has them
        found = one.gather(Traversal(stun=f"{HOST}:9"))
        assert (found.taken, found.port, found.address) == (True, one.port, "")


def test_without_aioice_a_call_goes_on(sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "axcore.drivers.ice", None)
    found = sides[0].gather()
    assert (found.fault, found.ice) == ("needs aioice (extra axcore[voice])", None)
    assert not found.taken


def test_what_is_stopped_while_it_is_looked_for_is_closed() -> None:
    with Side(limit_s=0.3) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        silent.settimeout(PATIENCE)
        how = Traversal(ice=True, stun=f"{HOST}:{silent.getsockname()[1]}")
        one.paths.gather("a", one.port, how, one.found.put)
        silent.recv(2048)  # it asks
        one.paths.stop("a")
        one.found.get(timeout=PATIENCE)
        until = time.monotonic() + PATIENCE
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
                try:
                    again.bind((HOST, one.port + OFFSET))
                    return
                except OSError:
                    assert time.monotonic() < until
            time.sleep(0.01)


def test_nothing_begins_after_the_end(sides: tuple[Side, Side]) -> None:
    one, _ = sides
    one.paths.close()
    one.paths.gather("a", one.port, ICE, one.found.put)
    one.paths.stop("a")
    one.paths.close()
    assert one.found.empty()
