"""DTMF sequences, events and configurations: who takes which keys, and what is used and stays."""

from __future__ import annotations

from typing import Any

import pytest
from intercom_bench import IntercomBench

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.actions import MakeCall
from axcore.model.intercom import (
    MAX_DTMF_EVENTS,
    DtmfConfigurationSpec,
    DtmfEventSpec,
    DtmfSequenceSpec,
    SipAccountSpec,
)
from axcore.model.rules import Condition, Rule
from axcore.model.voice import Digit
from axcore.services.intercom import conditions, rules_waiting
from axcore.services.intercom.dtmf import Dtmf

REGISTERED: dict[str, Any] = {"kind": "registered", "user_id": "door", "registrar": "a.example", "password": "x"}


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


@pytest.fixture
def dtmf(bench: IntercomBench) -> Dtmf:
    return bench.intercom.accounts.dtmf


def event(bench: IntercomBench, name: str = "Unlock", key: str = "") -> str:
    return str(bench.do(lambda tx: bench.intercom.accounts.dtmf.add_event(tx, DtmfEventSpec(name=name), key=key)).id)


def sequence(bench: IntercomBench, keys: str, *, key: str = "", unique: bool = False, **more: Any) -> str:
    spec, dtmf = DtmfSequenceSpec(sequence=keys, **{"description": keys, **more}), bench.intercom.accounts.dtmf
    return str(bench.do(lambda tx: dtmf.add_sequence(tx, spec, key=key, unique=unique)).id)


def configuration(bench: IntercomBench, *triggers: str, **more: Any) -> str:
    spec = DtmfConfigurationSpec(name="Front", triggers=triggers, **more)
    return str(bench.do(lambda tx: bench.intercom.accounts.dtmf.add_configuration(tx, spec)).id)


def account(bench: IntercomBench, name: str, **more: Any) -> str:
    spec = SipAccountSpec(name=name, **more)
    return str(bench.do(lambda tx: bench.intercom.accounts.add_account(tx, spec)).id)


def update(bench: IntercomBench, what: str, key: str, **patch: Any) -> Any:
    owner = bench.intercom.accounts if what == "account" else bench.intercom.accounts.dtmf
    return bench.do(lambda tx: getattr(owner, f"update_{what}")(tx, key, patch))


def remove(bench: IntercomBench, what: str, key: str) -> None:
    owner = bench.intercom.accounts if what == "account" else bench.intercom.accounts.dtmf
    bench.do(lambda tx: getattr(owner, f"remove_{what}")(tx, key))


def press(bench: IntercomBench, key: str, digits: str, way: str) -> None:
    """The telephone of a call presses keys."""
    for digit in digits:
        if way == "info":
            bench.report(1, Digit(leg=f"{key}.0", digit=digit))
        else:
            bench.media.on_key(f"{key}.0", digit, bench.ledger.virtual_clock.mono_ns())
        bench.ledger.advance(1)


def heard(bench: IntercomBench) -> list[str]:
    return [told.data["DTMFEventId"] for told in bench.told(events.CALL_DTMF)]


class TestWhoTakesWhat:
    def test_a_sequence_without_an_event_is_its_own(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        key = sequence(bench, "1", description="Unlock door")
        assert dtmf.events[key].name == "Unlock door"
        assert dtmf.keys_of("peer-to-peer") == {"1": key}

    def test_several_sequences_cause_one_event(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        opened = event(bench)
        sequence(bench, "1", event=opened)
        sequence(bench, "2", event=opened)
        assert dtmf.keys_of("peer-to-peer") == {"1": opened, "2": opened}
        assert list(dtmf.events) == [opened]

    def test_the_event_of_a_sequence_can_be_caused_by_others(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        first = sequence(bench, "1")
        second = sequence(bench, "2", event=first)
        assert dtmf.keys_of("peer-to-peer") == {"1": first, "2": first}
        with pytest.raises(ConflictError, match="used by the DTMF sequence '2'"):
            remove(bench, "sequence", first)
        with pytest.raises(NotFoundError):
            update(bench, "sequence", first, event=first)
        other = event(bench)
        with pytest.raises(ConflictError, match="used by the DTMF sequence '2'"):
            update(bench, "sequence", first, event=other)
        remove(bench, "sequence", second)
        assert update(bench, "sequence", first, event=other).causes == other

    def test_configured_sequences_count_only_where_a_configuration_names_them(
        self, bench: IntercomBench, dtmf: Dtmf
    ) -> None:
        key = sequence(bench, "1", configured=True)
        assert dtmf.keys_of("peer-to-peer") == {}
        pbx = account(bench, "PBX", **REGISTERED, dtmf_configuration=configuration(bench, key))
        assert dtmf.keys_of(pbx) == {"1": key}
        assert dtmf.keys_of("peer-to-peer") == {}

    def test_a_configuration_adds_to_what_was_made_for_an_account(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        everybodys, hidden = sequence(bench, "1"), sequence(bench, "2", configured=True)
        chosen = configuration(bench, hidden, everybodys)
        pbx = account(bench, "PBX", **REGISTERED, dtmf_configuration=chosen)
        assert dtmf.keys_of(pbx) == {"1": everybodys, "2": hidden}

    def test_a_sequence_without_keys_is_never_typed(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        empty = sequence(bench, "", description="Later", configured=True)
        sequence(bench, "", description="Much later", configured=True, unique=True)
        update(bench, "account", "peer-to-peer", dtmf_configuration=configuration(bench, empty))
        assert dtmf.keys_of("peer-to-peer") == {}
        with pytest.raises(InputError, match=r"1\.\.64"):
            sequence(bench, "", description="For all")

    def test_all_peer_to_peer_accounts_share_the_configuration(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        key = sequence(bench, "1", configured=True)
        chosen = configuration(bench, key)
        lan = account(bench, "LAN", dtmf_configuration=chosen)
        assert dtmf.keys_of("peer-to-peer") == dtmf.keys_of(lan) == {"1": key}
        assert dtmf.keys_of(account(bench, "New")) == {"1": key}
        update(bench, "account", "peer-to-peer", dtmf_configuration="")
        assert bench.intercom.accounts.account(lan).dtmf_configuration == ""

    @pytest.mark.parametrize("rtp", [True, False])
    @pytest.mark.parametrize("info", [True, False])
    @pytest.mark.parametrize("whose", ["account", "configuration"])
    def test_a_way_counts_where_the_account_and_its_configuration_allow_it(
        self, bench: IntercomBench, rtp: bool, info: bool, whose: str
    ) -> None:
        ways = {"rtp_keys": rtp, "info_keys": info}
        chosen = configuration(bench, sequence(bench, "1", configured=True))
        update(bench, "account", "peer-to-peer", dtmf_configuration=chosen)
        update(bench, whose, "peer-to-peer" if whose == "account" else chosen, **ways)
        call = bench.call()
        bench.answer(f"{call}.0", 1)
        press(bench, call, "1", "rtp")
        assert len(heard(bench)) == rtp
        press(bench, call, "1", "info")
        assert len(heard(bench)) == rtp + info

    def test_what_is_heard_is_the_event(self, bench: IntercomBench) -> None:
        opened = event(bench, "Unlock", "door")
        one, two = (sequence(bench, keys, event=opened, configured=True, description="") for keys in ("1#", "2#"))
        update(bench, "account", "peer-to-peer", dtmf_configuration=configuration(bench, one, two))
        call = bench.call()
        bench.answer(f"{call}.0", 1)
        press(bench, call, "1#2#", "rtp")
        assert heard(bench) == ["door", "door"]

    def test_wrong_codes_are_counted_by_what_the_configuration_adds(self, bench: IntercomBench) -> None:
        key = sequence(bench, "12", configured=True)
        call = bench.call()
        bench.answer(f"{call}.0", 1)
        press(bench, call, "9" * 12, "rtp")  # nothing can be guessed yet
        update(bench, "account", "peer-to-peer", dtmf_configuration=configuration(bench, key))
        press(bench, call, "12", "rtp")
        assert heard(bench) == [key]
        press(bench, call, "9" * 10, "rtp")
        press(bench, call, "12", "rtp")
        assert heard(bench) == [key]
        assert "5 wrong codes" in bench.told(events.SYSTEM_FAULT)[-1].data["reason"]


class TestOneEventForTheSameKeys:
    def test_of_two_sequences(self, bench: IntercomBench) -> None:
        sequence(bench, "1")
        with pytest.raises(ConflictError, match="is '1' already") as caught:
            sequence(bench, "1", event=event(bench))
        assert caught.value.field == "sequence"
        sequence(bench, "1", configured=True)

    def test_of_a_trigger_whoever_takes_the_other_one(self, bench: IntercomBench) -> None:
        pbx = account(bench, "PBX", **REGISTERED)
        sequence(bench, "1", accounts=(pbx,))
        with pytest.raises(InputError, match="is that of the DTMF sequence '1' already") as caught:
            sequence(bench, " 1", configured=True, unique=True)
        assert not isinstance(caught.value, ConflictError)
        key = sequence(bench, "a", configured=True, unique=True)
        dtmf = bench.intercom.accounts.dtmf
        with pytest.raises(InputError, match="already"):
            bench.do(lambda tx: dtmf.update_sequence(tx, key, {"sequence": "1"}, unique=True))
        assert bench.do(lambda tx: dtmf.update_sequence(tx, key, {"sequence": "a"}, unique=True)).sequence == "A"

    def test_of_a_configuration_and_an_account(self, bench: IntercomBench) -> None:
        pbx, other = account(bench, "PBX", **REGISTERED), account(bench, "Other", **REGISTERED)
        mine, theirs = sequence(bench, "1", accounts=(pbx,)), sequence(bench, "1", accounts=(other,))
        chosen = configuration(bench, theirs)
        with pytest.raises(ConflictError, match="for the SIP account 'PBX'") as caught:
            update(bench, "account", pbx, dtmf_configuration=chosen)
        assert caught.value.field == "dtmf_configuration"
        assert bench.intercom.accounts.account(pbx).dtmf_configuration == ""
        update(bench, "configuration", chosen, triggers=[])
        update(bench, "account", pbx, dtmf_configuration=chosen)
        with pytest.raises(ConflictError) as caught:
            update(bench, "configuration", chosen, triggers=[theirs])
        assert caught.value.field == "triggers"
        update(bench, "sequence", theirs, event=mine)  # now both are the same event
        update(bench, "configuration", chosen, triggers=[theirs])
        assert bench.intercom.accounts.keys_of(pbx) == {"1": mine}
        with pytest.raises(ConflictError) as caught:
            update(bench, "sequence", theirs, event="")
        assert caught.value.field == "sequence"

    def test_of_an_account_that_becomes_peer_to_peer(self, bench: IntercomBench) -> None:
        pbx = account(bench, "PBX", **REGISTERED)
        sequence(bench, "1", accounts=(pbx,))
        sequence(bench, "1", accounts=("peer-to-peer",))
        with pytest.raises(ConflictError) as caught:
            update(bench, "account", pbx, kind="peer_to_peer")
        assert caught.value.field == "kind"


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"event": "none"}, "event"),
            ({"event": "1"}, "event"),
            ({"configured": True, "accounts": ["peer-to-peer"]}, "accounts"),
            ({"description": ""}, "description"),
            ({"accounts": ["none"]}, "accounts[0]"),
            ({"event": 1}, "event"),
        ],
    )
    def test_of_a_sequence(self, bench: IntercomBench, patch: dict[str, Any], field: str) -> None:
        key = sequence(bench, "1")
        before = bench.ledger.store.records()
        with pytest.raises(InputError) as caught:
            update(bench, "sequence", key, **patch)
        assert caught.value.field == field
        assert bench.ledger.store.records() == before

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"triggers": ["none"]}, "triggers[0]"),
            ({"triggers": ["1", "1"]}, "triggers[1]"),
            ({"name": ""}, "name"),
            ({"name": "x" * 65}, "name"),
            ({"rtp_keys": 1}, "rtp_keys"),
        ],
    )
    def test_of_a_configuration(self, bench: IntercomBench, patch: dict[str, Any], field: str) -> None:
        key = configuration(bench, sequence(bench, "1"))
        before = bench.ledger.store.records()
        with pytest.raises(InputError) as caught:
            update(bench, "configuration", key, **patch)
        assert caught.value.field == field
        assert bench.ledger.store.records() == before

    def test_of_an_event(self, bench: IntercomBench) -> None:
        with pytest.raises(NotFoundError):
            update(bench, "event", "9")
        with pytest.raises(NotFoundError):
            remove(bench, "event", "9")
        for name in ("", " ", "x" * 65, "a\nb"):
            with pytest.raises(InputError):
                event(bench, name)

    def test_of_an_account(self, bench: IntercomBench) -> None:
        with pytest.raises(NotFoundError) as caught:
            update(bench, "account", "peer-to-peer", dtmf_configuration="9")
        assert caught.value.field == "dtmf_configuration"

    def test_too_many(self, bench: IntercomBench) -> None:
        for number in range(MAX_DTMF_EVENTS):
            event(bench, f"E{number}")
        with pytest.raises(LimitError):
            event(bench)


class TestIds:
    def test_no_event_has_the_id_of_a_sequence(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        event(bench, key="2")
        sequence(bench, "9", key="5", configured=True)
        made = [sequence(bench, "1"), event(bench), sequence(bench, "2"), event(bench), sequence(bench, "3")]
        assert made == ["1", "3", "4", "6", "7"]
        remove(bench, "sequence", "7")
        assert event(bench) == "8"  # rules may still wait for the one that is gone

    def test_a_sequence_with_the_id_of_an_event_needs_one(self, bench: IntercomBench) -> None:
        event(bench, key="a")
        sequence(bench, "1", key="a", configured=True, event="a")
        with pytest.raises(ConflictError) as caught:
            update(bench, "sequence", "a", event="", description="Own")
        assert caught.value.field == "event"

    def test_an_account_is_not_lost_to_the_next_number(self, bench: IntercomBench) -> None:
        accounts = bench.intercom.accounts
        bench.do(lambda tx: accounts.add_account(tx, SipAccountSpec(name="Chosen"), key="1"))
        assert account(bench, "Next") == "2"
        assert accounts.account("1").name == "Chosen"


class TestWhatIsUsedStays:
    def test_an_event_that_a_sequence_causes(self, bench: IntercomBench) -> None:
        opened = event(bench)
        key = sequence(bench, "1", event=opened, configured=True)
        with pytest.raises(ConflictError, match="'Unlock' is used by the DTMF sequence '1'"):
            remove(bench, "event", opened)
        remove(bench, "sequence", key)
        remove(bench, "event", opened)

    @pytest.mark.parametrize(
        "condition",
        [
            Condition(topic=events.CALL_DTMF, data={"DTMFEventId": "1"}),
            Condition(topic="tnsaxis:Call//.", content='boolean(//SimpleItem[@Name="DTMFEventId" and @Value="1"])'),
        ],
    )
    def test_an_event_that_a_rule_waits_for(self, bench: IntercomBench, dtmf: Dtmf, condition: Condition) -> None:
        rule = Rule(id="1", name="Open", conditions=(condition,), action=MakeCall(to="x"))
        dtmf.users.add(lambda key: rules_waiting((rule,), key))
        opened = event(bench)
        with pytest.raises(ConflictError, match="used by the rule 'Open'"):
            remove(bench, "event", opened)
        remove(bench, "event", event(bench))

    def test_a_trigger_whose_own_event_a_rule_waits_for(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        key = sequence(bench, "1")
        dtmf.users.add(lambda one: ("the rule 'Open'",) if one == key else ())
        with pytest.raises(ConflictError, match="used by the rule 'Open'"):
            remove(bench, "trigger", key)
        with pytest.raises(ConflictError, match="used by the rule 'Open'"):
            update(bench, "sequence", key, event=event(bench))
        remove(bench, "sequence", key)  # over REST as ever

    def test_a_sequence_that_a_configuration_names_and_that_which_an_account_has(self, bench: IntercomBench) -> None:
        key = sequence(bench, "1")
        chosen = configuration(bench, key)
        with pytest.raises(ConflictError, match="used by the DTMF configuration 'Front'"):
            remove(bench, "sequence", key)
        update(bench, "account", "peer-to-peer", dtmf_configuration=chosen)
        with pytest.raises(ConflictError, match="used by the SIP account 'Peer-to-peer'"):
            remove(bench, "configuration", chosen)
        update(bench, "account", "peer-to-peer", dtmf_configuration="")
        remove(bench, "configuration", chosen)
        remove(bench, "sequence", key)

    def test_what_was_made_for_an_account_goes_with_it_unless_it_is_used(
        self, bench: IntercomBench, dtmf: Dtmf
    ) -> None:
        pbx = account(bench, "PBX", **REGISTERED)
        gone, named, caused = (sequence(bench, keys, accounts=(pbx,)) for keys in "123")
        shared = sequence(bench, "4", accounts=(pbx, "peer-to-peer"))
        configuration(bench, named)
        other = sequence(bench, "5", event=caused)
        remove(bench, "account", pbx)
        assert sorted(dtmf.sequences) == sorted([named, caused, shared, other])
        assert gone not in dtmf.sequences
        assert dtmf.sequences[named].configured
        assert dtmf.sequences[shared].accounts == ("peer-to-peer",)
        assert dtmf.keys_of("peer-to-peer") == {"4": shared, "5": caused}


class TestConditions:
    def test_rules_choose_among_events_by_their_names(self, bench: IntercomBench) -> None:
        own = sequence(bench, "1", description="Gate")
        opened = event(bench, "Unlock door")
        sequence(bench, "2", event=opened)
        (kind,) = conditions(bench.intercom)
        item = kind.data[0]
        assert dict(zip(item.values, item.nice_values, strict=True)) == {own: "Gate", opened: "Unlock door"}

    def test_all_is_there_after_a_restart(self, bench: IntercomBench, dtmf: Dtmf) -> None:
        opened = event(bench)
        key = sequence(bench, "1", event=opened, configured=True)
        chosen = configuration(bench, key, info_keys=False)
        update(bench, "account", "peer-to-peer", dtmf_configuration=chosen)
        before = dict(dtmf.events), dict(dtmf.sequences), dict(dtmf.configurations)
        bench.ledger.load(bench.intercom.load)
        assert (dict(dtmf.events), dict(dtmf.sequences), dict(dtmf.configurations)) == before
        assert dtmf.keys_of("peer-to-peer") == {"1": opened}
