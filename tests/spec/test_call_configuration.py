"""The VAPIX Call service, version 2: SIP settings and attributes, statement by statement."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from call_service import ABSENT, FORMS, MISSING, NOT_NOW, ask, attributes, configure, configured, new_bench, ok, refused
from intercom_bench import IntercomBench

from axcore.interfaces.call import configuration
from axcore.model.intercom import SipSettings

TURN = {"Server": "turn.example", "Username": "door", "Password": "keeper"}


@pytest.fixture
def bench() -> IntercomBench:
    return new_bench()


class TestConfiguration:
    async def test_every_field_is_told(self, bench: IntercomBench) -> None:
        found = await configured(bench)
        assert found == {
            "SIPEnabled": True, "SIPPort": 5060, "SIPTLSPort": 5061, "STUNEnabled": False, "STUNServers": [],
            "TURNEnabled": False, "TURNServers": [], "ICEEnabled": False, "AllowIncomingCalls": True,
            "ApplyUserAuthentication": False, "AllowedUsers": [], "ApplyAllowedURIs": False, "AllowedURIs": [],
            "Attribute": found["Attribute"], "RTPStartPort": 4000, "CallingTimeout": 60, "ApplyAccessList": False,
            "AccessList": [], "AccessListPolicy": "Allow",
        }  # fmt: skip

    @pytest.mark.parametrize("form", FORMS)
    async def test_fields_are_set_in_each_form(self, bench: IntercomBench, form: str) -> None:
        fields = {
            "SIPPort": 5070, "SIPTLSPort": 5071, "STUNEnabled": True, "STUNServers": [{"Server": "Stun.example:3479"}],
            "TURNEnabled": True, "TURNServers": [TURN], "ICEEnabled": True, "AllowIncomingCalls": False,
            "RTPStartPort": 6000, "CallingTimeout": 600, "ApplyAccessList": True, "AccessList": ["1001", "[::1]"],
            "AccessListPolicy": "Block", "Attribute": [{"Name": "MaxCallDuration", "Value": "90"}],
            "ApplyUserAuthentication": False,
        }  # fmt: skip
        status, _ = await ask(bench, form, "SetSIPConfiguration", {"SIPConfiguration": fields})
        assert status == 200
        now = bench.intercom.accounts.settings
        assert now == msgspec.structs.replace(
            SipSettings(), enabled=True, port=5070, tls_port=5071, stun=True, stun_server="stun.example:3479",
            turn=True, turn_server="turn.example", turn_user="door", turn_password="keeper", ice=True,
            rtp_start_port=6000, calling_timeout=600, use_access_list=True, access_list=("1001", "[::1]"),
            access_list_policy="block", call_duration=90,
        )  # fmt: skip

    async def test_what_is_read_can_be_sent_back(self, bench: IntercomBench) -> None:
        before = await configure(
            bench, STUNEnabled=True, STUNServers=[{"Server": "stun.example"}], TURNEnabled=True, TURNServers=[TURN],
            ApplyAccessList=True, AccessList=["1001"],
        )  # fmt: skip
        found = await configured(bench)
        assert "keeper" not in repr(found)
        assert await configure(bench, **found) == before
        assert await configure(bench, keep=True, **found) == before
        assert await configure(bench, keep=False, **found) == before

    @pytest.mark.parametrize("null", [{}, {"SIPPort": None, "TURNServers": None, "AccessList": None}])
    async def test_what_is_missing_or_null_stays(self, bench: IntercomBench, null: dict[str, None]) -> None:
        before = await configure(bench, SIPPort=5070, TURNServers=[TURN], AccessList=["1001"])
        assert await configure(bench, **null) == before

    async def test_a_policy_of_null_is_allow(self, bench: IntercomBench) -> None:
        await configure(bench, AccessListPolicy="Block")
        assert (await configure(bench, AccessListPolicy=None)).access_list_policy == "allow"

    async def test_without_keep_current_the_rest_is_as_delivered(self, bench: IntercomBench) -> None:
        codecs = await ok(bench, "SetAudioCodecs", AudioCodec=[{"Name": "G722"}])
        assert codecs == {}
        fields = {"SIPPort": 5070, "TURNEnabled": True, "TURNServers": [TURN], "AccessList": ["1001"]}
        await configure(bench, **fields, Attribute=[{"Name": "TimerT1", "Value": "600"}])
        now = await configure(bench, keep=False, SIPEnabled=True)
        assert now == msgspec.structs.replace(SipSettings(), enabled=True, codecs=("G722",))
        assert now.turn_password == ""

    async def test_a_null_keep_current_is_true(self, bench: IntercomBench) -> None:
        await configure(bench, SIPPort=5070)
        await ok(bench, "SetSIPConfiguration", SIPConfiguration={"CallingTimeout": 30}, KeepCurrent=None)
        assert bench.intercom.accounts.settings.port == 5070

    @pytest.mark.parametrize(
        "server",
        [
            {"Server": "TURN.example"},
            {"Server": "turn.example", "Username": "door", "Password": ""},
            {"Server": "turn.example", "Username": "door", "Password": None},
        ],
    )
    async def test_the_password_of_turn_stays_for_the_same_server_and_user(
        self, bench: IntercomBench, server: dict[str, Any]
    ) -> None:
        before = await configure(bench, TURNServers=[TURN])
        assert await configure(bench, TURNServers=[server]) == before

    @pytest.mark.parametrize("server", [{"Server": "evil", "Username": "door"}, {**TURN, "Username": "eve"}])
    async def test_the_password_of_turn_goes_to_nobody_else(self, bench: IntercomBench, server: dict[str, Any]) -> None:
        await configure(bench, TURNServers=[TURN])
        field, servers = "SIPConfiguration.TURNServers[0].Password", [{**server, "Password": ""}]
        await refused(bench, "SetSIPConfiguration", field, SIPConfiguration={"TURNServers": servers})
        assert (await configure(bench, TURNServers=[])).turn_password == ""

    async def test_a_missing_password_of_turn_is_forgotten_without_keep_current(self, bench: IntercomBench) -> None:
        await configure(bench, TURNServers=[TURN])
        server = {"Server": "turn.example", "Username": "door"}
        now = await configure(bench, keep=False, TURNServers=[server])
        assert (now.turn_server, now.turn_password) == ("turn.example", "")

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"SIPPort": 80}, "SIPPort"),
            ({"SIPPort": "5060"}, "SIPPort"),
            ({"SIPTLSPort": 1}, "SIPTLSPort"),
            ({"RTPStartPort": 5000}, "RTPStartPort"),
            ({"CallingTimeout": 601}, "CallingTimeout"),
            ({"CallingTimeout": 0}, "CallingTimeout"),
            ({"STUNEnabled": True}, "STUNServers[0].Server"),
            ({"STUNServers": [{"Server": "a b"}]}, "STUNServers[0].Server"),
            ({"STUNServers": [{"Server": "a"}, {"Server": "b"}]}, "STUNServers"),
            ({"TURNServers": [TURN, TURN]}, "TURNServers"),
            ({"TURNServers": [{"Server": "a b"}]}, "TURNServers[0].Server"),
            ({"TURNEnabled": True, "TURNServers": [{"Server": "a"}]}, "TURNServers[0].Username"),
            ({"ApplyUserAuthentication": True}, "ApplyUserAuthentication"),
            ({"AllowedUsers": ["ada"]}, "AllowedUsers"),
            ({"AccessList": ["1001", "a b"]}, "AccessList[1]"),
            ({"AllowedURIs": ["a b"]}, "AllowedURIs[0]"),
            ({"AccessListPolicy": "Perhaps"}, "AccessListPolicy"),
            ({"SIPEnabled": "yes"}, "SIPEnabled"),
            ({"Attribute": [{"Name": "X", "Value": "1"}, {"Name": "TimerT1", "Value": "1"}]}, "Attribute[1].Value"),
            ({"Attribute": [{"Name": "TimerT1", "Value": "soon"}]}, "Attribute[0].Value"),
            ({"Attribute": [{"Name": "TimerT1", "Value": 500}]}, "Attribute[0].Value"),
            ({"Attribute": [{"Name": "DisableTCPSwitch", "Value": "perhaps"}]}, "Attribute[0].Value"),
            ({"Attribute": [{"Name": "AudioDirection", "Value": "inactive"}]}, "Attribute[0].Value"),
            ({"Attribute": [{"Name": "TimerT1", "Value": "500"}] * 2}, "Attribute[1].Name"),
            ({"KeepCurrent": True}, "KeepCurrent"),
        ],
    )
    async def test_what_cannot_be_is_named(self, bench: IntercomBench, fields: dict[str, Any], field: str) -> None:
        await refused(bench, "SetSIPConfiguration", f"SIPConfiguration.{field}", SIPConfiguration=fields)

    @pytest.mark.parametrize(
        ("fields", "field", "codes"),
        [
            ({"STUNServers": [{}]}, "STUNServers[0].Server", MISSING),
            ({"Attribute": [{"Name": "TimerT1"}]}, "Attribute[0].Value", MISSING),
            ({"Attribute": [{"Name": "Certificate", "Value": "none"}]}, "Attribute[0].Value", ABSENT),
            ({"SIPPort": 5061}, "SIPTLSPort", NOT_NOW),
        ],
    )
    async def test_other_faults_name_the_field_too(
        self, bench: IntercomBench, fields: dict[str, Any], field: str, codes: list[str]
    ) -> None:
        await refused(bench, "SetSIPConfiguration", f"SIPConfiguration.{field}", codes, SIPConfiguration=fields)


class TestOldNamesOfTheAccessList:
    async def test_they_are_told_as_what_they_mean(self, bench: IntercomBench) -> None:
        await configure(bench, ApplyAccessList=True, AccessList=["1001"])
        found = await configured(bench)
        assert (found["ApplyAllowedURIs"], found["AllowedURIs"]) == (True, ["1001"])
        await configure(bench, AccessListPolicy="Block")
        found = await configured(bench)
        assert (found["ApplyAllowedURIs"], found["AllowedURIs"]) == (False, [])

    async def test_they_are_an_allow_list(self, bench: IntercomBench) -> None:
        now = await configure(bench, ApplyAllowedURIs=True, AllowedURIs=["1001"])
        assert (now.use_access_list, now.access_list_policy, now.access_list) == (True, "allow", ("1001",))
        assert not (await configure(bench, ApplyAllowedURIs=False)).use_access_list
        assert (await configure(bench, AllowedURIs=["2"])).access_list == ("2",)
        now = await configure(bench, keep=False, ApplyAllowedURIs=True, AllowedURIs=["2"])
        assert (now.use_access_list, now.access_list) == (True, ("2",))

    async def test_who_was_blocked_is_not_allowed_by_them(self, bench: IntercomBench) -> None:
        await configure(bench, ApplyAccessList=True, AccessList=["eve"], AccessListPolicy="Block")
        now = await configure(bench, ApplyAllowedURIs=True)
        assert (now.use_access_list, now.access_list_policy, now.access_list) == (True, "allow", ())

    async def test_sent_back_beside_new_names_they_say_nothing(self, bench: IntercomBench) -> None:
        await configure(bench, ApplyAccessList=True, AccessList=["1001"])
        found = await configured(bench)
        now = await configure(bench, **{**found, "AccessList": ["2"], "AccessListPolicy": "Block"})
        assert (now.access_list_policy, now.access_list) == ("block", ("2",))

    async def test_both_may_say_the_same(self, bench: IntercomBench) -> None:
        now = await configure(bench, ApplyAccessList=True, AccessList=["1"], ApplyAllowedURIs=True, AllowedURIs=["1"])
        assert (now.use_access_list, now.access_list) == (True, ("1",))

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"AccessList": ["1"], "AllowedURIs": ["2"]}, "AllowedURIs"),
            ({"AccessListPolicy": "Block", "ApplyAccessList": True, "ApplyAllowedURIs": True}, "ApplyAllowedURIs"),
        ],
    )
    async def test_contradictions_are_refused(self, bench: IntercomBench, fields: dict[str, Any], field: str) -> None:
        await refused(bench, "SetSIPConfiguration", f"SIPConfiguration.{field}", SIPConfiguration=fields)

    async def test_allowed_uris_do_not_become_those_who_are_blocked(self, bench: IntercomBench) -> None:
        await configure(bench, ApplyAccessList=True, AccessListPolicy="Block", AccessList=["eve"])
        field = "SIPConfiguration.AllowedURIs"
        await refused(bench, "SetSIPConfiguration", field, SIPConfiguration={"AllowedURIs": ["ada"]})


class TestAttributes:
    async def test_those_of_the_configuration_can_be_found(self, bench: IntercomBench) -> None:
        found = await ok(bench, "GetSupportedSIPConfigurationAttributes")
        by_name = {one["Name"]: (one["Type"], one["Default"]) for one in found["AttributeInfo"]}
        assert by_name["DisableTCPSwitch"] == ("bool", "false")
        assert by_name["MaxCallDuration"] == ("int", "0")
        assert by_name["RegistrationInterval"] == ("int", "300")
        assert by_name["AudioDirection"] == ("string", "sendrecv")
        assert {kind for kind, _ in by_name.values()} <= {"string", "int", "bool"}
        assert set(attributes(await configured(bench))) == set(by_name)

    def test_every_setting_of_rest_can_be_reached(self) -> None:
        assert {*configuration.NAMES, "codecs"} == set(SipSettings.__struct_fields__)

    @pytest.mark.parametrize("form", FORMS)
    async def test_values_are_texts(self, bench: IntercomBench, form: str) -> None:
        wanted = {"DisableTCPSwitch": "true", "MaxCallDuration": "3600", "RegistrationInterval": "60",
                  "AllowTransfer": "1", "AudioDirection": "sendonly"}  # fmt: skip
        args = {"SIPConfiguration": {"Attribute": [{"Name": name, "Value": text} for name, text in wanted.items()]}}
        assert (await ask(bench, form, "SetSIPConfiguration", args))[0] == 200
        now = bench.intercom.accounts.settings
        assert (now.udp_to_tcp, now.call_duration, now.register_interval) == (False, 3600, 60)
        assert (now.allow_transfer, now.audio_direction) == (True, "sendonly")
        found = attributes(await configured(bench))
        assert (found["DisableTCPSwitch"], found["AllowTransfer"]) == ("true", "true")

    async def test_one_that_is_not_implemented_is_ignored(self, bench: IntercomBench) -> None:
        before = bench.intercom.accounts.settings
        assert await configure(bench, Attribute=[{"Name": "VideoMagic", "Value": None}]) == before
