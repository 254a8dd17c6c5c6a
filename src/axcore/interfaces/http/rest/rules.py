"""``/config/rest/rules/v1``: rules, and the catalogue of conditions and actions they can use. Needs an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, shelf, success
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.rules import Rule, RuleSpec
from axcore.services.events import ActionType, ConditionType

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/rules/v1"


async def list_rules(request: Request, ctx: Context) -> web.Response:
    """All rules."""
    arguments(request)
    return success(ctx.events.rules())


async def add_rule(request: Request, ctx: Context) -> web.Response:
    """Add a rule; 409 for the 257th."""
    spec = convert(await read_object(request), RuleSpec)
    rule = await ctx.ledger.run(lambda tx: ctx.events.add_rule(tx, spec))
    response = success(rule, 201)
    response.headers["Location"] = f"{API}/rules/{rule.id}"
    return response


async def get_rule(request: Request, ctx: Context) -> web.Response:
    """One rule."""
    return success(ctx.events.rule(request.path_params["id"]))


async def patch_rule(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch = await read_object(request)
    key = request.path_params["id"]
    return success(await ctx.ledger.run(lambda tx: ctx.events.update_rule(tx, key, patch)))


async def delete_rule(request: Request, ctx: Context) -> web.Response:
    """Remove a rule; what it held active is let go."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.events.remove_rule(tx, key))
    return success()


async def list_conditions(request: Request, ctx: Context) -> web.Response:
    """The conditions that rules can use."""
    return success(ctx.events.conditions())


async def list_actions(request: Request, ctx: Context) -> web.Response:
    """The actions that rules can run."""
    return success(ctx.events.actions())


def _routes() -> tuple[RestRoute, ...]:
    operator = Role.OPERATOR
    rules = (list_rules, add_rule, get_rule, patch_rule, delete_rule)
    return (
        *shelf(f"{API}/rules", "rules", "rule", (RuleSpec, Rule), rules, role=operator),
        RestRoute(
            method="GET", safe=True, path=f"{API}/conditions", role=operator, name="rules.conditions",
            handler=rest(list_conditions), summary="Conditions that rules can use", data=list[ConditionType],
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/actions", role=operator, name="rules.actions",
            handler=rest(list_actions), summary="Actions that rules can run", data=list[ActionType],
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
