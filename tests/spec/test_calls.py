"""Seed 001: Contact list, SIP, Calls, DTMF - sentence by sentence, on the state machines."""

from collections.abc import Mapping

import pytest

from axcore.devices import dial
from axcore.devices.call import (
    LAST_WORDS_NS,
    MOST_TRANSFERS,
    NS,
    Accept,
    Call,
    Dial,
    Drop,
    Hush,
    Limits,
    Notify,
    Ring,
    Talk,
    Told,
    button,
    place,
    receive,
)
from axcore.devices.dial import Book
from axcore.devices.keys import LOCK_NS, MEMORY_NS, MOST_WRONG, PAUSE_NS, Keys, Wrong
from axcore.errors import InputError, NotFoundError
from axcore.model.intercom import Contact, Group, Target
from axcore.model.sip import parse_source, parse_uri

LIMITS = Limits(calling_ns=60 * NS, active_ns=None)


def target(name: str) -> Target:
    return Target(uri=f"sip:{name}@host", account="a")


def outgoing(*stages: tuple[str, ...], limits: Limits = LIMITS) -> Call:
    call, effects = place("1", tuple(tuple(target(name) for name in stage) for stage in stages), limits, 0)
    assert effects == (
        Told("Calling", ""),
        *(Dial(f"1.{number}", target(name)) for number, name in enumerate(stages[0])),
    )
    return call


class TestSettings:
    def test_calling_timeout_set_the_maximum_duration_of_an_attempted_call_if_no_one_answers(self) -> None:
        call = outgoing(("ada",))
        assert call.advance(60 * NS - 1) == (call, ())
        call, effects = call.advance(60 * NS)
        assert effects == (Drop("1.0", 603), Told("Terminating", "no answer"))
        assert call.leg_over("1.0", "", 60 * NS)[0].state == "Terminated"

    def test_end_calls_after_set_the_maximum_time_that_a_call_can_last(self) -> None:
        call = outgoing(("ada",), limits=Limits(calling_ns=60 * NS, active_ns=3600 * NS))
        call, _ = call.answered("1.0", 10 * NS)
        assert call.deadline == 3610 * NS
        assert call.advance(3610 * NS)[0].state == "Terminating"

    def test_infinite_call_duration(self) -> None:
        assert outgoing(("ada",)).answered("1.0", 0)[0].deadline is None

    def test_a_leg_that_never_says_that_it_is_over_holds_up_nobody(self) -> None:
        call, _ = outgoing(("ada",)).hang_up("", NS)
        assert call.advance(NS + LAST_WORDS_NS)[0].state == "Terminated"


class TestIncoming:
    def test_answer_automatically(self) -> None:
        _, effects = receive("1", "in1", target("ada"), LIMITS, 0, answer=True)
        assert effects == (Told("Calling", ""), Accept("in1"))

    def test_otherwise_it_rings_until_the_button_answers(self) -> None:
        call, effects = receive("1", "in1", target("ada"), LIMITS, 0, answer=False)
        assert effects[-1] == Ring("in1")
        assert button(call, "end", 0, 0) == "answer"
        assert call.accept()[1] == (Accept("in1"),)
        assert call.answered("in1", NS)[1] == (Talk("in1"), Told("Active", ""))

    def test_nobody_answers(self) -> None:
        call, _ = receive("1", "in1", target("ada"), LIMITS, 0, answer=False)
        assert call.advance(60 * NS)[1][0] == Drop("in1", 480)

    @pytest.mark.parametrize(("policy", "lets"), [("allow", (True, False)), ("block", (False, True))])
    def test_access_list(self, policy: str, lets: tuple[bool, bool]) -> None:
        sources = [parse_source("1001"), parse_source("pbx.example")]
        listed = (parse_uri("sip:1001@elsewhere"), parse_uri("sip:7@PBX.example"))
        for caller in listed:
            assert dial.admitted(caller, "10.0.0.2", policy, sources) is lets[0]  # type: ignore[arg-type]
        other = parse_uri("sip:1002@elsewhere")
        assert dial.admitted(other, "10.0.0.2", policy, sources) is lets[1]  # type: ignore[arg-type]


class TestTransfer:
    """RFC 3515, RFC 5589 section 6: the peer of a call has it go on with somebody else."""

    def talking(self, limits: Limits = LIMITS) -> Call:
        return outgoing(("ada",), limits=limits).answered("1.0", NS)[0]

    def test_he_is_called_and_the_peer_stays_until_he_answers(self) -> None:
        call, effects = self.talking().refer("1.0", target("bob"), 2 * NS)
        assert effects == (Dial("1.1", target("bob")),)
        assert (call.state, call.winner) == ("Active", "1.0")
        call, effects = call.rings("1.1")
        assert effects == (Notify("1.0", 180),)
        call, effects = call.answered("1.1", 3 * NS)
        assert effects == (
            Talk("1.1"), Notify("1.0", 200), Hush("1.0"), Drop("1.0", 603), Told("Active", "transferred"),
        )  # fmt: skip
        assert call.leg_over("1.0", "hung up", 4 * NS) == (call.leg_over("1.0", "", 4 * NS)[0], ())
        assert call.leg_over("1.0", "", 4 * NS)[0].leg_over("1.1", "", 5 * NS)[0].state == "Terminated"

    def test_who_is_not_reached_leaves_it_with_the_peer(self) -> None:
        began = self.talking()
        call, _ = began.refer("1.0", target("bob"), 2 * NS)
        for code, word in ((486, 486), (200, 503), (0, 503)):
            after, effects = call.leg_over("1.1", "", 3 * NS, code)
            assert effects == (Notify("1.0", word),)
            assert (after.state, after.winner, after.deadline) == ("Active", "1.0", began.deadline)
        after, effects = call.advance(62 * NS)
        assert effects == (Drop("1.1", 603), Notify("1.0", 408))
        assert after.answered("1.1", 63 * NS)[1] == (Drop("1.1", 603),)  # too late

    def test_a_peer_who_leaves_before_the_answer(self) -> None:
        call, _ = self.talking().refer("1.0", target("bob"), 2 * NS)
        call, effects = call.leg_over("1.0", "hung up", 3 * NS)
        assert (call.state, effects) == ("Active", ())
        assert call.answered("1.1", 4 * NS)[1] == (Talk("1.1"), Told("Active", "transferred"))
        assert call.leg_over("1.1", "busy", 4 * NS)[0].state == "Terminated"
        over, effects = call.advance(62 * NS)
        assert effects == (Drop("1.1", 603), Told("Terminating", "no answer"))
        assert over.leg_over("1.1", "", 63 * NS)[0].state == "Terminated"

    def test_one_at_a_time_from_who_talks_and_not_for_ever(self) -> None:
        call = self.talking()
        assert call.refer("1.7", target("bob"), NS)[1] == (Notify("1.7", 603),)
        once, _ = call.refer("1.0", target("bob"), NS)
        assert once.refer("1.0", target("eve"), NS) == (once, (Notify("1.0", 603),))
        for number in range(MOST_TRANSFERS):
            call, _ = call.refer(f"1.{number}", target("bob"), NS)
            call, _ = call.answered(f"1.{number + 1}", NS)
        assert call.refer(call.winner, target("bob"), NS)[1] == (Notify(call.winner, 603),)

    def test_the_longest_time_of_a_call_holds_for_all_of_it(self) -> None:
        call = self.talking(Limits(calling_ns=60 * NS, active_ns=90 * NS))
        call, _ = call.refer("1.0", target("bob"), 80 * NS)
        assert call.deadline == 91 * NS
        answered, _ = call.answered("1.1", 81 * NS)
        assert answered.deadline == 91 * NS
        assert call.advance(91 * NS)[1][:2] == (Drop("1.0", 603), Drop("1.1", 603))


class TestGroups:
    def test_the_call_will_be_placed_to_all_of_them_at_the_same_time(self) -> None:
        assert len(outgoing(tuple("abcdef")).legs) == 6

    def test_the_first_answer_wins_and_the_others_are_cancelled(self) -> None:
        call = outgoing(tuple("abcdef"))
        call, _ = call.rings("1.2")
        call, effects = call.answered("1.2", NS)
        others = tuple(Drop(f"1.{number}", 603) for number in (0, 1, 3, 4, 5))
        assert effects == (Talk("1.2"), *others, Told("Active", ""))
        call, effects = call.answered("1.4", NS)
        assert effects == (Drop("1.4", 603),)

    def test_one_who_refuses_leaves_the_others_ringing(self) -> None:
        call, effects = outgoing(("ada", "bob")).leg_over("1.0", "busy", NS)
        assert (call.state, effects) == ("Calling", ())
        assert call.leg_over("1.1", "busy", NS)[0].state == "Terminated"

    def test_fallback_in_case_none_of_the_recipients_replies(self) -> None:
        call = outgoing(("ada", "bob"), ("eve",))
        call, effects = call.advance(60 * NS)
        assert effects == (Drop("1.0", 603), Drop("1.1", 603), Dial("1.2", target("eve")))
        assert call.deadline == 120 * NS
        assert call.answered("1.0", 61 * NS)[1] == (Drop("1.0", 603),)
        assert call.answered("1.2", 61 * NS)[0].state == "Active"


class TestCallButton:
    def call(self) -> Call:
        return outgoing(("ada",))

    def test_without_a_call_it_calls(self) -> None:
        assert button(None, "nothing", 0, 0) == "call"
        ended, _ = self.call().hang_up("", 0)
        assert button(ended, "nothing", 0, 0) == "call"

    def test_end_the_call(self) -> None:
        assert button(self.call(), "end", 0, 1) == "end"

    def test_the_press_that_began_the_call_does_not_end_it(self) -> None:
        assert button(self.call(), "end", 0, 0) == "nothing"

    def test_no_functionality_until_the_call_has_ended(self) -> None:
        assert button(self.call(), "nothing", 0, 1000 * NS) == "nothing"
        assert button(self.call().answered("1.0", 0)[0], "nothing", 0, NS) == "nothing"

    def test_delay_before_you_can_end_the_call(self) -> None:
        assert button(self.call(), "delay", 5 * NS, 5 * NS - 1) == "nothing"
        assert button(self.call(), "delay", 5 * NS, 5 * NS) == "end"


def contact(name: str, **more: str) -> Contact:
    return Contact(id=name, first_name=name, sip_address=f"sip:{name}@host", **more)


def planned(book: Book, *recipients: str, away: tuple[str, ...] = (), fallback: str = "") -> list[list[str]]:
    def resolve(one: Contact) -> Target:
        return target(one.id)

    found = dial.plan(recipients, book, lambda schedule: schedule not in away, resolve, fallback=fallback)
    return [[one.uri.removeprefix("sip:").partition("@")[0] for one in stage] for stage in found.stages]


def book(contacts: Mapping[str, Contact] | list[Contact], *groups: Group) -> Book:
    assert isinstance(contacts, list)
    return Book({one.id: one for one in contacts}, {one.id: one for one in groups})


class TestContactList:
    people = (contact("ada", availability="days", fallback="bob"), contact("bob", fallback="eve"), contact("eve"))

    def test_a_fallback_is_called_if_the_original_contact_does_not_reply(self) -> None:
        assert planned(book([*self.people]), "ada") == [["ada"], ["bob"], ["eve"]]

    def test_or_is_not_available(self) -> None:
        assert planned(book([*self.people]), "ada", away=("days",))[0] == ["bob"]

    def test_the_fallback_of_a_fallback_has_his_turn_whoever_stood_in(self) -> None:
        assert planned(book([*self.people]), "ada", away=("days",)) == [["bob"], ["eve"]]
        people = [self.people[0], contact("bob", availability="nights", fallback="eve"), contact("eve", fallback="ada")]
        assert planned(book(people), "ada", away=("days", "nights")) == [["eve"]]
        assert planned(book(people), "ada", away=("nights",)) == [["ada"], ["eve"]]
        assert planned(book([*self.people]), "bob", "ada", fallback="bob") == [["bob", "ada"], ["eve"]]

    def test_the_call_gets_cancelled_unless_there_is_a_fallback_contact(self) -> None:
        with pytest.raises(InputError, match="nobody is available"):
            planned(book([contact("ada", availability="days")]), "ada", away=("days",))

    def test_fallbacks_in_a_circle_end(self) -> None:
        people = [contact("ada", availability="days", fallback="bob"), contact("bob", fallback="ada")]
        assert planned(book(people), "ada") == [["ada"], ["bob"]]
        circle = [
            contact("ada", availability="n", fallback="bob"),
            contact("bob", availability="n", fallback="ada"),
        ]
        with pytest.raises(InputError, match="nobody"):
            planned(book(circle), "ada", away=("n",))

    def test_a_group_and_its_fallback(self) -> None:
        group = Group(id="g", name="Front", recipients=("ada", "bob", "gone"), fallback="eve")
        assert planned(book([*self.people], group), "g") == [["ada", "bob"], ["eve"]]
        assert planned(book([*self.people], group), "g", away=("days",)) == [["bob"], ["eve"]]

    def test_recipients_of_the_button_and_its_fallback(self) -> None:
        assert planned(book([*self.people]), "ada", "eve", fallback="bob") == [["ada", "eve"], ["bob"]]

    def test_the_maximum_number_of_recipients_is_six(self) -> None:
        people = [contact(f"c{number}") for number in range(7)]
        found = dial.plan([one.id for one in people], book(people), lambda _: True, lambda one: target(one.id))
        assert [one.uri for one in found.stages[0]] == [target(one.id).uri for one in people[:6]]
        assert found.left_out == ("the contact 'c6' is not called: at most 6 at the same time",)

    def test_nobody_is_called_twice_at_the_same_time(self) -> None:
        group = Group(id="g", name="Front", recipients=("ada", "bob"))
        assert planned(book([*self.people], group), "ada", "g")[0] == ["ada", "bob"]

    def test_an_unknown_recipient(self) -> None:
        with pytest.raises(NotFoundError):
            planned(book([]), "nobody")


class TestDtmf:
    def typed(self, text: str, sequences: dict[str, str], pause: int = 0) -> tuple[list[str], Keys]:
        keys, found, now = Keys(), [], NS
        for key in text:
            now += pause
            keys, hit = keys.press(key, now, sequences)
            found += [] if hit is None else [hit]
        return found, keys

    def test_one_sequence_one_event(self) -> None:
        assert self.typed("1", {"1": "unlock"})[0] == ["unlock"]
        assert self.typed("*55#*55#", {"*55#": "unlock"})[0] == ["unlock", "unlock"]

    def test_a_longer_sequence_can_go_on_after_a_shorter_one(self) -> None:
        assert self.typed("12", {"1": "a", "12": "b"})[0] == ["a", "b"]

    def test_a_sequence_is_not_found_in_a_longer_row(self) -> None:
        assert self.typed("912", {"12": "a"})[0] == ["a"]  # 9 begins nothing: a miss, and a new start
        assert self.typed("112", {"12": "a"})[0] == []

    def test_a_pause_begins_anew(self) -> None:
        assert self.typed("12", {"12": "a"}, pause=PAUSE_NS + 1)[0] == []

    def test_a_key_that_begins_nothing_is_a_wrong_code(self) -> None:
        for text, wrong in (("9", True), ("1", False), ("19", True), ("12", False)):
            assert self.typed(text, {"12": "a"})[1].missed is wrong, text

    def test_as_many_keys_as_a_code_has_are_one_wrong_code(self) -> None:
        keys, wrong = Keys(), []
        for key in "5678567812355":
            keys, _ = keys.press(key, NS, {"1234": "a", "123456": "b"})
            wrong.append(keys.missed)
        assert wrong == [True, False, False, False, True, False, False, False, False, False, False, True, False]
        assert keys.press("9", 2 * NS + PAUSE_NS, {"1234": "a"})[0].missed  # after a pause it is another one

    def test_five_wrong_codes_lock_for_a_minute(self) -> None:
        wrong = Wrong()
        for second in range(MOST_WRONG):
            assert not wrong.locked(second * NS)
            wrong = wrong.another(second * NS)
        ends = (MOST_WRONG - 1) * NS + LOCK_NS
        assert wrong.locked(ends - 1)
        assert not wrong.locked(ends)
        assert not wrong.another(ends).locked(ends)  # it is counted anew

    def test_a_wrong_code_is_forgotten(self) -> None:
        wrong = Wrong()
        for _ in range(MOST_WRONG - 1):
            wrong = wrong.another(0)
        assert wrong.another(MEMORY_NS - 1).locked(MEMORY_NS - 1)
        assert not wrong.another(MEMORY_NS).locked(MEMORY_NS)
