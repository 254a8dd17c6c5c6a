"""Light in the I/O thread and the sound thread, through their Cython faces. Waits end when the thing happened."""

from __future__ import annotations

import gc
import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from axcore._native.io import LIGHT_APA102, IoThread, LightConfig, monotonic_ns
from axcore._native.sound_thread import SoundThread
from axcore.drivers.capture import LIGHT, SOUND, Capture
from axcore.errors import ArgumentError, QueueFullError, RangeError, StateError
from axcore.interfaces.cli.instance import wait_for
from axcore.led import Layout, Pattern, apa102
from axcore.siren import Tone

STRIP = Layout.strip(6, 3)


def thread(**light: object) -> IoThread:
    config = LightConfig(**{"places": STRIP.records, "frame_ns": 2_000_000, "records": 1024, **light})  # type: ignore[arg-type]
    return IoThread([], [], [], output_names=(), light=config)


@pytest.fixture
def lit() -> Iterator[IoThread]:
    io = thread()
    io.start()
    yield io
    io.stop()


def test_frames_are_those_of_the_pattern(lit: IoThread) -> None:
    pattern = Pattern("Alternate", STRIP, colors=["red", "blue"], intensity=5, speed=2, epoch_ns=monotonic_ns())
    capture = Capture(lit.light_fd)
    assert (capture.kind, capture.rate, capture.detail, capture.records) == (LIGHT, 500.0, 6, 1024)
    lit.show(pattern.profile.spec)
    wait_for("frames", lambda: capture.written > 50, 30)
    seen = [record for record in capture.since() if any(record.data)]
    assert len(seen) > 40
    for record in seen:
        assert record.data == pattern.frame8(record.t_ns, record.t_ns // 2_000_000)
        assert record.done_ns >= record.t_ns
    lit.show()
    wait_for("dark", lambda: capture.latest is not None and not any(capture.latest.data), 30)
    assert lit.frames >= len(seen)
    assert (lit.light_errors, capture.latest.number if capture.latest else 0) == (0, capture.written)


def test_what_the_light_refuses(lit: IoThread) -> None:
    with pytest.raises(ArgumentError):
        lit.show(b"short")
    with pytest.raises(RangeError):
        lit.show(b"\xff" * 48)
    with pytest.raises(ArgumentError):
        thread(places=b"123")
    with pytest.raises(RangeError):
        thread(paths=("x",) * 17)
    with pytest.raises(RangeError):
        thread(paths=("x" * 128,))
    with pytest.raises(RangeError):
        thread(records=3)
    with pytest.raises(StateError):
        IoThread([], [], [], output_names=()).show()
    assert IoThread([], [], [], output_names=()).light_fd == -1


def test_a_full_queue_is_told() -> None:
    io = thread()  # It does not run.
    for _ in range(16):
        io.show()
    with pytest.raises(QueueFullError):
        io.show()


def test_a_strip_gets_every_frame(tmp_path: Path) -> None:
    fifo = tmp_path / "spi"
    with pytest.raises(FileNotFoundError):
        thread(output=LIGHT_APA102, paths=(str(fifo),)).start()
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    io = thread(output=LIGHT_APA102, paths=(str(fifo),), current=7)
    io.start()
    io.show(Pattern("Steady", STRIP, colors=["green"], intensity=5).profile.spec)
    os.set_blocking(reader, True)
    wanted = apa102(bytes((0, 255, 0)) * 6, 7)
    while os.read(reader, len(wanted)) != wanted:
        pass
    io.stop()
    os.close(reader)


@pytest.fixture
def sound() -> Iterator[SoundThread]:
    player = SoundThread(records=1024)
    player.start()
    yield player
    player.stop()


def test_blocks_are_those_of_the_tone(sound: SoundThread) -> None:
    tone, epoch = Tone("Siren: Alternate"), monotonic_ns() - 3_000_000_000
    capture = Capture(sound.fd)
    assert (capture.kind, capture.rate, capture.detail) == (SOUND, 48000.0, 240)
    sound.play(tone.generator, 4, epoch)
    wait_for("blocks", lambda: capture.written >= 20, 30)
    sound.play(None)
    wait_for("silence", lambda: sound.held == 0, 30)
    first, *blocks = capture.since()
    pos, wanted = (first.t_ns - epoch) * 48 // 1_000_000, array("h", bytes(480))
    if sound.missed == 0:
        for number, record in enumerate(blocks[:-1], 1):
            Tone("Siren: Alternate", intensity=4).render(pos + 240 * number, wanted)
            assert array("h", record.data) == wanted
    assert sound.blocks == capture.written
    assert (sound.card_errors, sound.tap_errors) == (0, 0)


def test_tones_live_as_long_as_they_sound(sound: SoundThread) -> None:
    for _ in range(20):
        sound.play(Tone("Siren: Evac").generator, 3, monotonic_ns())
        gc.collect()
        seen = sound.blocks
        wait_for("a block", lambda seen=seen: sound.blocks > seen, 30)
    assert 1 <= sound.held <= 2
    sound.stop()
    assert sound.held == 0


def test_what_the_sound_thread_refuses(sound: SoundThread) -> None:
    with pytest.raises(RangeError):
        sound.play(Tone("Siren: Evac", rate=8000).generator)
    for intensity in (0, 6, -1, 1000):
        with pytest.raises(RangeError):
            sound.play(Tone("Siren: Evac").generator, intensity)
    with pytest.raises(StateError):
        sound.start()
    with pytest.raises(RangeError):
        SoundThread(11025)
    missing = SoundThread(device="default", library="libthere-is-none.so.1")
    with pytest.raises(OSError, match="shared lib"):
        missing.start()
    missing.without_card()
    missing.start()
    missing.stop()
