"""The door station as a reader of a door controller, as the manuals tell it (Reader > Connection, Output format, Chip
types, Entry list). Each test names the section and the sentence that it holds us to."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.model.credentials import CardValue, ChipData, CredentialRead
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED, READER_BUZZER
from axcore.services.indicators.service import Shown
from axcore.services.reader.settings import OsdpReader
from axcore.testing.reader import CARD, Rig
from axcore.wiegand import FORMATS, Bits

CSN = bytes.fromhex("04a1b2c3d4e5f6")
DESFIRE = "MIFARE DESFire EV2"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def held(csn: bytes = CSN, **secure: bytes) -> CredentialRead:
    """A card held to the reader."""
    card = CardValue(bits=len(csn) * 8, value=csn.hex())
    return CredentialRead(kind="card", card=card, chip=ChipData(chip_type=DESFIRE, csn=csn, secure=secure))


def sent(rig: Rig, read: CredentialRead) -> list[tuple[int, int]]:
    """The frames that the reader sent on its data lines."""
    return [frame for what in rig.read(read) for frame in what[1:]]


# Set up as reader


def test_the_entry_list_comes_first(rig: Rig) -> None:
    """If the requested credential is found in the Entry list, the door station manages the access permissions. If a
    requested credential is not found in the Entry list and the Use connected door controller option is enabled, the
    request is forwarded to the door controller."""
    rig.settings(protocol="wiegand")
    rig.entry_list()
    rig.ledger.do(
        lambda tx: rig.access.add_holder(tx, {"first_name": "Ada", "card": {"bits": 26, "value": CARD.hex()}})
    )
    assert rig.swipe() == []
    assert len(rig.events(ENTRY_GRANTED)) == 1
    other = FORMATS["H10301"].encode(facility=7, card=1)
    assert rig.swipe(other) == [("frames", (other.value, 26))]
    assert rig.events(ENTRY_DENIED) == []
    rig.entry_list(controller=False)
    assert rig.swipe(other) == []
    assert len(rig.events(ENTRY_DENIED)) == 1


def test_a_controller_that_does_not_answer_changes_nothing_for_the_entry_list(rig: Rig) -> None:
    """With the entry list, the door station can function as a standalone reader."""
    rig.settings(protocol="wiegand")
    rig.entry_list()
    rig.wires.wire.full = True
    rig.let_in(pin="1234")
    rig.swipe()
    assert rig.keys("1234#") == []
    assert len(rig.events(ENTRY_GRANTED)) == 1


def test_the_right_chip_type_is_active(rig: Rig) -> None:
    """Make sure the correct chip type is active in Reader > Chip types."""
    rig.entry_list()
    value = CardValue(bits=56, value=CSN.hex())
    rig.let_in(card={"bits": 56, "value": CSN.hex()})
    rig.settings(chips={"active": ["NFC"]})
    rig.read(held())
    assert rig.access.latest is None
    rig.settings(chips={"active": ["NFC", DESFIRE]})
    rig.read(held())
    assert rig.access.latest is not None
    assert rig.access.latest.card == value
    assert len(rig.events(ENTRY_GRANTED)) == 1


# Reader protocol > Wiegand


def test_beeper(rig: Rig) -> None:
    """Beeper: Turn on to activate the beeper input. Input for beeper: Select the I/O port used for the beeper."""
    rig.settings(protocol="wiegand", wiegand={"beeper_input": 3})
    rig.port(3, True)
    assert rig.events(READER_BUZZER) == []
    rig.port(3, False)
    rig.settings(wiegand={"beeper": True})
    rig.port(3, True)
    rig.port(3, False)
    rig.port(2, True)
    assert [event.data["active"] for event in rig.events(READER_BUZZER)] == ["1", "0"]
    assert [beep is not None for beep in rig.wires.beeps] == [True, False]


def test_idle_color_without_inputs(rig: Rig) -> None:
    """Idle color: If no I/O port is used to control the LED, you can select a static color."""
    rig.settings(protocol="wiegand", wiegand={"idle_color": "blue"})
    rig.port(1, True)
    assert rig.stripe == Shown("blue")


def test_color_for_state_low_and_high(rig: Rig) -> None:
    """Color for state low/high: If one I/O port is used for LED control, select the color for low and high."""
    wired = {"led_inputs": 1, "led1_input": 1, "low_color": "green", "high_color": "red"}
    rig.settings(protocol="wiegand", wiegand=wired)
    assert rig.stripe == Shown("red")
    rig.port(1, True)
    assert rig.stripe == Shown("green")
    rig.port(1, False)
    assert rig.stripe == Shown("red")


def test_colors_of_two_inputs(rig: Rig) -> None:
    """Idle color/LED1 color/LED2 color/LED1 + LED2 color: If two I/O ports are used for LED control."""
    colors = {"idle_color": "blue", "led1_color": "red", "led2_color": "green", "both_color": "white"}
    rig.settings(protocol="wiegand", wiegand={"led_inputs": 2, "led1_input": 4, "led2_input": 2, **colors})
    shown = [rig.stripe.color]
    for port, active in ((4, True), (2, True), (4, False), (2, False)):
        rig.port(port, active)
        shown.append(rig.stripe.color)
    assert shown == ["blue", "red", "white", "green", "blue"]


def test_ports_of_the_reader_are_no_ports_for_events(rig: Rig) -> None:
    """If you use I/O ports already in use, any events created for these ports will stop working."""
    wired = {"beeper": True, "beeper_input": 3, "led_inputs": 1, "led1_input": 1, "led2_input": 2}
    rig.settings(protocol="wiegand", wiegand=wired)
    assert rig.reader.taken_ports == {1, 3}
    rig.settings(protocol="osdp")
    assert rig.reader.taken_ports == set()


@pytest.mark.parametrize(
    ("format_", "keys"),
    [
        ("FourBit", [(1, 4), (2, 4), (3, 4), (4, 4), (11, 4)]),
        ("EightBitZeroPadded", [(1, 8), (2, 8), (3, 8), (4, 8), (11, 8)]),
        ("EightBitInvertPadded", [(0xE1, 8), (0xD2, 8), (0xC3, 8), (0xB4, 8), (0x4B, 8)]),
    ],
)
def test_keys_go_out_one_by_one(rig: Rig, format_: str, keys: list[tuple[int, int]]) -> None:
    """Keypress format: Select how to format the PIN when it's sent to the access control unit (FourBit: PIN 1234 is
    encoded and sent as 0x1 0x2 0x3 0x4)."""
    rig.settings(protocol="wiegand", wiegand={"keypress": {"format": format_}})
    assert [frame for what in rig.keys("1234#") for frame in what[1:]] == keys


@pytest.mark.parametrize(
    ("format_", "facility", "card_format"),
    [
        ("Wiegand26", 200, "H10301"),
        ("Wiegand34", 40_000, "H10306"),
        ("Wiegand37", 0, "H10302"),
        ("Wiegand37FacilityCode", 40_000, "H10304"),
    ],
)
def test_a_pin_goes_out_as_one_frame(rig: Rig, format_: str, facility: int, card_format: str) -> None:
    """Wiegand26: The PIN is encoded in Wiegand26 format with an 8 bit facility code and a 16 bit id (and so on).
    Facility code: Enter the facility code to be sent. This option is only available for some keypress formats."""
    rig.settings(protocol="wiegand", wiegand={"keypress": {"format": format_, "facility_code": facility}})
    assert rig.keys("1234") == []
    (what,) = rig.keys("#")
    card = FORMATS[card_format].decode(Bits(*what[1]))
    assert (card.ok, card.facility or 0, card.card) == (True, facility, 1234)


def test_an_unknown_pin_of_the_entry_list_is_sent_whole(rig: Rig) -> None:
    """If a requested credential is not found in the Entry list ... the request is forwarded: not before it is known
    that it is not found, and with the key that ends it."""
    rig.settings(protocol="wiegand")
    rig.entry_list()
    assert rig.keys("9876") == []
    assert rig.keys("#") == [("frames", (9, 4), (8, 4), (7, 4), (6, 4), (11, 4))]


# Reader protocol > OSDP


def test_osdp_address(rig: Rig) -> None:
    """OSDP address: 0 is the default and most common address for single readers."""
    assert OsdpReader().address == 0
    rig.settings(protocol="osdp")
    assert rig.wires.connected[-1].osdp.address == 0
    assert rig.swipe() == [("card", CARD, False)]
    assert rig.keys("1#") == [("keys", "1"), ("keys", "#")]


# Output format


@pytest.mark.parametrize(("format_", "bits"), [("Wiegand26", 26), ("Wiegand34", 34), ("Wiegand37", 37)])
def test_data_format(rig: Rig, format_: str, bits: int) -> None:
    """Select data format: Select in which format to send card data to the access control unit."""
    rig.settings(protocol="osdp", output={"format": format_})
    (what,) = rig.read(held())
    assert (what[1].nbits, what[2]) == (bits, True)


def test_raw(rig: Rig) -> None:
    """Raw: Transmits the card data as it is."""
    rig.settings(protocol="wiegand")
    assert sent(rig, held()) == [(int.from_bytes(CSN), 56)]
    assert rig.swipe() == [("frames", (CARD.value, 26))]


def test_override(rig: Rig) -> None:
    """Override: Always overrides with a specified facility code."""
    output = {"format": "Wiegand26", "facility_code_override": "Override", "facility_code": 99}
    rig.settings(protocol="wiegand", output=output)
    ((value, nbits),) = rig.swipe()[0][1:]
    card = FORMATS["H10301"].decode(Bits(value, nbits))
    assert (card.facility, card.card) == (99, 4711)


# Chip types > Data sets


def data_set(rig: Rig, **fields: Any) -> None:
    rig.settings(chips={"data": {"data_sets": [{"name": "badge", "chip_type": DESFIRE, **fields}]}})


def test_required_data(rig: Rig) -> None:
    """Required data: If secure card data isn't accessible, the device doesn't send any data to the door controller when
    this setting is turned on. Turn off to send CSN to the door controller."""
    rig.settings(protocol="wiegand")
    data_set(rig, required=True)
    assert sent(rig, held()) == []
    assert rig.access.latest is None  # cards that do not comply are silently ignored
    data_set(rig, required=False)
    assert sent(rig, held()) == [(int.from_bytes(CSN), 56)]


def test_use_as_uid(rig: Rig) -> None:
    """Select Use as UID to send the secure data as the UID/CSN instead of the normal card UID/CSN."""
    rig.settings(protocol="wiegand")
    data_set(rig)
    assert sent(rig, held(badge=b"\xca\xfe")) == [(0xCAFE, 16)]
    rig.entry_list()
    rig.let_in(card={"bits": 16, "value": "cafe"})
    assert sent(rig, held(badge=b"\xca\xfe")) == []
    assert len(rig.events(ENTRY_GRANTED)) == 1


def test_metadata_for_vapix(rig: Rig) -> None:
    """Use as authenticator: Turn off if you don't want to use secure card data for authentication, but only send it as
    metadata valid for VAPIX protocol."""
    rig.settings(protocol="vapix", vapix={"host": "10.0.0.9"})
    data_set(rig, use_as_authenticator=False)
    (what,) = rig.read(held(badge=b"\xca\xfe"))
    assert what[2] == Bits(int.from_bytes(CSN), 56)
    assert what[1].metadata == {"badge": CardValue(bits=16, value="cafe")}


def test_offset_and_length(rig: Rig) -> None:
    """Offset (bits): 0 means that the start position is the first bit. Length (bits): 0 means that any length of data
    will be read."""
    rig.settings(protocol="wiegand")
    data_set(rig, offset=4, length=8)
    assert sent(rig, held(badge=b"\x12\x34")) == [(0x23, 8)]
    data_set(rig, offset=4, length=0)
    assert sent(rig, held(badge=b"\x12\x34")) == [(0x234, 12)]


def test_use_data_on_card(rig: Rig) -> None:
    """Use data on card: Turn off to use CSN instead of secure card data."""
    rig.settings(protocol="wiegand")
    data_set(rig, use_data_on_card=False, offset=8, length=16)
    assert sent(rig, held(badge=b"\x12\x34")) == [(0xA1B2, 16)]


def test_enabled(rig: Rig) -> None:
    """Enabled: Turn off to stop using the data set without deleting it."""
    rig.settings(protocol="wiegand")
    data_set(rig, enabled=False)
    assert sent(rig, held(badge=b"\x12\x34")) == [(int.from_bytes(CSN), 56)]


def test_byte_order(rig: Rig) -> None:
    """Invert byte order for all chip types using the full card serial number (CSN) / using secure card data."""
    rig.settings(protocol="wiegand", chips={"data": {"invert_csn_byte_order": True}})
    assert sent(rig, held()) == [(int.from_bytes(CSN, "little"), 56)]
    sets = [{"name": "badge", "chip_type": DESFIRE}]
    rig.settings(chips={"data": {"invert_secure_byte_order": True, "data_sets": sets}})
    assert sent(rig, held(badge=b"\x12\x34")) == [(0x3412, 16)]


# External reader (Input)


def test_status_of_the_external_reader(rig: Rig) -> None:
    """Connected: The device is connected to the active external reader. Connecting: The device is trying to connect.
    Not connected: OSDP is turned off."""
    from axcore.devices.reader import ReaderStatus
    from axcore.services.reader import EXTERNAL

    assert rig.reader.state().external == "not_connected"
    rig.settings(external={"enabled": True})
    assert rig.reader.state().external == "connecting"
    rig.ledger.do(lambda tx: rig.reader.on_status(tx, ReaderStatus(link="clear"), EXTERNAL))
    assert rig.reader.state().external == "connected"
    rig.settings(external={"enabled": False})
    assert rig.reader.state().external == "not_connected"
