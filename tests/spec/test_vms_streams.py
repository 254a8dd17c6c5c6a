"""VAPIX Call service, VMSCallConfiguration: streams that begin, answer and end calls; seed 001, VMS calls."""

from __future__ import annotations

from typing import Any

import pytest
from intercom_bench import IntercomBench, add

from axcore.errors import ConflictError, InputError
from axcore.model import events
from axcore.model.intercom import CallButton, CallStatus, VmsSettings
from axcore.model.voice import Answer
from axcore.services.intercom.history import KEPT

IN, OUT, VIDEO = "audio_from_network", "audio_to_network", "video_to_network"


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


def stream(bench: IntercomBench, name: str, kind: Any = IN, *, started: bool = True) -> None:
    bench.do(lambda tx: bench.intercom.on_stream(tx, kind, name, started=started))


def over(bench: IntercomBench, name: str, kind: Any = IN) -> None:
    stream(bench, name, kind, started=False)


def thresholds(bench: IntercomBench, **patch: Any) -> VmsSettings:
    fields = {name if name in ("enabled", "timeout") else f"{name}_streams": value for name, value in patch.items()}
    found: VmsSettings = bench.do(lambda tx: bench.intercom.vms.set(tx, fields))
    return found


def last(bench: IntercomBench) -> CallStatus:
    return bench.intercom.calls()[-1]


def live(bench: IntercomBench) -> bool:
    return bench.intercom.live is not None


class TestThresholds:
    def test_defaults(self) -> None:
        new = VmsSettings()
        assert (new.audio_to_network_streams, new.audio_from_network_streams, new.video_to_network_streams) == (0, 1, 0)

    def test_where_a_count_reaches_its_threshold_a_call_that_is_offered_is_answered(self, bench: IntercomBench) -> None:
        thresholds(bench, audio_to_network=2)
        key = bench.call("VMS_CALL")
        stream(bench, "a", OUT)
        assert bench.intercom.status(key).state == "Calling"
        stream(bench, "b", OUT)
        assert bench.intercom.status(key).state == "Active"
        assert bench.told(events.CALL_STATE_CHANGE)[-1].data["Reason"] == "AcceptedByRemote"

    def test_without_a_call_in_progress_an_incoming_one_begins(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        status = last(bench)
        assert (status.state, status.direction, status.type, status.remote_uri) == (
            "Active",
            "Incoming",
            "VMS",
            "VMS_CALL",
        )
        assert status.answered
        (told,) = bench.told(events.CALL_STATE_CHANGE)
        assert told.data == {
            "Reason": "AcceptedByDevice",
            "CallDirection": "Incoming",
            "CallId": status.id,
            "RemoteURI": "VMS_CALL",
            "DeviceURI": "",
        }
        assert bench.states()[-1:] == ["Active"]

    @pytest.mark.parametrize("answered", [False, True])
    def test_disabled_there_are_no_calls_to_software(self, bench: IntercomBench, answered: bool) -> None:
        key = bench.call("VMS_CALL")
        if answered:
            bench.do(lambda tx: bench.intercom.answer(tx, key))
        thresholds(bench, timeout=40)
        assert live(bench)
        thresholds(bench, enabled=False)
        assert bench.intercom.status(key).state == "Terminated"
        assert bench.states()[-1] == "Idle"

    def test_disabled_a_call_to_others_too_goes_on_without_software(self, bench: IntercomBench) -> None:
        who = (add(bench), "VMS_CALL")
        key = bench.do(lambda tx: bench.intercom.call_contacts(tx, who)).id
        thresholds(bench, enabled=False)
        assert bench.intercom.status(key).state == "Calling"
        line, invite = bench.invites()[-1]
        bench.answer(invite.leg, line)
        assert bench.intercom.status(key).state == "Active"

    def test_many_calls_by_streams_leave_one_that_still_ends_its_status(self, bench: IntercomBench) -> None:
        key = bench.call()
        line, command = bench.invites()[-1]
        bench.answer(command.leg, line)
        bench.do(lambda tx: bench.intercom.hang_up(tx, key))
        for number in range(2 * KEPT):
            stream(bench, f"{number}")
            over(bench, f"{number}")
        assert bench.intercom.status(key).state == "Terminating"
        bench.end(command.leg, line)
        assert bench.intercom.status(key).state == "Terminated"
        assert len(bench.intercom.calls()) == KEPT
        stream(bench, "next")
        assert key not in [one.id for one in bench.intercom.calls()]

    def test_when_the_count_falls_below_it_the_call_ends(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        over(bench, "a")
        assert last(bench).state == "Terminated"
        assert bench.told(events.CALL_STATE_CHANGE)[-1].data["Reason"] == "Terminated"
        assert bench.states()[-4:] == ["Active", "Terminating", "Terminated", "Idle"]

    def test_an_offered_call_ends_when_the_count_falls_below_too(self, bench: IntercomBench) -> None:
        thresholds(bench, audio_to_network=2)
        key = bench.call("VMS_CALL")
        for name in ("a", "b", "c"):
            stream(bench, name, OUT)
        over(bench, "a", OUT)
        assert bench.intercom.status(key).state == "Active"
        over(bench, "b", OUT)
        assert bench.intercom.status(key).state == "Terminated"

    @pytest.mark.parametrize("threshold", [0, -1, -100])
    def test_a_threshold_of_0_or_less_is_not_used(self, bench: IntercomBench, threshold: int) -> None:
        assert thresholds(bench, audio_from_network=threshold).audio_from_network_streams == threshold
        stream(bench, "a")
        assert not live(bench)

    def test_each_kind_is_counted_by_itself(self, bench: IntercomBench) -> None:
        thresholds(bench, audio_from_network=2, audio_to_network=2, video_to_network=2)
        for kind in (IN, OUT, VIDEO):
            stream(bench, kind, kind)
        assert not live(bench)
        stream(bench, "second", VIDEO)
        assert live(bench)

    def test_the_first_that_is_reached_begins_the_call_which_lasts_as_long_as_that_one(
        self, bench: IntercomBench
    ) -> None:
        thresholds(bench, audio_to_network=1)
        stream(bench, "a", OUT)
        stream(bench, "b", IN)
        assert len(bench.intercom.calls()) == 1
        over(bench, "b", IN)
        assert live(bench)
        stream(bench, "c", IN)
        over(bench, "a", OUT)
        assert not live(bench)
        assert len(bench.intercom.calls()) == 1

    def test_a_stream_that_never_began_and_one_told_twice(self, bench: IntercomBench) -> None:
        over(bench, "x")
        stream(bench, "a")
        stream(bench, "a")
        over(bench, "x")
        assert live(bench)
        over(bench, "a")
        assert not live(bench)

    def test_off_no_calls_and_no_events_of_streams(self, bench: IntercomBench) -> None:
        thresholds(bench, enabled=False)
        before = len(bench.ledger.events)
        stream(bench, "a")
        over(bench, "a")
        assert not live(bench)
        assert len(bench.ledger.events) == before

    @pytest.mark.parametrize("patch", [{"enabled": False}, {IN: 2}, {IN: 0}])
    def test_settings_by_which_a_threshold_is_reached_no_more_end_the_call(
        self, bench: IntercomBench, patch: dict[str, Any]
    ) -> None:
        stream(bench, "a")
        thresholds(bench, timeout=40)
        assert live(bench)
        thresholds(bench, **patch)
        assert not live(bench)
        thresholds(bench, **{name: VmsSettings().enabled if name == "enabled" else 1 for name in patch})
        assert live(bench)

    @pytest.mark.parametrize("value", [2**31, -(2**31), "1", 1.5, True, None])
    @pytest.mark.parametrize("kind", [IN, OUT, VIDEO])
    def test_thresholds_that_cannot_be(self, bench: IntercomBench, kind: str, value: Any) -> None:
        with pytest.raises(InputError) as caught:
            thresholds(bench, **{kind: value})
        assert caught.value.field == f"{kind}_streams"
        assert bench.intercom.vms.settings == VmsSettings()


class TestOneCallAtATime:
    def test_streams_change_nothing_about_a_call_over_sip(self, bench: IntercomBench) -> None:
        thresholds(bench, audio_to_network=1)
        key = bench.call()
        stream(bench, "a", OUT)  # while it is called
        bench.answer(f"{key}.0", 1)
        stream(bench, "b", OUT)
        over(bench, "a", OUT)
        over(bench, "b", OUT)
        stream(bench, "c", OUT)
        assert bench.intercom.status(key).state == "Active"
        bench.end(f"{key}.0", 1)
        assert bench.intercom.calls() == (bench.intercom.status(key),)  # what is reached still begins none afterwards
        over(bench, "c", OUT)
        stream(bench, "d", OUT)
        assert last(bench).type == "VMS"

    def test_who_calls_during_it_takes_its_place(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        bench.incoming()
        assert bench.lines.sent[-1][1] == Answer(leg="in1", code=180)
        assert [one.state for one in bench.intercom.calls()] == ["Terminated", "Calling"]
        with pytest.raises(ConflictError, match="there is a call already"):
            bench.call()

    def test_a_call_by_a_client_takes_its_place(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        key = bench.call()
        assert [one.state for one in bench.intercom.calls()] == ["Terminated", "Calling"]
        assert bench.intercom.status(key).direction == "Outgoing"

    def test_what_cannot_be_called_ends_nothing(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        with pytest.raises(InputError):
            bench.call("sip:a@@b")
        assert live(bench)

    def test_a_call_that_was_answered_otherwise_ends_with_the_streams_too(self, bench: IntercomBench) -> None:
        key = bench.call("VMS_CALL")
        bench.do(lambda tx: bench.intercom.answer(tx, key))
        stream(bench, "a")
        assert bench.intercom.status(key).state == "Active"
        over(bench, "a")
        assert bench.intercom.status(key).state == "Terminated"

    def test_one_that_is_ended_by_a_client_does_not_come_again_by_itself(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        bench.do(lambda tx: bench.intercom.hang_up(tx, last(bench).id))
        stream(bench, "b")
        assert not live(bench)
        over(bench, "a")
        over(bench, "b")
        assert last(bench).id == "1"
        stream(bench, "c")
        assert (last(bench).id, last(bench).state) == ("2", "Active")

    def test_a_new_call_does_not_depend_on_what_the_one_before_did(self, bench: IntercomBench) -> None:
        thresholds(bench, audio_to_network=1)
        stream(bench, "a", OUT)
        bench.do(lambda tx: bench.intercom.hang_up(tx, "1"))
        key = bench.call("VMS_CALL")
        stream(bench, "b", IN)
        assert bench.intercom.status(key).state == "Active"
        over(bench, "a", OUT)
        assert bench.intercom.status(key).state == "Active"
        over(bench, "b", IN)
        assert bench.intercom.status(key).state == "Terminated"


class TestWhatAnIncomingCallOfSoftwareIs:
    def test_sip_may_be_off(self) -> None:
        bench = IntercomBench(on=False, media=False)
        stream(bench, "a")
        assert last(bench).state == "Active"

    def test_it_lasts_as_long_as_the_streams(self, bench: IntercomBench) -> None:
        bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"incoming_duration": 1, "call_duration": 1}))
        stream(bench, "a")
        bench.ledger.advance(100_000)
        assert live(bench)

    def test_the_icon_of_speech_is_lit(self, bench: IntercomBench) -> None:
        before = bench.indicators.shown()
        stream(bench, "a")
        lit = bench.indicators.shown()
        assert lit["statusSpeak"].color == "amber"
        assert {**lit, "statusSpeak": before["statusSpeak"]} == before
        over(bench, "a")
        assert bench.indicators.shown() == before

    def test_nothing_rings(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        over(bench, "a")
        assert [one for one in bench.player.asked if one[0]] == []

    @pytest.mark.parametrize("mode", ["end", "nothing", "delay"])
    def test_it_keeps_no_visitor_from_calling(self, bench: IntercomBench, mode: Any) -> None:
        made = bench.do(lambda tx: bench.intercom.contacts.set_button(tx, {"during_call": mode}))
        assert isinstance(made, CallButton)
        stream(bench, "a")
        bench.do(lambda tx: bench.intercom.panel.on_button(tx, 7))
        first, second = bench.intercom.calls()
        assert (first.state, first.reason) == ("Terminated", "gives way to another call")
        assert (second.direction, second.state) == ("Outgoing", "Calling")
        over(bench, "a")
        assert bench.intercom.status(second.id).state == "Calling"

    def test_a_client_can_end_it_but_not_answer_it(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        with pytest.raises(ConflictError, match="does not wait"):
            bench.do(lambda tx: bench.intercom.answer(tx, "1"))
        bench.do(lambda tx: bench.intercom.hang_up(tx, "1"))
        assert bench.intercom.status("1").state == "Terminated"

    def test_the_voice_processes_do_not_matter_to_it(self, bench: IntercomBench) -> None:
        stream(bench, "a")
        for line in range(2):
            bench.lost(line)
        assert live(bench)
        assert [command for _, command in bench.lines.sent if isinstance(command, Answer)] == []

    def test_nothing_of_it_is_there_after_a_restart(self, bench: IntercomBench) -> None:
        def kept() -> dict[str, dict[str, bytes]]:
            return {kind: one for kind, one in bench.ledger.store.records().items() if kind != "counter"}

        before = kept()
        stream(bench, "a")
        assert kept() == before
