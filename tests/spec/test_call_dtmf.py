"""VAPIX Call service: DTMF triggers, events and configurations, and VMSCallConfiguration, statement by statement."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intercom_bench import IntercomBench
from stubs import FakeRequest

from axcore.interfaces.call import dtmf, vms
from axcore.interfaces.http.errors import ForbiddenError
from axcore.interfaces.http.rest import sip
from axcore.interfaces.http.vapix import call as vapix
from axcore.interfaces.http.vapix import services
from axcore.interfaces.soap import dispatch, names, xmlio
from axcore.model import events
from axcore.model.accounts import Role
from axcore.model.intercom import MAX_SEQUENCES, DtmfSequenceSpec
from axcore.services.intercom import conditions

SPACE = "http://www.axis.com/vapix/ws/call"
REST = {route.name: route for route in sip.ROUTES}
KINDS = ("DTMFTrigger", "DTMFEvent", "DTMFConfiguration")


class SoapRequest(FakeRequest):
    """A request with headers."""

    headers: ClassVar = {"Content-Type": "application/soap+xml; charset=utf-8"}


@pytest.fixture
def bench() -> IntercomBench:
    found = IntercomBench()
    found.controller = None  # type: ignore[attr-defined]
    return found


async def ask(bench: IntercomBench, method: str, args: Any = None, role: Role = Role.ADMIN) -> tuple[int, Any]:
    body = msgspec.json.encode({f"axcall:{method}": {} if args is None else args})
    answer = await vapix.serve(FakeRequest("", body=body, role=role), bench)  # type: ignore[arg-type]
    return answer.status, msgspec.json.decode(answer.body)  # type: ignore[arg-type]


async def good(bench: IntercomBench, method: str, args: Any = None) -> Any:
    status, found = await ask(bench, method, args)
    assert status == 200, found
    return found


async def refused(bench: IntercomBench, method: str, args: Any, field: str) -> Any:
    """The fault of a request that changes nothing."""
    before = bench.ledger.store.records()
    status, found = await ask(bench, method, args)
    assert (status, found["FaultReason"].split(":")[0]) == (400, field), found
    assert bench.ledger.store.records() == before
    return found


async def simple(bench: IntercomBench, method: str, **args: str) -> list[str]:
    query = urlencode({"format": "simple", "action": f"axcall:{method}", **args})
    request = FakeRequest(query)
    request.method = "GET"
    answer = await vapix.serve(request, bench)  # type: ignore[arg-type]
    assert answer.status == 200, answer.text
    assert answer.text is not None
    return answer.text.splitlines()


async def soap(bench: IntercomBench, method: str, content: str = "") -> xmlio.Element:
    body = (
        f'<s:Envelope xmlns:s="{names.SOAP12}" xmlns="{SPACE}"><s:Body><{method}>{content}</{method}></s:Body>'
        "</s:Envelope>"
    )
    request: Any = SoapRequest("", body=body.encode())
    answer = await dispatch.serve(services.table(bench), request, bench)  # type: ignore[arg-type]
    assert answer.status == 200, answer.body
    return xmlio.parse(answer.body).children[-1].children[0]


async def rest(bench: IntercomBench, name: str, data: Any = None, **path: str) -> tuple[int, Any]:
    raw = b"" if data is None else msgspec.json.encode({"data": data})
    answer: Any = await REST[name].handler(FakeRequest("", body=raw, **path), bench)  # type: ignore[arg-type]
    return answer.status, msgspec.json.decode(answer.body)


async def event(bench: IntercomBench, name: str = "Unlock door") -> str:
    return str((await good(bench, "SetDTMFEvent", {"DTMFEvent": {"Name": name}}))["DTMFEventId"])


async def trigger(bench: IntercomBench, sequence: str, event: str, **more: Any) -> str:
    args = {"DTMFTrigger": {"DTMFSequence": sequence, "DTMFEventId": event, **more}}
    return str((await good(bench, "SetDTMFTrigger", args))["DTMFTriggerId"])


async def configuration(bench: IntercomBench, *triggers: str, **more: Any) -> str:
    args = {"DTMFConfiguration": {"Name": "Front door", "DTMFTriggerId": triggers, **more}}
    return str((await good(bench, "SetDTMFConfiguration", args))["DTMFConfigurationId"])


async def record(bench: IntercomBench, kind: str) -> dict[str, Any]:
    """What makes a record of a kind."""
    if kind == "DTMFEvent":
        return {"Name": "Unlock door"}
    if kind == "DTMFTrigger":
        return {"DTMFSequence": "1#", "DTMFEventId": await event(bench)}
    return {"Name": "Front door"}


class TestTheSixMethods:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_life(self, bench: IntercomBench, kind: str) -> None:
        key, wanted = f"{kind}Id", await record(bench, kind)
        made = (await good(bench, f"Set{kind}", {kind: wanted}))[key]
        one = (await good(bench, f"Get{kind}", {key: made}))[kind]
        assert one == {**one, "Id": made, **wanted}
        assert one in (await good(bench, f"Get{kind}s"))[kind]
        assert (await good(bench, f"Set{kind}", {kind: one})) == {key: made}  # what was read can be sent back
        assert (await good(bench, f"Get{kind}", {key: made}))[kind] == one
        assert await good(bench, f"Remove{kind}", {key: made}) == {}
        assert one not in (await good(bench, f"Get{kind}s"))[kind]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_list_of_ids_passes_over_those_that_are_not_there(self, bench: IntercomBench, kind: str) -> None:
        key, wanted = f"{kind}Id", await record(bench, kind)
        made = (await good(bench, f"Set{kind}", {kind: wanted}))[key]
        every = (await good(bench, f"Get{kind}s"))[kind]
        assert (await good(bench, f"Get{kind}s", {key: []}))[kind] == every
        assert (await good(bench, f"Get{kind}s", {key: None}))[kind] == every
        found = (await good(bench, f"Get{kind}s", {key: ["none", made, made]}))[kind]
        assert [one["Id"] for one in found] == [made]
        assert await good(bench, f"Remove{kind}s", {key: ["none"]}) == {}
        await refused(bench, f"Remove{kind}s", {}, key)
        assert (await good(bench, f"Get{kind}s"))[kind] == every
        assert await good(bench, f"Remove{kind}s", {key: ["none", made]}) == {}
        assert made not in [one["Id"] for one in (await good(bench, f"Get{kind}s"))[kind]]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_what_is_not_there(self, bench: IntercomBench, kind: str) -> None:
        key = f"{kind}Id"
        fault = await refused(bench, f"Get{kind}", {key: "none"}, key)
        codes = (fault["Fault"], fault["FaultCode"], fault["FaultSubCode"])
        assert codes == ("env:Sender", "ter:InvalidArgVal", "ter:NotFound")
        assert await good(bench, f"Remove{kind}", {key: "none"}) == {}

    @pytest.mark.parametrize("kind", KINDS)
    async def test_an_unknown_id_makes_a_record_of_that_id(self, bench: IntercomBench, kind: str) -> None:
        wanted = await record(bench, kind)
        assert await good(bench, f"Set{kind}", {kind: {**wanted, "Id": "my-own_1"}}) == {f"{kind}Id": "my-own_1"}
        assert (await good(bench, f"Get{kind}", {f"{kind}Id": "my-own_1"}))[kind]["Id"] == "my-own_1"

    @pytest.mark.parametrize("kind", KINDS)
    async def test_all_or_none_of_several(self, bench: IntercomBench, kind: str) -> None:
        key, wanted = f"{kind}Id", await record(bench, kind)
        last = next(name for name in ("DTMFSequence", "Name") if name in wanted)
        bad = [{**wanted, "Id": "a"}, {**wanted, "Id": "b", last: "x" * 65}]
        await refused(bench, f"Set{kind}s", {kind: bad}, f"{kind}[1].{last}")
        several = [{**wanted, "Id": "a", last: "12"}, {**wanted, last: "34"}]
        made = (await good(bench, f"Set{kind}s", {kind: several}))[key]
        assert made[0] == "a"
        assert [one["Id"] for one in (await good(bench, f"Get{kind}s", {key: made}))[kind]] == made
        assert await good(bench, f"Set{kind}s", {kind: []}) == {key: []}
        assert await good(bench, f"Remove{kind}s", {key: made}) == {}

    @pytest.mark.parametrize("kind", KINDS)
    async def test_what_is_missing_or_wrong(self, bench: IntercomBench, kind: str) -> None:
        key, wanted = f"{kind}Id", await record(bench, kind)
        for name in wanted:
            less = {one: value for one, value in wanted.items() if one != name}
            await refused(bench, f"Set{kind}", {kind: less}, f"{kind}.{name}")
            await refused(bench, f"Set{kind}s", {kind: [less]}, f"{kind}[0].{name}")
            await refused(bench, f"Set{kind}", {kind: {**wanted, name: 7}}, f"{kind}.{name}")
        for method in (f"Set{kind}", f"Set{kind}s"):
            await refused(bench, method, {}, kind)
            await refused(bench, method, {kind: "x"}, kind)
        for bad in ("a b", "x" * 41, "a/b", "ä"):
            await refused(bench, f"Set{kind}", {kind: {**wanted, "Id": bad}}, f"{kind}.Id")
        await refused(bench, f"Set{kind}", {kind: {**wanted, "Sequence": "1"}}, f"{kind}.Sequence")
        await refused(bench, f"Set{kind}", {kind: wanted, "More": 1}, "More")
        await refused(bench, f"Get{kind}", {}, key)
        await refused(bench, f"Remove{kind}", {}, key)
        await refused(bench, f"Remove{kind}s", {key: [1]}, f"{key}[0]")

    @pytest.mark.parametrize("kind", KINDS)
    async def test_an_administrator_is_needed(self, bench: IntercomBench, kind: str) -> None:
        for verb in ("Get", "Set", "Remove"):
            for ending in ("", "s"):
                with pytest.raises(ForbiddenError):
                    await ask(bench, f"{verb}{kind}{ending}", {}, Role.OPERATOR)


class TestTriggers:
    @pytest.mark.parametrize("sequence", ["", "1", "0123456789ABCD*#", "#" * 64])
    async def test_a_sequence_has_0_to_64_keys(self, bench: IntercomBench, sequence: str) -> None:
        made = await trigger(bench, sequence, await event(bench))
        found = await good(bench, "GetDTMFTrigger", {"DTMFTriggerId": made})
        assert found["DTMFTrigger"]["DTMFSequence"] == sequence

    @pytest.mark.parametrize("sequence", ["E", "1 2", "#" * 65, "+49", "\u0661"])
    async def test_sequences_that_cannot_be(self, bench: IntercomBench, sequence: str) -> None:
        args = {"DTMFTrigger": {"DTMFSequence": sequence, "DTMFEventId": await event(bench)}}
        fault = await refused(bench, "SetDTMFTrigger", args, "DTMFTrigger.DTMFSequence")
        assert (fault["Fault"], fault["FaultCode"]) == ("env:Sender", "ter:InvalidArgVal")

    async def test_several_sequences_may_trigger_one_event(self, bench: IntercomBench) -> None:
        opened = await event(bench)
        assert await trigger(bench, "1", opened) != await trigger(bench, "2", opened)

    async def test_a_sequence_triggers_one_event_only(self, bench: IntercomBench) -> None:
        one, two = await event(bench, "One"), await event(bench, "Two")
        first, second = await trigger(bench, "1", one), await trigger(bench, "2", one)
        for other in (one, two):
            args = {"DTMFTrigger": {"DTMFSequence": "1", "DTMFEventId": other}}
            fault = await refused(bench, "SetDTMFTrigger", args, "DTMFTrigger.DTMFSequence")
            assert (fault["Fault"], fault["FaultCode"]) == ("env:Sender", "ter:InvalidArgVal")
        args = {"DTMFTrigger": {"Id": second, "DTMFSequence": "1"}}
        await refused(bench, "SetDTMFTrigger", args, "DTMFTrigger.DTMFSequence")
        await good(bench, "SetDTMFTrigger", {"DTMFTrigger": {"Id": first, "DTMFSequence": "1"}})

    async def test_a_trigger_may_be_updated_with_only_some_fields(self, bench: IntercomBench) -> None:
        one, two = await event(bench, "One"), await event(bench, "Two")
        made = await trigger(bench, "1", one)
        await good(bench, "SetDTMFTrigger", {"DTMFTrigger": {"Id": made, "DTMFEventId": two}})
        found = (await good(bench, "GetDTMFTrigger", {"DTMFTriggerId": made}))["DTMFTrigger"]
        assert found == {"Id": made, "DTMFSequence": "1", "DTMFEventId": two}

    @pytest.mark.parametrize("bad", ["none", "", None])
    async def test_an_event_that_is_not_there(self, bench: IntercomBench, bad: Any) -> None:
        made = await trigger(bench, "1", await event(bench))
        for args in ({"Id": made, "DTMFEventId": bad}, {"DTMFSequence": "2", "DTMFEventId": bad}):
            await refused(bench, "SetDTMFTrigger", {"DTMFTrigger": args}, "DTMFTrigger.DTMFEventId")

    async def test_a_trigger_counts_for_accounts_whose_configuration_names_it(self, bench: IntercomBench) -> None:
        opened = await event(bench)
        made = await trigger(bench, "1", opened)
        assert bench.intercom.accounts.keys_of("peer-to-peer") == {}
        account = {"Id": "peer-to-peer", "DTMFConfigurationId": await configuration(bench, made)}
        await good(bench, "SetSIPAccount", {"SIPAccount": account})
        assert bench.intercom.accounts.keys_of("peer-to-peer") == {"1": opened}

    async def test_what_is_used_is_not_removed(self, bench: IntercomBench) -> None:
        opened = await event(bench)
        made = await trigger(bench, "1", opened)
        named = await configuration(bench, made)
        account = {"Id": "peer-to-peer", "DTMFConfigurationId": named}
        await good(bench, "SetSIPAccount", {"SIPAccount": account})
        for kind, key, user in (
            ("DTMFEvent", opened, "the DTMF sequence '1'"),
            ("DTMFTrigger", made, "the DTMF configuration 'Front door'"),
            ("DTMFConfiguration", named, "the SIP account 'Peer-to-peer'"),
        ):
            for method, keys in ((f"Remove{kind}", key), (f"Remove{kind}s", ["none", key])):
                fault = await refused(bench, method, {f"{kind}Id": keys}, f"{kind}Id")
                codes = (fault["Fault"], fault["FaultCode"], fault["FaultSubCode"])
                assert codes == ("env:Receiver", "ter:Action", "ter:Failure")
                assert user in fault["FaultReason"]


class TestEvents:
    async def test_the_name_is_the_nice_name_of_the_value_in_event_instances(self, bench: IntercomBench) -> None:
        opened = await event(bench, "Unlock door")
        await good(bench, "SetDTMFEvent", {"DTMFEvent": {"Id": opened, "Name": "Unlock gate"}})
        await good(bench, "SetDTMFEvent", {"DTMFEvent": {"Id": opened}})
        (kind,) = conditions(bench.intercom)
        assert (kind.topic, kind.data[0].name) == (events.CALL_DTMF, "DTMFEventId")
        assert (kind.data[0].values, kind.data[0].nice_values) == ((opened,), ("Unlock gate",))

    @pytest.mark.parametrize("name", ["", None, "x" * 65, "a\nb"])
    async def test_names_that_cannot_be(self, bench: IntercomBench, name: Any) -> None:
        await refused(bench, "SetDTMFEvent", {"DTMFEvent": {"Name": name}}, "DTMFEvent.Name")


class TestConfigurations:
    async def test_both_ways_are_taken_by_default(self, bench: IntercomBench) -> None:
        made = await configuration(bench)
        found = (await good(bench, "GetDTMFConfiguration", {"DTMFConfigurationId": made}))["DTMFConfiguration"]
        assert found == {"Id": made, "Name": "Front door", "DTMFTriggerId": [], "RFC2833": True, "RFC2976": True}

    async def test_what_is_not_given_stays(self, bench: IntercomBench) -> None:
        opened = await event(bench)
        keys = [await trigger(bench, digit, opened) for digit in "12"]
        made = await configuration(bench, *keys, RFC2976=False)
        before = (await good(bench, "GetDTMFConfigurations"))["DTMFConfiguration"]
        await good(bench, "SetDTMFConfiguration", {"DTMFConfiguration": {"Id": made, "RFC2833": None}})
        assert (await good(bench, "GetDTMFConfigurations"))["DTMFConfiguration"] == before
        await good(bench, "SetDTMFConfiguration", {"DTMFConfiguration": {"Id": made, "DTMFTriggerId": None}})
        (found,) = (await good(bench, "GetDTMFConfigurations"))["DTMFConfiguration"]
        assert found == {**before[0], "DTMFTriggerId": []}

    async def test_many_accounts_may_share_one(self, bench: IntercomBench) -> None:
        made = await configuration(bench, await trigger(bench, "1", await event(bench)))
        for key in ("a", "b"):
            wanted = {"Id": key, "UserId": key, "Registrar": "pbx", "Password": "x", "DTMFConfigurationId": made}
            await good(bench, "SetSIPAccount", {"SIPAccount": wanted})
        for key in ("a", "b"):
            assert bench.intercom.accounts.account(key).dtmf_configuration == made
            assert len(bench.intercom.accounts.keys_of(key)) == 1

    async def test_triggers_that_cannot_be(self, bench: IntercomBench) -> None:
        made = await trigger(bench, "1", await event(bench))
        for keys, field in ((["none"], "[0]"), ([made, "none"], "[1]"), ([made, made], "[1]"), ([1], "[0]")):
            args = {"DTMFConfiguration": {"Name": "x", "DTMFTriggerId": keys}}
            await refused(bench, "SetDTMFConfiguration", args, f"DTMFConfiguration.DTMFTriggerId{field}")

    async def test_there_are_as_many_triggers_as_there_can_be(self, bench: IntercomBench) -> None:
        opened = await event(bench)
        wanted = [{"DTMFSequence": f"{number}#", "DTMFEventId": opened} for number in range(MAX_SEQUENCES)]
        made = (await good(bench, "SetDTMFTriggers", {"DTMFTrigger": wanted}))["DTMFTriggerId"]
        await configuration(bench, *made)
        args = {"DTMFConfiguration": {"Name": "x", "DTMFTriggerId": [*made, "none"]}}
        await refused(bench, "SetDTMFConfiguration", args, "DTMFConfiguration.DTMFTriggerId")


class TestListsBySoap:
    async def test_a_configuration_with_several_triggers(self, bench: IntercomBench) -> None:
        opened = await event(bench)
        keys = [await trigger(bench, digits, opened) for digits in ("1", "2")]
        record = "<DTMFConfiguration><Name>Front door</Name>{}<RFC2976>false</RFC2976></DTMFConfiguration>"
        wanted = record.format("".join(f"<DTMFTriggerId>{key}</DTMFTriggerId>" for key in keys))
        made = (await soap(bench, "SetDTMFConfiguration", wanted)).value("DTMFConfigurationId")
        told = (await soap(bench, "GetDTMFConfiguration", f"<DTMFConfigurationId>{made}</DTMFConfigurationId>")).first(
            "DTMFConfiguration"
        )
        assert told is not None
        assert [one.text for one in told.all("DTMFTriggerId")] == keys
        assert (told.value("RFC2833"), told.value("RFC2976")) == ("true", "false")
        one = f"<DTMFTriggerId>{keys[1]}</DTMFTriggerId>"
        await soap(bench, "SetDTMFConfiguration", f"<DTMFConfiguration><Id>{made}</Id>{one}</DTMFConfiguration>")
        assert bench.intercom.accounts.dtmf.configuration(str(made)).triggers == (keys[1],)
        none = f"<DTMFConfiguration><Id>{made}</Id><DTMFTriggerId/></DTMFConfiguration>"
        await soap(bench, "SetDTMFConfiguration", none)
        assert bench.intercom.accounts.dtmf.configuration(str(made)).triggers == ()

    async def test_triggers_are_set_told_and_removed_by_lists(self, bench: IntercomBench) -> None:
        opened = await event(bench)
        record = "<DTMFTrigger><DTMFSequence>{}</DTMFSequence><DTMFEventId>{}</DTMFEventId></DTMFTrigger>"
        several = "".join(record.format(digits, opened) for digits in ("1", "2#", "30"))
        keys = [one.text for one in (await soap(bench, "SetDTMFTriggers", several)).all("DTMFTriggerId")]
        assert len(keys) == 3

        async def told(*wanted: str) -> list[tuple[str | None, ...]]:
            args = "".join(f"<DTMFTriggerId>{key}</DTMFTriggerId>" for key in wanted)
            found = (await soap(bench, "GetDTMFTriggers", args)).all("DTMFTrigger")
            return [tuple(one.value(name) for name in ("Id", "DTMFSequence", "DTMFEventId")) for one in found]

        every = list(zip(keys, ("1", "2#", "30"), [opened] * 3, strict=True))
        assert await told() == every
        assert await told("") == every
        assert await told(keys[2], "none", keys[0]) == [every[2], every[0]]
        gone = "".join(f"<DTMFTriggerId>{key}</DTMFTriggerId>" for key in ("none", *keys[:2]))
        await soap(bench, "RemoveDTMFTriggers", gone)
        assert await told() == every[2:]
        await soap(bench, "RemoveDTMFTriggers", "<DTMFTriggerId/>")
        assert await told() == every[2:]


class TestBesideRest:
    async def test_a_sequence_of_rest_is_a_trigger_and_an_event(self, bench: IntercomBench) -> None:
        made = (await rest(bench, "dtmf.add", {"sequence": "5", "description": "Gate"}))[1]["data"]["id"]
        (told,) = (await good(bench, "GetDTMFTriggers"))["DTMFTrigger"]
        assert told == {"Id": made, "DTMFSequence": "5", "DTMFEventId": made}
        assert (await good(bench, "GetDTMFEvents"))["DTMFEvent"] == [{"Id": made, "Name": "Gate"}]
        assert await good(bench, "SetDTMFTrigger", {"DTMFTrigger": told}) == {"DTMFTriggerId": made}
        await good(bench, "SetDTMFEvent", {"DTMFEvent": {"Id": made, "Name": "Garage"}})
        found = (await rest(bench, "dtmf.get", id=made))[1]["data"]
        assert (found["description"], found["event"], found["configured"]) == ("Garage", "", False)
        fault = await refused(bench, "RemoveDTMFEvent", {"DTMFEventId": made}, "DTMFEventId")
        assert "the DTMF sequence '5'" in fault["FaultReason"]

    async def test_it_still_counts_for_its_accounts_when_a_trigger_causes_its_event(self, bench: IntercomBench) -> None:
        spec = DtmfSequenceSpec(sequence="5", description="Gate")
        made = bench.do(lambda tx: bench.intercom.accounts.add_sequence(tx, spec)).id
        other = await trigger(bench, "6", made)
        assert bench.intercom.accounts.keys_of("peer-to-peer") == {"5": made}
        assert (await rest(bench, "dtmf.remove", id=made))[0] == 409
        assert await good(bench, "RemoveDTMFTriggers", {"DTMFTriggerId": [made, other]}) == {}  # whatever their order

    async def test_the_keys_of_any_other_sequence_are_refused(self, bench: IntercomBench) -> None:
        await rest(bench, "dtmf.add", {"sequence": "5", "description": "Gate"})
        args = {"DTMFTrigger": {"DTMFSequence": "5", "DTMFEventId": await event(bench)}}
        await refused(bench, "SetDTMFTrigger", args, "DTMFTrigger.DTMFSequence")

    async def test_an_account_tells_and_takes_its_configuration(self, bench: IntercomBench) -> None:
        made = await configuration(bench)
        status, found = await rest(bench, "sip-accounts.update", {"dtmf_configuration": made}, id="peer-to-peer")
        assert (status, found["data"]["dtmf_configuration"]) == (200, made)
        status, found = await rest(bench, "sip-accounts.update", {"dtmf_configuration": "no"}, id="peer-to-peer")
        assert (status, found["error"]["field"]) == (404, "dtmf_configuration")
        (account,) = (await good(bench, "GetSIPAccounts"))["SIPAccount"]
        assert account["DTMFConfigurationId"] == made


class TestOtherForms:
    async def test_the_simple_form(self, bench: IntercomBench) -> None:
        assert await simple(bench, "SetDTMFEvent", DTMFEvent_Name="1234") == ['DTMFEventId="1"']
        fields = {"DTMFTrigger_DTMFSequence": "12", "DTMFTrigger_DTMFEventId": '"1"'}
        assert await simple(bench, "SetDTMFTrigger", **fields) == ['DTMFTriggerId="2"']
        several = {"DTMFTrigger_0_Id": "x", "DTMFTrigger_0_DTMFSequence": "7", "DTMFTrigger_0_DTMFEventId": "1"}
        assert await simple(bench, "SetDTMFTriggers", **several) == ['DTMFTriggerId_0_="x"']
        fields = {
            "DTMFConfiguration_Name": "Front",
            "DTMFConfiguration_DTMFTriggerId_0": "2",
            "DTMFConfiguration_DTMFTriggerId_1": "x",
            "DTMFConfiguration_RFC2833": "true",
            "DTMFConfiguration_RFC2976": "false",
        }
        assert await simple(bench, "SetDTMFConfiguration", **fields) == ['DTMFConfigurationId="1"']
        assert await simple(bench, "GetDTMFConfiguration", DTMFConfigurationId="1") == [
            'DTMFConfiguration_Id="1"',
            'DTMFConfiguration_Name="Front"',
            'DTMFConfiguration_DTMFTriggerId_0_="2"',
            'DTMFConfiguration_DTMFTriggerId_1_="x"',
            "DTMFConfiguration_RFC2833=true",
            "DTMFConfiguration_RFC2976=false",
        ]
        assert await simple(bench, "GetDTMFTriggers", DTMFTriggerId_0="x") == [
            'DTMFTrigger_0_Id="x"',
            'DTMFTrigger_0_DTMFSequence="7"',
            'DTMFTrigger_0_DTMFEventId="1"',
        ]
        assert await simple(bench, "RemoveDTMFConfiguration", DTMFConfigurationId='"1"') == []
        assert await simple(bench, "RemoveDTMFTriggers", DTMFTriggerId_0="x", DTMFTriggerId_1="2") == []

    async def test_soap(self, bench: IntercomBench) -> None:
        made = await soap(bench, "SetDTMFEvent", "<DTMFEvent><Name>Unlock door</Name></DTMFEvent>")
        key = made.value("DTMFEventId")
        content = f"<DTMFSequence>1</DTMFSequence><DTMFEventId>{key}</DTMFEventId>"
        made = await soap(bench, "SetDTMFTrigger", f"<DTMFTrigger>{content}</DTMFTrigger>")
        content = f"<DTMFTriggerId>{made.value('DTMFTriggerId')}</DTMFTriggerId>"
        found = (await soap(bench, "GetDTMFTrigger", content)).children[0]
        assert (found.name, found.value("DTMFSequence"), found.value("DTMFEventId")) == ("DTMFTrigger", "1", key)
        found = await soap(bench, "GetDTMFEvents")
        assert [one.value("Name") for one in found.all("DTMFEvent")] == ["Unlock door"]
        await soap(bench, "RemoveDTMFTrigger", content)
        await soap(bench, "RemoveDTMFEvent", f"<DTMFEventId>{key}</DTMFEventId>")
        assert (await good(bench, "GetDTMFEvents"))["DTMFEvent"] == []


class TestVmsCallConfiguration:
    DEFAULTS: ClassVar[dict[str, Any]] = {
        "Enabled": True,
        "AudioFromDeviceToNetworkStreams": 0,
        "AudioFromNetworkToDeviceStreams": 1,
        "VideoFromDeviceToNetworkStreams": 0,
        "Timeout": 30,
    }

    async def test_defaults(self, bench: IntercomBench) -> None:
        assert await good(bench, "GetVMSCallConfiguration") == {"VMSCallConfiguration": self.DEFAULTS}

    async def test_what_is_not_given_stays(self, bench: IntercomBench) -> None:
        for number, name in enumerate(self.DEFAULTS):
            value = False if name == "Enabled" else 40 + number
            change = {**dict.fromkeys(self.DEFAULTS), name: value} if number % 2 else {name: value}
            assert await good(bench, "SetVMSCallConfiguration", {"VMSCallConfiguration": change}) == {}
        assert (await good(bench, "GetVMSCallConfiguration"))["VMSCallConfiguration"] == {
            "Enabled": False,
            "AudioFromDeviceToNetworkStreams": 41,
            "AudioFromNetworkToDeviceStreams": 42,
            "VideoFromDeviceToNetworkStreams": 43,
            "Timeout": 44,
        }

    async def test_the_other_forms(self, bench: IntercomBench) -> None:
        fields = {"VMSCallConfiguration_VideoFromDeviceToNetworkStreams": "-1", "VMSCallConfiguration_Enabled": "false"}
        assert await simple(bench, "SetVMSCallConfiguration", **fields) == []
        found = (await soap(bench, "GetVMSCallConfiguration")).children[0]
        assert found.value("VideoFromDeviceToNetworkStreams") == "-1"
        assert found.value("Enabled") == "false"
        content = "<AudioFromDeviceToNetworkStreams>3</AudioFromDeviceToNetworkStreams>"
        await soap(bench, "SetVMSCallConfiguration", f"<VMSCallConfiguration>{content}</VMSCallConfiguration>")
        assert "VMSCallConfiguration_AudioFromDeviceToNetworkStreams=3" in await simple(
            bench, "GetVMSCallConfiguration"
        )

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"Timeout": 0}, "Timeout"),
            ({"Timeout": 601}, "Timeout"),
            ({"Timeout": "30"}, "Timeout"),
            ({"Enabled": 1}, "Enabled"),
            ({"AudioFromDeviceToNetworkStreams": 2**31}, "AudioFromDeviceToNetworkStreams"),
            ({"AudioFromNetworkToDeviceStreams": 1.5}, "AudioFromNetworkToDeviceStreams"),
            ({"VideoFromDeviceToNetworkStreams": "1"}, "VideoFromDeviceToNetworkStreams"),
            ({"Active": True}, "Active"),
        ],
    )
    async def test_what_cannot_be(self, bench: IntercomBench, change: Any, field: str) -> None:
        args = {"VMSCallConfiguration": {"AudioFromDeviceToNetworkStreams": 5, **change}}
        await refused(bench, "SetVMSCallConfiguration", args, f"VMSCallConfiguration.{field}")

    async def test_the_whole_is_needed(self, bench: IntercomBench) -> None:
        await refused(bench, "SetVMSCallConfiguration", {}, "VMSCallConfiguration")
        await refused(bench, "SetVMSCallConfiguration", {"VMSCallConfiguration": 1}, "VMSCallConfiguration")
        await refused(bench, "GetVMSCallConfiguration", {"x": 1}, "x")


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KINDS, *(f"{kind}Id" for kind in KINDS), "Id", "Name", "DTMFSequence", "RFC2833",
                             "RFC2976", "VMSCallConfiguration", "Timeout", "Enabled", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted({**dtmf.METHODS, **vms.METHODS})), NESTED)
async def test_any_arguments_are_done_or_a_fault_that_changes_nothing(
    bench: IntercomBench, method: str, args: Any
) -> None:
    before = bench.ledger.store.records()
    status, found = await ask(bench, method, args)
    assert status in (200, 400)
    if status == 400:
        assert found["Fault"] in ("env:Sender", "env:Receiver")
        assert found["FaultReason"]
        assert bench.ledger.store.records() == before
