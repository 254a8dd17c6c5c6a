"""Whom the call button and groups call: who is left out, how many at the same time, ids of who is gone."""

from __future__ import annotations

import msgspec
import pytest
from intercom_bench import IntercomBench, add

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.intercom import GroupSpec, SipAccountSpec


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


def press(bench: IntercomBench, *recipients: str) -> list[str]:
    """Whom the button calls."""
    bench.do(lambda tx: bench.intercom.contacts.set_button(tx, {"recipients": list(recipients)}))
    bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
    return [invite.uri for _, invite in bench.invites()]


def faults(bench: IntercomBench) -> list[str]:
    return [event.data["reason"] for event in bench.told(events.SYSTEM_FAULT)]


def register(bench: IntercomBench) -> None:
    """Have an account at a PBX, which is the default one: extensions are called by it."""
    accounts = bench.intercom.accounts
    spec = SipAccountSpec(name="PBX", kind="registered", user_id="7", registrar="pbx.example")
    key = bench.do(lambda tx: accounts.add_account(tx, spec)).id
    bench.do(lambda tx: accounts.make_default(tx, key))


def deactivated(bench: IntercomBench) -> str:
    """An account that has become inactive."""
    accounts = bench.intercom.accounts
    key = str(bench.do(lambda tx: accounts.add_account(tx, SipAccountSpec(name="Second"))).id)
    bench.do(lambda tx: accounts.update_account(tx, key, {"active": False}))
    return key


def test_who_cannot_be_called_is_left_out_and_told(bench: IntercomBench) -> None:
    ada, bob = add(bench, "Ada", account=deactivated(bench)), add(bench, "Bob")
    assert press(bench, "VMS_CALL", ada, bob) == ["sip:bob@10.0.0.2"]
    assert bench.intercom.calls()[-1].recipients == ("VMS_CALL", "sip:bob@10.0.0.2")
    assert faults(bench) == ["the contact 'Ada' is not called: the account 1 is not active"]


def test_two_who_have_the_same_name_are_both_told(bench: IntercomBench) -> None:
    account = deactivated(bench)
    first, second = (add(bench, "Ada", sip_address=f"sip:{at}@10.0.0.2", account=account) for at in ("home", "work"))
    bob, eve = add(bench, "Bob"), add(bench, "Eve", account=account, fallback=first)
    assert press(bench, first, bob, second, eve) == ["sip:bob@10.0.0.2"]
    told = [f"the contact {name!r} is not called: the account 1 is not active" for name in ("Ada", "Ada", "Eve")]
    assert faults(bench) == told  # each once, whoever he stands in for


def test_a_contact_whose_account_is_gone_is_left_out(bench: IntercomBench) -> None:
    ada, bob = add(bench, "Ada"), add(bench, "Bob")
    stored = msgspec.structs.replace(bench.intercom.contacts.contact(ada), account="gone")
    bench.do(lambda tx: tx.put("contact", ada, msgspec.json.encode(stored)))  # by an earlier release
    bench.ledger.load(bench.intercom.load)
    assert press(bench, ada, bob) == ["sip:bob@10.0.0.2"]
    assert faults(bench) == ["the contact 'Ada' is not called: there is no sip account 'gone'"]


def test_an_extension_without_a_server_is_left_out(bench: IntercomBench) -> None:
    accounts = bench.intercom.accounts
    register(bench)
    ada, bob = add(bench, "Ada", sip_address="1001"), add(bench, "Bob")
    bench.do(lambda tx: accounts.make_default(tx, "peer-to-peer"))
    assert press(bench, ada, bob) == ["sip:bob@10.0.0.2"]
    (fault,) = faults(bench)
    assert fault.startswith("the contact 'Ada' is not called: ")


def test_a_contact_who_cannot_be_called_can_be_changed_and_lose_his_fallback(bench: IntercomBench) -> None:
    """An extension whose server is gone is no reason to keep his stand-in, or his name."""
    accounts, contacts = bench.intercom.accounts, bench.intercom.contacts
    register(bench)
    eve = add(bench, "Eve")
    ada = add(bench, "Ada", sip_address="1001", fallback=eve)
    bench.do(lambda tx: accounts.make_default(tx, "peer-to-peer"))
    bench.do(lambda tx: contacts.update_contact(tx, ada, {"first_name": "Ada L."}))
    bench.do(lambda tx: contacts.remove_contact(tx, eve))
    assert contacts.contact(ada).fallback == ""
    with pytest.raises(InputError) as error:
        bench.do(lambda tx: contacts.update_contact(tx, ada, {"sip_address": "1002"}))
    assert error.value.field == "sip_address"


def test_the_fallback_of_who_cannot_be_called_is_called_in_his_place(bench: IntercomBench) -> None:
    eve, bob = add(bench, "Eve"), add(bench, "Bob")
    ada = add(bench, "Ada", account=deactivated(bench), fallback=eve)
    assert press(bench, ada, bob) == ["sip:eve@10.0.0.2", "sip:bob@10.0.0.2"]
    assert len(faults(bench)) == 1


def test_a_call_to_nobody_who_can_be_called_is_refused(bench: IntercomBench) -> None:
    ada = add(bench, "Ada", account=deactivated(bench))
    with pytest.raises(ConflictError, match="is not active"):
        bench.call(ada)
    assert faults(bench) == []
    assert press(bench, ada) == []
    assert faults(bench) == ["no call: the account 1 is not active"]


def crowd(bench: IntercomBench) -> tuple[list[str], str, str]:
    """Eight people, and the button with two groups of three of them."""
    people = [add(bench, f"P{number}") for number in range(8)]
    contacts = bench.intercom.contacts
    first, second = (
        str(bench.do(lambda tx, part=part: contacts.add_group(tx, GroupSpec(name=part[0], recipients=part))).id)
        for part in (tuple(people[:3]), tuple(people[3:6]))
    )
    bench.do(lambda tx: contacts.set_button(tx, {"recipients": [first, second]}))
    return people, first, second


def test_a_group_grows_no_larger_than_the_button_can_call(bench: IntercomBench) -> None:
    people, _, second = crowd(bench)
    contacts = bench.intercom.contacts
    before = contacts.export()
    with pytest.raises(LimitError, match="recipients: the call button would call 8; at most 6"):
        bench.do(lambda tx: contacts.update_group(tx, second, {"recipients": people[3:]}))
    groups = tuple(msgspec.structs.replace(group, recipients=tuple(people[:6])) for group in before.groups[:1])
    more = msgspec.structs.replace(before.groups[1], recipients=tuple(people[5:]))
    with pytest.raises(LimitError, match="groups: the call button would call 8; at most 6"):
        bench.do(lambda tx: contacts.replace(tx, msgspec.structs.replace(before, groups=(*groups, more))))
    assert contacts.export() == before
    same = bench.do(lambda tx: contacts.update_group(tx, second, {"recipients": people[:6]}))  # those of the other
    assert len(same.recipients) == 6
    bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
    assert len(bench.invites()) == 6


def test_of_more_than_it_can_call_the_button_calls_the_first(bench: IntercomBench) -> None:
    people, _, second = crowd(bench)
    contacts = bench.intercom.contacts
    large = msgspec.structs.replace(contacts.group(second), recipients=tuple(people[3:]))
    bench.do(lambda tx: tx.put("contact_group", second, msgspec.json.encode(large)))  # by an earlier release
    bench.ledger.load(bench.intercom.load)
    bench.do(lambda tx: bench.intercom.panel.on_button(tx, 0))
    assert len(bench.invites()) == 6
    assert faults(bench) == [f"the contact 'P{n}' is not called: at most 6 at the same time" for n in (6, 7)]
    bench.do(lambda tx: contacts.remove_contact(tx, people[7]))
    assert len(contacts.group(second).recipients) == 4  # fewer are never refused


def test_the_id_of_who_is_gone_is_no_extension(bench: IntercomBench) -> None:
    contacts = bench.intercom.contacts
    register(bench)
    ada = add(bench, "Ada")
    group = bench.do(lambda tx: contacts.add_group(tx, GroupSpec(name="Folder", group_calls=False))).id
    bench.do(lambda tx: contacts.remove_contact(tx, ada))
    for to in (ada, group):
        with pytest.raises(NotFoundError, match=f"to: there is no contact or group '{to}' that can be called"):
            bench.call(to)
        with pytest.raises(NotFoundError):
            bench.intercom.check_to(to)
    assert bench.invites() == []


def test_a_group_of_the_button_stays_for_calls(bench: IntercomBench) -> None:
    _, _, second = crowd(bench)
    contacts = bench.intercom.contacts
    with pytest.raises(ConflictError, match="is used by the call button"):
        bench.do(lambda tx: contacts.update_group(tx, second, {"group_calls": False}))
    assert contacts.group(second).group_calls


class TestNoSound:
    """Calls by SIP need the device's sound; software has its own way to it."""

    @pytest.fixture
    def bench(self) -> IntercomBench:
        return IntercomBench(media=False)

    def test_software_is_called_and_people_are_left_out_and_told(self, bench: IntercomBench) -> None:
        assert press(bench, add(bench, "Ada"), "VMS_CALL") == []
        call = bench.intercom.calls()[-1]
        assert (call.type, call.state, call.recipients) == ("VMS", "Calling", ("VMS_CALL",))
        assert faults(bench) == ["the contact 'Ada' is not called: this device has no sound for calls"]

    def test_nobody_stands_in_for_software_that_does_not_answer(self, bench: IntercomBench) -> None:
        ada = add(bench, "Ada")
        bench.do(lambda tx: bench.intercom.contacts.set_button(tx, {"fallback": ada}))
        press(bench, "VMS_CALL")
        bench.ledger.advance(31)
        assert (bench.intercom.calls()[-1].state, bench.intercom.calls()[-1].reason) == ("Terminated", "no answer")
        assert faults(bench) == ["the contact 'Ada' is not called: this device has no sound for calls"]

    def test_without_software_there_is_no_call(self, bench: IntercomBench) -> None:
        assert press(bench, add(bench, "Ada"), add(bench, "Bob")) == []
        assert bench.intercom.calls() == ()
        assert faults(bench) == ["no call: this device has no sound for calls"]

    def test_what_was_not_called_is_told_to_who_asks_for_a_call(self, bench: IntercomBench) -> None:
        ada = add(bench, "Ada")
        for to in (ada, "sip:ada@10.0.0.2"):
            with pytest.raises(ConflictError, match="no sound"):
                bench.call(to)
        assert faults(bench) == []
