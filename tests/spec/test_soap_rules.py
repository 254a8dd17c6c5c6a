"""VAPIX action service, sentence by sentence (sections of the public documentation in each name or text).

Refusals leave everything as it was: every test of one compares what is stored before and after.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from axcore.errors import LimitError
from axcore.model import events
from axcore.model.actions import HttpNotification, ToggleIoOnce, ToggleIoWhileActive
from axcore.model.rules import Condition
from tests.unit.interfaces.soap.rig import (
    PORT,
    RFID,
    VIRTUAL,
    Rig,
    action_rule,
    configuration,
    filter_xml,
    item,
    refused,
)

FIXED, UNLIMITED = "com.axis.action.fixed.", "com.axis.action.unlimited."
TOGGLE = {"port": "4", "state": "high"}
HTTP = {
    "message": "The message", "parameters": "", "upload_url": "http://192.0.2.1/cgi-bin/notify.cgi", "login": "me",
    "password": "mypassword", "proxy_host": "", "proxy_port": "", "proxy_login": "", "proxy_password": "", "qos": "0",
}  # fmt: skip
INPUT_1 = filter_xml(PORT, f"{item('port', '1')} and {item('state', '1')}")


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path, everything=True) as rig:
        yield rig


async def toggle(rig: Rig, template: str = UNLIMITED + "io.toggle", **more: str) -> str:
    return (await rig.configure(template, **TOGGLE, **more)).one("ConfigurationID")


# --- Action templates and configurations -----------------------------------------------------------------------------


async def test_templates_are_those_of_the_device(rig: Rig) -> None:
    """The template lists the parameters; if the action uses a recipient, its type is also listed."""
    listed = await rig.soap("<aa:GetActionTemplates/>")
    tokens = listed.all("ActionTemplates/ActionTemplate/TemplateToken")
    documented = [
        "fixed.io.toggle", "unlimited.io.toggle", "fixed.ledcontrol", "unlimited.ledcontrol", "fixed.play.audioclip",
        "unlimited.play.audioclip", "fixed.stop.audioclip", "fixed.notification.http", "fixed.notification.https",
        "fixed.notification.smtp", "fixed.notification.tcp", "unlimited.notification.tcp", "fixed.mqttpublish",
    ]  # fmt: skip
    assert {f"com.axis.action.{name}" for name in documented} <= set(tokens)
    for template in listed.body[0]:
        token = template.findtext("{*}TemplateToken") or ""
        recipient = template.findtext("{*}RecipientTemplate")
        assert (recipient is not None) == ("notification" in token or "send_files" in token)
        assert template.find("{*}Parameters") is not None
    rig.ctx.recipients = None
    fewer = (await rig.soap("<aa:GetActionTemplates/>")).all("ActionTemplates/ActionTemplate/TemplateToken")
    assert not [token for token in fewer if "notification" in token]
    assert set(fewer) < set(tokens)


async def test_a_configuration_is_kept_and_listed(rig: Rig) -> None:
    """Create an action configuration."""
    assert await toggle(rig) == "1"
    assert await toggle(rig, FIXED + "io.toggle", duration="7") == "2"
    listed = await rig.soap("<aa:GetActionConfigurations/>")
    path = "ActionConfigurations/ActionConfiguration"
    assert listed.all(f"{path}/ConfigurationID") == ["1", "2"]
    assert listed.all(f"{path}/TemplateToken") == [UNLIMITED + "io.toggle", FIXED + "io.toggle"]
    last = listed.body[0][1].find("{*}Parameters")
    assert last is not None
    assert {each.attrib["Name"]: each.attrib["Value"] for each in last} == {**TOGGLE, "duration": "7"}
    assert [item.action for item in rig.configurations.configurations()] == [
        ToggleIoWhileActive(port="4"), ToggleIoOnce(port="4", duration=7.0),
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(HTTP))
async def test_all_parameters_must_be_specified(rig: Rig, name: str) -> None:
    """... if a parameter should not be used, its value should be an empty string; also those of the recipient."""
    given = {key: value for key, value in HTTP.items() if key != name}
    await refused(rig, configuration(FIXED + "notification.http", "c", given), "ParametersMissmatchFault", name)


@pytest.mark.parametrize(
    ("values", "fault", "said"),
    [
        ({**TOGGLE, "other": "1"}, "ParametersMissmatchFault", "other"),
        ({"port": "4", "state": "on"}, "InvalidActionConfigurationFault", "state"),
        ({"port": "99", "state": "high"}, "InvalidActionConfigurationFault", "port"),
        ({"port": "", "state": "high"}, "InvalidActionConfigurationFault", "port"),
        ({"port": "4", "state": "h" * 8000}, "InvalidActionConfigurationFault", "state"),
    ],
)
async def test_a_bad_parameter_is_named(rig: Rig, values: dict[str, str], fault: str, said: str) -> None:
    await refused(rig, configuration(UNLIMITED + "io.toggle", "c", values), fault, said)


async def test_bad_configurations(rig: Rig) -> None:
    await refused(rig, configuration("com.axis.action.fixed.nothing", "c", {}), "ActionTemplateNotFoundFault")
    await refused(rig, "<aa:AddActionConfiguration/>", "InvalidArgVal", "NewActionConfiguration")
    good = configuration(UNLIMITED + "io.toggle", "c", TOGGLE)
    port = '<aa:Parameter Name="port" Value="4"/>'
    await refused(rig, good.replace(port, port * 2), "ParametersMissmatchFault", "twice")
    await refused(rig, good.replace(port, '<aa:Parameter Name="port"/>'), "ParametersMissmatchFault")
    await refused(
        rig, configuration(UNLIMITED + "io.toggle", "n" * 65, TOGGLE), "InvalidActionConfigurationFault", "Name"
    )
    await refused(
        rig, "<aa:RemoveActionConfiguration><aa:ConfigurationID>9</aa:ConfigurationID></aa:RemoveActionConfiguration>",
        "ActionConfigurationNotFoundFault",
    )  # fmt: skip


async def test_a_recipient_of_an_action_is_made_with_it_and_its_password_stays_inside(rig: Rig) -> None:
    """Using recipients in an action configuration."""
    assert (await rig.configure(FIXED + "notification.http", **HTTP)).status == 200
    (recipient,) = rig.recipients.recipients()
    assert (recipient.target.url, recipient.target.password) == (HTTP["upload_url"], "mypassword")
    (made,) = rig.configurations.configurations()
    assert made.action == HttpNotification(recipient=recipient.id, query="Message=The%20message")
    listed = await rig.soap("<aa:GetActionConfigurations/>")
    shown = await rig.soap("<aa:GetRecipientConfigurations/>")
    assert HTTP["upload_url"] in listed.text
    others = {kind: kept for kind, kept in rig.ledger.store.records().items() if kind != "recipient"}
    assert "mypassword" not in listed.text + shown.text + repr(others)
    assert "mypassword" not in repr(rig.ledger.events)


async def test_an_action_that_is_refused_leaves_no_recipient(rig: Rig) -> None:
    await refused(
        rig, configuration(FIXED + "notification.http", "c", {**HTTP, "method": "DELETE"}),
        "InvalidActionConfigurationFault", "method",
    )  # fmt: skip
    await refused(
        rig, configuration(FIXED + "notification.http", "n" * 65, HTTP), "InvalidActionConfigurationFault", "Name"
    )


# --- Recipients ------------------------------------------------------------------------------------------------------


def recipient(name: str, kind: str = "tcp", **values: str) -> str:
    given = "".join(f'<aa:Parameter Name="{k}" Value="{v}"/>' for k, v in values.items())
    return (
        "<aa:AddRecipientConfiguration><aa:NewRecipientConfiguration>"
        f"<aa:TemplateToken>com.axis.recipient.{kind}</aa:TemplateToken><aa:Name>{name}</aa:Name>"
        f"<aa:Parameters>{given}</aa:Parameters></aa:NewRecipientConfiguration></aa:AddRecipientConfiguration>"
    )


TCP = {"host": "192.0.2.7", "port": "50000", "qos": "0"}


async def test_recipients_are_added_listed_and_removed(rig: Rig) -> None:
    listed = await rig.soap("<aa:GetRecipientTemplates/>")
    tokens = listed.all("RecipientTemplates/RecipientTemplate/TemplateToken")
    kinds = ("http", "https", "ftp", "sftp", "smtp", "tcp", "networkshare")
    assert sorted(tokens) == sorted(f"com.axis.recipient.{kind}" for kind in kinds)
    assert (await rig.soap(recipient("Test", **TCP))).one("ConfigurationID") == "1"
    shown = await rig.soap("<aa:GetRecipientConfigurations/>")
    assert shown.one("RecipientConfigurations/RecipientConfiguration/Name") == "Test"
    await refused(rig, recipient("x", host="h", qos="0"), "ParametersMissmatchFault", "port")
    await refused(rig, recipient("x", host="h", port="many", qos="0"), "ParametersMissmatchFault", "port")
    await refused(rig, recipient("x", "pigeon", **TCP), "RecipientTemplateNotFoundFault")
    await refused(rig, recipient("", **TCP), "ParametersMissmatchFault", "Name")
    gone = (
        "<aa:RemoveRecipientConfiguration><aa:ConfigurationID>1</aa:ConfigurationID></aa:RemoveRecipientConfiguration>"
    )
    assert (await rig.soap(gone)).status == 200
    await refused(rig, gone, "RecipientConfigurationNotFoundFault")


async def test_the_21st_recipient_is_refused(rig: Rig) -> None:
    for number in range(20):
        assert (await rig.soap(recipient(f"r{number}", **TCP))).status == 200
    await refused(rig, recipient("r20", **TCP), "TooMany")
    await refused(rig, configuration(FIXED + "notification.http", "c", HTTP), "TooMany")


# --- Action rules ----------------------------------------------------------------------------------------------------


async def test_setting_up_an_action_rule(rig: Rig) -> None:
    """Start event, one condition and the configuration id: the action runs while the condition holds."""
    primary = await toggle(rig)
    made = await rig.soap(action_rule(primary, INPUT_1, start=filter_xml(RFID)))
    assert made.one("RuleID") == "1"
    rig.publish(RFID, {"card": "1"}, reader="0")
    assert rig.lines.commands == []
    rig.publish(PORT, {"state": "1"}, state=True, port="1")
    assert rig.lines.commands == []
    rig.publish(RFID, {"card": "1"}, reader="0")
    assert [command[:2] for command in rig.lines.commands] == [("hold", "relay1")]
    rig.publish(PORT, {"state": "0"}, state=True, port="1")
    assert len(rig.lines.commands) == 2


async def test_a_soap_rule_is_a_rule_of_rest_and_the_other_way_round(rig: Rig) -> None:
    primary = await toggle(rig)
    await rig.soap(action_rule(primary, INPUT_1, more="<aa:ActivationTimeout>PT1M30S</aa:ActivationTimeout>"))
    (rule,) = rig.events.rules()
    assert (rule.conditions, rule.action, rule.wait, rule.enabled) == (
        (Condition(topic=PORT, source={"port": "1"}),), ToggleIoWhileActive(port="4"), 90.0, True,
    )  # fmt: skip
    rig.add_rule(ToggleIoOnce(port="Door", duration=7), Condition(topic=events.ENTRY_GRANTED), name="REST")
    listed = await rig.soap("<aa:GetActionRules/>")
    path = "ActionRules/ActionRule"
    assert listed.all(f"{path}/Name") == ["Rule", "REST"]
    assert listed.all(f"{path}/RuleID") == ["1", "2"]
    assert listed.all(f"{path}/StartEvent/TopicExpression") == [events.ENTRY_GRANTED]
    assert listed.all(f"{path}/StartEvent/MessageContent") == [item("condition", "Access granted")]
    assert listed.all(f"{path}/Conditions/Condition/TopicExpression") == [PORT]
    assert listed.all(f"{path}/ActivationTimeout") == ["PT90S"]
    actions = listed.all(f"{path}/PrimaryAction")
    shown = await rig.soap("<aa:GetActionConfigurations/>")
    assert shown.all("ActionConfigurations/ActionConfiguration/ConfigurationID") == actions
    assert actions == ["1", "1000002"]
    again = await rig.soap(action_rule(actions[1], start=filter_xml(RFID)))
    assert rig.events.rule(again.one("RuleID")).action == ToggleIoOnce(port="4", duration=7.0)


async def test_either_a_start_event_or_a_condition_must_be_specified(rig: Rig) -> None:
    primary = await toggle(rig)
    await refused(rig, action_rule(primary), "InsufficientActivationRuleFault")


async def test_an_unlimited_action_needs_a_condition(rig: Rig) -> None:
    """Fixed actions can be used with any combination of start events and conditions."""
    await refused(rig, action_rule(await toggle(rig), start=filter_xml(RFID)), "InsufficientActivationRuleFault")
    fixed = await toggle(rig, FIXED + "io.toggle", duration="1")
    for body in (
        action_rule(fixed, start=filter_xml(RFID)),
        action_rule(fixed, INPUT_1),
        action_rule(fixed, INPUT_1, start=filter_xml(RFID)),
    ):
        assert (await rig.soap(body)).status == 200


@pytest.mark.parametrize(
    "condition",
    [
        filter_xml(RFID),
        filter_xml("tns1:Device/tnsaxis:Nothing"),
        filter_xml(PORT),
        filter_xml(PORT, item("state", "1")),
        filter_xml(PORT, item("port", "77")),
        filter_xml(f"{PORT}|{VIRTUAL}", item("port", "1")),
        filter_xml("tns1:Device//."),
        filter_xml("", item("port", "1")),
        "",
    ],
)
async def test_a_condition_must_describe_one_stateful_event(rig: Rig, condition: str) -> None:
    """No stateful event, several, or a stateless one: InvalidConditionFilterFault."""
    fixed = await toggle(rig, FIXED + "io.toggle", duration="1")
    body = action_rule(fixed, condition, start=filter_xml(RFID))
    await refused(rig, body, "InvalidFilterFault" if not condition else "InvalidConditionFilterFault")
    first = action_rule(fixed, condition)
    await refused(rig, first, "InvalidFilterFault" if not condition else "InvalidConditionFilterFault")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (filter_xml("tns1:Device/tnsaxis:Nothing"), "InvalidFilterFault"),
        (filter_xml(PORT), "InvalidFilterFault"),
        (filter_xml("tns1:Device/"), "InvalidTopicExpressionFault"),
        (filter_xml("foo:Device"), "InvalidTopicExpressionFault"),
        (filter_xml(PORT, "boolean(//SimpleItem[@Foo=1])"), "InvalidMessageContentExpressionFault"),
        (filter_xml(PORT, "(" * 2000), "InvalidMessageContentExpressionFault"),
        (filter_xml(PORT, "x" * 5000), "InvalidMessageContentExpressionFault"),
        (filter_xml(PORT) * 2, "InvalidFilterFault"),
        (f"<wsnt:TopicExpression Dialect='urn:x'>{PORT}</wsnt:TopicExpression>", "TopicExpressionDialectUnknownFault"),
        (
            '<wsnt:TopicExpression Dialect="http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete">'
            "tns1:Device//.</wsnt:TopicExpression>",
            "InvalidTopicExpressionFault",
        ),
        (
            f"<wsnt:TopicExpression>{PORT}</wsnt:TopicExpression><wsnt:MessageContent Dialect='urn:x'>a"
            "</wsnt:MessageContent>",
            "InvalidMessageContentExpressionFault",
        ),
    ],
)
async def test_a_start_event_that_is_no_valid_filter(rig: Rig, given: str, fault: str) -> None:
    fixed = await toggle(rig, FIXED + "io.toggle", duration="1")
    await refused(rig, action_rule(fixed, start=given), fault)


async def test_both_mandated_dialects_are_supported(rig: Rig) -> None:
    fixed = await toggle(rig, FIXED + "io.toggle", duration="1")
    concrete = filter_xml(RFID).replace(
        "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet",
        "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete",
    )
    assert (await rig.soap(action_rule(fixed, start=concrete))).status == 200
    either = filter_xml(f"{RFID}|tns1:Device/tnsaxis:Intercom/QR")
    assert (await rig.soap(action_rule(fixed, start=either))).status == 200
    rig.publish("tns1:Device/tnsaxis:Intercom/QR", {}, reader="0")
    assert [command[0] for command in rig.lines.commands] == ["pulse"]


async def test_a_stateful_start_event_is_a_trigger(rig: Rig) -> None:
    fixed = await toggle(rig, FIXED + "io.toggle", duration="1")
    await rig.soap(action_rule(fixed, start=INPUT_1))
    assert rig.events.rules()[0].conditions == (Condition(topic=PORT, source={"port": "1"}, trigger=True),)


@pytest.mark.parametrize(
    ("change", "fault", "said"),
    [
        (("<aa:Name>Rule</aa:Name>", "<aa:Name> </aa:Name>"), "InvalidArgVal", "Name"),
        (("<aa:Name>Rule</aa:Name>", ""), "InvalidArgVal", "Name"),
        (("<aa:Name>Rule</aa:Name>", f"<aa:Name>{'n' * 65}</aa:Name>"), "InvalidArgVal", "Name"),
        (("true", "perhaps"), "InvalidArgVal", "Enabled"),
        ((">1</aa:PrimaryAction>", ">7</aa:PrimaryAction>"), "ActionConfigurationNotFoundFault", "PrimaryAction"),
        ((">1</aa:PrimaryAction>", "></aa:PrimaryAction>"), "ActionConfigurationNotFoundFault", "PrimaryAction"),
        (
            ("</aa:NewActionRule>", "<aa:FallbackAction>1</aa:FallbackAction></aa:NewActionRule>"),
            "InvalidArgVal", "not supported",
        ),
        (
            ("</aa:NewActionRule>", "<aa:ActivationTimeout>soon</aa:ActivationTimeout></aa:NewActionRule>"),
            "InvalidActivationTimeoutFault", "ActivationTimeout",
        ),
        (
            ("</aa:NewActionRule>", "<aa:ActivationTimeout>P99D</aa:ActivationTimeout></aa:NewActionRule>"),
            "InvalidActivationTimeoutFault", "ActivationTimeout",
        ),
        (("aa:Condition>", "aa:Other>"), "InvalidConditionFilterFault", "Conditions"),
    ],
)  # fmt: skip
async def test_every_other_mistake_is_named(rig: Rig, change: tuple[str, str], fault: str, said: str) -> None:
    await toggle(rig)
    body = action_rule("1", INPUT_1).replace(*change)
    await refused(rig, body, fault, said)


async def test_a_configuration_in_use_cannot_be_removed(rig: Rig) -> None:
    primary = await toggle(rig)
    rule = (await rig.soap(action_rule(primary, INPUT_1))).one("RuleID")
    key = f"<aa:ConfigurationID>{primary}</aa:ConfigurationID>"
    remove = f"<aa:RemoveActionConfiguration>{key}</aa:RemoveActionConfiguration>"
    await refused(rig, remove, "ActionConfigurationIsInUseFault", "Rule")
    assert (await rig.soap(f"<aa:RemoveActionRule><aa:RuleID>{rule}</aa:RuleID></aa:RemoveActionRule>")).status == 200
    assert (await rig.soap(remove)).status == 200
    assert rig.events.rules() == ()
    assert rig.configurations.configurations() == ()


async def test_both_spellings_of_the_rule_id_are_taken(rig: Rig) -> None:
    primary = await toggle(rig)
    for spelling in ("RuleID", "RuleId"):
        rule = (await rig.soap(action_rule(primary, INPUT_1))).one("RuleID")
        body = f"<aa:RemoveActionRule><aa:{spelling}>{rule}</aa:{spelling}></aa:RemoveActionRule>"
        assert (await rig.soap(body)).status == 200
        await refused(rig, body, "ActionRuleNotFoundFault", "RuleID")


async def test_the_257th_rule_is_refused(rig: Rig) -> None:
    primary = await toggle(rig)
    for number in range(256):
        rig.add_rule(ToggleIoOnce(port="4"), Condition(topic=RFID), name=f"r{number}")
    with pytest.raises(LimitError):
        rig.add_rule(ToggleIoOnce(port="4"), Condition(topic=RFID))
    await refused(rig, action_rule(primary, INPUT_1), "TooMany", "256")


async def test_sixteen_conditions_and_not_one_more(rig: Rig) -> None:
    fixed = await toggle(rig, FIXED + "io.toggle", duration="1")
    inputs = [filter_xml(VIRTUAL, f"{item('port', str(n))} and {item('active', '1')}") for n in range(1, 18)]
    assert (await rig.soap(action_rule(fixed, *inputs[:15], start=filter_xml(RFID)))).status == 200
    await refused(rig, action_rule(fixed, *inputs[:16], start=filter_xml(RFID)), "CapabilityViolated", "16")


async def test_a_failed_store_keeps_nothing(rig: Rig) -> None:
    primary = await toggle(rig)
    before = rig.snapshot()
    rig.ledger.store.broken = "disk full"
    for body in (action_rule(primary, INPUT_1), configuration(UNLIMITED + "io.toggle", "c", TOGGLE)):
        answer = await rig.soap(body)
        assert (answer.status, answer.fault) == (500, "Action")
        assert "disk" not in answer.text
    rig.ledger.store.broken = None
    assert rig.snapshot() == before
    assert (await rig.soap(action_rule(primary, INPUT_1))).one("RuleID") == "1"
