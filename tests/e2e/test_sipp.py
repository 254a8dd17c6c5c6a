"""SIPp as the peer: one call after the other, several at once, RTP echo, and a recorded key that opens the door."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_calls import Station

from axcore.drivers.call_media import CallMedia
from axcore.model import events
from axcore.testing.ports import free_port
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")
pytestmark = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (.ci/need sip-tester)")

SEVERAL = 6
KEY = Path("/usr/share/sip-tester/dtmf_2833_1.pcap")
"""The key 1 by RFC 4733, as it comes with SIPp."""
BODY = """
v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
"""


def request(method: str, number: int, body: str = "") -> str:
    """A step of a scenario: a request of the one dialogue. Only an ACK is not sent again until it is answered."""
    tag = "" if method == "INVITE" else "[peer_tag_param]"
    again = "" if method == "ACK" else ' retrans="500"'
    kind = "Content-Type: application/sdp\n" if body else ""
    return f"""<send{again}><![CDATA[
{method} sip:door@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:door@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
{kind}Content-Length: [len]
{body}
]]></send>"""


CALL = f"""{request("INVITE", 1, BODY)}
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>"""
KEY_CALL = f"""{CALL}
<recv response="200"/>
{request("ACK", 1)}
<pause milliseconds="300"/>
<nop><action><exec play_pcap_audio="{KEY}"/></action></nop>
<pause milliseconds="2000"/>
{request("BYE", 2)}
<recv response="200"/>"""
BUSY_OR_HUNG_UP = f"""{CALL}
<recv response="486" optional="true" next="1"/>
<recv response="200"/>
{request("ACK", 1)}
<recv request="BYE"/>
<send next="2"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="1"/>
<send><![CDATA[
ACK sip:door@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<label id="2"/>
<nop/>"""


def may_play() -> bool:
    """Whether this user may open a raw socket."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
    except PermissionError:
        return False
    return True


@contextmanager
def sipp(folder: Path, *args: str, steps: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A running SIPp; ``steps``: of a scenario of our own."""
    if steps:
        file = folder / "scenario.xml"
        file.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="ours">\n{steps}\n</scenario>\n')
        args = (*args, "-sf", str(file))
    command = ["sipp", *args, "-i", "127.0.0.1", "-nostdin", "-timeout", "120", "-timeout_error"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet) as peer:
        try:
            yield peer
        finally:
            peer.kill()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Station]]:
    made: list[Station] = []

    def station(*, own_sound: bool = False, answers: bool = True) -> Station:
        made.append(Station(tmp_path, answers=answers, own_sound=own_sound))
        return made[-1]

    yield station
    for one in made:
        one.close()


def place(station: Station) -> str:
    """Its host and port."""
    return station.uri.partition("@")[2]


def test_it_calls_and_is_answered(make: Callable[..., Station], tmp_path: Path) -> None:
    station = make()
    more = ("-sn", "uac", "-m", "10", "-l", "1", "-d", "20", "-p", str(free_port()))
    with sipp(tmp_path, place(station), *more) as peer:
        assert peer.wait(PATIENCE) == 0
    station.until(lambda: {call.state for call in station.intercom.calls()} == {"Terminated"})
    assert len(station.intercom.calls()) == 10
    assert station.media.open_legs == []


def test_it_is_called_and_answers(make: Callable[..., Station], tmp_path: Path) -> None:
    station, port = make(answers=False), free_port()
    with sipp(tmp_path, "-sn", "uas", "-m", "1", "-p", str(port)) as peer:
        call = station.do(lambda tx: station.intercom.call(tx, f"sip:service@127.0.0.1:{port}"))
        station.expect(events.CALL_STATE, CallState="Active")
        station.do(lambda tx: station.intercom.hang_up(tx, call.id))
        assert peer.wait(PATIENCE) == 0
    station.expect(events.CALL_STATE, CallState="Idle")


def told(messages: Path, status: str) -> set[str]:
    """The calls to whose INVITE this was said."""
    if not messages.exists():
        return set()
    found = re.split(r"^-{10,}", messages.read_text(errors="replace"), flags=re.MULTILINE)
    said = [one for one in found if f"\nSIP/2.0 {status} " in one and re.search(r"^CSeq: 1 INVITE", one, re.MULTILINE)]
    return {call for one in said for call in re.findall(r"^Call-ID: (\S+)", one, re.MULTILINE)}


def test_of_several_at_once_one_is_answered_and_the_others_hear_busy(
    make: Callable[..., Station], tmp_path: Path
) -> None:
    station, messages = make(), tmp_path / "messages.log"
    many = ("-m", str(SEVERAL), "-l", str(SEVERAL), "-r", "1000", "-p", str(free_port()))
    trace = ("-trace_msg", "-message_file", str(messages))
    with sipp(tmp_path, place(station), *many, *trace, steps=BUSY_OR_HUNG_UP) as peer:
        station.expect(events.CALL_STATE, CallState="Active")
        station.until(lambda: len(told(messages, "486")) == SEVERAL - 1)
        (call,) = station.intercom.calls()
        station.do(lambda tx: station.intercom.hang_up(tx, call.id))
        assert peer.wait(PATIENCE) == 0
    station.expect(events.CALL_STATE, CallState="Idle")
    assert len(station.intercom.calls()) == 1
    assert not told(messages, "200") & told(messages, "486")
    assert len(told(messages, "200")) == 1
    assert station.media.open_legs == []


def test_what_comes_back_is_known_as_its_own(make: Callable[..., Station], tmp_path: Path) -> None:
    """RTP echo sends the very packets back: RFC 3550, section 8.2 has a loop not be taken for somebody's voice."""
    station, port = make(own_sound=True), free_port()
    with sipp(tmp_path, "-sn", "uas", "-rtp_echo", "-m", "1", "-p", str(port), "-mp", str(free_port(4))) as peer:
        call = station.do(lambda tx: station.intercom.call(tx, f"sip:echo@127.0.0.1:{port}"))
        station.expect(events.CALL_STATE, CallState="Active")
        assert station.device.intercom is not None
        own = station.device.intercom.media
        assert isinstance(own, CallMedia)

        def came_back() -> int:
            ports = [call.port for call in own._calls.values() if call.port is not None]
            return sum(port.stats.dropped for port in ports)

        station.until(lambda: came_back() > 50)
        assert own.sound is not None
        assert own.sound.stats.legs[0].offered == 0
        station.do(lambda tx: station.intercom.hang_up(tx, call.id))
        assert peer.wait(PATIENCE) == 0


@pytest.mark.skipif(not may_play(), reason="SIPp plays recorded packets by a raw socket, which is not allowed here")
@pytest.mark.skipif(not KEY.exists(), reason="sipp was installed without its recorded keys")
def test_a_recorded_key_opens_the_door(make: Callable[..., Station], tmp_path: Path) -> None:
    """*DTMF unlock door*, with packets that neither we nor our RTP made."""
    station = make(own_sound=True)
    station.unlock_by("1")
    more = ("-m", "1", "-p", str(free_port()), "-mp", str(free_port(4)))
    with sipp(tmp_path, place(station), *more, steps=KEY_CALL) as peer:
        station.tap.expect("relay1", True, PATIENCE)
        assert peer.wait(PATIENCE) == 0
    pressed = [event for event in station.device.ledger.events_after(0) if event.topic == events.CALL_DTMF]
    assert len(pressed) == 1  # one key = one event
