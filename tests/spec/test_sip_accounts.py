"""Seed 001, SIP > Settings > Additional and SIP > Accounts: which server an account uses, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intercom_bench import IntercomBench

from axcore.devices.servers import ASK_NS, NS, Ask, Servers, Use
from axcore.errors import InputError
from axcore.interfaces.http.tls import self_signed
from axcore.model import events
from axcore.model.intercom import SipAccountSpec, SipProxy
from axcore.model.voice import Ended, Invite, Probe, Probed, Register, Registration, Reroute
from axcore.services.certificates import CertificateStore

TWO = Servers(count=2, tries=3, fallback_ns=60 * NS)


def account(**more: Any) -> SipAccountSpec:
    return SipAccountSpec(
        **{"name": "PBX", "kind": "registered", "user_id": "door", "registrar": "a.example", "password": "x", **more}
    )


class TestSecondaryServer:
    def test_max_retransmissions_is_how_often_it_tries_to_connect_before_it_stops(self) -> None:
        servers, now = TWO, NS
        for failures in (1, 2):
            servers, effects = servers.failed(0, now)
            assert (servers.failures, effects) == (failures, ())
        servers, effects = servers.failed(408, now)
        assert effects == (Use(1, "no answer"),)
        assert servers.current == 1

    def test_tries_to_register_on_a_secondary_server_if_registration_on_the_primary_fails(self) -> None:
        servers, effects = TWO.failed(403, 0)  # another try would be refused as well
        assert (servers.current, effects) == (1, (Use(1, "refused with 403"),))

    def test_an_answer_in_between_begins_the_count_anew(self) -> None:
        servers, _ = TWO.failed(0, 0)
        servers, _ = servers.registered(NS)
        assert servers.failures == 0

    def test_seconds_until_fallback_until_it_reconnects_to_the_primary(self) -> None:
        servers, _ = TWO.failed(403, 0)
        servers, _ = servers.registered(NS)
        assert servers.deadline == 60 * NS
        assert servers.advance(60 * NS - 1) == (servers, ())
        servers, effects = servers.advance(60 * NS)
        assert effects == (Ask(0),)
        assert servers.asked(True, 61 * NS)[1] == (Use(0, "it is back"),)

    def test_a_primary_that_is_still_away_is_asked_again_and_nothing_moves(self) -> None:
        servers, _ = TWO.failed(403, 0)
        servers, _ = servers.advance(60 * NS)
        again, effects = servers.asked(False, 62 * NS)
        assert (again.current, effects, again.deadline) == (1, (), 122 * NS)
        silent, effects = servers.advance(60 * NS + ASK_NS)
        assert (silent.asking, effects) == (False, ())

    def test_when_all_have_failed_it_begins_with_the_first_again(self) -> None:
        servers, _ = TWO.failed(403, 0)
        servers, effects = servers.failed(403, NS)
        assert (servers.lost, effects, servers.deadline) == (True, (), 61 * NS)
        servers, effects = servers.advance(61 * NS)
        assert (servers.current, servers.lost, effects) == (0, False, (Use(0, "all have failed"),))

    @given(
        st.lists(st.tuples(st.sampled_from(["ok", "408", "403", "yes", "no", "time"]), st.integers(0, 90)), max_size=60)
    )
    def test_it_never_leaves_its_servers_and_never_rests_while_one_is_lost(self, steps: list[tuple[str, int]]) -> None:
        servers, now = Servers(count=3, tries=2, fallback_ns=60 * NS), NS
        for what, seconds in steps:
            now += seconds * NS
            match what:
                case "ok":
                    servers, effects = servers.registered(now)
                case "408" | "403":
                    servers, effects = servers.failed(int(what), now)
                case "yes" | "no":
                    servers, effects = servers.asked(what == "yes", now)
                case _:
                    servers, effects = servers.advance(now)
            assert 0 <= servers.current < 3
            assert servers.deadline is not None or not (servers.current or servers.lost)
            assert all(effect.server == servers.current for effect in effects if isinstance(effect, Use))


@pytest.fixture
def bench() -> IntercomBench:
    found = IntercomBench()
    found.ledger.add_timer(found.intercom.servers)
    return found


class Account:
    """An account of a bench whose lines are told what there is."""

    def __init__(self, bench: IntercomBench, **more: Any) -> None:
        self.bench = bench
        self.id = bench.do(lambda tx: bench.intercom.accounts.add_account(tx, account(**more))).id
        self.configure()

    def configure(self) -> Any:
        accounts = self.bench.intercom.accounts
        made = [accounts.configure(line, bind="", own_address="10.0.0.9", name="door") for line in range(2)]
        return next(one for one in made[0].accounts if one.id == self.id)

    def says(self, code: int) -> None:
        report = Registration(account=self.id, code=code, reason="", active=code == 200)
        self.bench.report(0, report)

    def told(self, kind: type) -> list[tuple[int, Any]]:
        return [(line, one) for line, one in self.bench.lines.sent if isinstance(one, kind)]


class TestService:
    def test_fail_over_and_fail_back(self, bench: IntercomBench) -> None:
        one = Account(bench, secondary_server="B.example:5070")
        one.says(200)
        assert one.configure().registrar == "sip:a.example"
        one.says(403)
        (first, second) = one.told(Reroute)
        assert [line for line, _ in (first, second)] == [0, 1]
        assert first[1].account.registrar == "sip:b.example:5070"
        assert first[1].account.proxies == ("sip:b.example:5070",)  # calls go there, too
        assert [told.account.register for _, told in (first, second)] == [True, False]
        assert one.configure().registrar == "sip:b.example:5070"  # a process that begins anew
        assert "b.example:5070 is used" in bench.told(events.SYSTEM_FAULT)[-1].data["reason"]
        one.says(200)
        bench.ledger.advance(300)
        assert one.told(Probe) == [(0, Probe(account=one.id, server="a.example"))]
        bench.report(0, Probed(account=one.id, alive=True))
        assert one.told(Reroute)[-1][1].account.registrar == "sip:a.example"
        assert one.told(Reroute)[-1][1].account.proxies == ()

    def test_proxies_are_used_in_the_order_of_their_priority(self, bench: IntercomBench) -> None:
        proxies = (SipProxy(address="p1"), SipProxy(address="p2", username="gate", password="keeper", realm="edge"))
        one = Account(bench, proxies=proxies, secondary_server="b.example")
        assert one.configure().proxies == ("sip:p1",)
        seen = []
        for _ in range(3):
            one.says(403)
            told = one.told(Reroute)[-1][1].account
            seen.append((told.registrar, told.proxies, told.proxy_username))
        assert seen == [
            ("sip:a.example", ("sip:p2",), "gate"),
            ("sip:b.example", ("sip:p1",), ""),
            ("sip:b.example", ("sip:p2",), "gate"),
        ]

    def test_the_only_server_is_tried_again_after_it_has_refused(self, bench: IntercomBench) -> None:
        one = Account(bench)
        one.says(403)
        assert one.told(Register) == []
        bench.ledger.advance(300)
        assert one.told(Register) == [(0, Register(account=one.id))]
        assert one.told(Reroute) == []

    def test_the_end_of_a_registration_says_nothing_of_the_server(self, bench: IntercomBench) -> None:
        one = Account(bench, secondary_server="b.example")
        bench.report(0, Registration(account=one.id, code=200, reason="", active=False))
        assert one.told(Reroute) == []

    def test_a_call_that_meets_no_server_has_it_looked_for_at_once(self, bench: IntercomBench) -> None:
        one = Account(bench)
        bench.do(lambda tx: bench.intercom.call(tx, "1001", one.id))
        ((line, invite),) = [(line, told) for line, told in bench.lines.sent if isinstance(told, Invite)]
        bench.report(line, Ended(leg=invite.leg, code=408, reason=""))
        assert one.told(Register) == [(0, Register(account=one.id))]

    def test_a_changed_account_begins_with_its_first_server(self, bench: IntercomBench) -> None:
        one = Account(bench, secondary_server="b.example")
        one.says(403)
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, one.id, {"registrar": "c.example"}))
        assert one.configure().registrar == "sip:c.example"

    def test_a_removed_account_is_forgotten(self, bench: IntercomBench) -> None:
        one = Account(bench, secondary_server="b.example")
        one.says(403)
        bench.do(lambda tx: bench.intercom.accounts.remove_account(tx, one.id))
        bench.ledger.advance(301)
        assert one.told(Probe) == []
        assert bench.intercom.servers.next_deadline() is None

    def test_a_proxy_keeps_its_password_while_it_is_the_same(self, bench: IntercomBench) -> None:
        proxy = {"address": "p1", "username": "gate"}
        one = Account(bench, proxies=(SipProxy(**proxy, password="keeper"),))

        def password(patch: dict[str, str]) -> str:
            accounts = bench.intercom.accounts
            return str(
                bench.do(lambda tx: accounts.update_account(tx, one.id, {"proxies": [patch]})).proxies[0].password
            )

        assert password(proxy) == "keeper"
        assert password({**proxy, "address": "evil"}) == ""

    def test_sip_secure_uses_sips_addresses(self, bench: IntercomBench) -> None:
        one = Account(bench, transport="tls", sips=True, proxies=(SipProxy(address="p1"),))
        told = one.configure()
        assert (told.sips, told.transport) == (True, "tls")  # what goes out as sips: is tested on the wire
        with pytest.raises(InputError, match="sips"):
            bench.do(lambda tx: bench.intercom.call(tx, "sips:ada@10.0.0.2"))

    def test_certificate_and_verification_are_those_of_the_account(self, bench: IntercomBench) -> None:
        store = CertificateStore()
        bench.intercom.accounts.certificates = store
        pem = self_signed("door").decode()
        at = pem.index("-----BEGIN CERTIFICATE")
        bench.do(lambda tx: store.add(tx, "own", pem[at:], pem[:at]))
        bench.do(lambda tx: store.add(tx, "authority", pem[at:]))
        tls = {"tls_version": "1.3", "certificate": "own", "verify_server": True, "ca_certificate": "authority"}
        one = Account(bench, transport="tls", **tls)
        told = one.configure().tls
        assert (told.version, told.verify) == ("1.3", True)
        assert "PRIVATE KEY" in told.certificate
        assert "PRIVATE KEY" not in told.ca
        bench.do(lambda tx: store.remove(tx, "authority"))
        assert one.configure().tls.ca == "gone"  # verified by nobody, which is not the same as not verified
        listener = {"certificate": "own", "verify_client": True, "tls_port": 5071}
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, listener))
        first, second = (
            bench.intercom.accounts.configure(line, bind="", own_address="10.0.0.9", name="door") for line in range(2)
        )
        assert (first.tls_port, second.tls_port) == (5071, 0)
        assert first.tls is not None
        assert first.tls.verify
        for field, patch in (("certificate", "authority"), ("certificate", "none"), ("ca_certificate", "none")):
            with pytest.raises(InputError) as caught:
                bench.do(lambda tx, f=field, p=patch: bench.intercom.accounts.set_settings(tx, {f: p}))  # type: ignore[misc]
            assert caught.value.field == field

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"sips": True}, "sips"),
            ({"certificate": "none", "transport": "tls"}, "certificate"),
            ({"ca_certificate": "none", "transport": "tls"}, "ca_certificate"),
            ({"secondary_server": "a b"}, "secondary_server"),
            ({"secondary_server": "A.example"}, "secondary_server"),
            ({"kind": "peer_to_peer", "secondary_server": "b"}, "secondary_server"),
            ({"proxies": (SipProxy(address=""),)}, "proxies[0].address"),
            ({"proxies": (SipProxy(address="p"), SipProxy(address="p", password="x"))}, "proxies[1].username"),
            ({"proxies": (SipProxy(address="p", realm='a"b'),)}, "proxies[0].realm"),
            ({"proxies": (SipProxy(address="p", username="a\nb"),)}, "proxies[0].username"),
        ],
    )
    def test_what_is_wrong_is_named(self, bench: IntercomBench, fields: dict[str, Any], field: str) -> None:
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: bench.intercom.accounts.add_account(tx, account(**fields)))
        assert caught.value.field == field

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"max_retransmissions": 0}, "max_retransmissions"),
            ({"fallback_interval": 9}, "fallback_interval"),
            ({"t1": 10}, "t1"),
            ({"t2": 499}, "t2"),
            ({"dtmf_payload_type": 95}, "dtmf_payload_type"),
            ({"audio_direction": "inactive"}, "audio_direction"),
            ({"audio_direction": "up"}, "audio_direction"),
            ({"udp_to_tcp": 2}, "udp_to_tcp"),
        ],
    )
    def test_settings_that_cannot_be(self, bench: IntercomBench, patch: dict[str, Any], field: str) -> None:
        before = bench.intercom.accounts.settings
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, patch))
        assert caught.value.field == field
        assert bench.intercom.accounts.settings == before

    def test_each_setting_reaches_the_processes(self, bench: IntercomBench) -> None:
        patch = {
            "t1": 100, "t2": 200, "udp_to_tcp": False, "audio_direction": "sendonly", "dtmf_payload_type": 110,
            "register_interval": 60, "via_rewrite": False, "contact_rewrite": False, "codecs": ["G722"],
        }  # fmt: skip
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, patch))
        told = bench.intercom.accounts.configure(0, bind="", own_address="10.0.0.9", name="door")
        assert (told.t1_ms, told.t2_ms, told.tcp_switch, told.codecs) == (100, 200, False, ("G722",))
        (one,) = told.accounts
        assert (one.audio, one.event_type, one.expires_s) == ("sendonly", 110, 60)
        assert (one.via_rewrite, one.contact_rewrite) == (False, False)
