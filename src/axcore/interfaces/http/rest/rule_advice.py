"""``/config/rest/rules/v1``, advice: why a rule is active or not, what would have fired, what is odd.

All of it needs an operator, and changes nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.rest.envelope import RestRoute, arguments, read_object, rest, success
from axcore.interfaces.http.rest.event_log import MAX_ID, read_events
from axcore.interfaces.http.rest.rules import API
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.rules import RuleSpec
from axcore.model.times import NS
from axcore.rules import ConditionState, Recorded, RuleWarning

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

MAX_LOG: Final = 30_000
MAX_BODY: Final = 4 * 1024 * 1024


class ExplanationView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a rule is active or not."""

    id: str
    name: str
    enabled: bool
    active: bool
    """Its lasting action runs."""
    satisfied: bool
    """All conditions that must hold do."""
    summary: str
    wait_left: float
    """Seconds before which it does not activate; 0: none."""
    conditions: tuple[ConditionState, ...]


class Simulation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked: which rules, which events."""

    rules: tuple[RuleSpec, ...] | None = None
    """Left out: the rules of the device that are enabled."""
    log: tuple[Recorded, ...] | None = None
    """Left out: the event log of the device."""
    after: int = 0
    """Of the device's log, only events with a larger id."""
    limit: int = MAX_LOG
    """Of the device's log, at most this many events."""


class FiredView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a rule would have done."""

    rule: str
    """Id of a rule of the device, or the number (from 1) of one of those that were asked about."""
    name: str
    what: str
    """``fire``, ``start`` or ``stop``."""
    time: str
    """UTC; empty if the log has no wall times."""
    t_ns: int
    event: int | None
    """Index in the log of the event that caused it; null: a wait was over."""
    event_id: int | None
    """Id of that event, if it has one."""


class SimulationView(msgspec.Struct, frozen=True, kw_only=True):
    """What would have fired."""

    events: int
    """Length of the log."""
    fired: tuple[FiredView, ...]


async def explain_rule(request: Request, ctx: Context) -> web.Response:
    """Why a rule is active or not."""
    arguments(request)
    key = request.path_params["id"]

    def job(tx: Any) -> ExplanationView:
        found, now = ctx.events.explain(key, tx.now.mono_ns), tx.now.mono_ns
        left = 0.0 if found.waits_until_ns is None else round((found.waits_until_ns - now) / NS, 3)
        return ExplanationView(
            id=found.id, name=ctx.events.rule(key).name, enabled=found.enabled, active=found.active,
            satisfied=found.satisfied, summary=found.summary, wait_left=left, conditions=found.conditions,
        )  # fmt: skip

    return success(await ctx.ledger.run(job))


async def simulate_rules(request: Request, ctx: Context) -> web.Response:
    """What rules would have done with a log of events; nothing is done."""
    asked = convert(await read_object(request), Simulation)
    if not 0 <= asked.after <= MAX_ID:
        raise InputError("after", f"must be 0..{MAX_ID}")
    if not 1 <= asked.limit <= MAX_LOG:
        raise InputError("limit", f"must be 1..{MAX_LOG}")
    log = asked.log if asked.log is not None else await read_events(ctx, asked.after, asked.limit, None)
    if len(log) > MAX_LOG:
        raise InputError("log", f"at most {MAX_LOG} events")
    names = {rule.id: rule.name for rule in ctx.events.rules()}
    if asked.rules is not None:
        names = {str(number): rule.name for number, rule in enumerate(asked.rules, 1)}
    steps = await asyncio.to_thread(ctx.events.simulate, log, asked.rules)
    fired = [
        FiredView(
            rule=step.rule, name=names.get(step.rule, ""), what=step.what, time=step.time, t_ns=step.t_ns,
            event=step.event, event_id=None if step.event is None else log[step.event].id or None,
        )
        for step in steps
    ]  # fmt: skip
    return success(SimulationView(events=len(log), fired=tuple(fired)))


async def check_rules(request: Request, ctx: Context) -> web.Response:
    """What is odd about the rules of the device."""
    arguments(request)
    return success(await asyncio.to_thread(ctx.events.check))


def _routes() -> tuple[RestRoute, ...]:
    operator = Role.OPERATOR
    return (
        RestRoute(
            method="GET", safe=True, path=f"{API}/rules/{{id}}/explain", role=operator, name="rules.explain",
            handler=rest(explain_rule), summary="Why a rule is active or not", data=ExplanationView,
        ),
        RestRoute(
            method="POST", safe=True, path=f"{API}/simulate", role=operator, name="rules.simulate",
            handler=rest(simulate_rules), summary="What rules would have done with a log of events", body=Simulation,
            data=SimulationView, max_body=MAX_BODY,
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/check", role=operator, name="rules.check",
            handler=rest(check_rules), summary="What is odd about the rules", data=list[RuleWarning],
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
