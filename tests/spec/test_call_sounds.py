"""Seed 001: Calls > Audio, Indicator icons - sentence by sentence."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from axcore.app.device import Device
from axcore.devices.call import NS, Call, Limits, place, receive
from axcore.devices.call_sound import sound_of
from axcore.devices.models import DOOR_STATION
from axcore.interfaces.cli.instance import wait_for
from axcore.model.intercom import CallSounds, SoundChoice, Target
from axcore.runtime.bus import Bus
from axcore.services.clips import ClipFiles, ClipService
from axcore.services.indicators import IndicatorService
from axcore.services.intercom.notices import Lights
from axcore.services.intercom.sounds import SoundsOfCalls
from axcore.testing.memory import MemoryLedger

LIMITS = Limits(calling_ns=60 * NS, active_ns=None)
ADA, BOB = (Target(uri=f"sip:{name}@host", account="a") for name in ("ada", "bob"))


def outgoing(*targets: Target) -> Call:
    return place("1", (targets or (ADA,),), LIMITS, 0)[0]


def incoming(*, answer: bool = False) -> Call:
    return receive("1", "in", ADA, LIMITS, 0, answer=answer)[0]


class Player:
    def __init__(self) -> None:
        self.gains: list[float] = []

    def ring(self, load: object, gain: float, times: int) -> None:
        self.gains.append(round(gain, 3))

    def hush(self) -> None:
        self.gains.append(0.0)


class TestAudio:
    def test_ringtone_when_someone_makes_a_call_to_the_device(self) -> None:
        call = incoming()
        assert sound_of(call) == "ringtone"
        assert sound_of(call.accept()[0]) == ""
        assert sound_of(incoming(answer=True)) == ""

    def test_ringback_tone_when_someone_makes_a_call_from_the_device(self) -> None:
        call = outgoing(ADA, BOB)
        assert sound_of(call) == ""  # no phone rings yet
        call, _ = call.rings("1.1")
        assert sound_of(call) == "ringback"
        call, _ = call.leg_over("1.1", "busy", NS)
        assert sound_of(call) == ""
        call, _ = call.rings("1.0")
        assert sound_of(call.answered("1.0", NS)[0]) == ""

    def test_who_was_left_alone_by_a_transfer_hears_it_too(self) -> None:
        call, _ = outgoing(ADA).answered("1.0", NS)
        call, _ = call.refer("1.0", BOB, NS)[0].rings("1.1")
        assert sound_of(call) == ""  # Ada is still there
        alone, _ = call.leg_over("1.0", "hung up", NS)
        assert sound_of(alone) == "ringback"
        assert sound_of(alone.answered("1.1", NS)[0]) == ""
        assert sound_of(alone.leg_over("1.1", "busy", NS)[0]) == ""

    @pytest.mark.parametrize(
        ("reason", "sound"),
        [("busy", "busy"), ("declined", "declined"), ("no answer", "no_answer"), ("500 oops", "failed")],
    )
    def test_nobody_was_reached(self, reason: str, sound: str) -> None:
        assert sound_of(outgoing().leg_over("1.0", reason, NS)[0]) == sound
        assert sound_of(outgoing().advance(60 * NS)[0]) == "no_answer"
        assert sound_of(outgoing().hang_up(reason, NS)[0]) == ""

    def test_a_call_that_was_talked_ends_in_silence(self) -> None:
        call, _ = outgoing().answered("1.0", NS)
        assert sound_of(call.leg_over("1.0", "busy", NS)[0]) == ""

    def test_a_change_during_a_call_does_not_take_effect_until_the_next_call(self) -> None:
        ledger, player = MemoryLedger(bus=Bus()), Player()
        sounds = SoundsOfCalls(None, ledger.post)
        sounds.attach(player)
        ledger.do(sounds.begin)
        ledger.do(lambda tx: sounds.set(tx, {"ringtone": {"gain": 20.0}}))
        ledger.do(lambda tx: sounds.follow(tx, incoming()))
        ledger.do(lambda tx: sounds.follow(tx, incoming().accept()[0]))
        ledger.do(sounds.begin)
        ledger.do(lambda tx: sounds.follow(tx, incoming()))
        assert player.gains == [1.0, 0.0, 10.0]

    def test_the_selected_audio_clip_is_only_played_when_a_call_is_made(self, tmp_path: Path) -> None:
        ledger = MemoryLedger(bus=Bus())
        clips = ClipService(ClipFiles(tmp_path), ledger.post)
        ledger.load(clips.load, clips.start_up)
        player = Player()
        sounds = SoundsOfCalls(clips, ledger.post)
        sounds.attach(player)
        chosen = ledger.do(lambda tx: sounds.set(tx, {"ringtone": {"clip": "Door chime"}}))
        assert chosen == CallSounds(ringtone=SoundChoice(clip="/etc/audioclips/MediaClip.M2.au"))
        assert player.gains == []
        assert clips.playing is None


class TestIndicatorIcons:
    """The whole table."""

    @staticmethod
    def shown(calls: Iterable[Call]) -> list[tuple[str, int, str]]:
        ledger = MemoryLedger(bus=Bus())
        indicators = IndicatorService(DOOR_STATION)
        lights = Lights(indicators, frozenset(led.name for led in DOOR_STATION.leds))
        found = []
        for call in calls:
            ledger.do(lambda tx, call=call: lights.show(tx, call))
            leds = indicators.shown()
            found.append((leds["statusCall"].color, leds["statusCall"].interval_ms, leds["statusSpeak"].color))
        return found

    def test_steady_blue_when_outgoing_call_initiated_then_steady_amber_for_ongoing_call(self) -> None:
        call = outgoing()
        talk, _ = call.answered("1.0", NS)
        over, _ = talk.leg_over("1.0", "hung up", NS)
        assert self.shown([call, talk, over]) == [("blue", 0, "off"), ("off", 0, "amber"), ("off", 0, "off")]

    def test_flashes_blue_when_incoming_call_initiated(self) -> None:
        (before,) = self.shown([incoming()])
        assert before[0] == "blue"
        assert before[1] > 0

    @pytest.mark.parametrize("usage", ["", "Door"])
    def test_steady_green_when_door_is_open(self, tmp_path: Path, usage: str) -> None:
        device = Device("a8207-ve", tmp_path)
        device.start()
        try:
            submit = device.ledger.submit
            if usage:  # a door contact
                submit(lambda tx: device.ports.configure(tx, 0, {"usage": usage})).result(30)
                submit(lambda tx: device.ports.on_input(tx, "port1", True)).result(30)
            else:  # the lock
                submit(lambda tx: device.ports.set_active(tx, 4, True)).result(30)
            wait_for("the door icon", lambda: device.indicators.shown()["statusDoor"] == ("green", 0), 30)
            if usage:
                submit(lambda tx: device.ports.on_input(tx, "port1", False)).result(30)
            else:
                submit(lambda tx: device.ports.set_active(tx, 4, False)).result(30)
            wait_for("the door icon", lambda: device.indicators.shown()["statusDoor"].color == "off", 30)
        finally:
            device.stop()
