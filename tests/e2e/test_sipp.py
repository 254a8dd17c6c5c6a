"""SIPp and the station's own sound: RTP echo, and a recorded key that opens the door."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_calls import Station

from axcore.drivers.call_media import CallMedia
from axcore.model import events
from axcore.testing.ports import free_port

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")
pytestmark = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (.ci/need sip-tester)")

PATIENCE = 120.0
KEY = Path("/usr/share/sip-tester/dtmf_2833_1.pcap")
"""The key 1 by RFC 4733, as it comes with SIPp."""
HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
      To: <sip:door@[remote_ip]:[remote_port]>{tag}
      Call-ID: [call_id]
      CSeq: {number} {method}
      Contact: <sip:sipp@[local_ip]:[local_port]>
      Max-Forwards: 70
      {type}Content-Length: [len]
"""
BODY = """
      v=0
      o=- 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [auto_media_port] RTP/AVP 8 101
      a=rtpmap:101 telephone-event/8000
"""


def _request(method: str, number: int, *, tag: str = "[peer_tag_param]", body: str = "") -> str:
    kind = "Content-Type: application/sdp\n      " if body else ""
    head = HEAD.format(tag=tag, number=number, method=method, type=kind)
    text = f"{method} sip:door@[remote_ip]:[remote_port] SIP/2.0\n      {head}{body}"
    return f'<send retrans="500"><![CDATA[\n      {text}\n    ]]></send>'


def may_play() -> bool:
    """Whether this user may open a raw socket."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
    except PermissionError:
        return False
    return True


CALL = f"""<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a key">
  {_request("INVITE", 1, tag="", body=BODY)}
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200"/>
  {_request("ACK", 1).replace(' retrans="500"', "")}
  <pause milliseconds="300"/>
  <nop><action><exec play_pcap_audio="{KEY}"/></action></nop>
  <pause milliseconds="2000"/>
  {_request("BYE", 2)}
  <recv response="200"/>
</scenario>
"""


@contextmanager
def sipp(folder: Path, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    command = ["sipp", *args, "-i", "127.0.0.1", "-nostdin", "-timeout", "120", "-timeout_error"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet) as peer:
        try:
            yield peer
        finally:
            peer.kill()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path, answers=True, own_sound=True)
    yield made
    made.close()


def test_what_comes_back_is_known_as_its_own(station: Station, tmp_path: Path) -> None:
    """RTP echo sends the very packets back: RFC 3550, section 8.2 has a loop not be taken for somebody's voice."""
    port = free_port()
    with sipp(tmp_path, "-sn", "uas", "-rtp_echo", "-m", "1", "-p", str(port), "-mp", str(free_port(4))) as peer:
        call = station.do(lambda tx: station.intercom.call(tx, f"sip:echo@127.0.0.1:{port}"))
        station.expect(events.CALL_STATE, CallState="Active")
        assert station.device.intercom is not None
        own = station.device.intercom.media
        assert isinstance(own, CallMedia)

        def came_back() -> int:
            ports = [call.port for call in own._calls.values() if call.port is not None]
            return sum(port.stats.dropped for port in ports)

        station.until(lambda: came_back() > 50, PATIENCE)
        assert own.sound is not None
        assert own.sound.stats.legs[0].offered == 0
        station.do(lambda tx: station.intercom.hang_up(tx, call.id))
        assert peer.wait(PATIENCE) == 0


@pytest.mark.skipif(not may_play(), reason="SIPp plays recorded packets by a raw socket, which is not allowed here")
@pytest.mark.skipif(not KEY.exists(), reason="sipp was installed without its recorded keys")
def test_a_recorded_key_opens_the_door(station: Station, tmp_path: Path) -> None:
    """*DTMF unlock door*, with packets that neither we nor our RTP made."""
    station.unlock_by("1")
    (tmp_path / "call.xml").write_text(CALL)
    place = station.uri.partition("@")[2]
    with sipp(tmp_path, place, "-sf", "call.xml", "-m", "1", "-p", str(free_port()), "-mp", str(free_port(4))) as peer:
        station.tap.expect("relay1", True, PATIENCE)
        assert peer.wait(PATIENCE) == 0
    pressed = [event for event in station.device.ledger.events_after(0) if event.topic == events.CALL_DTMF]
    assert len(pressed) == 1  # one key = one event
