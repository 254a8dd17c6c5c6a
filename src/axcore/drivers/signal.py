"""The light and the loudspeaker of a strobe siren: patterns for the I/O thread, sounds for the sound thread.

What was really put out is read back from the captures of both threads: a light sensor and a microphone that the
simulated board can break. Any thread may call.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from axcore._native.io import (
    LIGHT_APA102,
    LIGHT_CLASS,
    LIGHT_NONE,
    LIGHT_WS2812,
    LightConfig,
)
from axcore.errors import NotFoundError
from axcore.led import Layout, Pattern
from axcore.model.config import LedConfig, SoundConfig
from axcore.siren import SOUNDS, Tone

from .capture import LIGHT_RING, Capture, publish
from .speaker import FEW_RECORDS, RATE, Loudspeaker

if TYPE_CHECKING:
    from .board import Board

FRAME_NS = 10_000_000
LIGHT_RECORDS = 8192
"""82 s of light on the simulated board: pictures are made of them."""
OUTPUTS = {"none": LIGHT_NONE, "apa102": LIGHT_APA102, "ws2812": LIGHT_WS2812, "class": LIGHT_CLASS}
SIREN = "siren"


class Heard(Protocol):
    """A sound of the catalogue from ``epoch_ns`` (monotonic) on."""

    @property
    def pattern(self) -> str: ...
    @property
    def intensity(self) -> int: ...
    @property
    def epoch_ns(self) -> int: ...


def light_config(config: LedConfig, *, simulated: bool) -> LightConfig:
    """What the I/O thread needs for the light. Configured LEDs light up beside a simulated board as well."""
    paths = {"none": (), "class": config.leds}.get(config.driver, (config.device,))
    return LightConfig(
        places=Layout.siren().records,
        frame_ns=FRAME_NS,
        records=LIGHT_RECORDS if simulated else FEW_RECORDS,
        output=OUTPUTS[config.driver],
        paths=paths,
        speed_hz=config.speed_hz,
        current=config.current,
    )


@lru_cache(64)
def _tone(name: str) -> Tone:
    return Tone(name, rate=RATE)


def _prepare() -> None:
    """Have every sound at hand: making one takes milliseconds, and starts shall not wait for that."""
    for name in SOUNDS:
        _tone(name)


class SignalOutputs:
    """The outputs of one device (``services.siren.Signal``)."""

    def __init__(self, board: Board, sound: SoundConfig, *, simulated: bool, tap: str | None = None) -> None:
        self.layout = Layout.siren()
        self._io = board.io
        self.speaker = Loudspeaker(sound, simulated=simulated, tap=tap, name=SIREN, eager=True)
        self._light_seen = Capture(self._io.light_fd)
        self._lock = threading.Lock()
        self._broken: frozenset[str] = frozenset()
        self._pattern: Pattern | None = None
        self._playing: Heard | None = None
        self._link: Path | None = None

    def start(self, data_dir: Path | None = None) -> None:
        """Start the sound thread; have the captures found in ``data_dir``. Without its sound card it runs silently."""
        self.speaker.start(data_dir)
        threading.Thread(target=_prepare, name="sounds", daemon=True).start()
        if data_dir is not None:
            self._link = data_dir / LIGHT_RING
            publish(self._io.light_fd, self._link)

    def stop(self) -> None:
        """Fade the sound out; the light ends with the I/O thread."""
        self.speaker.stop()
        if self._link is not None:
            with contextlib.suppress(FileNotFoundError):
                self._link.unlink()

    # --- services.siren.Signal

    def show(self, pattern: Pattern | None) -> None:
        """Show a pattern (None: dark) from now on."""
        self._io.show(None if pattern is None else pattern.profile.spec)
        self._pattern = pattern

    def play(self, sound: Heard | None) -> None:
        """Play a sound (None: silence) from now on."""
        if sound is None:
            self.speaker.play(None)
        else:
            self.speaker.play(_tone(sound.pattern).generator, sound.intensity, sound.epoch_ns)
        self._playing = sound

    def light_seen(self) -> Sequence[float]:
        """Light of each section as a sensor sees it now, 0..1; a broken one is dark."""
        return [max(color) for color in self._colors()]

    def sound_heard(self) -> float:
        """Loudness as a microphone hears it now, 0..1 of full scale (RMS); 0 when the loudspeaker is broken."""
        return 0.0 if SIREN in self._broken else self.speaker.heard()

    # --- the simulated board

    def fault(self, part: str, broken: bool) -> None:
        """Break or mend ``light1`` .. ``light12`` (a section) or ``siren``. NotFoundError names ``part``."""
        parts = [*(f"light{n}" for n in range(1, self.layout.sections + 1)), SIREN]
        if part not in parts:
            raise NotFoundError("part", f"there is no part {part[:40]!r} (there are: {', '.join(parts)})")
        with self._lock:
            self._broken = self._broken | {part} if broken else self._broken - {part}

    def state(self) -> dict[str, Any]:
        """What is to be seen and heard now."""
        pattern, sound = self._pattern, self._playing
        sections = [[round(value * 65535) for value in color] for color in self._colors()]
        return {
            "light": {"pattern": None if pattern is None else pattern.name, "sections": sections},
            "siren": {"pattern": None if sound is None else sound.pattern, "rms": round(self.sound_heard(), 4)},
            "faults": sorted(self._broken),
        }

    def _colors(self) -> list[tuple[float, float, float]]:
        """Mean of each section in linear light, 0..1."""
        with self._lock:
            frame = self._light_seen.latest
        count, sections = len(self.layout), self.layout.sections
        codes = bytes(3 * count) if frame is None else frame.data
        found: list[tuple[float, float, float]] = []
        for section in range(sections):
            leds = [i for i, place in enumerate(self.layout.places) if place.section == section]
            first, last = 3 * leds[0], 3 * leds[-1] + 3
            if f"light{section + 1}" in self._broken:
                found.append((0.0, 0.0, 0.0))
            else:
                red, green, blue = (sum(codes[first + c : last : 3]) / (255 * len(leds)) for c in range(3))
                found.append((red, green, blue))
        return found
