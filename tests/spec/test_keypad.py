"""One test per line of the door station's manual, *Daily use > Use the keypad*."""

from __future__ import annotations

import pytest

from axcore.model.credentials import CardValue, Times
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED, KEYPIN, READER_FAULT, SPEED_DIAL, SYSTEM_FAULT
from axcore.testing.access import CARD, Door


@pytest.fixture
def door() -> Door:
    """A device with the entry list turned on and nobody in it."""
    door = Door()
    door.settings(use_entry_list=True)
    return door


def test_call_someone_who_can_let_me_in(door: Door) -> None:
    """Use the keypad: "Press [call]": the button's own event is the ports' business; nothing is dialled."""
    before = len(door.ledger.events)
    assert door.keys("C") is None
    assert len(door.ledger.events) == before


def test_call_a_person_in_the_building(door: Door) -> None:
    """Use the keypad: "Enter the person's speed dial number and press [call]"."""
    door.keys("42C", correlation="x")
    dialled = door.events(SPEED_DIAL)
    assert [(e.data, e.correlation) for e in dialled] == [({"number": "42"}, "x")]
    assert door.keypad_state == "idle"
    assert door.keys("C") is None
    assert door.events(SPEED_DIAL) == dialled


def test_a_pin_is_never_told_as_a_speed_dial_number(door: Door) -> None:
    """Use the keypad: a PIN followed by the call key by mistake must not reach any log."""
    door.add(pin="1234")
    door.keys("1234C")
    assert door.events(SPEED_DIAL) == []


def test_open_the_door_with_my_card_and_pin(door: Door) -> None:
    """Use the keypad: "Tap the card and enter the PIN"."""
    door.add(card=CARD, pin="1234")
    assert door.swipe() is None
    assert door.keypad_state == "entering"
    assert door.keys("123") is None
    assert door.keys("4") == "granted"
    assert door.keypad_state == "idle"
    assert door.events(ENTRY_GRANTED)[0].data["credential"] == "card+pin"


def test_card_and_pin_need_both_in_that_order(door: Door) -> None:
    """Use the keypad: "Tap the card and enter the PIN": neither alone, nor the other way round."""
    door.add(card=CARD, pin="1234")
    assert door.keys("1234#") == "unknown_credential"
    assert door.swipe() is None
    assert door.keys("1243") == "wrong_pin"
    assert door.keys("1234") is None  # without the card
    assert door.swipe() is None
    assert door.wait(11) == "pin_timeout"
    assert door.events(ENTRY_GRANTED) == []


def test_the_hash_ends_a_pin_after_a_card_early(door: Door) -> None:
    """Use the keypad: "enter the PIN": pressing # as well does no harm."""
    door.add(card=CARD, pin="1234")
    door.swipe()
    assert door.keys("12#") == "wrong_pin"
    door.swipe()
    assert door.keys("1234#") == "granted"
    assert len(door.events(KEYPIN)) == 2


def test_open_the_door_with_my_pin(door: Door) -> None:
    """Use the keypad: "Enter the PIN and press #"."""
    door.add(pin="1234")
    assert door.keys("1234") is None
    assert door.keypad_state == "entering"
    assert door.keys("#") == "granted"
    assert door.keypad_state == "idle"
    assert door.keys("12345#") == "unknown_credential"
    assert door.keys("#") is None


def test_open_the_door_with_my_card(door: Door) -> None:
    """Use the keypad: "Tap the card"."""
    door.add(card=CARD)
    assert door.swipe() == "granted"
    assert door.events(ENTRY_GRANTED)[0].data["credential"] == "card"


def test_a_star_begins_again(door: Door) -> None:
    """Use the keypad: * takes back what was entered."""
    door.add(pin="1234")
    door.keys("99*")
    assert door.keypad_state == "idle"
    assert door.keys("1234#") == "granted"


def test_every_key_gives_the_full_time_again(door: Door) -> None:
    """Reader > PIN, Timeout: time without a key."""
    door.add(card=CARD, pin="1234")
    door.swipe()
    for key in "123":
        door.wait(9)
        assert door.keys(key) is None
    door.wait(9)
    assert door.keys("4") == "granted"


def test_a_second_card_takes_the_place_of_the_first(door: Door) -> None:
    """Use the keypad: the PIN belongs to the card that was tapped last."""
    door.add("Anna", card=CARD, pin="1234")
    door.add("Bo", card=CardValue(26, "00000002"), pin="5678")
    door.swipe()
    door.keys("12")
    door.swipe(CardValue(26, "00000002"))
    assert door.keys("5678") == "granted"
    assert door.events(ENTRY_GRANTED)[0].data["name"] == "Bo"


def test_a_refused_use_is_not_counted(door: Door) -> None:
    """Use the keypad: a wrong PIN takes no use off a number of times."""
    holder = door.add(card=CARD, pin="1234", validity=Times(1))
    door.swipe()
    assert door.keys("0000") == "wrong_pin"
    assert door.access.holder(holder.id).remaining == 1
    door.swipe()
    assert door.keys("1234") == "granted"
    assert door.swipe() == "no_uses_left"


def test_five_wrong_pins_block_the_keypad_for_a_minute_and_are_told(door: Door) -> None:
    """Use the keypad: PINs cannot be tried out."""
    door.add("Anna", pin="1234")
    door.add("Bo", card=CARD)
    for _ in range(5):
        assert door.keys("9999#") == "unknown_credential"
    assert [e.data["component"] for e in door.events(SYSTEM_FAULT)] == ["keypad"]
    assert door.keys("1234#") == "pin_blocked"
    assert door.swipe() == "granted"
    door.wait(59)
    assert door.keys("1234#") == "pin_blocked"
    door.wait(1.5)
    assert door.keys("1234#") == "granted"


def test_a_right_pin_forgives_the_wrong_ones(door: Door) -> None:
    """Use the keypad: people mistype."""
    door.add(pin="1234")
    for _ in range(3):
        for _ in range(4):
            door.keys("9999#")
        assert door.keys("1234#") == "granted"


@pytest.mark.parametrize(
    ("bits", "frames"),
    [
        (4, [1, 2, 3, 4, 11]),
        (8, [0x01, 0x02, 0x03, 0x04, 0x0B]),
        (8, [0xE1, 0xD2, 0xC3, 0xB4, 0x4B]),
    ],
)
def test_a_wiegand_keypad_sends_keys_as_short_frames(door: Door, bits: int, frames: list[int]) -> None:
    """Wiegand, Keypress format: "PIN 1234 is encoded and sent as 0x1 0x2 0x3 0x4", "0x01 ...", "0xE1 ..."."""
    door.add(pin="1234")
    for frame in frames:
        door.ledger.do(lambda tx, frame=frame: door.access.on_frame(tx, 1, bits, frame))
    assert len(door.events(ENTRY_GRANTED)) == 1
    assert door.events(ENTRY_GRANTED)[0].source == {"reader": "1"}


@pytest.mark.parametrize(("bits", "value"), [(4, 12), (8, 0x51), (8, 0x0F)])
def test_a_short_frame_that_is_no_key_is_a_fault(door: Door, bits: int, value: int) -> None:
    """Wiegand, Keypress format: anything else is told and ignored."""
    door.ledger.do(lambda tx: door.access.on_frame(tx, 0, bits, value))
    assert [e.data["error"] for e in door.events(READER_FAULT)] == ["key"]
    assert door.events(ENTRY_DENIED) == []


def test_the_digits_are_nowhere_to_be_seen(door: Door) -> None:
    """Use the keypad: a PIN is in no event, in no error, in no text of a structure."""
    holder = door.add(pin="73915")
    door.keys("73915#")
    door.keys("73915C")
    door.keys("73914#")
    door.settings(pin_length=5)
    door.update(holder.id, card={"bits": 26, "value": "1"})
    door.swipe(CardValue(26, "00000001"))
    door.keys("7391")
    shown = [repr(e) for e in door.ledger.events] + [repr(door.access.holders()), repr(door.access._entries)]
    assert not any("7391" in text for text in shown)
