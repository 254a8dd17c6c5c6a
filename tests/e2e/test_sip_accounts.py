"""SIP accounts on the wire: what a voice process sends when its account says so. The peer is a socket of the test."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.app.device import Device
from axcore.model import events
from axcore.model.config import Config, NetworkConfig
from axcore.model.intercom import SipAccountSpec
from axcore.model.voice import (
    Connected,
    Ended,
    Incoming,
    Invite,
    LocalMedia,
    Probe,
    Probed,
    Ready,
    Refused,
    Register,
    Registration,
    Reroute,
    VoiceAccount,
)
from axcore.testing.media import RtpMedia
from axcore.testing.phone import ACCOUNT, Phone
from axcore.testing.sip_peer import Message, SipPeer

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

WAIT = 120.0
ANSWER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0 97\r\n"
    "a=rtpmap:97 telephone-event/8000\r\n"
)


@pytest.fixture
def peer() -> Iterator[SipPeer]:
    with SipPeer() as found:
        yield found


def registered(peer: SipPeer, **account: Any) -> dict[str, Any]:
    """An account at ``peer``."""
    uri = f'"ada" <sip:ada@{peer.address}>'
    return {"uri": uri, "registrar": f"sip:{peer.address}", "username": "ada", "password": "secret", **account}


def accept(peer: SipPeer, request: Message, via: str = "") -> None:
    """200 for a REGISTER. ``via``: what a registrar behind a NAT puts into its Via, in the place of ``rport``."""
    if via:
        request.headers = [(n, v.replace(";rport", via) if n.lower() == "via" else v) for n, v in request.headers]
    peer.reply(request, 200, "OK", [f"Contact: {request['Contact']};expires=300"])


def offer_of(message: Message) -> list[str]:
    return message.body.split("\r\n")


class TestRegistration:
    def test_register_with_server_every(self, peer: SipPeer) -> None:
        with Phone("ada", **registered(peer, expires_s=77)) as ada:
            request = peer.wait("REGISTER")
            assert request["Expires"] == "77"
            accept(peer, request)
            assert ada.wait(Registration, WAIT).active

    def test_digest_answers_the_registrar(self, peer: SipPeer) -> None:
        with Phone("ada", **registered(peer, username="login7")) as ada:
            challenge = 'WWW-Authenticate: Digest realm="pbx", nonce="abc", algorithm=MD5, qop="auth"'
            peer.reply(peer.wait("REGISTER"), 401, "Unauthorized", [challenge])
            request = peer.wait("REGISTER")
            assert 'username="login7"' in request["Authorization"]
            accept(peer, request)
            assert ada.wait(Registration, WAIT).active

    @pytest.mark.parametrize("rewrite", [True, False])
    def test_contact_and_via_rewrite(self, peer: SipPeer, rewrite: bool) -> None:
        with Phone("ada", **registered(peer, via_rewrite=rewrite, contact_rewrite=rewrite)) as ada:
            public = ";rport=5099;received=203.0.113.7"
            request = peer.wait("REGISTER")
            assert "203.0.113.7" not in request["Contact"]
            accept(peer, request, public)
            while rewrite and "203.0.113.7:5099" not in request["Contact"]:  # the local binding goes, the public comes
                request = peer.wait("REGISTER")
                accept(peer, request, public)
            assert ada.wait(Registration, WAIT).active
            ada.call(f"sip:bob@{peer.address}")
            invite = peer.wait("INVITE", WAIT)
            assert [("203.0.113.7:5099" in invite[name]) for name in ("Via", "Contact")] == [rewrite, rewrite]

    def test_a_call_goes_by_the_proxy_and_its_address_stays(self, peer: SipPeer) -> None:
        with Phone("ada", proxies=(f"sip:{peer.address}",)) as ada:
            ada.call("sip:bob@192.0.2.9")
            invite = peer.wait("INVITE", WAIT)
            assert invite.start == "INVITE sip:bob@192.0.2.9 SIP/2.0"
            assert f"<sip:{peer.address};lr>" in invite["Route"]

    def test_the_proxy_has_a_login_of_its_own_and_its_realm_is_learned(self, peer: SipPeer) -> None:
        account = registered(
            peer, proxies=(f"sip:{peer.address}",), proxy_username="gate", proxy_password="keeper", register=False
        )
        with Phone("ada", **account) as ada:
            ada.call("sip:bob@192.0.2.9")
            challenge = 'Proxy-Authenticate: Digest realm="edge", nonce="n{}", algorithm=MD5, qop="auth"'
            users = []
            for number in range(12):
                request = peer.wait("INVITE", WAIT)
                found = re.search(r'username="(\w+)"', request["Proxy-Authorization"])
                users.append(found[1] if found else "")
                if users[-1] == "gate":
                    break
                peer.reply(request, 407, "Proxy Authentication Required", [challenge.format(number)])
            assert users[-1] == "gate"
            peer.reply(request, 486, "Busy Here")
            assert ada.wait(Ended, WAIT).code == 486
            ada.call("sip:bob@192.0.2.9")  # known now
            peer.reply(peer.wait("INVITE", WAIT), 407, "Proxy Authentication Required", [challenge.format("x")])
            assert 'username="gate"' in peer.wait("INVITE", WAIT)["Proxy-Authorization"]

    def test_a_proxy_that_wants_its_login_to_register(self, peer: SipPeer) -> None:
        login = {"proxy_username": "gate", "proxy_password": "keeper"}
        with Phone("ada", **registered(peer, proxies=("sip:" + peer.address,), **login)) as ada:
            challenge = 'Proxy-Authenticate: Digest realm="edge", nonce="n{}", algorithm=MD5, qop="auth"'
            for number in range(12):
                request = peer.wait("REGISTER", WAIT)
                if 'username="gate"' in request["Proxy-Authorization"]:
                    break
                peer.reply(request, 407, "Proxy Authentication Required", [challenge.format(number)])
            assert 'realm="edge"' in request["Proxy-Authorization"]
            accept(peer, request)
            assert ada.wait(Registration, WAIT).active

    def test_another_server_while_it_runs(self, peer: SipPeer) -> None:
        with Phone("ada", **registered(peer)) as ada, SipPeer() as second:
            accept(peer, peer.wait("REGISTER"))
            assert ada.wait(Registration, WAIT).active
            account = VoiceAccount(id=ACCOUNT, **registered(second, proxies=(f"sip:{second.address}",)))
            ada.process.send(Reroute(account=account))
            request = second.wait("REGISTER", WAIT)
            assert not request.all("Route")
            accept(second, request)
            while not ada.wait(Registration, WAIT).active:
                pass
            ada.call(f"sip:bob@{peer.address}")
            assert second.wait("INVITE", WAIT).start.startswith(f"INVITE sip:bob@{peer.address} ")
            ada.process.send(Register(account=ACCOUNT))
            assert second.wait("REGISTER", WAIT)["Contact"]

    def test_is_a_server_there(self, peer: SipPeer) -> None:
        with Phone("ada") as ada:
            for way in ("udp", "tcp"):
                ada.process.send(Probe(account="a", server=peer.address, transport=way))  # type: ignore[arg-type]
                request = peer.wait("OPTIONS", WAIT)
                assert request.way == way
                peer.reply(request, 483, "Too Many Hops")
                assert ada.wait(Probed, WAIT).alive
            gone = peer.address
            peer.close()
            ada.process.send(Probe(account="a", server=gone, transport="tcp"))
            assert not ada.wait(Probed, WAIT).alive


class TestTimers:
    def test_t1_and_t2_are_those_of_the_settings(self, peer: SipPeer) -> None:
        fast = {"t1_ms": 50, "t2_ms": 100}
        with Phone("ada", configure=fast, **registered(peer)) as ada:
            for _ in range(12):  # by RFC 3261's own values these would take 35 s
                assert peer.wait("REGISTER", WAIT, again=True)["CSeq"]
            report = ada.wait(Registration, WAIT)  # 64 x T1
            assert (report.active, report.code) == (False, 408)


class TestTransport:
    def long_call(self, peer: SipPeer, *, switch: bool) -> Message:
        name = "x" * 60
        account = {"uri": f'"{name}" <sip:{name}@192.0.2.200>', "proxies": (f"sip:{peer.address}",)}
        with Phone("ada", configure={"tcp_switch": switch, "codecs": ("PCMU", "PCMA", "G722")}, **account) as ada:
            ada.call(f"sip:{'y' * 120}@192.0.2.9;{'z' * 100}={'w' * 200}")
            return peer.wait("INVITE", WAIT)

    def test_udp_to_tcp_switching(self, peer: SipPeer) -> None:
        invite = self.long_call(peer, switch=True)
        assert (invite.way, invite.size > 1300) == ("tcp", True)

    def test_without_it_a_long_request_stays_on_udp(self, peer: SipPeer) -> None:
        invite = self.long_call(peer, switch=False)
        assert (invite.way, invite.size > 1300) == ("udp", True)


class TestMedia:
    def test_codec_priority(self, peer: SipPeer) -> None:
        for codecs, formats in ((("PCMA", "PCMU"), ["8", "0"]), (("G722", "PCMA"), ["9", "8"])):
            with Phone("ada", configure={"codecs": codecs}) as ada:
                ada.call(f"sip:bob@{peer.address}")
                media = next(line for line in offer_of(peer.wait("INVITE", WAIT)) if line.startswith("m=audio"))
                assert media.split(" ")[3:5] == formats

    def test_dtmf_payload_type(self, peer: SipPeer) -> None:
        with Phone("ada", event_type=97) as ada:
            ada.call(f"sip:bob@{peer.address}")
            invite = peer.wait("INVITE", WAIT)
            lines = offer_of(invite)
            assert "a=rtpmap:97 telephone-event/8000" in lines
            assert "a=fmtp:97 0-16" in lines
            assert " 97" in next(line for line in lines if line.startswith("m=audio"))
            answer = ["Content-Type: application/sdp", f"Contact: <sip:bob@{peer.address}>", "", ANSWER]
            peer.reply(invite, 200, "OK", answer)
            ada.connected(WAIT)
            assert ada.media is not None
            assert (ada.media.media.event_send_type, ada.media.media.event_receive_type) == (97, 97)

    @pytest.mark.parametrize("way", ["sendonly", "recvonly"])
    def test_audio_direction(self, peer: SipPeer, way: str) -> None:
        with Phone("ada", audio=way) as ada, Phone("bob") as bob:
            ada.call(f"sip:bob@{peer.address}")
            assert f"a={way}" in offer_of(peer.wait("INVITE", WAIT))
            ada.hang_up()
            bob.call(ada.uri)
            ada.wait(Incoming, WAIT)
            ada.answer()
            bob.connected(WAIT)
            assert ada.media is not None
            assert bob.media is not None
            other = {"sendonly": "recvonly", "recvonly": "sendonly"}[way]
            assert (ada.media.media.direction, bob.media.media.direction) == (way, other)


LOOK_UP = """
import time
from axcore.voice import resolver

def look_up(name):
    if name == "silent.test":
        time.sleep(60)
    return "127.0.0.1" if name == "pbx.test" else ""

resolver.look_up = look_up
"""


@pytest.fixture
def lookups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Voice processes know ``pbx.test``, and ``silent.test`` takes its time."""
    (tmp_path / "sitecustomize.py").write_text(LOOK_UP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("lookups")
class TestNames:
    def test_a_name_that_takes_its_time_holds_up_no_other_call(self, peer: SipPeer) -> None:
        with Phone("ada") as ada:
            ada.call("sip:bob@silent.test")
            media = LocalMedia(port=ada.port)
            ada.process.send(Invite(leg="other", account=ACCOUNT, uri=f"sip:eve@{peer.address}", media=media))
            assert peer.wait("INVITE", WAIT).start.startswith("INVITE sip:eve@")
            assert ada.reports.empty()

    def test_a_name_is_looked_up_and_stays_in_the_request(self, peer: SipPeer) -> None:
        with Phone("ada") as ada:
            ada.call(f"sip:bob@pbx.test:{peer.port}")
            assert peer.wait("INVITE", WAIT).start == f"INVITE sip:bob@pbx.test:{peer.port} SIP/2.0"

    @pytest.mark.parametrize("name", ["nobody.test", "a" * 300, ".".join(["b" * 60] * 6)])
    def test_what_nobody_knows_and_what_is_no_name_ends_the_call(self, name: str) -> None:
        with Phone("ada") as ada:
            pid = ada.process.pid
            ada.call(f"sip:bob@{name}")
            assert ada.wait(Ended, WAIT).code >= 400
            assert ada.process.pid == pid

    def test_a_contact_that_is_no_name_ends_the_call_and_not_the_process(self, peer: SipPeer) -> None:
        with Phone("ada") as ada:
            pid = ada.process.pid
            ada.call(f"sip:bob@{peer.address}")
            answer = ["Content-Type: application/sdp", f"Contact: <sip:bob@{'c' * 300}>", "", ANSWER]
            peer.reply(peer.wait("INVITE", WAIT), 200, "OK", answer)
            ada.wait(Connected, WAIT)
            ada.hang_up()
            ada.wait(Ended, 120.0)
            assert ada.process.pid == pid


MOVED = """
from pathlib import Path
from axcore.voice import sdp

sdp.own_address = lambda peer, bind="": Path("{}").read_text()
"""


def test_another_address_of_the_device_takes_effect_without_new_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = tmp_path / "address"
    address.write_text("192.0.2.1")
    (tmp_path / "sitecustomize.py").write_text(MOVED.format(address))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Phone("ada", host="", uri="<sip:ada@127.0.0.1>") as ada:
        address.write_text("192.0.2.7")
        report = ada.wait(Refused, WAIT)
        assert (report.what, "192.0.2.7" in report.detail) == ("address", True)
        ada.wait(Ready, WAIT)


class TestDevice:
    """A whole door station, whose registrar goes and comes back."""

    def test_fail_over_and_fail_back(self, tmp_path: Path) -> None:
        config = Config(network=NetworkConfig(bind="127.0.0.1"))
        device = Device("a8207-ve-mk2", tmp_path / "data", config=config, media=RtpMedia())
        device.start()
        assert device.intercom is not None
        intercom = device.intercom.service

        def do(job: Callable[[Any], Any]) -> Any:
            return device.ledger.submit(job).result(timeout=60)

        try:
            with SipPeer() as first, SipPeer() as second:
                patch = {
                    "enabled": True, "port": 0, "t1": 100, "t2": 200, "max_retransmissions": 1, "fallback_interval": 10,
                }  # fmt: skip
                do(lambda tx: intercom.accounts.set_settings(tx, patch))
                spec = SipAccountSpec(
                    name="PBX", kind="registered", user_id="door", registrar=first.address,
                    secondary_server=second.address,
                )  # fmt: skip
                account = do(lambda tx: intercom.accounts.add_account(tx, spec)).id
                request = second.wait("REGISTER", 120.0)  # the first one is silent
                assert request.start == f"REGISTER sip:{second.address} SIP/2.0"
                accept(second, request)
                until(lambda: account in intercom.registrations and intercom.registrations[account].active)
                faults = [one for one in device.ledger.events_after(0) if one.topic == events.SYSTEM_FAULT]
                assert any(f"{second.address} is used" in one.data["reason"] for one in faults)
                do(lambda tx: intercom.call(tx, "1001", account))
                invite = second.wait("INVITE", WAIT)  # by both lines: none of them is told to call the first one
                assert invite.start.startswith(f"INVITE sip:1001@{first.address} ")
                second.reply(invite, 486, "Busy Here")
                first.reply(first.wait("OPTIONS", 40.0), 200)
                request = first.wait("REGISTER", 120.0)
                while "expires=0" in request["Contact"] or request["Expires"] == "0":
                    accept(first, request)
                    request = first.wait("REGISTER", 120.0)
                accept(first, request)
                until(lambda: intercom.servers.route(intercom.accounts.account(account)).server == first.address)
                until(lambda: intercom.registrations[account].active)
        finally:
            device.stop()


def until(holds: Callable[[], object], timeout: float = WAIT) -> None:
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, f"not within {timeout} s"
        time.sleep(0.01)
