"""The access service where the manual is silent: field errors, patches, recovery, several readers."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.credentials import Always, Between, CardValue, Times
from axcore.model.events import CONFIGURATION_CHANGED, ENTRY_DENIED, ENTRY_GRANTED, KEYPAD_STATE, READER_FAULT
from axcore.services.access.entry import wiegand_key
from axcore.testing.access import CARD, Door, card


@pytest.fixture
def door() -> Door:
    """A device with the entry list turned on and nobody in it."""
    door = Door()
    door.settings(use_entry_list=True)
    return door


GOOD: dict[str, Any] = {"first_name": "Anna", "card": {"bits": 26, "value": "02004FCB"}}


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"first_name": ""}, "first_name"),
        ({"first_name": " \t"}, "first_name"),
        ({"first_name": "a\nb"}, "first_name"),
        ({"first_name": "x" * 65}, "first_name"),
        ({"first_name": 5}, "first_name"),
        ({"first_name": None}, "first_name"),
        ({"last_name": "x" * 65}, "last_name"),
        ({"card": {"bits": 0, "value": "0"}}, "card.bits"),
        ({"card": {"bits": 257, "value": "0"}}, "card.bits"),
        ({"card": {"bits": 26, "value": ""}}, "card.value"),
        ({"card": {"bits": 26, "value": "xyz"}}, "card.value"),
        ({"card": {"bits": 26, "value": "04000000"}}, "card.value"),
        ({"card": {"bits": "26", "value": "1"}}, "card.bits"),
        ({"card": {"value": "1"}}, "card.bits"),
        ({"card": None}, "card"),
        ({"pin": "12a4"}, "pin"),
        ({"pin": ""}, "pin"),
        ({"pin": "1" * 33}, "pin"),
        ({"pin": "\u0661\u0662\u0663\u0664"}, "pin"),
        ({"pin": "12345"}, "pin"),
        ({"qr": ""}, "qr"),
        ({"qr": "x" * 513}, "qr"),
        ({"event_condition": ""}, "event_condition"),
        ({"validity": {"type": "number_of_times", "count": 0}}, "validity.count"),
        ({"validity": {"type": "number_of_times", "count": 1_000_001}}, "validity.count"),
        ({"validity": {"type": "number_of_times"}}, "validity.count"),
        ({"validity": {"type": "sometimes"}}, "validity.type"),
        ({"validity": {"type": "from_to", "start": "tomorrow"}}, "validity.start"),
        ({"validity": {"type": "from_to", "end": "2026-01-01"}}, "validity.end"),
        (
            {"validity": {"type": "from_to", "start": "2026-01-02T00:00:00Z", "end": "2026-01-02T00:00:00Z"}},
            "validity.end",
        ),
        ({"validity": {"type": "schedule", "schedule": ""}}, "validity.schedule"),
        ({"enabled": "yes"}, "enabled"),
        ({"colour": "red"}, "colour"),
        ({"id": "7"}, "id"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(door: Door, patch: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        door.ledger.do(lambda tx: door.access.add_holder(tx, {**GOOD, **patch}))
    assert refused.value.field == field
    assert door.access.holders() == ()
    holder = door.ledger.do(lambda tx: door.access.add_holder(tx, GOOD))
    with pytest.raises(InputError) as refused:
        door.ledger.do(lambda tx: door.access.update_holder(tx, holder.id, patch))
    assert refused.value.field == field
    assert door.access.holders() == (holder,)


def test_values_are_kept_in_one_spelling(door: Door) -> None:
    holder = door.add("  Anna ", card=CardValue(26, "4FCB"), validity=Between("2026-01-01T01:00:00+01:00", None))
    assert holder.first_name == "Anna"
    assert holder.card == CardValue(26, "00004fcb")
    assert holder.validity == Between("2026-01-01T00:00:00.000000Z", None)
    assert door.restart().access.holders() == (holder,)


def test_cards_and_codes_belong_to_one_holder(door: Door) -> None:
    door.add("Anna", card=CARD, qr="a", pin="1234")
    with pytest.raises(ConflictError, match=r"^card: .*Anna"):
        door.add("Bo", card=CARD)
    with pytest.raises(ConflictError, match=r"^qr: .*Anna"):
        door.add("Bo", qr="a")


def test_a_pin_alone_belongs_to_one_holder_but_with_a_card_to_many(door: Door) -> None:
    door.add("Anna", card=card(1), pin="1234")
    door.add("Bo", card=card(2), pin="1234")
    cy = door.add("Cy", pin="1234")
    with pytest.raises(ConflictError, match=r"^pin: ") as refused:
        door.add("Di", pin="1234")
    assert "1234" not in str(refused.value)
    bo = door.access.holders()[1]
    with pytest.raises(ConflictError, match=r"^pin: "):
        door.update(bo.id, card=None)
    assert door.keys("1234#") == "granted"
    assert door.events(ENTRY_GRANTED)[0].data["holder"] == cy.id


def test_a_length_that_would_lock_someone_out_is_refused(door: Door) -> None:
    door.add("Anna", card=CARD, pin="1234")
    with pytest.raises(ConflictError, match="pin_length: does not fit Anna"):
        door.settings(pin_length=6)
    door.settings(pin_length=0)


def test_a_qr_code_needs_no_pin(door: Door) -> None:
    door.add(card=CARD, pin="1234", qr="a")
    assert door.show("a") == "granted"


def test_a_disabled_holder_stays_out(door: Door) -> None:
    holder = door.add(card=CARD)
    door.update(holder.id, enabled=False)
    assert door.swipe() == "disabled"
    assert door.events(ENTRY_DENIED)[0].data["name"] == "Anna"
    door.update(holder.id, enabled=True)
    assert door.swipe() == "granted"


def test_a_removed_holder_stays_out_also_while_a_pin_is_awaited(door: Door) -> None:
    holder = door.add(card=CARD, pin="1234")
    door.swipe()
    door.remove(holder.id)
    assert door.keys("1234") == "wrong_pin"
    assert door.swipe() == "unknown_credential"
    with pytest.raises(NotFoundError):
        door.remove(holder.id)
    with pytest.raises(NotFoundError):
        door.update(holder.id, enabled=False)
    assert door.add("Bo", card=CARD).id != holder.id


def test_validity_is_asked_again_when_the_pin_is_there(door: Door) -> None:
    door.add(card=CARD, pin="1234", validity=Between(None, "2026-03-01T12:00:05Z"))
    door.swipe()
    door.wait(6)
    assert door.keys("1234") == "expired"


def test_uses_left_start_anew_only_when_the_number_changes(door: Door) -> None:
    holder = door.add(card=CARD, validity=Times(3))
    door.swipe()
    assert door.update(holder.id, last_name="Berg").remaining == 2
    assert door.update(holder.id, validity={"type": "number_of_times", "count": 3}).remaining == 2
    assert door.update(holder.id, remaining=3).remaining == 3
    assert door.update(holder.id, validity={"type": "number_of_times", "count": 5}).remaining == 5
    assert door.update(holder.id, validity={"type": "always"}).remaining is None
    with pytest.raises(InputError, match=r"^remaining: "):
        door.update(holder.id, remaining=1)
    door.update(holder.id, validity={"type": "number_of_times", "count": 2})
    for wrong in (-1, 3, "1", None, True):
        with pytest.raises(InputError, match=r"^remaining: "):
            door.update(holder.id, remaining=wrong)


def test_a_failed_commit_lets_nobody_in_and_burns_nothing(door: Door) -> None:
    holder = door.add(card=CARD, validity=Times(2))
    door.ledger.store.broken = "no space left"
    with pytest.raises(Exception, match="no space left"):
        door.swipe()
    assert door.access.holder(holder.id).remaining == 2
    assert door.access.latest is None
    door.ledger.store.broken = None
    assert door.swipe() == "granted"
    assert door.access.holder(holder.id).remaining == 1


def test_after_a_recovery_no_limited_use_is_left(door: Door) -> None:
    door.add("Anna", card=card(1), validity=Times(5))
    door.add("Bo", card=card(2))
    store = door.ledger.store
    store._records["ledger"] = {"recovered": b"state.db: is empty"}
    store.recovered = "state.db: is empty"
    again = door.restart()
    assert again.swipe(card(1)) == "no_uses_left"
    assert again.swipe(card(2)) == "granted"
    assert again.restart().swipe(card(1)) == "no_uses_left"


def test_readers_have_their_own_entries(door: Door) -> None:
    door.add("Anna", card=card(1), pin="1111")
    door.add("Bo", card=card(2), pin="2222")
    door.swipe(card(1), reader=0)
    door.swipe(card(2), reader=1)
    assert door.keys("2222", keypad=1) == "granted"
    assert door.keys("1111", keypad=0) == "granted"


def test_correlations_come_back_on_everything(door: Door) -> None:
    door.add(card=CARD, pin="1234")
    start = len(door.ledger.events)
    door.swipe(correlation="x")
    door.wait(11)
    assert {e.correlation for e in door.ledger.events[start:]} == {"x"}


def test_changes_are_told_with_who_made_them(door: Door) -> None:
    spec = {**GOOD}
    holder = door.ledger.do(lambda tx: door.access.add_holder(tx, spec), actor="root")
    changed = door.events(CONFIGURATION_CHANGED)[-1].data
    assert changed == {"kind": "holder", "key": holder.id, "action": "add", "user": "root"}


def test_frame_faults_are_told_and_match_nothing(door: Door) -> None:
    door.add(card=CARD)
    door.ledger.do(lambda tx: door.access.on_fault(tx, "parity", reader=1, bits=26, glitches=2, correlation="x"))
    fault = door.events(READER_FAULT)[0]
    assert fault.data == {"error": "parity", "bits": "26", "glitches": "2"}
    assert (fault.source, fault.correlation) == ({"reader": "1"}, "x")
    assert door.access.latest is None
    assert door.events(ENTRY_GRANTED) == []


def test_settings_end_what_is_being_typed(door: Door) -> None:
    door.add(pin="1234")
    door.keys("12")
    door.settings(pin_timeout=20)
    assert door.keypad_state == "idle"
    assert door.keys("34#") == "unknown_credential"


def test_unknown_keys_are_refused(door: Door) -> None:
    with pytest.raises(InputError, match=r"^key: "):
        door.keys("A")


def test_the_keypad_is_idle_after_a_start() -> None:
    assert [e.data for e in Door().events(KEYPAD_STATE)] == [{"state": "idle"}]


def test_denials_wait_for_company_and_grants_do_not(door: Door) -> None:
    door.add(card=CARD, validity=Always())
    ledger, store = door.ledger, door.ledger.store
    commits = store.commits
    ledger._turning = True
    for number in range(20):
        ledger.post(lambda tx, number=number: door.access.on_frame(tx, 0, 34, number))
        ledger.turn()
    assert store.commits == commits
    ledger.post(lambda tx: door.access.on_frame(tx, 0, 26, int(CARD.value, 16)))
    ledger.turn()
    assert store.commits == commits + 1


def test_every_short_frame_is_a_key_or_is_not() -> None:
    assert [wiegand_key(4, v) for v in range(16)] == [*"0123456789*#", None, None, None, None]
    keys = {v: wiegand_key(8, v) for v in range(256)}
    assert sum(key is not None for key in keys.values()) == 24
    assert wiegand_key(5, 1) is None
