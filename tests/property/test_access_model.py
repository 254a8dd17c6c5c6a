"""The access service against a small model that was written without looking at it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from axcore.errors import InputError, StoreError
from axcore.model.credentials import Times
from axcore.testing.access import Door, card

CARDS = st.integers(1, 4)
PINS = st.sampled_from(["11", "12", "22", "21"])
NAMES = st.sampled_from(["Anna", "Bo", "Cy", "Di", "Ed"])
PIN_LENGTH, TIMEOUT, BLOCK = 2, 3.0, 60.0


class Model:
    """Holders by name: [card, pin, uses left or None, enabled]; time in seconds."""

    def __init__(self) -> None:
        self.people: dict[str, list[Any]] = {}
        self.on = True
        self.now = 0.0
        self.typed = ""
        self.card_of: str | None = None
        self.until = 0.0
        self.wrong: list[float] = []
        self.blocked_until = -1.0

    def late(self) -> str | None:
        if self.until and self.now >= self.until:
            was = self.card_of
            self.idle()
            return "pin_timeout" if was else None
        return None

    def idle(self) -> None:
        self.typed, self.card_of, self.until = "", None, 0.0

    def enter(self, name: str) -> str:
        person = self.people[name]
        if not person[3]:
            return "disabled"
        if person[2] == 0:
            return "no_uses_left"
        if person[2] is not None:
            person[2] -= 1
        return "granted"

    def swipe(self, number: int) -> str | None:
        self.idle()
        owners = [name for name, person in self.people.items() if person[0] == number]
        if not self.on:
            return None
        if not owners:
            return "unknown_credential"
        _, pin, left, enabled = self.people[owners[0]]
        if pin and enabled and left != 0:
            self.card_of, self.until = owners[0], self.now + TIMEOUT
            return None
        return self.enter(owners[0])

    def key(self, key: str) -> str | None:
        if key in "*C":
            self.idle()
            return None
        if key == "#" and not self.typed:
            if self.until:
                self.until = self.now + TIMEOUT
            return None
        if key != "#":
            self.typed = (self.typed + key)[:33]
            self.until = self.now + TIMEOUT
            if not (self.card_of and len(self.typed) >= PIN_LENGTH):
                return None
        typed, owner = self.typed, self.card_of
        self.idle()
        return self.pin(typed, owner) if self.on else None

    def pin(self, typed: str, owner: str | None) -> str:
        if self.now < self.blocked_until:
            return "pin_blocked"
        if owner is None:
            found = [name for name, person in self.people.items() if person[0] is None and person[1] == typed]
            failure = "unknown_credential"
        else:
            found = [owner] if owner in self.people and self.people[owner][1] == typed else []
            failure = "wrong_pin"
        if not found:
            self.wrong = [t for t in self.wrong if t > self.now - 600] + [self.now]
            if len(self.wrong) == 5:
                self.wrong, self.blocked_until = [], self.now + BLOCK
            return failure
        decided = self.enter(found[0])
        if decided == "granted":
            self.wrong = []
        return decided


class AccessMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.door = Door()
        self.door.settings(use_entry_list=True, pin_length=PIN_LENGTH, pin_timeout=TIMEOUT)
        self.model = Model()
        self.ids: dict[str, str] = {}

    @rule(name=NAMES, number=CARDS | st.none(), pin=PINS | st.none(), left=st.integers(1, 3) | st.none())
    def add(self, name: str, number: int | None, pin: str | None, left: int | None) -> None:
        people = self.model.people.values()
        taken = (
            name in self.model.people
            or (number is None and pin is None)
            or (number is not None and any(p[0] == number for p in people))
            or (number is None and any(p[0] is None and p[1] == pin for p in people))
        )
        try:
            validity = {} if left is None else {"validity": Times(left)}
            holder = self.door.add(name, card=None if number is None else card(number), pin=pin, **validity)
        except InputError:
            assert taken
            return
        assert not taken
        self.model.people[name] = [number, pin, left, True]
        self.ids[name] = holder.id

    @precondition(lambda self: self.model.people)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.people)))
        self.door.remove(self.ids.pop(name))
        del self.model.people[name]

    @precondition(lambda self: self.model.people)
    @rule(data=st.data(), enabled=st.booleans())
    def enable(self, data: st.DataObject, enabled: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.people)))
        self.door.update(self.ids[name], enabled=enabled)
        self.model.people[name][3] = enabled

    @rule(on=st.booleans())
    def use_entry_list(self, on: bool) -> None:
        self.door.settings(use_entry_list=on)
        self.model.on = on
        self.model.idle()

    @rule(number=CARDS)
    def swipe(self, number: int) -> None:
        assert self.door.swipe(card(number)) == self.model.swipe(number)

    @rule(keys=st.text("12*#C", min_size=1, max_size=4))
    def press(self, keys: str) -> None:
        for key in keys:
            assert self.door.keys(key) == self.model.key(key)

    @rule(pin=PINS)
    def enter_pin(self, pin: str) -> None:
        for key in pin + "#":
            assert self.door.keys(key) == self.model.key(key)

    @rule(seconds=st.sampled_from([0.5, 2.5, 3.0, 59.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.model.now += seconds
        assert self.door.wait(seconds) == self.model.late()

    @rule()
    def rehearse(self) -> None:
        ledger = self.door.ledger
        ledger.rehearsal = self.door.access.rehearse
        ledger.rehearse()
        assert ledger.rehearsal is not None, "it failed"

    @rule()
    def fail_a_commit(self) -> None:
        self.door.ledger.store.broken = "no space left"
        for act in (lambda: self.door.swipe(card(1)), lambda: self.door.keys("1")):
            with pytest.raises(StoreError, match="no space left"):
                act()
        self.door.ledger.store.broken = None
        self.door.ledger.advance(0)

    @rule()
    def restart(self) -> None:
        self.door = self.door.restart()
        self.model.idle()
        self.model.wrong, self.model.blocked_until = [], -1.0

    @invariant()
    def the_same_people_have_the_same_uses_left(self) -> None:
        have = {h.first_name: (h.remaining, h.enabled) for h in self.door.access.holders()}
        assert have == {name: (person[2], person[3]) for name, person in self.model.people.items()}

    @invariant()
    def the_keypad_tells_what_it_does(self) -> None:
        assert self.door.keypad_state == ("entering" if self.model.until else "idle")

    @invariant()
    def ids_rise(self) -> None:
        ids = [event.id for event in self.door.ledger.events]
        assert ids == sorted(set(ids))


TestAccess = AccessMachine.TestCase
TestAccess.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
