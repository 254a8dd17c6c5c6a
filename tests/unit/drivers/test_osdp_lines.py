"""OSDP over ptys: a bus and the device as a reader in the native thread; faults of the line between them."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from axcore._native.osdp_line import ControlPanel, LineThread, PeripheralDevice
from axcore.devices.reader import BeepSignal, LedSignal, ReaderFeedback, ReaderSign, ReaderSinks, ReaderStatus
from axcore.drivers.osdp_bus import OsdpBus, led_record
from axcore.drivers.osdp_lines import OsdpLines
from axcore.drivers.osdp_reader import OsdpOutput, OutputSinks
from axcore.drivers.serial import PtyLine, SerialLine
from axcore.errors import RangeError, StateError
from axcore.wiegand import Bits

KEY = bytes.fromhex("6b1f0c93d2a8475e90b3c6d4e1f72a58")
OTHER = bytes.fromhex("00112233445566778899aabbccddee0f")
WAIT = 60.0
"""Seconds after which something that must happen has not."""


class Told:
    """What sinks heard, by name."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[Any, ...]]] = []

    def sink(self, name: str) -> Callable[..., None]:
        return lambda tx, *values: self.heard.append((name, values))

    def readers(self) -> ReaderSinks:
        return ReaderSinks(**{name: self.sink(name) for name in ReaderSinks.__dataclass_fields__})

    def output(self) -> OutputSinks:
        return OutputSinks(**{name: self.sink(name) for name in OutputSinks.__dataclass_fields__})

    def all(self, name: str) -> list[tuple[Any, ...]]:
        return [values for kind, values in self.heard if kind == name]


def read(fd: int) -> bytes:
    """What has come to a pty; nothing where what was announced is not there yet: the kernel hands it on later."""
    try:
        return os.read(fd, 4096)
    except BlockingIOError:
        return b""


class Wire:
    """A pty between a bus and a reader, with somebody in the middle who may damage what passes."""

    def __init__(self) -> None:
        self.near, self.far = PtyLine(), PtyLine()
        self._fds = [os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for path in (self.near.path, self.far.path)]
        self._stop, self._wake = os.pipe()
        self.to_reader: Callable[[bytes], bytes] = lambda data: data
        self.to_bus: Callable[[bytes], bytes] = lambda data: data
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        bus, reader = self._fds
        while True:
            ready = select.select([bus, reader, self._stop], [], [])[0]
            if self._stop in ready:
                return
            if bus in ready and (came := read(bus)) and (data := self.to_reader(came)):
                os.write(reader, data)
            if reader in ready and (came := read(reader)) and (data := self.to_bus(came)):
                os.write(bus, data)

    def halt(self) -> None:
        """Nothing passes any more."""
        os.write(self._wake, b"x")
        self._thread.join()

    def close(self) -> None:
        for fd in (*self._fds, self._stop, self._wake):
            os.close(fd)


class Rig:
    """Bus, wire and reader; ``turn`` is the ledger's."""

    def __init__(self, *, key: bytes | None = KEY, reader_key: bytes | None = None, inputs: int = 0) -> None:
        self.wire = Wire()
        self.lines = OsdpLines()
        self.at_bus, self.at_reader = Told(), Told()
        self.bus = OsdpBus(self.wire.near, self.at_bus.readers(), baud=115200)
        self.output = OsdpOutput(
            self.wire.far, self.at_reader.output(), address=5, key=reader_key or key, serial=77, inputs=inputs
        )
        self.reader = self.bus.add(2, 5, key=key, poll_ms=2)
        self.lines.add(self.bus)
        self.lines.add(self.output)
        self.lines.start()

    def turn(self) -> None:
        for job in self.lines.jobs():
            job(None)  # type: ignore[arg-type]

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + WAIT
        while not condition():
            select.select([self.lines.thread.event_fd], [], [], 0.005)
            self.turn()
            assert time.monotonic() < end, (self.at_bus.heard, self.at_reader.heard)

    def close(self) -> None:
        self.wire.halt()  # before its ends go: writing to them would fail
        self.lines.stop()
        self.wire.close()


@pytest.fixture
def rig():
    rig = Rig(inputs=2)
    rig.until(lambda: rig.reader.status.link == "secure" and rig.output.status.link == "secure")
    yield rig
    rig.close()


def test_cards_keys_inputs_and_tamper_arrive(rig):
    assert rig.output.card(Bits("1" + "0" * 24 + "1"), wiegand=True)
    assert rig.output.keys("12*#")
    rig.output.input(1, True)
    rig.output.input(1, True)
    rig.output.tamper(True)
    rig.until(lambda: rig.reader.status.tamper)  # told in no order with the rest
    rig.until(lambda: all(rig.at_bus.all(kind) for kind in ("on_read", "on_keys", "on_inputs")))
    rig.until(lambda: (2, (False, True)) in rig.at_bus.all("on_inputs"))
    (read,) = rig.at_bus.all("on_read")[0]
    assert (read.kind, read.reader, read.card.bits, read.card.value) == ("card", 2, 26, "02000001")
    assert rig.at_bus.all("on_keys")[0][:2] == (2, "12*#")
    assert (2, (False, True)) in rig.at_bus.all("on_inputs")
    assert rig.at_bus.all("on_status")[-1] == (2, ReaderStatus(link="secure", tamper=True))
    assert rig.reader.id.serial == 77
    assert {entry.function for entry in rig.reader.capabilities} == {1, 3, 4, 5, 6, 8, 9, 10, 11, 13}


def test_feedback_arrives_and_is_shown_again_when_the_reader_is_back(rig):
    lasting = LedSignal(color="amber")
    rig.reader.led(lasting)
    rig.reader.led(LedSignal(color="green", on=0.2, off=0.3, seconds=5))
    rig.reader.beep(BeepSignal(on=0.1, off=0.2, count=3))
    rig.reader.text("Welcome", 2)
    rig.until(lambda: rig.at_reader.all("on_text"))
    (first,), (second,) = (records for (records,) in rig.at_reader.all("on_led"))
    assert first == led_record(lasting)
    assert (first.control, first.on_color, first.temp_control) == (1, 3, 1)
    assert (second.temp_control, second.temp_on, second.temp_off, second.temp_timer_100ms) == (2, 2, 3, 50)
    ((tone,),) = rig.at_reader.all("on_buzzer")[0]
    assert (tone.tone, tone.on, tone.off, tone.count) == (2, 1, 2, 3)
    text = rig.at_reader.all("on_text")[0][0]
    assert (text.command, text.seconds, text.text) == (3, 2, b"Welcome")
    rig.at_reader.heard.clear()
    rig.output.engine.reset()  # as after a loss of power
    rig.until(lambda: rig.at_reader.all("on_led"))
    assert rig.at_reader.all("on_led")[0][0] == (led_record(lasting),)


def test_a_new_key_is_set_told_at_both_ends_and_used(rig):
    rig.reader.set_key(OTHER)
    rig.until(lambda: rig.at_bus.all("on_key_set") and rig.at_reader.all("on_key_set"))
    assert rig.at_bus.all("on_key_set") == [(2, OTHER)]
    assert rig.at_reader.all("on_key_set") == [(OTHER,)]
    rig.until(lambda: rig.reader.stats["handshakes"] == 2 and rig.output.status.link == "secure")
    assert rig.output.card(Bits("1010"), wiegand=False)
    rig.until(lambda: rig.at_bus.all("on_read"))
    assert rig.reader.status.link == "secure"
    with pytest.raises(RangeError):
        rig.reader.set_key(bytes(16))


def test_another_key_is_no_way_in():
    rig = Rig(reader_key=OTHER)
    rig.until(lambda: rig.at_bus.all("on_attack") or rig.at_reader.all("on_attack"))
    assert not rig.reader.status.online
    assert not rig.output.card(Bits("1010"), wiegand=False), "nothing waits for a controller that is not there"
    rig.close()


def test_the_install_window_sets_a_key():
    rig = Rig(key=None)
    rig.reader.set_key  # noqa: B018 - it exists; without a session it has nothing to work with
    rig.until(lambda: rig.reader.status.link == "clear")
    rig.output.install(30)
    rig.reader.install(KEY, 30)
    rig.until(lambda: rig.at_bus.all("on_key_set") and rig.reader.status.link == "secure")
    assert rig.at_reader.all("on_key_set") == [(KEY,)]
    assert (True, False) in rig.at_reader.all("on_install")
    assert (False, True) in rig.at_reader.all("on_install")
    rig.close()


def test_feedback_is_shown_as_it_is_set(rig):
    quiet = ReaderSign(led=LedSignal(color="blue", seconds=4))
    rig.reader.set_feedback(ReaderFeedback(idle="amber", granted=quiet, denied=ReaderSign()))
    rig.until(lambda: rig.at_reader.all("on_led"))
    assert rig.at_reader.all("on_led")[0][0] == (led_record(LedSignal(color="amber")),)
    rig.at_reader.heard.clear()
    for signal in ("denied", "granted", "more"):
        rig.reader.show(signal)
    rig.until(lambda: rig.at_reader.all("on_buzzer"))
    (first,), (second,) = (records for (records,) in rig.at_reader.all("on_led"))
    assert (first.temp_on_color, second.temp_on_color) == (4, 2), "nothing for denied, blue, green"
    rig.at_reader.heard.clear()
    rig.reader.set_feedback(ReaderFeedback())  # the light at rest is the reader's own again
    rig.output.engine.reset()
    rig.until(lambda: rig.reader.stats["handshakes"] == 2 and rig.reader.status.link == "secure")
    assert rig.at_reader.all("on_led") == []


def test_outputs_are_set_for_good_for_a_while_and_without_cutting_short():
    told: list[tuple[int, bytes]] = []
    bus = OsdpBus(PtyLine(), Told().readers())
    reader = bus.add(0, 0, key=KEY)
    reader.status = ReaderStatus(link="secure")
    bus.engine = SimpleNamespace(command=lambda slot, code, data: told.append((code, data)))
    for active in (True, False):
        reader.output(3, active)
        reader.output(3, active, abort=False)
        reader.output(3, active, 1.5)
    codes = [data[1] for _, data in told]
    assert codes == [2, 4, 5, 1, 3, 6]
    assert {code for code, _ in told} == {0x68}
    assert told[2][1] == bytes([3, 5, 15, 0])


def test_feedback_to_nobody_is_dropped():
    told = Told()
    bus = OsdpBus(PtyLine(), told.readers())
    reader = bus.add(0, 0, key=KEY)
    reader.led(LedSignal(color="red"))
    reader.beep(BeepSignal())
    reader.text("nobody")
    reader.output(0, True, 1.0)
    bus.remove(reader)
    assert bus.readers == {}


# --- faults of the line


def once(damage: Callable[[bytes], bytes], picked: Callable[[bytes], bool]) -> Callable[[bytes], bytes]:
    """Do ``damage`` to the first piece that is ``picked``."""
    done = False

    def pass_on(data: bytes) -> bytes:
        nonlocal done
        if done or not picked(data):
            return data
        done = True
        return damage(data)

    return pass_on


FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "lost": lambda data: b"",
    "bit": lambda data: data[:-3] + bytes([data[-3] ^ 0x10]) + data[-2:],
    "cut": lambda data: data[: len(data) // 2],
    "noise before": lambda data: b"\x53\x00\xff" + data,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("side", ["to_bus", "to_reader"])
def test_one_damaged_frame_costs_one_retry_and_neither_link_nor_session_nor_card(rig, side, fault):
    picked: Callable[[bytes], bool] = (lambda data: len(data) > 20) if side == "to_bus" else (lambda data: True)
    retries: list[int] = []
    while not retries or (retries[-1] > 1 and len(retries) < 10):  # where the wire had to wait for the machine, again
        before, reads = rig.reader.stats, len(retries)
        rig.output.card(Bits("1100110011"), wiegand=False)
        setattr(rig.wire, side, once(FAULTS[fault], picked))
        rig.until(
            lambda before=before, reads=reads: (
                len(rig.at_bus.all("on_read")) > reads and rig.reader.stats["replies"] > before["replies"] + 5
            )
        )
        retries.append(rig.reader.stats["retries"] - before["retries"])
    assert retries[-1] <= 1
    assert rig.reader.stats["handshakes"] == 1
    assert len(rig.at_bus.all("on_read")) == len(retries)
    assert rig.reader.status.link == "secure"
    assert [status.link for _, status in rig.at_bus.all("on_status")] == ["secure"]


def test_a_serial_line_that_goes_away_is_opened_again(tmp_path):
    link, told = tmp_path / "line", Told()
    near = PtyLine(link)
    lines = OsdpLines()
    output = OsdpOutput(near, Told().output(), key=KEY)
    bus = OsdpBus(SerialLine(path=str(link), baud=115200), told.readers(), baud=115200)
    reader = bus.add(0, 0, key=KEY, poll_ms=2)
    lines.add(bus)
    lines.add(output)
    lines.start()

    def until(condition: Callable[[], object]) -> None:
        end = time.monotonic() + WAIT
        while not condition():
            select.select([lines.thread.event_fd], [], [], 0.005)
            for job in lines.jobs():
                job(None)  # type: ignore[arg-type]
            assert time.monotonic() < end

    until(lambda: reader.status.link == "secure" and output.status.link == "secure")
    failures = lines.thread.counters["failures"]
    lines.remove(output)  # the far end is closed: the near one reads an error
    until(lambda: lines.thread.counters["failures"] > failures)
    again = OsdpOutput(PtyLine(link), Told().output(), key=KEY)
    lines.add(again)
    deadline = time.monotonic() + WAIT
    while again.status.link != "secure":
        lines.advance(None, _now())  # type: ignore[arg-type]
        until(lambda: True)
        for job in lines.jobs():
            job(None)  # type: ignore[arg-type]
        time.sleep(0.01)
        assert time.monotonic() < deadline
    assert lines.next_deadline() is not None
    assert lines.progress > 0
    lines.stop()


def _now() -> Any:
    from axcore.runtime.clock import SystemClock, instant

    return instant(SystemClock())


# --- the native thread from Python


def test_an_attached_end_belongs_to_its_line():
    thread, end = LineThread(), PeripheralDevice(0)
    thread.attach(end)
    with pytest.raises(StateError, match="attached"):
        end.step(b"", 0)
    with pytest.raises(StateError, match="attached already"):
        thread.attach(end)
    del thread
    end.store(0x45, bytes(12))
    assert end.link == 0
    panel = ControlPanel()
    other = LineThread()
    other.attach(panel)
    del panel
    other.start()
    with pytest.raises(StateError):
        other.start()
    other.stop()
