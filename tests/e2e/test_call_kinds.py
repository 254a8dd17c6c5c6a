"""Calls by the keypad, test calls, and a peer that wants to send the station elsewhere."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_calls import Station

from axcore.model import events
from axcore.model.voice import Ended, Incoming
from axcore.testing.phone import Phone
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    found = Station(tmp_path)
    yield found
    found.close()


class RawPhone:
    """A telephone that answers, and says whatever it likes in the call."""

    def __init__(self) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(PATIENCE)
        self.port = int(self.udp.getsockname()[1])
        self.place = ("", 0)
        self.head: dict[str, str] = {}

    def take(self, start: str) -> str:
        """The next message that begins so."""
        while True:
            data, self.place = self.udp.recvfrom(8192)
            text = data.decode()
            if text.startswith(start):
                return text

    def answer(self) -> None:
        """Take the call, and answer it."""
        text = self.take("INVITE")
        self.head = {name.lower(): value for name, value in re.findall(r"(?m)^([\w-]+): *(.*?)\r$", text)}
        vias = "".join(f"Via: {value}\r\n" for value in re.findall(r"(?m)^Via: *(.*?)\r$", text))
        body = SDP.format(port=self.port + 2)
        self.send(
            f"SIP/2.0 200 OK\r\n{vias}From: {self.head['from']}\r\nTo: {self.head['to']};tag=raw\r\n"
            f"Call-ID: {self.head['call-id']}\r\nCSeq: {self.head['cseq']}\r\n"
            f"Contact: <sip:raw@127.0.0.1:{self.port}>\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.take("ACK")

    def refer(self, to: str) -> int:
        """Ask the station to call somebody; the status that it answers."""
        contact = self.head["contact"].split("<")[-1].split(">")[0]
        self.send(
            f"REFER {contact} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bKrefer1\r\n"
            f"Max-Forwards: 70\r\nFrom: {self.head['to']};tag=raw\r\nTo: {self.head['from']}\r\n"
            f"Call-ID: {self.head['call-id']}\r\nCSeq: 7 REFER\r\nRefer-To: <{to}>\r\n"
            f"Contact: <sip:raw@127.0.0.1:{self.port}>\r\nContent-Length: 0\r\n\r\n"
        )
        return int(self.take("SIP/2.0").split()[1])

    def send(self, text: str) -> None:
        self.udp.sendto(text.encode(), self.place)


def test_a_speed_dial_number_and_the_call_key_call_a_person(station: Station) -> None:
    with Phone("ada") as ada, Phone("bob") as bob:
        key = station.contact(ada)
        station.contact(bob, speed_dial="42")
        station.do(lambda tx: station.intercom.contacts.set_button(tx, {"recipients": [key]}))
        for digit in "42":
            station.device.board.feed_key(digit)
        station.press_button()
        bob.wait(Incoming, PATIENCE)
        assert station.expect(events.SPEED_DIAL, PATIENCE).data["number"] == "42"
        (call,) = station.intercom.calls()
        assert call.recipients == (bob.uri,)


def test_a_test_call_ends_when_it_is_answered_and_tells_so(station: Station) -> None:
    with Phone("ada") as ada:
        station.do(lambda tx: station.intercom.call(tx, ada.uri, test=True))
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        ada.wait(Ended, PATIENCE)
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        status = station.intercom.calls()[-1]
        assert (status.answered, status.reason, status.test) == (True, "answered", True)


def test_a_peer_that_refers_the_station_elsewhere_is_refused(station: Station) -> None:
    raw = RawPhone()
    with Phone("mallory") as mallory:
        station.do(lambda tx: station.intercom.call(tx, f"sip:raw@127.0.0.1:{raw.port}"))
        raw.answer()
        station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
        assert raw.refer(mallory.uri) == 603
        told = station.expect(events.SYSTEM_FAULT, PATIENCE)
        assert told.data["reason"].startswith("transfer")
        station.do(lambda tx: station.intercom.hang_up(tx, station.intercom.calls()[-1].id))
        raw.take("BYE")
        assert not any(isinstance(report, Incoming) for report in list(mallory.reports.queue))
    raw.udp.close()
