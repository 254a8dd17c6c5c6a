"""The reader service on a ledger in memory, with connections that only remember."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axcore.devices import model
from axcore.devices.reader import ReaderStatus
from axcore.model.credentials import CardValue, CredentialRead
from axcore.model.events import Event
from axcore.services.access import AccessService
from axcore.services.indicators import IndicatorService
from axcore.services.indicators.service import Shown
from axcore.services.reader import ReaderService, ReaderSettings
from axcore.services.reader.lamp import Beep
from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger, MemoryStore
from axcore.wiegand import FORMATS, Bits

CARD = FORMATS["H10301"].encode(facility=7, card=4711)


class FakeWire:
    """All three kinds; ``full`` takes nothing."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.full = False
        self.status = ReaderStatus(link="secure")

    def _take(self, *what: Any) -> bool:
        if not self.full:
            self.sent.append(what)
        return not self.full

    def card(self, *what: Any, **named: Any) -> bool:
        return self._take("card", *what, *named.values())

    def keys(self, text: str) -> bool:
        return self._take("keys", text)

    def send(self, frames: Sequence[Bits]) -> bool:
        return self._take("frames", *((frame.value, frame.nbits) for frame in frames))

    def pin(self, digits: str) -> bool:
        return self._take("pin", digits)

    def rex(self) -> bool:
        return self._take("rex")

    def input(self, number: int, active: bool) -> None:
        self._take("input", number, active)

    def tamper(self, active: bool) -> None:
        self._take("tamper", active)

    def set_key(self, key: bytes) -> None:
        self._take("key", key)

    def install(self, seconds: float) -> None:
        self._take("install", seconds)


class FakeWires:
    """Connections as settings ask for them."""

    def __init__(self) -> None:
        self.wire = FakeWire()
        self.osdp: FakeWire | None = None
        self.wiegand: FakeWire | None = None
        self.vapix: FakeWire | None = None
        self.connected: list[ReaderSettings] = []
        self.beeps: list[Beep | None] = []

    def beep(self, beep: Beep | None) -> None:
        self.beeps.append(beep)

    def connect(self, settings: ReaderSettings) -> None:
        self.connected.append(settings)
        for protocol in ("osdp", "wiegand", "vapix"):
            setattr(self, protocol, self.wire if settings.protocol == protocol else None)


class Rig:
    """A station's reader: ``swipe``, ``keys``, ``settings``."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.ledger = MemoryLedger(VirtualClock(), store=store)
        self.indicators = IndicatorService(model("a8207-ve-mk2"))
        self.reader = ReaderService(self.indicators)
        self.access = AccessService()
        self.access.controller = self.reader
        self.wires = FakeWires()
        self.reader.attach(self.wires)
        for timer in (self.access, self.indicators, self.reader):
            self.ledger.add_timer(timer)
        self.ledger.load(self.reader.load, self.access.load)
        self.reader.connect()
        self.wires.connected.clear()

    def settings(self, **patch: Any) -> ReaderSettings:
        return self.ledger.do(lambda tx: self.reader.set_settings(tx, patch))

    def entry_list(self, *, controller: bool = True) -> None:
        patch = {"use_entry_list": True, "use_connected_controller": controller}
        self.ledger.do(lambda tx: self.access.set_settings(tx, patch))

    def let_in(self, **credential: Any) -> None:
        """Put somebody on the entry list."""
        self.ledger.do(lambda tx: self.access.add_holder(tx, {"first_name": "Ada", **credential}))

    def read(self, read: CredentialRead) -> list[Any]:
        """What was sent for what was read."""
        before = len(self.wires.wire.sent)

        def job(tx: Any) -> None:
            accepted = self.reader.accept(read)
            if accepted is not None:
                self.access.on_read(tx, accepted)

        self.ledger.do(job)
        return self.wires.wire.sent[before:]

    def swipe(self, bits: Bits = CARD) -> list[Any]:
        return self.read(CredentialRead(kind="card", card=CardValue(bits=bits.nbits, value=bits.hex())))

    def keys(self, keys: str) -> list[Any]:
        before = len(self.wires.wire.sent)
        for key in keys:
            self.ledger.do(lambda tx, key=key: self.access.on_key(tx, key))  # type: ignore[misc]
        return self.wires.wire.sent[before:]

    def port(self, number: int, active: bool) -> None:
        self.ledger.do(lambda tx: self.reader.on_port(tx, number, active))

    @property
    def stripe(self) -> Shown:
        return self.indicators.shown()["stripe"]

    def events(self, topic: str) -> list[Event]:
        return [event for event in self.ledger.events if event.topic == topic]
