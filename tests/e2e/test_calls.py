"""A door station calls and is called on loopback: its own voice processes, and telephones that are voice processes too.

The device runs in the process of the test, with ``RtpMedia`` for the sound of calls, or with its own.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.app.device import Device
from axcore.audio import G711, G722
from axcore.interfaces.cli.instance import Tap
from axcore.model import events
from axcore.model.actions import MakeCall, ToggleIoOnce
from axcore.model.config import Config, NetworkConfig
from axcore.model.events import Event
from axcore.model.intercom import ContactSpec, DtmfSequenceSpec, GroupSpec, SipAccountSpec
from axcore.model.rules import Condition, RuleSpec
from axcore.model.voice import Ended, Incoming
from axcore.services.intercom import IntercomService
from axcore.testing.media import RtpMedia
from axcore.testing.phone import Phone
from axcore.testing.ports import free_port

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

MODEL = "a8207-ve-mk2"
RTP_PORTS = 96
"""That legs take in turn, and the paths of those behind NAT: ``services.intercom.check.MEDIA_PORTS``."""


class Station:
    """A door station whose SIP is on. ``answers``: it takes calls, and answers them by itself."""

    def __init__(
        self, folder: Path, *, own_sound: bool = False, answers: bool = False, bind: str = "127.0.0.1", **settings: Any
    ) -> None:
        self.tap = Tap(folder / "tap")
        self.media = RtpMedia()
        config = Config(network=NetworkConfig(bind=bind))
        media = None if own_sound else self.media
        self.device = Device(MODEL, folder / "data", config=config, tap=str(self.tap.path), media=media)
        self.device.start()
        assert self.device.intercom is not None
        self.intercom: IntercomService = self.device.intercom.service
        self.lines = self.device.intercom.lines
        self._seen = 0
        start = free_port(RTP_PORTS)
        accounts = self.intercom.accounts
        if answers:
            self.do(lambda tx: accounts.update_account(tx, "peer-to-peer", {"auto_answer": True}))
            settings["allow_incoming"] = True
        wanted = {"enabled": True, "port": 0, "rtp_start_port": start, **settings}
        self.do(lambda tx: accounts.set_settings(tx, wanted))
        self.until(lambda: all(self.intercom.lines), 120.0)

    def close(self) -> None:
        self.device.stop()
        self.media.close()
        self.tap.close()

    def do(self, job: Callable[[Any], Any]) -> Any:
        return self.device.ledger.submit(job).result(timeout=120)

    def restart(self, job: Callable[[Any], Any]) -> None:
        """Do one thing that begins the voice processes anew, and wait for both."""
        before = self.intercom.lines
        self.do(job)
        self.until(
            lambda: all(new is not None and all(new is not old for old in before) for new in self.intercom.lines), 120.0
        )

    def until(self, holds: Callable[[], object], timeout: float = 120.0) -> None:
        end = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < end, f"not within {timeout} s; there was\n{self.told()}"
            time.sleep(0.005)

    def expect(self, topic: str, timeout: float = 120.0, **data: str) -> Event:
        """The next event of a topic with these data."""
        end = time.monotonic() + timeout
        while True:
            for event in self.device.ledger.events_after(self._seen):
                self._seen = event.id
                if event.topic == topic and data.items() <= event.data.items():
                    return event
            if time.monotonic() >= end:
                raise TimeoutError(f"no {topic} {data} within {timeout} s; there was\n{self.told()}")
            time.sleep(0.002)

    def told(self) -> str:
        """The last events, for who looks why a test failed."""
        events_told = self.device.ledger.events_after(0)[-20:]
        return "\n".join(f"{event.time} {event.topic} {event.data}" for event in events_told)

    def press_button(self) -> None:
        board = self.device.board
        board.feed_input("callbutton", True, None)
        self.until(lambda: board.input_active("callbutton"))
        board.feed_input("callbutton", False, None)
        self.until(lambda: not board.input_active("callbutton"))

    def contact(self, phone: Phone, **more: Any) -> str:
        spec = ContactSpec(first_name=phone.name, sip_address=phone.uri, **more)
        return str(self.do(lambda tx: self.intercom.contacts.add_contact(tx, spec)).id)

    def unlock_by(self, keys: str) -> None:
        """The manual's *Use DTMF to unlock the door for a visitor*, steps 1 to 13."""
        sequence = DtmfSequenceSpec(sequence=keys, description="Unlock door")
        key = self.do(lambda tx: self.intercom.accounts.add_sequence(tx, sequence)).id
        rule = RuleSpec(
            name="DTMF unlock door",
            conditions=(Condition(topic=events.CALL_DTMF, data={"DTMFEventId": key}),),
            action=ToggleIoOnce(port="Relay 1", state=True, duration=7.0),
        )
        self.do(lambda tx: self.device.events.add_rule(tx, rule))

    @property
    def uri(self) -> str:
        ready = self.intercom.lines[0]
        assert ready is not None
        return f"sip:door@127.0.0.1:{ready.port}"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    found = Station(tmp_path)
    yield found
    found.close()


def test_button_to_call_to_key_to_rule_to_door(station: Station) -> None:
    with Phone("ada") as ada:
        key = station.contact(ada)
        station.do(lambda tx: station.intercom.contacts.set_button(tx, {"recipients": [key]}))
        station.unlock_by("1")
        station.press_button()
        incoming = ada.wait(Incoming)
        assert incoming.remote.startswith(f'"{MODEL}"')
        ada.answer(180)
        ada.answer()
        station.expect(events.CALL_STATE, CallState="Active")
        assert station.device.indicators.shown()["statusSpeak"].color == "amber"
        ada.press("1")
        station.tap.expect("relay1", True, 120.0)
        assert station.expect(events.CALL_DTMF).data["DTMFEventId"] == "1"
        ada.hang_up()
        station.expect(events.CALL_STATE, CallState="Idle")
        assert station.intercom.calls()[-1].state == "Terminated"
        station.until(lambda: not station.media.open_legs)
        assert station.device.indicators.shown()["statusSpeak"].color == "off"


def test_who_answers_hears_the_visitor_and_opens_the_door_by_a_key(tmp_path: Path) -> None:
    """All of it native but for signalling: a visitor speaks in the room of the station, the telephone hears it."""
    station = Station(tmp_path, own_sound=True)
    tone = (9000 * np.sin(2 * np.pi * 700 / 16000 * np.arange(160 * 40))).astype(np.int16)
    try:
        with Phone("ada") as ada:
            key = station.contact(ada)
            station.do(lambda tx: station.intercom.contacts.set_button(tx, {"recipients": [key]}))
            station.unlock_by("1")
            station.press_button()
            ada.wait(Incoming)
            ada.answer()
            station.expect(events.CALL_STATE, CallState="Active")
            assert station.device.intercom is not None
            own = station.device.intercom.media
            assert own is not None
            station.until(lambda: own.sound is not None and own.sound.stats.legs)
            assert own.sound is not None
            for number in range(40):
                own.sound.talk(tone[160 * number : 160 * (number + 1)])
            assert ada.media is not None
            kind = ada.media.media.receive_type
            decoder = {0: G711("mu"), 8: G711("a"), 9: G722()}[kind]
            loudest, numbers = 0, []
            end = time.monotonic() + 120.0
            while len(numbers) <= 50 or loudest <= 3000:  # the visitor may begin late
                assert time.monotonic() < end, (len(numbers), loudest)
                packet = ada.heard(120.0)
                assert packet[0] == 0x80
                if packet[1] & 0x7F == kind:  # sound, not a report
                    assert len(packet) == 12 + 160
                    numbers.append(int.from_bytes(packet[2:4], "big"))
                    loudest = max(loudest, *decoder.decode(packet[12:]))
            assert numbers == [(numbers[0] + k) % 65536 for k in range(len(numbers))]
            ada.press("1")
            station.tap.expect("relay1", True, 120.0)
            ada.hang_up()
            station.expect(events.CALL_STATE, CallState="Idle")
            station.until(lambda: own.sound is None)
    finally:
        station.close()


def test_a_group_of_six_is_called_at_once_and_the_first_answer_wins(station: Station) -> None:
    with Phone("host") as host, Phone("more") as more:
        spread = [host, host, host, more, more, more]
        people = [station.contact(phone) for phone in (host, more)]
        assert host.ready is not None
        for number, phone in enumerate(spread[:4]):
            spec = ContactSpec(first_name=f"n{number}", sip_address=phone.uri.replace("sip:", f"sip:n{number}"))
            people.append(station.do(lambda tx, spec=spec: station.intercom.contacts.add_contact(tx, spec)).id)
        spec = GroupSpec(name="Front", recipients=tuple(people))
        group = station.do(lambda tx: station.intercom.contacts.add_group(tx, spec)).id
        status = station.do(lambda tx: station.intercom.call(tx, "front"))
        assert len(status.recipients) == 6
        first = [host.wait(Incoming) for _ in range(4)]
        for _ in range(2):
            more.wait(Incoming)
        assert len({incoming.source for incoming in first}) == 2  # both voice processes call
        host.leg = first[1].leg
        host.answer()
        station.expect(events.CALL_STATE, CallState="Active")
        assert [host.wait(Ended).code for _ in range(3)] == [487] * 3
        assert [more.wait(Ended).code for _ in range(2)] == [487] * 2
        station.until(lambda: len(station.media.open_legs) == 1)
        host.leg = first[1].leg
        host.hang_up()
        station.expect(events.CALL_STATE, CallState="Idle")
        assert group.startswith("group")


def test_nobody_answers_then_the_fallback_is_called(station: Station) -> None:
    with Phone("ada") as ada, Phone("bob") as bob:
        bob_key = station.contact(bob)
        key = station.contact(ada, fallback=bob_key)
        station.do(lambda tx: station.intercom.call(tx, key))
        ada.wait(Incoming)
        ada.answer(486)
        bob.wait(Incoming)
        bob.answer()
        station.expect(events.CALL_STATE, CallState="Active")
        assert station.intercom.calls()[-1].remote_uri == bob.uri


def test_incoming_calls_are_answered_refused_or_busy(station: Station) -> None:
    accounts = station.intercom.accounts
    with Phone("ada") as ada, Phone("bob") as bob:
        ada.call(station.uri)
        assert ada.wait(Ended).code == 603  # incoming calls are not allowed as delivered
        settings = {"allow_incoming": True, "use_access_list": True, "access_list": ["ada"]}
        station.restart(lambda tx: accounts.set_settings(tx, settings))
        station.restart(lambda tx: accounts.update_account(tx, "peer-to-peer", {"auto_answer": True}))
        bob.call(station.uri)
        assert bob.wait(Ended).code == 403
        ada.call(station.uri)
        ada.connected()
        station.expect(events.CALL_STATE, CallState="Active")
        station.do(lambda tx: accounts.set_settings(tx, {"use_access_list": False}))  # waits for the end of the call
        bob.call(station.uri)
        assert bob.wait(Ended).code == 403 or station.intercom.accounts.settings.use_access_list is False
        ada.hang_up()
        station.expect(events.CALL_STATE, CallState="Idle")


def test_keys_count_once_and_only_from_who_talks(station: Station) -> None:
    with Phone("ada") as ada, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        key = station.contact(ada)
        station.unlock_by("12")
        station.do(lambda tx: station.intercom.call(tx, key))
        ada.wait(Incoming)
        ada.answer()
        station.expect(events.CALL_STATE, CallState="Active")
        stranger.bind(("127.0.0.1", 0))
        ada.press("12", by=stranger)
        station.until(lambda: station.media.foreign > 10)
        assert station.tap.drain() == []
        ada.info("1")
        ada.info("2")
        station.tap.expect("relay1", True, 120.0)
        found = [event for event in station.device.ledger.events_after(0) if event.topic == events.CALL_DTMF]
        assert len(found) == 1


def test_a_rule_makes_a_call_and_a_second_one_fails_with_an_event(station: Station) -> None:
    with Phone("ada") as ada:
        key = station.contact(ada)
        rule = RuleSpec(name="Call", conditions=(Condition(topic=events.CALL_BUTTON),), action=MakeCall(to="ada"))
        added = station.do(lambda tx: station.device.events.add_rule(tx, rule))
        assert added.action.to == key
        station.press_button()
        ada.wait(Incoming)
        station.press_button()
        assert station.expect(events.ACTION_FAILED).data["reason"] == "there is a call already"


def test_a_killed_voice_process_ends_the_call_and_the_door_goes_on(station: Station) -> None:
    with Phone("ada") as ada:
        key = station.contact(ada)
        station.do(lambda tx: station.intercom.call(tx, key))
        ada.wait(Incoming)
        ada.answer()
        station.expect(events.CALL_STATE, CallState="Active")
        for process in station.lines.processes:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
        station.device.board.feed_input("rex", True, None)
        station.tap.expect("relay1", True, 120.0)
        station.expect(events.CALL_STATE, CallState="Idle")
        station.until(lambda: all(station.intercom.lines), 120.0)  # How soon: test_voice_process.
        station.do(lambda tx: station.intercom.call(tx, key))
        ada.wait(Incoming)


def test_an_account_registers_with_digest_and_calls_an_extension(station: Station) -> None:
    from axcore.model.voice import Registration
    from axcore.testing import kamailio

    if kamailio.program() is None:
        pytest.skip("kamailio is not installed (.ci/need kamailio)")
    accounts = station.intercom.accounts
    with kamailio.Kamailio() as pbx:
        phone = {"uri": f"<sip:1001@{pbx.address}>", "registrar": f"sip:{pbx.address}", "username": "1001"}
        with Phone("1001", password=pbx.password, **phone) as ada:
            assert ada.wait(Registration).active
            spec = SipAccountSpec(
                name="PBX", kind="registered", user_id="2000", registrar=pbx.address, password=pbx.password
            )
            account = station.do(lambda tx: accounts.add_account(tx, spec)).id
            assert station.expect(events.SIP_ACCOUNT, registered="1").source == {"account": account}
            station.until(lambda: all(station.intercom.lines))
            person = ContactSpec(first_name="Ada", sip_address="1001", account=account)
            key = station.do(lambda tx: station.intercom.contacts.add_contact(tx, person)).id
            station.do(lambda tx: station.intercom.call(tx, key))
            assert "sip:2000@127.0.0.1" in ada.wait(Incoming).remote
            ada.answer()
            station.expect(events.CALL_STATE, CallState="Active")
            ada.hang_up()
            station.expect(events.CALL_STATE, CallState="Idle")
            station.do(lambda tx: accounts.update_account(tx, account, {"password": "wrong"}))
            station.expect(events.SIP_ACCOUNT, registered="0", code="401")


def test_ten_thousand_invites_do_not_reach_the_door(station: Station) -> None:
    station.restart(lambda tx: station.intercom.accounts.set_settings(tx, {"allow_incoming": True}))
    pids = [process.pid for process in station.lines.processes]
    port = int(station.uri.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for number in range(10_000):
            head = f"INVITE sip:d@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{number}\r\n"
            names = f"From: <sip:f@127.0.0.1>;tag={number}\r\nTo: <sip:d@127.0.0.1>\r\nCall-ID: f{number}\r\n"
            rest = "CSeq: 1 INVITE\r\nContact: <sip:f@127.0.0.1:9>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            flood.sendto((head + names + rest).encode(), ("127.0.0.1", port))
            if number % 200 == 199:
                time.sleep(0.05)  # wall clock: faster, and the kernel drops them for want of room
            if number == 5000:
                station.device.board.feed_input("rex", True, None)
                station.tap.expect("relay1", True, 120.0)
    station.expect(events.CALL_STATE, CallState="Calling")  # the first of them rings; the others hear busy, or nothing
    assert [process.pid for process in station.lines.processes] == pids
