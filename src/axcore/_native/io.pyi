"""The native I/O thread. Contract between cext/io and drivers/."""

from collections.abc import Sequence
from typing import NamedTuple, Self, final

from typing_extensions import Buffer

NEVER: int

class InputConfig(NamedTuple):
    debounce_ns: int
    normal_high: bool
    rex_output: int = -1
    rex_hold_ns: int = 0

class OutputConfig(NamedTuple):
    normal_high: bool = False
    fault_active: bool = False

class ReaderConfig(NamedTuple):
    min_pulse_ns: int = 10_000
    max_pulse_ns: int = 400_000
    glitch_ns: int = 5_000
    min_interval_ns: int = 82_500
    max_interval_ns: int = 24_000_000
    frame_gap_ns: int = 25_000_000
    min_bits: int = 4
    max_bits: int = 128
    expect_bits: int = 0

class GpioLine(NamedTuple):
    """A line of a GPIO chip. ``flags``: sum of the GPIO_ constants."""

    offset: int
    flags: int = 0

class GpioConfig(NamedTuple):
    """Which line is which, in the order of the inputs, outputs and readers. A line is a GpioLine, its number, or None
    when it is not wired (an input stays normal, an output is only told)."""

    chip: str
    readers: Sequence[tuple[GpioLine | int, GpioLine | int] | None] = ()
    inputs: Sequence[GpioLine | int | None] = ()
    outputs: Sequence[GpioLine | int | None] = ()

class LightConfig(NamedTuple):
    """The light: ``places`` (records of ``axcore.led.Layout``), a frame each ``frame_ns``, ``gamma`` of the codes,
    ``records`` frames in the capture (a power of two). ``output`` is one of the LIGHT_ constants, ``paths`` its device: an
    SPI device, or a directory of the LED class for each section."""

    places: bytes
    frame_ns: int = 10_000_000
    gamma: float = 1.0
    records: int = 64
    output: int = 0
    paths: Sequence[str] = ()
    speed_hz: int = 0
    current: int = 31

LIGHT_NONE: int
LIGHT_APA102: int
LIGHT_WS2812: int
LIGHT_CLASS: int
GPIO_ACTIVE_LOW: int
GPIO_PULL_UP: int
GPIO_PULL_DOWN: int
GPIO_BIAS_OFF: int
GPIO_OPEN_DRAIN: int

@final
class IoEvent:
    """One thing that the I/O thread saw or did. ``kind`` is one of the KIND_ constants."""

    @property
    def kind(self) -> int: ...
    @property
    def t_ns(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def value(self) -> int: ...
    @property
    def reason(self) -> int:
        """Why an output changed, one of the BY_ constants; else 0 (or BY_CONFIG)."""
    @property
    def token(self) -> int: ...
    @property
    def result(self) -> int:
        """KIND_FRAME: enum ax_wiegand_result, 0 = good bits."""
    @property
    def nbits(self) -> int: ...
    @property
    def glitches(self) -> int: ...
    @property
    def bits(self) -> int:
        """The frame as a number, first bit received most significant (KIND_FRAME only)."""
    @property
    def t_first_ns(self) -> int: ...
    @property
    def t_last_ns(self) -> int: ...

KIND_INPUT: int
KIND_OUTPUT: int
KIND_FRAME: int
KIND_KEY: int
KIND_SEQUENCE_END: int
KIND_DROPPED: int
KIND_LABEL: int

BY_SET: int
BY_PULSE: int
BY_PULSE_END: int
BY_HOLD: int
BY_REX: int
BY_REX_END: int
BY_SEQUENCE: int
BY_CONFIG: int
BY_FAULT: int
BY_STOP: int

@final
class IoThread:
    """Owns inputs, outputs and readers in a thread without the GIL.

    ``tap`` is the path of a UNIX datagram socket that gets one JSON line per output edge. ``output_names`` are used
    there (letters, digits, ``_``, ``-``, ``.``; 31 at most). All commands are put on a bounded ring (QueueFullError
    when full) and return at once. Any Python thread may call them.
    """

    @property
    def event_fd(self) -> int:
        """Readable (eventfd) whenever events wait; also written by ``wake``."""
    @property
    def progress(self) -> int:
        """Rises by one per turn of the thread (at least once a second): the watchdog's proof of life."""
    @property
    def dropped(self) -> int:
        """Events lost because nobody drained them; KIND_DROPPED tells it once there is room."""
    @property
    def tap_errors(self) -> int:
        """Output edges that the tap's socket did not take."""
    @property
    def lost_edges(self) -> int:
        """Edges that the kernel had to drop (GPIO); the frame they were of was refused."""
    @property
    def gpio_errors(self) -> int:
        """Failed calls to the GPIO driver."""
    @property
    def frames(self) -> int:
        """Frames of the light so far."""
    @property
    def frames_missed(self) -> int:
        """Frames that were due and left out, because the thread came too late."""
    @property
    def light_errors(self) -> int:
        """Frames that the output of the light could not write."""
    @property
    def light_fd(self) -> int:
        """The memfd of the captured frames (``ax/capture.h``); belongs to the thread. -1 without a light."""
    def show(self, spec: bytes | None = None, at_ns: int = 0, fade_ns: int = 0) -> None:
        """Show ``led.Profile.spec`` (None: dark) from ``at_ns`` on; 0: at once, in place of what waits. RangeError,
        StateError (there is no light), QueueFullError."""
    def __new__(
        cls,
        inputs: Sequence[InputConfig],
        outputs: Sequence[OutputConfig],
        readers: Sequence[ReaderConfig],
        *,
        output_names: Sequence[str],
        tap: str | None = None,
        gpio: GpioConfig | None = None,
        light: LightConfig | None = None,
        fifo_priority: int = 0,
    ) -> Self:
        """``fifo_priority`` asks for SCHED_FIFO; the thread runs without it where the system does not allow it."""
    def start(self) -> None:
        """OSError when the GPIO chip refuses; StateError when it was started before."""
    def stop(self) -> None:
        """Ends pulses, sequences, holds and REX, then the thread. Without effect when it does not run. Events that were
        made until then can still be drained."""
    def wait(self, timeout_ns: int) -> bool:
        """Block without the GIL until events wait, ``wake`` was called, a signal came or the time is over (False for
        the last two); clears the eventfd."""
    def changing(self) -> tuple[int, bool]:
        """What is under way: a bit for each input that is debounced, and whether a reader receives edges."""
    def expects(self) -> bool:
        """Whether news is under way: an input is debounced, or a frame is not over yet; from any thread."""
    def news(self) -> bool:
        """Whether events wait; from any thread."""
    def wake(self) -> None:
        """Make a pending or the next ``wait`` return."""
    def drain(self, limit: int = 256) -> list[IoEvent]: ...
    # commands
    def set(self, output: int, active: bool, token: int = 0) -> None: ...
    def pulse(self, output: int, active: bool, duration_ns: int, token: int = 0) -> None: ...
    def hold(self, output: int, on: bool, active: bool = True, token: int = 0) -> None: ...
    def sequence(self, output: int, steps: Sequence[tuple[bool, int]], token: int = 0) -> None:
        """Steps are (active, wait_ns after it), at most 64; the last state stays. StateError until the
        KIND_SEQUENCE_END of an earlier one."""
    def end(self, output: int, token: int = 0) -> None:
        """End a pulse early, and a request to exit as soon as none of its inputs is active."""
    def send(
        self,
        data0: int,
        data1: int,
        frames: Sequence[tuple[int, int]],
        pulse_ns: int,
        interval_ns: int,
        gap_ns: int,
    ) -> None:
        """Send frames, as (number, bits), on two outputs, one after the other: a bit is a pulse, most significant first.

        All or nothing: QueueFullError when more than 64 would wait. RangeError (outputs, length, timing). No event
        tells of the pulses; the tap does.
        """
    def fault(self, output: int, token: int = 0) -> None: ...
    def configure_input(self, index: int, config: InputConfig) -> None: ...
    def configure_output(self, index: int, config: OutputConfig) -> None: ...
    def configure_reader(self, index: int, config: ReaderConfig) -> None: ...
    # stimuli: what the simulated board feeds in place of hardware
    def feed_edges(self, reader: int, edges: Buffer, start_ns: int = 0, token: int = 0) -> int:
        """Play ``struct ax_edge`` records (t_ns u64, line u32, level u32; times relative to the first) on a reader's
        lines in real time, after what is already planned for that reader. Returns the monotonic time of the last edge.
        At least a frame gap and 1 ms lie between two plans. QueueFullError when the plan has no room (4096 edges a
        reader), RangeError for a line or level above 1 or a time more than an hour from the first."""
    def feed_input(self, index: int, level: bool, token: int = 0) -> None:
        """Set the raw level of an input line now."""
    def feed_key(self, keypad: int, key: str, token: int = 0) -> None:
        """``key`` is one of 0-9, *, # and C (call)."""
    def feed_label(self, value: int, token: int = 0) -> None: ...
    # state, for status pages (read without a lock, each value consistent in itself)
    def input_active(self, index: int) -> bool: ...
    def output_active(self, index: int) -> bool: ...

def monotonic_ns() -> int:
    """CLOCK_MONOTONIC, the clock of every t_ns."""
