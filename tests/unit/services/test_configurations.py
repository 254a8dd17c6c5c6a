"""ConfigurationService: what is kept, what is implicit, and that a failure leaves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.devices import MODELS
from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, StoreError
from axcore.model import events
from axcore.model.actions import ToggleIoOnce, ToggleIoWhileActive
from axcore.model.configurations import IMPLICIT, MAX_CONFIGURATIONS
from axcore.model.rules import Condition, Rule, RuleSpec
from axcore.services.events import ConfigurationService, EventService, PortPerformer, VirtualInputPerformer
from axcore.services.ports import PortService
from axcore.testing import MemoryLedger
from tests.unit.services.fake_lines import FakeLines

MODEL = MODELS["a8207-ve-mk2"]
ONCE = ToggleIoOnce(port="Door", duration=7.0)
KEPT = ToggleIoOnce(port="4", duration=7.0)


class Bench:
    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger or MemoryLedger()
        self.ports = PortService(MODEL, self.ledger.post)
        performers = (PortPerformer(self.ports), VirtualInputPerformer(self.ports))
        self.events = EventService(MODEL, performers, self.ledger.bus, self.ledger.post)
        self.kept = ConfigurationService(self.events)
        self.ledger.load(self.ports.load, self.events.load, self.kept.load)
        self.ports.attach(FakeLines())
        self.ledger.load(self.events.start)

    def add(self, action: Any = ONCE, name: str = "c") -> str:
        return self.ledger.do(lambda tx: self.kept.add(tx, "token", name, {"a": "b"}, action)).id

    def rule(self, configuration: str | None, name: str = "r") -> Rule:
        spec = RuleSpec(name=name, conditions=(Condition(topic=events.ENTRY_GRANTED),), action=ONCE)
        if configuration is None:
            return self.ledger.do(lambda tx: self.events.add_rule(tx, spec))
        return self.ledger.do(lambda tx: self.kept.add_rule(tx, spec, configuration))

    def ids(self) -> list[str]:
        return [item.id for item in self.kept.configurations()]

    def state(self) -> tuple[Any, ...]:
        return self.ledger.store.records(), self.kept.configurations(), self.events.rules(), len(self.ledger.events)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_action_is_checked_and_kept_with_ids(bench: Bench) -> None:
    bench.add()
    assert bench.kept.configuration("1").action == KEPT
    before = bench.state()
    with pytest.raises(InputError, match=r"action\.port"):
        bench.add(ToggleIoOnce(port="nowhere"))
    with pytest.raises(InputError, match="Name"):
        bench.add(name="n" * 65)
    with pytest.raises(NotFoundError):
        bench.rule("9")
    assert bench.state() == before


def test_ids_are_not_used_again(bench: Bench) -> None:
    assert [bench.add(), bench.add()] == ["1", "2"]
    bench.ledger.do(lambda tx: bench.kept.remove(tx, "2"))
    assert bench.add() == "3"


def test_a_rule_runs_its_configuration_and_holds_it(bench: Bench) -> None:
    bench.add(ToggleIoOnce(port="4", duration=2.0))
    rule = bench.rule("1")
    assert rule.action == ToggleIoOnce(port="4", duration=2.0)
    assert bench.kept.of_rule(rule) == "1"
    before = bench.state()
    with pytest.raises(ConflictError, match="'r'"):
        bench.ledger.do(lambda tx: bench.kept.remove(tx, "1"))
    assert bench.state() == before
    bench.ledger.do(lambda tx: bench.kept.remove_rule(tx, rule.id))
    bench.ledger.do(lambda tx: bench.kept.remove(tx, "1"))
    assert bench.ids() == []
    assert not any(bench.ledger.store.records().get(kind) for kind in ("rule", "action_configuration"))
    assert not bench.ledger.store.records().get("action_configuration_of_rule")


def test_a_rule_without_a_configuration_has_an_implicit_one(bench: Bench) -> None:
    bench.add()
    rule = bench.rule(None, "REST")
    assert bench.ids() == ["1", str(IMPLICIT + 1)]
    implicit = bench.kept.configuration(str(IMPLICIT + 1))
    assert (implicit.template, implicit.name, implicit.action) == ("", "REST", KEPT)
    other = bench.rule(implicit.id, "of it")
    assert other.action == KEPT
    assert bench.kept.of_rule(other) == str(IMPLICIT + 2)
    for configuration in (implicit.id, str(IMPLICIT + 2)):
        with pytest.raises(ConflictError):
            bench.ledger.do(lambda tx, key=configuration: bench.kept.remove(tx, key))
    bench.ledger.do(lambda tx: bench.events.remove_rule(tx, rule.id))
    assert bench.ids() == ["1", str(IMPLICIT + 2)]


def test_a_rule_whose_action_was_changed_is_on_its_own(bench: Bench) -> None:
    bench.add()
    rule = bench.rule("1")
    patch = {"action": {"type": "toggle_io_once", "port": "4", "duration": 1.0}}
    changed = bench.ledger.do(lambda tx: bench.events.update_rule(tx, rule.id, patch))
    assert bench.kept.of_rule(changed) == str(IMPLICIT + 1)
    bench.ledger.do(lambda tx: bench.kept.remove(tx, "1"))
    bench.ledger.do(lambda tx: bench.events.remove_rule(tx, rule.id))
    bench.rule(bench.add())
    assert list(bench.ledger.store.records()["action_configuration_of_rule"]) == ["2"]


def test_there_is_a_most(bench: Bench) -> None:
    for _ in range(MAX_CONFIGURATIONS):
        bench.add()
    before = bench.state()
    with pytest.raises(LimitError):
        bench.add()
    assert bench.state() == before


def test_a_failed_commit_undoes_everything(bench: Bench) -> None:
    bench.add()
    before = bench.state()
    bench.ledger.store.broken = "disk full"
    for change in (
        bench.add,
        lambda: bench.rule("1"),
        lambda: bench.ledger.do(lambda tx: bench.kept.remove(tx, "1")),
    ):
        with pytest.raises(StoreError):
            change()
    bench.ledger.store.broken = None
    assert bench.state() == before
    assert bench.kept.of_rule(bench.rule("1")) == "1"


def test_everything_is_there_after_a_restart(bench: Bench) -> None:
    for number in range(12):
        bench.add(ToggleIoWhileActive(port="4") if number % 2 else ONCE)
    bench.rule("1")
    again = Bench(MemoryLedger(store=bench.ledger.store))
    assert again.ids() == bench.ids()
    assert again.kept.of_rule(again.events.rules()[0]) == "1"
    assert again.add() == "13"
