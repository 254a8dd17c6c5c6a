"""The recipients of the VAPIX action service. A recipient is an ordinary one: REST shows and changes it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.accounts import Role

from . import names, recipients_map
from .action1 import MISMATCH, expect, parameters, show_parameters
from .dispatch import Operation
from .envelope import Call, Fault, invalid
from .xmlio import Xml, join, tag

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.runtime.ledger import Transaction

_TYPES: Final = {"text": "string", "number": "int", "flag": "boolean", "none": "string"}


def _store(ctx: Context) -> recipients_map.Store:
    if ctx.recipients is None:
        raise Fault("this device has no recipients", "ter:ActionNotSupported", code="Receiver")
    store: recipients_map.Store = ctx.recipients
    return store


async def get_recipient_templates(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetRecipientTemplates``; without recipients there are none."""
    shown = [
        tag(
            "aa:RecipientTemplate",
            tag("aa:TemplateToken", recipients_map.PREFIX + kind),
            tag(
                "aa:Parameters",
                join(
                    [
                        tag("aa:Parameter", Name=item.name, Type=f"xsd:{_TYPES[item.shape]}")
                        for item in recipients_map.KINDS[kind]
                    ]
                ),
            ),
        )
        for kind in recipients_map.offered(ctx.recipients)
    ]
    return tag("aa:GetRecipientTemplatesResponse", tag("aa:RecipientTemplates", join(shown)))


async def add_recipient_configuration(call: Call, request: Request, ctx: Context) -> Xml:
    """``AddRecipientConfiguration``; gives ``ConfigurationID``. The 21st is refused."""
    store = _store(ctx)
    given = call.body.first("NewRecipientConfiguration")
    if given is None:
        raise invalid("NewRecipientConfiguration is missing")
    token = given.value("TemplateToken") or ""
    kind = token.removeprefix(recipients_map.PREFIX)
    if kind == token or kind not in recipients_map.KINDS:
        reason = f"TemplateToken: there is no {token[:80]!r}; GetRecipientTemplates lists what there is"
        raise invalid(reason, "ter:NotFound", detail="aa:RecipientTemplateNotFoundFault")
    values = parameters(given)
    fields = recipients_map.KINDS[kind]
    expect(values, [item.name for item in fields if item.required], [item.name for item in fields], token)
    name = given.value("Name") or ""

    def job(tx: Transaction) -> Any:
        return store.add(tx, recipients_map.spec(kind, name, values))

    try:
        added = await ctx.ledger.run(job)
    except LimitError:
        raise
    except InputError as error:
        name_of = recipients_map.parameter_of
        field = "Name" if error.field == "name" else f"Parameters: {name_of(kind, error.field)}"
        raise invalid(f"{field}: {error.reason}", detail=MISMATCH) from None
    return tag("aa:AddRecipientConfigurationResponse", tag("aa:ConfigurationID", str(added.id)))


async def get_recipient_configurations(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetRecipientConfigurations``; passwords are empty."""
    shown = [
        tag(
            "aa:RecipientConfiguration",
            tag("aa:ConfigurationID", str(item.id)),
            tag("aa:TemplateToken", recipients_map.PREFIX + recipients_map.kind_of(item)),
            tag("aa:Name", item.name),
            show_parameters(recipients_map.values(item)),
        )
        for item in _store(ctx).recipients()
        if recipients_map.kind_of(item) in recipients_map.KINDS
    ]
    return tag("aa:GetRecipientConfigurationsResponse", tag("aa:RecipientConfigurations", join(shown)))


async def remove_recipient_configuration(call: Call, request: Request, ctx: Context) -> Xml:
    """``RemoveRecipientConfiguration``."""
    store = _store(ctx)
    wanted = call.body.value("ConfigurationID") or ""
    try:
        await ctx.ledger.run(lambda tx: store.remove(tx, wanted))
    except NotFoundError:
        reason = f"ConfigurationID: there is no recipient {wanted[:40]!r}"
        raise invalid(reason, "ter:NotFound", detail="aa:RecipientConfigurationNotFoundFault") from None
    return tag("aa:RemoveRecipientConfigurationResponse")


OPERATIONS: Final = tuple(
    Operation(namespace=names.ACTION1, name=name, role=Role.OPERATOR, handler=handler)
    for name, handler in (
        ("GetRecipientTemplates", get_recipient_templates),
        ("AddRecipientConfiguration", add_recipient_configuration),
        ("GetRecipientConfigurations", get_recipient_configurations),
        ("RemoveRecipientConfiguration", remove_recipient_configuration),
    )
)
