"""The native I/O thread from Python: the tap, events, commands from many threads, and life without the interpreter.

No test asserts that something is fast. Waits end when the thing happened; the socket's timeout only ends a hung test.
"""

import ctypes
import gc
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axcore import errors
from axcore._native import io
from axcore._native.io import GpioConfig, GpioLine, InputConfig, IoEvent, IoThread, OutputConfig, ReaderConfig

MS = 1_000_000
PATIENCE_S = 60.0
REX, CASING = 0, 1
RELAY1, RELAY2 = 0, 1


class Tap:
    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE_S)

    def next(self) -> tuple[str, bool, int]:
        return self._read(self.socket.recv(512))

    def next_without_python(self) -> tuple[str, bool, int]:
        """The interpreter is held until the edge is there: a call of C waits for it, and keeps the GIL."""
        libc, bell = ctypes.PyDLL(None), (ctypes.c_int * 2)(self.socket.fileno(), select.POLLIN)
        assert libc.poll(ctypes.byref(bell), 1, round(PATIENCE_S * 1000)) == 1
        return self.next()

    @staticmethod
    def _read(data: bytes) -> tuple[str, bool, int]:
        edge = json.loads(data)
        assert set(edge) == {"io", "active", "t_ns"}
        return edge["io"], edge["active"], edge["t_ns"]


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[Tap]:
    tap = Tap(tmp_path / "tap")
    yield tap
    tap.socket.close()


def build(tap: Tap | None = None, gpio: GpioConfig | None = None) -> IoThread:
    inputs = [InputConfig(MS, True, RELAY1, 20 * MS), InputConfig(0, True)]
    outputs = [OutputConfig(), OutputConfig(fault_active=True)]
    return IoThread(
        inputs, outputs, [ReaderConfig()], output_names=["relay1", "relay2"], tap=tap.path if tap else None, gpio=gpio
    )


@pytest.fixture
def thread(tap: Tap) -> Iterator[IoThread]:
    thread = build(tap)
    thread.start()
    yield thread
    thread.stop()


def collect(thread: IoThread, enough: Callable[[list[IoEvent]], bool]) -> list[IoEvent]:
    events: list[IoEvent] = []
    give_up = time.monotonic() + PATIENCE_S
    while not enough(events):
        assert time.monotonic() < give_up, events
        thread.wait(1000 * MS)
        events += thread.drain()
    return events


def first(thread: IoThread, kind: int) -> IoEvent:
    return next(e for e in collect(thread, lambda got: any(e.kind == kind for e in got)) if e.kind == kind)


def card(bits: str) -> bytes:
    return b"".join(
        struct.pack("=QIIQII", at, int(bit), 0, at + 50_000, int(bit), 1)
        for at, bit in zip(range(0, len(bits) * 2 * MS, 2 * MS), bits, strict=True)
    )


def test_a_pulse_is_seen_on_the_tap_and_ends(thread: IoThread, tap: Tap) -> None:
    before = io.monotonic_ns()
    thread.pulse(RELAY2, True, 30 * MS, token=7)
    name, active, t_on = tap.next()
    assert (name, active) == ("relay2", True)
    name, active, t_off = tap.next()
    assert (name, active) == ("relay2", False)
    assert t_on >= before
    assert t_off - t_on >= 29 * MS
    on, off = collect(thread, lambda got: len(got) == 2)
    assert (on.kind, on.index, on.value, on.reason, on.token, on.t_ns) == (io.KIND_OUTPUT, 1, 1, io.BY_PULSE, 7, t_on)
    assert (off.value, off.reason, off.token, off.t_ns) == (0, io.BY_PULSE_END, 7, t_off)
    assert "token=7" in repr(on)
    assert thread.tap_errors == 0


def test_rex_opens_and_closes_while_the_interpreter_is_held(thread: IoThread, tap: Tap) -> None:
    """A C call keeps the GIL until the lock has opened, another one until it has closed."""
    began = io.monotonic_ns()
    thread.feed_input(REX, False, token=3)
    opened = tap.next_without_python()
    thread.feed_input(REX, True, token=4)
    closed = tap.next_without_python()
    assert (opened[:2], closed[:2]) == (("relay1", True), ("relay1", False))
    assert closed[2] > opened[2] > began
    events = collect(thread, lambda got: len(got) == 4)
    assert [(e.kind, e.value, e.reason, e.token) for e in events] == [
        (io.KIND_INPUT, 1, 0, 3), (io.KIND_OUTPUT, 1, io.BY_REX, 3), (io.KIND_INPUT, 0, 0, 4),
        (io.KIND_OUTPUT, 0, io.BY_REX_END, 3),
    ]  # fmt: skip


def test_a_pulse_ends_while_the_interpreter_is_held(thread: IoThread, tap: Tap) -> None:
    thread.pulse(RELAY1, True, 50 * MS)
    assert tap.next_without_python()[1]
    assert not tap.next_without_python()[1]


def test_a_card_comes_back_as_its_bits(thread: IoThread) -> None:
    bits = "10110011100011110000111110"
    before = io.monotonic_ns()
    last = thread.feed_edges(0, card(bits), token=5)
    frame = first(thread, io.KIND_FRAME)
    assert (frame.index, frame.result, frame.token) == (0, 0, 5)
    assert f"{frame.bits:0{frame.nbits}b}" == bits
    assert frame.t_last_ns == last
    assert before <= frame.t_first_ns == last - 25 * 2 * MS - 50_000
    assert frame.t_ns == last + 25 * MS


def test_long_frames_and_a_new_reader_configuration(thread: IoThread) -> None:
    bits = "1" + "01" * 54 + "1" * 60 + "10"
    thread.configure_reader(0, ReaderConfig(max_bits=200, expect_bits=len(bits)))
    start = io.monotonic_ns() + 300 * MS  # a new configuration drops the frame in progress
    last = thread.feed_edges(0, bytearray(card(bits)), start_ns=start)
    assert last == start + 2 * MS * (len(bits) - 1) + 50_000
    frame = first(thread, io.KIND_FRAME)
    assert (frame.nbits, frame.bits, frame.t_ns) == (len(bits), int(bits, 2), last)


def test_frames_of_two_plans_are_kept_apart(thread: IoThread) -> None:
    end = thread.feed_edges(0, card("1010"), token=1)
    assert thread.feed_edges(0, card("0101"), token=2) >= end + 26 * MS + 6 * MS + 50_000
    frames = collect(thread, lambda got: len(got) == 2)
    assert [(e.bits, e.token) for e in frames] == [(0b1010, 1), (0b0101, 2)]


def test_a_sequence_runs_once_and_keeps_its_last_state(thread: IoThread, tap: Tap) -> None:
    thread.sequence(RELAY1, [(False, 3600_000 * MS), (True, MS)])
    with pytest.raises(errors.StateError):
        thread.sequence(RELAY1, [(True, 5 * MS)])
    thread.sequence(RELAY2, [(True, 5 * MS), (False, 5 * MS), (True, 5 * MS)], token=9)
    assert [tap.next()[1] for _ in range(3)] == [True, False, True]
    end = first(thread, io.KIND_SEQUENCE_END)
    assert (end.index, end.value, end.token) == (RELAY2, 1, 9)
    assert thread.output_active(RELAY2)
    thread.sequence(RELAY2, [(False, 0)])
    assert tap.next()[:2] == ("relay2", False)


def test_set_hold_fault_and_configuration(thread: IoThread, tap: Tap) -> None:
    thread.set(RELAY1, True)
    assert tap.next()[:2] == ("relay1", True)
    thread.hold(RELAY1, True, False)
    assert tap.next()[:2] == ("relay1", False)
    thread.hold(RELAY1, False)
    assert tap.next()[:2] == ("relay1", True)
    thread.configure_output(RELAY1, OutputConfig(normal_high=False, fault_active=True))
    assert tap.next()[:2] == ("relay1", False)
    thread.fault(RELAY1, token=4)
    assert tap.next()[:2] == ("relay1", True)
    thread.configure_input(CASING, InputConfig(0, False))
    changed = first(thread, io.KIND_INPUT)
    assert (changed.index, changed.value, changed.reason) == (CASING, 1, io.BY_CONFIG)
    assert thread.input_active(CASING)


def test_keys_and_labels_pass_through_in_order(thread: IoThread) -> None:
    for key in "12#":
        thread.feed_key(1, key, token=6)
    thread.feed_label(77, token=8)
    events = collect(thread, lambda got: len(got) == 4)
    assert [(e.kind, e.index, e.value, e.token) for e in events] == [
        (io.KIND_KEY, 1, ord("1"), 6), (io.KIND_KEY, 1, ord("2"), 6), (io.KIND_KEY, 1, ord("#"), 6),
        (io.KIND_LABEL, 0, 77, 8),
    ]  # fmt: skip


def test_events_that_nobody_takes_are_counted_and_told(thread: IoThread, tap: Tap) -> None:
    for n in range(5000):
        while True:
            try:
                thread.feed_label(n)
                break
            except errors.QueueFullError:
                time.sleep(0)
    thread.set(RELAY1, True)
    assert tap.next()[:2] == ("relay1", True)  # the relay does not depend on room for events
    events = collect(thread, lambda got: sum(e.value if e.kind == io.KIND_DROPPED else 1 for e in got) == 5001)
    labels = [e.value for e in events if e.kind == io.KIND_LABEL]
    assert labels == list(range(4096))
    assert thread.dropped == sum(e.value for e in events if e.kind == io.KIND_DROPPED) >= 904


def test_commands_from_several_threads(thread: IoThread) -> None:
    def work(token: int) -> None:
        for n in range(200):
            while True:
                try:
                    thread.feed_label(n, token)
                    break
                except errors.QueueFullError:
                    time.sleep(0)

    workers = [threading.Thread(target=work, args=(token,)) for token in range(1, 5)]
    for worker in workers:
        worker.start()
    events = collect(thread, lambda got: len(got) == 800)
    for worker in workers:
        worker.join()
    for token in range(1, 5):
        assert [e.value for e in events if e.token == token] == list(range(200))


def test_wait_wake_and_the_descriptor(thread: IoThread) -> None:
    assert thread.wait(0) is False
    assert thread.wait(-1) is False
    thread.wake()
    assert select.select([thread.event_fd], [], [], PATIENCE_S)[0]
    assert thread.wait(io.NEVER * 2) is True
    thread.feed_label(1)
    assert thread.wait(60_000 * MS) is True
    waker = threading.Timer(0.01, thread.wake)
    thread.drain()
    thread.wait(0)
    waker.start()
    assert thread.wait(60_000 * MS) is True
    waker.join()
    assert thread.drain(0) == []


def test_what_is_under_way_can_be_seen(thread: IoThread) -> None:
    assert thread.changing() == (0, False)
    seen = set()
    give_up = time.monotonic() + PATIENCE_S
    while (0, True) not in seen:  # a machine with other things to do may look too late at a frame or two
        assert time.monotonic() < give_up
        thread.feed_edges(0, card("01" * 13))
        while not any(event.kind == io.KIND_FRAME for event in thread.drain()):
            seen.add(thread.changing())
            thread.wait(MS)
    assert thread.changing() == (0, False)


def test_drain_takes_no_more_than_asked(thread: IoThread) -> None:
    for n in range(700):
        thread.feed_label(n)
    got: list[int] = []
    while len(got) < 700:
        thread.wait(1000 * MS)
        batch = thread.drain(300)
        assert len(batch) <= 300
        got += [e.value for e in batch]
    assert got == list(range(700))


def test_the_thread_shows_that_it_lives(thread: IoThread) -> None:
    before = thread.progress
    give_up = time.monotonic() + PATIENCE_S
    while thread.progress == before and time.monotonic() < give_up:
        time.sleep(0.05)
    assert thread.progress > before


def test_every_order_of_life_and_death(tap: Tap) -> None:
    never_started = build(tap)
    never_started.stop()
    never_started.pulse(RELAY1, True, MS)
    del never_started
    twice = build(tap)
    twice.start()
    with pytest.raises(errors.StateError):
        twice.start()
    twice.pulse(RELAY1, True, 3600_000 * MS)
    assert tap.next()[:2] == ("relay1", True)
    twice.stop()
    assert tap.next()[:2] == ("relay1", False)  # what only lasts a while ends with the thread
    twice.stop()
    assert [e.reason for e in twice.drain()] == [io.BY_PULSE, io.BY_STOP]
    dropped = build(tap)
    dropped.start()
    del dropped
    gc.collect()


def test_a_tap_that_nobody_hears_is_no_trouble(tmp_path: Path) -> None:
    thread = IoThread([], [OutputConfig()], [], output_names=["relay1"], tap=str(tmp_path / "nobody"))
    thread.start()
    thread.set(0, True)
    assert first(thread, io.KIND_OUTPUT).value == 1
    assert thread.tap_errors == 1
    thread.stop()


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.set(2, True),
        lambda t: t.pulse(0, True, 0),
        lambda t: t.sequence(0, []),
        lambda t: t.sequence(0, [(True, 1)] * 257),
        lambda t: t.feed_input(2, True),
        lambda t: t.feed_key(0, "x"),
        lambda t: t.feed_key(0, "12"),
        lambda t: t.feed_edges(1, card("1010")),
        lambda t: t.feed_edges(0, struct.pack("=QII", 0, 2, 0)),
        lambda t: t.configure_input(0, InputConfig(0, True, 5)),
        lambda t: t.configure_input(0, InputConfig(0, True, 99)),
        lambda t: t.configure_reader(0, ReaderConfig(min_bits=0)),
        lambda t: t.configure_output(9, OutputConfig()),
    ],
)
def test_out_of_range_is_refused_at_the_call(thread: IoThread, call: Callable[[IoThread], object]) -> None:
    with pytest.raises(errors.RangeError):
        call(thread)
    assert thread.drain() == []


def test_other_refusals(thread: IoThread) -> None:
    for bad in (b"", b"123"):
        with pytest.raises(errors.FormatError):
            thread.feed_edges(0, bad)
    with pytest.raises(TypeError):
        thread.feed_edges(0, "edges")  # type: ignore[arg-type]
    with pytest.raises(errors.QueueFullError):
        thread.feed_edges(0, card("1" * 2049))
    with pytest.raises(OverflowError):
        thread.set(-1, True)


def names(*names: str, **more: object) -> IoThread:
    return IoThread([], [OutputConfig()], [], output_names=names, **more)  # type: ignore[arg-type]


def gpio(**fields: object) -> IoThread:
    return names("a", gpio=GpioConfig(**{"chip": "/dev/null", "outputs": [1], **fields}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        names,
        lambda: names(""),
        lambda: names('a"b'),
        lambda: names("x" * 32),
        lambda: names("a", tap="x" * 200),
        lambda: IoThread([InputConfig(0, True)] * 33, [], [], output_names=[]),
        lambda: IoThread([], [], [ReaderConfig()] * 5, output_names=[]),
        lambda: gpio(chip="x" * 99),
        lambda: gpio(outputs=[]),
        lambda: gpio(inputs=[4]),
        lambda: gpio(readers=[(1, 2)]),
    ],
)
def test_a_wrong_configuration_is_refused(make: Callable[[], IoThread]) -> None:
    with pytest.raises(errors.RangeError):
        make()


def test_gpio_chip_that_is_none() -> None:
    lines = GpioConfig("/dev/null", [(GpioLine(1), 2)], [GpioLine(3, io.GPIO_PULL_UP), None], [4, None])
    thread = build(gpio=lines)
    with pytest.raises(OSError, match="ioctl"):
        thread.start()
    thread.stop()
