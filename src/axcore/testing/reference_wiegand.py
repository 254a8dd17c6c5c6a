"""Wiegand in plain Python: the same checks as the native kernels, written apart from them, to test and to time against.

Slow and simple on purpose. The decoder judges a pulse when it ends; the codec walks positions one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from axcore.testing.reference_wiegand_table import TABLE, Row

NEVER = 2**64 - 1
OK, OVERLAP, SHORT, LONG, PULSE, GAP, STUCK, ORDER = range(8)


@dataclass
class Frame:
    """A result, as the native ``Frame``."""

    bits: int
    nbits: int
    result: int
    t_first_ns: int
    t_last_ns: int
    t_done_ns: int
    glitches: int


@dataclass
class _Burst:
    first: int
    last: int
    start: int = 0
    bits: list[int] = field(default_factory=list)
    error: int = OK
    glitches: int = 0


class ReferenceDecoder:
    """Arguments and results as ``axcore.wiegand.Decoder``; edges one at a time."""

    def __init__(
        self,
        *,
        min_pulse_ns: int = 10_000,
        max_pulse_ns: int = 400_000,
        glitch_ns: int = 5_000,
        min_interval_ns: int = 82_500,
        max_interval_ns: int = 24_000_000,
        frame_gap_ns: int = 25_000_000,
        min_bits: int = 4,
        max_bits: int = 128,
        expect_bits: int = 0,
    ) -> None:
        self.pulse = (min_pulse_ns, max_pulse_ns)
        self.interval = (min_interval_ns, max_interval_ns)
        self.glitch_ns = glitch_ns
        self.gap_ns = frame_gap_ns
        self.min_bits, self.max_bits, self.expect_bits = min_bits, max_bits, expect_bits
        self.now = 0
        self.low_since: dict[int, int] = {}  # line -> start of its pulse
        self.met: set[int] = set()  # low lines whose pulse met a real pulse of the other line
        self.burst: _Burst | None = None
        self.quiet_from: int | None = None  # a result was given; swallow until quiet since here
        self.ignored = 0
        # The newest judged pulse: line, start, end, and what was known before; a short high after it takes it back.
        self.judged: tuple[int, int, int, tuple[int, int, int, int] | None, set[int]] | None = None

    @property
    def deadline_ns(self) -> int:
        if self.quiet_from is not None:
            return NEVER
        if self.low_since:
            return min(self.low_since.values()) + self.gap_ns
        return self.burst.last + self.gap_ns if self.burst else NEVER

    def advance(self, now_ns: int) -> Frame | None:
        deadline = self.deadline_ns
        if deadline == NEVER or now_ns < deadline:
            return None
        if not self.low_since:
            return self._finish(deadline)
        self._fail(min(self.low_since.values()), STUCK)
        assert self.burst is not None
        last = self.burst.last
        frame = self._finish(deadline)
        self.quiet_from = last
        return frame

    def feed_edge(self, t_ns: int, line: int, level: int) -> Frame | None:
        frame = None
        if t_ns >= self.now:
            frame = self.advance(t_ns)
            if self.quiet_from is not None and not self.low_since and t_ns - self.quiet_from >= self.gap_ns:
                self.quiet_from = None
        known = line in (0, 1) and level in (0, 1)
        if not known or t_ns < self.now or level != (1 if line in self.low_since else 0):
            self._resync(t_ns, line, level, known)
            return frame
        self.now = t_ns
        if level == 0:
            if self.judged and self.judged[0] == line and t_ns - self.judged[2] < self.glitch_ns:
                self._take_back()
                return frame
            self.low_since[line] = t_ns
            self.met.discard(line)
            if self.judged:
                self.judged[4].discard(line)
            return frame
        start = self.low_since.pop(line)
        if t_ns - start < self.glitch_ns:
            self.ignored += 1
            if self.burst:
                self.burst.glitches += 1
        else:
            self._pulse(start, t_ns, line)
        burst = self.burst
        if burst and not burst.error and self.expect_bits == len(burst.bits) and burst.bits and not self.low_since:
            frame = self._finish(t_ns)
            self.quiet_from = burst.last
        return frame

    def _take_back(self) -> None:
        assert self.judged is not None
        line, start, _, before, self.met = self.judged
        burst = self.burst
        assert burst is not None
        self.low_since[line] = start
        self.ignored += 1
        self.judged = None
        if before is None:
            self.burst = None
            return
        count, burst.start, burst.last, burst.error = before
        del burst.bits[count:]
        burst.glitches += 1

    def _pulse(self, start: int, end: int, line: int) -> None:
        overlapped = line in self.met
        self.judged = None
        if self.quiet_from is None:
            burst = self.burst
            before = (len(burst.bits), burst.start, burst.last, burst.error) if burst else None
            self.judged = (line, start, end, before, set(self.met))
        self.met = set(self.low_since)
        if self.quiet_from is not None:
            self.quiet_from = end
            return
        if self.burst is None:
            self.burst = _Burst(start, start)
        burst = self.burst
        if overlapped:
            self._fail(start, OVERLAP)
        elif not self.pulse[0] <= end - start <= self.pulse[1]:
            self._fail(start, PULSE)
        elif burst.bits and not self.interval[0] <= start - burst.start <= self.interval[1]:
            self._fail(start, GAP)
        elif len(burst.bits) == self.max_bits:
            self._fail(start, LONG)
        burst.start, burst.last = start, end
        if not burst.error:
            burst.bits.append(line)

    def _fail(self, t_ns: int, error: int) -> None:
        if self.quiet_from is not None:
            return
        if self.burst is None:
            self.burst = _Burst(t_ns, t_ns)
        self.burst.error = self.burst.error or error

    def _resync(self, t_ns: int, line: int, level: int, known: bool) -> None:
        self.now = t_ns
        self.judged = None
        self._fail(t_ns, ORDER)
        if self.quiet_from is not None:
            self.quiet_from = t_ns
        if self.burst:
            self.burst.last = t_ns
            self.burst.first = min(self.burst.first, t_ns)
        self.low_since = dict.fromkeys(self.low_since, t_ns)
        if not known:
            return
        self.met.clear()
        if level:
            self.low_since.pop(line, None)
        else:
            self.low_since[line] = t_ns

    def _finish(self, t_done: int) -> Frame:
        burst = self.burst
        assert burst is not None
        self.burst = None
        self.judged = None
        self.now = max(self.now, t_done)
        result = burst.error or (SHORT if len(burst.bits) < self.min_bits else OK)
        value = 0
        for bit in burst.bits:
            value = value << 1 | bit
        return Frame(value, len(burst.bits), result, burst.first, burst.last, t_done, burst.glitches)


def encode(row: Row, facility: int = 0, card: int = 0, issue: int = 0, oem: int = 0) -> int:
    """Pack a card; ``ValueError`` when a value is above its limit."""
    bits = [0] * row.bits
    for position, bit in row.fixed.items():
        bits[position] = bit
    for name, value in (("facility", facility), ("card", card), ("issue", issue), ("oem", oem)):
        if not 0 <= value <= row.limit.get(name, 0):
            raise ValueError(name)
        positions = row.fields.get(name, ())
        if row.bcd and name == "card":
            text = "".join(f"{int(digit):04b}" for digit in str(value).zfill(len(positions) // 4))
        else:
            text = f"{value:0{len(positions)}b}" if positions else ""
        for position, digit in zip(positions, text, strict=True):
            bits[position] = int(digit)
    for at, odd, covered in row.parity:
        bits[at] = (sum(bits[p] for p in covered) + odd) % 2
    return int("".join(map(str, bits)), 2)


def decode(row: Row, value: int, nbits: int) -> tuple[dict[str, int], bool]:
    """Unpack a frame: the fields, and whether parity, fixed bits and digits hold. ``ValueError`` for another length."""
    if nbits != row.bits:
        raise ValueError("nbits")
    bits = [value >> (nbits - 1 - p) & 1 for p in range(nbits)]
    ok = all(bits[p] == bit for p, bit in row.fixed.items())
    ok = ok and all((bits[at] + sum(bits[p] for p in covered)) % 2 == odd for at, odd, covered in row.parity)
    found = {}
    for name, positions in row.fields.items():
        text = "".join(str(bits[p]) for p in positions)
        if row.bcd and name == "card":
            digits = [int(text[i : i + 4], 2) for i in range(0, len(text), 4)]
            ok = ok and max(digits) <= 9
            found[name] = int("".join(map(str, digits))) if max(digits) <= 9 else 0
        else:
            found[name] = int(text, 2)
    return found, ok


def identify(value: int, nbits: int) -> list[str]:
    """Names of all formats that hold for a frame."""
    return [row.name for row in TABLE.values() if row.bits == nbits and decode(row, value, nbits)[1]]
