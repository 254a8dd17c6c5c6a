"""Data sets: which piece of a card's data becomes the credential."""

import pytest

from axcore.errors import ConflictError, InputError
from axcore.wiegand import Bits, ChipReading, DataSet, DataSettings, select

CSN = bytes.fromhex("04a1b2c3")
SECURE = bytes.fromhex("0f1e2d")


def choose(
    *data_sets: DataSet, secure: dict[str, bytes] | None = None, **order: bool
) -> tuple[str | None, dict[str, str]]:
    reading = ChipReading("DESFire", CSN, {"badge": SECURE} if secure is None else secure)
    chosen = select(reading, DataSettings(data_sets=data_sets, **order))
    authenticator = chosen.authenticator.hex() if chosen.authenticator else None
    return authenticator, {name: bits.hex() for name, bits in chosen.metadata.items()}


def badge(**fields: object) -> DataSet:
    return DataSet(name="badge", chip_type="DESFire", **fields)  # type: ignore[arg-type]


def test_names_are_unique_and_fields_checked() -> None:
    with pytest.raises(ConflictError):
        DataSettings(data_sets=(badge(), badge(enabled=False)))
    for field, value in (("offset", -1), ("length", -1), ("length", 1.5)):
        with pytest.raises(InputError) as caught:
            badge(**{field: value})
        assert caught.value.field == field
    with pytest.raises(InputError):
        DataSet(name="", chip_type="DESFire")


def test_a_piece_beyond_the_data_names_the_set() -> None:
    for fields, field in (({"offset": 24}, "badge.offset"), ({"offset": 20, "length": 5}, "badge.length")):
        with pytest.raises(InputError) as caught:
            choose(badge(**fields))
        assert caught.value.field == field


def test_other_chips_sets_do_not_count() -> None:
    other = DataSet(name="mifare", chip_type="MIFARE Classic", required=True)
    assert choose(other) == ("04a1b2c3", {})


def test_the_first_authenticating_set_wins() -> None:
    second = DataSet(name="second", chip_type="DESFire", use_data_on_card=False)
    assert choose(badge(), second) == ("0f1e2d", {})
    assert choose(second, badge()) == ("04a1b2c3", {})


def test_bits_of_a_piece() -> None:
    reading = ChipReading("DESFire", CSN, {"badge": SECURE})
    chosen = select(reading, DataSettings(data_sets=(badge(offset=4, length=8),)))
    assert chosen.authenticator == Bits("11110001")
