"""``param.cgi``: list, set, add and remove parameters as text (VAPIX, parameter management).

GET and POST; arguments come in the query, as a form, or urlencoded as text/plain. Outcomes are HTTP 200 with the
documented texts. Viewers list what they may read; what an account may set is told by each parameter.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from aiohttp import web

from axcore.errors import InputError, NotFoundError
from axcore.interfaces.http.context import Context, Request
from axcore.interfaces.http.forms import Form
from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.model.accounts import Role
from axcore.services.params import ParamError, Parameter

RESERVED = frozenset(("action", "group", "responseformat", "responsecharset", "usergroup", "template", "listformat"))
GROUPS = {"viewer": Role.VIEWER, "operator": Role.OPERATOR, "admin": Role.ADMIN}


def text(body: str) -> web.Response:
    """A text/plain reply."""
    return web.Response(text=body, content_type="text/plain", charset="utf-8")


def shown(value: str, limit: int = 256) -> str:
    """What a user sent, as far as it may be repeated in a line of text."""
    return "".join(c if c.isprintable() else "?" for c in value[:limit])


async def param_cgi(request: Request, ctx: Context) -> web.Response:
    """GET or POST /axis-cgi/param.cgi (viewer; more for most settings)."""
    form = await request.form()
    wanted = form.get("usergroup")
    if wanted is not None:
        request.require(GROUPS.get(wanted, Role.ADMIN))
    action = form.get("action")
    if action is None:
        return text("# Error: the argument action is missing\n")
    serve = ACTIONS.get(action)
    if serve is None:
        return text(f"# Error: unknown action '{shown(action, 40)}'\n")
    return await serve(request, ctx, form)


def _groups(form: Form) -> list[str]:
    return [group for group in (form.get("group") or "").split(",") if group]


async def _list(request: Request, ctx: Context, form: Form) -> web.Response:
    errors = []
    role, groups = request.identity.role, _groups(form)
    values = {} if groups else dict(ctx.params.list([], role))
    for group in groups:
        try:
            values |= ctx.params.list([group], role)
        except NotFoundError:
            errors.append(f"# Error: Error -1 getting param in group '{shown(group)}'!\n")
    return text("".join(f"root.{name}={value}\n" for name, value in values.items()) + "".join(errors))


async def _update(request: Request, ctx: Context, form: Form) -> web.Response:
    changes: dict[str, str] = {}
    for name, value in form.fields:
        if name in RESERVED:
            continue
        if name in changes:
            return text(f"# Error: Error setting '{shown(name)}' to '{shown(value)}'!\n")
        changes[name] = value
    if not changes:
        return text("# Error: no parameters to update\n")
    who = request.identity
    request.require(Role.OPERATOR)
    try:
        await ctx.ledger.run(lambda tx: ctx.params.update(tx, changes, role=who.role), actor=who.name)
    except ParamError as error:
        return text(f"# Error: Error setting '{shown(error.name)}' to '{shown(error.value)}'!\n")
    return text("OK\n")


async def _add(request: Request, ctx: Context, form: Form) -> web.Response:
    request.require(Role.OPERATOR)
    template, parent = form.get("template"), form.get("group")
    if not template or not parent:
        return text("# Request failed: the arguments template and group are needed\n")
    values: dict[str, str] = {}
    prefix = parent.removeprefix("root.") + "."
    for given, value in form.fields:
        if given in RESERVED:
            continue
        name = given.removeprefix("root.")
        letter, dot, field = name.removeprefix(prefix).partition(".")
        if not name.startswith(prefix) or not dot or not letter or field in values:
            return text(f"# Request failed: unexpected argument '{shown(given)}'\n")
        values[field] = value
    who = request.identity
    try:
        leaf = await ctx.ledger.run(
            lambda tx: ctx.params.add(tx, template, parent, values, role=who.role), actor=who.name
        )
    except InputError as error:
        return text(f"# Request failed: {shown(str(error))}\n")
    return text(f"{leaf} OK\n")


async def _remove(request: Request, ctx: Context, form: Form) -> web.Response:
    request.require(Role.OPERATOR)
    groups = _groups(form)
    if not groups:
        return text("# Request failed: the argument group is needed\n")
    who = request.identity
    try:
        await ctx.ledger.run(lambda tx: ctx.params.remove(tx, groups, role=who.role), actor=who.name)
    except InputError as error:
        return text(f"# Request failed: {shown(str(error))}\n")
    return text("OK\n")


# --- definitions -----------------------------------------------------------------------------------------------------

LEVEL = {Role.ANONYMOUS: "0", Role.VIEWER: "1", Role.OPERATOR: "4", Role.ADMIN: "6"}
NEVER = "7"


async def _definitions(request: Request, ctx: Context, form: Form) -> web.Response:
    if form.get("listformat") != "xmlschema":
        return text("# Error: listformat=xmlschema is needed\n")
    try:
        names = {name for name, _ in ctx.params.list(_groups(form), request.identity.role)}
    except NotFoundError as error:
        return text(f"# Error: Error -1 getting param in group '{shown(error.field)}'!\n")
    tree: dict[str, object] = {}
    for name, parameter in ctx.params.parameters().items():
        if name in names:
            *path, leaf = name.split(".")
            node = tree
            for part in path:
                node = node.setdefault(part, {})  # type: ignore[assignment]
            node[leaf] = parameter
    body = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<parameterDefinitions xmlns="http://www.axis.com/ParameterDefinitionsSchema" version="1.0">',
        f"<model>{ctx.system.identity.prod_nbr}</model>",
        f"<firmwareVersion>{ctx.system.identity.version}</firmwareVersion>",
        *_nodes("root", tree),
        "</parameterDefinitions>",
    ]
    return web.Response(text="\n".join(body) + "\n", content_type="text/xml", charset="utf-8")


def _nodes(name: str, node: object) -> list[str]:
    if isinstance(node, Parameter):
        return [_definition(name, node)]
    assert isinstance(node, dict)
    inside = [line for key, child in node.items() for line in _nodes(key, child)]
    return [f"<group name={quoteattr(name)}>", *inside, "</group>"]


def _definition(name: str, parameter: Parameter) -> str:
    level = NEVER + NEVER + LEVEL[parameter.read] + (LEVEL[parameter.write] if parameter.apply else NEVER)
    if parameter.kind == "int":
        kind = f'<int min="{parameter.low}" max="{parameter.high}"/>'
    elif parameter.kind == "bool":
        true, false = parameter.choices
        kind = f'<bool true="{true}" false="{false}"/>'
    elif parameter.kind == "enum":
        kind = "<enum>" + "".join(f"<entry value={quoteattr(choice)}/>" for choice in parameter.choices) + "</enum>"
    else:
        kind = "<string/>"
    constant = "" if parameter.apply else ' const="true"'
    attributes = f'name={quoteattr(name)} value={quoteattr(parameter.get())} securityLevel="{level}"'
    return f"<parameter {attributes}><type{constant}>{kind}</type></parameter>"


ACTIONS = {
    "list": _list,
    "update": _update,
    "add": _add,
    "remove": _remove,
    "listdefinitions": _definitions,
}
ROUTES = (
    Route(method="GET", path="/axis-cgi/param.cgi", role=Role.VIEWER, handler=param_cgi, name="param.get"),
    Route(method="POST", path="/axis-cgi/param.cgi", role=Role.VIEWER, handler=param_cgi, name="param"),
)
APIS = (ApiEntry(id="param-cgi", name="Legacy Parameter Handling", version="1.0"),)
