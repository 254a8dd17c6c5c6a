"""What the loudspeaker of a door station gives out besides the far side of a call: sounds of calls, clips, beeps.

One sound card, two who would open it: the sound thread that plays clips and beeps as long as there is no call
(``drivers.speaker``), and the pipeline of calls (``drivers.call_media``). While the pipeline has the card, all is
played through it: mixed, and known to the echo canceller. A clip that sounds when the pipeline opens goes on in it from
where it was, and keeps it open until it is over.

    desk.play_clip(load, 1.0, 1, failed)     # services.clips.Player
    desk.ring(load, 1.0, 0)                  # services.intercom.SoundPlayer
    desk.hush()

Clips are loaded, and brought to the rate of the pipeline, by threads of their own. The rest happens in the thread of
calls. Any thread may call what is not marked.
"""

from __future__ import annotations

import logging
import threading
from array import array
from collections.abc import Callable
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from axcore.errors import AxError

if TYPE_CHECKING:
    from axcore.audio import Leg, PipelineEvent
    from axcore.drivers.sound import Sound
    from axcore.drivers.speaker import Loudspeaker

__all__ = ["Desk"]

log = logging.getLogger(__name__)

Load = Callable[[], "array[int]"]
Failed = Callable[[str], None]
CLIP_RATE: Final = 48_000
RATE: Final = 16_000
"""Of the pipeline."""
RING, CLIP, BEEP = range(3)
"""Places of the pipeline."""
SEATS: Final = 6
BEEP_HZ, BEEP_DBM0 = 2400.0, -9.0
MOST_GAIN: Final = 16.0
SPEAKER: Final = "speaker"
NS: Final = 1_000_000_000


class Card(Protocol):
    """Who has the pipeline. ``awake`` and ``rest`` are for the thread of calls."""

    @property
    def sound(self) -> Sound | None:
        """The pipeline and its card; None while nobody needs them."""

    def do(self, job: Callable[[], None]) -> object:
        """Run a job in the thread of calls."""

    def awake(self) -> Sound:
        """Open the card, if it is not."""

    def rest(self) -> None:
        """Close the card, if nobody needs it any more."""


class _Playing(NamedTuple):
    """What is played at a place."""

    serial: int
    after: tuple[Any, int] | None
    """Samples and rounds that come when it is over."""
    gain: float
    to: tuple[int | str, ...]


class _Wanted:
    """What was asked for."""

    __slots__ = ("failed", "gain", "load", "place", "seconds", "since_ns", "times", "to", "wish")

    def __init__(self, place: int, wish: int, load: Load, gain: float, times: int, *, now_ns: int) -> None:
        self.place, self.wish, self.gain, self.times = place, wish, gain, times
        self.failed: Failed = lambda reason: None
        self.to: tuple[int | str, ...] = (SPEAKER,)
        self.since_ns = now_ns
        self.seconds: float | None = None
        """Of one round, once it was loaded."""
        self._set(load)

    def _set(self, load: Load) -> None:
        def measured() -> array[int]:
            samples = load()
            self.seconds = len(samples) / CLIP_RATE
            return samples

        self.load: Load = measured

    def over(self, now_ns: int) -> bool:
        """It has been played for as long as was asked for."""
        if self.seconds is None or not self.times:
            return False
        return now_ns - self.since_ns >= self.seconds * self.times * NS


class Desk:
    """See the module's text. ``clock``: monotonic ns; by it is known where a clip is that goes on."""

    def __init__(self, card: Card, clock: Callable[[], int] = monotonic_ns) -> None:
        self._card, self._clock = card, clock
        self._speaker: Loudspeaker | None = None
        self._lock = threading.Lock()
        self._open = False
        """The pipeline has the card, or will have it now."""
        self._wishes = [0, 0, 0]
        """By place: the number of the latest; an older one that is still being loaded is forgotten."""
        self._clip: _Wanted | None = None
        self._loading = 0
        """Sounds that are about to be played: the card is not closed in between."""
        self._playing: dict[int, _Playing] = {}
        self._seats: dict[int, Leg] = {}
        self._speaker_gain, self._microphone_gain = 1.0, 1.0
        self._microphone_mute = False

    def over(self, speaker: Loudspeaker) -> Desk:
        """Whose card it is while there is no call (set-up)."""
        self._speaker = speaker
        return self

    # --- sounds of calls (services.intercom.SoundPlayer)

    def ring(self, load: Load, gain: float, times: int) -> None:
        """Play what ``load`` gives, in place of another sound of a call. It opens the card."""
        self._begin(_Wanted(RING, self._wish(RING), load, gain, times, now_ns=self._clock()))

    def hush(self) -> None:
        """No sound of a call any more."""
        self._wish(RING)
        self._card.do(lambda: self._silence(RING))

    # --- clips (services.clips.Player)

    def play_clip(self, load: Load, gain: float, times: int, failed: Failed, *, to_call: bool = False) -> None:
        """Play a clip in place of another one: into the pipeline while it has the card; else on the loudspeaker.

        ``to_call``: whoever is talked to hears it too.
        """
        clip = _Wanted(CLIP, self._wish(CLIP), load, gain, times, now_ns=self._clock())
        clip.failed = failed
        if to_call:
            clip.to = (SPEAKER, *range(SEATS))
        with self._lock:
            self._clip, is_open = clip, self._open
        if is_open or self._speaker is None:
            self._begin(clip)
        else:
            self._speaker.play_clip(clip.load, min(MOST_GAIN, gain * self._speaker_gain), times, failed)

    def stop_clip(self) -> None:
        """No clip any more."""
        self._wish(CLIP)
        with self._lock:
            self._clip = None
        if self._speaker is not None:
            self._speaker.stop_clip()
        if self._open:
            self._card.do(lambda: self._silence(CLIP))

    # --- beeps

    def beep(self, on_ms: int, off_ms: int) -> bool:
        """Beep in turns of these lengths (``off_ms`` 0: without end; ``on_ms`` 0: no more), if the pipeline has the
        card; whether it does."""
        if not self._open:
            return False
        self._card.do(lambda: self._beep(on_ms, off_ms))
        return True

    # --- levels

    def set_levels(self, *, speaker: float, microphone: float, mute: bool) -> None:
        """How loud the loudspeaker is, and how loud the far side hears the microphone: factors, 0 to 16."""
        self._speaker_gain, self._microphone_gain = speaker, microphone
        self._microphone_mute = mute
        if self._open:
            self._card.do(self._level)

    # --- partners that are no calls (thread of calls)

    @property
    def seats(self) -> set[int]:
        """Taken seats of the pipeline."""
        return set(self._seats)

    def sit(self, leg: Leg, seat: int, *, mute: bool = False) -> None:
        """Give a partner a seat. It keeps the card open."""
        self._card.awake().pipeline.seat(seat, leg, mute=mute)
        self._seats[seat] = leg

    def leave(self, leg: Leg) -> None:
        """The partner goes."""
        sound = self._card.sound
        for seat in [seat for seat, other in self._seats.items() if other is leg]:
            del self._seats[seat]
            if sound is not None:
                sound.pipeline.seat(seat, None)
        self._card.rest()

    # --- told by who has the card (thread of calls)

    @property
    def busy(self) -> bool:
        """Whether something still needs the card."""
        return bool(self._playing or self._seats or self._loading)

    def opening(self) -> None:
        """The pipeline is about to open the card: nobody else may have it."""
        with self._lock:
            self._open = True
        if self._speaker is not None:
            self._speaker.release()

    def opened(self) -> None:
        """The pipeline has the card: what sounded goes on."""
        self._level()
        clip = self._clip
        if clip is not None and not clip.over(self._clock()):
            self._begin(clip, going=True)

    def closed(self) -> None:
        """The pipeline has given the card back."""
        with self._lock:
            self._open = False
        self._playing.clear()
        self._seats.clear()

    def on_event(self, event: PipelineEvent) -> None:
        """The pipeline tells something."""
        from axcore.audio import What

        playing = self._playing.get(event.index)
        if event.what is not What.ENDED or playing is None or playing.serial != event.serial:
            return
        del self._playing[event.index]
        try:
            if playing.after is not None:
                self._put(event.index, playing.after, None, playing.gain, playing.to)
        finally:
            self._card.rest()

    # --- inside

    def _wish(self, place: int) -> int:
        with self._lock:
            self._wishes[place] += 1
            return self._wishes[place]

    def _begin(self, wanted: _Wanted, *, going: bool = False) -> None:
        """Load, then play. ``going``: it began elsewhere, and goes on from where it is."""

        def work() -> None:
            try:
                samples = at_rate(wanted.load(), RATE)
            except Exception as error:
                known = isinstance(error, (OSError, ValueError, AxError))
                log.error("a sound cannot be played: %s", error, exc_info=not known)
                self._card.do(loaded)  # first: who is told may fail himself
                wanted.failed(str(getattr(error, "strerror", None) or error))
                return
            self._card.do(lambda: start(samples))

        def start(samples: array[int]) -> None:
            try:
                if wanted.wish != self._wishes[wanted.place]:
                    return
                gone = (self._clock() - wanted.since_ns) * RATE // NS if going else 0
                parts = rest_of(samples, wanted.times, gone)
                if parts:
                    after = parts[1] if len(parts) > 1 else None
                    self._put(wanted.place, parts[0], after, wanted.gain, wanted.to)
                if wanted.wish != self._wishes[wanted.place]:  # told to stop meanwhile, by who did not see it begin
                    self._silence(wanted.place)
            finally:
                loaded()

        def loaded() -> None:
            with self._lock:
                self._loading -= 1
            self._card.rest()

        with self._lock:
            self._loading += 1
        threading.Thread(target=work, name="sound", daemon=True).start()

    def _put(
        self, place: int, now: tuple[Any, int], after: tuple[Any, int] | None, gain: float, to: tuple[int | str, ...]
    ) -> None:
        pipeline = self._card.awake().pipeline
        serial = pipeline.play(place, now[0], repeat=now[1], to=to, gain=min(gain, MOST_GAIN))
        self._playing[place] = _Playing(serial, after, gain, to)

    def _silence(self, place: int) -> None:
        if self._playing.pop(place, None) is not None and self._card.sound is not None:
            self._card.sound.pipeline.play(place, None)
        self._card.rest()

    def _beep(self, on_ms: int, off_ms: int) -> None:
        from axcore.audio import Tone

        sound = self._card.sound
        if sound is None:
            return
        if not on_ms:
            sound.pipeline.play(BEEP, None)
            return
        rate = sound.pipeline.rate
        segments = ((on_ms / 1000, (BEEP_HZ,)), *(((off_ms / 1000, ()),) if off_ms else ()))
        sound.pipeline.play(BEEP, Tone(segments, rate, level_dbm0=BEEP_DBM0, repeat=True), repeat=1 if off_ms else 0)

    def _level(self) -> None:
        sound = self._card.sound
        if sound is not None:
            sound.pipeline.set_speaker(self._speaker_gain)
            sound.pipeline.set_microphone(self._microphone_gain, mute=self._microphone_mute)


def at_rate(samples: array[int], rate: int) -> array[int]:
    """Samples of a clip at another rate. ValueError: there are none."""
    from axcore.audio import Resampler

    if not samples:
        raise ValueError("has no samples")
    resampler = Resampler(CLIP_RATE, rate)
    tail = array("h", bytes(2 * resampler.latency * CLIP_RATE // rate))
    found: array[int] = resampler.process(samples + tail)[resampler.latency :]
    return found


def rest_of(samples: array[int], times: int, gone: int) -> list[tuple[array[int], int]]:
    """What is left of ``times`` rounds (0: without end) after ``gone`` samples: pieces with their rounds."""
    size = len(samples)
    done, at = divmod(max(0, gone), size)
    if times and done >= times:
        return []
    if not at:
        return [(samples, times - done if times else 0)]
    parts = [(samples[at:], 1)]
    if not times or times - done > 1:
        parts.append((samples, times - done - 1 if times else 0))
    return parts
