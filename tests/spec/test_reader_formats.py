"""The reader's formats as the door station's user manual tells them (Reader > Reader protocol > Wiegand; Output format;
Chip types; Data sets). Each test names the section and the sentence that it holds us to."""

import pytest

from axcore import wiegand
from axcore.wiegand import (
    Bits,
    CardData,
    ChipReading,
    CustomFormat,
    DataSet,
    DataSettings,
    Field,
    Keypress,
    OutputFormat,
    ParityRule,
    select,
)
from axcore.wiegand.output import DataFormat, OverrideMode

CSN = bytes.fromhex("04a1b2c3")


def sent(format_: wiegand.KeypressFormat, pin: str = "1234", facility_code: int = 0) -> list[tuple[int, int]]:
    frames = Keypress(format=format_, facility_code=facility_code).encode(pin)
    return [(frame.value, frame.nbits) for frame in frames]


# Reader protocol > Wiegand > Keypress format


def test_four_bit() -> None:
    """FourBit: PIN 1234 is encoded and sent as 0x1 0x2 0x3 0x4. This is the default and most common behaviour."""
    assert sent("FourBit") == [(0x1, 4), (0x2, 4), (0x3, 4), (0x4, 4)]
    assert Keypress().format == "FourBit"


def test_eight_bit_zero_padded() -> None:
    """EightBitZeroPadded: PIN 1234 is encoded and sent as 0x01 0x02 0x03 0x04."""
    assert sent("EightBitZeroPadded") == [(0x01, 8), (0x02, 8), (0x03, 8), (0x04, 8)]


def test_eight_bit_invert_padded() -> None:
    """EightBitInvertPadded: PIN 1234 is encoded and sent as 0xE1 0xD2 0xC3 0xB4."""
    assert sent("EightBitInvertPadded") == [(0xE1, 8), (0xD2, 8), (0xC3, 8), (0xB4, 8)]


@pytest.mark.parametrize(
    ("format_", "card_format", "facility_code", "facility_bits", "id_bits"),
    [
        ("Wiegand26", "H10301", 200, 8, 16),
        ("Wiegand34", "H10306", 40_000, 16, 16),
        ("Wiegand37", "H10302", 0, 0, 35),
        ("Wiegand37FacilityCode", "H10304", 40_000, 16, 19),
    ],
)
def test_pin_as_a_wiegand_number(
    format_: wiegand.KeypressFormat, card_format: str, facility_code: int, facility_bits: int, id_bits: int
) -> None:
    """Wiegand26, Wiegand34, Wiegand37 (H10302), Wiegand37FacilityCode (H10304): the PIN is encoded in that format, with
    a facility code of 8, 16, no and 16 bits and an id of 16, 16, 35 and 19 bits. Facility code: for some formats."""
    row = wiegand.FORMATS[card_format]
    assert len(row.fields.get("facility", ())) == facility_bits
    assert len(row.fields["card"]) == id_bits
    ((value, nbits),) = sent(format_, "1234", facility_code)
    card = row.decode(value, nbits)
    assert (card.ok, card.card, card.facility) == (True, 1234, facility_code if facility_bits else None)


def test_all_seven_keypress_formats_exist() -> None:
    """Keypress format: select how to format the PIN when it is sent to the access control unit (seven choices)."""
    assert wiegand.KEYPRESS_FORMATS == (
        "FourBit",
        "EightBitZeroPadded",
        "EightBitInvertPadded",
        "Wiegand26",
        "Wiegand34",
        "Wiegand37",
        "Wiegand37FacilityCode",
    )


# Output format > Select data format


def test_raw() -> None:
    """Raw: transmits the card data as it is."""
    frame = Bits("1011001")
    assert OutputFormat(format="Raw").encode(CardData.from_serial(frame)) == frame
    assert OutputFormat() == OutputFormat(format="Raw", facility_code_override="Auto")


@pytest.mark.parametrize(
    ("format_", "bits", "facility_bits", "id_bits"),
    [
        ("Wiegand26", 26, 8, 16),
        ("Wiegand34", 34, 16, 16),
        ("Wiegand37", 37, 0, 35),
        ("Wiegand37FacilityCode", 37, 16, 19),
    ],
)
def test_standard_formats(format_: DataFormat, bits: int, facility_bits: int, id_bits: int) -> None:
    """Wiegand26: 8 bit facility code and 16 bit id. Wiegand34: 16 and 16. Wiegand37 (H10302): 35 bit id.
    Wiegand37FacilityCode (H10304): 16 bit facility code and 19 bit id."""
    output = OutputFormat(format=format_)
    target = output.target
    assert target is not None
    assert (target.bits, len(target.fields.get("facility", ())), len(target.fields["card"])) == (
        bits,
        facility_bits,
        id_bits,
    )
    frame = output.encode(CardData(Bits(77, 32), 77, 5))
    card = target.decode(frame)
    assert (card.ok, card.card, card.facility) == (True, 77, 5 if facility_bits else None)


def test_custom() -> None:
    """Custom: define your own formatting (own field sizes and parity)."""
    custom = CustomFormat(
        bits=30,
        facility=Field(1, 12),
        card=Field(13, 16),
        parity=(ParityRule(0, "even", (Field(1, 12),)), ParityRule(29, "odd", (Field(13, 16),))),
    )
    frame = OutputFormat(format="Custom", custom=custom).encode(CardData(Bits(9, 32), 9, 3000))
    assert frame == wiegand.FORMATS["ATSW30"].encode(3000, 9)


# Output format > Facility code override mode


def facility_of(mode: OverrideMode, own: int | None, configured: int | None, number: int = 0x0123_4567) -> int | None:
    output = OutputFormat(format="Wiegand34", facility_code_override=mode, facility_code=configured)
    card = wiegand.FORMATS["H10306"].decode(output.encode(CardData(Bits(number, 32), number, own)))
    assert card.ok
    assert card.card == number & 0xFFFF
    return card.facility


def test_auto() -> None:
    """Auto: does not override the facility code, and creates one from the input data by auto detection: either the
    card's original facility code, or one forged from the excess bits of the card number."""
    assert facility_of("Auto", own=321, configured=None) == 321
    assert facility_of("Auto", own=321, configured=9) == 321
    assert facility_of("Auto", own=None, configured=9) == 0x0123
    assert facility_of("Auto", own=None, configured=None, number=0xFFFF) == 0


def test_auto_detects_the_cards_own_format() -> None:
    """Auto ... auto detection: a card that is itself in a format with a facility code keeps it."""
    card = CardData.from_frame(wiegand.FORMATS["H10301"].encode(facility=123, card=4567))
    frame = OutputFormat(format="Wiegand37FacilityCode").encode(card)
    assert frame == wiegand.FORMATS["H10304"].encode(facility=123, card=4567)


def test_optional() -> None:
    """Optional: uses the facility code from the input data, or overrides it with a configured optional value."""
    assert facility_of("Optional", own=321, configured=None) == 321
    assert facility_of("Optional", own=321, configured=9) == 9
    assert facility_of("Optional", own=None, configured=9) == 9
    assert facility_of("Optional", own=None, configured=None) == 0


def test_override() -> None:
    """Override: always overrides with a specified facility code."""
    assert facility_of("Override", own=321, configured=9) == 9
    assert facility_of("Override", own=None, configured=9) == 9


# Chip types > Data sets


def chosen(*data_sets: DataSet, secure: bytes | None = None, csn: bool = False, data: bool = False) -> object:
    settings = DataSettings(data_sets=data_sets, invert_csn_byte_order=csn, invert_secure_byte_order=data)
    reading = ChipReading("DESFire", CSN, {} if secure is None else {"badge": secure})
    authenticator = select(reading, settings).authenticator
    return authenticator and authenticator.hex()


def badge(*, chip_type: str = "DESFire", **fields: object) -> DataSet:
    return DataSet(name="badge", chip_type=chip_type, **fields)  # type: ignore[arg-type]


def test_invert_byte_order_of_the_serial_number() -> None:
    """Invert byte order for all chip types using the full card serial number (CSN): reverses the byte order of the CSN.
    The card serial number is the default data."""
    assert chosen() == "04a1b2c3"
    assert chosen(csn=True) == "c3b2a104"
    assert chosen(data=True) == "04a1b2c3"


def test_invert_byte_order_of_secure_data() -> None:
    """Invert byte order for all chip types using secure card data: for chip types that use a custom data set."""
    assert chosen(badge(), secure=b"\x01\x02\x03", data=True) == "030201"
    assert chosen(badge(), secure=b"\x01\x02\x03", csn=True) == "010203"


def test_enabled() -> None:
    """Enabled: turn off to stop using the data set without deleting it."""
    assert chosen(badge(enabled=False), secure=b"\x01") == "04a1b2c3"


def test_required_data() -> None:
    """Required data: if secure card data is not accessible, nothing is sent when on; the CSN is sent when off."""
    assert chosen(badge(required=True)) is None
    assert chosen(badge(required=False)) == "04a1b2c3"
    assert chosen(badge(required=True), secure=b"\x05") == "05"


def test_use_as_authenticator() -> None:
    """Use as authenticator: off = secure card data is not used for authentication, only sent as metadata."""
    reading = ChipReading("DESFire", CSN, {"badge": b"\x05"})
    result = select(reading, DataSettings(data_sets=(badge(use_as_authenticator=False),)))
    assert result.authenticator == Bits.from_bytes(CSN)
    assert result.metadata == {"badge": Bits(5, 8)}


def test_offset_and_length() -> None:
    """Offset (bits): the start position of the data; 0 is the first bit. Length (bits): 0 = any length is read."""
    secure = bytes.fromhex("0f1e2d")
    assert chosen(badge(offset=0, length=0), secure=secure) == "0f1e2d"
    assert chosen(badge(offset=8, length=0), secure=secure) == "1e2d"
    assert chosen(badge(offset=0, length=12), secure=secure) == "00f1"
    assert chosen(badge(offset=4, length=8), secure=secure) == "f1"


def test_use_data_on_card() -> None:
    """Use data on card: on = secure card data, off = CSN instead of secure card data."""
    assert chosen(badge(use_data_on_card=True), secure=b"\x05") == "05"
    assert chosen(badge(use_data_on_card=False, offset=8), secure=b"\x05") == "a1b2c3"
