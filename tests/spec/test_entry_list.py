"""One test per sentence of the door station's manual: *Use Entry list to allow credential holders to open the door*,
*Set up as reader*, *Reader > Entry list* and *Reader > PIN*."""

from __future__ import annotations

import pytest

from axcore.errors import ConflictError, InputError, LimitError
from axcore.model.credentials import Between, CardValue, Scheduled, Times
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED, KEYPIN, RFID
from axcore.testing.access import CARD, Door, card


@pytest.fixture
def door() -> Door:
    """A device with the entry list turned on and nobody in it."""
    door = Door()
    door.settings(use_entry_list=True)
    return door


def test_the_door_station_stores_the_credentials_locally(door: Door) -> None:
    """Set up as reader: "the door station stores the credentials locally and can function as a standalone reader"."""
    door.add(card=CARD)
    assert door.restart().swipe() == "granted"


def test_for_up_to_fifty_credential_holders(door: Door) -> None:
    """Set up as reader: "for up to fifty credential holders"."""
    for number in range(50):
        door.add(f"Holder {number}", card=card(number))
    with pytest.raises(LimitError, match=r"holders: .*50") as refused:
        door.add("Holder 50", card=card(50))
    assert refused.value.field == "holders"
    assert len(door.access.holders()) == 50
    assert all(door.swipe(card(number)) == "granted" for number in range(50))
    door.remove(door.access.holders()[0].id)
    door.add("Holder 50", card=card(50))


def test_credential_holders_use_their_credentials_to_trigger_actions(door: Door) -> None:
    """Use Entry list: "make it possible for credential holders to use their credentials to trigger actions"."""
    acted: list[str] = []
    door.ledger.bus.in_transaction(ENTRY_GRANTED, lambda tx, e: tx.after_commit(lambda: acted.append(e.data["name"])))
    door.add("Anna", last_name="Berg", card=CARD)
    door.swipe()
    assert acted == ["Anna Berg"]


def test_turn_on_use_entry_list() -> None:
    """Use Entry list, step 2: "Turn on Use Entry list". Off (the default), reads are told but nobody is let in."""
    door = Door()
    assert door.access.settings.use_entry_list is False
    door.add(card=CARD)
    door.add("Per", pin="1234")
    assert door.swipe() is None
    assert door.keys("1234#") is None
    assert len(door.events(RFID)) == 1
    assert len(door.events(KEYPIN)) == 1
    assert door.events(ENTRY_GRANTED) == door.events(ENTRY_DENIED) == []
    door.settings(use_entry_list=True)
    assert door.swipe() == "granted"


@pytest.mark.parametrize("same", ["Anna", "anna", " ANNA "])
def test_the_first_name_must_be_unique(door: Door, same: str) -> None:
    """Use Entry list, step 4: "Enter the credential holder's first and last name. The first name must be unique."."""
    door.add("Anna", last_name="Berg", card=CARD)
    with pytest.raises(ConflictError) as refused:
        door.add(same, last_name="Dahl", card=card(2))
    assert refused.value.field == "first_name"
    other = door.add("Bo", last_name="Berg", card=card(2))
    with pytest.raises(ConflictError):
        door.update(other.id, first_name=same)
    assert [h.first_name for h in door.access.holders()] == ["Anna", "Bo"]


def test_select_card(door: Door) -> None:
    """Use Entry list, step 5: "Select Card". One kind of credential at least must be given."""
    with pytest.raises(InputError) as refused:
        door.add("Anna")
    assert refused.value.field == "card"


def test_swipe_the_card_and_click_get_latest(door: Door) -> None:
    """Use Entry list, step 6: "Swipe the credential holder's card on the device and click Get latest"."""
    assert door.access.latest is None
    assert door.swipe(correlation="enrol") == "unknown_credential"
    latest = door.access.latest
    assert latest is not None
    assert latest.card == CARD
    assert latest.t_ns == door.clock.mono_ns() or latest.t_ns > 0
    door.keys("1234#")
    assert door.access.latest == latest
    door.add(card=latest.card)
    assert door.swipe() == "granted"


def test_keep_the_event_condition_access_granted(door: Door) -> None:
    """Use Entry list, step 7: "Keep the event condition Access granted". Another one comes back on the event."""
    door.add(card=CARD)
    door.add("Bo", card=card(2), event_condition="Cleaning")
    door.swipe()
    door.swipe(card(2))
    assert [e.data["condition"] for e in door.events(ENTRY_GRANTED)] == ["Access granted", "Cleaning"]


def test_number_of_times(door: Door) -> None:
    """Use Entry list, steps 8 and 9: "Under Valid to, select Number of times", "enter 10"."""
    holder = door.add(card=CARD, validity=Times(10))
    assert holder.remaining == 10
    assert [door.swipe() for _ in range(10)] == ["granted"] * 10
    assert door.swipe() == "no_uses_left"
    assert [e.data["remaining"] for e in door.events(ENTRY_GRANTED)] == [str(n) for n in range(9, -1, -1)]
    assert door.access.holder(holder.id).remaining == 0


def test_number_of_times_survives_a_restart(door: Door) -> None:
    """Use Entry list, steps 8 and 9: the count is of uses, not of uses since the last restart."""
    door.add(card=CARD, validity=Times(3))
    assert door.swipe() == "granted"
    again = door.restart()
    assert [again.swipe() for _ in range(3)] == ["granted", "granted", "no_uses_left"]
    assert again.restart().swipe() == "no_uses_left"


def test_valid_from_to(door: Door) -> None:
    """Use Entry list, step 8: "Valid to" a time: from the start until before the end, by the wall clock."""
    door.add(card=CARD, validity=Between("2026-03-01T13:00:00Z", "2026-03-01T15:00:00+01:00"))
    assert door.swipe() == "not_yet_valid"
    door.clock.set_wall("2026-03-01T13:00:00Z")
    assert door.swipe() == "granted"
    door.clock.set_wall("2026-03-01T13:59:59Z")
    assert door.swipe() == "granted"
    door.clock.set_wall("2026-03-01T14:00:00Z")
    assert door.swipe() == "expired"
    door.clock.step(-3600)
    assert door.swipe() == "granted"


def test_an_unset_clock_validates_no_date(door: Door) -> None:
    """Use Entry list, step 8: a clock that starts in 1970 must not make a dated credential valid."""
    door.add(card=CARD, validity=Between(None, "2030-01-01T00:00:00Z"))
    door.add("Bo", card=card(2))
    door.clock.set_wall("1970-01-01T00:10:00Z")
    assert door.swipe() == "clock_not_set"
    assert door.swipe(card(2)) == "granted"


def test_valid_during_a_schedule(door: Door) -> None:
    """Use Entry list, step 8, and Events > Schedules: valid while the schedule is active, in local time."""
    door.clock.set_wall("2026-03-02T07:59:59Z")  # a Monday
    holder = door.add(card=CARD, validity=Scheduled("office hours"))
    assert holder.validity == Scheduled("standard_office_hours")
    assert door.swipe() == "schedule_inactive"
    door.wait(1)
    assert door.swipe() == "granted"
    door.clock.set_wall("2026-03-02T17:00:00Z")
    assert door.swipe() == "schedule_inactive"
    door.update(holder.id, validity={"type": "schedule", "schedule": "standard_weekends"})
    door.clock.set_wall("2026-03-07T00:00:00Z")
    assert door.swipe() == "granted"


def test_an_unset_clock_makes_no_schedule_active_but_always(door: Door) -> None:
    """Use Entry list, step 8: 1970-01-01 was a Thursday, and nobody comes in for that."""
    holder = door.add(card=CARD, validity=Scheduled("standard_office_hours"))
    door.clock.set_wall("1970-01-01T09:00:00Z")
    assert door.swipe() == "clock_not_set"
    door.update(holder.id, validity={"type": "schedule", "schedule": "Always"})
    assert door.swipe() == "granted"


def test_a_schedule_of_a_credential_must_be_there_and_be_an_interval(door: Door) -> None:
    """Events > Schedules: the list shows the schedules that there are."""
    door.ledger.do(lambda tx: door.schedules.add(tx, {"name": "Bell", "icalendar": "DTSTART:20260101T080000"}))
    for schedule in ("Night shift", "1", "Bell"):
        with pytest.raises(InputError) as raised:
            door.add(card=CARD, validity=Scheduled(schedule))
        assert raised.value.field == "validity.schedule"
    assert door.access.holders() == ()


def test_a_schedule_in_use_cannot_be_removed(door: Door) -> None:
    """Events > Schedules: a credential does not lose its schedule; the refusal names who uses it."""
    spec = {"name": "Shift", "icalendar": "DTSTART:20260101T000000 DTEND:20260102T000000"}
    shift = door.ledger.do(lambda tx: door.schedules.add(tx, spec))
    holder = door.add(card=CARD, validity=Scheduled(shift.id))
    with pytest.raises(ConflictError, match="Anna"):
        door.ledger.do(lambda tx: door.schedules.remove(tx, shift.id))
    assert door.restart().access.holder(holder.id).validity == Scheduled(shift.id)
    door.remove(holder.id)
    door.ledger.do(lambda tx: door.schedules.remove(tx, shift.id))


def test_card_pin_or_qr_code(door: Door) -> None:
    """Reader > Entry list: "use their card, PIN or a QR Code to perform different actions"."""
    door.add("Anna", card=CARD)
    door.add("Bo", pin="2468")
    door.add("Cy", qr="https://example.com/visit?42")
    assert door.swipe() == "granted"
    assert door.keys("2468#") == "granted"
    assert door.show("https://example.com/visit?42") == "granted"
    assert door.show("https://example.com/visit?43") == "unknown_credential"
    assert [e.data["credential"] for e in door.events(ENTRY_GRANTED)] == ["card", "pin", "qr"]


def test_a_credential_that_is_not_in_the_list_is_denied(door: Door) -> None:
    """Set up as reader: "a requested credential is not found in the Entry list" and no controller is used: denied."""
    assert door.swipe(correlation="c1") == "unknown_credential"
    denied = door.events(ENTRY_DENIED)[0]
    assert (denied.data["reason"], denied.data["credential"]) == ("unknown_credential", "card")
    assert denied.correlation == "c1"
    assert door.events(RFID)[0].data == {"card": CARD.value, "bits": "26"}


def test_the_same_number_in_another_length_is_another_card(door: Door) -> None:
    """Reader > Entry list: a card is all its bits."""
    door.add(card=CardValue(bits=26, value="00000001"))
    assert door.swipe(CardValue(bits=34, value="0000000001")) == "unknown_credential"


@pytest.mark.parametrize("length", [0, 4, 32])
def test_pin_length_0_to_32(door: Door, length: int) -> None:
    """Reader > PIN: "Length (0-32): Enter the number of digits in the PIN"."""
    door.settings(pin_length=length)
    pin = "13579" * 7
    door.add(card=CARD, pin=pin[: length or 4])
    if length:
        assert door.swipe() is None
        assert door.keys(pin[: length - 1]) is None
        assert door.keys(pin[length - 1]) == "granted"
    else:
        assert door.swipe() == "granted"


@pytest.mark.parametrize("length", [-1, 33])
def test_pin_length_outside_0_to_32_is_refused(door: Door, length: int) -> None:
    """Reader > PIN: "Length (0-32)"."""
    with pytest.raises(InputError, match=r"0..32") as refused:
        door.settings(pin_length=length)
    assert refused.value.field == "pin_length"
    assert door.access.settings.pin_length == 4


def test_pin_length_0_asks_for_no_pin(door: Door) -> None:
    """Reader > PIN: "If users aren't required to use a PIN when they use the reader, set the length to 0"."""
    door.add(card=CARD, pin="1234")
    assert door.swipe() is None
    door.settings(pin_length=0)
    assert door.swipe() == "granted"
    assert door.keys("1234#") == "pin_not_used"


@pytest.mark.parametrize("timeout", [3, 50])
def test_pin_timeout_3_to_50_seconds(door: Door, timeout: float) -> None:
    """Reader > PIN: "Timeout (seconds, 3-50): ... before the device returns to idle mode when no PIN is received"."""
    door.settings(pin_timeout=timeout)
    door.add(card=CARD, pin="1234")
    door.swipe()
    assert door.wait(timeout - 0.01) is None
    assert door.keypad_state == "entering"
    assert door.wait(0.02) == "pin_timeout"
    assert door.keypad_state == "idle"
    assert door.keys("1234#") == "unknown_credential"
    assert door.events(ENTRY_GRANTED) == []


@pytest.mark.parametrize("timeout", [2.99, 50.01, float("nan"), -1])
def test_pin_timeout_outside_3_to_50_is_refused(door: Door, timeout: float) -> None:
    """Reader > PIN: "Timeout (seconds, 3-50)"."""
    with pytest.raises(InputError, match=r"3..50") as refused:
        door.settings(pin_timeout=timeout)
    assert refused.value.field == "pin_timeout"
