"""A SIP server by its name alone (RFC 3263): SRV records of a name server on loopback decide where requests go."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from name_server import NameServer
from test_sip_tls import context, made_for

from axcore.model.voice import Ended, Invite, LocalMedia, Progress, Registration
from axcore.testing.phone import ACCOUNT, Phone
from axcore.testing.sip_peer import Message, SipPeer

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

WAIT = 120.0
TRANSPORTS = [("udp", "_sip._udp.pbx.test"), ("tcp", "_sip._tcp.pbx.test")]


@pytest.fixture
def patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Voice processes wait for a name server that is late."""
    (tmp_path / "sitecustomize.py").write_text("from axcore.voice import locate\n\nlocate.WAITS_S = (20.0,)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer() as found:
        yield found


@pytest.fixture
def peers() -> Iterator[tuple[SipPeer, SipPeer]]:
    with SipPeer() as one, SipPeer() as two:
        yield one, two


def phone(names: NameServer, **more: Any) -> Phone:
    return Phone("ada", configure={"name_servers": (names.place,), "t1_ms": 50, "t2_ms": 100}, **more)


def refuse(peer: SipPeer, invite: Message, code: int) -> None:
    peer.reply(invite, code, "No")


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize(("transport", "service"), TRANSPORTS)
def test_a_call_goes_to_the_server_of_the_transport(
    names: NameServer, peers: tuple[SipPeer, SipPeer], transport: str, service: str
) -> None:
    names.servers(service, (20, 0, peers[1].port, "two.test"), (10, 0, peers[0].port, "one.test"))
    with phone(names, transport=transport) as ada:
        ada.call("sip:bob@pbx.test")
        invite = peers[0].wait("INVITE", WAIT)
        assert invite.start.startswith("INVITE sip:bob@pbx.test")
        assert invite.way == transport
        refuse(peers[0], invite, 486)
        assert ada.wait(Ended, WAIT).code == 486
        assert names.asked == [service]


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize(("transport", "service"), TRANSPORTS)
@pytest.mark.parametrize("code", [503, 0])
def test_a_server_that_fails_is_followed_by_the_next(
    names: NameServer, peers: tuple[SipPeer, SipPeer], transport: str, service: str, code: int
) -> None:
    """0: it says nothing."""
    names.servers(service, (10, 0, peers[0].port, "one.test"), (20, 0, peers[1].port, "two.test"))
    with phone(names, transport=transport) as ada:
        ada.call("sip:bob@pbx.test")
        invite = peers[0].wait("INVITE", WAIT)
        if code:
            refuse(peers[0], invite, code)
        refuse(peers[1], peers[1].wait("INVITE", WAIT), 486)  # the same call
        assert ada.wait(Ended, WAIT).code == 486
        ada.call("sip:bob@pbx.test")
        refuse(peers[1], peers[1].wait("INVITE", WAIT), 486)  # at once
        assert ada.wait(Ended, WAIT).code == 486


@pytest.mark.usefixtures("patience")
def test_when_all_servers_fail_the_call_ends(names: NameServer, peers: tuple[SipPeer, SipPeer]) -> None:
    names.servers("_sip._udp.pbx.test", *((rank, 0, peer.port, f"h{rank}.test") for rank, peer in enumerate(peers)))
    with phone(names) as ada:
        ada.call("sip:bob@pbx.test")
        for peer in peers:
            refuse(peer, peer.wait("INVITE", WAIT), 503)
        assert ada.wait(Ended, WAIT).code == 503


@pytest.mark.usefixtures("patience")
def test_who_was_reached_and_is_unavailable_then_is_not_sought_elsewhere(
    names: NameServer, peers: tuple[SipPeer, SipPeer]
) -> None:
    names.servers("_sip._udp.pbx.test", *((rank, 0, peer.port, f"h{rank}.test") for rank, peer in enumerate(peers)))
    with phone(names) as ada:
        ada.call("sip:bob@pbx.test")
        invite = peers[0].wait("INVITE", WAIT)
        peers[0].reply(invite, 180, "Ringing")
        ada.wait(Progress, WAIT)
        refuse(peers[0], invite, 503)
        assert ada.wait(Ended, WAIT).code == 503


@pytest.mark.usefixtures("patience")
def test_a_server_that_takes_no_connection_is_passed_over(names: NameServer, peers: tuple[SipPeer, SipPeer]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = nobody.getsockname()[1]
        names.servers("_sip._tcp.pbx.test", (10, 0, closed, "one.test"), (20, 0, peers[1].port, "two.test"))
        with phone(names, transport="tcp") as ada:
            ada.call("sip:bob@pbx.test")
            refuse(peers[1], peers[1].wait("INVITE", WAIT), 486)
            assert ada.wait(Ended, WAIT).code == 486


@pytest.mark.usefixtures("patience")
def test_a_registration(names: NameServer, peers: tuple[SipPeer, SipPeer]) -> None:
    names.servers("_sip._udp.pbx.test", (10, 0, peers[0].port, "one.test"))
    account = {"uri": "sip:ada@pbx.test", "registrar": "sip:pbx.test", "username": "ada", "password": "secret"}
    with phone(names, **account) as ada:
        request = peers[0].wait("REGISTER", WAIT)
        assert request.start == "REGISTER sip:pbx.test SIP/2.0"
        peers[0].reply(request, 200, "OK", [f"Contact: {request['Contact']};expires=300"])
        assert ada.wait(Registration, WAIT).active


@pytest.mark.usefixtures("patience")
def test_a_call_by_tls_passes_over_a_server_that_is_not_there(names: NameServer, tmp_path: Path) -> None:
    tls = context(ssl.TLSVersion.TLSv1_3, pem=made_for("pbx"), server=True, folder=tmp_path)
    with SipPeer(tls=tls) as peer, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = nobody.getsockname()[1]
        names.servers("_sips._tcp.pbx.test", (10, 0, closed, "one.test"), (20, 0, peer.port, "two.test"))
        with phone(names, transport="tls") as ada:
            ada.call("sip:bob@pbx.test")
            refuse(peer, peer.wait("INVITE", WAIT), 486)
            assert ada.wait(Ended, WAIT).code == 486
            assert names.asked == ["_sips._tcp.pbx.test"]


def test_a_dead_name_server_holds_up_no_other_call(names: NameServer, peers: tuple[SipPeer, SipPeer]) -> None:
    names.silent = True
    with phone(names) as ada:
        ada.call("sip:bob@nobody.test")
        media = LocalMedia(port=ada.port)
        ada.process.send(Invite(leg="other", account=ACCOUNT, uri=f"sip:eve@{peers[0].address}", media=media))
        invite = peers[0].wait("INVITE", WAIT)
        assert invite.start.startswith("INVITE sip:eve@")
        refuse(peers[0], invite, 486)
        ended = {one.leg: one.code for one in (ada.wait(Ended, WAIT), ada.wait(Ended, WAIT))}
        assert ended.pop("other") == 486
        assert ended["out"] >= 400
