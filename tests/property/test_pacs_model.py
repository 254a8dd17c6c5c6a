"""Access decisions with indexes and memory against one that looks at everything each time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.model.pacs import (
    DEFAULT_AUTHENTICATION,
    DEFAULT_SCHEDULES,
    AccessPoint,
    AccessPolicy,
    AccessProfile,
    Attribute,
    AuthenticationProfile,
    Credential,
    CredentialAccessProfile,
    IdData,
    IdFactor,
    IdPointDevice,
    Passage,
    ScheduleText,
)
from axcore.services.pacs import Request, build, decide, load, with_credential, without_credential
from axcore.testing.reference_pacs import World

ZONE = timezone(timedelta(hours=1))
NS = 10**9
SCHEDULES = (
    *DEFAULT_SCHEDULES,
    ScheduleText(
        token="no_holidays",
        definition="DTSTART:20300101T000000 DTEND:20300102T000000",
        exception="DTSTART:20260105T000000 DTEND:20260106T000000 RRULE:FREQ=WEEKLY",
    ),
)
AUTHENTICATION = (
    *DEFAULT_AUTHENTICATION,
    AuthenticationProfile(token="office_card", id_factors=(IdFactor("Card"),), schedules=("standard_office_hours",)),
    AuthenticationProfile(
        token="duress", id_factors=(IdFactor("Card"), IdFactor("PIN", "IdDataEqualToField", "DuressPIN"))
    ),
    AuthenticationProfile(
        token="number", id_factors=(IdFactor("CardNr"),), schedules=("standard_always", "no_holidays")
    ),
    AuthenticationProfile(token="plate", id_factors=(IdFactor("LPN"), IdFactor("PIN"))),
)
MOMENTS = ("", "", "2026-01-01T00:00:00Z", "2026-01-06T12:00:00+01:00", "2026-02-01T00:00:00Z")


def world(rng: random.Random) -> tuple[list[Credential], list[AccessProfile], list[AccessPoint]]:
    """A small site with everything in it."""

    def some(of: Any, most: int) -> tuple[Any, ...]:
        return tuple(rng.sample(list(of), rng.randint(0, most)))

    schedules = [text.token for text in SCHEDULES] + ["gone"]
    profiles = [profile.token for profile in AUTHENTICATION] + ["gone"]

    def when() -> tuple[str, ...]:
        return ("standard_always",) if rng.random() < 0.5 else some(schedules, 2)

    points = [
        AccessPoint(
            token=f"point{n}", entity=f"door{n}", enabled=rng.random() < 0.9,
            id_points=(IdPointDevice(f"reader{n}"),),
            authentication_profiles=some(profiles, 2),
            action=rng.choice(("Access", "Access", "AccessDoorWithoutUnlock")),
            area_to=rng.choice(("", "in")),
            attributes=some(
                [
                    Attribute("AntiPassbackMode", "Logical"),
                    Attribute("AntiPassbackEnforcementMode", rng.choice(("Soft", "Hard"))),
                ],
                2,
            ),
        )
        for n in range(2)
    ]  # fmt: skip
    access_profiles = [
        AccessProfile(
            token=f"profile{n}", enabled=rng.random() < 0.9, valid_from=rng.choice(MOMENTS[:3]),
            valid_to=rng.choice(("", MOMENTS[4])), schedules=when(),
            authentication_profiles=some(profiles, 1) if rng.random() < 0.3 else (),
            policies=tuple(AccessPolicy(point.token, when()) for point in points if rng.random() < 0.8),
        )
        for n in range(3)
    ]  # fmt: skip
    credentials = [credential(rng, n) for n in range(rng.randint(0, 5))]
    return credentials, access_profiles, points


def credential(rng: random.Random, number: int) -> Credential:
    """Values come from few, so that some are shared."""
    names = {"Card": "0a1", "CardNr": "12", "PIN": "12", "DuressPIN": "34", "LPN": "x"}
    data = tuple(IdData(name, rng.choice(values)) for name, values in names.items() if rng.random() < 0.6)
    profiles = [
        CredentialAccessProfile(f"profile{rng.randrange(4)}", "", rng.choice(("", MOMENTS[3])))
        for _ in range(rng.randint(0, 3))
    ]
    return Credential(
        token=f"c{number}", enabled=rng.random() < 0.85, valid_from=rng.choice(MOMENTS),
        valid_to=rng.choice(("", "", MOMENTS[4])), id_data=data, access_profiles=tuple(profiles),
        authentication_profiles=("office_card",) if rng.random() < 0.15 else (),
        attributes=(Attribute("AntiPassbackOverride", "True"),) if rng.random() < 0.2 else (),
    )  # fmt: skip


def ask(rng: random.Random) -> dict[str, str]:
    """Something shown at a reader."""
    values = {"Card": "0a1?", "CardNr": "12?", "PIN": "1234?", "LPN": "x?", "REX": "!"}
    names = rng.choice(
        (("Card",), ("Card", "PIN"), ("PIN",), ("CardNr",), ("REX",), ("LPN", "PIN"), ("Card", "CardNr"))
    )
    shown = {name: rng.choice(values[name]) for name in names}
    return {**shown, "REX": "Active"} if "REX" in shown or rng.random() < 0.1 else shown


@given(st.integers(0, 1 << 48))
@settings(max_examples=250, deadline=None)
def test_decisions_agree(seed: int) -> None:
    """Any site, any request, at any time; also after credentials came and went one by one, and from stored records."""
    rng = random.Random(seed)
    credentials, profiles, points = world(rng)
    index = build(
        credentials=credentials, access_profiles=profiles, authentication_profiles=AUTHENTICATION, access_points=points,
        schedules=SCHEDULES, zone=ZONE,
    )  # fmt: skip
    for number in (0, 1, 7):
        if rng.random() < 0.5:
            index = without_credential(index, f"c{number}")
            credentials = [held for held in credentials if held.token != f"c{number}"]
        else:
            new = credential(rng, number)
            index = with_credential(index, new)
            credentials = [held for held in credentials if held.token != new.token] + [new]
    records = {
        "pacs.credential": {held.token: msgspec.json.encode(held) for held in credentials},
        "pacs.access_profile": {held.token: msgspec.json.encode(held) for held in profiles},
        "pacs.authentication_profile": {held.token: msgspec.json.encode(held) for held in AUTHENTICATION},
        "pacs.access_point": {held.token: msgspec.json.encode(held) for held in points},
        "pacs.schedule": {held.token: msgspec.json.encode(held) for held in SCHEDULES},
    }
    loaded, _ = load(records, ZONE)
    slow = World(credentials, profiles, AUTHENTICATION, SCHEDULES, ZONE)
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    inside = {held.token: Passage(held.token, "in", rng.choice((0, int(moment.timestamp()) * NS)), rng.random() < 0.5)
              for held in credentials if rng.random() < 0.3}  # fmt: skip
    for _ in range(12):
        moment += timedelta(hours=rng.choice((-400_000, -30, 0, 1, 5, 26)))
        moment = max(moment, datetime(1970, 1, 2, tzinfo=UTC))
        point, shown, action = rng.choice(points), ask(rng), rng.choice(("", "", "Access"))
        wall = int(moment.timestamp()) * NS
        expected = slow.decide(point, shown, action, moment, inside)
        request = Request(point.id_points[0].id_point, shown, action=action)
        for known in (index, loaded):
            decision = decide(known, request, wall, inside)
            assert (decision.reason, decision.credential) == expected, (shown, point)
        if moment < datetime(2000, 1, 1, tzinfo=UTC):
            moment = datetime(2026, 1, 5, rng.randrange(24), tzinfo=UTC)
