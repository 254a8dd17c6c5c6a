"""Checks of what users enter for holders and settings. Every refusal names the field; nothing here changes anything."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable

import msgspec

from axcore.errors import ConflictError, InputError
from axcore.model.convert import convert
from axcore.model.credentials import (
    MAX_COUNT,
    MAX_NAME_LENGTH,
    MAX_PIN_LENGTH,
    MAX_QR_LENGTH,
    AccessSettings,
    Between,
    CardValue,
    Holder,
    HolderSpec,
    Scheduled,
    Times,
    Validity,
)
from axcore.runtime.clock import parse_rfc3339, rfc3339

MAX_CARD_BITS = 256


def name_key(first_name: str) -> str:
    """Two first names are the same when these are: without regard to case and to how accents are encoded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", first_name).casefold())


def check_spec(spec: HolderSpec, settings: AccessSettings) -> HolderSpec:
    """The holder in its stored form (trimmed, hex in lower case, times in UTC). Raises InputError."""
    spec = convert(msgspec.to_builtins(spec), HolderSpec)
    first_name = _text("first_name", spec.first_name, MAX_NAME_LENGTH, least=1)
    last_name = _text("last_name", spec.last_name, MAX_NAME_LENGTH)
    condition = _text("event_condition", spec.event_condition, MAX_NAME_LENGTH, least=1)
    if spec.card is None and spec.pin is None and spec.qr is None:
        raise InputError("card", "is required, or a pin or a qr code instead")
    card = None if spec.card is None else check_card(spec.card)
    if spec.pin is not None:
        _check_pin(spec.pin)
        _check_pin_fits(spec, settings.pin_length, "pin")
    if spec.qr is not None:
        _text("qr", spec.qr, MAX_QR_LENGTH, least=1)
    return msgspec.structs.replace(
        spec,
        first_name=first_name,
        last_name=last_name,
        event_condition=condition,
        card=card,
        validity=_check_validity(spec.validity),
    )


def check_unique(spec: HolderSpec, others: Iterable[Holder]) -> None:
    """First names, cards, QR codes and PINs that are used alone belong to one holder. Raises ConflictError.

    A PIN that goes with a card may be anyone's: the card tells whose it is.
    """
    for other in others:
        if name_key(other.first_name) == name_key(spec.first_name):
            raise ConflictError("first_name", f"another holder is called {other.first_name} already")
        if spec.card is not None and other.card == spec.card:
            raise ConflictError("card", f"is the card of {other.first_name} already")
        if spec.qr is not None and other.qr == spec.qr:
            raise ConflictError("qr", f"is the code of {other.first_name} already")
        if spec.pin is not None and spec.card is None and other.card is None and other.pin == spec.pin:
            raise ConflictError("pin", f"is the PIN of {other.first_name} already; without a card it must be unique")


def check_settings(settings: AccessSettings, holders: Iterable[Holder]) -> None:
    """Raises InputError, or ConflictError when a holder could not enter their PIN any more."""
    if not 0 <= settings.pin_length <= MAX_PIN_LENGTH:
        raise InputError("pin_length", f"must be 0..{MAX_PIN_LENGTH} digits")
    if not (math.isfinite(settings.pin_timeout) and 3 <= settings.pin_timeout <= 50):
        raise InputError("pin_timeout", "must be 3..50 seconds")
    for holder in holders:
        try:
            _check_pin_fits(holder, settings.pin_length, "pin_length")
        except InputError as error:
            raise ConflictError("pin_length", f"does not fit {holder.first_name}: {error.reason}") from None


def check_card(card: CardValue) -> CardValue:
    """The card in its one spelling. Raises InputError."""
    if not 1 <= card.bits <= MAX_CARD_BITS:
        raise InputError("card.bits", f"must be 1..{MAX_CARD_BITS}")
    digits = card.value.strip().lower()
    if not digits or len(digits) > MAX_CARD_BITS // 4 or not set(digits) <= set("0123456789abcdef"):
        raise InputError("card.value", "must be hexadecimal digits")
    number = int(digits, 16)
    if number >> card.bits:
        raise InputError("card.value", f"has more than {card.bits} bits")
    return card_value(card.bits, number)


def card_value(bits: int, number: int) -> CardValue:
    """The card of a frame: ``number`` as lower-case hex, padded to whole bytes."""
    return CardValue(bits=bits, value=f"{number:0{-(-bits // 8) * 2}x}")


def _check_pin(pin: str) -> None:
    if not (1 <= len(pin) <= MAX_PIN_LENGTH and pin.isascii() and pin.isdigit()):
        raise InputError("pin", f"must be 1..{MAX_PIN_LENGTH} digits")


def _check_pin_fits(spec: HolderSpec, pin_length: int, field: str) -> None:
    """After a card the entry ends by itself at the PIN length, so that another length could never be entered."""
    if spec.pin is None or spec.card is None or pin_length == 0 or len(spec.pin) == pin_length:
        return
    raise InputError(field, f"a PIN that goes with a card must have the length set for PINs ({pin_length} digits)")


def _check_validity(validity: Validity) -> Validity:
    if isinstance(validity, Times):
        if not 1 <= validity.count <= MAX_COUNT:
            raise InputError("validity.count", f"must be 1..{MAX_COUNT}")
    elif isinstance(validity, Scheduled):
        _text("validity.schedule", validity.schedule, MAX_NAME_LENGTH, least=1)
    elif isinstance(validity, Between):
        start = _moment("validity.start", validity.start)
        end = _moment("validity.end", validity.end)
        if start is not None and end is not None and parse_rfc3339(start) >= parse_rfc3339(end):
            raise InputError("validity.end", "must be after the start")
        return Between(start, end)
    return validity


def _moment(field: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return rfc3339(parse_rfc3339(text.strip()))
    except (ValueError, OverflowError) as error:
        raise InputError(field, str(error)) from None


def _text(field: str, value: str, most: int, least: int = 0) -> str:
    value = value.strip()
    if not least <= len(value) <= most:
        raise InputError(field, f"must have {least}..{most} characters")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in value):
        raise InputError(field, "must not hold control characters")
    return value
