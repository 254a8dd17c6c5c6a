"""Formats from Python: all 43 rows, Bits, errors that name the field."""

import pickle

import pytest

from axcore import errors
from axcore._native.wiegand_format import FORMATS, Bits, Format, identify
from axcore.testing import reference_wiegand
from axcore.testing.reference_wiegand_table import TABLE


def values(format_: Format, pick: str) -> dict[str, int]:
    limits = {name: getattr(format_, f"max_{name}") for name in format_.fields}
    return {name: {"least": 0, "most": most, "middle": most // 3 + 1}[pick] for name, most in limits.items()}


def test_there_are_43_formats_ordered_by_length() -> None:
    assert len(FORMATS) == 43
    assert list(FORMATS) == list(TABLE)
    assert [f.bits for f in FORMATS.values()] == sorted(f.bits for f in FORMATS.values())
    assert (FORMATS["H10301"].bits, FORMATS["IR56"].bits) == (26, 56)


@pytest.mark.parametrize("name", FORMATS)
def test_rows_equal_the_reference_table(name: str) -> None:
    ours, row = FORMATS[name], TABLE[name]
    assert ours.bits == row.bits
    assert ours.fields == dict(row.fields)
    assert ours.fixed == dict(row.fixed)
    assert ours.parity == tuple((at, bool(odd), covered) for at, odd, covered in row.parity)
    assert {field: getattr(ours, f"max_{field}") for field in ours.fields} == dict(row.limit)
    assert ours.encoding == ("bcd" if row.bcd else "binary")


@pytest.mark.parametrize("pick", ["least", "middle", "most"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_round_trips(name: str, pick: str) -> None:
    format_ = FORMATS[name]
    fields = values(format_, pick)
    frame = format_.encode(**fields)
    card = format_.decode(frame)
    assert frame.value == reference_wiegand.encode(TABLE[name], **fields)
    assert card.ok
    assert card.format is format_
    for field in ("facility", "card", "issue", "oem"):
        assert getattr(card, field) == fields.get(field)
    assert format_ in identify(frame)
    assert format_.holds(frame)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_refuses_values_above_its_limits(name: str) -> None:
    format_ = FORMATS[name]
    for field in ("facility", "card", "issue", "oem"):
        most = getattr(format_, f"max_{field}")
        for value in ((most or 0) + 1, -1, 1.0, "1"):
            with pytest.raises(errors.InputError) as caught:
                format_.encode(**{field: value})  # type: ignore[arg-type]
            assert caught.value.field == field
    with pytest.raises(errors.FormatError):
        format_.decode(0, format_.bits - 1)
    assert not format_.holds(0, format_.bits + 1)


@pytest.mark.parametrize("name", [name for name, f in FORMATS.items() if f.parity])
def test_a_flipped_bit_under_parity_is_found(name: str) -> None:
    format_ = FORMATS[name]
    frame = format_.encode(**values(format_, "middle")).value
    for at, _, covered in format_.parity:
        for position in (at, *covered):
            hit = [at_ in (position,) or position in covered_ for at_, _, covered_ in format_.parity]
            if sum(hit) % 2:  # An even number of rules could still each be broken; the odd ones surely are.
                assert not format_.decode(frame ^ 1 << (format_.bits - 1 - position), format_.bits).ok


def test_published_vectors() -> None:
    assert FORMATS["H10301"].encode(123, 4567).value == 0x2F623AE
    assert FORMATS["H10301"].encode(0, 10213).hex() == "02004fcb"
    assert FORMATS["C1k35s"].encode(1337, 2137).value == 0x4A72010B3
    assert FORMATS["H10304"].encode(1234, 56789).value == 0x104D21BBAA
    for raw, facility, number in ((0x061EE3085D, 3133, 202818), (0x0EA63EAAA4, 7500, 128341)):  # cards in the field
        card = FORMATS["P10004"].decode(raw, 37)
        assert (card.facility, card.card) == (facility, number)
    assert str(FORMATS["C15001"].encode(118, 1603).slice(1, 10)) == f"{900:010b}"
    assert FORMATS["C15001"].encode(118, 1603, oem=0).slice(1, 10).value == 0


def test_parse_raises_typed_errors() -> None:
    format_ = FORMATS["Kastle"]
    frame = format_.encode(7, 99).value
    assert format_.parse(frame, 32) == format_.decode(frame, 32)
    with pytest.raises(errors.ParityError):
        format_.parse(frame ^ 2, 32)
    with pytest.raises(errors.FormatError) as caught:
        format_.parse(frame ^ 3 << 30, 32)  # the fixed bit and the even bit over it
    assert not isinstance(caught.value, errors.ParityError)
    with pytest.raises(errors.FormatError):
        format_.parse(frame, 33)


def test_identify_tells_every_format_that_holds() -> None:
    assert [str(f) for f in identify("10111101100010001110101110")] == ["H10301", "ind26"]
    assert [f.name for f in identify(0x104D21BBAA, 37)] == ["H10302", "H10304", "P10004", "MDI37"]
    assert identify(0, 26) == []
    assert identify(0, 25) == []
    assert identify(0, 200) == []
    for value, nbits in ((0x2F623AE, 26), (12345, 32), (2**36 + 12345, 37), (2**40 - 7, 40)):
        assert [f.name for f in identify(value, nbits)] == reference_wiegand.identify(value, nbits)


def test_frames_come_as_bits_texts_numbers_or_decoder_frames() -> None:
    class Read:
        bits, nbits = 0x2F623AE, 26

    expected = FORMATS["H10301"].decode(0x2F623AE, 26)
    assert (expected.facility, expected.card, expected.issue, expected.oem) == (123, 4567, None, None)
    for frame in (Bits(0x2F623AE, 26), "10111101100010001110101110", Read()):
        assert FORMATS["H10301"].decode(frame) == expected
    for wrong in (5, object()):
        with pytest.raises(errors.InputError):
            FORMATS["H10301"].decode(wrong)  # type: ignore[arg-type]
    for value, nbits in ((1 << 26, 26), (-1, 26), (1, 0), (1, 257), (1, "26")):
        with pytest.raises(errors.InputError):
            FORMATS["H10301"].decode(value, nbits)  # type: ignore[arg-type]


def test_bits() -> None:
    bits = Bits("0000001011")
    assert (bits.value, bits.nbits, len(bits), int(bits), str(bits)) == (11, 10, 10, 11, "0000001011")
    assert (bits.hex(), bytes(bits)) == ("000b", b"\x00\x0b")
    assert bits == Bits(11, 10) == Bits.from_hex("00B", 10) == Bits.from_bytes(b"\x00\x0b", 10)
    assert bits != Bits(11, 11)
    assert bits != 11
    assert Bits.from_hex("02004fcb", 26) == FORMATS["H10301"].encode(0, 10213)
    assert Bits.from_bytes(b"\x01\x02").nbits == 16
    assert bits.slice(6) == Bits("1011")
    assert bits.slice(6, 2) == Bits("10")
    assert repr(bits) == "Bits('0000001011')"
    assert len({bits, Bits(11, 10)}) == 1
    long = Bits((1 << 255) + 5, 256)
    assert long.value == (1 << 255) + 5
    assert pickle.loads(pickle.dumps(long)) == long


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("bits", ("012",)),
        ("bits", ("",)),
        ("nbits", ("01", 3)),
        ("nbits", (1,)),
        ("nbits", (1, 257)),
        ("nbits", (1, 0)),
        ("bits", (4, 2)),
        ("bits", (-1, 2)),
        ("bits", (1.0, 2)),
    ],
)
def test_bits_that_make_no_sense(field: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(errors.InputError) as caught:
        Bits(*arguments)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_bits_slices_and_hex_that_make_no_sense() -> None:
    for offset, length, field in ((10, 0, "offset"), (-1, 0, "offset"), (5, 6, "length"), (0, -1, "length")):
        with pytest.raises(errors.InputError) as caught:
            Bits("0000001011").slice(offset, length)
        assert caught.value.field == field
    for text in ("xyz", "", "0x10", "-1", "1_0", 5):
        with pytest.raises(errors.InputError):
            Bits.from_hex(text)  # type: ignore[arg-type]


def test_formats_and_cards_show_and_pickle_themselves() -> None:
    format_ = FORMATS["H10301"]
    assert pickle.loads(pickle.dumps(format_)) is format_
    assert repr(format_) == "<Format H10301: HID H10301 26-bit>"
    card = format_.decode(format_.encode(1, 2))
    assert repr(card) == "Card(H10301, facility=1, card=2, ok=True)"
    assert len({card, format_.decode(format_.encode(1, 2))}) == 1
    assert card != FORMATS["ind26"].decode(format_.encode(1, 2))
    assert card != object()
    with pytest.raises(TypeError):
        Format()
    assert not FORMATS["S12906b"].confirmed
    assert format_.confirmed
    assert (format_.max_issue, format_.max_oem, format_.oem_default) == (None, None, None)
    assert FORMATS["C15001"].oem_default == 900


def test_custom_formats() -> None:
    format_ = Format.custom(
        "ours",
        12,
        facility=[3, 2],
        card=range(4, 11),
        parity=[(0, False, range(2, 7)), (11, True, range(11))],
        fixed={1: 1},
    )
    frame = format_.encode(2, 100)
    assert str(frame) == "110111001001"
    card = format_.decode(frame)
    assert (card.facility, card.card, card.ok) == (2, 100, True)
    assert not format_.decode(frame.value ^ 1 << 10, 12).ok
    with pytest.raises(TypeError):
        pickle.dumps(format_)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("bits", {"bits": 65}),
        ("bits", {"bits": "8"}),
        ("card", {"bits": 8, "card": [8]}),
        ("card", {"bits": 40, "card": range(0, 40, 2)}),
        ("fixed", {"bits": 8, "fixed": {-1: 1}}),
        ("parity", {"bits": 8, "parity": [(0, True, [9])]}),
        ("parity", {"bits": 40, "parity": [(n, True, [30]) for n in range(9)]}),
        ("format", {"bits": 8, "card": [0], "facility": [0]}),
        ("format", {"bits": 8, "parity": [(0, True, [0])]}),
    ],
)
def test_custom_formats_that_make_no_sense(field: str, arguments: dict[str, object]) -> None:
    with pytest.raises(errors.InputError) as caught:
        Format.custom("bad", **arguments)  # type: ignore[arg-type]
    assert caught.value.field == field
