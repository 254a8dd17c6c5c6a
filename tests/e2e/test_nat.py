"""Calls through NAT: ICE, STUN and TURN, with coturn, telephones that know ICE, and those that do not."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from baresip_peer import Baresip, missing
from sip_peers import Dialog, Message
from test_baresip import talk_and_listen
from test_calls import Station

from axcore.app.intercom import Intercom
from axcore.drivers import relay
from axcore.drivers.call_media import CallMedia
from axcore.model import events
from axcore.model.nat import PathTold
from axcore.model.voice import Incoming
from axcore.testing.coturn import Coturn, program
from axcore.testing.phone import Phone
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")
pytest.importorskip("aioice")
pytestmark = pytest.mark.skipif(program() is None, reason="coturn is not installed (.ci/need coturn)")

from ice_peer import IcePeer  # noqa: E402

ACTIVE = {"CallState": "Active"}
TRIES = 8


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Station]]:
    made: list[Station] = []

    def station(*, limit_s: float = 20.0, **settings: Any) -> Station:
        """``limit_s``: that servers have; a device gives them one, a busy machine may not be so quick."""
        made.append(Station(tmp_path, answers=True, own_sound=True, **settings))
        intercom(made[-1]).paths.limit_s = limit_s
        made[-1].unlock_by("1")
        return made[-1]

    yield station
    for one in made:
        one.close()


@pytest.fixture
def turn() -> Iterator[Coturn]:
    with Coturn() as server:
        yield server


def with_turn(server: Coturn, **more: Any) -> dict[str, Any]:
    return {
        "turn": True,
        "turn_server": server.address,
        "turn_user": server.user,
        "turn_password": server.password,
        **more,
    }


def intercom(station: Station) -> Intercom:
    assert station.device.intercom is not None
    return station.device.intercom


def port(station: Station) -> int:
    ready = station.intercom.lines[0]
    assert ready is not None
    return ready.port


def call(station: Station, uri: str) -> Any:
    return station.do(lambda tx: station.intercom.call(tx, uri))


def hears(phone: Phone) -> None:
    """Sound comes. (From a relay an empty datagram comes first: it opens the way.)"""
    for _ in range(3):
        if phone.heard(PATIENCE):
            return
    raise AssertionError("there is no sound")


def chosen(station: Station, before: PathTold | None = None) -> str:
    """How the sound of the call goes. ``before``: what was told of the call before it."""
    station.until(lambda: station.intercom.paths.last is not before, PATIENCE)
    last = station.intercom.paths.last
    assert last is not None
    assert last.what == "chosen", last
    return last.detail


def test_the_station_calls_and_ice_finds_the_way(make: Callable[..., Station]) -> None:
    station = make(ice=True)
    with IcePeer(port(station)) as peer:
        call(station, peer.uri)
        invite = peer.wait_invite()
        ours = peer.accept(invite)
        assert {one.kind for one in ours.candidates} == {"host"}
        assert invite.sound_port in {one.port for one in ours.candidates if one.component == 1}  # RFC 8839, 4.2.1.2
        station.expect(events.CALL_STATE, PATIENCE, **ACTIVE)
        peer.connected()
        assert chosen(station).startswith(f"host 127.0.0.1:{invite.sound_port} to ")
        station.until(lambda: len(peer.heard) > 20, PATIENCE)
        peer.press("1")
        station.tap.expect("relay1", True, PATIENCE)


def test_it_is_called_and_ice_finds_the_way(make: Callable[..., Station]) -> None:
    station = make(ice=True)
    with IcePeer(port(station), controlling=True) as peer:
        dialog = Dialog(peer)
        answer = dialog.invite(body=peer.description)
        assert answer.status == 200
        peer.check(answer.body)
        station.expect(events.CALL_STATE, PATIENCE, **ACTIVE)
        peer.connected()
        chosen(station)
        station.until(lambda: len(peer.heard) > 20, PATIENCE)
        peer.press("1")
        station.tap.expect("relay1", True, PATIENCE)
        assert dialog.bye() == 200
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")


def test_sound_from_somebody_else_counts_for_nothing(make: Callable[..., Station]) -> None:
    """Keys of a stranger, at each candidate of the station and at the native socket behind them."""
    station = make(ice=True)
    with IcePeer(port(station)) as peer, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        call(station, peer.uri)
        ours = peer.accept(peer.wait_invite())
        peer.connected()
        chosen(station)
        station.until(lambda: len(peer.heard) > 20, PATIENCE)
        path = next(one for one in intercom(station).paths._paths.values() if one is not None)
        native = station.intercom.accounts.settings.rtp_start_port  # of the first call
        packets = peer.key("1")
        for packet in packets:
            for one in ours.candidates:
                stranger.sendto(packet, (one.address, one.port))
            stranger.sendto(packet, ("127.0.0.1", native))
            stranger.sendto(packet, path.inner)
        station.until(lambda: path.foreign >= len(packets), PATIENCE)
        before = len(peer.heard)
        station.until(lambda: len(peer.heard) > before + 20, PATIENCE)
        assert not [one for one in station.device.ledger.events_after(0) if one.topic == events.CALL_DTMF]
        peer.press("1")
        station.tap.expect("relay1", True, PATIENCE)


def test_a_telephone_without_ice_calls_a_station_with_it(make: Callable[..., Station]) -> None:
    station = make(ice=True)
    with Phone("ada") as ada:
        ada.call(station.uri)
        ada.connected(PATIENCE)
        station.expect(events.CALL_STATE, PATIENCE, **ACTIVE)
        hears(ada)
        ada.press("1")
        station.tap.expect("relay1", True, PATIENCE)
        assert station.intercom.paths.last is None


def test_a_telephone_without_ice_is_called_by_a_station_with_it(make: Callable[..., Station]) -> None:
    station = make(ice=True)
    with Phone("ada") as ada:
        call(station, ada.uri)
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        hears(ada)
        ada.press("1")
        station.tap.expect("relay1", True, PATIENCE)


def test_all_sound_is_relayed(make: Callable[..., Station], turn: Coturn) -> None:
    """TURN alone: the telephone knows of the relay and of nothing else."""
    station = make(**with_turn(turn))
    with Phone("ada") as ada:
        call(station, ada.uri)
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        assert ada.media is not None
        assert turn.relays(ada.media.media.remote_port)
        hears(ada)
        ada.press("1")
        station.tap.expect("relay1", True, PATIENCE)
        answer = next(iter(station.intercom.paths.servers.values()))
        assert (answer.kind, answer.server, answer.ok) == ("turn", turn.address, True)
        assert answer.address == f"127.0.0.1:{ada.media.media.remote_port}"


@pytest.mark.parametrize("comes_again", [False, True])
def test_a_relay_that_is_lost_during_a_call_is_an_event(
    make: Callable[..., Station], turn: Coturn, monkeypatch: pytest.MonkeyPatch, comes_again: bool
) -> None:
    """Nothing else would tell: the telephone hangs up as ever, and the relay would be renewed after minutes."""
    monkeypatch.setattr(relay, "ASK_S", 0.5)
    monkeypatch.setattr(relay, "ANSWER_S", PATIENCE if comes_again else 1.0)
    station = make(**with_turn(turn))
    with Phone("ada") as ada:
        call(station, ada.uri)
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        hears(ada)
        turn.kill()
        if comes_again:
            turn.start()
        reason = station.expect(events.SYSTEM_FAULT, PATIENCE).data["reason"]
        why = "has not renewed the relay: STUN transaction failed (437" if comes_again else "does not answer any more"
        assert reason.startswith(f"NAT traversal: the path of a call is lost: the TURN server {why}")
        station.do(lambda tx: station.intercom.hang_up(tx, station.intercom.calls()[-1].id))
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")


def test_ice_with_a_peer_that_is_reached_by_its_relay_only(make: Callable[..., Station], turn: Coturn) -> None:
    station = make(**with_turn(turn, ice=True, stun=True, stun_server=turn.address))
    with IcePeer(port(station), turn=turn) as peer:
        call(station, peer.uri)
        ours = peer.accept(peer.wait_invite())
        assert {one.kind for one in ours.candidates} == {"host", "relay"}  # reflexive: the same as host, here
        peer.connected()
        chosen(station)
        station.until(lambda: len(peer.heard) > 20, PATIENCE)
        peer.press("1")
        station.tap.expect("relay1", True, PATIENCE)


def faulty(station: Station, text: str) -> None:
    while text not in station.expect(events.SYSTEM_FAULT, PATIENCE).data["reason"]:
        pass


def test_a_login_that_the_server_refuses_is_an_event_and_the_call_goes_on(
    make: Callable[..., Station], turn: Coturn
) -> None:
    station = make(**with_turn(turn, ice=True) | {"turn_password": "wrong"})
    with IcePeer(port(station)) as peer:
        call(station, peer.uri)
        peer.accept(peer.wait_invite())
        faulty(station, f"TURN server {turn.address}: refuses the login")
        peer.connected()
        assert chosen(station).startswith("host ")
        answer = next(iter(station.intercom.paths.servers.values()))
        assert (answer.ok, answer.reason) == (False, "refuses the login")


def test_servers_that_are_gone_are_events_and_the_call_goes_on(make: Callable[..., Station], turn: Coturn) -> None:
    station = make(limit_s=1.0, **with_turn(turn, stun=True, stun_server=turn.address))
    turn.kill()
    with Phone("ada") as ada:
        call(station, ada.uri)
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        told = {station.expect(events.SYSTEM_FAULT, PATIENCE).data["reason"] for _ in range(2)}
        assert told == {f"NAT traversal: {kind} server {turn.address}: does not answer" for kind in ("STUN", "TURN")}
        hears(ada)
        ada.press("1")
        station.tap.expect("relay1", True, PATIENCE)


def test_a_server_that_goes_during_a_call_between_hosts_does_not_matter(
    make: Callable[..., Station], turn: Coturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ASK_S", 0.1)
    monkeypatch.setattr(relay, "ANSWER_S", 0.1)
    station = make(**with_turn(turn, ice=True))
    with contextlib.ExitStack() as stack:
        for _ in range(TRIES):
            before = station.intercom.paths.last
            peer = stack.enter_context(IcePeer(port(station)))
            call(station, peer.uri)
            peer.accept(peer.wait_invite())
            peer.connected()
            if chosen(station, before).startswith("host "):
                break
            # Where the machine was late, the pair through the server was found first.
            station.do(lambda tx: station.intercom.hang_up(tx, station.intercom.calls()[-1].id))
            station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
            stack.close()
        else:
            pytest.fail("the way between the hosts was never chosen")
        turn.kill()
        packets = len(peer.heard)
        station.until(lambda: len(peer.heard) > packets + 50, PATIENCE)
        peer.press("1")
        station.tap.expect("relay1", True, PATIENCE)
        last = station.intercom.paths.last
        assert last is not None
        assert last.what == "chosen", last
        station.do(lambda tx: station.intercom.hang_up(tx, station.intercom.calls()[-1].id))
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        native = intercom(station).media
        assert isinstance(native, CallMedia)
        station.until(lambda: native.sound is None, PATIENCE)


def test_a_call_that_is_ended_while_servers_are_asked_is_over_at_once(
    make: Callable[..., Station], turn: Coturn
) -> None:
    station = make(**with_turn(turn))
    turn.kill()
    with Phone("ada") as ada:
        status = call(station, ada.uri)
        station.do(lambda tx: station.intercom.hang_up(tx, status.id))
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        turn.start()
        call(station, ada.uri)  # the next one is not disturbed by it
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        hears(ada)


def test_stun_alone_tells_the_public_address(make: Callable[..., Station], turn: Coturn) -> None:
    """Here it is that of the socket itself: the sound goes over the native sockets, as without it."""
    station = make(stun=True, stun_server=turn.address)
    with Phone("ada") as ada:
        call(station, ada.uri)
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        assert ada.media is not None
        answer = next(iter(station.intercom.paths.servers.values()))
        assert (answer.kind, answer.ok) == ("stun", True)
        assert answer.address == f"127.0.0.1:{ada.media.media.remote_port}"
        hears(ada)
        ada.press("1")
        station.tap.expect("relay1", True, PATIENCE)


def of_baresip(kind: str, server: Coturn) -> tuple[str, ...]:
    """Parameters of its accounts."""
    return kind, f"stunserver=turn:{server.address}", f"stunuser={server.user}", f"stunpass={server.password}"


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
@pytest.mark.parametrize("kind", ["ice", "turn"])
def test_baresip_is_called(make: Callable[..., Station], turn: Coturn, tmp_path: Path, kind: str) -> None:
    """ICE of others (libre), and their TURN alone."""
    station = make(**with_turn(turn, ice=True))
    with Baresip(tmp_path / "bob", nat=of_baresip(kind, turn)) as bob:
        done = call(station, bob.uri)
        station.expect(events.CALL_STATE, PATIENCE, **ACTIVE)
        if kind == "ice":
            chosen(station)
        talk_and_listen(station)
        bob.press("1")
        station.tap.expect("relay1", True, PATIENCE)
        station.do(lambda tx: station.intercom.hang_up(tx, done.id))
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        station.until(lambda: bob.heard() > 1000, PATIENCE)


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_baresip_calls(make: Callable[..., Station], turn: Coturn, tmp_path: Path) -> None:
    station = make(**with_turn(turn, ice=True))
    with Baresip(tmp_path / "bob", nat=of_baresip("ice", turn)) as bob:
        bob.command("dial", station.uri)
        station.expect(events.CALL_STATE, PATIENCE, **ACTIVE)
        chosen(station)
        talk_and_listen(station)
        bob.command("hangup")
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        station.until(lambda: bob.heard() > 1000, PATIENCE)


def test_hostile_candidates_do_not_keep_a_call_from_its_sound(make: Callable[..., Station]) -> None:
    station = make(ice=True)
    with IcePeer(port(station)) as peer:
        call(station, peer.uri)
        invite: Message = peer.wait_invite()
        bad = [
            "a=candidate:1 1 UDP 1 224.0.0.1 5000 typ host",
            "a=candidate:x",
            "a=candidate:1 1 UDP 9 a.local 5 typ host",
        ]
        bad += [f"a=candidate:9 1 UDP {number} 192.0.2.{number} 5000 typ host" for number in range(1, 40)]
        peer.check(invite.body)
        body = peer.description + "\r\n".join([*bad, "a=ice-options:" + "x" * 200, ""])
        peer.reply(invite, 200, "Content-Type: application/sdp", body=body)
        station.expect(events.CALL_STATE, PATIENCE, **ACTIVE)
        peer.connected()
        chosen(station)
        peer.press("1")
        station.tap.expect("relay1", True, PATIENCE)
