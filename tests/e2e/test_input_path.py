"""An input's edge -> rule -> relay, in one process: rehearsed, done when written, undone when it cannot be synced."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from axcore.errors import InputError
from axcore.interfaces.call.methods import METHODS
from axcore.interfaces.cli.instance import wait_for
from axcore.interfaces.http.forms import parse_urlencoded
from axcore.interfaces.http.rest import calls, entry_list
from axcore.model import events
from axcore.model.credentials import CardValue, CredentialRead
from axcore.model.intercom import VMS_CALL
from axcore.model.rules import Condition, RuleSpec, ToggleIoWhileActive
from axcore.runtime.ledger import Transaction
from tests.e2e.patience import PATIENCE
from tests.e2e.test_card_path import Site


@pytest.fixture
def site(tmp_path: Path):  # type: ignore[no-untyped-def]
    site = Site(tmp_path)
    condition = Condition(topic=events.IO_PORT, source={"port": "0"})
    spec = RuleSpec(name="r", conditions=(condition,), action=ToggleIoWhileActive(port="Door"))
    site.do(lambda tx: site.device.events.add_rule(tx, spec))
    yield site
    site.end()
    site.tap.close()


def press(site: Site, active: bool) -> None:
    site.perform("input", port="1", active=active)


def test_a_relay_follows_an_input_and_everything_is_on_record(site: Site) -> None:
    for active in (True, False, True, False):
        press(site, active)
        assert site.edge() == ("relay1", active)
        assert site.wait(events.IO_PORT, state="1" if active else "0").source == {"port": "0"}
        assert site.wait(events.RELAY, LogicalState="active" if active else "inactive")


LONG_NS = 60_000_000_000
"""A debounce that is over in no test."""


def rehearsals(site: Site, look: Callable[[], int]) -> list[int]:
    """What ``look`` gives at the end of each rehearsal from now on, before it is undone."""
    ledger, seen = site.device.ledger, list[int]()
    real = ledger.rehearsal
    assert real is not None

    def rehearsal(tx: Transaction) -> None:
        real(tx)
        seen.append(look())

    ledger.rehearsal = rehearsal
    return seen


def test_rehearsals_while_an_input_is_debounced_move_nothing(site: Site) -> None:
    rehearsed: list[int] = []
    ledger, board = site.device.ledger, site.device.board
    real = ledger._store.rehearse

    def rehearse(writes, published):  # type: ignore[no-untyped-def]
        rehearsed.append(len(published))
        real(writes, published)

    ledger._store.rehearse = rehearse  # type: ignore[method-assign]
    board.configure_input("port1", "open", debounce_ns=LONG_NS)
    press(site, True)
    wait_for("a rehearsal", lambda: any(rehearsed), PATIENCE)
    press(site, False)  # before the debounce is over: it never was
    board.configure_input("port1", "open")
    press(site, True)
    assert site.edge() == ("relay1", True), "once"
    assert site.wait(events.IO_PORT, state="1")
    press(site, False)
    assert site.edge() == ("relay1", False)


def test_who_asks_for_calls_sees_none_while_the_button_is_debounced(site: Site) -> None:
    intercom, board = site.device.intercom, site.device.board
    assert intercom is not None
    service = intercom.service
    seen = rehearsals(site, lambda: len(service.calls()))
    board.configure_input("callbutton", "open", debounce_ns=LONG_NS)
    site.perform("button", active=True)
    wait_for("a rehearsal", lambda: seen, PATIENCE)
    assert not any(seen)
    site.perform("button", active=False)
    board.configure_input("callbutton", "open")
    site.perform("button", active=True)
    wait_for("a call", service.calls, PATIENCE)


def test_the_relay_acts_before_the_sync_and_lets_go_when_that_fails(site: Site) -> None:
    """The rule's state is taken back with the commit; the relay must not go on holding for it."""
    store = site.device.ledger._store
    healthy = store._sync  # type: ignore[attr-defined]
    seen: list[tuple[str, bool]] = []

    def broken(fd: int) -> None:
        if not seen:
            seen.append(site.edge())  # it has moved: written, and not yet synced
        raise OSError(5, os.strerror(5))

    store._sync = broken  # type: ignore[attr-defined]
    press(site, True)
    wait_for("the sync", lambda: seen, PATIENCE)
    assert seen == [("relay1", True)]
    assert site.edge() == ("relay1", False)
    store._sync = healthy  # type: ignore[attr-defined]
    assert site.edge() == ("relay1", True), "the input is still active, and the store is well again"
    ledger = site.device.ledger

    def told() -> bool:
        found = {(event.topic, *event.data.values()) for event in ledger.events_after(0)}
        return (events.IO_PORT, "1") in found and any(topic == events.SYSTEM_FAULT for topic, *_ in found)

    wait_for("the edge and the fault in the log", told, PATIENCE)
    press(site, False)
    assert site.edge() == ("relay1", False)


def test_what_is_told_of_cards_and_calls_is_committed(site: Site) -> None:
    """A job has changed both, and is taken back: who asks meanwhile hears of neither."""
    device, inside, release = site.device, threading.Event(), threading.Event()
    ledger, intercom = device.ledger, device.intercom
    assert intercom is not None
    service = intercom.service

    def job(tx: Transaction) -> None:
        device.access.on_read(tx, CredentialRead(kind="card", card=CardValue(bits=26, value="02004fcb")))
        service.call_contacts(tx, (VMS_CALL,))
        inside.set()
        release.wait(PATIENCE)
        raise InputError("test", "is over")

    ctx: Any = SimpleNamespace(ledger=ledger, access=device.access, intercom=service)
    told: list[Any] = []

    def ask() -> None:
        request: Any = SimpleNamespace(arguments=lambda: parse_urlencoded(""))
        for answer in (entry_list.get_latest(request, ctx), calls.list_calls(request, ctx)):
            told.append(msgspec.json.decode(asyncio.run(answer).body)["data"])  # type: ignore[arg-type]
        told.append(asyncio.run(METHODS["GetCallStatuses"][1]({}, ctx)))  # type: ignore[arg-type]

    future = ledger.submit(job)
    assert inside.wait(PATIENCE)
    assert device.access.latest is not None
    asking = threading.Thread(target=ask)
    asking.start()
    wait_for("the question", lambda: ledger._queue or told, PATIENCE)
    release.set()
    with pytest.raises(InputError):
        future.result(PATIENCE)
    asking.join()
    assert told == [None, [], {"CallStatus": []}]
