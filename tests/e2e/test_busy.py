"""One call at a time, with several that come at once from another implementation (sipp)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_calls import Station

from axcore.model import events
from axcore.testing.ports import free_port

CALLS = 6
SECONDS = 10
HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
Call-ID: [call_id]
Max-Forwards: 70"""
SCENARIO = f"""<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="the first is talked to until he is hung up; the others hear busy">
  <send retrans="500"><![CDATA[

    INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    {HEAD}
    To: <sip:[service]@[remote_ip]:[remote_port]>
    CSeq: 1 INVITE
    Contact: <sip:sipp@[local_ip]:[local_port]>
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=user 1 1 IN IP[local_ip_type] [local_ip]
    s=-
    c=IN IP[media_ip_type] [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 0

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="486" optional="true" next="1"/>
  <recv response="200"/>
  <send><![CDATA[

    ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    {HEAD}
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    CSeq: 1 ACK
    Content-Length: 0

  ]]></send>
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

    ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0

  ]]></send>
  <label id="2"/>
  <nop/>
</scenario>
"""


def heard(messages: Path, status: str) -> set[str]:
    """The calls to whose INVITE this was said."""
    if not messages.exists():
        return set()
    found = re.split(r"^-{10,}", messages.read_text(errors="replace"), flags=re.MULTILINE)
    said = [one for one in found if f"\nSIP/2.0 {status} " in one and re.search(r"^CSeq: 1 INVITE", one, re.MULTILINE)]
    return {call for one in said for call in re.findall(r"^Call-ID: (\S+)", one, re.MULTILINE)}


@pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (.ci/need sip-tester)")
def test_of_several_who_call_at_once_one_is_answered_and_the_others_hear_busy(tmp_path: Path) -> None:
    scenario, messages = tmp_path / "busy.xml", tmp_path / "messages.log"
    scenario.write_text(SCENARIO)
    station = Station(tmp_path, answers=True)
    many = ["-m", str(CALLS), "-l", str(CALLS), "-r", "1000"]
    told = ["-trace_msg", "-message_file", str(messages), "-timeout", str(SECONDS), "-timeout_error"]
    where = [station.uri.partition("@")[2], "-i", "127.0.0.1", "-p", str(free_port()), "-nostdin"]
    quiet = subprocess.DEVNULL
    try:
        with subprocess.Popen(
            ["sipp", *where, "-sf", str(scenario), *many, *told], cwd=tmp_path, stdin=quiet, stdout=quiet, stderr=quiet
        ) as peer:
            station.expect(events.CALL_STATE, CallState="Active")
            station.until(lambda: len(heard(messages, "486")) == CALLS - 1, SECONDS)
            (call,) = station.intercom.calls()
            station.do(lambda tx: station.intercom.hang_up(tx, call.id))
            assert peer.wait(2 * SECONDS) == 0
        station.expect(events.CALL_STATE, CallState="Idle")
        assert len(station.intercom.calls()) == 1
        assert not heard(messages, "200") & heard(messages, "486")
        assert len(heard(messages, "200")) == 1
        assert station.media.open_legs == []
    finally:
        station.close()
