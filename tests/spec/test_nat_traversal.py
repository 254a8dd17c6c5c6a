"""Seed 001, SIP > Settings > NAT traversal: ICE, STUN and TURN, sentence by sentence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from intercom_bench import IntercomBench, add

from axcore.errors import InputError
from axcore.interfaces.http.rest.sip import settings_view
from axcore.model import events
from axcore.model.nat import Candidate, Gathered, Ice, PathTold, ServerAnswer, Traversal
from axcore.model.voice import Answer, HangUp

TURN = {"turn": True, "turn_server": "turn.example:3479", "turn_user": "door", "turn_password": "secret"}
HOST = Candidate(foundation="h0", component=1, priority=1, address="192.0.2.5", port=4032, kind="host")
FOUND = Gathered(
    address="203.0.113.9", port=50000, rtcp_port=50007, ice=Ice(ufrag="u", password="p", candidates=(HOST,))
)


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


def put(bench: IntercomBench, **patch: Any) -> None:
    bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, patch))


def find(bench: IntercomBench, leg: str, found: Gathered = FOUND) -> None:
    bench.paths.asked[leg][2](found)
    bench.ledger.advance(0)  # what was posted has its turn


def faults(bench: IntercomBench) -> list[str]:
    return [event.data["reason"] for event in bench.told(events.SYSTEM_FAULT)]


class TestEachProtocolCanBeUsedSeparatelyOrInDifferentCombinations:
    """Each NAT traversal protocol can be used separately or in different combinations."""

    @pytest.mark.parametrize(
        ("patch", "how"),
        [
            ({}, None),
            ({"ice": True}, Traversal(ice=True)),
            ({"stun": True, "stun_server": "192.0.2.1"}, Traversal(stun="192.0.2.1")),
            (TURN, Traversal(turn="turn.example:3479", turn_user="door", turn_password="secret")),
            (
                {"ice": True, "stun": True, "stun_server": "[2001:db8::1]:3478", **TURN},
                Traversal(
                    ice=True,
                    stun="[2001:db8::1]:3478",
                    turn="turn.example:3479",
                    turn_user="door",
                    turn_password="secret",
                ),
            ),
        ],
    )
    def test_combinations(self, bench: IntercomBench, patch: dict[str, Any], how: Traversal | None) -> None:
        put(bench, **patch)
        assert bench.intercom.accounts.traversal == how

    def test_what_is_filled_in_and_turned_off_is_not_used(self, bench: IntercomBench) -> None:
        put(bench, ice=True, **TURN)
        put(bench, turn=False)
        assert bench.intercom.accounts.traversal == Traversal(ice=True, turn_user="door", turn_password="secret")


class TestEnterTheServerAddressAndTheLoginInformation:
    """Enter the STUN server address, for example, an IP address. Enter the TURN server address and the login
    information."""

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"stun": True}, "stun_server"),
            ({"stun_server": "a b"}, "stun_server"),
            ({"stun_server": "192.0.2.999"}, "stun_server"),
            ({"stun_server": "stun.example:0"}, "stun_server"),
            ({"stun_server": "stun.example:99999"}, "stun_server"),
            ({"stun_server": "[::1"}, "stun_server"),
            (TURN | {"turn_server": ""}, "turn_server"),
            (TURN | {"turn_server": "turn:turn.example"}, "turn_server"),
            (TURN | {"turn_user": ""}, "turn_user"),
            (TURN | {"turn_user": "x" * 129}, "turn_user"),
            (TURN | {"turn_user": "a\nb"}, "turn_user"),
            (TURN | {"turn_password": ""}, "turn_password"),
        ],
    )
    def test_what_is_wrong_is_named_and_changes_nothing(
        self, bench: IntercomBench, patch: dict[str, Any], field: str
    ) -> None:
        before = bench.intercom.accounts.settings
        with pytest.raises(InputError) as caught:
            put(bench, **patch)
        assert caught.value.field == field
        assert bench.intercom.accounts.settings == before

    def test_the_password_never_goes_out(self, bench: IntercomBench) -> None:
        put(bench, **TURN)
        shown = settings_view(bench.intercom.accounts.settings)
        assert "turn_password" not in shown
        assert shown["turn_password_set"] is True
        assert "secret" not in repr(bench.intercom.accounts.traversal)

    def test_a_password_is_not_told_to_another_server(self, bench: IntercomBench) -> None:
        put(bench, **TURN)
        put(bench, turn_server="turn.example:3479")  # the same one
        assert bench.intercom.accounts.settings.turn_password == "secret"
        put(bench, turn_server=" TURN.example:3479")
        assert bench.intercom.accounts.settings.turn_password == "secret"
        for turn in (True, False):
            for patch in ({"turn_server": "other.example"}, {"turn_user": "eve"}):
                with pytest.raises(InputError, match="is needed again") as caught:
                    put(bench, turn=turn, **patch)
                assert caught.value.field == "turn_password"
        put(bench, turn_server="other.example", turn_password="new")
        assert bench.intercom.accounts.settings.turn_password == "new"

    def test_a_server_that_is_removed_takes_its_password_with_it(self, bench: IntercomBench) -> None:
        put(bench, **TURN)
        put(bench, turn=False, turn_server="")
        assert bench.intercom.accounts.settings.turn_password == ""


class TestCalls:
    """STUN lets the device determine its mapped public address; TURN lets it receive incoming data from other hosts."""

    @pytest.mark.parametrize("patch", [{"ice": True}, {"stun": True, "stun_server": "192.0.2.1"}, TURN])
    def test_a_port_that_somebody_else_has_is_passed_over(self, bench: IntercomBench, patch: dict[str, Any]) -> None:
        put(bench, **patch)
        bench.media.taken |= {4000, 4002}
        key = bench.call()
        leg = f"{key}.0"
        asked = []
        for _ in range(3):
            asked.append(bench.paths.asked[leg][0])
            find(bench, leg)
        assert asked == [4000, 4002, 4004]
        assert bench.media.legs == {leg: 4004}
        ((line, invite),) = bench.invites()
        assert invite.media.address == FOUND.address
        bench.answer(leg, line)
        assert bench.intercom.status(key).state == "Active"
        assert faults(bench) == []
        bench.end(leg, line)
        bench.call()
        assert [port for port, _, _ in bench.paths.asked.values()] == [4006]  # it is the next one's turn

    def test_so_is_one_whose_path_somebody_else_has(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        leg = f"{bench.call()}.0"
        find(bench, leg, Gathered(port=4000, fault="ports of RTP 4000: Address already in use", taken=True))
        assert bench.invites() == []
        assert bench.paths.asked[leg][0] == 4002
        find(bench, leg)
        assert bench.media.legs == {leg: 4002}
        assert len(bench.invites()) == 1
        assert faults(bench) == []

    def test_legs_that_find_their_ports_taken_get_no_port_of_each_other(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        bench.media.taken |= {4000, 4004}
        people = [add(bench, f"P{number}", sip_address=f"sip:p{number}@10.0.0.2") for number in range(6)]
        bench.do(lambda tx: bench.intercom.call_contacts(tx, tuple(people)))
        for _ in range(2):
            for leg, (port, _, done) in list(bench.paths.asked.items()):
                if leg not in bench.media.legs:
                    done(msgspec.structs.replace(FOUND, port=port))
                    bench.ledger.advance(0)
        ports = [invite.media.port for _, invite in bench.invites()]
        assert sorted(ports) == sorted(bench.media.legs.values()) == [4002, 4006, 4008, 4010, 4012, 4014]

    def test_no_port_at_all_ends_the_leg_and_keeps_nothing_of_it(self, bench: IntercomBench) -> None:
        put(bench, **TURN)
        bench.media.taken |= set(range(4000, 4024, 2))
        for _ in range(13):  # one more than there are ports
            key = bench.call()
            asked = []
            while bench.paths.asked:
                ((port, _, done),) = bench.paths.asked.values()
                asked.append(port)
                done(FOUND)
                bench.ledger.advance(0)
            assert sorted(asked) == list(range(4000, 4024, 2))
            assert "RTP port 40" in bench.intercom.status(key).reason
            assert bench.intercom.status(key).state == "Terminated"
        assert bench.invites() == []

    def test_where_every_path_is_taken_a_call_goes_on_without(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        leg = f"{bench.call()}.0"
        for port in range(4000, 4024, 2):
            assert bench.paths.asked[leg][0] == port
            find(bench, leg, Gathered(port=port, fault=f"ports of RTP {port}: Address already in use", taken=True))
        ((_, invite),) = bench.invites()
        assert (invite.media.port, invite.media.address) == (4022, "")
        assert faults(bench) == ["NAT traversal: ports of RTP 4022: Address already in use"]

    def test_a_call_that_is_ended_while_its_port_is_found_taken_goes_nowhere(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        key = bench.call()

        def taken(leg: str, port: int) -> None:
            bench.ledger.post(lambda tx: bench.intercom.hang_up(tx, key))
            raise OSError(98, "Address already in use")

        bench.media.open = taken  # type: ignore[method-assign]
        find(bench, f"{key}.0")
        assert bench.intercom.status(key).state == "Terminated"
        assert bench.paths.asked == {}
        assert bench.invites() == []

    def test_an_answer_has_the_port_that_was_kept_for_it_or_none(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        bench.media.taken.add(4024)
        bench.incoming()
        bench.do(lambda tx: bench.intercom.answer(tx, bench.intercom.calls()[-1].id))
        find(bench, "0/in1")
        assert bench.lines.sent[-1] == (0, HangUp(leg="in1", code=500))
        assert "4024" in bench.intercom.calls()[-1].reason

    def test_without_it_a_call_goes_out_at_once(self, bench: IntercomBench) -> None:
        bench.call()
        ((_, invite),) = bench.invites()
        assert (invite.media.address, invite.media.ice) == ("", None)
        assert bench.paths.asked == {}

    def test_a_call_says_where_it_can_be_reached(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        leg = f"{bench.call()}.0"
        assert bench.invites() == []
        assert bench.media.legs == {}
        find(bench, leg)
        ((line, invite),) = bench.invites()
        media = invite.media
        assert (media.address, media.port, media.rtcp_port, media.ice) == ("203.0.113.9", 50000, 50007, FOUND.ice)
        assert bench.media.legs == {leg: bench.paths.asked[leg][0]}
        bench.answer(leg, line)
        assert (bench.media.talking[leg].remote_address, bench.media.talking[leg].remote_port) == ("127.0.0.1", 7000)
        bench.end(leg, line)
        assert bench.paths.asked == {}

    def test_so_does_an_answer(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        bench.incoming()
        bench.do(lambda tx: bench.intercom.answer(tx, bench.intercom.calls()[-1].id))
        answers = [command for _, command in bench.lines.sent if isinstance(command, Answer) and command.code == 200]
        assert answers == []
        find(bench, "0/in1")
        answers = [command for _, command in bench.lines.sent if isinstance(command, Answer) and command.code == 200]
        assert [(one.leg, one.media and one.media.address) for one in answers] == [("in1", "203.0.113.9")]

    def test_a_call_that_is_ended_before_goes_nowhere(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        key = bench.call()
        done = bench.paths.asked[f"{key}.0"][2]
        bench.do(lambda tx: bench.intercom.hang_up(tx, key))
        bench.do(lambda tx: None)  # what was posted has its turn
        assert bench.intercom.status(key).state == "Terminated"
        assert bench.paths.asked == {}
        done(FOUND)
        assert bench.invites() == []
        assert bench.media.legs == {}
        assert not [command for _, command in bench.lines.sent if isinstance(command, HangUp)]

    def test_who_hangs_up_before_he_is_answered_is_not_answered(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        bench.incoming()
        bench.do(lambda tx: bench.intercom.answer(tx, bench.intercom.calls()[-1].id))
        done = bench.paths.asked["0/in1"][2]
        bench.end("in1", 0)
        done(FOUND)
        assert not [one for _, one in bench.lines.sent if isinstance(one, Answer) and one.code == 200]
        assert bench.media.legs == {}

    def test_a_server_that_fails_is_an_event_and_the_call_goes_on(self, bench: IntercomBench) -> None:
        put(bench, **TURN)
        lost = ServerAnswer(kind="turn", server="turn.example:3479", ok=False, reason="does not answer")
        leg = f"{bench.call()}.0"
        find(bench, leg, Gathered(port=4000, servers=(lost,)))
        ((_, invite),) = bench.invites()
        assert (invite.media.port, invite.media.address) == (4000, "")
        assert faults(bench) == ["NAT traversal: TURN server turn.example:3479: does not answer"]
        assert list(bench.intercom.paths.servers.values()) == [lost]

    def test_the_same_fault_of_many_legs_is_one_event(self, bench: IntercomBench) -> None:
        put(bench, ice=True)
        for _ in range(3):
            key = bench.call()
            find(bench, f"{key}.0", Gathered(port=4000, fault="needs aioice (extra axcore[voice])"))
            bench.do(lambda tx, key=key: bench.intercom.hang_up(tx, key))
            bench.end(f"{key}.0", bench.invites()[-1][0])
        assert faults(bench) == ["NAT traversal: needs aioice (extra axcore[voice])"]

    def test_what_became_of_a_path_is_told(self, bench: IntercomBench) -> None:
        told = PathTold(leg="1.0", what="chosen", detail="host 192.0.2.5:4032 to 192.0.2.7:5000")
        bench.paths.on_told(told)
        assert bench.intercom.paths.last == told
        assert faults(bench) == []
        bench.paths.on_told(PathTold(leg="1.0", what="lost", detail="the other side does not answer any more"))
        assert faults(bench) == ["NAT traversal: the path of a call is lost: the other side does not answer any more"]
