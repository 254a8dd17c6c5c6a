"""A ledger in memory: transactions with rollback, effects after the commit, in-transaction subscribers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from axcore.model.events import Event, NewEvent

T = TypeVar("T")
SECOND = 1_000_000_000


class Now(NamedTuple):
    mono_ns: int
    wall_ns: int


class FakeBus:
    def __init__(self) -> None:
        self.subscribers: list[Callable[[Any, Event], None]] = []

    def in_transaction(self, prefix: str | None, fn: Callable[[Any, Event], None]) -> None:
        assert prefix is None
        self.subscribers.append(fn)


class FakeTransaction:
    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger
        self.now = Now(ledger.mono_ns, ledger.mono_ns)
        self.effects: list[Callable[[], None]] = []
        self.undo: list[Callable[[], None]] = []
        self.published: list[Event] = []

    def get(self, kind: str, key: str) -> bytes | None:
        return self._ledger.records.get((kind, key))

    def items(self, kind: str) -> list[tuple[str, bytes]]:
        return [(key, value) for (name, key), value in sorted(self._ledger.records.items()) if name == kind]

    def put(self, kind: str, key: str, value: bytes) -> None:
        self._ledger.records[kind, key] = value

    def delete(self, kind: str, key: str) -> None:
        self._ledger.records.pop((kind, key), None)

    def publish(self, event: NewEvent) -> Event:
        self._ledger.last_id += 1
        fields = {name: getattr(event, name) for name in NewEvent.__struct_fields__}
        numbered = Event(id=self._ledger.last_id, time="2026-01-01T00:00:00.000000Z", **fields)
        self.published.append(numbered)
        for subscriber in self._ledger.bus.subscribers:
            subscriber(self, numbered)
        return numbered

    def after_commit(self, effect: Callable[[], None]) -> None:
        self.effects.append(effect)

    def on_rollback(self, fn: Callable[[], None]) -> None:
        self.undo.append(fn)


class FakeLedger:
    def __init__(self) -> None:
        self.bus = FakeBus()
        self.records: dict[tuple[str, str], bytes] = {}
        self.events: list[Event] = []
        self.last_id = 0
        self.mono_ns = 1_000 * SECOND
        self.timers: list[Any] = []

    def run(self, job: Callable[[Any], T]) -> T:
        """One job in one transaction."""
        records, tx = dict(self.records), FakeTransaction(self)
        try:
            result = job(tx)
        except Exception:
            self.records = records
            for undo in reversed(tx.undo):
                undo()
            raise
        self.events += tx.published
        for effect in tx.effects:
            effect()
        return result

    submit = run

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with every timer at its instant."""
        end = self.mono_ns + round(seconds * SECOND)
        while True:
            due = [deadline for timer in self.timers if (deadline := timer.next_deadline_ns()) is not None]
            if not due or min(due) > end:
                break
            self.mono_ns = max(self.mono_ns, min(due))
            for timer in self.timers:
                self.run(timer.advance)
        self.mono_ns = end

    def topics(self) -> list[tuple[str, dict[str, str], dict[str, str]]]:
        """What was published, without numbers."""
        return [(event.topic, event.source, event.data) for event in self.events]


class FakeLines:
    """Outputs that do at once what they are told; records every command."""

    def __init__(self) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.active: dict[str, bool] = {}
        self.inputs: dict[str, bool] = {}
        self.error: Exception | None = None

    def input_active(self, line: str) -> bool:
        return self.inputs.get(line, False)

    def output_active(self, line: str) -> bool:
        return self.active.get(line, False)

    def _do(self, *command: Any) -> None:
        if self.error is not None:
            raise self.error
        self.commands.append(command)

    def set(self, line: str, active: bool, correlation: str | None) -> None:
        self._do("set", line, active, correlation)
        self.active[line] = active

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None:
        self._do("pulse", line, active, seconds, correlation)

    def hold(self, line: str, on: bool, active: bool, correlation: str | None) -> None:
        self._do("hold", line, on, active, correlation)

    def sequence(self, line: str, steps: Any, correlation: str | None) -> None:
        self._do("sequence", line, list(steps), correlation)

    def configure_input(self, line: str, normal: str, rex: tuple[str, float] | None = None) -> None:
        self._do("configure_input", line, normal, rex)

    def configure_output(self, line: str, normal: str) -> None:
        self._do("configure_output", line, normal)
        self.active[line] = False

    def set_direction(self, line: str, output: bool) -> None:
        self._do("set_direction", line, output)

    def take(self) -> list[tuple[Any, ...]]:
        """Commands since the last call."""
        commands, self.commands = self.commands, []
        return commands
