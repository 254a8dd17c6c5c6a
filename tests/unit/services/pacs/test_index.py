"""The index: changes leave the old one as it was, and never remember what is of another."""

from __future__ import annotations

from axcore.model.pacs import (
    DEFAULT_AUTHENTICATION,
    DEFAULT_SCHEDULES,
    AccessPoint,
    AccessPolicy,
    AccessProfile,
    Credential,
    CredentialAccessProfile,
    IdData,
    IdPointDevice,
)
from axcore.services.pacs import Index, Request, build, decide, with_credential, without_credential
from axcore.services.pacs.calendar import FAR, next_change
from axcore.services.pacs.events import decided

NOON = 1_768_219_200 * 10**9


def site() -> Index:
    at = AccessPoint(token="p", id_points=(IdPointDevice("r"),), authentication_profiles=("CardOnly",))
    profile = AccessProfile(token="staff", policies=(AccessPolicy("p"),))
    return build(
        access_points=[at],
        access_profiles=[profile, AccessProfile(token="nowhere")],
        authentication_profiles=DEFAULT_AUTHENTICATION,
        schedules=DEFAULT_SCHEDULES,
    )


def holder(card: str, profile: str) -> Credential:
    data = (IdData("Card", card), IdData("PIN", "4711"))
    return Credential(token=card, id_data=data, access_profiles=(CredentialAccessProfile(profile),))


def reason(index: Index, card: str) -> str:
    return decide(index, Request("r", {"Card": card}), NOON).reason


def test_a_change_leaves_the_old_index_as_it_was() -> None:
    empty = site()
    one = with_credential(empty, holder("a", "staff"))
    none = without_credential(one, "a")
    assert [reason(index, "a") for index in (empty, one, none)] == ["InvalidCredential", "Granted", "InvalidCredential"]
    assert without_credential(none, "a") is none


def test_two_changes_of_one_index_do_not_share_a_memory() -> None:
    """A change that was rolled back must not decide anything."""
    base = site()
    undone, done = with_credential(base, holder("a", "staff")), with_credential(base, holder("b", "nowhere"))
    assert undone.groups.keys() != done.groups.keys()
    assert reason(undone, "a") == "Granted"
    assert reason(done, "b") == "Unauthorized"
    assert reason(undone, "a") == "Granted"


def test_a_replaced_card_opens_nothing_any_more() -> None:
    index = with_credential(site(), holder("a", "staff"))
    moved = Credential(token="a", id_data=(IdData("Card", "b"),), access_profiles=(CredentialAccessProfile("staff"),))
    index = with_credential(index, moved)
    assert (reason(index, "a"), reason(index, "b")) == ("InvalidCredential", "Granted")


def test_no_pin_in_a_repr() -> None:
    index = with_credential(site(), holder("a", "staff"))
    (found,) = index.by_id["PIN"].values()
    assert "4711" not in repr(found)
    assert "4711" not in repr(index.credentials)
    assert all("4711" not in repr(event) for event in decided(decide(index, Request("r", {"PIN": "0"}), NOON), {}))


def test_when_to_look_again() -> None:
    calendars = site().calendars
    end_of_office = NOON + 5 * 3600 * 10**9
    assert next_change(calendars, ["standard_office_hours", "gone"], NOON) == end_of_office
    assert next_change(calendars, [], NOON) == FAR


def test_what_was_found_out_with_a_set_clock_does_not_count_without() -> None:
    profile = AccessProfile(token="staff", valid_to="2038-01-01T00:00:00Z", policies=(AccessPolicy("p"),))
    base = site()
    index = build(
        access_points=base.access_points.values(),
        access_profiles=[profile],
        authentication_profiles=DEFAULT_AUTHENTICATION,
        schedules=DEFAULT_SCHEDULES,
        credentials=[holder("a", "staff")],
    )
    assert reason(index, "a") == "Granted"
    assert decide(index, Request("r", {"Card": "a"}), 100 * 10**9).reason == "InvalidAccessProfile"
    assert reason(index, "a") == "Granted"
