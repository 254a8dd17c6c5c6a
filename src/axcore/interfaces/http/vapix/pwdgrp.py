"""``pwdgrp.cgi``: accounts as text (VAPIX, user management). Admin; open for ``add`` until the first admin exists.

Outcomes are HTTP 200 with one line of text/html, ``Created account X.`` or ``Error: ...``; ``get`` lists the groups.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.interfaces.http.context import Context, Request
from axcore.interfaces.http.errors import UnauthorizedError
from axcore.interfaces.http.forms import Form
from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.model.accounts import Account, Role, check_comment, check_name, check_password
from axcore.services.accounts import Secrets

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

GROUPS = frozenset(("viewer", "operator", "admin", "ptz"))


def page(body: str) -> web.Response:
    """A text/html reply."""
    return web.Response(text=body + "\r\n", content_type="text/html", charset="utf-8")


def parse_groups(text: str) -> tuple[Role, bool]:
    """Role and ptz of ``viewer:operator:admin:ptz``. Raises InputError for unknown, doubled or skipped groups."""
    names = text.split(":")
    if len(set(names)) != len(names) or not set(names) <= GROUPS:
        raise InputError("sgrp", "groups are viewer, operator, admin and ptz, separated by colons")
    chosen = set(names) - {"ptz"}
    for role, needed in (
        (Role.ADMIN, {"admin", "operator", "viewer"}),
        (Role.OPERATOR, {"operator", "viewer"}),
        (Role.VIEWER, {"viewer"}),
    ):
        if chosen == needed:
            return role, "ptz" in names
    raise InputError("sgrp", "an admin is also operator and viewer, an operator is also viewer")


def group_names(account: Account) -> list[str]:
    """The groups that an account is in, least first."""
    names = ["viewer", "operator", "admin"][: int(account.role)]
    return [*names, "ptz"] if account.ptz else names


async def pwdgrp_cgi(request: Request, ctx: Context) -> web.Response:
    """GET or POST /axis-cgi/pwdgrp.cgi."""
    form = await request.form()
    action = form.get("action")
    if ctx.accounts.needs_setup and action != "add":
        raise UnauthorizedError
    serve = ACTIONS.get(action or "")
    if serve is None:
        return page("Error: action is add, update, remove or get.")
    try:
        return await serve(request, ctx, form)
    except (ConflictError, NotFoundError) as error:
        return page(f"Error: {escape(error.reason)}.")
    except InputError as error:
        return page(f"Error: {escape(error.field)}: {escape(error.reason)}.")


def _user(form: Form) -> str:
    name = form.get("user")
    if name is None:
        raise InputError("user", "is required")
    return check_name(name)


async def _secrets(ctx: Context, name: str, password: str) -> Secrets:
    check_password(password)
    assert ctx.auth is not None
    return await ctx.auth.slow(lambda: ctx.accounts.derive(name, password))


async def _add(request: Request, ctx: Context, form: Form) -> web.Response:
    name, password, groups = _user(form), form.get("pwd"), form.get("sgrp")
    if password is None:
        raise InputError("pwd", "is required")
    primary = form.get("grp", "users")
    if primary not in ("users", "root"):
        raise InputError("grp", "users or root")
    if groups is None and primary == "root":
        groups = "viewer:operator:admin:ptz"
    if groups is None:
        raise InputError("sgrp", "is required")
    role, ptz = parse_groups(groups)
    comment = check_comment(form.get("comment") or "")
    check_password(password)
    if ctx.accounts.get(name) is not None:
        raise ConflictError("user", "this user name already exists")
    setup = ctx.accounts.needs_setup
    secrets = await _secrets(ctx, name, password)

    def job(tx: Transaction) -> None:
        if setup and not ctx.accounts.needs_setup:
            raise ConflictError("user", "the first administrator was created meanwhile")
        ctx.accounts.add(tx, name, secrets, role, ptz=ptz, comment=comment)

    await ctx.ledger.run(job, actor=request.identity.name or name)
    return page(f"Created account {name}.")


async def _update(request: Request, ctx: Context, form: Form) -> web.Response:
    name, password, groups, comment = _user(form), form.get("pwd"), form.get("sgrp"), form.get("comment")
    if ctx.accounts.get(name) is None:
        raise NotFoundError("user", "there is no such user")
    role, ptz = parse_groups(groups) if groups is not None else (None, None)
    secrets = None if password is None else await _secrets(ctx, name, password)

    def job(tx: Transaction) -> None:
        ctx.accounts.update(tx, name, secrets=secrets, role=role, ptz=ptz, comment=comment)

    await ctx.ledger.run(job, actor=request.identity.name)
    return page(f"Modified account {name}.")


async def _remove(request: Request, ctx: Context, form: Form) -> web.Response:
    name = _user(form)
    await ctx.ledger.run(lambda tx: ctx.accounts.remove(tx, name), actor=request.identity.name)
    return page(f"Removed account {name}.")


async def _get(_request: Request, ctx: Context, _form: Form) -> web.Response:
    accounts = ctx.accounts.accounts()
    lines = []
    for group in ("admin", "operator", "viewer", "ptz"):
        members = ",".join(account.name for account in accounts if group in group_names(account))
        lines.append(f'{group}="{members}"')
    lines.append(f'digusers="{",".join(account.name for account in accounts)}"')
    return web.Response(text="\r\n".join(lines) + "\r\n", content_type="text/plain", charset="utf-8")


ACTIONS = {"add": _add, "update": _update, "remove": _remove, "get": _get}
_PATH = "/axis-cgi/pwdgrp.cgi"
ROUTES = (
    Route(method="GET", path=_PATH, role=Role.ADMIN, handler=pwdgrp_cgi, name="pwdgrp.get", before_setup=True),
    Route(method="POST", path=_PATH, role=Role.ADMIN, handler=pwdgrp_cgi, name="pwdgrp", before_setup=True),
)
APIS = (ApiEntry(id="user-management", name="User Management", version="1.1"),)
