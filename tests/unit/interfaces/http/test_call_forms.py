"""The Call service in its three forms: one service, one answer, one fault."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from call_service import SPACE, by_json, by_simple, by_soap, fault_codes, new_bench
from hypothesis import given
from hypothesis import strategies as st
from intercom_bench import IntercomBench
from stubs import FakeRequest

from axcore.errors import InputError
from axcore.interfaces.call import simple, soap
from axcore.interfaces.http.errors import BadRequestError, ForbiddenError
from axcore.interfaces.http.forms import parse_urlencoded
from axcore.interfaces.http.vapix import call as vapix
from axcore.model.accounts import Role

NAMES = st.from_regex(r"[A-Z][a-z]{1,6}", fullmatch=True)


@pytest.fixture
def bench() -> IntercomBench:
    return new_bench()


class TestOneService:
    async def test_a_call_in_each_form(self, bench: IntercomBench) -> None:
        assert await by_json(bench, "Call", {"To": "sip:ada@10.0.0.2"}) == (200, {"CallId": "1"})
        status, lines = await by_simple(bench, "GetCallStatus", CallId='"1"')
        assert status == 200
        assert 'CallStatus_CallId="1"' in lines
        assert 'CallStatus_CallState="Calling"' in lines
        status, found = await by_soap(bench, "GetCallStatuses")
        assert (status, found.name, found.namespace) == (200, "GetCallStatusesResponse", SPACE)
        assert [one.value("CallId") for one in found.all("CallStatus")] == ["1"]
        assert (await by_soap(bench, "TerminateCall", "<axcall:CallId>1</axcall:CallId>"))[0] == 200
        bench.end("1.0", 1, 487)
        assert await by_simple(bench, "Call", To="VMS_CALL", get=False) == (200, ['CallId="2"'])
        _, told = await by_json(bench, "GetCallStatus", {"CallId": "2"})
        assert told["CallStatus"]["CallType"] == "VMS"

    async def test_settings_in_each_form(self, bench: IntercomBench) -> None:
        args = {
            "SIPConfiguration_CallingTimeout": "30",
            "SIPConfiguration_SIPPort": "0",
            "SIPConfiguration_AccessList_0": '"1001"',
            "SIPConfiguration_AccessList_1": "pbx.example",
            "SIPConfiguration_ApplyAccessList": "true",
            "SIPConfiguration_AccessListPolicy": "Block",
        }
        assert await by_simple(bench, "SetSIPConfiguration", **args) == (200, [])
        _, found = await by_soap(bench, "GetSIPConfiguration")
        told = found.children[0]
        assert [one.text for one in told.all("AccessList")] == ["1001", "pbx.example"]
        assert (told.value("CallingTimeout"), told.value("ApplyAccessList")) == ("30", "true")
        parts = "<axcall:AccessList/><axcall:SIPEnabled>true</axcall:SIPEnabled>"
        content = f"<axcall:SIPConfiguration>{parts}</axcall:SIPConfiguration>"
        assert (await by_soap(bench, "SetSIPConfiguration", content))[0] == 200
        _, found_json = await by_json(bench, "GetSIPConfiguration", {})
        assert found_json["SIPConfiguration"]["AccessList"] == []
        assert "SIPConfiguration_CallingTimeout=30" in (await by_simple(bench, "GetSIPConfiguration"))[1]
        _, lines = await by_simple(bench, "GetAudioCodecs")
        assert lines[:2] == ['AudioCodec_0_Name="PCMU"', "AudioCodec_0_SampleRate=8000"]

    async def test_an_account_by_soap(self, bench: IntercomBench) -> None:
        content = (
            "<axcall:SIPAccount><axcall:Name>1001</axcall:Name><axcall:UserId>2000</axcall:UserId>"
            "<axcall:Registrar>pbx.example</axcall:Registrar><axcall:SIPProxies><axcall:Server>10.0.0.9"
            "</axcall:Server></axcall:SIPProxies></axcall:SIPAccount>"
        )
        status, found = await by_soap(bench, "SetSIPAccount", content)
        assert status == 200
        key = found.value("SIPAccountId")
        account = bench.intercom.accounts.account(str(key))
        assert (account.name, account.user_id, account.proxies[0].address) == ("1001", "2000", "10.0.0.9")
        told = (await by_simple(bench, "GetSIPAccount", SIPAccountId=str(key)))[1]
        assert 'SIPAccount_SIPProxies_0_Server="10.0.0.9"' in told

    async def test_sip_secure_by_soap_and_the_simple_form(self, bench: IntercomBench) -> None:
        content = (
            "<axcall:SIPAccount><axcall:Transport>tls</axcall:Transport><axcall:SIPSEnabled>true</axcall:SIPSEnabled>"
            "</axcall:SIPAccount>"
        )
        status, found = await by_soap(bench, "SetSIPAccount", content)
        key = str(found.value("SIPAccountId"))
        assert status == 200
        assert bench.intercom.accounts.account(key).sips
        assert "SIPAccount_SIPSEnabled=true" in (await by_simple(bench, "GetSIPAccount", SIPAccountId=key))[1]
        fields = {"SIPAccount_Id": key, "SIPAccount_SIPSEnabled": "false"}
        assert (await by_simple(bench, "SetSIPAccount", **fields))[0] == 200
        assert not bench.intercom.accounts.account(key).sips

    async def test_vms_calls(self, bench: IntercomBench) -> None:
        assert (await by_simple(bench, "SetVMSCallConfiguration", VMSCallConfiguration_Timeout="45"))[0] == 200
        _, found = await by_json(bench, "GetVMSCallConfiguration", {})
        assert found["VMSCallConfiguration"]["Enabled"] is True
        assert found["VMSCallConfiguration"]["Timeout"] == 45

    @pytest.mark.parametrize("space", soap.NAMESPACES)
    async def test_namespaces_that_clients_may_mean(self, bench: IntercomBench, space: str) -> None:
        status, found = await by_soap(bench, "GetServiceCapabilities", space=space)
        assert (status, found.namespace) == (200, space)


class TestOneFault:
    @pytest.mark.parametrize(
        ("method", "args", "codes"),
        [
            ("GetCallStatus", {"CallId": "77"}, ("Sender", "ter:InvalidArgVal", "ter:NotFound")),
            ("Call", {"To": "sip:@@"}, ("Sender", "ter:InvalidArgVal", "ter:InvalidArgVal")),
            ("Call", {}, ("Sender", "ter:InvalidArgs", None)),
            ("Call", {"To": "VMS_CALL", "Nonsense": "1"}, ("Sender", "ter:InvalidArgVal", "ter:InvalidArgVal")),
            ("RemoveSIPAccount", {"SIPAccountId": "peer-to-peer"}, ("Receiver", "ter:Action", "ter:Failure")),
        ],
    )
    async def test_the_same_in_each_form(
        self, bench: IntercomBench, method: str, args: dict[str, str], codes: tuple[str, str, str | None]
    ) -> None:
        who, code, sub = codes
        status, told = await by_json(bench, method, args)
        assert (status, told["Fault"], told["FaultCode"], told["FaultSubCode"]) == (400, f"env:{who}", code, sub)
        status, lines = await by_simple(bench, method, **args)
        assert status == 400
        assert lines[:3] == [
            f'Fault="env:{who}"',
            f'FaultCode="{code}"',
            f'FaultSubCode="{sub}"' if sub else "FaultSubCode=null",
        ]
        assert parse_urlencoded(lines[3]).fields == (("FaultReason", f'"{told["FaultReason"]}"'),)
        content = "".join(f"<axcall:{name}>{value}</axcall:{name}>" for name, value in args.items())
        status, fault = await by_soap(bench, method, content)
        assert (status, fault.name) == (400, "Fault")
        assert fault_codes(fault) == [f"SOAP-ENV:{who}", code, *([sub] if sub else [])]

    async def test_methods_that_there_are_not(self, bench: IntercomBench) -> None:
        assert (await by_simple(bench, "Nonsense"))[1][1] == 'FaultCode="ter:ActionNotSupported"'
        assert (await by_json(bench, "Nonsense", {}))[1]["FaultCode"] == "ter:ActionNotSupported"
        status, fault = await by_soap(bench, "Nonsense")
        assert status == 400
        assert fault_codes(fault) == ["SOAP-ENV:Receiver", "ter:ActionNotSupported", "ter:NotSupported"]

    async def test_get_is_for_the_simple_form(self, bench: IntercomBench) -> None:
        request = FakeRequest("")
        request.method = "GET"
        assert (await vapix.serve(request, bench)).status == 400  # type: ignore[arg-type]

    async def test_who_may_not_is_told_so_in_each_form(self, bench: IntercomBench) -> None:
        with pytest.raises(ForbiddenError):
            await by_json(bench, "GetSIPAccounts", {}, Role.OPERATOR)
        with pytest.raises(ForbiddenError):
            await by_simple(bench, "GetSIPAccounts", Role.OPERATOR)
        with pytest.raises(ForbiddenError):
            await by_soap(bench, "Call", "<axcall:To>VMS_CALL</axcall:To>", role=Role.VIEWER)


class TestLists:
    @pytest.mark.parametrize(
        ("name", "inside", "several"),
        [
            ("SIPAccountId", "GetSIPAccounts", True),
            ("SIPAccountId", "GetSIPAccountStatuses", True),
            ("SIPAccountId", "GetSIPAccount", False),
            ("SIPAccountId", "GetSIPAccountStatus", False),
            ("SIPAccount", "SetSIPAccounts", True),
            ("SIPAccount", "SetSIPAccount", False),
            ("CallId", "GetCallStatuses", True),
            ("CallId", "GetCallStatus", False),
            ("DTMFTriggerId", "RemoveDTMFTriggers", True),
            ("DTMFTriggerId", "RemoveDTMFTrigger", False),
            ("DTMFTriggerId", "DTMFConfiguration", True),
            ("DTMFEventId", "DTMFTrigger", False),
            ("AccessList", "SIPConfiguration", True),
            ("Name", "GetSIPAccounts", False),
        ],
    )
    def test_what_is_a_list_depends_on_the_method(self, name: str, inside: str, several: bool) -> None:
        assert simple.is_list(name, inside) is several

    async def test_an_element_or_a_name_that_is_there_twice_and_is_no_list(self, bench: IntercomBench) -> None:
        status, fault = await by_soap(bench, "GetCallStatus", "<axcall:CallId>1</axcall:CallId>" * 2)
        assert (status, fault_codes(fault)[1:]) == (400, ["ter:InvalidArgVal", "ter:InvalidArgVal"])


class TestSimpleForm:
    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ([("SIPConfiguration_SIPPort", "many")], "SIPPort"),
            ([("SIPConfiguration_SIPEnabled", "perhaps")], "SIPEnabled"),
            ([("A", "1"), ("A", "2")], "A"),
            ([("A", "1"), ("A_B", "2")], "A_B"),
            ([("A_B", "1"), ("A", "2")], "A"),
            ([("A__B", "1")], "A__B"),
            ([("", "1")], ""),
            ([("A_0_B_1_C_2_D", "1")], "A_0_B_1_C_2_D"),
            ([("A_1", "x")], "A"),
            ([("A_0", "x"), ("A_00", "y")], "A"),
        ],
    )
    def test_names_and_values_that_cannot_be(self, fields: list[tuple[str, str]], field: str) -> None:
        with pytest.raises(InputError) as caught:
            simple.read(fields)
        assert caught.value.field == field

    @pytest.mark.parametrize("digits", [10, 4301, 8000])
    async def test_numbers_of_entries_that_are_too_long_are_a_fault(self, bench: IntercomBench, digits: int) -> None:
        args = {f"SIPConfiguration_AccessList_{'1' * digits}_": "1001"}
        status, lines = await by_simple(bench, "SetSIPConfiguration", get=False, **args)
        assert status == 400
        assert 'FaultCode="ter:InvalidArgVal"' in lines

    def test_values(self) -> None:
        found = simple.read([("A_To", "1001"), ("A_SIPPort", "5060"), ("B", "null"), ("C", '"a "b" \\"')])
        assert found == {"A": {"To": "1001", "SIPPort": 5060}, "B": None, "C": 'a "b" \\'}

    @given(
        st.recursive(
            st.none() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3)
            ),
            max_leaves=6,
        ).filter(lambda value: isinstance(value, dict)),
        st.booleans(),
        st.integers(-(10**14), 10**14),
    )
    def test_what_is_written_is_one_line_a_value_and_is_read_back(self, answer: Any, flag: bool, number: int) -> None:
        answer = {**answer, "Enabled": flag, "SIPPort": number}
        lines = simple.write(answer).split("\n")[:-1]
        assert all(line.isascii() and line.isprintable() for line in lines)
        try:
            fields = parse_urlencoded("&".join(lines)).fields
            found = simple.read(fields)
        except BadRequestError:
            assert "%00" in "".join(lines)  # refused in every query
        except InputError:
            assert any(name.count("_") >= simple.MAX_LEVELS for name, _ in fields)
        else:
            assert found == answer

    @given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=10)), max_size=8))
    def test_any_names_and_values_are_read_or_an_input_error(self, fields: list[tuple[str, str]]) -> None:
        with contextlib.suppress(InputError):
            assert isinstance(simple.read(fields), dict)
