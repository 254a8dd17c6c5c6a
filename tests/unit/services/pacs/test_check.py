"""What may be stored: every refusal names the field."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.errors import InputError, NotFoundError
from axcore.model.pacs import (
    AccessPoint,
    AccessPolicy,
    AccessProfile,
    Attribute,
    AuthenticationProfile,
    IdFactor,
    IdPoint,
    ScheduleText,
)
from axcore.services.pacs import check

ALWAYS = "DTSTART:19700101T000000 DTEND:19700102T000000 RRULE:FREQ=DAILY"


def test_what_makes_sense_is_accepted() -> None:
    assert check.check_access_point(AccessPoint(token="p", attributes=(Attribute("AntiPassbackMode", "Logical"),)))
    assert check.check_access_profile(AccessProfile(token="a", policies=(AccessPolicy("p"), AccessPolicy("q"))))
    assert check.check_id_point(IdPoint(token="r"))
    assert check.check_schedule(ScheduleText(token="s", definition=ALWAYS, exception=ALWAYS))
    assert check.check_authentication_profile(AuthenticationProfile(token="c", id_factors=(IdFactor("Card"),)))
    check.check_references(["a"], ["a"], "x")


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (AccessPoint(token=""), "token"),
        (AccessPoint(token="p", entity_type="tdc:Gate"), "entity_type"),
        (AccessPoint(token="p", attributes=(Attribute("AntiPassbackMode", "Area"),)), "attributes.AntiPassbackMode"),
        (
            AccessPoint(token="p", attributes=(Attribute("AntiPassbackTimeout", "x"),)),
            "attributes.AntiPassbackTimeout",
        ),
        (
            AccessPoint(token="p", attributes=(Attribute("AntiPassbackEnforcementMode", "x"),)),
            "attributes.AntiPassbackEnforcementMode",
        ),
        (AccessProfile(token="a", policies=(AccessPolicy("p"), AccessPolicy("p"))), "policies"),
        (AccessProfile(token="a", valid_to="2026"), "valid_to"),
        (IdPoint(token="r", min_pin_size=5), "min_pin_size"),
        (IdPoint(token="r", max_pin_size=33), "min_pin_size"),
        (IdPoint(token="r", end_of_pin="1"), "end_of_pin"),
        (IdPoint(token="r", end_of_pin="*"), "end_of_pin"),
        (IdPoint(token="r", timeout_ms=0), "timeout_ms"),
        (ScheduleText(token="s", definition="DTSTART:19700101T000000"), "definition"),
        (ScheduleText(token="s", definition=ALWAYS, exception="DTSTART:19700101T000000"), "exception"),
        (ScheduleText(token="s", definition="x"), "schedule"),
        (AuthenticationProfile(token="c", id_factors=()), "id_factors"),
        (
            AuthenticationProfile(token="c", id_factors=(IdFactor("REX", "OperatorValueEqual"),)),
            "id_factors[0].operator_value",
        ),
    ],
)
def test_what_does_not_is_refused(record: Any, field: str) -> None:
    checks = {
        AccessPoint: check.check_access_point,
        AccessProfile: check.check_access_profile,
        IdPoint: check.check_id_point,
        ScheduleText: check.check_schedule,
        AuthenticationProfile: check.check_authentication_profile,
    }
    with pytest.raises(InputError) as refused:
        checks[type(record)](record)  # type: ignore[operator]
    assert refused.value.field == field


def test_a_token_that_nothing_has() -> None:
    with pytest.raises(NotFoundError, match="door: there is no 'b'"):
        check.check_references(["a"], ["a", "b"], "door")
