"""The clip service: what is stored, what plays, what is told, and what a refusal leaves as it was."""

from __future__ import annotations

import asyncio
import io
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, StoreError
from axcore.model import events
from axcore.model.clips import MAX_BYTES, MAX_CLIPS, MAX_STORED
from axcore.runtime.bus import Bus
from axcore.services.clips import ClipFiles, ClipService, upload
from axcore.services.clips.delivered import RATE, TONES, render
from axcore.services.clips.delivered import seconds as seconds_of
from axcore.services.clips.upload import Uploader
from axcore.testing import MemoryLedger, MemoryStore

SECONDS = 0.25


class FakePlayer:
    """Plays nothing; says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.failed: Callable[[str], None] = lambda reason: None
        self.load: Callable[[], array[int]] = lambda: array("h")

    def play_clip(
        self, load: Any, gain: float, times: int, failed: Callable[[str], None], *, to_call: bool = False
    ) -> None:
        self.load, self.failed, self.to_call = load, failed, to_call
        self.asked.append(("play", round(gain, 4), times))

    def stop_clip(self) -> None:
        self.asked.append(("stop",))


class Bench:
    """A clip service with a folder of its own."""

    def __init__(self, folder: Path, store: MemoryStore | None = None) -> None:
        self.folder = folder
        self.bus = Bus()
        self.ledger = MemoryLedger(bus=self.bus, store=store)
        self.player = FakePlayer()
        self.service = ClipService(ClipFiles(folder), self.ledger.post)
        self.service.attach(self.player)
        self.ledger.load(self.service.load)
        self.ledger.on_reload(self.service.load)
        self.ledger.add_timer(self.service)
        self.ledger.do(self.service.start_up)
        self.uploader = Uploader(self.service, self.ledger.run)

    def upload(self, data: bytes, name: str = "") -> Any:
        return asyncio.run(self.uploader.add(data, name=name))

    def files(self) -> list[str]:
        folder = self.folder / "clips"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def told(self, topic: str) -> list[dict[str, str]]:
        return [event.data for event in self.ledger.events if event.topic == topic]

    def state(self) -> tuple[Any, ...]:
        return self.service.clips(), self.service.playing, self.files(), self.ledger.store.records().get("clip")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def wav(seconds: float = SECONDS, rate: int = 8000) -> bytes:
    out = io.BytesIO()
    sine = 0.5 * np.sin(2 * np.pi * 500 * np.arange(round(seconds * rate)) / rate)
    soundfile.write(out, sine, rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def test_delivered_clips_are_there_once_and_can_be_removed(bench: Bench) -> None:
    assert [clip.name for clip in bench.service.clips()] == [name for name, _ in TONES.values()]
    assert bench.files() == []
    bench.ledger.do(lambda tx: bench.service.remove(tx, 1))
    again = Bench(bench.folder, bench.ledger.store)
    assert [clip.id for clip in again.service.clips()] == [0, 2, 3, 4]


@pytest.mark.parametrize("tone", TONES)
def test_delivered_clips_sound_as_long_as_they_say(tone: str) -> None:
    samples = render(tone)
    assert len(samples) == round(seconds_of(tone) * RATE)
    assert 3000 < max(samples) <= 32767
    assert abs(samples[-1]) < 300  # ends without a click
    with pytest.raises(ValueError, match="no tone"):
        render("bagpipe")


def test_an_upload_is_stored_and_found_again(bench: Bench) -> None:
    clip = bench.upload(wav(), "Bell")
    assert (clip.id, clip.name, clip.format, clip.seconds) == (5, "Bell", "wav", SECONDS)
    assert clip.location == "/etc/audioclips/MediaClip.M5.au"
    assert len(bench.files()) == 1
    again = Bench(bench.folder, bench.ledger.store)
    assert again.service.clips() == bench.service.clips()
    assert len(again.service.samples(again.service.find("Bell"))) == SECONDS * RATE
    assert bench.told(events.CONFIGURATION_CHANGED)[-1] == {"kind": "clip", "key": "5", "action": "add", "user": ""}


def test_without_a_name_the_device_finds_one(bench: Bench) -> None:
    assert bench.upload(wav()).name == "Clip MediaClip.M5"
    bench.ledger.do(lambda tx: bench.service.change(tx, 5, name="Clip MediaClip.M6"))
    assert bench.upload(wav()).name == "Clip MediaClip.M6 (6)"


def test_a_removed_clip_leaves_no_file_and_its_number_is_free(bench: Bench) -> None:
    bench.upload(wav(), "Bell")
    bench.ledger.do(lambda tx: bench.service.remove(tx, 5))
    assert bench.files() == []
    with pytest.raises(NotFoundError):
        bench.ledger.do(lambda tx: bench.service.remove(tx, 5))
    assert bench.upload(wav(), "Bell").id == 5


@pytest.mark.parametrize(
    ("data", "name", "field"),
    [
        (b"", "", "file"),
        (b"rubbish" * 100, "", "file"),
        (bytes(MAX_BYTES + 1), "", "file"),
        (wav(121.0, 4000), "", "file"),
        (wav(), "x" * 65, "name"),
        (wav(), "a\nb", "name"),
        (wav(), "   ", "name"),
        (wav(), "BEEP", "name"),
    ],
    ids=["empty", "rubbish", "large", "long", "long name", "two lines", "blanks", "taken"],
)
def test_a_refused_upload_changes_nothing(bench: Bench, data: bytes, name: str, field: str) -> None:
    before = bench.state()
    with pytest.raises(InputError) as raised:
        bench.upload(data, name)
    assert raised.value.field == field
    assert bench.state()[:2] == before[:2]
    assert bench.state()[3] == before[3]
    assert bench.files() == []


def test_a_name_that_is_taken_meanwhile_costs_the_file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = upload.decode

    async def slow(data: bytes, out: Path) -> Any:
        told = await real(data, out)
        await bench.ledger.run(lambda tx: bench.service.change(tx, 3, name="Bell"))
        return told

    monkeypatch.setattr(upload, "decode", slow)
    with pytest.raises(ConflictError):
        bench.upload(wav(), "Bell")
    assert bench.files() == []


def test_a_store_that_is_broken_costs_the_file(bench: Bench) -> None:
    bench.ledger.store.broken = "disk full"
    with pytest.raises(StoreError):
        bench.upload(wav(), "Bell")
    bench.ledger.store.broken = None
    assert [clip.name for clip in bench.service.clips()] == [name for name, _ in TONES.values()]
    again = Bench(bench.folder, bench.ledger.store)
    assert again.files() == []


def test_a_decoder_that_dies_or_hangs_costs_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MODULE", "axcore.no_such_module")
    with pytest.raises(InputError, match="could not be decoded"):
        bench.upload(wav())
    monkeypatch.setattr(upload, "MODULE", "axcore.audio.clips")
    fresh = bench.service.files.begin()
    with pytest.raises(InputError, match="takes more than"):
        asyncio.run(upload.decode(wav(), fresh, timeout_s=0.0))
    bench.service.files.drop(fresh)
    assert bench.files() == []


def test_limits(bench: Bench) -> None:
    def fill(tx: Any) -> None:
        for number in range(len(TONES), MAX_CLIPS):
            bench.service.add(tx, f"{number:016x}.au", 1, name="", seconds=1.0, kind="wav")

    with pytest.raises(LimitError, match="MB together"):
        bench.service.check_new("", MAX_STORED + 1)
    bench.ledger.do(fill)
    with pytest.raises(LimitError, match=f"{MAX_CLIPS} clips"):
        bench.upload(wav())
    assert bench.files() == []


def test_files_that_nothing_names_are_swept_at_the_start(bench: Bench) -> None:
    bench.upload(wav(), "Bell")
    kept = bench.files()
    for name in ("0123456789abcdef.au", "fedcba9876543210.au.new", "other"):
        (bench.folder / "clips" / name).write_bytes(b"x")
    again = Bench(bench.folder, bench.ledger.store)
    assert again.files() == kept


def test_a_clip_plays_once_and_is_over(bench: Bench) -> None:
    service = bench.service
    playing = bench.ledger.do(lambda tx: service.play(tx, service.find("Beep"), volume=50))
    assert bench.player.asked == [("play", 0.5, 1)]
    assert playing.until_ns is not None
    assert bench.told(events.CLIP_PLAYING) == [{"Playing": "0"}, {"Playing": "1"}]
    assert bench.told(events.CLIP_CURRENT) == [{"FileName": "MediaClip.M3.au"}]
    bench.ledger.advance(seconds_of("beep") - 0.01)
    assert service.playing is not None
    bench.ledger.advance(0.02)
    assert service.playing is None
    assert bench.told(events.CLIP_PLAYING)[-1] == {"Playing": "0"}
    assert len(bench.player.load()) == seconds_of("beep") * RATE


def test_gain_and_volume_multiply_and_are_bounded(bench: Bench) -> None:
    service = bench.service
    bench.ledger.do(lambda tx: service.change(tx, 3, gain=-20.0))
    bench.ledger.do(lambda tx: service.play(tx, service.clip(3), volume=200))
    bench.ledger.do(lambda tx: service.change(tx, 3, gain=20.0))
    bench.ledger.do(lambda tx: service.play(tx, service.clip(3), volume=1000))
    assert bench.player.asked == [("play", 0.2, 1), ("play", 16.0, 1)]
    for gain in (-40.1, 20.1, float("nan")):
        with pytest.raises(InputError, match="gain"):
            bench.ledger.do(lambda tx, gain=gain: service.change(tx, 3, gain=gain))


def test_repeats_are_told_and_endless_goes_on_until_stopped(bench: Bench) -> None:
    service = bench.service
    heard: list[str] = []
    bench.bus.in_transaction(events.CLIP_CURRENT, lambda tx, event: heard.append(event.data["FileName"]))
    bench.ledger.do(lambda tx: service.play(tx, service.find("Ring tone"), repeat=2))
    bench.ledger.advance(3 * seconds_of("ring") + 0.1)
    assert (len(heard), service.playing) == (3, None)
    bench.ledger.do(lambda tx: service.play(tx, service.find("Ring tone"), repeat=-1))
    bench.ledger.advance(100 * seconds_of("ring"))
    assert service.playing is not None
    assert service.playing.until_ns is None
    assert bench.ledger.do(service.stop)
    assert not bench.ledger.do(service.stop)
    assert bench.player.asked[-1] == ("stop",)


def test_one_clip_at_a_time_and_owners_stop_their_own(bench: Bench) -> None:
    service = bench.service
    bench.ledger.do(lambda tx: service.play(tx, service.clip(0), repeat=-1, owner="rule 1"))
    bench.ledger.do(lambda tx: service.play(tx, service.clip(1), repeat=-1, owner="rule 2"))
    assert not bench.ledger.do(lambda tx: service.stop(tx, owner="rule 1"))
    assert service.playing is not None
    assert service.playing.clip == 1
    assert bench.ledger.do(lambda tx: service.stop(tx, owner="rule 2"))
    assert [data["Playing"] for data in bench.told(events.CLIP_PLAYING)] == ["0", "1", "0"]


def test_what_cannot_be_played(bench: Bench) -> None:
    service = bench.service
    for volume, repeat, field in ((-1, 0, "volume"), (1001, 0, "volume"), (100, -2, "repeat"), (100, 10**7, "repeat")):
        with pytest.raises(InputError) as raised:
            bench.ledger.do(lambda tx, v=volume, r=repeat: service.play(tx, service.clip(0), volume=v, repeat=r))
        assert raised.value.field == field
    service.silent = lambda: "the device is in maintenance mode"
    with pytest.raises(ConflictError, match="maintenance"):
        bench.ledger.do(lambda tx: service.play(tx, service.clip(0)))
    assert (bench.player.asked, service.playing) == ([], None)


def test_a_loudspeaker_that_fails_is_told_and_ends_it(bench: Bench) -> None:
    service = bench.service
    bench.ledger.do(lambda tx: service.play(tx, service.clip(0)))
    stale = bench.player.failed
    bench.ledger.do(lambda tx: service.play(tx, service.clip(1)))
    stale("gone")
    assert service.playing is not None
    bench.player.failed("gone")
    assert service.playing is None
    assert bench.told(events.SYSTEM_FAULT)[-1] == {"component": "clips", "reason": "Ringback tone: gone"}


def test_a_removed_clip_stops_and_a_used_one_stays(bench: Bench) -> None:
    service = bench.service
    service.users.add(lambda clip: ("the rule 'Ring'",) if clip.id == 0 else ())
    with pytest.raises(ConflictError, match="the rule 'Ring'"):
        bench.ledger.do(lambda tx: service.remove(tx, 0))
    bench.ledger.do(lambda tx: service.play(tx, service.clip(1)))
    bench.ledger.do(lambda tx: service.remove(tx, 1))
    assert (service.playing, bench.player.asked[-1]) == (None, ("stop",))


@pytest.mark.parametrize("text", ["3", "MediaClip.M3", "beep", "Beep", " beep ", "/etc/audioclips/MediaClip.M3.au",
                                  "MediaClip.M3.au", "*M3.au", "/etc/*/MediaClip.M3*"])  # fmt: skip
def test_a_clip_is_found_by_number_name_and_location(bench: Bench, text: str) -> None:
    assert bench.service.find(text).id == 3


@pytest.mark.parametrize("text", ["", "*" * 9, "9", "nobody", "/etc/passwd", "../clips", "x" * 300, "[0-9]*", "M?.au"])
def test_what_no_clip_is_called(bench: Bench, text: str) -> None:
    with pytest.raises(NotFoundError):
        bench.service.find(text)


def test_a_wildcard_means_any_of_those_that_match(bench: Bench) -> None:
    assert {bench.service.find("MediaClip.M*").id for _ in range(200)} == set(range(len(TONES)))
