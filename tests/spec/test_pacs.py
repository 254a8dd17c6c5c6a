"""What the access control service says of access points, profiles and credentials (VAPIX *Access control service*,
*IdPoint service*), sentence by sentence; sections are named in each test."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from axcore.errors import ConflictError, InputError, NotFoundError
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
    IdPoint,
    IdPointDevice,
    Passage,
    ScheduleText,
    User,
)
from axcore.services.pacs import Decision, Index, Reader, Request, build, decide, decide_all, entered
from axcore.services.pacs.check import check_credential
from axcore.services.pacs.events import decided, outcome_event, passback_event

NS = 10**9
NOON = 1_768_219_200 * NS  # Monday 2026-01-12T12:00:00Z
SUNDAY = NOON - 24 * 3600 * NS
NIGHT = NOON + 12 * 3600 * NS
POINT = IdPoint(token="reader")


def point(*profiles: str, **fields: Any) -> AccessPoint:
    return AccessPoint(
        token="entry", entity="door", id_points=(IdPointDevice("reader"),), authentication_profiles=profiles, **fields
    )


def credential(token: str = "c1", profiles: tuple[str, ...] = ("staff",), **fields: Any) -> Credential:
    data = fields.pop("id_data", {"Card": "12345678", "PIN": "1234"})
    return Credential(
        token=token, user_token="user1", id_data=tuple(IdData(*entry) for entry in data.items()),
        access_profiles=tuple(CredentialAccessProfile(name) for name in profiles), **fields,
    )  # fmt: skip


def site(at: AccessPoint, *credentials: Credential, staff: dict[str, Any] | None = None, **more: Any) -> Index:
    profile = AccessProfile(**{"token": "staff", "policies": (AccessPolicy("entry"),), **(staff or {})})
    return build(
        users=[User(token="user1", name="Anna")],
        credentials=credentials or (credential(),),
        access_profiles=(profile, *more.get("profiles", ())),
        authentication_profiles=(*DEFAULT_AUTHENTICATION, *more.get("authentication", ())),
        access_points=(at, *more.get("points", ())),
        schedules=(*DEFAULT_SCHEDULES, *more.get("schedules", ())),
    )


def ask(index: Index, when: int = NOON, inside: dict[str, Passage] | None = None, **shown: str) -> Decision:
    return decide(index, Request("reader", shown), when, inside or {})


# --- Send access request ----------------------------------------------------------------------------------------------


def test_granted_or_not_with_a_reason() -> None:
    """Send access request: Granted; InvalidCredential for an invalid card or PIN."""
    index = site(point("CardOnly"))
    decision = ask(index, Card="12345678")
    assert (decision.granted, decision.reason, decision.credential, decision.user) == (True, "Granted", "c1", "user1")
    assert (decision.door, decision.action, decision.unlock) == ("door", "Access", True)
    assert ask(index, Card="87654321").reason == "InvalidCredential"
    assert ask(index, PIN="9999").reason == "InvalidCredential"
    with pytest.raises(NotFoundError, match="SourceToken"):
        decide(index, Request("other", {"Card": "12345678"}), NOON)
    with pytest.raises(NotFoundError, match="TargetToken"):
        decide(index, Request("reader", {"Card": "12345678"}, "other"), NOON)


def test_the_action_must_match_that_of_the_access_point() -> None:
    """Setting the access point: access requests must have an action that matches."""
    index = site(point("CardOnly", action="AccessDoorWithoutUnlock"))
    assert decide(index, Request("reader", {"Card": "12345678"}, action="Access"), NOON).reason == "Unauthorized"
    decision = decide(index, Request("reader", {"Card": "12345678"}, action="AccessDoorWithoutUnlock"), NOON)
    assert decision.granted
    assert not decision.unlock


def test_a_shared_pin_names_nobody() -> None:
    """Send access request: where several credentials match (PIN only), the token and the holder are empty."""
    two = credential("c2", id_data={"PIN": "1234"})
    index = site(point("PINOnly"), credential(), two)
    decision = ask(index, PIN="1234")
    assert (decision.reason, decision.credential, decision.user) == ("Granted", "", "")


def test_a_granted_request_sends_two_events() -> None:
    """Send access request: AccessGranted, then AccessTaken or AccessNotTaken; Credential or Anonymous."""
    index = site(point("CardOnly", "REXOnly"))
    decision = ask(index, Card="12345678")
    (granted,) = decided(decision, {"Card": "12345678"})
    assert granted.topic == "tns1:AccessControl/AccessGranted/Credential"
    assert granted.source == {"AccessPointToken": "entry"}
    assert granted.data == {"CredentialToken": "c1", "CredentialHolderName": "user1"}
    assert outcome_event(decision, True).topic == "tns1:AccessControl/AccessTaken/Credential"
    assert outcome_event(decision, False).topic == "tns1:AccessControl/AccessNotTaken/Credential"
    rex = ask(index, REX="Active")
    assert [event.topic for event in decided(rex, {})] == ["tns1:AccessControl/AccessGranted/Anonymous"]
    assert outcome_event(rex, True).topic == "tns1:AccessControl/AccessTaken/Anonymous"


def test_an_unknown_card_is_named_and_a_pin_is_not() -> None:
    """Send access request: Denied/CredentialNotFound/Card has Card and CardNr; all other events have the token."""
    index = site(point("CardOnly", "PINOnly"))
    shown = {"Card": "00007352", "CardNr": "87654321"}
    (event,) = decided(ask(index, **shown), shown)
    assert event.topic == "tns1:AccessControl/Denied/CredentialNotFound/Card"
    assert event.data == shown
    (event,) = decided(ask(index, PIN="9999"), {"PIN": "9999"})
    assert event.topic == "tns1:AccessControl/Denied/CredentialNotFound/PIN"
    assert event.data == {}
    assert "9999" not in repr(Request("reader", {"PIN": "9999"}))
    assert "7391" not in repr(credential(id_data={"PIN": "7391", "DuressPIN": "7391"}))


# --- authentication profiles ------------------------------------------------------------------------------------------


def test_the_delivered_authentication_profiles() -> None:
    """Retrieve default configuration: CardOnly, PINOnly, CardPlusPin, REXOnly, always."""
    names = {profile.token: [f.id_data_name for f in profile.id_factors] for profile in DEFAULT_AUTHENTICATION}
    assert names == {"CardOnly": ["Card"], "PINOnly": ["PIN"], "CardPlusPin": ["Card", "PIN"], "REXOnly": ["REX"]}
    assert all(profile.schedules == ("standard_always",) for profile in DEFAULT_AUTHENTICATION)


def test_with_too_little_the_user_is_asked_for_more() -> None:
    """Retrieve default configuration: after a valid card CardPlusPin asks for the PIN; an unknown one is denied."""
    index = site(point("CardPlusPin"))
    decision = ask(index, Card="12345678")
    assert (decision.reason, decision.required) == ("MoreRequired", ("PIN",))
    assert decided(decision, {"Card": "12345678"}) == []
    assert ask(index, Card="0").reason == "InvalidCredential"
    assert ask(index, Card="12345678", PIN="1234").granted
    wrong = ask(index, Card="12345678", PIN="4321")
    assert wrong.reason == "InvalidPIN"
    assert [event.topic.partition("AccessControl/")[2] for event in decided(wrong, {})] == [
        "Denied/Credential", "Denied/Authentication/InvalidPIN",
    ]  # fmt: skip


def test_a_pin_alone_tells_nothing_where_a_card_is_needed() -> None:
    """Card + PIN in either order: right and wrong PINs get the same answer before the card."""
    index = site(point("CardPlusPin"))
    assert ask(index, PIN="1234") == ask(index, PIN="9999")
    assert ask(index, PIN="1234").required == ("Card",)


def test_a_factor_may_be_compared_with_another_field() -> None:
    """Enable duress access: IdDataEqualToField compares with the field of the credential that OperatorValue names."""
    other = AuthenticationProfile(token="other", id_factors=(IdFactor("Card", "IdDataEqualToField", "Badge"),))
    fits = credential(id_data={"Card": "1", "Badge": "1"})
    differs = credential("c2", id_data={"Card": "2", "Badge": "3"})
    index = site(point("other"), fits, differs, authentication=(other,))
    assert ask(index, Card="1").granted
    assert not ask(index, Card="2").granted


def test_request_to_exit_needs_no_credential() -> None:
    """Send access request: for REX the credential is not checked; its profile compares with a value."""
    index = site(point("REXOnly"))
    decision = ask(index, REX="Active")
    assert (decision.granted, decision.anonymous, decision.credential) == (True, True, "")
    assert ask(index, REX="Inactive").reason == "Unauthorized"
    assert ask(site(point("CardOnly")), REX="Active").reason == "Unauthorized"
    assert ask(site(point("REXOnly", enabled=False)), REX="Active").reason == "Unauthorized"


def test_credential_data_goes_before_a_request_to_exit() -> None:
    """Send access request: with mixed operators IdDataEqual is chosen over OperatorValueEqual."""
    index = site(point("CardOnly", "REXOnly"))
    assert ask(index, Card="12345678", REX="Active").credential == "c1"
    assert ask(index, Card="0", REX="Active").reason == "InvalidCredential"


def test_authentication_of_the_credential_goes_before_the_profile_and_the_point() -> None:
    """Override the authentication of an access point: Credential over AccessProfile over AccessPoint, by schedule."""
    office = AuthenticationProfile(token="office", id_factors=(IdFactor("Card"),), schedules=("standard_office_hours",))
    index = site(point("CardPlusPin"), staff={"authentication_profiles": ("office",)}, authentication=(office,))
    assert ask(index, NOON, Card="12345678").granted
    assert ask(index, SUNDAY, Card="12345678").reason == "MoreRequired"
    superuser = credential(authentication_profiles=("CardOnly",))
    assert ask(site(point("CardPlusPin"), superuser), SUNDAY, Card="12345678").granted
    only = site(point(), credential(authentication_profiles=("CardOnly",)))
    assert ask(only, Card="12345678").granted, "an access point may have none of its own"
    assert ask(site(point()), Card="12345678").reason == "NotPermittedAtThisTime"


# --- disabled, validity -----------------------------------------------------------------------------------------------


def test_disabled_items_do_not_count() -> None:
    """Disable selected parts: CredentialNotEnabled, Unauthorized (access point), InvalidAccessProfile."""
    cases = {
        "CredentialNotEnabled": site(point("CardOnly"), credential(enabled=False, status="Lost")),
        "Unauthorized": site(point("CardOnly", enabled=False)),
        "InvalidAccessProfile": site(point("CardOnly"), staff={"enabled": False}),
    }
    for reason, index in cases.items():
        decision = ask(index, Card="12345678")
        assert decision.reason == reason
        (event,) = decided(decision, {})
        assert event.topic == "tns1:AccessControl/Denied/Credential"
        assert event.data == {"CredentialToken": "c1", "CredentialHolderName": "user1", "Reason": reason}


def test_valid_from_and_valid_to() -> None:
    """Allow access within a specified time frame: credential, access profile, and the one's use of the other."""
    period = {"valid_from": "2026-01-12T13:00:00+01:00", "valid_to": "2026-01-13T00:00:00Z"}
    index = site(point("CardOnly"), credential(**period))
    assert [ask(index, at, Card="12345678").reason for at in (NOON - NS, NOON, NIGHT - NS, NIGHT)] == [
        "CredentialNotActive", "Granted", "Granted", "CredentialExpired",
    ]  # fmt: skip
    profile = site(point("CardOnly"), staff=period)
    use = credential(profiles=())
    use = msgspec.structs.replace(use, access_profiles=(CredentialAccessProfile("staff", *period.values()),))
    for limited in (profile, site(point("CardOnly"), use)):
        assert [ask(limited, at, Card="12345678").reason for at in (NOON - NS, NOON, NIGHT)] == [
            "InvalidAccessProfile", "Granted", "InvalidAccessProfile",
        ]  # fmt: skip


def test_a_clock_that_is_not_set_validates_nothing_that_is_dated() -> None:
    """P18: at 1970 a dated credential does not count, an undated one does."""
    index = site(point("CardOnly"), credential(valid_to="2038-01-01T00:00:00Z"))
    assert ask(index, NOON, Card="12345678").granted
    assert ask(index, 100 * NS, Card="12345678").reason == "CredentialNotActive"
    assert ask(site(point("CardOnly")), 100 * NS, Card="12345678").granted


def test_a_credential_without_a_way_here_is_unauthorized() -> None:
    """Setting the access profile: it says which access points can be accessed."""
    assert ask(site(point("CardOnly"), credential(profiles=())), Card="12345678").reason == "Unauthorized"
    assert ask(site(point("CardOnly"), staff={"policies": ()}), Card="12345678").reason == "Unauthorized"
    assert ask(site(point("CardOnly"), credential(profiles=("gone",))), Card="12345678").reason == "Unauthorized"


# --- schedules --------------------------------------------------------------------------------------------------------


def test_one_active_schedule_is_enough_and_one_active_exception_too_much() -> None:
    """Specify time-dependent access behavior: exceptions have precedence; else one regular schedule must be active."""
    holidays = ScheduleText(
        token="no_holidays", definition="DTSTART:19700101T000000 DTEND:19700101T000001",
        exception="DTSTART:20260112T110000 DTEND:20260112T130000",
    )  # fmt: skip
    lists = {
        ("standard_office_hours", "standard_weekends"): {NOON: True, SUNDAY: True, NIGHT: False},
        ("standard_always", "no_holidays"): {NOON: False, SUNDAY: True, NIGHT: True},
        (): {NOON: False},
        ("gone",): {NOON: False},
        ("gone", "standard_always"): {NOON: True},
    }
    for names, times in lists.items():
        for where in ("profile", "policy", "authentication"):
            own = AuthenticationProfile(token="own", id_factors=(IdFactor("Card"),), schedules=names)
            staff: dict[str, Any] = {
                "profile": {"schedules": names}, "policy": {"policies": (AccessPolicy("entry", names),)},
            }.get(where, {})  # fmt: skip
            at = point("own" if where == "authentication" else "CardOnly")
            index = site(at, staff=staff, authentication=(own,), schedules=(holidays,))
            for when, expected in times.items():
                reason = ask(index, when, Card="12345678").reason
                assert reason == ("Granted" if expected else "NotPermittedAtThisTime"), (names, where, when)


def test_the_delivered_schedules() -> None:
    """standard_always, standard_office_hours, standard_weekends."""
    index = site(point("CardOnly"))
    held = {token: [calendar.active(at) for at in (NOON, SUNDAY, NIGHT)] for token, calendar in index.calendars.items()}
    assert held == {
        "standard_always": [True, True, True],
        "standard_office_hours": [True, False, False],
        "standard_weekends": [False, True, False],
    }


# --- duress, times, anti-passback -------------------------------------------------------------------------------------


def test_a_duress_pin_opens_and_tells() -> None:
    """Enable duress access: the door is unlocked and a duress event is sent; the match may go by the field's name."""
    data = {"Card": "12345678", "PIN": "1234", "DuressPIN": "1235"}
    forced = AuthenticationProfile(
        token="CardPlusDuressPIN",
        id_factors=(IdFactor("Card"), IdFactor("PIN", "IdDataEqualToField", "DuressPIN")),
    )
    for profiles in (("CardPlusPin",), ("CardPlusPin", "CardPlusDuressPIN")):
        index = site(point(*profiles), credential(id_data=data), authentication=(forced,))
        decision = ask(index, Card="12345678", PIN="1235")
        assert (decision.granted, decision.duress) == (True, True)
        assert [event.topic for event in decided(decision, {})] == [
            "tns1:AccessControl/AccessGranted/Credential", "tns1:AccessControl/Duress",
        ]  # fmt: skip
        normal = ask(index, Card="12345678", PIN="1234")
        assert (normal.granted, normal.duress) == (True, False)
    alone = site(point("PINOnly"), credential(id_data=data))
    assert ask(alone, PIN="1235").duress


def test_times_of_a_credential() -> None:
    """Extend access time for a credential: ExtendedAccessTime; AccessTime, OpenTooLongTime, PreAlarmTime as PTXS."""
    extended = site(point("CardOnly"), credential(attributes=(Attribute("ExtendedAccessTime"),)))
    assert ask(extended, Card="12345678").extended
    own = (Attribute("AccessTime", "PT3S"), Attribute("OpenTooLongTime", "PT20S"), Attribute("PreAlarmTime", "PT5S"))
    decision = ask(site(point("CardOnly"), credential(attributes=own)), Card="12345678")
    assert (decision.access_ms, decision.open_too_long_ms, decision.pre_alarm_ms) == (3_000, 20_000, 5_000)
    assert not decision.extended


def passback_site(**attributes: str) -> Index:
    names = {"AntiPassbackMode": "Logical", **attributes}
    inward = point("CardOnly", area_to="in", attributes=tuple(Attribute(*entry) for entry in names.items()))
    outward = AccessPoint(
        token="exit", entity="door", id_points=(IdPointDevice("inside"),), authentication_profiles=("CardOnly",),
        area_from="in", area_to="out",
    )  # fmt: skip
    both = {"policies": (AccessPolicy("entry"), AccessPolicy("exit"))}
    return site(inward, credential(), credential("boss", id_data={"Card": "b055"}), staff=both, points=(outward,))


def test_logical_anti_passback_lasts_until_the_exit() -> None:
    """Enable anti-passback, Logical: entering twice without leaving is a violation."""
    index = passback_site()
    first = ask(index, Card="12345678")
    assert first.granted
    inside = {"c1": entered(index, first, None, NOON)}
    again = ask(index, NOON + 10**15, inside, Card="12345678")  # type: ignore[arg-type]
    assert (again.reason, again.passback) == ("AntiPassbackViolation", True)
    topics = [event.topic for event in decided(again, {})]
    assert topics == ["tns1:AccessControl/Denied/Credential", "tns1:Credential/State/ApbViolation"]
    out = decide(index, Request("inside", {"Card": "12345678"}), NOON, inside)  # type: ignore[arg-type]
    assert out.granted
    left = {"c1": entered(index, out, inside["c1"], NOON)}
    assert ask(index, NOON, left, Card="12345678").granted  # type: ignore[arg-type]
    assert ask(index, NOON, inside, Card="b055").granted  # type: ignore[arg-type]


def test_timed_anti_passback_ends_by_itself() -> None:
    """AntiPassbackMode TimedLogical: access again when AntiPassbackTimeout has expired."""
    index = passback_site(AntiPassbackMode="TimedLogical", AntiPassbackTimeout="300")
    inside = {"c1": entered(index, ask(index, Card="12345678"), None, NOON)}
    assert inside["c1"] == Passage("c1", "in", NOON + 300 * NS, True)
    for seconds, reason in ((0, "AntiPassbackViolation"), (299, "AntiPassbackViolation"), (300, "Granted")):
        assert ask(index, NOON + seconds * NS, inside, Card="12345678").reason == reason  # type: ignore[arg-type]


def test_soft_anti_passback_only_tells_and_does_not_start_again() -> None:
    """AntiPassbackEnforcementMode Soft: not enforced, events all the same; the timer is not restarted."""
    index = passback_site(
        AntiPassbackMode="TimedLogical", AntiPassbackTimeout="300", AntiPassbackEnforcementMode="Soft"
    )
    inside = {"c1": entered(index, ask(index, Card="12345678"), None, NOON)}
    again = ask(index, NOON + 200 * NS, inside, Card="12345678")  # type: ignore[arg-type]
    assert (again.granted, again.passback) == (True, True)
    assert "tns1:Credential/State/ApbViolation" in [event.topic for event in decided(again, {})]
    assert entered(index, again, inside["c1"], NOON + 200 * NS) == inside["c1"]


def test_anti_passback_override() -> None:
    """Configure anti-passback override: True disables it for the credential."""
    index = passback_site()
    inside = {"c1": Passage("c1", "in"), "free": Passage("free", "in")}
    free = credential("free", id_data={"Card": "f"}, attributes=(Attribute("AntiPassbackOverride", "True"),))
    index = site(index.access_points["entry"], credential(), free)
    assert ask(index, NOON, inside, Card="f").granted
    assert ask(index, NOON, inside, Card="12345678").reason == "AntiPassbackViolation"
    reset = passback_event("c1", "user1", False, by_client=True)
    assert (reset.data["ApbViolation"], reset.data["ClientUpdated"]) == ("0", "1")


# --- credentials ------------------------------------------------------------------------------------------------------


def test_card_numbers_are_unique_and_nothing_else_is() -> None:
    """Setting the credential: CardNr is unique in the system, names of IdData on the credential."""
    index = site(point("CardOnly"), credential(id_data={"CardNr": "7", "Card": "a", "PIN": "1"}))
    with pytest.raises(ConflictError, match="card number"):
        check_credential(credential("c2", id_data={"CardNr": "7"}), index)
    assert check_credential(credential("c2", id_data={"Card": "a", "PIN": "1"}), index)
    assert check_credential(credential("c1", id_data={"CardNr": "7"}), index)
    twice = msgspec.structs.replace(credential("c3"), id_data=(IdData("PIN", "1"), IdData("PIN", "2")))
    with pytest.raises(ConflictError, match="PIN stands twice"):
        check_credential(twice, index)
    with pytest.raises(ConflictError, match="differ"):
        check_credential(credential("c3", id_data={"PIN": "1", "DuressPIN": "1"}), index)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"valid_from": "tomorrow"}, "valid_from"),
        ({"valid_from": "2026-01-02T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}, "valid_to"),
        ({"id_data": {"PIN": "12a4"}}, r"id_data\[0\].value"),
        ({"id_data": {"PIN": "1" * 33}}, r"id_data\[0\].value"),
        ({"id_data": {"Card": ""}}, r"id_data\[0\].value"),
        ({"attributes": (Attribute("AccessTime", "7"),)}, "AccessTime"),
        ({"token": ""}, "token"),
    ],
)
def test_what_cannot_be_a_credential_is_refused(fields: dict[str, Any], field: str) -> None:
    """Bad input: a typed error that names the field."""
    with pytest.raises(InputError, match=field):
        check_credential(credential(**fields), site(point("CardOnly")))


def test_a_reader_in_an_elevator_opens_every_floor_that_is_allowed() -> None:
    """Elevator control: one reader in the cabin, up to 16 floors; affected doors become accessible."""
    floors = [
        AccessPoint(
            token=f"floor{n}", entity=f"output{n}", id_points=(IdPointDevice("reader"),),
            authentication_profiles=("CardOnly",),
        )
        for n in range(16)
    ]  # fmt: skip
    allowed = {"policies": tuple(AccessPolicy(f"floor{n}") for n in (1, 3))}
    index = site(floors[0], staff=allowed, points=floors[1:])
    decisions = decide_all(index, Request("reader", {"Card": "12345678"}), NOON)
    assert [decision.door for decision in decisions if decision.granted] == ["output1", "output3"]
    assert ask(index, Card="12345678").granted
    one = decide_all(index, Request("reader", {"Card": "12345678"}, "output2"), NOON)
    assert [decision.reason for decision in one] == ["Unauthorized"]


# --- id points --------------------------------------------------------------------------------------------------------


def swipe(index: Index, reader: Reader, now: int, **shown: str) -> tuple[Reader, Decision]:
    reader, step = reader.on_id(shown, POINT, now)
    decision = decide(index, Request("reader", step.id_data), NOON)
    return reader.decided(decision, POINT, now)[0], decision


def keys(index: Index, reader: Reader, digits: str, now: int) -> tuple[Reader, Decision | None, bool]:
    decision, told = None, False
    for key in digits:
        reader, step = reader.on_key(key, POINT, now)
        if step.kind == "decide":
            decision = decide(index, Request("reader", step.id_data), NOON)
            reader, told = reader.decided(decision, POINT, now)
    return reader, decision, told


def test_card_and_pin_in_either_order() -> None:
    """IdPoint: what is required may come in either order, within ``Timeout`` (three seconds as delivered)."""
    index = site(point("CardPlusPin"))
    reader, decision = swipe(index, Reader(), 0, Card="12345678")
    assert decision.required == ("PIN",)
    reader, entry, _ = keys(index, reader, "1234", 2 * NS)
    assert entry is not None
    assert entry.granted
    reader, entry, _ = keys(index, Reader(), "1234", 0)
    assert entry is not None
    assert (entry.reason, reader.waiting) == ("MoreRequired", True)
    reader, decision = swipe(index, reader, 2 * NS, Card="12345678")
    assert decision.granted
    assert not reader.waiting


def test_what_does_not_come_in_time_is_forgotten() -> None:
    """IdPoint: ``Timeout``, and an event that says so."""
    index = site(point("CardPlusPin"))
    reader, _ = swipe(index, Reader(), 0, Card="12345678")
    assert reader.advance(3 * NS - 1)[1].kind == "wait"
    after, step = reader.advance(3 * NS)
    assert (step.kind, list(step.id_data), after.waiting) == ("timeout", ["Card"], False)
    _, entry, _ = keys(index, reader, "1234", 3 * NS)
    assert entry is not None
    assert entry.required == ("Card",)


def test_a_pin_ends_at_its_size_or_with_its_key() -> None:
    """IdPoint: MinPINSize, MaxPINSize, EndOfPIN ``#``; ``*`` begins again."""
    flexible = IdPoint(token="reader", min_pin_size=2, max_pin_size=6)
    reader = Reader()
    for key in "12":
        reader, step = reader.on_key(key, flexible, 0)
        assert step.kind == "wait"
    reader, step = reader.on_key("#", flexible, 0)
    assert (step.kind, step.id_data) == ("decide", {"PIN": "12"})
    reader, step = Reader().on_key("1", flexible, 0)
    _, step = reader.on_key("#", flexible, 0)
    assert step.kind == "short"
    reader = Reader()
    for key in "9*12345":
        reader, step = reader.on_key(key, flexible, 0)
    _, step = reader.on_key("6", flexible, 0)
    assert step.id_data == {"PIN": "123456"}


def test_five_wrong_pins_and_none_is_accepted_for_a_minute() -> None:
    """EN 60839-11-1, P26: blocked after wrong PINs: 5, for 60 s, and told; the right one counts afterwards."""
    index, reader = site(point("PINOnly")), Reader()
    for number in range(5):
        reader, _, told = keys(index, reader, "9999", number * NS)
        assert told == (number == 4)
    for key in "123":
        reader, _ = reader.on_key(key, POINT, 5 * NS)
    reader, step = reader.on_key("4", POINT, 5 * NS)
    assert step.kind == "blocked"
    assert reader.is_blocked(64 * NS - 1)
    reader, decision, _ = keys(index, reader, "1234", 64 * NS)
    assert decision is not None
    assert decision.granted


def test_the_right_pin_forgives_and_wrong_ones_are_forgotten() -> None:
    """P26: only wrong PINs within ten minutes, without a right one between them, count."""
    index, reader = site(point("PINOnly")), Reader()
    for number in range(4):
        reader, _, _ = keys(index, reader, "9999", number * NS)
    reader, _, _ = keys(index, reader, "1234", 5 * NS)
    for number in range(4):
        reader, _, told = keys(index, reader, "9999", (10 + number) * NS)
        assert not told
    reader, _, told = keys(index, reader, "9999", 700 * NS)
    assert not told


def test_a_second_card_replaces_the_first() -> None:
    """Card, then another card: the PIN belongs to the second."""
    index = site(point("CardPlusPin"), credential(), credential("c2", id_data={"Card": "2", "PIN": "2222"}))
    reader, _ = swipe(index, Reader(), 0, Card="12345678")
    reader, _ = swipe(index, reader, NS, Card="2")
    _, decision, _ = keys(index, reader, "2222", 2 * NS)
    assert decision is not None
    assert decision.credential == "c2"
