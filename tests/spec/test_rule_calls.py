"""Seeds 001 and 004: Recipients > SIP or VMS, as the action of a rule - sentence by sentence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from intercom_bench import IntercomBench

from axcore.errors import ConflictError, InputError
from axcore.interfaces.soap import templates
from axcore.model.actions import MakeCall
from axcore.model.intercom import ContactSpec, SipAccountSpec
from axcore.model.rules import Condition, Rule
from axcore.services.events import Run
from axcore.services.intercom import CallPerformer, rules_calling_from


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


@pytest.fixture
def pbx(bench: IntercomBench) -> str:
    """An account that is not the default one."""
    spec = SipAccountSpec(name="PBX", kind="registered", user_id="7", registrar="pbx.example")
    return str(bench.do(lambda tx: bench.intercom.accounts.add_account(tx, spec)).id)


def run(bench: IntercomBench, action: MakeCall) -> list[tuple[str, str]]:
    """Who is called by a rule with this action, and from which account."""
    performer = CallPerformer(bench.intercom)
    known = Run(rule="1", name="Ring", event=None, correlation=None, failed=lambda _: None)
    bench.do(lambda tx: performer.start(tx, performer.check(action), known))
    return [(invite.uri, invite.account) for _, invite in bench.invites()]


def test_select_to_make_a_sip_call(bench: IntercomBench) -> None:
    assert run(bench, MakeCall(to="sip:guard@10.0.0.2")) == [("sip:guard@10.0.0.2", "peer-to-peer")]


def test_select_to_make_a_vms_call(bench: IntercomBench) -> None:
    assert run(bench, MakeCall(to="VMS")) == []
    assert bench.intercom.calls()[-1].type == "VMS"


def test_from_sip_account_to_sip_address(bench: IntercomBench, pbx: str) -> None:
    assert run(bench, MakeCall(to="1001", account=pbx)) == [("sip:1001@pbx.example", pbx)]


def test_an_address_that_the_account_cannot_call(bench: IntercomBench, pbx: str) -> None:
    with pytest.raises(InputError) as caught:
        run(bench, MakeCall(to="1001"))  # the default account has no server
    assert caught.value.field == "to"
    assert run(bench, MakeCall(to="1001", account=pbx))


def contact(bench: IntercomBench) -> str:
    spec = ContactSpec(first_name="Ada", sip_address="sip:ada@10.0.0.2")
    return str(bench.do(lambda tx: bench.intercom.contacts.add_contact(tx, spec)).id)


@pytest.mark.parametrize("to", ["Ada", "contact1", "VMS", "VMS_CALL"])
def test_contacts_and_software_have_no_account_to_select(bench: IntercomBench, pbx: str, to: str) -> None:
    contact(bench)
    with pytest.raises(InputError, match="is for a SIP address") as caught:
        run(bench, MakeCall(to=to, account=pbx))
    assert caught.value.field == "account"


def test_an_account_that_is_not_on_the_list(bench: IntercomBench) -> None:
    with pytest.raises(InputError) as caught:
        run(bench, MakeCall(to="sip:guard@10.0.0.2", account="none"))
    assert caught.value.field == "account"


def test_select_from_the_list(bench: IntercomBench, pbx: str) -> None:
    (kind,) = CallPerformer(bench.intercom).describe()
    assert kind.fields["account"]["examples"] == ["peer-to-peer", pbx]
    assert kind.fields["account"]["default"] == ""
    template = templates.by_token("com.axcore.action.fixed.make_call")
    assert template is not None
    assert [(one.name, one.required) for one in template.parameters] == [("to", True), ("account", False)]


def test_an_account_that_a_rule_calls_from_stays(bench: IntercomBench, pbx: str) -> None:
    accounts = bench.intercom.accounts
    condition: Any = Condition(topic="tns1:Device/tnsaxis:Button/CallButton")
    rule = Rule(id="1", name="Ring", conditions=(condition,), action=MakeCall(to="sip:1001@pbx.example", account=pbx))
    other = msgspec.structs.replace(rule, id="2", action=MakeCall(to="sip:1001@pbx.example"))
    accounts.users.add(lambda key: rules_calling_from((rule, other), key))
    with pytest.raises(ConflictError, match="'PBX' is used by the rule 'Ring'; change that first"):
        bench.do(lambda tx: accounts.remove_account(tx, pbx))
