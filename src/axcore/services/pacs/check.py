"""What may be stored: every refusal is an InputError that names the field; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model.durations import parse_duration
from axcore.model.pacs import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_VALUE,
    SECRET,
    AccessPoint,
    AccessProfile,
    Attribute,
    AuthenticationProfile,
    Credential,
    IdPoint,
    ScheduleText,
    User,
)
from axcore.rules.schedule import Zone
from axcore.runtime.clock import parse_rfc3339
from axcore.services.pacs.calendar import Calendar
from axcore.services.pacs.index import Index, holders

MAX_PIN = 32
MAX_CREDENTIALS = 100_000
TIMES = ("AccessTime", "OpenTooLongTime", "PreAlarmTime")
KEYS = frozenset("0123456789*#ABCD")


def check_credential(credential: Credential, index: Index) -> Credential:
    """The credential, if it can be stored beside those of ``index``. ConflictError for a card number that is taken."""
    _named("token", credential.token, least=1)
    _text("description", credential.description, MAX_DESCRIPTION)
    _period(credential.valid_from, credential.valid_to)
    names = [entry.name for entry in credential.id_data]
    for at, entry in enumerate(credential.id_data):
        field = f"id_data[{at}]"
        _text(f"{field}.name", entry.name, MAX_NAME, least=1)
        if names.index(entry.name) != at:
            raise ConflictError(f"{field}.name", f"{entry.name} stands twice")
        if entry.name in SECRET:
            if not (1 <= len(entry.value) <= MAX_PIN and entry.value.isascii() and entry.value.isdigit()):
                raise InputError(f"{field}.value", f"must be 1..{MAX_PIN} digits")
        else:
            _text(f"{field}.value", entry.value, MAX_VALUE, least=1)
        if entry.name == "CardNr":
            others = holders(index.by_id["CardNr"], entry.value)
            if any(other.token != credential.token for other in others):
                raise ConflictError(f"{field}.value", "is the card number of another credential already")
    pins = {entry.name: entry.value for entry in credential.id_data if entry.name in SECRET}
    if len(pins) == 2 and pins["PIN"] == pins["DuressPIN"]:
        raise ConflictError("id_data", "the duress PIN must differ from the PIN")
    for at, profile in enumerate(credential.access_profiles):
        _period(profile.valid_from, profile.valid_to, f"access_profiles[{at}].")
    _attributes(credential.attributes)
    for attribute in credential.attributes:
        if attribute.name in TIMES:
            parse_duration(f"attributes.{attribute.name}", attribute.value)
    if credential.token not in index.credentials and len(index.credentials) >= MAX_CREDENTIALS:
        raise LimitError("credentials", f"there are {MAX_CREDENTIALS} already; remove one first")
    return credential


def check_user(user: User) -> User:
    """The user, if it can be stored."""
    check_named(user)
    _attributes(user.attributes)
    return user


def check_named(record: Any) -> None:
    """A record with a token and, if it has them, a name and a description."""
    _named("token", record.token, least=1)
    _named("name", getattr(record, "name", ""))
    _text("description", getattr(record, "description", ""), MAX_DESCRIPTION)


def check_access_profile(profile: AccessProfile) -> AccessProfile:
    """The access profile, if it makes sense."""
    _named("token", profile.token, least=1)
    _named("name", profile.name)
    _text("description", profile.description, MAX_DESCRIPTION)
    _period(profile.valid_from, profile.valid_to)
    points = [policy.access_point for policy in profile.policies]
    if len(set(points)) != len(points):
        raise ConflictError("policies", "an access point stands twice")
    return profile


def check_authentication_profile(profile: AuthenticationProfile) -> AuthenticationProfile:
    """The authentication profile, if something must be shown for it: one without would open to nobody and nothing."""
    _named("token", profile.token, least=1)
    _named("name", profile.name)
    if not profile.id_factors:
        raise InputError("id_factors", "is required: what must be shown")
    for at, factor in enumerate(profile.id_factors):
        _text(f"id_factors[{at}].id_data_name", factor.id_data_name, MAX_NAME, least=1)
        if factor.operator != "IdDataEqual" and not factor.operator_value:
            raise InputError(f"id_factors[{at}].operator_value", f"is required with {factor.operator}")
    return profile


def check_access_point(point: AccessPoint) -> AccessPoint:
    """The access point, if it makes sense."""
    _named("token", point.token, least=1)
    _named("name", point.name)
    _text("description", point.description, MAX_DESCRIPTION)
    if point.entity_type not in ("tdc:Door", "axtdc:Door"):
        raise InputError("entity_type", "must be tdc:Door or axtdc:Door")
    _attributes(point.attributes)
    values = {attribute.name: attribute.value for attribute in point.attributes}
    if values.get("AntiPassbackMode", "Logical") not in ("Logical", "TimedLogical"):
        raise InputError("attributes.AntiPassbackMode", "must be Logical or TimedLogical")
    if values.get("AntiPassbackEnforcementMode", "Hard") not in ("Hard", "Soft"):
        raise InputError("attributes.AntiPassbackEnforcementMode", "must be Hard or Soft")
    timeout = values.get("AntiPassbackTimeout", "0")
    if not (timeout.isascii() and timeout.isdecimal() and int(timeout) <= 31_536_000):
        raise InputError("attributes.AntiPassbackTimeout", "must be 0..31536000 seconds")
    return point


def check_id_point(point: IdPoint) -> IdPoint:
    """The reader's settings, if a PIN can be entered with them."""
    _named("token", point.token, least=1)
    _named("name", point.name)
    if not 0 <= point.min_pin_size <= point.max_pin_size <= MAX_PIN:
        raise InputError("min_pin_size", f"0 <= min_pin_size <= max_pin_size <= {MAX_PIN}")
    if point.end_of_pin not in KEYS - {"*"} or point.end_of_pin.isdigit():
        raise InputError("end_of_pin", "must be # or A..D")
    if not 500 <= point.timeout_ms <= 60_000:
        raise InputError("timeout_ms", "must be 500..60000 ms")
    return point


def check_schedule(text: ScheduleText) -> ScheduleText:
    """The schedule, if its text can be read. InputError names the iCalendar property."""
    _named("token", text.token, least=1)
    _named("name", text.name)
    Calendar(text, Zone(UTC))
    return text


def check_references(known: Iterable[str], wanted: Iterable[str], field: str) -> None:
    """NotFoundError names the first token that nothing has."""
    held = set(known)
    for token in wanted:
        if token not in held:
            raise NotFoundError(field, f"there is no {token!r}")


def _attributes(attributes: Iterable[Attribute]) -> None:
    for at, attribute in enumerate(attributes):
        _text(f"attributes[{at}].name", attribute.name, MAX_NAME, least=1)
        _text(f"attributes[{at}].value", attribute.value, MAX_VALUE)


def _period(start: str, end: str, prefix: str = "") -> None:
    moments = []
    for field, text in (("valid_from", start), ("valid_to", end)):
        if text:
            try:
                moments.append(parse_rfc3339(text))
            except (ValueError, OverflowError) as error:
                raise InputError(prefix + field, str(error)) from None
    if len(moments) == 2 and moments[0] >= moments[1]:
        raise InputError(f"{prefix}valid_to", "must be after the start")


def _named(field: str, value: str, least: int = 0) -> None:
    _text(field, value, MAX_NAME, least)


def _text(field: str, value: str, most: int, least: int = 0) -> None:
    if not least <= len(value) <= most:
        raise InputError(field, f"must have {least}..{most} characters")
    if not value.isprintable():
        raise InputError(field, "must not hold control characters")
