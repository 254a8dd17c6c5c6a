"""The output side: timings and formats validated by name, plans exact."""

import msgspec
import pytest

from axcore import wiegand
from axcore.errors import InputError
from axcore.wiegand import Bits, CardData, CustomFormat, Field, Keypress, OutputFormat, ParityRule, Timing


def test_a_plan_is_exact_and_chained_frames_keep_their_gap() -> None:
    timing = Timing(pulse_ns=100_000, interval_ns=1_000_000, gap_ns=30_000_000)
    plan = wiegand.schedule([Bits("10"), Bits("0")], start_ns=7, timing=timing)
    assert list(wiegand.EDGE.iter_unpack(plan)) == [
        (7, 1, 0),
        (100_007, 1, 1),
        (1_000_007, 0, 0),
        (1_100_007, 0, 1),
        (31_100_007, 0, 0),
        (31_200_007, 0, 1),
    ]


@pytest.mark.parametrize(
    ("field", "timing"),
    [
        ("pulse_ns", {"pulse_ns": 0}),
        ("interval_ns", {"interval_ns": 50_000}),
        ("gap_ns", {"gap_ns": -1}),
        ("gap_ns", {"gap_ns": 2**32}),
    ],
)
def test_wrong_timings_are_named(field: str, timing: dict[str, int]) -> None:
    with pytest.raises(InputError) as caught:
        Timing(**timing)
    assert caught.value.field == field


def test_a_plan_beyond_the_clock_is_refused() -> None:
    for start_ns in (-1, 2**63):
        with pytest.raises(InputError):
            wiegand.schedule("01", start_ns=start_ns)


def test_longest_frame_round_trips() -> None:
    bits = Bits("10" * 128)
    decoder = wiegand.Decoder(max_bits=256)
    decoder.feed(wiegand.schedule(bits))
    frame = decoder.advance(decoder.deadline_ns)
    assert frame is not None
    assert (frame.bits, frame.nbits) == (bits.value, 256)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("format", {"format": "Wiegand99"}),
        ("facility_code_override", {"facility_code_override": "Never"}),
        ("custom", {"format": "Custom"}),
        ("custom", {"format": "Raw", "custom": CustomFormat(bits=8, card=Field(0, 8))}),
        ("facility_code", {"format": "Wiegand26", "facility_code_override": "Override"}),
        ("facility_code", {"format": "Wiegand26", "facility_code_override": "Override", "facility_code": 256}),
        ("facility_code", {"format": "Wiegand34", "facility_code_override": "Optional", "facility_code": -1}),
    ],
)
def test_wrong_output_formats_are_named(field: str, fields: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        OutputFormat(**fields)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("bits", {"bits": 65, "card": Field(0, 8)}),
        ("card", {"bits": 8, "card": Field(0, 9)}),
        ("card", {"bits": 8, "card": Field(0, 0)}),
        ("facility", {"bits": 8, "card": Field(0, 4), "facility": Field(-1, 2)}),
        ("format", {"bits": 8, "card": Field(0, 4), "facility": Field(3, 2)}),
        ("parity", {"bits": 8, "card": Field(1, 4), "parity": (ParityRule(9, "odd", (Field(1, 4),)),)}),
        ("parity", {"bits": 8, "card": Field(1, 4), "parity": (ParityRule(0, "odd", (Field(1, 9),)),)}),
    ],
)
def test_wrong_custom_formats_are_named(field: str, fields: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        CustomFormat(**fields)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_output_formats_come_from_json() -> None:
    output = msgspec.json.decode(
        b'{"format":"Custom","custom":{"bits":6,"card":{"start":1,"length":4},'
        b'"parity":[{"position":0,"kind":"even","covers":[{"start":1,"length":4}]}]}}',
        type=OutputFormat,
    )
    assert str(output.encode(CardData.from_serial(Bits("1011")))) == "110110"
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"format":"Wiegand26","colour":1}', type=OutputFormat)


def test_card_data_reads_its_own_format() -> None:
    known = CardData.from_frame(wiegand.FORMATS["H10304"].encode(7, 99))
    assert (known.number, known.facility) == (((7 << 19) | 99), None)  # H10302 holds too and comes first
    known = CardData.from_frame(wiegand.FORMATS["H10301"].encode(7, 99))
    assert (known.number, known.facility) == (99, 7)
    unknown = CardData.from_frame(Bits(0xDEADBEEF, 32))
    assert (unknown.number, unknown.facility) == (0xDEADBEEF, None)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("format", {"format": "FiveBit"}),
        ("facility_code", {"format": "FourBit", "facility_code": 1}),
        ("facility_code", {"format": "Wiegand37", "facility_code": 1}),
        ("facility_code", {"format": "Wiegand26", "facility_code": 256}),
        ("facility_code", {"format": "Wiegand34", "facility_code": "1"}),
    ],
)
def test_wrong_keypress_settings_are_named(field: str, fields: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        Keypress(**fields)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("format_", "pin"),
    [("FourBit", ""), ("FourBit", "12A"), ("FourBit", "1" * 33), ("Wiegand26", "65536"), ("Wiegand34", "1#")],
)
def test_pins_that_cannot_be_sent(format_: wiegand.KeypressFormat, pin: str) -> None:
    with pytest.raises(InputError) as caught:
        Keypress(format=format_).encode(pin)
    assert caught.value.field == "pin"


def test_keys_are_read_back_in_every_padding() -> None:
    formats: tuple[wiegand.KeypressFormat, ...] = ("FourBit", "EightBitZeroPadded", "EightBitInvertPadded")
    for format_ in formats:
        for key in "0123456789*#":
            (frame,) = Keypress(format=format_).encode(key)
            assert wiegand.key_of(frame) == key
            decoder = wiegand.Decoder()
            decoder.feed(wiegand.schedule(frame))
            read = decoder.advance(decoder.deadline_ns)
            assert read is not None
            assert wiegand.key_of(read) == key
    for bits in ("1100", "11111", "11100010", "0" * 26, "1" * 70):
        assert wiegand.key_of(Bits(bits)) is None
