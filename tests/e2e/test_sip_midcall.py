"""What happens in the middle of calls: hold, other codecs, transfer, timers, redirection, and messages that cross."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sip_peers import Dialog, Message, Offer, Peer
from test_calls import Station

from axcore.model import events
from axcore.model.voice import Ended, Incoming
from axcore.testing.phone import Phone
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

SDP = "Content-Type: application/sdp"
QUIET_S = 0.4


class Scene:
    """A station and a peer at the port that it listens on."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", **more: Any) -> None:
        folder.mkdir(exist_ok=True)
        self.station = Station(folder, answers=True, bind=host, **more)
        ready = self.station.intercom.lines[0]
        assert ready is not None
        self.peer = Peer(ready.port, host)

    def close(self) -> None:
        self.peer.__exit__(None, None, None)
        self.station.close()

    def offer(self, **more: Any) -> str:
        return str(Offer(self.peer.rtp_port, **{"host": self.peer.host, **more}))

    def called(self, *headers: str, **more: Any) -> Dialog:
        """The peer calls, and is answered."""
        dialog = Dialog(self.peer)
        assert dialog.invite(*headers, body=self.offer(**more)).status == 200
        self.state("Active")
        return dialog

    def calls(self) -> Message:
        """The station calls the peer; its INVITE."""
        self.station.do(lambda tx: self.station.intercom.call(tx, self.peer.uri))
        return self.request("INVITE")

    def request(self, method: str) -> Message:
        """The next request of the station."""
        return self.peer.expect(lambda one: one.method == method and not one.status)

    def state(self, state: str) -> None:
        self.station.until(lambda: self.station.intercom.calls()[-1].state == state, PATIENCE)

    def hears(self, kind: int = 0) -> bytes:
        """Wait for sound of a payload type from the station; its packet."""
        self.peer.rtp.settimeout(PATIENCE)
        until = time.monotonic() + PATIENCE
        while (packet := self.peer.rtp.recv(2048))[1] & 0x7F != kind:
            assert time.monotonic() < until
        return packet

    def hears_nothing(self) -> bytes:
        """Wait until no sound comes any more (reports may); the last packet, if one came."""
        last = b""
        until, quiet = time.monotonic() + PATIENCE, time.monotonic() + QUIET_S
        self.peer.rtp.settimeout(0.05)
        while time.monotonic() < quiet:
            assert time.monotonic() < until, "it talks on"
            try:
                packet = self.peer.rtp.recv(2048)
            except TimeoutError:
                continue
            if not 200 <= packet[1] <= 204:
                last, quiet = packet, time.monotonic() + QUIET_S
        return last


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, own_sound=True)
    yield made
    made.close()


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(
    ("hold", "answer"),
    [({"direction": "sendonly"}, "a=recvonly"), ({"direction": "inactive"}, "a=inactive"), ({"host": "0.0.0.0"}, "")],
)
def test_hold_and_resume(scene: Scene, hold: dict[str, str], answer: str, method: str) -> None:
    """RFC 3264 sections 6.1 and 8.4: who holds hears nothing at all, and the stream goes on after it."""
    dialog = scene.called()
    before = scene.hears()
    header = (SDP,) if method == "UPDATE" else ()
    held = dialog.transact(method, *header, body=scene.offer(version=2, **hold))
    assert held.status == 200
    assert answer in held.body
    last = scene.hears_nothing() or before
    assert dialog.transact(method, *header, body=scene.offer(version=3)).status == 200
    packet = scene.hears()
    assert packet[8:12] == last[8:12]
    assert int.from_bytes(packet[2:4], "big") == (int.from_bytes(last[2:4], "big") + 1) % 65536
    assert dialog.bye() == 200
    scene.state("Terminated")


def test_another_codec_and_another_port_in_the_call(scene: Scene) -> None:
    dialog = scene.called()
    scene.hears(0)
    assert "PCMA" in dialog.transact("INVITE", body=scene.offer(formats=(8, 101), version=2)).body
    scene.hears(8)
    assert "G722" in dialog.transact("UPDATE", SDP, body=scene.offer(formats=(9, 101), version=3)).body
    scene.hears(9)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        body = str(Offer(other.getsockname()[1], version=4))
        assert dialog.transact("INVITE", body=body).status == 200
        other.settimeout(PATIENCE)
        assert other.recv(2048)
    assert dialog.bye() == 200


def test_an_offer_in_the_200_of_a_reinvite_without_one(scene: Scene) -> None:
    dialog = scene.called()
    dialog.cseq += 1
    cseq = dialog.cseq
    scene.peer.send(dialog.text("INVITE"))
    answer = scene.peer.expect(lambda one: one["cseq"] == f"{cseq} INVITE" and one.status >= 200)
    assert answer.status == 200
    assert answer.sound_port
    scene.state("Active")
    assert dialog.bye() in (200, 500)


def test_session_timers(scene: Scene) -> None:
    timed = ("Supported: timer", "Session-Expires: 90;refresher=uac")
    short = Dialog(scene.peer).invite("Supported: timer", "Session-Expires: 20", body=scene.offer())
    assert (short.status, short["min-se"]) == (422, "90")
    dialog = scene.called(*timed)
    assert dialog.answer is not None
    assert dialog.answer["session-expires"] == "90;refresher=uac"
    assert dialog.transact("UPDATE", *timed).status == 200
    assert dialog.bye() == 200


def test_early_media_is_no_answer(scene: Scene) -> None:
    invite = scene.calls()
    scene.peer.reply(invite, 183, SDP, body=scene.offer())
    scene.peer.options()
    scene.state("Calling")
    scene.peer.reply(invite, 200, SDP, body=scene.offer())
    scene.request("ACK")
    scene.state("Active")
    scene.hears()
    assert Dialog.of(scene.peer, invite).bye() == 200
    scene.state("Terminated")


def test_a_redirection_is_followed_if_transfer_is_allowed(scene: Scene, tmp_path: Path) -> None:
    with Phone("eve") as eve:
        scene.peer.reply(scene.calls(), 302, f"Contact: <{eve.uri}>")
        scene.state("Terminated")
        assert eve.reports.empty()
        other = Scene(tmp_path / "other", allow_transfer=True)
        try:
            other.peer.reply(other.calls(), 302, f"Contact: <{eve.uri}>")
            eve.wait(Incoming, PATIENCE)
            eve.answer()
            other.state("Active")
        finally:
            other.close()


@pytest.mark.parametrize(("code", "header"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
def test_challenges_without_end_end(code: int, header: str) -> None:
    with Phone("ada", username="ada", password="secret") as ada:
        assert ada.ready is not None
        with Peer(ada.ready.port) as peer:
            ada.call(peer.uri)
            seen: set[str] = set()
            ended: list[Ended] = []
            until = time.monotonic() + PATIENCE
            while not ended and time.monotonic() < until:
                message = peer.receive(0.1)
                if message is not None and message.method == "INVITE":
                    seen.add(message["cseq"])
                    challenge = f'{header}: Digest realm="r", nonce="{len(seen)}", algorithm=MD5, qop="auth"'
                    peer.reply(message, code, challenge)
                while not ada.reports.empty():
                    report = ada.reports.get()
                    ended += [report] if isinstance(report, Ended) else []
            assert [one.code for one in ended] == [code]
            assert 2 <= len(seen) <= 5


def test_a_cancel_that_crosses_the_answer(scene: Scene) -> None:
    invite = scene.calls()
    scene.peer.reply(invite, 180)
    scene.station.expect(events.CALL_STATE, PATIENCE, CallState="Calling")
    key = scene.station.intercom.calls()[-1].id
    scene.station.do(lambda tx: scene.station.intercom.hang_up(tx, key))
    cancel = scene.request("CANCEL")
    scene.peer.reply(invite, 200, SDP, body=scene.offer())  # it had been answered before that came
    scene.peer.reply(cancel, 200)
    scene.request("ACK")
    scene.request("BYE")
    scene.state("Terminated")
    assert scene.called().bye() == 200


def test_both_hang_up_at_once(scene: Scene) -> None:
    dialog = scene.called()
    scene.peer.polite = False
    key = scene.station.intercom.calls()[-1].id
    scene.station.do(lambda tx: scene.station.intercom.hang_up(tx, key))
    bye = scene.request("BYE")
    assert dialog.bye() in (200, 481)
    scene.peer.reply(bye, 200)
    scene.state("Terminated")
    scene.peer.polite = True
    assert scene.called().bye() == 200
