"""The native I/O thread. Contract between cext/io and drivers/."""

from collections.abc import Sequence
from typing import NamedTuple

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

class IoEvent:
    """One thing that the I/O thread saw or did. ``kind`` is one of the KIND_ constants."""

    kind: int
    t_ns: int
    index: int
    value: int
    reason: int
    token: int
    result: int
    nbits: int
    glitches: int
    bits: int
    """The frame as a number, first bit received most significant (KIND_FRAME only)."""
    t_first_ns: int
    t_last_ns: int

KIND_INPUT: int
KIND_OUTPUT: int
KIND_FRAME: int
KIND_KEY: int
KIND_SEQUENCE_END: int
KIND_DROPPED: int
KIND_LABEL: int

class IoThread:
    """Owns inputs, outputs and readers in a thread without the GIL.

    ``tap`` is the path of a UNIX datagram socket that gets one JSON line per output edge. ``output_names`` are used there.
    All commands are put on a bounded ring (QueueFullError when full) and return at once. Any Python thread may call them.
    """

    event_fd: int
    """Readable (eventfd) whenever events wait; also written by ``wake``."""
    progress: int
    """Rises by one per turn of the thread (at least once a second): the watchdog's proof of life."""

    def __init__(
        self,
        inputs: Sequence[InputConfig],
        outputs: Sequence[OutputConfig],
        readers: Sequence[ReaderConfig],
        *,
        output_names: Sequence[str],
        tap: str | None = None,
        gpio: object | None = None,
    ) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wait(self, timeout_ns: int) -> bool:
        """Block without the GIL until events wait, ``wake`` was called or the time is over; clears the eventfd."""
    def wake(self) -> None:
        """Make a pending or the next ``wait`` return."""
    def drain(self, limit: int = 256) -> list[IoEvent]: ...
    # commands
    def set(self, output: int, active: bool, token: int = 0) -> None: ...
    def pulse(self, output: int, active: bool, duration_ns: int, token: int = 0) -> None: ...
    def hold(self, output: int, on: bool, active: bool = True, token: int = 0) -> None: ...
    def sequence(self, output: int, steps: Sequence[tuple[bool, int]], token: int = 0) -> None:
        """Steps are (active, wait_ns after it), at most 64."""
    def fault(self, output: int, token: int = 0) -> None: ...
    def configure_input(self, index: int, config: InputConfig) -> None: ...
    def configure_output(self, index: int, config: OutputConfig) -> None: ...
    def configure_reader(self, index: int, config: ReaderConfig) -> None: ...
    # stimuli: what the simulated board feeds in place of hardware
    def feed_edges(self, reader: int, edges: Buffer, start_ns: int = 0, token: int = 0) -> int:
        """Play ``struct ax_edge`` records (t_ns u64, line u32, level u32; times relative to the first) on a reader's lines
        in real time, after what is already planned for that reader. Returns the monotonic time of the last edge.
        QueueFullError when the plan has no room (4096 edges a reader)."""
    def feed_input(self, index: int, level: bool, token: int = 0) -> None:
        """Set the raw level of an input line now."""
    def feed_key(self, keypad: int, key: str, token: int = 0) -> None: ...
    def feed_label(self, value: int, token: int = 0) -> None: ...
    # state, for status pages (read without a lock, each value consistent in itself)
    def input_active(self, index: int) -> bool: ...
    def output_active(self, index: int) -> bool: ...

def monotonic_ns() -> int:
    """CLOCK_MONOTONIC, the clock of every t_ns."""
