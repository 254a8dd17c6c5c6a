"""Seed 001, Calls > Call button, and Daily use > Use the keypad: the button at the front, sentence by sentence."""

from __future__ import annotations

import pytest
from intercom_bench import IntercomBench

from axcore.model import events
from axcore.model.intercom import ContactSpec
from axcore.model.voice import Answer


class Front:
    """A station whose button calls Ada, and Bob by 42."""

    def __init__(self) -> None:
        self.bench = IntercomBench()
        self.intercom = self.bench.intercom
        self.presses = 0
        contacts = self.intercom.contacts
        ada = ContactSpec(first_name="Ada", sip_address="sip:ada@10.0.0.2")
        bob = ContactSpec(first_name="Bob", sip_address="sip:bob@10.0.0.3", speed_dial="42")
        key, _ = (self.bench.do(lambda tx, one=one: contacts.add_contact(tx, one)).id for one in (ada, bob))
        self.button(recipients=[key])

    def button(self, **patch: object) -> None:
        self.bench.do(lambda tx: self.intercom.contacts.set_button(tx, patch))

    def press(self, digits: str = "", after: float = 1) -> None:
        """The call key, perhaps after digits: one press has one time."""
        self.bench.ledger.advance(after)
        self.presses += 1

        def job(tx: object) -> None:
            if digits:
                self.intercom.panel.on_speed_dial(tx, digits, self.presses)  # type: ignore[arg-type]
            self.intercom.panel.on_button(tx, self.presses)  # type: ignore[arg-type]

        self.bench.do(job)

    @property
    def called(self) -> list[str]:
        return [invite.uri for _, invite in self.bench.invites()]

    @property
    def faults(self) -> int:
        return len(self.bench.told(events.SYSTEM_FAULT))


@pytest.fixture
def front() -> Front:
    return Front()


def test_enter_the_person_s_speed_dial_number_and_press(front: Front) -> None:
    front.press("42")
    assert front.called == ["sip:bob@10.0.0.3"]
    assert front.bench.states()[-1] == "Calling"


class TestDigitsBeforeTheCallKeyDuringACall:
    """The modes say what "presses the call button during an outgoing call" means; digits before it change nothing."""

    @pytest.mark.parametrize("digits", ["", "42", "43"])
    def test_end_the_call(self, front: Front, digits: str) -> None:
        front.press()
        front.press(digits)
        assert front.called == ["sip:ada@10.0.0.2"]
        assert front.intercom.calls()[-1].reason == "ended by the call button"
        assert front.faults == 0

    @pytest.mark.parametrize("digits", ["", "42", "43"])
    def test_no_functionality_until_the_call_has_ended(self, front: Front, digits: str) -> None:
        front.button(during_call="nothing")
        front.press()
        front.press(digits)
        assert front.called == ["sip:ada@10.0.0.2"]
        assert front.bench.states()[-1] == "Calling"
        assert front.faults == 0

    @pytest.mark.parametrize("digits", ["", "42", "43"])
    def test_delay_before_you_can_end_the_call(self, front: Front, digits: str) -> None:
        front.button(during_call="delay", delay=5)
        front.press()
        front.press(digits, after=4)
        assert front.bench.states()[-1] == "Calling"
        front.press(digits, after=2)
        assert front.intercom.calls()[-1].reason == "ended by the call button"
        assert front.faults == 0

    def test_who_calls_is_answered(self, front: Front) -> None:
        front.bench.incoming()
        front.press("42")
        assert front.bench.lines.sent[-1] == (0, Answer(leg="in1", code=200))
        assert front.faults == 0

    def test_after_the_call_it_is_a_number_again(self, front: Front) -> None:
        front.press()
        front.press("42")
        front.press("42")
        assert front.called[1:] == ["sip:bob@10.0.0.3"]


class TestDisabled:
    """ "Use call button: Turn on to make it possible to use the call button": off, it can be used for nothing."""

    @pytest.fixture
    def front(self) -> Front:
        front = Front()
        front.button(enabled=False)
        return front

    def test_it_calls_nobody(self, front: Front) -> None:
        front.press()
        assert front.called == []

    def test_it_answers_nobody(self, front: Front) -> None:
        front.bench.incoming()
        front.press()
        assert front.bench.lines.sent == [(0, Answer(leg="in1", code=180))]
        front.button(enabled=True)
        front.press()
        assert front.bench.lines.sent[-1] == (0, Answer(leg="in1", code=200))

    def test_it_ends_no_call(self, front: Front) -> None:
        front.bench.call()
        for digits in ("", "42"):
            front.press(digits)
            assert front.intercom.calls()[-1].state == "Calling"
        assert len(front.called) == 1

    def test_a_person_can_still_be_dialled(self, front: Front) -> None:
        """Daily use > Use the keypad: "Enter the person's speed dial number and press": that is the keypad's."""
        front.press("42")
        assert front.called == ["sip:bob@10.0.0.3"]
