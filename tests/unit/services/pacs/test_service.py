"""The access control service on a ledger in memory: records, decisions, anti-passback, restarts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, StoreError
from axcore.model.doors import (
    Door,
    DoorConfiguration,
    DoorSchedule,
    DoorScheduleConfiguration,
    PriorityAction,
    PriorityConfiguration,
    ScheduledState,
)
from axcore.model.events import NewEvent
from axcore.model.pacs import (
    AccessPoint,
    AccessPolicy,
    AccessProfile,
    Area,
    Attribute,
    AuthenticationProfile,
    Credential,
    CredentialAccessProfile,
    IdData,
    IdFactor,
    IdPointConfiguration,
    IdPointDevice,
    Passage,
    ScheduleText,
    Setting,
    User,
)
from axcore.services.pacs import Request
from axcore.services.pacs.service import PacsService
from axcore.testing.memory import MemoryLedger

OFFICE = "DTSTART:19700101T080000 DTEND:19700101T170000 RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


class Site:
    """A reader at a door, one profile that opens it, and a ledger that commits in the call."""

    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger or MemoryLedger()
        self.pacs = PacsService(self.ledger.bus)
        self.ledger.load(self.pacs.load)
        self.ledger.add_timer(self.pacs)

    def set(self, kind: str, *records: Any) -> tuple[str, ...]:
        return self.ledger.do(lambda tx: self.pacs.set(tx, f"pacs.{kind}", records), actor="root")

    def remove(self, kind: str, *tokens: str) -> None:
        self.ledger.do(lambda tx: self.pacs.remove(tx, f"pacs.{kind}", tokens))

    def furnish(self, *attributes: Attribute, profiles: tuple[str, ...] = ("CardOnly",)) -> Site:
        self.set(
            "access_point",
            AccessPoint(
                token="point", entity="door", id_points=(IdPointDevice("reader"),), area_to="inside",
                authentication_profiles=profiles, attributes=attributes,
            ),
        )  # fmt: skip
        self.set("area", Area(token="inside"))
        self.set("access_profile", AccessProfile(token="all", policies=(AccessPolicy("point"),)))
        self.set("credential", credential("ada", Card="0a", PIN="1234"))
        return self

    def show(self, **data: str) -> Any:
        return self.ledger.do(lambda tx: self.pacs.decide(tx, Request("reader", data)))

    def restart(self) -> Site:
        return Site(MemoryLedger(self.ledger.virtual_clock, store=self.ledger.store))

    def told(self, topic: str) -> list[Any]:
        return [event for event in self.ledger.events if event.topic.startswith(topic)]


def credential(token: str, **data: str) -> Credential:
    id_data = tuple(IdData(name, value) for name, value in data.items())
    return Credential(
        token=token, user_token=f"user {token}", id_data=id_data, access_profiles=(CredentialAccessProfile("all"),)
    )


@pytest.fixture
def site() -> Site:
    return Site()


def test_the_first_start_puts_what_is_delivered_there_and_a_removed_one_stays_away(site: Site) -> None:
    assert set(site.pacs.table("pacs.authentication_profile")) == {"CardOnly", "PINOnly", "CardPlusPin", "REXOnly"}
    assert set(site.pacs.index.calendars) == {"standard_always", "standard_office_hours", "standard_weekends"}
    site.remove("authentication_profile", "PINOnly")
    assert "PINOnly" not in site.restart().pacs.index.authentication_profiles


def test_what_is_set_is_there_after_a_restart(site: Site) -> None:
    site.furnish()
    site.set("user", User(token="user ada", name="Ada"))
    site.set("door", Door(token="door", name="Front", access_ms=7_000))
    site.set(
        "id_point_configuration", IdPointConfiguration(token="reader", settings=(Setting("IdPoint.LED.Type"),)[:0])
    )
    again = site.restart().pacs
    for kind in ("user", "credential", "access_point", "door", "access_profile", "id_point_configuration", "schedule"):
        assert again.table(f"pacs.{kind}") == site.pacs.table(f"pacs.{kind}"), kind
    assert again.door_setup("door").door.access_ms == 7_000
    assert again.doors == site.pacs.doors
    assert not again.door_configurations
    site.set("door_configuration", DoorConfiguration(token="door"))
    assert set(site.pacs.door_configurations) == {"door"}
    assert set(site.pacs.priorities) == {"Standard"}


def test_an_empty_token_gets_a_new_one_of_the_documented_form(site: Site) -> None:
    first, second = site.set("user", User(token="", name="A"), User(token="", name="B"))
    assert first != second
    wall = site.ledger.virtual_clock.wall_ns()
    assert first == f"Axis-000000000000:{wall // 10**9}.{wall % 10**9:09}"
    third, same = site.set("user", User(token="", name="C"), User(token=first, name="D"))
    assert same == first
    assert site.pacs.index.users[first].name == "D"
    assert third not in (first, second)


def test_a_list_with_one_bad_record_stores_nothing(site: Site) -> None:
    before = site.ledger.store.records()
    with pytest.raises(ConflictError) as refused:
        site.set("credential", credential("a", CardNr="1"), credential("b", CardNr="1"))
    assert refused.value.field == "[0].id_data[0].value"
    with pytest.raises(InputError) as bad:
        site.set("credential", credential("a", CardNr="1"), credential("b", PIN="x"))
    assert bad.value.field == "[1].id_data[0].value"
    with pytest.raises(ConflictError, match="twice"):
        site.set("user", User(token="u"), User(token="u"))
    with pytest.raises(InputError, match="DTSTART") as text:
        site.set("schedule", ScheduleText(token="s", definition=OFFICE), ScheduleText(token="t", definition="nonsense"))
    assert text.value.field.startswith("[1].")
    with pytest.raises(InputError, match="must be a User"):
        site.set("user", Area(token="a"))
    assert site.ledger.store.records() == before
    assert site.pacs.index.credentials == {}
    assert site.pacs.index.by_id["CardNr"] == {}
    assert site.pacs.index.users == {}


def test_a_commit_that_fails_leaves_the_old_state(site: Site) -> None:
    site.furnish()
    index = site.pacs.index
    site.ledger.store.broken = "disk full"
    with pytest.raises(StoreError):
        site.set("credential", credential("eve", Card="0b"))
    site.ledger.store.broken = None
    assert site.pacs.index is index
    assert site.show(Card="0b").reason == "InvalidCredential"


def test_there_is_a_most(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from axcore.services.pacs import kinds

    monkeypatch.setitem(kinds.ALL, "pacs.user", msgspec.structs.replace(kinds.ALL["pacs.user"], most=2))
    site.set("user", User(token="a"), User(token="b"))
    site.set("user", User(token="a", name="changed"))
    with pytest.raises(LimitError):
        site.set("user", User(token="c"))


def test_pages_follow_each_other_though_records_come_and_go(site: Site) -> None:
    site.set("user", *(User(token=f"u{n:02}") for n in range(10)))
    page, reference = site.pacs.list("pacs.user", 4)
    assert [user.token for user in page] == ["u00", "u01", "u02", "u03"]
    site.remove("user", "u04", "u01")
    site.set("user", User(token="u000"))
    page, reference = site.pacs.list("pacs.user", 4, reference or "")
    assert [user.token for user in page] == ["u05", "u06", "u07", "u08"]
    page, reference = site.pacs.list("pacs.user", 4, reference or "")
    assert ([user.token for user in page], reference) == (["u09"], None)
    assert site.pacs.list("pacs.user", 0) == ([], "u00")


def test_get_leaves_out_what_there_is_not(site: Site) -> None:
    site.set("user", User(token="a"), User(token="b"))
    assert [user.token for user in site.pacs.get("pacs.user", ["b", "x", "b", "a"])] == ["b", "a"]
    with pytest.raises(KeyError):
        site.pacs.table("pacs.passage")


def test_remove_is_all_or_nothing(site: Site) -> None:
    site.set("user", User(token="a"))
    with pytest.raises(NotFoundError, match="there is no 'b'"):
        site.remove("user", "a", "b")
    assert "a" in site.pacs.index.users


def test_a_schedule_in_use_is_not_removed(site: Site) -> None:
    site.furnish()
    with pytest.raises(ConflictError, match="access profile all"):
        site.remove("schedule", "standard_always")
    site.remove("schedule", "standard_weekends")
    state = ScheduledState(enter_action="Unlock", schedules=("standard_office_hours",))
    site.set(
        "door_schedule_configuration",
        DoorScheduleConfiguration(token="open", schedules=(DoorSchedule(states=(state,)),)),
    )
    assert site.pacs.schedule_users("standard_office_hours") == ["door schedule configuration open"]


def test_levels_that_a_door_needs_stay(site: Site) -> None:
    levels = PriorityConfiguration(token="levels", actions=(PriorityAction(level="Fire"), PriorityAction(level="Day")))
    site.set("priority_configuration", levels)
    with pytest.raises(NotFoundError, match="priority_configuration"):
        site.set("door", Door(token="door", priority_configuration="others"))
    site.set("door", Door(token="door", priority_configuration="levels", default_priority="Day"))
    with pytest.raises(ConflictError, match="Day"):
        site.set("priority_configuration", msgspec.structs.replace(levels, actions=levels.actions[:1]))
    with pytest.raises(ConflictError):
        site.remove("priority_configuration", "levels")
    state = ScheduledState(enter_action="Unlock", schedules=("standard_always",))
    bad = DoorScheduleConfiguration(token="t", schedules=(DoorSchedule(level="Night", states=(state,)),))
    site.set("door_schedule_configuration", bad)
    with pytest.raises(ConflictError, match="Night"):
        site.set("door_configuration", DoorConfiguration(token="door", schedule_configuration="t"))
    good = msgspec.structs.replace(bad, schedules=(DoorSchedule(level="Fire", states=(state,)),))
    site.set("door_schedule_configuration", good)
    site.set("door_configuration", DoorConfiguration(token="door", schedule_configuration="t"))
    assert site.pacs.door_schedules["t"] == good
    with pytest.raises(NotFoundError):
        site.set("door_schedule_configuration", bad)
    assert site.pacs.door_setup("door").default_level == "Day"
    with pytest.raises(NotFoundError):
        site.pacs.door_setup("nowhere")


def test_a_listener_may_refuse_a_change(site: Site) -> None:
    heard = []

    def listen(tx: Any, kind: str, token: str) -> None:
        heard.append((kind, token, site.pacs.index.users.get("a")))
        if token == "b":
            raise ConflictError("token", "not this one")

    site.pacs.subscribe(listen)
    site.set("user", User(token="a"))
    with pytest.raises(ConflictError):
        site.set("user", User(token="b"))
    assert heard[0] == ("pacs.user", "a", User(token="a"))
    assert set(site.pacs.index.users) == {"a"}


def test_changes_are_told(site: Site) -> None:
    told: list[Any] = []
    site.ledger.bus.in_transaction("tns1:Configuration", lambda tx, event: told.append((event.topic, event.source)))
    site.furnish()
    site.remove("credential", "ada")
    assert told == [
        ("tns1:Configuration/AccessPoint/Changed", {"AccessPointToken": "point"}),
        ("tns1:Configuration/Area/Changed", {"AreaToken": "inside"}),
        ("tns1:Configuration/Credential/Changed", {"CredentialToken": "ada"}),
        ("tns1:Configuration/Credential/Removed", {"CredentialToken": "ada"}),
    ]
    audit = site.told("tns1:Device/tnsaxis:Configuration/Changed")
    assert audit[0].data == {"kind": "pacs.access_point", "key": "point", "action": "update", "user": "root"}
    assert audit[-1].data == {"kind": "pacs.credential", "key": "ada", "action": "remove"}


def test_switching_off_counts_at_once_and_is_told(site: Site) -> None:
    site.furnish()
    assert site.show(Card="0a").granted
    do = site.ledger.do
    do(lambda tx: site.pacs.set_enabled(tx, "pacs.credential", ["ada"], False))
    assert site.show(Card="0a").reason == "CredentialNotEnabled"
    assert site.pacs.index.credentials["ada"].status == "Disabled"
    do(lambda tx: site.pacs.set_enabled(tx, "pacs.credential", ["ada"], True))
    do(lambda tx: site.pacs.set_enabled(tx, "pacs.access_point", ["point"], False))
    assert site.show(Card="0a").reason == "Unauthorized"
    states = [event.data["State"] for event in site.told("tns1:AccessPoint/State/Enabled")]
    assert states == ["true", "false"]
    with pytest.raises(NotFoundError):
        do(lambda tx: site.pacs.set_enabled(tx, "pacs.credential", ["ada", "eve"], True))


def test_a_decision_and_its_events_are_one_transaction(site: Site) -> None:
    site.furnish()
    decision = site.show(Card="0a")
    assert (decision.door, decision.credential) == ("door", "ada")
    assert [event.topic for event in site.told("tns1:AccessControl")] == ["tns1:AccessControl/AccessGranted/Credential"]
    site.ledger.do(lambda tx: site.pacs.taken(tx, decision, True, correlation="c"))
    taken = site.told("tns1:AccessControl/AccessTaken")[0]
    assert (taken.data["CredentialToken"], taken.correlation) == ("ada", "c")
    assert site.pacs.verify(Request("reader", {"Card": "0b"}), 0).reason == "InvalidCredential"
    assert len(site.told("tns1:AccessControl")) == 2
    with pytest.raises(NotFoundError):
        site.ledger.do(lambda tx: site.pacs.decide(tx, Request("nowhere", {"Card": "0a"})))


def test_five_wrong_pins_block_pins_at_that_reader_for_a_minute(site: Site) -> None:
    site.furnish(profiles=("PINOnly", "CardOnly"))
    for _ in range(4):
        assert site.show(PIN="9999").reason == "InvalidCredential"
    assert site.show(PIN="1234").granted
    for _ in range(5):
        site.show(PIN="9999")
    assert site.pacs.is_blocked("reader", site.ledger.virtual_clock.mono_ns())
    assert site.show(PIN="1234").reason == "InvalidPIN"
    assert site.show(Card="0a").granted
    fault = site.told("tns1:Device/tnsaxis:SystemMessage/Fault")
    assert [event.data["component"] for event in fault] == ["reader reader"]
    site.ledger.advance(61)
    assert site.show(PIN="1234").granted


def test_anti_passback_is_kept_listed_and_reset(site: Site) -> None:
    site.furnish(Attribute("AntiPassbackMode", "Logical"))
    first = site.show(Card="0a")
    site.ledger.do(lambda tx: site.pacs.entered(tx, first))
    assert dict(site.pacs.passages) == {"ada": Passage("ada", "inside")}
    assert site.show(Card="0a").reason == "AntiPassbackViolation"
    again = site.restart()
    assert again.show(Card="0a").reason == "AntiPassbackViolation"
    with pytest.raises(NotFoundError, match="AreaToken"):
        again.ledger.do(lambda tx: again.pacs.reset_passages(tx, areas=["elsewhere"]))
    assert again.ledger.do(lambda tx: again.pacs.reset_passages(tx, ["ada"], ["inside"])) == 1
    assert again.show(Card="0a").granted
    violations = [event.data["ApbViolation"] for event in again.told("tns1:Credential/State/ApbViolation")]
    assert violations == ["1", "1", "0"]
    assert dict(again.restart().pacs.passages) == {}


def test_anti_passback_data_goes_with_its_credential_and_its_area_and_comes_back_with_a_rollback(site: Site) -> None:
    site.furnish(Attribute("AntiPassbackMode", "Logical"))
    site.set("credential", credential("bob", Card="0b"))
    for card in ("0a", "0b"):
        decision = site.show(Card=card)
        site.ledger.do(lambda tx, decision=decision: site.pacs.entered(tx, decision))
    site.ledger.store.broken = "disk full"
    with pytest.raises(StoreError):
        site.remove("credential", "ada")
    site.ledger.store.broken = None
    assert set(site.pacs.passages) == {"ada", "bob"}
    site.remove("credential", "ada")
    assert set(site.pacs.passages) == {"bob"}
    site.remove("area", "inside")
    assert set(site.pacs.passages) == set()
    assert site.ledger.store.records()["pacs.passage"] == {}


def test_timed_anti_passback_data_is_swept(site: Site) -> None:
    site.furnish(Attribute("AntiPassbackMode", "TimedLogical"), Attribute("AntiPassbackTimeout", "60"))
    decision = site.show(Card="0a")
    site.ledger.do(lambda tx: site.pacs.entered(tx, decision))
    assert site.show(Card="0a").reason == "AntiPassbackViolation"
    site.ledger.advance(61)
    assert site.show(Card="0a").granted
    assert set(site.pacs.passages) == {"ada"}
    site.ledger.advance(3_600)
    assert set(site.pacs.passages) == set()


def test_every_access_point_of_a_reader_is_decided_on(site: Site) -> None:
    site.furnish()
    site.set(
        "access_point",
        *(
            AccessPoint(token=f"floor{n}", entity=f"f{n}", id_points=(IdPointDevice("lift"),),
                        authentication_profiles=("CardOnly",))
            for n in range(3)
        ),
    )  # fmt: skip
    policies = tuple(AccessPolicy(f"floor{n}") for n in (0, 2))
    site.set("access_profile", AccessProfile(token="all", policies=policies))
    decide = site.ledger.do(lambda tx: site.pacs.decide_all(tx, Request("lift", {"Card": "0a"})))
    assert [decision.door for decision in decide] == ["f0", "f2"]
    refused = site.ledger.do(lambda tx: site.pacs.decide_all(tx, Request("lift", {"Card": "ff"})))
    assert [decision.reason for decision in refused] == ["InvalidCredential"]


def test_schedules_are_local_times(site: Site) -> None:
    site.furnish()
    site.set("access_profile", AccessProfile(token="all", schedules=("h",), policies=(AccessPolicy("point"),)))
    site.set(
        "schedule", ScheduleText(token="h", definition="DTSTART:19700101T080000 DTEND:19700101T090000 RRULE:FREQ=DAILY")
    )
    wall = site.ledger.virtual_clock.wall_ns()
    at_half_past_eight_utc = (wall // 86_400_000_000_000) * 86_400_000_000_000 + 30_600 * 10**9
    verify = site.pacs.verify
    assert verify(Request("reader", {"Card": "0a"}), at_half_past_eight_utc).granted

    def move(tx: Any) -> None:
        tx.put("param", "Time.TimeZone", b"Asia/Tokyo")
        data = {"kind": "param", "key": "Time.TimeZone", "action": "update"}
        tx.publish(NewEvent(topic="tns1:Device/tnsaxis:Configuration/Changed", data=data))

    site.ledger.do(move)
    assert verify(Request("reader", {"Card": "0a"}), at_half_past_eight_utc).reason == "NotPermittedAtThisTime"
    assert site.restart().pacs.verify(Request("reader", {"Card": "0a"}), at_half_past_eight_utc).reason != "Granted"


def test_a_profile_that_asks_for_nothing_is_refused(site: Site) -> None:
    with pytest.raises(InputError, match="id_factors"):
        site.set("authentication_profile", AuthenticationProfile(token="x", id_factors=()))
    site.set("authentication_profile", AuthenticationProfile(token="x", id_factors=(IdFactor("QR"),)))
