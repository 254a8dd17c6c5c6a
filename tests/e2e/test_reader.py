"""A started door station as the reader of a door controller: OSDP on its pty, Wiegand on its pins, VAPIX over HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from axcore import osdp
from axcore.drivers.serial import SerialLine
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model.events import LED_STATE
from axcore.osdp import LinkState, events, messages

API = "/config/rest/reader/v1"
KEY = bytes.fromhex("6b1f0c93d2a8475e90b3c6d4e1f72a58")
OTHER = bytes.fromhex("00112233445566778899aabbccddee0f")
PATIENCE = 20.0
CARD = {"format": "H10301", "facility": 7, "card": 4711, "interval_us": 200, "pulse_us": 40}
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
