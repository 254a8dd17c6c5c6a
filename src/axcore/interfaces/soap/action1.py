"""VAPIX action service: templates, configurations and rules. A rule is an ordinary one: REST shows and changes it too.

Faults carry the detail element that the service declares (``aa:InvalidConditionFilterFault`` ...) and name what is
wrong; one rule, condition or recipient too many is a ``ter:CapabilityViolated``. ``ActivationTimeout`` is the rule's
wait between two activations. Everything here needs an operator, as the rules of REST do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model.accounts import Role
from axcore.model.actions import Action
from axcore.model.configurations import ActionConfiguration
from axcore.model.rules import MAX_CONDITIONS, Rule, RuleSpec
from axcore.rules import asked_by, lasts
from axcore.services.events import ConditionType

from . import filters, names, recipients_map, templates
from .dispatch import Operation
from .envelope import Call, Fault, invalid
from .templates import Template
from .values import boolean, duration, seconds
from .xmlio import EMPTY, Element, Xml, join, tag

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.runtime.ledger import Transaction
    from axcore.services.events import ConfigurationService

MISMATCH: Final = "aa:ParametersMissmatchFault"
"""Spelled so by the service."""


def parameters(given: Element) -> dict[str, str]:
    """``Parameters/Parameter[@Name, @Value]`` by lower-case name. Raises Fault."""
    holder = given.first("Parameters")
    found: dict[str, str] = {}
    for element in holder if holder is not None else ():
        name, value = element.attributes.get("Name", ""), element.attributes.get("Value")
        if element.name != "Parameter" or not name or value is None:
            raise invalid("Parameters: each Parameter has a Name and a Value", detail=MISMATCH)
        if name.lower() in found:
            raise invalid(f"Parameters: {name[:60]} is there twice", detail=MISMATCH)
        if len(value) > templates.MAX_VALUE:
            raise invalid(f"Parameters: {name[:60]} has more than {templates.MAX_VALUE} characters", detail=MISMATCH)
        found[name.lower()] = value
    return found


def show_parameters(values: Mapping[str, str]) -> Xml:
    """``aa:Parameters`` with values."""
    return tag("aa:Parameters", join([tag("aa:Parameter", Name=name, Value=value) for name, value in values.items()]))


def expect(given: Mapping[str, str], needed: list[str], known: list[str], template: str) -> None:
    """All needed parameters are there, and only known ones. Raises Fault naming the first that is not."""
    missing = [name for name in needed if name not in given]
    if missing:
        raise invalid(f"Parameters: {missing[0]} of {template} is missing (it may be empty)", detail=MISMATCH)
    strange = [name for name in given if name not in known]
    if strange:
        raise invalid(f"Parameters: {template} has no {strange[0][:60]}", detail=MISMATCH)


# --- templates -----------------------------------------------------------------------------------------------------


def _offered(ctx: Context) -> list[Template]:
    types = [kind.type for kind in ctx.events.actions()]
    return templates.offered(types, recipients_map.offered(ctx.recipients))


def _template(token: str, ctx: Context) -> Template:
    for template in _offered(ctx):
        if template.token == token:
            return template
    reason = f"TemplateToken: this device has no {token[:80]!r}; GetActionTemplates lists what it has"
    raise invalid(reason, "ter:NotFound", detail="aa:ActionTemplateNotFoundFault")


async def get_action_templates(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetActionTemplates``: what this device can do."""
    return tag(
        "aa:GetActionTemplatesResponse",
        tag("aa:ActionTemplates", join([_show_template(template) for template in _offered(ctx)])),
    )


def _show_template(template: Template) -> Xml:
    listed = [(parameter.name, parameter.type) for parameter in template.parameters]
    if template.recipient:
        listed.append((recipients_map.BY_ID, "string"))
    shown = [tag("aa:Parameter", Name=name, Type=f"xsd:{kind}") for name, kind in listed]
    recipient = recipients_map.PREFIX + template.recipient
    return tag(
        "aa:ActionTemplate",
        tag("aa:TemplateToken", template.token),
        tag("aa:RecipientTemplate", recipient) if template.recipient else EMPTY,
        tag("aa:Parameters", join(shown)),
    )


# --- configurations ------------------------------------------------------------------------------------------------


def _configurations(ctx: Context) -> ConfigurationService:
    if ctx.configurations is None:
        raise Fault("this device keeps no action configurations", "ter:ActionNotSupported", code="Receiver")
    service: ConfigurationService = ctx.configurations
    return service


async def add_action_configuration(call: Call, request: Request, ctx: Context) -> Xml:
    """``AddActionConfiguration``: all parameters of the template, and of its recipient; gives ``ConfigurationID``."""
    service = _configurations(ctx)
    given = call.body.first("NewActionConfiguration")
    if given is None:
        raise invalid("NewActionConfiguration is missing")
    template = _template(given.value("TemplateToken") or "", ctx)
    values = parameters(given)
    _expect(template, values)
    name = given.value("Name") or ""

    def job(tx: Transaction) -> ActionConfiguration:
        recipient = ""
        if template.recipient:
            recipient = recipients_map.chosen(ctx.recipients, tx, template.recipient, name or "Recipient", values)
        action = template.action(values, recipient)
        return service.add(tx, template.token, name, _kept(template, values), action)

    try:
        added = await ctx.ledger.run(job)
    except LimitError:
        raise
    except InputError as error:
        raise _bad_value(template, error) from None
    return tag("aa:AddActionConfigurationResponse", tag("aa:ConfigurationID", added.id))


def _expect(template: Template, values: Mapping[str, str]) -> None:
    needed = [item.name for item in template.parameters if item.required]
    known = [item.name for item in template.parameters]
    if template.recipient:
        fields = recipients_map.KINDS[template.recipient]
        known += [recipients_map.BY_ID, *(item.name for item in fields)]
        if not values.get(recipients_map.BY_ID):
            needed += [item.name for item in fields if item.required]
    expect(values, needed, known, template.token)


def _kept(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """The parameters without secrets."""
    fields = recipients_map.KINDS[template.recipient] if template.recipient else ()
    secret = {item.name for item in fields if item.secret}
    return {name: "" if name in secret else value for name, value in values.items()}


def _bad_value(template: Template, error: InputError) -> Fault:
    name = error.field.removeprefix("action.")
    if name != "Name":
        of_field = {item.field: item.name for item in template.parameters if item.field}
        name = f"Parameters: {of_field.get(name, name)}"
    return invalid(f"{name}: {error.reason}", detail="aa:InvalidActionConfigurationFault")


async def get_action_configurations(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetActionConfigurations``: those that were added, then those of rules made over REST. Never a password."""
    shown = [_show_configuration(item, ctx) for item in _configurations(ctx).configurations()]
    return tag("aa:GetActionConfigurationsResponse", tag("aa:ActionConfigurations", join(shown)))


def _show_configuration(item: ActionConfiguration, ctx: Context) -> Xml:
    token, values = item.template, item.parameters
    if not token:
        token, values = described(item.action, ctx.recipients)
    return tag(
        "aa:ActionConfiguration",
        tag("aa:ConfigurationID", item.id),
        tag("aa:Name", item.name),
        tag("aa:TemplateToken", token),
        show_parameters(values),
    )


def described(action: Action, store: recipients_map.Store | None) -> tuple[str, dict[str, str]]:
    """Token and parameters of an action that was made without a template."""
    wanted = getattr(action, "recipient", None)
    recipient: Any = None
    if wanted is not None and store is not None:
        recipient = recipients_map.find(store, wanted)
    template = templates.of_action(action, recipients_map.kind_of(recipient) if recipient is not None else "")
    values = template.values(action)
    if recipient is not None:
        values |= recipients_map.values(recipient)
    if wanted is not None:
        values[recipients_map.BY_ID] = wanted
    return template.token, values


async def remove_action_configuration(call: Call, request: Request, ctx: Context) -> Xml:
    """``RemoveActionConfiguration``; not while a rule uses it."""
    service = _configurations(ctx)
    wanted = call.body.value("ConfigurationID") or ""
    try:
        await ctx.ledger.run(lambda tx: service.remove(tx, wanted))
    except NotFoundError as error:
        raise invalid(str(error), "ter:NotFound", detail="aa:ActionConfigurationNotFoundFault") from None
    except ConflictError as error:
        raise invalid(str(error), detail="aa:ActionConfigurationIsInUseFault") from None
    return tag("aa:RemoveActionConfigurationResponse")


# --- rules ---------------------------------------------------------------------------------------------------------


async def add_action_rule(call: Call, request: Request, ctx: Context) -> Xml:
    """``AddActionRule``: a start event, conditions or both, and the configuration to run; gives ``RuleID``."""
    service = _configurations(ctx)
    given = call.body.first("NewActionRule")
    if given is None:
        raise invalid("NewActionRule is missing")
    wanted = given.value("PrimaryAction") or ""
    try:
        configuration = service.configuration(wanted)
    except NotFoundError as error:
        reason = f"PrimaryAction: {error.reason}"
        raise invalid(reason, "ter:NotFound", detail="aa:ActionConfigurationNotFoundFault") from None
    types = {kind.topic: kind for kind in ctx.events.conditions()}
    # Filters may be long, and there are hundreds of properties to count: not on the loop.
    spec, start = await asyncio.to_thread(rule_spec, given, configuration.action, types)
    try:
        rule = await ctx.ledger.run(lambda tx: service.add_rule(tx, spec, configuration.id))
    except LimitError:
        raise
    except InputError as error:
        raise _bad_rule(error, start) from None
    return tag("aa:AddActionRuleResponse", tag("aa:RuleID", rule.id))


def rule_spec(given: Element, action: Action, types: Mapping[str, ConditionType]) -> tuple[RuleSpec, bool]:
    """What a ``NewActionRule`` asks for, and whether it has a start event. Raises Fault."""
    for name in ("FallbackAction", "FailoverAction"):
        if given.value(name):
            raise invalid(f"{name}: is not supported")
    start, holder = given.first("StartEvent"), given.first("Conditions")
    further = list(holder) if holder is not None else []
    if any(element.name != "Condition" for element in further):
        raise invalid("Conditions: holds Condition elements only", detail="aa:InvalidConditionFilterFault")
    if len(further) + (start is not None) > MAX_CONDITIONS:
        raise Fault(f"Conditions: at most {MAX_CONDITIONS} with the start event", "ter:CapabilityViolated")
    if start is None and not further:
        raise _insufficient("a rule needs a start event or a condition")
    conditions = [filters.read(start, types, start=True)] if start is not None else []
    conditions += [filters.read(element, types, start=False) for element in further]
    spec = RuleSpec(
        name=given.value("Name") or "",
        enabled=boolean(given.value("Enabled"), "Enabled", True),
        conditions=tuple(conditions),
        action=action,
        wait=_wait(given.value("ActivationTimeout")),
    )
    if lasts(spec) and not further:
        raise _insufficient("the action has no end of its own: the rule needs a condition")
    return spec, start is not None


def _wait(text: str | None) -> float:
    try:
        return seconds(text) if text else 0.0
    except ValueError as error:
        raise invalid(f"ActivationTimeout: {error}", detail="aa:InvalidActivationTimeoutFault") from None


def _insufficient(reason: str) -> Fault:
    return invalid(reason, detail="aa:InsufficientActivationRuleFault")


def _bad_rule(error: InputError, start: bool) -> Fault:
    field, _, part = error.field.partition(".")
    if field.startswith("conditions["):
        first = start and field == "conditions[0]"
        detail = "aa:InvalidFilterFault" if first else "aa:InvalidConditionFilterFault"
        return invalid(f"{'StartEvent' if first else 'Condition'}: {part}: {error.reason}", detail=detail)
    if error.field == "action.type":
        return _insufficient(error.reason)
    if field == "action":
        return invalid(f"PrimaryAction: {part}: {error.reason}", detail="aa:InvalidActionConfigurationFault")
    if field == "wait":
        return invalid(f"ActivationTimeout: {error.reason}", detail="aa:InvalidActivationTimeoutFault")
    return invalid(f"{'Name' if field == 'name' else field}: {error.reason}")


async def get_action_rules(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetActionRules``: every rule, whichever way it was made."""
    service = _configurations(ctx)
    types = {kind.topic: kind for kind in ctx.events.conditions()}
    shown = [show_rule(rule, service.of_rule(rule), types) for rule in ctx.events.rules()]
    return tag("aa:GetActionRulesResponse", tag("aa:ActionRules", join(shown)))


def show_rule(rule: Rule, configuration: str, types: Mapping[str, ConditionType]) -> Xml:
    """``aa:ActionRule``."""
    first, further = rule.conditions[0], list(rule.conditions)
    start = EMPTY
    if _starts(rule, types):
        start = filters.write("aa:StartEvent", first, types, start=True)
        further = further[1:]
    conditions = [filters.write("aa:Condition", condition, types, start=False) for condition in further]
    return tag(
        "aa:ActionRule",
        tag("aa:RuleID", rule.id),
        tag("aa:Name", rule.name),
        tag("aa:Enabled", "true" if rule.enabled else "false"),
        start,
        tag("aa:Conditions", join(conditions)) if conditions else EMPTY,
        tag("aa:ActivationTimeout", duration(rule.wait)) if rule.wait else EMPTY,
        tag("aa:PrimaryAction", configuration),
    )


def _starts(rule: Rule, types: Mapping[str, ConditionType]) -> bool:
    first = rule.conditions[0]
    try:
        return first.trigger or not asked_by(first, types)[0]
    except InputError:
        return first.trigger


async def remove_action_rule(call: Call, request: Request, ctx: Context) -> Xml:
    """``RemoveActionRule``; ``RuleID`` or, as some clients send it, ``RuleId``."""
    service = _configurations(ctx)
    wanted = call.body.value("RuleID") or call.body.value("RuleId") or ""
    try:
        await ctx.ledger.run(lambda tx: service.remove_rule(tx, wanted))
    except NotFoundError as error:
        raise invalid(f"RuleID: {error.reason}", "ter:NotFound", detail="aa:ActionRuleNotFoundFault") from None
    return tag("aa:RemoveActionRuleResponse")


OPERATIONS: Final = tuple(
    Operation(namespace=names.ACTION1, name=name, role=Role.OPERATOR, handler=handler)
    for name, handler in (
        ("GetActionTemplates", get_action_templates),
        ("AddActionConfiguration", add_action_configuration),
        ("GetActionConfigurations", get_action_configurations),
        ("RemoveActionConfiguration", remove_action_configuration),
        ("AddActionRule", add_action_rule),
        ("GetActionRules", get_action_rules),
        ("RemoveActionRule", remove_action_rule),
    )
)
