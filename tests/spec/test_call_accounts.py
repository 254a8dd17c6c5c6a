"""The VAPIX Call service, version 2: SIP accounts and their status, statement by statement."""

from __future__ import annotations

from typing import Any

import pytest
from call_service import (
    ABSENT,
    FORMS,
    NOT_NOW,
    ask,
    attributes,
    by_json,
    by_simple,
    configure,
    make,
    new_bench,
    ok,
    refused,
)
from intercom_bench import IntercomBench

from axcore.interfaces.call import accounts
from axcore.interfaces.http.tls import self_signed
from axcore.model.intercom import SipAccount
from axcore.model.voice import Registration
from axcore.services.certificates import CertificateStore

PBX = {"UserId": "6001", "Password": "secret", "Registrar": "pbx.example", "PublicDomain": "example.com"}


@pytest.fixture
def bench() -> IntercomBench:
    return new_bench()


async def shown(bench: IntercomBench, key: str) -> dict[str, Any]:
    found: dict[str, Any] = (await ok(bench, "GetSIPAccount", SIPAccountId=key))["SIPAccount"]
    return found


def stored(bench: IntercomBench, key: str) -> SipAccount:
    return bench.intercom.accounts.account(key)


class TestAccounts:
    async def test_what_clients_send_in_practice_registers(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX)
        account = stored(bench, key)
        assert (account.kind, account.user_id, account.registrar, account.domain, account.password) == (
            "registered", "6001", "pbx.example", "example.com", "secret",
        )  # fmt: skip

    async def test_a_peer_to_peer_account_is_a_user_alone(self, bench: IntercomBench) -> None:
        assert stored(bench, await make(bench, UserId="peer-to-peer")).kind == "peer_to_peer"
        null = dict.fromkeys(("Registrar", "PublicDomain", "Password", "SIPProxies", "Attribute", "Name", "Enabled"))
        account = stored(bench, await make(bench, UserId="1", **null))
        assert (account.kind, account.name, account.active, account.proxies) == (
            "peer_to_peer", "SIP account", True, (),
        )  # fmt: skip

    async def test_it_registers_with_the_public_domain_without_a_registrar(self, bench: IntercomBench) -> None:
        key = await make(bench, UserId="6001", PublicDomain="example.com")
        assert stored(bench, key).kind == "registered"
        assert bench.intercom.servers.route(stored(bench, key)).registrar == "example.com"
        await ok(bench, "SetSIPAccount", SIPAccount={"Id": key, "PublicDomain": None})
        assert stored(bench, key).kind == "peer_to_peer"

    async def test_how_rest_has_it_register_stays_until_its_servers_change(self, bench: IntercomBench) -> None:
        key = await make(bench, UserId="1", PublicDomain="Example.com")
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, key, {"kind": "peer_to_peer"}))
        await ok(bench, "SetSIPAccount", SIPAccount=await shown(bench, key))
        assert stored(bench, key).kind == "peer_to_peer"
        await ok(bench, "SetSIPAccount", SIPAccount={"Id": key, "Registrar": "pbx"})
        assert stored(bench, key).kind == "registered"

    async def test_every_field_is_told(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX, SIPProxies=[{"Server": "edge", "Username": "gate", "Password": "keeper"}])
        assert await shown(bench, key) == {
            "Id": key, "Name": "SIP account", "Enabled": True, "UserId": "6001", "Password": "", "CallerId": "",
            "AuthenticationId": "", "Registrar": "pbx.example", "SecondaryRegistrar": "", "PublicDomain": "example.com",
            "SecondaryPublicDomain": "", "SIPProxies": [{"Server": "edge", "Username": "gate", "Password": ""}],
            "SecondarySIPProxies": [], "IsDefault": False, "AutoAnswerEnabled": False, "SIPSEnabled": False,
            "Transport": "udp", "PrioritizeIPv6": False, "StreamParameters": "", "AllowMWI": False,
            "MediaEncryption": "None", "Certificate": "", "EncryptionProtocols": "TLSv12,TLSv13",
            "VerifyServerCertificate": False, "DTMFConfigurationId": "", "Attribute": [
                {"Name": "CACertificate", "Value": ""}, {"Name": "UseRTP", "Value": "true"},
                {"Name": "UseSIPINFO", "Value": "true"},
            ],
        }  # fmt: skip

    @pytest.mark.parametrize("form", FORMS)
    async def test_every_field_is_set_in_each_form(self, bench: IntercomBench, form: str) -> None:
        fields = {
            **PBX, "Id": "front", "Name": "Front; \"door\" /1", "CallerId": "Door", "AuthenticationId": "auth",
            "SecondaryRegistrar": "second", "AutoAnswerEnabled": True, "SIPSEnabled": True, "IsDefault": True,
            "PrioritizeIPv6": True, "AllowMWI": False, "StreamParameters": "", "Transport": "udp",
            "MediaEncryption": "SRTPMandatory", "EncryptionProtocols": "TLSv13", "VerifyServerCertificate": True,
            "SIPProxies": [{"Server": "Edge", "Username": "gate", "Password": "keeper"}, {"Server": "10.0.0.9"}],
            "Attribute": [{"Name": "UseSIPINFO", "Value": "false"}],
        }  # fmt: skip
        status, found = await ask(bench, form, "SetSIPAccount", {"SIPAccount": fields})
        told = found.value("SIPAccountId") if form == "soap" else found["SIPAccountId"].strip('"')
        assert (status, told, bench.intercom.accounts.default) == (200, "front", "front")
        account = stored(bench, "front")
        assert (account.name, account.caller_id, account.authentication_id) == ('Front; "door" /1', "Door", "auth")
        assert (account.kind, account.secondary_server, account.auto_answer) == ("registered", "second", True)
        assert (account.sips, account.transport, account.encryption) == (True, "tls", "mandatory")
        assert (account.tls_version, account.verify_server, account.info_keys) == ("1.3", True, False)
        assert [(one.address, one.username, one.password) for one in account.proxies] == [
            ("edge", "gate", "keeper"),
            ("10.0.0.9", "", ""),
        ]
        assert (await shown(bench, "front"))["PrioritizeIPv6"] is False

    async def test_what_is_read_can_be_sent_back(self, bench: IntercomBench) -> None:
        fields = {"Transport": "tls", "MediaEncryption": "SRTPBestEffort", "EncryptionProtocols": " TLSv12 ",
                  "SecondaryRegistrar": "second", "AutoAnswerEnabled": True, "Enabled": False}  # fmt: skip
        key = await make(bench, **PBX, **fields, SIPProxies=[{"Server": "edge", "Username": "u", "Password": "p"}])
        before = stored(bench, key)
        assert await ok(bench, "SetSIPAccount", SIPAccount=await shown(bench, key)) == {"SIPAccountId": key}
        every = (await ok(bench, "GetSIPAccounts"))["SIPAccount"]
        assert (await ok(bench, "SetSIPAccounts", SIPAccount=every))["SIPAccountId"] == ["peer-to-peer", key]
        assert stored(bench, key) == before

    @pytest.mark.parametrize("form", FORMS)
    async def test_some_accounts_leave_out_those_that_are_not_there(self, bench: IntercomBench, form: str) -> None:
        await make(bench, Id="one", UserId="1")
        args = {"SIPAccountId": ["one", "nobody"]}
        status, found = await ask(bench, form, "GetSIPAccounts", args)
        assert status == 200
        match form:
            case "json":
                assert [one["Id"] for one in found["SIPAccount"]] == ["one"]
            case "simple":
                assert found["SIPAccount_0_UserId"] == '"1"'
                assert "SIPAccount_1_UserId" not in found
            case _:
                assert [one.value("Id") for one in found.all("SIPAccount")] == ["one"]
        assert (await ask(bench, form, "GetSIPAccountStatuses", args))[0] == 200
        for every in ({}, {"SIPAccountId": []}, {"SIPAccountId": None}):
            assert len((await ok(bench, "GetSIPAccounts", **every))["SIPAccount"]) == 2
            assert len((await ok(bench, "GetSIPAccountStatuses", **every))["SIPAccountStatus"]) == 2

    @pytest.mark.parametrize("form", FORMS)
    async def test_several_are_set_and_removed_in_each_form(self, bench: IntercomBench, form: str) -> None:
        both = {"SIPAccount": [{"Id": "one", "UserId": "1"}, {"Id": "two", "UserId": "2", "IsDefault": True}]}
        assert (await ask(bench, form, "SetSIPAccounts", both))[0] == 200
        assert {*bench.intercom.accounts.accounts} == {"one", "peer-to-peer", "two"}
        assert bench.intercom.accounts.default == "two"
        gone = {"SIPAccountId": ["one", "nobody", "one", "peer-to-peer"]}
        assert (await ask(bench, form, "RemoveSIPAccounts", gone))[0] == 200
        assert [*bench.intercom.accounts.accounts] == ["two"]

    async def test_several_are_set_all_or_none(self, bench: IntercomBench) -> None:
        one, two = {"Id": "one", "UserId": "1"}, {"Id": "two", "Transport": "udp", "MediaEncryption": "SRTPMandatory"}
        await refused(bench, "SetSIPAccounts", "SIPAccount[1].MediaEncryption", SIPAccount=[one, two])
        await refused(bench, "SetSIPAccounts", "SIPAccount[1].Transport", SIPAccount=[one, {"Transport": "pigeon"}])
        assert [*bench.intercom.accounts.accounts] == ["peer-to-peer"]
        await make(bench, **one)
        keys = ["one", "peer-to-peer"]
        await refused(bench, "RemoveSIPAccounts", "SIPAccountId", NOT_NOW, SIPAccountId=keys)
        assert {*bench.intercom.accounts.accounts} == {"one", "peer-to-peer"}

    @pytest.mark.parametrize("form", FORMS)
    async def test_one_that_is_not_there_is_as_good_as_removed(self, bench: IntercomBench, form: str) -> None:
        before = bench.ledger.store.records()
        assert (await ask(bench, form, "RemoveSIPAccount", {"SIPAccountId": "nobody"}))[0] == 200
        assert await ok(bench, "RemoveSIPAccount", SIPAccountId="nobody") == {}
        assert await ok(bench, "RemoveSIPAccounts", SIPAccountId=[]) == {}
        assert bench.ledger.store.records() == before

    async def test_the_last_default_wins_and_false_says_nothing(self, bench: IntercomBench) -> None:
        await make(bench, Id="one", UserId="1", IsDefault=True)
        await make(bench, Id="two", UserId="2", IsDefault=True)
        await make(bench, Id="two", IsDefault=False)
        await make(bench, Id="one", IsDefault=None)
        assert bench.intercom.accounts.default == "two"

    async def test_sips_forces_tls(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX, Transport="udp", SIPSEnabled=True)
        assert stored(bench, key).transport == "tls"

    @pytest.mark.parametrize(
        ("text", "version"),
        [("TLSv12,TLSv13", "auto"), ("TLSv13, TLSv12", "auto"), ("TLSv12", "1.2"), ("TLSv13", "1.3")],
    )
    async def test_protocols_of_encryption(self, bench: IntercomBench, text: str, version: str) -> None:
        key = await make(bench, **PBX, Transport="tls", EncryptionProtocols=text)
        assert stored(bench, key).tls_version == version
        await make(bench, Id=key, EncryptionProtocols="")
        assert stored(bench, key).tls_version == version

    async def test_old_protocols_are_refused_by_name(self, bench: IntercomBench) -> None:
        for name in ("TLSv1", "TLSv11"):
            account = {**PBX, "EncryptionProtocols": f"{name},TLSv12"}
            _, found = await by_json(bench, "SetSIPAccount", {"SIPAccount": account})
            assert f"{name} is not spoken" in found["FaultReason"]

    async def test_a_certificate_is_an_alias(self, bench: IntercomBench) -> None:
        bench.intercom.accounts.certificates = store = CertificateStore()
        pem = self_signed("door").decode()
        at = pem.index("-----BEGIN CERTIFICATE")
        bench.do(lambda tx: store.add(tx, "own", pem[at:], pem[:at]))
        ca = [{"Name": "CACertificate", "Value": "own"}]
        key = await make(bench, **PBX, Transport="tls", Certificate="own", Attribute=ca)
        assert (stored(bench, key).certificate, stored(bench, key).ca_certificate) == ("own", "own")
        await make(bench, Id=key, Certificate=None)
        assert stored(bench, key).certificate == ""
        missing = {"Id": key, "Certificate": "nobody's"}
        await refused(bench, "SetSIPAccount", "SIPAccount.Certificate", ABSENT, SIPAccount=missing)

    @pytest.mark.parametrize(
        "more",
        [
            {"SecondaryRegistrar": "second"},
            {"SecondaryPublicDomain": "Second"},
            {"SecondaryRegistrar": "second", "SecondaryPublicDomain": "second"},
            {"SecondaryRegistrar": "second", "SecondaryPublicDomain": "example.com"},
            {"SecondaryRegistrar": "second", "SecondaryPublicDomain": None, "SecondarySIPProxies": []},
        ],
    )
    async def test_a_secondary_server(self, bench: IntercomBench, more: dict[str, Any]) -> None:
        key = await make(bench, **PBX, **more)
        assert stored(bench, key).secondary_server == "second"
        assert (await shown(bench, key))["SecondaryRegistrar"] == "second"

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"SecondaryRegistrar": "second", "SecondaryPublicDomain": "third"}, "SecondaryPublicDomain"),
            ({"SecondarySIPProxies": [{"Server": "edge"}]}, "SecondarySIPProxies"),
            ({"SecondaryRegistrar": "pbx.example"}, "SecondaryRegistrar"),
            ({"StreamParameters": "resolution=640x480"}, "StreamParameters"),
            ({"AllowMWI": True}, "AllowMWI"),
            ({"MediaEncryption": "SRTPMandatory"}, "MediaEncryption"),
            ({"MediaEncryption": "ZRTP"}, "MediaEncryption"),
            ({"Transport": "pigeon"}, "Transport"),
            ({"EncryptionProtocols": "TLSv11"}, "EncryptionProtocols"),
            ({"EncryptionProtocols": ","}, "EncryptionProtocols"),
            ({"UserId": "a b"}, "UserId"),
            ({"UserId": ""}, "UserId"),
            ({"UserId": 6001}, "UserId"),
            ({"Registrar": "a b"}, "Registrar"),
            ({"PublicDomain": "a b"}, "PublicDomain"),
            ({"CallerId": '"'}, "CallerId"),
            ({"Name": "x" * 65}, "Name"),
            ({"Enabled": "true"}, "Enabled"),
            ({"PrioritizeIPv6": 1}, "PrioritizeIPv6"),
            ({"SIPProxies": [{"Server": "a b"}]}, "SIPProxies[0].Server"),
            ({"SIPProxies": [{"Server": "a"}, {"Server": "b", "Password": "x"}]}, "SIPProxies[1].Username"),
            ({"SIPProxies": [{"Server": "a", "Address": "b"}]}, "SIPProxies[0].Address"),
            ({"Active": True}, "Active"),
            ({"Id": "a b"}, "Id"),
        ],
    )
    async def test_what_cannot_be_is_named(self, bench: IntercomBench, fields: dict[str, Any], field: str) -> None:
        await refused(bench, "SetSIPAccount", f"SIPAccount.{field}", SIPAccount={**PBX, **fields})

    async def test_what_cannot_be_done_now_names_the_field_too(self, bench: IntercomBench) -> None:
        off = {"Id": "peer-to-peer", "Enabled": False}
        await refused(bench, "SetSIPAccount", "SIPAccount.Enabled", NOT_NOW, SIPAccount=off)
        off = {"Id": "one", "Enabled": False, "IsDefault": True}
        await refused(bench, "SetSIPAccount", "SIPAccount.Id", NOT_NOW, SIPAccount=off)
        many = [{"Server": f"edge{number}"} for number in range(5)]
        await refused(bench, "SetSIPAccount", "SIPAccount.SIPProxies", NOT_NOW, SIPAccount={"SIPProxies": many})

    async def test_media_encryption_modes(self, bench: IntercomBench) -> None:
        found = await ok(bench, "GetSupportedMediaEncryptionModes")
        assert found == {"MediaEncryption": ["None", "SRTPBestEffort", "SRTPMandatory"]}


class TestAccountStatus:
    async def status(self, bench: IntercomBench, key: str) -> dict[str, Any]:
        found: dict[str, Any] = (await ok(bench, "GetSIPAccountStatus", SIPAccountId=key))["SIPAccountStatus"]
        return found

    @staticmethod
    def start(bench: IntercomBench) -> None:
        bench.intercom.accounts.configure(0, bind="", own_address="192.168.0.90", name="station")

    def answered(self, bench: IntercomBench, key: str, code: int, reason: str, *, active: bool = False) -> None:
        bench.report(0, Registration(account=key, code=code, reason=reason, active=active))

    async def test_a_registered_account(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX, IsDefault=True)
        self.start(bench)
        self.answered(bench, key, 200, "OK", active=True)
        assert await self.status(bench, key) == {
            "SIPAccountId": key, "SIPURI": "sip:6001@example.com", "IsDefault": True, "RegURI": "sip:pbx.example",
            "Status": 200, "StatusText": "OK",
        }  # fmt: skip

    @pytest.mark.parametrize(("code", "reason"), [(403, "Forbidden"), (408, "Request Timeout"), (503, "Gone away")])
    async def test_one_that_is_refused_says_what_the_registrar_said(
        self, bench: IntercomBench, code: int, reason: str
    ) -> None:
        key = await make(bench, **PBX)
        self.answered(bench, key, code, reason)
        found = await self.status(bench, key)
        assert (found["Status"], found["StatusText"], found["RegURI"]) == (code, reason, "")

    async def test_one_without_an_answer_yet_or_any_more(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX)
        found = await self.status(bench, key)
        assert (found["Status"], found["StatusText"]) == (0, "Trying")
        self.answered(bench, key, 200, "OK")  # of the end of a registration
        assert (await self.status(bench, key))["Status"] == 0
        self.answered(bench, key, 200, "", active=True)
        assert (await self.status(bench, key))["StatusText"] == "OK"

    async def test_a_peer_to_peer_account_does_not_register(self, bench: IntercomBench) -> None:
        self.start(bench)
        assert await self.status(bench, "peer-to-peer") == {
            "SIPAccountId": "peer-to-peer", "SIPURI": "sip:station@192.168.0.90:5060", "IsDefault": True, "RegURI": "",
            "Status": 0, "StatusText": "Does not register",
        }  # fmt: skip

    async def test_nor_does_one_that_is_not_enabled(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX)
        self.answered(bench, key, 200, "OK", active=True)
        await make(bench, Id=key, Enabled=False)
        found = await self.status(bench, key)
        assert (found["Status"], found["StatusText"], found["RegURI"]) == (0, "Does not register", "")

    async def test_while_sip_is_off(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX)
        self.answered(bench, key, 200, "OK", active=True)
        await configure(bench, SIPEnabled=False)
        for one in (await ok(bench, "GetSIPAccountStatuses"))["SIPAccountStatus"]:
            assert (one["Status"], one["StatusText"], one["RegURI"]) == (0, "SIP disabled", "")
        assert (await self.status(bench, "peer-to-peer"))["SIPURI"] == ""  # it has had no address yet
        assert (await self.status(bench, key))["SIPURI"] == "sip:6001@example.com"

    async def test_the_port_of_a_peer_to_peer_account_is_that_of_its_transport(self, bench: IntercomBench) -> None:
        self.start(bench)
        await configure(bench, SIPPort=0)
        assert (await self.status(bench, "peer-to-peer"))["SIPURI"] == "sip:station@192.168.0.90"
        await make(bench, Id="peer-to-peer", Transport="tls")
        assert (await self.status(bench, "peer-to-peer"))["SIPURI"] == "sip:station@192.168.0.90:5061"

    async def test_texts_of_the_simple_form_are_encoded(self, bench: IntercomBench) -> None:
        _, lines = await by_simple(bench, "GetSIPAccountStatuses")
        assert 'SIPAccountStatus_0_StatusText="Does+not+register"' in lines
        assert "SIPAccountStatus_0_Status=0" in lines

    async def test_lines_of_text_stay_one_line(self, bench: IntercomBench) -> None:
        key = await make(bench, **PBX)
        self.answered(bench, key, 500, "a\nb: @;/,()[] 100%")
        _, lines = await by_simple(bench, "GetSIPAccountStatus", SIPAccountId=key)
        assert 'SIPAccountStatus_StatusText="a%0Ab:+@;/,()[]+100%25"' in lines


class TestAttributes:
    async def test_those_of_accounts(self, bench: IntercomBench) -> None:
        found = (await ok(bench, "GetSupportedSIPAccountAttributes"))["AttributeInfo"]
        assert {"Name": "CACertificate", "Type": "string", "Default": ""} in found
        key = await make(bench, **PBX, Attribute=[{"Name": "UseRTP", "Value": "false"}])
        assert not stored(bench, key).rtp_keys
        assert attributes(await shown(bench, key))["UseRTP"] == "false"
        again = {"Id": key, "Attribute": [{"Name": "UseSIPINFO", "Value": "perhaps"}]}
        await refused(bench, "SetSIPAccount", "SIPAccount.Attribute[0].Value", SIPAccount=again)

    async def test_one_that_is_not_implemented_is_ignored(self, bench: IntercomBench) -> None:
        key = await make(bench, Attribute=[{"Name": "VideoMagic", "Value": "x"}])
        assert "VideoMagic" not in attributes(await shown(bench, key))

    def test_every_setting_of_an_account_can_be_reached(self) -> None:
        # "kind" is said by where the account registers
        assert {*accounts.NAMES, "kind"} >= set(SipAccount.__struct_fields__)
