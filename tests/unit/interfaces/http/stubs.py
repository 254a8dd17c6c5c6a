"""A device without threads: the real services over a ledger that runs jobs at once, and requests without a socket."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from axcore.devices.models import MODELS
from axcore.interfaces.http.errors import ForbiddenError
from axcore.interfaces.http.forms import Form, parse_urlencoded
from axcore.model.accounts import Identity, Role
from axcore.model.events import Event, NewEvent
from axcore.services.ports import PortService


class FakeTx:
    """One transaction over plain dicts."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.now = SimpleNamespace(mono_ns=ledger.mono_ns, wall_ns=0)
        self.records = dict(ledger.records)
        self.published: list[Event] = []
        self.effects: list[Any] = []
        self.undo: list[Any] = []

    def get(self, kind: str, key: str) -> bytes | None:
        return self.records.get((kind, key))

    def items(self, kind: str) -> list[tuple[str, bytes]]:
        return [(key, value) for (k, key), value in sorted(self.records.items()) if k == kind]

    def put(self, kind: str, key: str, value: bytes) -> None:
        self.records[kind, key] = value

    def delete(self, kind: str, key: str) -> None:
        self.records.pop((kind, key), None)

    def publish(self, new: NewEvent) -> Event:
        fields = {name: getattr(new, name) for name in NewEvent.__struct_fields__}
        number = len(self.ledger.log) + len(self.published) + 1
        event = Event(**fields, id=number, time="2026-01-01T00:00:00.000000Z")
        self.published.append(event)
        for listener in self.ledger.bus.listeners:
            listener(self, event)
        return event

    def after_commit(self, effect: Any) -> None:
        self.effects.append(effect)

    def on_rollback(self, undo: Any) -> None:
        self.undo.append(undo)

    def events(self, after: int, limit: int) -> list[Event]:
        return [event for event in self.ledger.log if event.id > after][:limit]


class FakeStream:
    """A subscription to the fake bus."""

    def __init__(self, bus: FakeBus, prefix: str) -> None:
        self.bus, self.prefix, self.dropped = bus, prefix, 0
        self.queue: asyncio.Queue[Event] = asyncio.Queue()

    def __enter__(self) -> FakeStream:
        self.bus.streams.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.bus.streams.remove(self)

    def __aiter__(self) -> FakeStream:
        return self

    async def __anext__(self) -> Event:
        return await self.queue.get()


class FakeBus:
    """In-transaction listeners and streams."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []
        self.streams: list[FakeStream] = []

    def in_transaction(self, prefix: str | None, listener: Any) -> None:
        self.listeners.append(listener)

    def subscribe(self, maxsize: int = 1000, prefix: str | None = None) -> FakeStream:
        return FakeStream(self, prefix or "")


class FakeLedger:
    """Runs each job at once, all or nothing."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], bytes] = {}
        self.log: list[Event] = []
        self.bus = FakeBus()
        self.mono_ns = 1
        self.commits = 0
        self.fails: Exception | None = None

    def submit(self, job: Any) -> Any:
        tx = FakeTx(self)
        try:
            if self.fails is not None:
                raise self.fails
            result = job(tx)
        except BaseException:
            for undo in reversed(tx.undo):
                undo()
            raise
        self.records = tx.records
        self.log += tx.published
        self.commits += 1
        for event in tx.published:
            for stream in self.bus.streams:
                if event.topic.startswith(stream.prefix):
                    stream.queue.put_nowait(event)
        for effect in tx.effects:
            effect()
        return result

    async def run(self, job: Any) -> Any:
        return self.submit(job)


class FakeLines:
    """A board whose outputs follow at once; ``told`` is what it was told."""

    def __init__(self, on_output: Any) -> None:
        self.inputs: dict[str, bool] = {}
        self.outputs: dict[str, bool] = {}
        self.told: list[tuple[Any, ...]] = []
        self._on_output = on_output

    def input_active(self, line: str) -> bool:
        return self.inputs.get(line, False)

    def output_active(self, line: str) -> bool:
        return self.outputs.get(line, False)

    def set(self, line: str, active: bool, correlation: str | None) -> None:
        self.told.append(("set", line, active))
        if self.outputs.get(line, False) != active:
            self.outputs[line] = active
            self._on_output(line, active)

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None:
        self.told.append(("pulse", line, active, seconds))

    def hold(self, line: str, on: bool, active: bool, correlation: str | None) -> None:
        self.told.append(("hold", line, on, active))

    def sequence(self, line: str, steps: Any, correlation: str | None) -> None:
        self.told.append(("sequence", line, tuple(steps)))

    def configure_input(self, line: str, normal: str, rex: Any = None) -> None: ...
    def configure_output(self, line: str, normal: str) -> None: ...
    def set_direction(self, line: str, output: bool) -> None: ...


class FakeRequest:
    """What handlers use of a request."""

    def __init__(
        self,
        query: str = "",
        *,
        body: bytes = b"",
        content_type: str = "application/json",
        role: Role = Role.ADMIN,
        **path_params: str,
    ) -> None:
        self.identity = Identity("user", role)
        self.content_type = content_type
        self.path_params = path_params
        self._query, self._body = query, body

    def arguments(self) -> Form:
        return parse_urlencoded(self._query)

    async def read(self) -> bytes:
        return self._body

    def require(self, role: Role) -> None:
        if self.identity.role < role:
            raise ForbiddenError


class Device:
    """A door station for handler tests; it is also the ``ctx``."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.bus = self.ledger.bus
        self.ports = PortService(MODELS["a8207-ve"], self.ledger.submit)
        self.lines = FakeLines(lambda line, on: self.ledger.submit(lambda tx: self.ports.on_output(tx, line, on)))
        self.ports.attach(self.lines)
        self.board: Any = None
        self.routes: Any = None

    def snapshot(self) -> tuple[Any, ...]:
        """Everything a refused request must leave as it was."""
        return self.ports.ports(), self.ports.virtual_inputs(), dict(self.ledger.records), len(self.ledger.log)
