"""The VAPIX Call service, version 2: faults, calls and codecs, and rubbish of all kinds. DTMF, VMS: elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from call_service import (
    ABSENT,
    FORMS,
    INVALID,
    MISSING,
    NOT_NOW,
    UNSUPPORTED,
    ask,
    by_json,
    codes_of,
    configure,
    configured,
    new_bench,
    ok,
    refused,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intercom_bench import IntercomBench
from stubs import FakeRequest

from axcore.devices.models import DOOR_STATION
from axcore.interfaces.call import accounts, configuration
from axcore.interfaces.call.methods import METHODS
from axcore.interfaces.http.vapix import call as vapix
from axcore.model import events
from axcore.model.rules import Condition
from axcore.rules.definition import filter_of
from axcore.rules.parser import parse_filter
from axcore.services.events.catalogue import check_condition
from axcore.services.events.conditions import calls

TURN = {"Server": "turn.example", "Username": "door", "Password": "keeper"}


@pytest.fixture
def bench() -> IntercomBench:
    return new_bench()


class TestFaults:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(
        ("method", "args", "codes"),
        [
            ("Call", {"To": "sip:@@"}, INVALID),
            ("SetSIPConfiguration", {"SIPConfiguration": {"SIPPort": 1}}, INVALID),
            ("SetAudioCodecs", {"AudioCodec": [{"Name": "OPUS"}]}, INVALID),
            ("Call", {}, MISSING),
            ("GetSIPAccount", {}, MISSING),
            ("RemoveSIPAccounts", {}, MISSING),
            ("SetSIPAccounts", {}, MISSING),
            ("SetSIPConfiguration", {"KeepCurrent": True}, MISSING),
            ("SetSIPAccount", {"SIPAccount": {"Registrar": "pbx"}}, MISSING),
            ("GetCallStatus", {"CallId": "77"}, ABSENT),
            ("GetSIPAccount", {"SIPAccountId": "nobody"}, ABSENT),
            ("GetSIPAccount", {"SIPAccountId": ""}, ABSENT),
            ("GetSIPAccountStatus", {"SIPAccountId": "nobody"}, ABSENT),
            ("RemoveSIPAccount", {"SIPAccountId": "peer-to-peer"}, NOT_NOW),
            ("Nonsense", {}, UNSUPPORTED),
        ],
    )
    async def test_each_kind_in_each_form(
        self, bench: IntercomBench, form: str, method: str, args: dict[str, Any], codes: list[str]
    ) -> None:
        before = bench.ledger.store.records()
        status, found = await ask(bench, form, method, args)
        assert (status, codes_of(form, found)) == (400, codes)
        assert bench.ledger.store.records() == before

    async def test_a_request_of_the_simple_form_without_an_action_lacks_it(self, bench: IntercomBench) -> None:
        answer = await vapix.serve(FakeRequest("format=simple"), bench)  # type: ignore[arg-type]
        assert answer.text is not None
        assert answer.text.splitlines()[:3] == [
            'Fault="env:Sender"',
            'FaultCode="ter:InvalidArgs"',
            "FaultSubCode=null",
        ]

    @pytest.mark.parametrize(
        "method",
        [
            "GetServiceCapabilities", "GetSIPConfiguration", "GetSupportedSIPConfigurationAttributes",
            "GetSupportedSIPAccountAttributes", "GetSupportedMediaEncryptionModes", "GetDefaultAudioCodecs",
            "GetSupportedAudioCodecs", "GetAudioCodecs",
        ],
    )  # fmt: skip
    async def test_what_a_method_does_not_know_is_named(self, bench: IntercomBench, method: str) -> None:
        await refused(bench, method, "X", X=1)


class TestCalls:
    async def test_capabilities_are_flags(self, bench: IntercomBench) -> None:
        found = (await ok(bench, "GetServiceCapabilities"))["Capabilities"]
        assert set(found) == {"SIP", "DTMF", "AudioCodec", "MediaEncryption", "Certificate", "Attribute"}
        assert all(value is True for value in found.values())
        bench.lines.missing = "not installed"
        assert (await ok(bench, "GetServiceCapabilities"))["Capabilities"]["SIP"] is False

    async def test_a_call_says_its_source_and_the_reason_of_its_state(self, bench: IntercomBench) -> None:
        key = (await ok(bench, "Call", To="sip:ada@10.0.0.2", SIPAccountId=None))["CallId"]
        status = (await ok(bench, "GetCallStatus", CallId=key))["CallStatus"]
        assert (status["Source"], status["CallState"], status["CallStateReason"]) == (
            "DoorStation",
            "Calling",
            "Initiated",
        )
        assert "StopTime" not in status
        (_, invite) = bench.invites()[0]
        bench.answer(invite.leg, 1)
        status = (await ok(bench, "GetCallStatus", CallId=key))["CallStatus"]
        assert (status["CallState"], status["CallStateReason"]) == ("Active", "AcceptedByRemote")
        assert (status["AudioCodec"], status["SIPAccountId"]) == ("PCMU", "peer-to-peer")
        bench.end(invite.leg, 1)
        status = (await ok(bench, "GetCallStatus", CallId=key))["CallStatus"]
        assert (status["CallState"], status["CallStateReason"]) == ("Terminated", "Terminated")
        assert status["StopTime"] >= status["StartTime"]

    async def test_a_call_says_the_address_of_both_ends(self, bench: IntercomBench) -> None:
        bench.intercom.accounts.configure(0, bind="", own_address="192.168.0.90", name="station")
        await ok(bench, "Call", To="sip:ada@10.0.0.2")
        bench.end("1.0", 1, 486)
        bench.incoming()
        out, back = (await ok(bench, "GetCallStatuses"))["CallStatus"]
        assert (out["DeviceURI"], out["RemoteURI"]) == ("sip:station@192.168.0.90:5060", "sip:ada@10.0.0.2")
        assert (back["DeviceURI"], back["RemoteURI"]) == ("sip:d@10.0.0.9", "sip:ada@10.0.0.2")
        assert (out["Direction"], back["Direction"]) == ("Outgoing", "Incoming")
        assert bench.told(events.CALL_STATE_CHANGE)[0].data["DeviceURI"] == "sip:station@192.168.0.90"

    @pytest.mark.parametrize(
        ("code", "reason"), [(486, "Busy"), (480, "NoAnswer"), (408, "NoAnswer"), (603, "Failed"), (404, "Failed")]
    )
    async def test_why_nobody_talked(self, bench: IntercomBench, code: int, reason: str) -> None:
        key = (await ok(bench, "Call", To="sip:ada@10.0.0.2"))["CallId"]
        bench.end("1.0", 1, code)
        assert (await ok(bench, "GetCallStatus", CallId=key))["CallStatus"]["CallStateReason"] == reason
        assert bench.told(events.CALL_STATE_CHANGE)[-1].data["Reason"] == reason

    async def test_events_of_calls_have_the_source_too(self, bench: IntercomBench) -> None:
        await ok(bench, "Call", To="sip:ada@10.0.0.2")
        bench.incoming()
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"allow_incoming": False}))
        bench.incoming()
        told = [*bench.told(events.CALL_STATE), *bench.told(events.CALL_STATE_CHANGE)]
        assert {tuple(event.source.items()) for event in told} == {(("Source", "DoorStation"),)}
        assert {event.data.get("Reason") for event in told} >= {"Initiated", "Denied"}

    def test_a_rule_about_calls_need_not_name_the_source(self) -> None:
        topic, source = events.CALL_STATE, {"Source": "DoorStation"}
        for named in ({}, source):
            asked = filter_of(Condition(topic=topic, source=named), {"CallState": "Active"})
            assert asked.matches(topic, source, {"CallState": "Active"})
        for text in ("", 'boolean(//SimpleItem[@Name="CallState" and @Value="Active"])'):
            assert parse_filter(topic, text).matches(topic, source, {"CallState": "Active"})
        kinds = {kind.topic: kind for kind in calls(DOOR_STATION)}
        further = Condition(topic="tnsaxis:Call/State", content='boolean(//SimpleItem[@Value="Active"])')
        assert check_condition(kinds, further, False, "conditions[1]") == further  # it is about one property

    @pytest.mark.parametrize("form", FORMS)
    async def test_statuses_of_some_calls_leave_out_those_that_are_not_there(
        self, bench: IntercomBench, form: str
    ) -> None:
        for _ in range(3):
            await ok(bench, "Call", To="sip:ada@10.0.0.2")
            bench.end(bench.invites()[-1][1].leg, bench.invites()[-1][0], 486)
        status, found = await ask(bench, form, "GetCallStatuses", {"CallId": ["3", "77", "1"]})
        assert status == 200
        match form:
            case "json":
                assert [one["CallId"] for one in found["CallStatus"]] == ["3", "1"]
            case "simple":
                assert {name: text for name, text in found.items() if name.endswith("_CallId")} == {
                    "CallStatus_0_CallId": '"3"',
                    "CallStatus_1_CallId": '"1"',
                }
            case _:
                assert [one.value("CallId") for one in found.all("CallStatus")] == ["3", "1"]
        for every in ({}, {"CallId": []}, {"CallId": None}):
            assert len((await ok(bench, "GetCallStatuses", **every))["CallStatus"]) == 3

    @pytest.mark.parametrize(
        ("args", "field", "codes"),
        [
            ({"To": ""}, "To", INVALID),
            ({"To": None}, "To", INVALID),
            ({"To": "sip:a@b", "SIPAccountId": "nobody"}, "SIPAccountId", ABSENT),
            ({"To": "VMS_CALL", "SIPAccountId": "nobody"}, "SIPAccountId", ABSENT),
            ({"To": "sip:a@b", "X": "1"}, "X", INVALID),
        ],
    )
    async def test_whom_to_call_is_named_where_it_cannot_be(
        self, bench: IntercomBench, args: dict[str, Any], field: str, codes: list[str]
    ) -> None:
        await refused(bench, "Call", field, codes, **args)


class TestCodecs:
    async def test_they_are_objects_with_a_rate(self, bench: IntercomBench) -> None:
        every = {"AudioCodec": [{"Name": "PCMU", "SampleRate": 8000}, {"Name": "PCMA", "SampleRate": 8000},
                                {"Name": "G722", "SampleRate": 16000}]}  # fmt: skip
        for method in ("GetDefaultAudioCodecs", "GetAudioCodecs"):
            assert await ok(bench, method) == every
        more = {"AudioCodec": [*every["AudioCodec"], {"Name": "L16", "SampleRate": 44100}]}
        assert await ok(bench, "GetSupportedAudioCodecs") == more

    @pytest.mark.parametrize("form", FORMS)
    async def test_they_are_set_in_each_form(self, bench: IntercomBench, form: str) -> None:
        wanted = {"AudioCodec": [{"Name": "G722", "SampleRate": 16000, "Options": None}, {"Name": "PCMA"}]}
        assert (await ask(bench, form, "SetAudioCodecs", wanted))[0] == 200
        assert bench.intercom.accounts.settings.codecs == ("G722", "PCMA")
        assert (await ok(bench, "GetDefaultAudioCodecs"))["AudioCodec"][0]["Name"] == "PCMU"
        one = {"AudioCodec": [{"Name": "PCMU"}]}
        assert (await ask(bench, form, "SetAudioCodecs", one))[0] == 200

    @pytest.mark.parametrize(
        ("codecs", "field"),
        [
            ([], "AudioCodec"),
            ([{"Name": "PCMU"}, {"Name": "OPUS", "SampleRate": 48000}], "AudioCodec[1]"),
            ([{"Name": "PCMU"}, {"Name": "PCMU"}], "AudioCodec[1]"),
            ([{"Name": "PCMU", "SampleRate": 16000}], "AudioCodec[0].SampleRate"),
            ([{"Name": "PCMU", "SampleRate": "8000"}], "AudioCodec[0].SampleRate"),
            ([{"Name": "PCMU", "Options": "x"}], "AudioCodec[0].Options"),
            ("PCMU", "AudioCodec"),
            (["PCMU"], "AudioCodec[0]"),
        ],
    )
    async def test_what_cannot_be_is_named(self, bench: IntercomBench, codecs: Any, field: str) -> None:
        await refused(bench, "SetAudioCodecs", field, AudioCodec=codecs)


FAULTS = [INVALID, MISSING, ABSENT, NOT_NOW]
SETTINGS = configuration.Configuration.__struct_fields__
ACCOUNT = accounts.AccountArgs.__struct_fields__
KEYS = st.sampled_from([
    "To", "Id", "CallId", "SIPAccountId", "SIPAccount", "SIPConfiguration", "KeepCurrent", "Name", "Value", "Server",
    "x", "Username", "Password", "AudioCodec", "SampleRate", "Options", "DTMFEvent", "Sequence", "Timeout",
    "VMSCallConfiguration", *SETTINGS, *ACCOUNT,
])  # fmt: skip
VALUES = st.sampled_from(["1", "peer-to-peer", "Allow", "Block", "tls", "None", "TLSv13", "pbx", "true", "TimerT1"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)  # no query has a NUL in it
RUBBISH = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 70_000) | st.floats(allow_nan=False) | TEXTS | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
SOME = st.one_of([st.dictionaries(st.sampled_from(names), RUBBISH, max_size=4) for names in (SETTINGS, ACCOUNT)])
ARGS = RUBBISH | st.dictionaries(KEYS, SOME | st.lists(SOME, max_size=2) | RUBBISH, max_size=3)


class TestRubbish:
    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from(sorted(METHODS)), ARGS, st.sampled_from(FORMS))
    async def test_any_arguments_are_done_or_a_documented_fault_that_changes_nothing(
        self, bench: IntercomBench, method: str, args: Any, form: str
    ) -> None:
        before = bench.ledger.store.records()
        if form != "json" and not isinstance(args, dict):
            return
        status, found = await ask(bench, form, method, args)
        if status == 400:
            assert codes_of(form, found) in FAULTS
            assert bench.ledger.store.records() == before

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.fixed_dictionaries({}, optional={
        "SIPPort": st.integers(1024, 4500), "STUNServers": st.lists(st.just({"Server": "a"}), max_size=1),
        "TURNServers": st.lists(st.just(TURN), max_size=1), "ApplyAccessList": st.booleans(),
        "AccessList": st.lists(st.sampled_from(["1", "2"]), max_size=2, unique=True),
        "AccessListPolicy": st.sampled_from(["Allow", "Block", None]), "ApplyAllowedURIs": st.booleans(),
        "AllowedURIs": st.lists(st.sampled_from(["1", "2"]), max_size=2, unique=True),
    }), st.booleans())  # fmt: skip
    async def test_whatever_was_set_what_is_read_can_be_sent_back(
        self, bench: IntercomBench, fields: dict[str, Any], keep: bool
    ) -> None:
        await by_json(bench, "SetSIPConfiguration", {"SIPConfiguration": fields, "KeepCurrent": keep})
        now, found = bench.intercom.accounts.settings, await configured(bench)
        for again in (True, False):
            assert await configure(bench, keep=again, **found) == now


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["\0", "VMS_CALL\0", "\ud7ff", "\r\n", "sip:\x85"])
async def test_control_characters_are_a_fault_of_the_form(bench: IntercomBench, form: str, text: str) -> None:
    before = bench.ledger.store.records()
    status, found = await ask(bench, form, "Call", {"To": text})
    assert status == 400
    assert codes_of(form, found) in FAULTS
    assert bench.ledger.store.records() == before
