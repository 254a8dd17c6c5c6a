"""The sounds of calls as a service: what is played, stored, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from intercom_bench import IntercomBench

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.clips import MAX_GAIN_DB
from axcore.model.intercom import CallSounds
from axcore.model.voice import Progress
from axcore.services.intercom.sounds import CLIP_RATE, render


@pytest.fixture
def bench(tmp_path: Path) -> IntercomBench:
    return IntercomBench(tmp_path)


def choose(bench: IntercomBench, **patch: Any) -> CallSounds:
    found: CallSounds = bench.do(lambda tx: bench.intercom.sounds.set(tx, patch))
    return found


def ring(bench: IntercomBench) -> str:
    """A call whose phone rings; its leg."""
    key = bench.call()
    bench.report(1, Progress(leg=f"{key}.0", code=180, reason=""))
    return f"{key}.0"


class TestWhatIsPlayed:
    def test_ringback_once_the_phone_rings_and_until_it_is_answered(self, bench: IntercomBench) -> None:
        leg = ring(bench)
        assert bench.player.asked == [("ringback", 1.0, 0)]
        bench.answer(leg, 1)
        assert bench.player.asked[1:] == [("", 0.0, 0)]
        bench.end(leg, 1)
        assert len(bench.player.asked) == 2

    @pytest.mark.parametrize(
        ("code", "sound", "rounds"),
        [(486, "busy", 3), (603, "declined", 3), (403, "declined", 3), (480, "no_answer", 6), (404, "failed", 6)],
    )
    def test_why_nobody_was_reached(self, bench: IntercomBench, code: int, sound: str, rounds: int) -> None:
        leg = ring(bench)
        bench.end(leg, 1, code)
        assert bench.player.asked[1:] == [(sound, 1.0, rounds)]

    def test_calling_timeout_sounds_like_nobody_is_there(self, bench: IntercomBench) -> None:
        ring(bench)
        bench.ledger.advance(61)
        assert bench.player.asked[-1][0] == "no_answer"

    def test_who_ends_the_call_himself_hears_nothing(self, bench: IntercomBench) -> None:
        leg = ring(bench)
        bench.do(lambda tx: bench.intercom.hang_up(tx, leg.split(".")[0]))
        assert bench.player.asked[-1] == ("", 0.0, 0)

    def test_ringtone_until_it_is_answered_here(self, bench: IntercomBench) -> None:
        bench.incoming()
        assert bench.player.asked == [("ringtone", 1.0, 0)]
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 1))
        assert bench.player.asked[-1] == ("", 0.0, 0)

    def test_ringtone_ends_with_a_caller_who_gives_up(self, bench: IntercomBench) -> None:
        bench.incoming()
        bench.end("in1", 0, 487)
        assert bench.player.asked == [("ringtone", 1.0, 0), ("", 0.0, 0)]

    def test_no_ringtone_where_the_device_answers_by_itself(self, bench: IntercomBench) -> None:
        accounts = bench.intercom.accounts
        bench.do(lambda tx: accounts.update_account(tx, "peer-to-peer", {"auto_answer": True}))
        bench.incoming()
        assert bench.player.asked == []

    def test_a_new_call_ends_the_sound_of_the_last_one(self, bench: IntercomBench) -> None:
        bench.end(ring(bench), 1, 486)
        bench.call()
        assert bench.player.asked[-2:] == [("busy", 1.0, 3), ("", 0.0, 0)]

    def test_a_second_press_answers_once(self, bench: IntercomBench) -> None:
        bench.incoming()
        for number in (1, 2):
            bench.do(lambda tx, number=number: bench.intercom.panel.on_button(tx, number))
        assert sum(command.code == 200 for _, command in bench.lines.sent if hasattr(command, "code")) == 1


class TestSettings:
    def test_clip_and_gain(self, bench: IntercomBench) -> None:
        new = choose(bench, ringback={"clip": "Door chime", "gain": 6.0}, busy={"enabled": False})
        assert new.ringback.clip == "/etc/audioclips/MediaClip.M2.au"
        leg = ring(bench)
        name, gain, times = bench.player.asked[0]
        assert name.startswith("clip of ")
        assert (gain, times) == (pytest.approx(1.995), 0)
        bench.end(leg, 1, 486)
        assert bench.player.asked[-1][0] == ""

    def test_a_patch_changes_what_it_names_only(self, bench: IntercomBench) -> None:
        choose(bench, ringtone={"clip": "1", "gain": 3})
        new = choose(bench, ringtone={"gain": -3})
        assert (new.ringtone.clip, new.ringtone.gain) == ("/etc/audioclips/MediaClip.M1.au", -3)
        assert choose(bench, ringtone={"clip": ""}).ringtone.clip == ""

    def test_they_are_there_after_a_restart(self, bench: IntercomBench) -> None:
        new = choose(bench, ringtone={"gain": 3.5})
        bench.ledger.load(bench.intercom.load)
        assert bench.intercom.sounds.settings == new

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"ringtone": {"gain": MAX_GAIN_DB + 1}}, "ringtone.gain"),
            ({"ringtone": {"gain": float("nan")}}, "ringtone.gain"),
            ({"busy": {"clip": "nobody knows it"}}, "busy.clip"),
            ({"busy": {"volume": 1}}, "busy.volume"),
            ({"ringtune": {}}, "ringtune"),
            ({"ringtone": 7}, "ringtone"),
            ({"ringtone": {"enabled": "yes"}}, "ringtone.enabled"),
        ],
    )
    def test_what_cannot_be_is_named_and_changes_nothing(
        self, bench: IntercomBench, patch: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InputError) as caught:
            choose(bench, **patch)
        assert caught.value.field == field
        assert bench.intercom.sounds.settings == CallSounds()

    def test_a_clip_that_calls_sound_with_stays(self, bench: IntercomBench) -> None:
        choose(bench, declined={"clip": "3"})
        with pytest.raises(ConflictError, match="declined"):
            bench.do(lambda tx: bench.clips.remove(tx, 3))
        with pytest.raises(NotFoundError):
            choose(bench, declined={"clip": "99"})


@pytest.mark.parametrize("name", CallSounds.__struct_fields__)
def test_every_sound_has_a_tone_of_its_own(name: str) -> None:
    samples = render(name)
    assert 0.2 * CLIP_RATE < len(samples) < 10 * CLIP_RATE
    assert max(samples) > 5000
