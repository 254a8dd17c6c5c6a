"""Audio > Audio clips of the door station's manual, and the VAPIX Media clip API with its events and action templates,
sentence by sentence. What is heard is in ``tests/e2e/test_clips.py``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from axcore.devices import MODELS
from axcore.errors import InputError, NotFoundError
from axcore.interfaces.http.rest import audio as rest
from axcore.interfaces.http.vapix import mediaclip, playclip
from axcore.interfaces.soap.templates import by_token, of_action
from axcore.model import events
from axcore.model.accounts import Role
from axcore.model.actions import PlayClip, PlayClipWhileActive, StopClip
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, RuleSpec
from axcore.services.clips import ClipPerformer, rules_playing
from axcore.services.clips.delivered import seconds as seconds_of
from axcore.services.events import AbsentPerformer, EventService
from tests.unit.interfaces.http.test_clip_cgis import ClipDevice, ask, form

FILES = {"bell.au": "AU", "bell.mp3": "MP3", "bell.opus": "OGG", "bell.vorbis": "OGG", "bell.wav": "WAV"}
SUBTYPES = {"bell.opus": "OPUS", "bell.vorbis": "VORBIS"}
INPUT = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"})


class RuleDevice(ClipDevice):
    """The stub device, whose rules play clips."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        performers = (ClipPerformer(self.clips), AbsentPerformer(clips=True))
        self.rules = EventService(MODELS["a8207-ve"], performers, self.bus, self.ledger.post)
        self.clips.users.add(lambda clip: rules_playing(self.rules.rules(), clip))
        self.input(False)
        self.ledger.do(self.rules.start)

    def input(self, active: bool) -> None:
        data = {"active": "1" if active else "0"}
        event = NewEvent(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}, data=data, is_property=True)
        self.ledger.do(lambda tx: tx.publish(event))

    def rule(self, action: Any, name: str = "Play") -> Any:
        spec = RuleSpec(name=name, conditions=(INPUT,), action=action)
        return self.ledger.do(lambda tx: self.rules.add_rule(tx, spec))

    def told(self, topic: str) -> list[dict[str, str]]:
        return [event.data for event in self.ledger.events if event.topic == topic]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[RuleDevice]:
    return RuleDevice(tmp_path)  # type: ignore[return-value]


def sound(name: str) -> bytes:
    out = io.BytesIO()
    sine = 0.5 * np.sin(2 * np.pi * 700 * np.arange(48_000) / 48_000)
    soundfile.write(out, sine, 48_000, format=FILES[name], subtype=SUBTYPES.get(name))
    return out.getvalue()


# --- the manual


@pytest.mark.parametrize("name", FILES)
async def test_you_can_use_au_mp3_opus_vorbis_wav_files(device: RuleDevice, name: str) -> None:
    """Audio clips: Add clip: Add a new audio clip. You can use .au, .mp3, .opus, .vorbis, .wav files."""
    status, body = await ask(
        device, mediaclip.mediaclip_cgi, "action=upload&media=audio&name=Bell", **form(sound(name))
    )
    assert (status, body) == (200, b"OK\nuploaded=5\n")
    samples = device.clips.samples(device.clips.find("Bell"))
    spectrum = np.abs(np.fft.rfft(np.array(samples)))
    assert spectrum.argmax() * 48_000 / len(samples) == pytest.approx(700, abs=2)


async def test_play_and_stop_playing_the_audio_clip(device: RuleDevice) -> None:
    """Audio clips: Play the audio clip. Stop playing the audio clip."""
    assert (await ask(device, rest.play_clip, body=b'{"data":{}}', kind="application/json", id="0"))[0] == 200
    assert (await ask(device, rest.stop_clip))[0] == 200
    assert device.player.asked == [("play", 1.0, 1), ("stop",)]


async def test_rename_change_the_name_of_the_audio_clip(device: RuleDevice) -> None:
    """Audio clips: Rename: Change the name of the audio clip."""
    body = msgspec.json.encode({"data": {"name": "Gong"}})
    await ask(device, rest.patch_clip, body=body, kind="application/json", id="2")
    assert device.clips.find("gong").id == 2


async def test_create_link_a_url_that_plays_the_audio_clip_when_used(device: RuleDevice) -> None:
    """Create link: Create a URL that, when used, plays the audio clip. Specify the volume and number of times."""
    _, body = await ask(device, rest.get_link, "volume=30&repeat=4", id="2")
    path = msgspec.json.decode(body)["data"]["path"]
    assert path.startswith("/axis-cgi/playclip.cgi?")
    await ask(device, playclip.playclip_cgi, path.partition("?")[2])
    assert device.player.asked == [("play", 0.3, 5)]


async def test_download_and_delete_the_audio_clip(device: RuleDevice) -> None:
    """Audio clips: Download the audio clip to your computer. Delete the audio clip from the device."""
    _, body = await ask(device, rest.get_file, id="2")
    samples, rate = soundfile.read(io.BytesIO(body))
    assert len(samples) == seconds_of("chime") * rate
    await ask(device, rest.delete_clip, id="2")
    with pytest.raises(NotFoundError):
        device.clips.clip(2)


# --- Media clip API


async def test_operators_manage_and_viewers_play() -> None:
    """mediaclip.cgi allows operators to manage media clips, playclip.cgi allows viewers to play media clips."""
    roles = {route.path.rpartition("/")[2]: route.role for route in (*playclip.ROUTES, *mediaclip.ROUTES)}
    assert roles == {
        "playclip.cgi": Role.VIEWER, "stopclip.cgi": Role.VIEWER, "mediaclip.cgi": Role.OPERATOR,
    }  # fmt: skip


async def test_location_accepts_a_wildcard_to_play_a_random_matching_clip(device: RuleDevice) -> None:
    """location: the clip parameter is not necessary. Accepts * as wildcard to play a random matching clip."""
    played = set()
    for _ in range(100):
        played.add((await ask(device, playclip.playclip_cgi, "location=/etc/audioclips/MediaClip.M*"))[1])
    assert played == {f"OK\nplaying={number}\n".encode() for number in range(5)}


async def test_repeat_and_volume(device: RuleDevice) -> None:
    """-1 means repeat forever. 0 (default) means play once. The volume is a percentage, linear. 0 means mute."""
    for query in ("clip=0", "clip=0&repeat=0", "clip=0&repeat=-1", "clip=0&repeat=2&volume=0", "clip=0&volume=1000"):
        await ask(device, playclip.playclip_cgi, query)
    wanted = [(1.0, 1), (1.0, 1), (1.0, 0), (0.0, 3), (10.0, 1)]
    assert device.player.asked == [("play", gain, times) for gain, times in wanted]


def test_the_playing_event_is_true_whenever_a_media_clip_is_played(device: RuleDevice) -> None:
    """MediaClip/Playing is true whenever a media clip is played, and deactivated when the media clip is finished."""
    clips = device.clips
    device.ledger.do(lambda tx: clips.play(tx, clips.find("Beep"), repeat=1))
    device.ledger.advance(2 * seconds_of("beep") + 0.01)
    assert [data["Playing"] for data in device.told(events.CLIP_PLAYING)] == ["0", "1", "0"]


def test_using_the_repeat_option_triggers_currently_playing_multiple_times(device: RuleDevice) -> None:
    """MediaClip/CurrentlyPlaying: Using the repeat option will trigger this event multiple times."""
    heard: list[str] = []
    device.bus.in_transaction(events.CLIP_CURRENT, lambda tx, event: heard.append(event.data["FileName"]))
    clips = device.clips
    device.ledger.do(lambda tx: clips.play(tx, clips.find("Door chime"), repeat=3))
    device.ledger.advance(4 * seconds_of("chime") + 0.01)
    assert heard == ["MediaClip.M2.au"] * 4


# --- action templates


def test_the_play_audio_clip_action_runs_as_fixed_and_as_unlimited(device: RuleDevice) -> None:
    """Play audio clip action: fixed and unlimited, with location, audiooutput, audiodeviceid, audiooutputid, repeat,
    volume; all parameters must be specified, and may be empty."""
    values = {"location": "/etc/audioclips/MediaClip.M2.au", "audiooutput": "", "audiodeviceid": "0"}
    values |= {"audiooutputid": "0", "repeat": "2", "volume": "80"}
    fixed, unlimited = (by_token(f"com.axis.action.{kind}.play.audioclip") for kind in ("fixed", "unlimited"))
    assert fixed is not None
    assert unlimited is not None
    once, long = fixed.action(values), unlimited.action(values)
    assert once == PlayClip(clip=values["location"], repeat=2, volume=80)
    assert long == PlayClipWhileActive(clip=values["location"], volume=80)
    rule = device.rule(once)
    assert of_action(rule.action).values(rule.action)["location"] == values["location"]


def test_play_once(device: RuleDevice) -> None:
    """A fixed action runs once for a time."""
    device.rule(PlayClip(clip="Door chime", volume=50, repeat=1))
    device.input(True)
    device.input(False)
    assert device.player.asked == [("play", 0.5, 2)]


def test_play_while_the_rule_is_active(device: RuleDevice) -> None:
    """An unlimited action runs while all conditions hold."""
    device.rule(PlayClipWhileActive(clip="2"))
    device.input(True)
    device.ledger.advance(3600)
    assert device.clips.playing is not None
    device.input(False)
    assert (device.clips.playing, device.player.asked) == (None, [("play", 1.0, 0), ("stop",)])


def test_stop_audio_clip(device: RuleDevice) -> None:
    """com.axis.action.fixed.stop.audioclip"""
    template = by_token("com.axis.action.fixed.stop.audioclip")
    assert template is not None
    device.rule(template.action({}))
    device.ledger.do(lambda tx: device.clips.play(tx, device.clips.clip(0), repeat=-1))
    device.input(True)
    assert (device.clips.playing, device.rules.rules()[0].action) == (None, StopClip())


def test_a_rule_names_a_clip_that_there_is_and_keeps_it(device: RuleDevice) -> None:
    """An action that names no clip of the device is refused; a clip that a rule plays cannot be deleted."""
    for action, field in (
        (PlayClip(clip="nobody"), "action.clip"),
        (PlayClip(clip="0", volume=1001), "action.volume"),
        (PlayClip(clip="0", repeat=-2), "action.repeat"),
    ):
        with pytest.raises(InputError) as raised:
            device.rule(action)
        assert raised.value.field == field
    rule = device.rule(PlayClip(clip="Door chime"))
    with pytest.raises(InputError, match="the rule 'Play'"):
        device.ledger.do(lambda tx: device.clips.remove(tx, 2))
    device.ledger.do(lambda tx: device.rules.remove_rule(tx, rule.id))
    device.ledger.do(lambda tx: device.clips.remove(tx, 2))


def test_an_action_that_cannot_be_started_is_told(device: RuleDevice) -> None:
    """The action failed event is emitted if an action cannot be started."""
    device.rule(PlayClip(clip="*M4.au"))
    device.ledger.do(lambda tx: device.clips.remove(tx, 4))
    device.input(True)
    assert device.told(events.ACTION_FAILED)[-1]["reason"].endswith("there is no clip '*M4.au'")
