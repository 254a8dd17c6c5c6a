"""The intercom service: what it tells processes, sound and the log; what it refuses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from intercom_bench import FakeLines, IntercomBench, add

from axcore.devices.models import DOOR_STATION
from axcore.errors import ConflictError, InputError, NotFoundError, StoreError
from axcore.model import events
from axcore.model.intercom import ContactSpec, DtmfSequenceSpec, GroupSpec, SipAccountSpec
from axcore.model.rules import Condition
from axcore.model.voice import Answer, Connected, Digit, HangUp, Notify, Referred, Refused, Registration
from axcore.rules import canonical
from axcore.services.events.catalogue import check_condition, condition_types
from axcore.services.intercom import ContactFile
from axcore.services.intercom.check import MEDIA_PORTS


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


class TestCalls:
    def test_the_life_of_a_call(self, bench: IntercomBench) -> None:
        key = bench.call()
        ((line, invite),) = bench.invites()
        assert (line, invite.leg, invite.uri) == (1, f"{key}.0", "sip:ada@10.0.0.2")
        assert bench.media.legs == {invite.leg: 4000}
        assert bench.indicators.shown()["statusCall"].color == "blue"
        bench.answer(invite.leg, line)
        assert bench.media.talking[invite.leg].codec == "PCMU"
        assert bench.indicators.shown()["statusSpeak"].color == "amber"
        bench.end(invite.leg, line)
        assert bench.media.legs == {}
        assert bench.states() == ["Calling", "Active", "Terminating", "Terminated", "Idle"]
        status = bench.intercom.status(key)
        assert (status.state, status.reason, status.codec) == ("Terminated", "hung up", "PCMU")

    def changes(self, bench: IntercomBench) -> list[str]:
        return [event.data["Reason"] for event in bench.told(events.CALL_STATE_CHANGE)]

    def test_reasons_of_an_outgoing_call(self, bench: IntercomBench) -> None:
        for code, reason in ((486, "Busy"), (480, "NoAnswer"), (408, "NoAnswer"), (500, "Failed")):
            bench.call()
            line, invite = bench.invites()[-1]
            bench.end(invite.leg, line, code)
            assert self.changes(bench)[-2:] == ["Initiated", reason]
        bench.call()
        line, invite = bench.invites()[-1]
        bench.answer(invite.leg, line)
        bench.end(invite.leg, line)
        assert self.changes(bench)[-3:] == ["Initiated", "AcceptedByRemote", "Terminated"]

    def test_reasons_of_an_incoming_call(self, bench: IntercomBench) -> None:
        bench.incoming()
        bench.do(lambda tx: bench.intercom.answer(tx, bench.intercom.calls()[-1].id))
        bench.report(0, Connected(leg="in1", remote="sip:ada@10.0.0.2"))
        bench.end("in1", 0)
        told = bench.told(events.CALL_STATE_CHANGE)
        assert self.changes(bench) == ["Initiated", "AcceptedByDevice", "Terminated"]
        assert {event.data["DeviceURI"] for event in told} == {"sip:d@10.0.0.9"}
        assert {event.data["RemoteURI"] for event in told} == {"sip:ada@10.0.0.2"}
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"allow_incoming": False}))
        bench.incoming("sip:eve@10.0.0.3:5070")
        bench.incoming("sip:eve@10.0.0.3:5070")  # told once in a while
        assert self.changes(bench)[3:] == ["Denied"]
        assert bench.told(events.CALL_STATE_CHANGE)[-1].data["RemoteURI"] == "sip:eve@10.0.0.3"

    def test_an_address_that_is_none_is_told_as_it_came(self, bench: IntercomBench) -> None:
        bench.incoming(local="tel:+123")
        assert bench.told(events.CALL_STATE_CHANGE)[-1].data["DeviceURI"] == "tel:+123"

    def test_one_call_at_a_time(self, bench: IntercomBench) -> None:
        bench.call()
        with pytest.raises(ConflictError, match="there is a call already"):
            bench.call()
        bench.incoming()
        assert bench.lines.sent[-1] == (0, Answer(leg="in1", code=486))

    def test_a_call_that_ends_does_not_hold_up_the_next(self, bench: IntercomBench) -> None:
        first = bench.call()
        bench.do(lambda tx: bench.intercom.hang_up(tx, first))
        bench.call()
        assert [command.media.port for _, command in bench.invites()] == [4000, 4002]
        bench.ledger.advance(5)
        assert bench.intercom.status(first).state == "Terminated"

    def test_six_legs_go_over_both_processes(self, bench: IntercomBench) -> None:
        people = [add(bench, f"P{number}", sip_address=f"sip:p{number}@10.0.0.2") for number in range(6)]
        group = GroupSpec(name="Front", recipients=tuple(people))
        bench.do(lambda tx: bench.intercom.contacts.add_group(tx, group))
        bench.call("Front")
        assert sorted(line for line, _ in bench.invites()) == [0, 0, 0, 1, 1, 1]
        assert len(set(bench.media.legs.values())) == 6
        bench.answer("1.3", bench.invites()[3][0])
        assert sum(isinstance(command, HangUp) for _, command in bench.lines.sent) == 5

    def test_no_process_no_call_but_an_event(self, bench: IntercomBench) -> None:
        bench.lost(0)
        bench.lost(1)
        key = bench.call()
        assert bench.intercom.status(key).state == "Terminated"
        assert "no voice process" in bench.intercom.status(key).reason
        assert len(bench.told(events.SYSTEM_FAULT)) == 2

    def test_a_transfer(self, bench: IntercomBench) -> None:
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"allow_transfer": True, "call_duration": 3600}))
        key = bench.call()
        bench.answer(f"{key}.0", 1)
        bench.report(1, Referred(leg=f"{key}.0", uri="sip:bob@10.0.0.4", replaces="a;to-tag=1;from-tag=2"))
        line, invite = bench.invites()[-1]
        assert (invite.leg, invite.uri, invite.replaces) == (f"{key}.1", "sip:bob@10.0.0.4", "a;to-tag=1;from-tag=2")
        assert set(bench.media.talking) == {f"{key}.0"}
        bench.answer(invite.leg, line)
        assert bench.lines.sent[-2:] == [
            (1, Notify(leg=f"{key}.0", code=200)), (1, HangUp(leg=f"{key}.0", code=603))
        ]  # fmt: skip
        assert set(bench.media.talking) == {f"{key}.1"}
        assert bench.intercom.status(key).remote_uri == "sip:bob@10.0.0.4"
        assert bench.told(events.CALL_STATE_CHANGE)[-1].data["RemoteURI"] == "sip:bob@10.0.0.4"
        bench.end(f"{key}.0", 1)
        bench.end(f"{key}.1", line)
        assert bench.media.legs == {}
        assert bench.states() == ["Calling", "Active", "Terminating", "Terminated", "Idle"]

    @pytest.mark.parametrize(
        ("uri", "settings", "code"),
        [
            ("sip:bob@10.0.0.4", {"allow_transfer": False}, 603),
            ("sips:bob@10.0.0.4", {}, 400),
            ("bob", {}, 400),
            ("sip:bob@10.0.0.4", {"use_access_list": True, "access_list": ["ada"]}, 403),
            ("sip:d@10.0.0.9", {}, 403),
        ],
    )
    def test_a_transfer_that_may_not_be(
        self, bench: IntercomBench, uri: str, settings: dict[str, Any], code: int
    ) -> None:
        bench.intercom.accounts.configure(0, bind="", own_address="10.0.0.9", name="d")
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"allow_transfer": True, **settings}))
        key = bench.call()
        bench.answer(f"{key}.0", 1)
        for _ in range(3):
            bench.report(1, Referred(leg=f"{key}.0", uri=uri))
        assert [one for one in bench.lines.sent if isinstance(one[1], Notify)] == [
            (1, Notify(leg=f"{key}.0", code=code))
        ] * 3
        assert len(bench.invites()) == 1
        bench.report(1, Refused(what="transfer", detail="", code=603, count=10))
        assert bench.intercom.admission.counts == {"transfer": 13}
        assert len(bench.told(events.SYSTEM_FAULT)) == 1
        assert bench.intercom.status(key).state == "Active"

    def test_a_process_that_takes_nothing_ends_its_legs(self, bench: IntercomBench) -> None:
        bench.lines.dead.add(1)
        key = bench.call()
        bench.ledger.advance(0)
        assert bench.intercom.status(key).state == "Terminated"

    def test_a_lost_process_ends_its_legs_only(self, bench: IntercomBench) -> None:
        add(bench, "Ada")
        key = add(bench, "Bob")
        bench.do(lambda tx: bench.intercom.call_contacts(tx, ("contact1", key)))
        assert {line for line, _ in bench.invites()} == {0, 1}
        bench.lost(1)
        assert bench.intercom.calls()[-1].state == "Calling"
        bench.lost(0)
        assert bench.intercom.calls()[-1].state == "Terminated"

    def test_a_tls_front_that_hangs_is_an_event(self, bench: IntercomBench) -> None:
        bench.report(0, Refused(what="tls", detail="the TLS front does not answer any more: SIP begins anew"))
        (told,) = bench.told(events.SYSTEM_FAULT)
        assert told.data["reason"] == "tls: the TLS front does not answer any more: SIP begins anew"

    def test_a_port_that_somebody_else_has_is_passed_over(self, bench: IntercomBench) -> None:
        bench.media.taken |= {4000, 4002}
        key = bench.call()
        bench.ledger.advance(0)
        ((line, invite),) = bench.invites()
        assert invite.media.port == bench.media.legs[f"{key}.0"] == 4004
        bench.answer(invite.leg, line)
        assert bench.intercom.status(key).state == "Active"
        bench.end(invite.leg, line)
        for port in (4006, 4008):  # none that was taken, none twice
            bench.call()
            bench.ledger.advance(0)
            assert bench.invites()[-1][1].media.port == port
            bench.end(bench.invites()[-1][1].leg, 1, 486)
            bench.media.taken.add(port)

    def test_legs_that_find_their_ports_taken_get_no_port_of_each_other(self, bench: IntercomBench) -> None:
        bench.media.taken |= {4000, 4004}
        people = [add(bench, f"P{number}", sip_address=f"sip:p{number}@10.0.0.2") for number in range(6)]
        bench.do(lambda tx: bench.intercom.call_contacts(tx, tuple(people)))
        bench.ledger.advance(0)
        ports = [invite.media.port for _, invite in bench.invites()]
        assert sorted(ports) == sorted(bench.media.legs.values()) == [4002, 4006, 4008, 4010, 4012, 4014]

    def test_no_port_for_its_sound_ends_the_leg_before_anybody_is_called(self, bench: IntercomBench) -> None:
        bench.media.taken |= set(range(4000, 4024, 2))
        for _ in range(13):  # nothing of a leg that is over is kept
            key = bench.call()
            bench.ledger.advance(0)
            assert "RTP port 40" in bench.intercom.status(key).reason
            assert bench.intercom.status(key).state == "Terminated"
        assert bench.invites() == []
        assert bench.media.legs == {}

    def test_who_calls_is_not_answered_before_there_is_a_port_for_his_sound(self, bench: IntercomBench) -> None:
        bench.media.taken.add(4024)
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, "peer-to-peer", {"auto_answer": True}))
        bench.incoming()
        bench.ledger.advance(0)
        told = [command for _, command in bench.lines.sent if getattr(command, "leg", "") == "in1"]
        assert told == [HangUp(leg="in1", code=500)], "a refusal: no answer that is taken back"
        assert "4024" in bench.intercom.calls()[-1].reason

    def test_who_calls_is_not_answered_while_the_disk_fails(self, bench: IntercomBench) -> None:
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, "peer-to-peer", {"auto_answer": True}))
        before = list(bench.lines.sent)
        bench.ledger.store.sync_broken = "no disk"
        with pytest.raises(StoreError):
            bench.incoming()
        assert bench.lines.sent == before
        assert not bench.intercom.calls()

    def test_who_answers_a_call_that_the_disk_has_undone_is_hung_up(self, bench: IntercomBench) -> None:
        """The button's call goes out when it is written: its edge is there for all to see."""

        def pressed(tx: Any) -> None:
            tx.act_early()
            bench.intercom.call(tx, "sip:ada@10.0.0.2")

        bench.ledger.store.sync_broken = "no disk"
        with pytest.raises(StoreError):
            bench.do(pressed)
        ((line, invite),) = bench.invites()
        assert not bench.intercom.calls()
        bench.ledger.store.sync_broken = None
        bench.ledger.advance(1.0)
        bench.report(line, Connected(leg=invite.leg, remote="sip:ada@10.0.0.2"))
        assert bench.lines.sent[-1] == (line, HangUp(leg=invite.leg, code=500))
        assert not bench.intercom.calls()

    def test_nothing_is_sent_before_the_commit(self, bench: IntercomBench) -> None:
        def job(tx: Any) -> None:
            bench.intercom.call(tx, "sip:ada@10.0.0.2")
            assert bench.lines.sent == []
            raise InputError("x", "undone")

        with pytest.raises(InputError):
            bench.do(job)
        assert bench.lines.sent == []
        assert bench.intercom.calls() == ()

    def test_calling_timeout_in_virtual_time(self, bench: IntercomBench) -> None:
        key = bench.call()
        bench.ledger.advance(59)
        assert bench.intercom.status(key).state == "Calling"
        bench.ledger.advance(2)
        assert bench.intercom.status(key).state == "Terminating"

    def test_sip_off_or_no_sound(self) -> None:
        with pytest.raises(ConflictError, match="SIP is off"):
            IntercomBench(on=False).call()
        with pytest.raises(ConflictError, match="no sound"):
            IntercomBench(media=False).call()

    def test_sip_cannot_be_turned_on_without_its_package(self) -> None:
        bench = IntercomBench(on=False)
        bench.lines.missing = "not installed"
        with pytest.raises(ConflictError, match="not installed"):
            bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"enabled": True}))


class TestIncoming:
    def test_it_rings_and_the_button_answers(self, bench: IntercomBench) -> None:
        bench.incoming()
        assert bench.lines.sent == [(0, Answer(leg="in1", code=180))]
        assert bench.indicators.shown()["statusCall"].interval_ms > 0
        bench.ledger.advance(1)
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
        assert bench.lines.sent[-1] == (0, Answer(leg="in1", code=200))
        assert bench.media.legs == {"0/in1": 4024}

    def test_a_caller_who_is_not_on_the_list(self, bench: IntercomBench) -> None:
        patch = {"use_access_list": True, "access_list": ["10.0.0.3"]}
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, patch))
        for _ in range(3):
            bench.incoming()
        assert [command.code for _, command in bench.lines.sent] == [403] * 3  # type: ignore[union-attr]
        assert len(bench.told(events.SYSTEM_FAULT)) == 1  # told, but not each time
        assert bench.intercom.calls() == ()

    @pytest.mark.parametrize("caller", ["nonsense", "", "sip:\x00@x", "tel:", "tel:+46x"])
    def test_a_caller_who_is_no_address(self, bench: IntercomBench, caller: str) -> None:
        bench.incoming(caller)
        assert bench.lines.sent == [(0, Answer(leg="in1", code=400))]

    def test_an_incoming_call_ends_after_its_longest_time(self, bench: IntercomBench) -> None:
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, "peer-to-peer", {"auto_answer": True}))
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"incoming_duration": 30}))
        bench.incoming()
        from axcore.model.voice import Connected

        bench.report(0, Connected(leg="in1", remote=""))
        bench.ledger.advance(31)
        assert bench.lines.sent[-1] == (0, HangUp(leg="in1", code=603))


class TestKeys:
    def talking(self, bench: IntercomBench, keys: str = "1") -> str:
        spec = DtmfSequenceSpec(sequence=keys, description="Unlock door")
        bench.do(lambda tx: bench.intercom.accounts.add_sequence(tx, spec))
        leg = f"{bench.call()}.0"
        bench.answer(leg, 1)
        return leg

    def test_before_the_answer_no_key_counts(self, bench: IntercomBench) -> None:
        spec = DtmfSequenceSpec(sequence="1", description="Unlock door")
        bench.do(lambda tx: bench.intercom.accounts.add_sequence(tx, spec))
        leg = f"{bench.call()}.0"
        bench.media.on_key(leg, "1", 5)
        bench.report(1, Digit(leg=leg, digit="1"))
        assert bench.told(events.CALL_DTMF) == []

    def test_a_key_that_comes_both_ways_is_one_key(self, bench: IntercomBench) -> None:
        leg = self.talking(bench, "11")
        now = bench.ledger.virtual_clock.mono_ns()
        bench.media.on_key(leg, "1", now)
        bench.report(1, Digit(leg=leg, digit="1"))
        assert bench.told(events.CALL_DTMF) == []
        bench.media.on_key(leg, "1", now + 1_000_000_000)
        assert [event.data for event in bench.told(events.CALL_DTMF)] == [{"DTMFEventId": "1", "CallId": "1"}]

    def test_only_the_ways_that_the_account_takes(self, bench: IntercomBench) -> None:
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, "peer-to-peer", {"info_keys": False}))
        leg = self.talking(bench)
        bench.report(1, Digit(leg=leg, digit="1"))
        assert bench.told(events.CALL_DTMF) == []
        bench.media.on_key(leg, "1", 10**12)
        assert len(bench.told(events.CALL_DTMF)) == 1

    def test_another_leg_s_keys_mean_nothing(self, bench: IntercomBench) -> None:
        self.talking(bench)
        bench.media.on_key("7.7", "1", 10**9)
        assert bench.told(events.CALL_DTMF) == []


class TestSettings:
    def test_processes_begin_anew_when_nobody_talks(self, bench: IntercomBench) -> None:
        assert bench.lines.applied == [False, True]
        leg = f"{bench.call()}.0"
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"port": 5070}))
        assert bench.lines.applied == [False, True]
        bench.end(leg, 1, 486)
        assert bench.lines.applied == [False, True, True]

    def test_the_first_process_listens_and_registers(self, bench: IntercomBench) -> None:
        spec = SipAccountSpec(name="PBX", kind="registered", user_id="1001", registrar="PBX.example", password="x")
        bench.do(lambda tx: bench.intercom.accounts.add_account(tx, spec))
        first, second = (
            bench.intercom.accounts.configure(line, bind="", own_address="10.0.0.9", name="door") for line in range(2)
        )
        assert (first.port, second.port) == (5060, 0)
        assert [one.register for one in first.accounts] == [True, True]
        assert [one.register for one in second.accounts] == [False, False]
        assert first.accounts[0].uri == '"door" <sip:door@10.0.0.9>'
        assert first.accounts[1].registrar == "sip:pbx.example"
        assert first.accounts[1].username == "1001"
        assert second.incoming_ports == ()

    def test_there_is_always_a_default_account(self, bench: IntercomBench) -> None:
        accounts = bench.intercom.accounts
        with pytest.raises(ConflictError):
            bench.do(lambda tx: accounts.remove_account(tx, "peer-to-peer"))
        other = bench.do(lambda tx: accounts.add_account(tx, SipAccountSpec(name="Other"))).id
        bench.do(lambda tx: accounts.make_default(tx, other))
        bench.do(lambda tx: accounts.remove_account(tx, "peer-to-peer"))
        with pytest.raises(ConflictError):
            bench.do(lambda tx: accounts.update_account(tx, other, {"active": False}))
        assert accounts.account(other).active

    def test_an_account_that_contacts_are_called_from_stays(self, bench: IntercomBench) -> None:
        accounts = bench.intercom.accounts
        other = bench.do(lambda tx: accounts.add_account(tx, SipAccountSpec(name="Other"))).id
        ada = add(bench, "Ada", account=other)
        with pytest.raises(ConflictError, match="'Other' is used by the contact 'Ada'; change that first"):
            bench.do(lambda tx: accounts.remove_account(tx, other))
        assert other in accounts.accounts
        bench.do(lambda tx: bench.intercom.contacts.update_contact(tx, ada, {"account": ""}))
        bench.do(lambda tx: accounts.remove_account(tx, other))
        assert other not in accounts.accounts

    def test_registrations_are_told(self, bench: IntercomBench) -> None:
        bench.report(0, Registration(account="pbx", code=401, reason="Unauthorized", active=False))
        (event,) = bench.told(events.SIP_ACCOUNT)
        assert (event.source, event.data["registered"]) == ({"account": "pbx"}, "0")

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"port": 80}, "port"),
            ({"port": 5061}, "tls_port"),
            ({"rtp_start_port": 65535}, "rtp_start_port"),
            ({"rtp_start_port": 5060}, "rtp_start_port"),
            ({"rtp_start_port": 5060 - MEDIA_PORTS + 1}, "rtp_start_port"),
            ({"rtp_start_port": 5061, "port": 6000}, "rtp_start_port"),
            ({"rtp_start_port": 6000, "port": 6000}, "rtp_start_port"),
            ({"port": 4000}, "port"),
            ({"port": 4000 + MEDIA_PORTS - 1}, "port"),
            ({"tls_port": 4001}, "tls_port"),
            ({"calling_timeout": 601}, "calling_timeout"),
            ({"incoming_duration": 601}, "incoming_duration"),
            ({"call_duration": 3601}, "call_duration"),
            ({"codecs": []}, "codecs"),
            ({"codecs": ["opus"]}, "codecs[0]"),
            ({"access_list": ["a b"]}, "access_list[0]"),
            ({"register_interval": 1}, "register_interval"),
            ({"nonsense": 1}, "nonsense"),
            ({"enabled": "yes"}, "enabled"),
        ],
    )
    def test_bad_settings_change_nothing(self, bench: IntercomBench, patch: dict[str, Any], field: str) -> None:
        before = bench.intercom.accounts.settings
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, patch))
        assert caught.value.field == field
        assert bench.intercom.accounts.settings == before

    @pytest.mark.parametrize(
        "patch",
        [
            {"rtp_start_port": 5062},
            {"rtp_start_port": 5060 - MEDIA_PORTS},
            {"port": 0, "tls_port": 0, "rtp_start_port": 5060},
        ],
    )
    def test_rtp_next_to_sip_is_fine(self, bench: IntercomBench, patch: dict[str, Any]) -> None:
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, patch))

    def test_ports_that_were_stored_before_stop_no_other_change(self, bench: IntercomBench) -> None:
        accounts = bench.intercom.accounts
        accounts.settings = msgspec.structs.replace(accounts.settings, rtp_start_port=5050)
        bench.do(lambda tx: accounts.set_settings(tx, {"calling_timeout": 30}))
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: accounts.set_settings(tx, {"port": 5070}))
        assert caught.value.field == "port"

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x", "kind": "registered"}, "user_id"),
            ({"name": "x", "kind": "registered", "user_id": "1"}, "registrar"),
            ({"name": "x", "registrar": "a b"}, "registrar"),
            ({"name": "x", "caller_id": '"><'}, "caller_id"),
            ({"name": "x", "encryption": "mandatory"}, "encryption"),
            ({"name": "x", "user_id": "a@b"}, "user_id"),
        ],
    )
    def test_bad_accounts(self, bench: IntercomBench, fields: dict[str, Any], field: str) -> None:
        spec = SipAccountSpec(**fields)
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: bench.intercom.accounts.add_account(tx, spec))
        assert caught.value.field == field

    @pytest.mark.parametrize("keys", ["", "x", "1 2", "1" * 65])
    def test_bad_sequences(self, bench: IntercomBench, keys: str) -> None:
        spec = DtmfSequenceSpec(sequence=keys, description="Unlock")
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: bench.intercom.accounts.add_sequence(tx, spec))
        assert caught.value.field == "sequence"


class TestContacts:
    def test_people_who_are_removed_are_in_no_group_and_no_fallback(self, bench: IntercomBench) -> None:
        contacts = bench.intercom.contacts
        ada, bob = add(bench, "Ada"), add(bench, "Bob", fallback="contact1")
        spec = GroupSpec(name="Front", recipients=(ada, bob), fallback=ada)
        group = bench.do(lambda tx: contacts.add_group(tx, spec)).id
        bench.do(lambda tx: contacts.set_button(tx, {"recipients": [ada, bob], "fallback": ada}))
        bench.do(lambda tx: contacts.remove_contact(tx, ada))
        assert contacts.contact(bob).fallback == ""
        assert (contacts.group(group).recipients, contacts.group(group).fallback) == ((bob,), "")
        assert (contacts.button.recipients, contacts.button.fallback) == ((bob,), "")

    def test_speed_dial_calls_and_is_unique(self, bench: IntercomBench) -> None:
        add(bench, "Ada", speed_dial="12")
        with pytest.raises(ConflictError):
            add(bench, "Bob", speed_dial="12")
        bench.do(lambda tx: bench.intercom.panel.on_speed_dial(tx, "12", 77))
        assert len(bench.invites()) == 1
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 77))  # the same press
        assert bench.intercom.calls()[-1].state == "Calling"

    def test_export_and_import_are_one(self, bench: IntercomBench) -> None:
        contacts = bench.intercom.contacts
        add(bench, "Ada", fallback="")
        add(bench, "Bob", fallback="contact1")
        bench.do(lambda tx: contacts.add_group(tx, GroupSpec(name="All", recipients=("contact1", "contact2"))))
        file = contacts.export()
        bench.do(lambda tx: contacts.remove_contact(tx, "contact1"))
        assert bench.do(lambda tx: contacts.replace(tx, file)) == file

    def test_a_bad_import_changes_nothing(self, bench: IntercomBench) -> None:
        contacts = bench.intercom.contacts
        add(bench, "Ada")
        before = contacts.export()
        bad = ContactFile(contacts=(*before.contacts, *before.contacts))
        with pytest.raises(ConflictError) as caught:
            bench.do(lambda tx: contacts.replace(tx, bad))
        assert caught.value.field == "contacts[1].id"
        assert contacts.export() == before

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"first_name": " "}, "first_name"),
            ({"sip_address": "1001"}, "sip_address"),
            ({"sip_address": "sip:a@b:0"}, "sip_address"),
            ({"speed_dial": "abc"}, "speed_dial"),
            ({"fallback": "nobody"}, "fallback"),
            ({"availability": "never heard of"}, "availability"),
            ({"account": "none"}, "account"),
        ],
    )
    def test_bad_contacts(self, bench: IntercomBench, fields: dict[str, Any], field: str) -> None:
        spec = ContactSpec(**{"first_name": "Ada", "sip_address": "sip:a@b", **fields})
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: bench.intercom.contacts.add_contact(tx, spec))
        assert caught.value.field == field

    def test_who_is_not_available_is_not_called(self, bench: IntercomBench) -> None:
        key = add(bench, "Ada", availability="standard_office_hours")
        active = bench.schedules.active("standard_office_hours", bench.ledger.virtual_clock.wall_ns())
        if not active:
            with pytest.raises(InputError, match="nobody is available"):
                bench.call(key)
        else:
            bench.call(key)
            assert len(bench.invites()) == 1

    def test_the_button_calls_its_recipients(self, bench: IntercomBench) -> None:
        key = add(bench, "Ada")
        bench.do(lambda tx: bench.intercom.contacts.set_button(tx, {"recipients": [key], "during_call": "delay"}))
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
        assert len(bench.invites()) == 1
        bench.ledger.advance(4)
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
        assert bench.intercom.calls()[-1].state == "Calling"
        bench.ledger.advance(2)
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
        assert bench.intercom.calls()[-1].reason == "ended by the call button"

    def test_a_disabled_button_calls_nobody(self, bench: IntercomBench) -> None:
        key = add(bench, "Ada")
        bench.do(lambda tx: bench.intercom.contacts.set_button(tx, {"recipients": [key], "enabled": False}))
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
        assert bench.invites() == []

    def test_an_unknown_recipient(self, bench: IntercomBench) -> None:
        with pytest.raises(NotFoundError) as caught:
            bench.do(lambda tx: bench.intercom.contacts.set_button(tx, {"recipients": ["nobody"]}))
        assert caught.value.field == "recipients[0]"


def test_the_fake_is_a_line_driver() -> None:
    from axcore.services.intercom import LineDriver

    driver: LineDriver = FakeLines()
    assert driver.unavailable() == ""


class TestConditions:
    def check(self, **data: str) -> Condition:
        types = {canonical(kind.topic): kind for kind in condition_types(DOOR_STATION)}
        condition = Condition(topic=events.CALL_STATE_CHANGE, data=data)
        return check_condition(types, condition, True, "conditions[0]")

    def test_addresses_are_kept_as_they_are_compared(self) -> None:
        kept = self.check(Reason="AcceptedByDevice", DeviceURI="<sip:1001@192.168.0.90:5060;lr>")
        assert kept.data == {"Reason": "AcceptedByDevice", "DeviceURI": "sip:1001@192.168.0.90"}

    @pytest.mark.parametrize(
        ("name", "value"), [("Reason", "Accepted by device"), ("CallDirection", "In"), ("DeviceURI", "1001")]
    )
    def test_what_can_never_be_is_refused(self, name: str, value: str) -> None:
        with pytest.raises(InputError) as caught:
            self.check(**{name: value})
        assert caught.value.field == f"conditions[0].data.{name}"
