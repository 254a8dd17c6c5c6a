"""The native Wiegand decoder: edges to frames. The friendly face is ``axcore.wiegand``."""

from typing_extensions import Buffer, disjoint_base

MAX_BITS: int
"""Longest frame that any decoder can take (256)."""
NEVER: int
"""A deadline that does not exist (2**64 - 1)."""
EDGE_SIZE: int
"""Bytes of an edge record: t_ns u64, line u32, level u32, native byte order."""
FRAME_SIZE: int
"""Bytes of a frame record: t_first, t_last, t_done u64; bits u64[4]; nbits, result u16; glitches u32."""

@disjoint_base
class Frame:
    """What one burst of edges was. Times in ns of the edges' clock."""

    @property
    def t_first_ns(self) -> int:
        """Start of the first pulse."""
    @property
    def t_last_ns(self) -> int:
        """End of the last pulse."""
    @property
    def t_done_ns(self) -> int:
        """When the frame was complete: ``t_last_ns`` plus the gap, or the last edge with ``expect_bits``."""
    @property
    def nbits(self) -> int:
        """Bits received (before the error, if there was one)."""
    @property
    def result(self) -> int:
        """0 = good bits, else one of the ``axcore.wiegand.Result`` errors."""
    @property
    def ok(self) -> bool:
        """Whether ``result`` is 0."""
    @property
    def glitches(self) -> int:
        """Ignored pulses within the frame."""
    @property
    def bits(self) -> int:
        """The frame as a number; the first bit received is the most significant of ``nbits``."""
    def hex(self) -> str:
        """The bits as lower-case hex, right-aligned, zero-padded to whole bytes (26 bits: 8 digits)."""
    def __bytes__(self) -> bytes:
        """The frame record (``FRAME_SIZE`` bytes)."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@disjoint_base
class WiegandDecoder:
    """Decodes the edges of one reader. One thread at a time (StateError otherwise).

    All windows are inclusive; ``RangeError`` when they contradict each other.
    """

    def __init__(
        self,
        min_pulse_ns: int = 10_000,
        max_pulse_ns: int = 400_000,
        glitch_ns: int = 5_000,
        min_interval_ns: int = 82_500,
        max_interval_ns: int = 24_000_000,
        frame_gap_ns: int = 25_000_000,
        min_bits: int = 4,
        max_bits: int = 128,
        expect_bits: int = 0,
    ) -> None: ...
    def feed(self, edges: Buffer) -> list[Frame]:
        """Take a buffer of edge records in time order; give the frames that ended within it.

        FormatError when the buffer does not hold whole, 8-byte aligned records.
        """
    def feed_into(self, edges: Buffer, out: Buffer) -> tuple[int, int]:
        """Like ``feed``, but write frame records to ``out``; makes no objects. Returns (frames, edges taken).

        Fewer edges than given are taken only when ``out`` is full.
        """
    def feed_edge(self, t_ns: int, line: int, level: int) -> Frame | None:
        """Take one edge: line 0 = DATA0, 1 = DATA1; level after the transition."""
    def advance(self, now_ns: int) -> Frame | None:
        """Tell that it is ``now_ns`` and no edge came; give the frame that this ends, if any."""
    def reset(self) -> None:
        """Forget the frame in progress, the lines' state and the glitch count."""
    @property
    def deadline_ns(self) -> int:
        """When ``advance`` would end the present frame; ``NEVER`` when there is none."""
    @property
    def ignored(self) -> int:
        """Glitches since construction or reset, within frames and between them."""
