"""What a visitor hears of a call before it is talked, from the native pipeline of a station with a simulated card."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_calls import Station

from axcore.app.intercom import CallMedia
from axcore.drivers.capture import Capture
from axcore.drivers.desk import RATE
from axcore.model import events
from axcore.model.actions import PlayClip
from axcore.model.rules import Condition, RuleSpec
from axcore.model.voice import Ended, Incoming
from axcore.testing.phone import Phone
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

LOUD = 1000
"""Of 32767: more than the noise of the room, less than any tone."""


class Bench(Station):
    """A station whose loudspeaker is listened to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, own_sound=True)
        assert self.device.intercom is not None
        assert self.device.intercom.media is not None
        self.own: CallMedia = self.device.intercom.media

    def loudness(self) -> int:
        """The loudest sample of the last 100 ms that the loudspeaker gave out; 0 while the card is closed."""
        sound = self.own.sound
        if sound is None:
            return 0
        with Capture(sound.card.fd) as capture:
            newest = [record for record, _ in zip(capture.newest(), range(10), strict=False)]
        return max((max(abs(sample) for sample in array("h", record.data)) for record in newest), default=0)

    def hears(self, what: Callable[[int], bool] = lambda level: level > LOUD) -> None:
        self.until(lambda: what(self.loudness()), PATIENCE)

    def quiet(self) -> None:
        """Nothing is played any more: the card is closed, or it is silent for a while."""
        self.until(lambda: self.own.sound is None or not self.own.desk.busy, PATIENCE)

    def button_calls(self, phone: Phone) -> None:
        key = self.contact(phone)
        self.do(lambda tx: self.intercom.contacts.set_button(tx, {"recipients": [key]}))
        self.press_button()
        phone.wait(Incoming, PATIENCE)
        self.until(lambda: self.own.sound is not None, PATIENCE)  # a thread of its own opens the card


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.close()


def test_ringback_while_the_phone_rings_and_then_talk(station: Bench) -> None:
    with Phone("ada") as ada:
        station.button_calls(ada)
        assert station.loudness() <= LOUD
        ada.answer(180)
        station.hears()
        ada.answer()
        station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
        station.quiet()
        ada.hang_up()
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        station.until(lambda: station.own.sound is None, PATIENCE)


def test_a_busy_tone_that_ends_by_itself_and_closes_the_card(station: Bench) -> None:
    with Phone("ada") as ada:
        station.button_calls(ada)
        sound = station.own.sound
        assert sound is not None
        with Capture(sound.card.fd) as capture:
            ada.answer(486)
            station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
            station.until(lambda: station.own.sound is None, PATIENCE)
            samples = array("h", b"".join(record.data for record in capture.since()))
        loud = [abs(sample) > LOUD for sample in samples]
        assert 1.0 < sum(loud) / 16_000 < 2.0  # three times half a second, less where the sine is small


def test_a_clip_goes_on_in_a_call_and_the_loudspeaker_is_free_again_after_it(station: Bench) -> None:
    clips, ring = station.device.clips, station.device.data_dir / "sound.ring"
    assert clips is not None
    alert = clips.find("Alert")
    station.do(lambda tx: clips.play(tx, alert, repeat=-1))
    station.until(ring.exists, PATIENCE)
    with Phone("ada") as ada:
        station.button_calls(ada)
        station.hears()
        with Capture(ring) as capture:
            assert capture.rate == RATE  # the pipeline has the card
        station.do(clips.stop)
        station.until(lambda: not station.own.desk.busy, PATIENCE)
        ada.answer(603)
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        station.until(lambda: station.own.sound is None, PATIENCE)
    station.do(lambda tx: clips.play(tx, alert, repeat=-1))
    station.until(ring.exists, PATIENCE)

    def played() -> bool:
        with Capture(ring) as capture:
            return any(abs(sample) > LOUD for record in capture.newest() for sample in array("h", record.data))

    station.until(played, PATIENCE)


def test_the_ringtone_is_the_chosen_clip_and_ends_when_the_button_answers(station: Bench) -> None:
    accounts = station.intercom.accounts
    station.do(lambda tx: station.intercom.sounds.set(tx, {"ringtone": {"clip": "Alert", "gain": 3}}))
    station.do(lambda tx: accounts.set_settings(tx, {"allow_incoming": True}))
    station.until(lambda: station.lines.processes[0].starts >= 2 and all(station.intercom.lines), PATIENCE)
    with Phone("ada") as ada:
        ada.call(station.uri)
        station.hears()
        assert station.device.indicators.shown()["statusCall"].interval_ms > 0
        station.press_button()
        ada.connected(PATIENCE)
        station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
        station.quiet()
        ada.hang_up()
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")


def test_a_caller_who_gives_up_stops_the_ringtone(station: Bench) -> None:
    accounts = station.intercom.accounts
    station.do(lambda tx: accounts.set_settings(tx, {"allow_incoming": True}))
    station.until(lambda: station.lines.processes[0].starts >= 2 and all(station.intercom.lines), PATIENCE)
    with Phone("ada") as ada:
        ada.call(station.uri)
        station.hears()
        ada.hang_up()
        ada.wait(Ended, PATIENCE)
        station.until(lambda: station.own.sound is None, PATIENCE)


def test_a_clip_of_a_rule_mixes_into_the_call_and_the_far_side_hears_it_where_so_asked(station: Bench) -> None:
    rule = RuleSpec(
        name="Announce",
        conditions=(Condition(topic=events.CALL_STATE, data={"CallState": "Active"}),),
        action=PlayClip(clip="Alert", repeat=-1, to_call=True),
    )
    station.do(lambda tx: station.device.events.add_rule(tx, rule))
    with Phone("ada") as ada:
        station.button_calls(ada)
        ada.answer()
        station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
        station.hears()
        assert ada.media is not None
        end, heard = time.monotonic() + PATIENCE, 0.0
        while heard < 20:  # differences between payload bytes: a tone changes them, silence does not
            assert time.monotonic() < end, "the far side heard nothing"
            packet = ada.heard()
            payload = packet[12:]
            if packet[1] & 0x7F == ada.media.media.receive_type:
                heard = len(set(payload))
        station.do(station.device.clips.stop)  # type: ignore[union-attr]
        station.quiet()
        ada.hang_up()
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        station.until(lambda: station.own.sound is None, PATIENCE)
