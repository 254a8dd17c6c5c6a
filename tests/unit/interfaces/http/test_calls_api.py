"""REST for contacts, SIP and calls, and ``/vapix/call``: what they do, and what they refuse."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intercom_bench import IntercomBench
from stubs import FakeRequest

from axcore.interfaces.call.methods import METHODS
from axcore.interfaces.http.rest import calls, contact_list, sip
from axcore.interfaces.http.vapix import call as vapix
from axcore.model import events
from axcore.model.accounts import Role

BY_NAME = {route.name: route for route in (*calls.ROUTES, *contact_list.ROUTES, *sip.ROUTES)}
ADA = {"first_name": "Ada", "sip_address": "sip:ada@10.0.0.2"}


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


async def ask(bench: IntercomBench, name: str, data: Any = None, **path: str) -> tuple[int, Any]:
    raw = b"" if data is None else msgspec.json.encode({"data": data})
    response = await BY_NAME[name].handler(FakeRequest("", body=raw, **path), bench)  # type: ignore[arg-type]
    reply = msgspec.json.decode(response.body)  # type: ignore[attr-defined]
    return response.status, reply.get("data") if response.status < 300 else reply["error"]


async def vapix_call(bench: IntercomBench, method: str, args: Any = None, role: Role = Role.ADMIN) -> tuple[int, Any]:
    raw = msgspec.json.encode({f"axcall:{method}": {} if args is None else args})
    return await vapix_raw(bench, raw)


async def vapix_raw(bench: IntercomBench, raw: bytes) -> tuple[int, Any]:
    response = await vapix.serve(FakeRequest("", body=raw), bench)  # type: ignore[arg-type]
    assert isinstance(response.body, bytes)
    return response.status, msgspec.json.decode(response.body)


class TestRest:
    async def test_life_of_a_contact(self, bench: IntercomBench) -> None:
        status, made = await ask(bench, "contacts.add", ADA)
        assert (status, made["id"], made["availability"]) == (201, "contact1", "")
        assert (await ask(bench, "contacts.update", {"notes": "third floor"}, id="contact1"))[1][
            "notes"
        ] == "third floor"
        assert len((await ask(bench, "contacts.list"))[1]) == 1
        assert (await ask(bench, "contacts.get", id="contact1"))[0] == 200
        assert (await ask(bench, "contacts.remove", id="contact1"))[0] == 200
        assert (await ask(bench, "contacts.get", id="contact1"))[0] == 404

    async def test_group_button_export_and_import(self, bench: IntercomBench) -> None:
        await ask(bench, "contacts.add", ADA)
        status, group = await ask(bench, "groups.add", {"name": "Front", "recipients": ["contact1"]})
        assert (status, group["id"]) == (201, "group2")
        assert (await ask(bench, "call-button.update", {"recipients": ["group2"]}))[0] == 200
        assert (await ask(bench, "call-button.get"))[1]["recipients"] == ["group2"]
        _, file = await ask(bench, "contact-list.export")
        assert (await ask(bench, "groups.remove", id="group2"))[0] == 200
        assert (await ask(bench, "call-button.get"))[1]["recipients"] == []
        assert (await ask(bench, "contact-list.import", file))[1] == file

    async def test_standby_light(self, bench: IntercomBench) -> None:
        assert (await ask(bench, "call-button.get"))[1]["standby_light"] == "auto"
        assert (await ask(bench, "call-button.update", {"standby_light": "on"}))[1]["standby_light"] == "on"
        assert (await ask(bench, "call-button.get"))[1]["standby_light"] == "on"

    @pytest.mark.parametrize(
        ("name", "data", "field"),
        [
            ("contacts.add", {**ADA, "sip_address": "sip:a@@b"}, "sip_address"),
            ("contacts.add", {"first_name": "Ada"}, "sip_address"),
            ("contacts.add", {**ADA, "fallback": "x"}, "fallback"),
            ("contacts.add", {**ADA, "nonsense": 1}, "nonsense"),
            ("groups.add", {"name": "x", "recipients": ["nobody"]}, "recipients[0]"),
            ("groups.add", {"name": "x", "recipients": list("abcdefg")}, "recipients"),
            ("call-button.update", {"delay": -1}, "delay"),
            ("call-button.update", {"standby_light": "dim"}, "standby_light"),
            ("contact-list.import", {"contacts": [{**ADA, "id": "a b"}]}, "contacts[0].id"),
            ("contact-list.import", {"contacts": [{**ADA, "id": "a", "speed_dial": "x"}]}, "contacts[0].speed_dial"),
            ("contact-list.import", {"version": 2, "contacts": []}, "version"),
            ("sip.update", {"port": 1}, "port"),
            ("sip-accounts.add", {"name": "x", "transport": "pigeon"}, "transport"),
            ("dtmf.add", {"sequence": "12E", "description": "x"}, "sequence"),
            ("dtmf.add", {"sequence": "1", "description": "x", "accounts": ["none"]}, "accounts[0]"),
            ("calls.make", {"to": "1001"}, "to"),
            ("calls.make", {"to": "sip:a b@host"}, "to"),
            ("calls.make", {}, "to"),
        ],
    )
    async def test_what_is_wrong_is_named_and_changes_nothing(
        self, bench: IntercomBench, name: str, data: Any, field: str
    ) -> None:
        before = bench.ledger.store.records()
        status, error = await ask(bench, name, data)
        assert status in (400, 404, 409)
        assert error["field"] == field
        assert bench.ledger.store.records() == before

    async def test_passwords_come_in_and_never_go_out(self, bench: IntercomBench) -> None:
        account = {"name": "PBX", "kind": "registered", "user_id": "1", "registrar": "pbx", "password": "secret"}
        _, made = await ask(bench, "sip-accounts.add", account)
        assert made["password_set"] is True
        everything = [await ask(bench, name) for name in ("sip-accounts.list", "sip.status", "sip.settings")]
        assert "secret" not in repr((made, everything))
        assert (await ask(bench, "sip-accounts.update", {"name": "P"}, id="1"))[1]["password_set"] is True
        moved = (await ask(bench, "sip-accounts.update", {"registrar": "evil"}, id="1"))[1]
        assert moved["password_set"] is False  # nobody has it sent elsewhere
        proxies = [{"address": "p", "username": "gate", "password": "secret"}]
        shown = (await ask(bench, "sip-accounts.update", {"proxies": proxies}, id="1"))[1]
        assert shown["proxies"] == [{"address": "p", "username": "gate", "realm": "", "password_set": True}]

    @pytest.mark.parametrize(
        ("patch", "kept"),
        [
            ({"secondary_server": "evil"}, False),
            ({"domain": "evil"}, False),
            ({"registrar": "evil"}, False),
            ({"registrar": " PBX "}, True),
            ({"secondary_server": ""}, True),
            ({"registrar": "second", "secondary_server": "pbx"}, True),
            ({"secondary_server": "third", "password": "other"}, True),
            ({"domain": ""}, True),
        ],
    )
    async def test_a_password_that_a_change_of_servers_forgets_is_an_event(
        self, bench: IntercomBench, patch: dict[str, str], kept: bool
    ) -> None:
        account = {"name": "PBX", "kind": "registered", "user_id": "1", "registrar": "pbx", "password": "secret"}
        await ask(bench, "sip-accounts.add", {**account, "secondary_server": "second"})
        status, shown = await ask(bench, "sip-accounts.update", patch, id="1")
        assert (status, shown["password_set"]) == (200, kept)
        told = [event.data["reason"] for event in bench.told(events.SYSTEM_FAULT)]
        assert ["password" in reason for reason in told] == ([] if kept else [True])

    async def test_an_account_without_a_password_forgets_none(self, bench: IntercomBench) -> None:
        account = {"name": "PBX", "kind": "registered", "user_id": "1", "registrar": "pbx"}
        await ask(bench, "sip-accounts.add", account)
        assert (await ask(bench, "sip-accounts.update", {"registrar": "other"}, id="1"))[0] == 200
        assert bench.told(events.SYSTEM_FAULT) == []

    async def test_a_call_by_rest(self, bench: IntercomBench) -> None:
        status, made = await ask(bench, "calls.make", {"to": "sip:ada@10.0.0.2"})
        assert (status, made["state"]) == (201, "Calling")
        assert (await ask(bench, "calls.make", {"to": "sip:ada@10.0.0.2"}))[0] == 409
        assert (await ask(bench, "calls.answer", id=made["id"]))[0] == 409
        assert (await ask(bench, "calls.end", id=made["id"]))[0] == 200
        assert (await ask(bench, "calls.get", id=made["id"]))[1]["reason"] == "ended by a client"
        assert (await ask(bench, "calls.end", id="77"))[0] == 404

    async def test_sequences_accounts_and_settings(self, bench: IntercomBench) -> None:
        assert (await ask(bench, "dtmf.add", {"sequence": "*1#", "description": "Unlock"}))[0] == 201
        assert (await ask(bench, "dtmf.add", {"sequence": "*1#", "description": "Other"}))[0] == 409
        assert (await ask(bench, "dtmf.update", {"sequence": "2"}, id="1"))[1]["sequence"] == "2"
        assert (await ask(bench, "dtmf.get", id="1"))[0] == 200
        assert len((await ask(bench, "dtmf.list"))[1]) == 1
        assert (await ask(bench, "dtmf.remove", id="1"))[0] == 200
        assert (await ask(bench, "sip-accounts.remove", id="peer-to-peer"))[0] == 409
        assert (await ask(bench, "sip-accounts.default", id="peer-to-peer"))[0] == 200
        assert (await ask(bench, "sip-accounts.get", id="peer-to-peer"))[1]["default"] is True
        assert (await ask(bench, "sip.update", {"calling_timeout": 30}))[1]["calling_timeout"] == 30
        assert len((await ask(bench, "sip.status"))[1]["processes"]) == 2


class TestVapix:
    async def test_a_call(self, bench: IntercomBench) -> None:
        assert await vapix_call(bench, "Call", {"To": "sip:ada@10.0.0.2"}) == (200, {"CallId": "1"})
        _, found = await vapix_call(bench, "GetCallStatus", {"CallId": "1"})
        status = found["CallStatus"]
        assert (status["CallState"], status["Direction"], status["CallType"]) == ("Calling", "Outgoing", "SIP")
        assert await vapix_call(bench, "TerminateCall", {"CallId": "1"}) == (200, {})
        assert len((await vapix_call(bench, "GetCallStatuses"))[1]["CallStatus"]) == 1

    async def test_configuration(self, bench: IntercomBench) -> None:
        configuration = {"SIPConfiguration": {"CallingTimeout": 30, "AccessListPolicy": "Block"}, "KeepCurrent": True}
        assert await vapix_call(bench, "SetSIPConfiguration", configuration) == (200, {})
        _, found = await vapix_call(bench, "GetSIPConfiguration")
        assert found["SIPConfiguration"]["CallingTimeout"] == 30
        assert found["SIPConfiguration"]["AccessListPolicy"] == "Block"
        assert found["SIPConfiguration"]["SIPEnabled"] is True

    async def test_accounts(self, bench: IntercomBench) -> None:
        account = {"UserId": "1001", "Registrar": "pbx", "Password": "secret", "Transport": "tls"}
        more = {"MediaEncryption": "SRTPMandatory", "SIPProxies": [{"Server": "10.0.0.1"}], "IsDefault": True}
        _, made = await vapix_call(bench, "SetSIPAccount", {"SIPAccount": {**account, **more, "Name": "PBX"}})
        _, found = await vapix_call(bench, "GetSIPAccount", {"SIPAccountId": made["SIPAccountId"]})
        shown = found["SIPAccount"]
        assert (shown["UserId"], shown["MediaEncryption"], shown["IsDefault"]) == ("1001", "SRTPMandatory", True)
        assert "secret" not in repr((await vapix_call(bench, "GetSIPAccounts"))[1])
        _, states = await vapix_call(bench, "GetSIPAccountStatuses")
        assert [(one["Status"], one["StatusText"]) for one in states["SIPAccountStatus"]] == [
            (0, "Does not register"),
            (0, "Trying"),
        ]
        assert (await vapix_call(bench, "RemoveSIPAccount", {"SIPAccountId": made["SIPAccountId"]}))[0] == 400
        assert (await vapix_call(bench, "RemoveSIPAccount", {"SIPAccountId": "peer-to-peer"}))[0] == 200

    async def test_an_account_that_is_used_is_not_removed(self, bench: IntercomBench) -> None:
        _, made = await vapix_call(bench, "SetSIPAccount", {"SIPAccount": {"Name": "PBX"}})
        await ask(bench, "contacts.add", {**ADA, "account": made["SIPAccountId"]})
        status, error = await ask(bench, "sip-accounts.remove", id=made["SIPAccountId"])
        assert (status, "used by the contact 'Ada'" in repr(error)) == (409, True)
        status, body = await vapix_call(bench, "RemoveSIPAccount", {"SIPAccountId": made["SIPAccountId"]})
        assert (status, body["FaultCode"], body["FaultSubCode"]) == (400, "ter:Action", "ter:Failure")
        assert "used by the contact 'Ada'" in body["FaultReason"]

    async def test_an_account_that_is_read_and_sent_back_keeps_its_logins(self, bench: IntercomBench) -> None:
        proxies = [{"Server": "Edge.example", "Username": "gate", "Password": "keeper"}, {"Server": "10.0.0.9"}]
        account = {"UserId": "1001", "Registrar": "pbx", "Password": "secret", "SIPProxies": proxies}
        _, made = await vapix_call(bench, "SetSIPAccount", {"SIPAccount": account})
        key, accounts = made["SIPAccountId"], bench.intercom.accounts
        await ask(
            bench,
            "sip-accounts.update",
            {"proxies": [{"address": "edge.example", "username": "gate", "realm": "edge"}, {"address": "10.0.0.9"}]},
            id=key,
        )
        before = accounts.account(key)
        assert (before.password, before.proxies[0].password) == ("secret", "keeper")
        _, found = await vapix_call(bench, "GetSIPAccount", {"SIPAccountId": key})
        assert "secret" not in repr(found)
        assert "keeper" not in repr(found)
        read = found["SIPAccount"]
        assert (await vapix_call(bench, "SetSIPAccount", {"SIPAccount": {**read, "Name": "Gate"}}))[0] == 200
        assert accounts.account(key) == msgspec.structs.replace(before, name="Gate")
        bare = {"Id": key, "Name": "Gate", "SIPProxies": [{"Server": "EDGE.example"}, {"Server": "10.0.0.9"}]}
        assert (await vapix_call(bench, "SetSIPAccount", {"SIPAccount": bare}))[0] == 200
        assert accounts.account(key) == msgspec.structs.replace(before, name="Gate")

    async def test_a_login_never_goes_to_another_proxy_or_user(self, bench: IntercomBench) -> None:
        proxies = [{"Server": "edge", "Username": "gate", "Password": "keeper"}]
        _, made = await vapix_call(bench, "SetSIPAccount", {"SIPAccount": {"SIPProxies": proxies}})
        for other in ({"Server": "evil", "Username": "gate"}, {"Server": "edge", "Username": "eve"}):
            changed = {"Id": made["SIPAccountId"], "SIPProxies": [{**other, "Password": ""}]}
            assert (await vapix_call(bench, "SetSIPAccount", {"SIPAccount": changed}))[0] == 200
            assert bench.intercom.accounts.account(made["SIPAccountId"]).proxies[0].password == ""
            changed = {"Id": made["SIPAccountId"], "SIPProxies": proxies}
            assert (await vapix_call(bench, "SetSIPAccount", {"SIPAccount": changed}))[0] == 200

    async def test_an_account_that_is_moved_to_another_registrar_loses_its_password(self, bench: IntercomBench) -> None:
        account = {"UserId": "1001", "Registrar": "pbx", "Password": "secret"}
        _, made = await vapix_call(bench, "SetSIPAccount", {"SIPAccount": account})
        moved = {"Id": made["SIPAccountId"], "Registrar": "evil", "Password": ""}
        await vapix_call(bench, "SetSIPAccount", {"SIPAccount": moved})
        assert bench.intercom.accounts.account(made["SIPAccountId"]).password == ""

    async def test_an_account_that_registers_by_its_domain_still_does(self, bench: IntercomBench) -> None:
        account = {"name": "PBX", "kind": "registered", "user_id": "1", "domain": "pbx", "password": "secret"}
        _, made = await ask(bench, "sip-accounts.add", account)
        before = bench.intercom.accounts.account(made["id"])
        _, found = await vapix_call(bench, "GetSIPAccount", {"SIPAccountId": made["id"]})
        assert (await vapix_call(bench, "SetSIPAccount", {"SIPAccount": found["SIPAccount"]}))[0] == 200
        assert bench.intercom.accounts.account(made["id"]) == before

    async def test_a_proxy_of_unknown_fields_is_refused(self, bench: IntercomBench) -> None:
        account = {"SIPProxies": [{"Server": "edge", "Realm": "x"}]}
        status, body = await vapix_call(bench, "SetSIPAccount", {"SIPAccount": account})
        assert (status, "SIPProxies[0]" in body["FaultReason"]) == (400, True)

    async def test_sip_secure(self, bench: IntercomBench) -> None:
        account = {"UserId": "1001", "Registrar": "pbx", "Transport": "tls", "SIPSEnabled": True}
        _, made = await vapix_call(bench, "SetSIPAccount", {"SIPAccount": account})
        assert bench.intercom.accounts.account(made["SIPAccountId"]).sips
        _, found = await vapix_call(bench, "GetSIPAccount", {"SIPAccountId": made["SIPAccountId"]})
        assert found["SIPAccount"]["SIPSEnabled"] is True
        plain = {"Id": made["SIPAccountId"], "Transport": "udp"}
        assert "SIPSEnabled" in (await vapix_call(bench, "SetSIPAccount", {"SIPAccount": plain}))[1]["FaultReason"]
        off = {**plain, "SIPSEnabled": False}
        assert (await vapix_call(bench, "SetSIPAccount", {"SIPAccount": off}))[0] == 200

    @pytest.mark.parametrize(
        "args",
        [
            {"SIPConfiguration": {"CallingTimeout": 30}, "KeepCurrent": "true"},
            {"SIPConfiguration": {"CallingTimeout": 30}, "KeepCurrent": 1},
            {"SIPConfiguration": {"CallingTimeout": 30, "KeepCurrent": True}},
        ],
    )
    async def test_keep_current_is_a_flag_beside_the_configuration(self, bench: IntercomBench, args: Any) -> None:
        before = bench.ledger.store.records()
        status, body = await vapix_call(bench, "SetSIPConfiguration", args)
        assert (status, "KeepCurrent" in body["FaultReason"]) == (400, True)
        assert bench.ledger.store.records() == before

    async def test_a_device_that_cannot_have_sip_says_so(self, bench: IntercomBench) -> None:
        bench.lines.missing = "not installed"
        assert (await vapix_call(bench, "GetServiceCapabilities"))[1]["Capabilities"]["SIP"] is False

    async def test_codecs_and_dtmf(self, bench: IntercomBench) -> None:
        assert (await vapix_call(bench, "SetAudioCodecs", {"AudioCodec": [{"Name": "G722"}]}))[0] == 200
        assert (await vapix_call(bench, "GetAudioCodecs"))[1] == {"AudioCodec": [{"Name": "G722", "SampleRate": 16000}]}
        supported = (await vapix_call(bench, "GetSupportedAudioCodecs"))[1]["AudioCodec"]
        assert {"Name": "PCMU", "SampleRate": 8000} in supported
        event = {"DTMFEvent": {"Name": "Unlock door"}}
        assert (await vapix_call(bench, "SetDTMFEvent", event))[1] == {"DTMFEventId": "1"}
        assert (await vapix_call(bench, "GetDTMFEvents"))[1]["DTMFEvent"][0]["Name"] == "Unlock door"
        assert (await vapix_call(bench, "RemoveDTMFEvent", {"DTMFEventId": "1"}))[0] == 200
        assert (await vapix_call(bench, "GetServiceCapabilities"))[1]["Capabilities"]["SIP"] is True

    @pytest.mark.parametrize(
        ("method", "args", "fault"),
        [
            ("GetCallStatus", {"CallId": "9"}, ("env:Sender", "ter:InvalidArgVal", "ter:NotFound")),
            ("TerminateCall", {"CallId": "9"}, ("env:Sender", "ter:InvalidArgVal", "ter:NotFound")),
            ("Call", {"To": "nonsense"}, ("env:Sender", "ter:InvalidArgVal", "ter:InvalidArgVal")),
            ("Call", {}, ("env:Sender", "ter:InvalidArgs", None)),
            ("RemoveSIPAccount", {"SIPAccountId": "peer-to-peer"}, ("env:Receiver", "ter:Action", "ter:Failure")),
            ("Call", {"To": "sip:a@b", "SIPAccountId": "x"}, ("env:Sender", "ter:InvalidArgVal", "ter:NotFound")),
            ("Nonsense", {}, ("env:Receiver", "ter:ActionNotSupported", "ter:NotSupported")),
            (
                "SetSIPConfiguration",
                {"SIPConfiguration": {"X": 1}},
                ("env:Sender", "ter:InvalidArgVal", "ter:InvalidArgVal"),
            ),
            ("SetSIPAccount", {"SIPAccount": {"Id": "a b"}}, ("env:Sender", "ter:InvalidArgVal", "ter:InvalidArgVal")),
            ("SetSIPAccount", {}, ("env:Sender", "ter:InvalidArgs", None)),
        ],
    )
    async def test_faults(self, bench: IntercomBench, method: str, args: Any, fault: tuple[Any, ...]) -> None:
        before = bench.ledger.store.records()
        status, body = await vapix_call(bench, method, args)
        assert status == 400
        assert (body["Fault"], body["FaultCode"], body["FaultSubCode"]) == fault
        assert body["FaultReason"]
        assert bench.ledger.store.records() == before

    @pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"nonsense", b'{"axcall:Call": 1}', b'{"a": {}, "b": {}}'])
    async def test_bodies_that_are_no_call(self, bench: IntercomBench, raw: bytes) -> None:
        assert (await vapix_raw(bench, raw))[0] == 400

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.sampled_from(sorted(METHODS)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["To", "Id", "CallId", "SIPAccount", "SIPConfiguration", "DTMFEvent", "Name", "x"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=6,
        ),
    )
    async def test_any_arguments_are_answered(self, bench: IntercomBench, method: str, args: Any) -> None:
        assert (await vapix_call(bench, method, args if args is not None else {}))[0] in (200, 400)
