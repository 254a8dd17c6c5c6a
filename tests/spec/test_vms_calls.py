"""Seed 001: VMS calls, Configure the call button, Test call - sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest
from intercom_bench import IntercomBench

from axcore.errors import ConflictError, InputError
from axcore.model import events
from axcore.model.intercom import CallButton, ContactSpec, VmsSettings
from axcore.model.voice import HangUp, Progress


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


def press(bench: IntercomBench, number: int = 1) -> None:
    bench.do(lambda tx: bench.intercom.panel.on_button(tx, number))


def contact(bench: IntercomBench, name: str = "Ada") -> str:
    spec = ContactSpec(first_name=name, sip_address=f"sip:{name.lower()}@10.0.0.2")
    return str(bench.do(lambda tx: bench.intercom.contacts.add_contact(tx, spec)).id)


def button(bench: IntercomBench, **patch: Any) -> CallButton:
    found: CallButton = bench.do(lambda tx: bench.intercom.contacts.set_button(tx, patch))
    return found


def stream(bench: IntercomBench, *, started: bool) -> None:
    bench.do(lambda tx: bench.intercom.on_stream(tx, "audio_from_network", "talker", started=started))


class TestVms:
    def test_by_default_the_call_button_makes_vms_calls(self, bench: IntercomBench) -> None:
        press(bench)
        (call,) = bench.intercom.calls()
        assert (call.type, call.state, call.remote_uri, call.recipients) == (
            "VMS",
            "Calling",
            "VMS_CALL",
            ("VMS_CALL",),
        )
        assert bench.invites() == []
        assert bench.player.asked == [("ringback", 1.0, 0)]

    def test_you_can_make_vms_calls_even_if_sip_is_turned_off(self) -> None:
        bench = IntercomBench(on=False, media=False)
        press(bench)
        key = bench.intercom.calls()[0].id
        assert bench.do(lambda tx: bench.intercom.answer(tx, key)).state == "Active"
        bench.do(lambda tx: bench.intercom.hang_up(tx, key))
        assert bench.states() == ["Calling", "Active", "Terminating", "Terminated", "Idle"]
        with pytest.raises(ConflictError, match="SIP is off"):
            bench.call()

    def test_allow_calls_in_the_video_management_software(self, bench: IntercomBench) -> None:
        bench.do(lambda tx: bench.intercom.vms.set(tx, {"enabled": False}))
        with pytest.raises(ConflictError, match="are off"):
            bench.call("VMS_CALL")
        press(bench)
        assert bench.intercom.calls() == ()
        assert len(bench.told(events.SYSTEM_FAULT)) == 1

    def test_call_timeout_set_the_maximum_duration_of_an_attempted_call_if_no_one_answers(
        self, bench: IntercomBench
    ) -> None:
        bench.do(lambda tx: bench.intercom.vms.set(tx, {"timeout": 12}))
        key = bench.call("VMS_CALL")
        bench.ledger.advance(11)
        assert bench.intercom.status(key).state == "Calling"
        bench.ledger.advance(2)
        status = bench.intercom.status(key)
        assert (status.state, status.reason, status.answered) == ("Terminated", "no answer", False)
        with pytest.raises(ConflictError, match="is over"):
            bench.do(lambda tx: bench.intercom.answer(tx, key))

    @pytest.mark.parametrize("patch", [{"timeout": 0}, {"timeout": 601}, {"timeout": "soon"}, {"enabled": 2}, {"x": 1}])
    def test_settings_that_cannot_be(self, bench: IntercomBench, patch: dict[str, Any]) -> None:
        with pytest.raises(InputError) as caught:
            bench.do(lambda tx: bench.intercom.vms.set(tx, patch))
        assert caught.value.field == next(iter(patch))
        assert bench.intercom.vms.settings == VmsSettings()

    def test_settings_are_there_after_a_restart(self, bench: IntercomBench) -> None:
        new = bench.do(lambda tx: bench.intercom.vms.set(tx, {"timeout": 99}))
        bench.ledger.load(bench.intercom.load)
        assert bench.intercom.vms.settings == new

    def test_an_audio_stream_of_the_software_answers_and_its_end_hangs_up(self, bench: IntercomBench) -> None:
        key = bench.call("VMS_CALL")
        stream(bench, started=True)
        assert bench.intercom.status(key).state == "Active"
        stream(bench, started=False)
        assert bench.intercom.status(key).state == "Terminated"

    def test_the_end_of_a_stream_ends_no_call_over_sip(self, bench: IntercomBench) -> None:
        key = bench.call()
        bench.answer(f"{key}.0", 1)
        stream(bench, started=True)
        stream(bench, started=False)
        assert bench.intercom.status(key).state == "Active"


class TestCallButton:
    def test_under_recipients_remove_vms_then_select_a_contact(self, bench: IntercomBench) -> None:
        assert button(bench, recipients=[contact(bench)]).recipients == ("contact1",)
        press(bench)
        assert len(bench.invites()) == 1

    def test_software_and_people_are_called_at_the_same_time_and_who_answers_first_has_the_call(
        self, bench: IntercomBench
    ) -> None:
        button(bench, recipients=["VMS_CALL", contact(bench)])
        press(bench)
        key = bench.intercom.calls()[0].id
        ((_, invite),) = bench.invites()
        bench.do(lambda tx: bench.intercom.answer(tx, key))
        assert bench.lines.sent[-1][1] == HangUp(leg=invite.leg, code=603)
        assert bench.intercom.status(key).type == "VMS"
        bench.end(invite.leg, 1, 487)
        bench.do(lambda tx: bench.intercom.hang_up(tx, key))
        assert bench.intercom.status(key).state == "Terminated"

    def test_a_person_who_answers_first_takes_the_call_from_the_software(self, bench: IntercomBench) -> None:
        button(bench, recipients=["VMS_CALL", contact(bench)])
        press(bench)
        key = bench.intercom.calls()[0].id
        bench.answer(bench.invites()[0][1].leg, bench.invites()[0][0])
        assert (bench.intercom.status(key).type, bench.intercom.status(key).state) == ("SIP", "Active")
        with pytest.raises(ConflictError, match="does not wait"):
            bench.do(lambda tx: bench.intercom.answer(tx, key))

    def test_fallback_in_case_none_of_the_recipients_replies(self, bench: IntercomBench) -> None:
        button(bench, recipients=["VMS_CALL"], fallback=contact(bench))
        press(bench)
        assert bench.invites() == []
        bench.ledger.advance(31)
        assert len(bench.invites()) == 1

    def test_six_people_and_software(self, bench: IntercomBench) -> None:
        people = [contact(bench, f"P{number}") for number in range(7)]
        button(bench, recipients=["VMS_CALL", *people[:6]])
        press(bench)
        assert len(bench.invites()) == 6
        with pytest.raises(InputError):
            button(bench, recipients=["VMS_CALL", *people])


class TestTestCall:
    def test_the_call_will_automatically_end_when_answered(self, bench: IntercomBench) -> None:
        key = bench.do(lambda tx: bench.intercom.call(tx, "sip:ada@10.0.0.2", test=True)).id
        bench.answer(f"{key}.0", 1)
        assert isinstance(bench.lines.sent[-1][1], HangUp)
        bench.end(f"{key}.0", 1)
        status = bench.intercom.status(key)
        assert (status.state, status.answered, status.reason, status.test) == ("Terminated", True, "answered", True)

    def test_make_a_test_call_and_verify_that_the_account_works(self, bench: IntercomBench) -> None:
        key = bench.do(lambda tx: bench.intercom.call(tx, "sip:ada@10.0.0.2", test=True)).id
        bench.report(1, Progress(leg=f"{key}.0", code=180, reason=""))
        bench.end(f"{key}.0", 1, 404)
        status = bench.intercom.status(key)
        assert (status.answered, status.reason) == (False, "not found")
