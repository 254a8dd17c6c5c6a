"""A started door station as the reader of a door controller: OSDP on its pty, Wiegand on its pins, VAPIX over HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from axcore import osdp, wiegand
from axcore.drivers.serial import SerialLine
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Edge, Instance, wait_for
from axcore.model.events import (
    ENTRY_DENIED,
    ENTRY_GRANTED,
    IO_PORT,
    LED_STATE,
    READER_BUZZER,
    READER_CONNECTION,
    READER_INSTALL,
    READER_KEY,
)
from axcore.osdp import LinkState, events, messages
from axcore.wiegand import EDGE, Bits
from conftest import let_in
from tests.e2e.patience import PATIENCE

API = "/config/rest/reader/v1"
KEY = bytes.fromhex("6b1f0c93d2a8475e90b3c6d4e1f72a58")
OTHER = bytes.fromhex("00112233445566778899aabbccddee0f")
CARD = {"format": "H10301", "facility": 7, "card": 4711, "interval_us": 200, "pulse_us": 40}
LATE_NS = (400_000, 20_000_000)
"""A pulse, and a pause between two, that last as long as no controller takes: about ten times what is planned."""
RAW = "0" + f"{7:08b}{4711:016b}"
"""Facility and card, without the last parity bit."""


class Panel:
    """A control panel of ``axcore.osdp`` on a line, in a thread with a loop of its own."""

    def __init__(self, path: str, key: bytes | None, address: int = 0) -> None:
        self._line = SerialLine(path=path)
        self.seen: list[events.BusEvent] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._key, self._address = key, address
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def _run(self) -> None:
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._bus = osdp.Bus.open_fd(self._line.open(), baud=115200)
        self.reader = self._bus.add_reader(self._address, key=self._key, require_secure=False)
        self._ready.set()
        async for event in self._bus.events():
            self.seen.append(event)

    def call(self, work: Callable[[osdp.Reader], Any]) -> Any:
        """Await what ``work`` gives, on the panel's loop."""
        return asyncio.run_coroutine_threadsafe(work(self.reader), self._loop).result(PATIENCE)

    def install(self, key: bytes) -> None:
        self._loop.call_soon_threadsafe(lambda: self.reader.install(key))

    def wait(self, kind: type, ready: Callable[[Any], bool] = lambda event: True) -> Any:
        found: list[Any] = []

        def look() -> bool:
            found[:] = [event for event in self.seen if isinstance(event, kind) and ready(event)]
            return bool(found)

        wait_for(f"a {kind.__name__}", look, PATIENCE)
        return found[0]

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._bus.close)
        self._thread.join(PATIENCE)
        self._line.close()


@pytest.fixture
def station(started: Instance) -> Instance:
    return started


def set_up(device: Instance, **settings: Any) -> net.EventLog:
    client = device.client()
    log = net.EventLog(client)
    client.rest("PATCH", f"{API}/settings", settings)
    return log


def until(log: net.EventLog, topic: str, right: Callable[[dict[str, Any]], bool] = lambda event: True) -> Any:
    """The first event of a topic that is ``right``."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = [event for event in log.all() if event["topic"] == topic and right(event)]
        return bool(found)

    wait_for(topic, look, PATIENCE)
    return found[0]


def test_a_card_swiped_as_edges_arrives_as_raw_over_the_secure_channel_and_the_led_comes_back(station):
    log = set_up(station, protocol="osdp", osdp={"address": 3, "key": KEY.hex()})
    path = str(station.data_dir / "rs485")
    panel = Panel(path, KEY, address=3)
    try:
        panel.wait(events.LinkChanged, lambda event: event.state is LinkState.SECURE)
        with station.board() as board:
            bits = board.call("card", **CARD)["bits"]
            card = panel.wait(events.CardRead)
            assert (card.bits, f"{card.value:026b}", card.secure) == (26, bits, True)
            assert bits[1:25] == RAW[1:]
            board.call("keys", keys="12#")
            panel.wait(events.KeysPressed, lambda event: event.keys == "#")
            assert "".join(e.keys for e in panel.seen if isinstance(e, events.KeysPressed)) == "12#"
            board.call("rex", active=True)
            panel.wait(events.ReplyReceived, lambda event: event.message == messages.InputStatusReport(b"\x01"))
            board.call("input", port="casing", active=True)
            panel.wait(events.ReplyReceived, lambda event: event.message == messages.LocalStatusReport(tamper=1))
        panel.call(lambda reader: reader.led(messages.Led(control=1, on=1, on_color=osdp.Color.GREEN)))
        seen = until(log, LED_STATE, lambda event: event["source"] == {"led": "stripe"})
        assert seen["data"]["color"] == "green"
        assert station.client().rest("GET", f"{API}/state")["connection"] == "connected"
    finally:
        panel.close()


def pulses_of(device: Instance, stimulus: Callable[[], Any], *bits: int) -> list[list[Edge]]:
    """The edges on DATA0 and DATA1 of the frames, of so many bits each, that a stimulus leads to.

    The tap holds ten datagrams and the device never waits for whoever reads them: a reader that comes late loses some,
    and then asks once more. So it does when the machine stood still while a pulse or a pause was to end.
    """
    end = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < end:
        device.tap.drain()
        stimulus()
        edges: list[Edge] = []
        while len(edges) < 2 * sum(bits) and (edge := device.tap.next(0.5 if edges else PATIENCE)) is not None:
            edges += [edge] if edge.io in ("data0", "data1") else []
        rest = iter(edges)
        frames = [list(itertools.islice(rest, 2 * count)) for count in bits]
        spans = [(after.t_ns - before.t_ns for before, after in itertools.pairwise(frame)) for frame in frames]
        in_time = all(span < late for of in spans for span, late in zip(of, itertools.cycle(LATE_NS), strict=False))
        if len(edges) == 2 * sum(bits) and in_time:
            return frames
    raise AssertionError("no frame was seen whole")


def frame_of(edges: list[Edge]) -> str:
    """What a controller makes of edges."""
    decoder = wiegand.Decoder()
    records = [EDGE.pack(edge.t_ns, int(edge.io == "data1"), int(not edge.active)) for edge in edges]
    found = [*decoder.feed(b"".join(records)), decoder.advance(edges[-1].t_ns + 10**9)]
    (frame,) = [each for each in found if each is not None]
    assert frame.result == wiegand.Result.FRAME
    return f"{frame.bits:0{frame.nbits}b}"


def test_a_card_and_keys_go_out_as_pulses_of_data0_and_data1(station):
    keypress = {"format": "EightBitInvertPadded"}
    set_up(station, protocol="wiegand", output={"format": "Wiegand34"}, wiegand={"keypress": keypress})
    with station.board() as board:
        frame = frame_of(*pulses_of(station, lambda: board.call("card", **CARD), 34))
        card = wiegand.FORMATS["H10306"].decode(Bits(frame))
        assert (card.ok, card.facility, card.card) == (True, 7, 4711)
        keys = pulses_of(station, lambda: board.call("keys", keys="1#"), 8, 8)
        assert [frame_of(edges) for edges in keys] == ["11100001", "01001011"]


def test_pulses_are_as_long_and_as_far_apart_as_planned_while_the_loop_is_stalled(station):
    set_up(station, protocol="wiegand")
    swiped: list[str] = []

    def swipe() -> None:
        with station.board() as other:
            stall = threading.Thread(target=lambda: other.call("stall", seconds=0.5))
            stall.start()
            bits = board.call("card", **CARD)["bits"]
            stall.join()
            swiped.append(bits)

    with station.board() as board:
        (edges,) = pulses_of(station, lambda: threading.Thread(target=swipe).start(), 26)
        wait_for("the end of the stall", lambda: swiped, PATIENCE)
    assert "".join("1" if edge.io == "data1" else "0" for edge in edges[::2]) == swiped[0]
    pulses = [off.t_ns - on.t_ns for on, off in zip(edges[::2], edges[1::2], strict=True)]
    intervals = [after.t_ns - before.t_ns for before, after in itertools.pairwise(edges[::2])]
    assert min(pulses) >= 50_000
    assert min(intervals) >= 2_000_000


def test_ports_light_the_stripe_and_sound_the_beeper_and_are_no_ports_any_more(station):
    wired = {"beeper": True, "beeper_input": 3, "led_inputs": 1, "led1_input": 1}
    log = set_up(station, protocol="wiegand", wiegand={**wired, "low_color": "green", "high_color": "red"})
    stripe = {"led": "stripe"}
    until(log, LED_STATE, lambda event: event["source"] == stripe and event["data"]["color"] == "red")
    with station.board() as board:
        board.call("input", port=1, active=True)
        until(log, LED_STATE, lambda event: event["source"] == stripe and event["data"]["color"] == "green")
        board.call("input", port=3, active=True)
        until(log, READER_BUZZER, lambda event: event["data"]["active"] == "1")
        wait_for("a beep", lambda: board.call("state")["speaker"]["rms"] > 0.1, PATIENCE)
        board.call("input", port=3, active=False)
        wait_for("silence", lambda: board.call("state")["speaker"]["rms"] == 0, PATIENCE)
        board.call("input", port=2, active=True)
        until(log, IO_PORT, lambda event: event["source"] == {"port": "1"} and event["data"]["state"] == "1")
    active = [event for event in log.all() if event["topic"] == IO_PORT and event["data"]["state"] == "1"]
    assert [event["source"]["port"] for event in active] == ["1"]


class Wall:
    """An OSDP reader on a line, in a thread with a loop of its own."""

    def __init__(self, path: str, key: bytes | None) -> None:
        self._line = SerialLine(path=path)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._key = key
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def _run(self) -> None:
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._device = osdp.Device.open_fd(self._line.open(), key=self._key)
        self._over = asyncio.Event()
        self._ready.set()
        await self._over.wait()
        self._device.close()

    def call(self, work: Callable[[osdp.Device], Any]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (work(self._device), done.set()))
        assert done.wait(PATIENCE)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)
        self._line.close()


def test_a_card_at_an_external_osdp_reader_opens_the_door(station):
    let_in(station, 0.5)
    client = station.client()
    log = set_up(station, protocol="none", external={"enabled": True, "key": KEY.hex()})
    assert client.rest("GET", f"{API}/state")["external"] == "connecting"
    wall = Wall(str(station.data_dir / "rs485"), KEY)
    try:
        until(log, READER_CONNECTION, lambda e: e["source"] == {"side": "external"} and e["data"]["secure"] == "1")
        state = client.rest("GET", f"{API}/state")
        assert (state["external"], state["external_secure"]) == ("connected", True)
        station.tap.drain()
        card = wiegand.FORMATS["H10301"].encode(facility=7, card=4711)
        wall.call(lambda device: device.card(card.value, card.nbits))
        station.tap.expect("relay1", True, PATIENCE)
        station.tap.expect("relay1", False, PATIENCE)
        granted = until(log, ENTRY_GRANTED)
        assert granted["source"] == {"reader": "1"}
    finally:
        wall.close()


def test_a_key_that_the_controller_sets_in_the_install_window_outlives_a_restart(station):
    log = set_up(station, protocol="osdp")
    client = station.client()
    client.rest("POST", f"{API}/install", {"seconds": 60})
    until(log, READER_INSTALL, lambda event: event["data"]["open"] == "1")
    panel = Panel(str(station.data_dir / "rs485"), None)
    try:
        panel.install(OTHER)
        panel.wait(events.LinkChanged, lambda event: event.state is LinkState.SECURE)
        until(log, READER_KEY, lambda event: event["source"] == {"side": "controller"})
    finally:
        panel.close()
    assert OTHER.hex() not in json.dumps(log.all())
    station.stop()
    station.start()
    panel = Panel(str(station.data_dir / "rs485"), OTHER)
    try:
        panel.wait(events.LinkChanged, lambda event: event.state is LinkState.SECURE)
    finally:
        panel.close()


def test_the_entry_list_decides_and_the_rest_goes_to_the_controller(station):
    let_in(station, 0.3)
    station.client().rest("PATCH", net.ENTRY_SETTINGS, {"use_connected_controller": True})
    log = set_up(station, protocol="osdp", osdp={"key": KEY.hex()})
    panel = Panel(str(station.data_dir / "rs485"), KEY)
    try:
        panel.wait(events.LinkChanged, lambda event: event.state is LinkState.SECURE)
        until(log, READER_CONNECTION, lambda event: event["data"]["state"] == "connected")
        with station.board() as board:
            board.call("card", **CARD)
            station.tap.expect("relay1", True, PATIENCE)
            board.call("card", **{**CARD, "card": 99}, correlation="other")
            sent = panel.wait(events.CardRead)
            assert f"{sent.value:026b}"[9:25] == f"{99:016b}"
        assert len([event for event in panel.seen if isinstance(event, events.CardRead)]) == 1
        decided = [event for event in log.all() if event["topic"] in (ENTRY_DENIED, ENTRY_GRANTED)]
        assert not [event for event in decided if event.get("correlation") == "other"]
    finally:
        panel.close()
