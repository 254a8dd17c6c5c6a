"""The Call service in its three forms: one service, one answer, one fault."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intercom_bench import IntercomBench
from stubs import FakeRequest

from axcore.errors import InputError
from axcore.interfaces.call import simple, soap
from axcore.interfaces.http.errors import ForbiddenError
from axcore.interfaces.http.vapix import call as vapix
from axcore.interfaces.http.vapix import services
from axcore.interfaces.soap import dispatch, names, xmlio
from axcore.model.accounts import Role

NAMES = st.from_regex(r"[A-Z][a-z]{1,6}", fullmatch=True)
SPACE = soap.NAMESPACES[0]


class SoapRequest(FakeRequest):
    """A request with headers."""

    headers: ClassVar = {"Content-Type": "application/soap+xml; charset=utf-8"}


@pytest.fixture
def bench() -> IntercomBench:
    found = IntercomBench()
    found.controller = None  # type: ignore[attr-defined]
    return found


async def by_json(bench: IntercomBench, method: str, args: Any, role: Role = Role.ADMIN) -> tuple[int, Any]:
    body = msgspec.json.encode({f"axcall:{method}": args})
    answer = await vapix.serve(FakeRequest("", body=body, role=role), bench)  # type: ignore[arg-type]
    return answer.status, msgspec.json.decode(answer.body)  # type: ignore[arg-type]


async def by_simple(
    bench: IntercomBench, method: str, role: Role = Role.ADMIN, *, get: bool = True, **args: str
) -> tuple[int, list[str]]:
    head, text = {"format": "simple", "action": f"axcall:{method}"}, urlencode(args)
    query = urlencode({**head, **args}) if get else urlencode(head)
    request = FakeRequest(query, body=b"" if get else text.encode(), role=role)
    request.method = "GET" if get else "POST"
    answer = await vapix.serve(request, bench)  # type: ignore[arg-type]
    assert answer.content_type == "text/plain"
    assert answer.text is not None
    return answer.status, answer.text.splitlines()


async def by_soap(
    bench: IntercomBench, method: str, content: str = "", space: str = SPACE, role: Role = Role.ADMIN
) -> tuple[int, xmlio.Element]:
    body = (
        f'<s:Envelope xmlns:s="{names.SOAP12}" xmlns:axcall="{space}"><s:Body>'
        f"<axcall:{method}>{content}</axcall:{method}></s:Body></s:Envelope>"
    )
    request = SoapRequest("", body=body.encode(), role=role)
    answer = await dispatch.serve(services.table(bench), request, bench)  # type: ignore[arg-type]
    return answer.status, xmlio.parse(answer.body).children[-1].children[0]


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
        assert lines[0] == 'AudioCodecs_0_="PCMU"'

    async def test_an_account_by_soap(self, bench: IntercomBench) -> None:
        content = (
            "<axcall:SIPAccount><axcall:Name>1001</axcall:Name><axcall:UserId>2000</axcall:UserId>"
            "<axcall:Registrar>pbx.example</axcall:Registrar><axcall:SIPProxies><axcall:Address>10.0.0.9"
            "</axcall:Address></axcall:SIPProxies></axcall:SIPAccount>"
        )
        status, found = await by_soap(bench, "SetSIPAccount", content)
        assert status == 200
        key = found.value("Id")
        account = bench.intercom.accounts.account(str(key))
        assert (account.name, account.user_id, account.proxies[0].address) == ("1001", "2000", "10.0.0.9")
        told = (await by_simple(bench, "GetSIPAccount", Id=str(key)))[1]
        assert 'SIPAccount_SIPProxies_0_Address="10.0.0.9"' in told

    async def test_sip_secure_by_soap_and_the_simple_form(self, bench: IntercomBench) -> None:
        content = (
            "<axcall:SIPAccount><axcall:Transport>tls</axcall:Transport><axcall:SIPSEnabled>true</axcall:SIPSEnabled>"
            "</axcall:SIPAccount>"
        )
        status, found = await by_soap(bench, "SetSIPAccount", content)
        key = str(found.value("Id"))
        assert status == 200
        assert bench.intercom.accounts.account(key).sips
        assert "SIPAccount_SIPSEnabled=true" in (await by_simple(bench, "GetSIPAccount", Id=key))[1]
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
            ("Call", {"To": "sip:@@"}, ("Sender", "ter:InvalidArgVal", None)),
            ("Call", {}, ("Sender", "ter:InvalidArgVal", None)),
            ("Call", {"To": "VMS_CALL", "Nonsense": "1"}, ("Sender", "ter:InvalidArgVal", None)),
            ("RemoveSIPAccount", {"Id": "peer-to-peer"}, ("Receiver", "ter:Action", "ter:Failure")),
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
        assert lines[3] == f'FaultReason="{told["FaultReason"]}"'.replace("sip:@@", "sip:@@")
        content = "".join(f"<axcall:{name}>{value}</axcall:{name}>" for name, value in args.items())
        status, fault = await by_soap(bench, method, content)
        assert (status, fault.name) == (400, "Fault")
        first = fault.first("Code")
        assert first is not None
        assert first.value("Value") == f"SOAP-ENV:{who}"
        outer = first.first("Subcode")
        assert outer is not None
        assert outer.value("Value") == code
        inner = outer.first("Subcode")
        assert (None if inner is None else inner.value("Value")) == sub

    async def test_methods_that_there_are_not(self, bench: IntercomBench) -> None:
        assert (await by_simple(bench, "Nonsense"))[1][1] == 'FaultCode="ter:ActionNotSupported"'
        assert (await by_json(bench, "Nonsense", {}))[1]["FaultCode"] == "ter:ActionNotSupported"
        assert (await by_soap(bench, "Nonsense"))[0] == 400

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

    def test_values(self) -> None:
        found = simple.read([("A_To", "1001"), ("A_SIPPort", "5060"), ("B", "null"), ("C", '"a \\"b\\" \\\\"')])
        assert found == {"A": {"To": "1001", "SIPPort": 5060}, "B": None, "C": 'a "b" \\'}

    @given(
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=20),
            lambda inner: st.dictionaries(
                st.from_regex(r"[A-Z][a-z]{1,6}", fullmatch=True), inner, min_size=1, max_size=3
            ),
            max_leaves=6,
        ).filter(lambda value: isinstance(value, dict))
    )
    def test_what_is_written_is_one_line_a_value_and_is_read_back(self, answer: Any) -> None:
        lines = simple.write(answer).split("\n")[:-1]
        fields = [tuple(line.partition("=")[::2]) for line in lines]
        try:
            found = simple.read(fields)  # type: ignore[arg-type]
        except InputError:
            assert any(name.count("_") >= simple.MAX_LEVELS for name, _ in fields)
            return
        assert found == _texts(answer)

    @given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=10)), max_size=8))
    def test_any_names_and_values_are_read_or_an_input_error(self, fields: list[tuple[str, str]]) -> None:
        with contextlib.suppress(InputError):
            assert isinstance(simple.read(fields), dict)


def _texts(value: Any) -> Any:
    """What is read back: names that no method has are texts."""
    if isinstance(value, dict):
        return {key: _texts(entry) for key, entry in value.items()}
    return str(value).lower() if isinstance(value, bool) else value
