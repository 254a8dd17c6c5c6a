"""``/config/rest/sip/v1``: settings, accounts, DTMF sequences, state of registrations. Needs an administrator.

Passwords come in and never go out. A PATCH that leaves them out keeps them, but never for another server: with another
``registrar``, ``domain`` or ``secondary_server`` than the account had, its password is forgotten (``password_set``, and
an event); a proxy at another address or of another user has none; another ``turn_server`` or ``turn_user`` is refused
without ``turn_password``. An empty password clears the one that is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, shelf, success
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.intercom import DtmfSequence, DtmfSequenceSpec, SipAccount, SipAccountSpec, SipProxy, SipSettings
from axcore.model.nat import PathTold, ServerAnswer
from axcore.model.voice import Ready

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/sip/v1"


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What the registrar of an account said last."""

    account: str
    registered: bool
    code: int
    reason: str
    server: str
    """That is used now: the proxy, or else the registrar."""


class NatStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What NAT traversal came to in the last call that used it."""

    servers: list[ServerAnswer]
    last_path: PathTold | None
    """What the checks of ICE found; null before there were any."""


class SipStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What runs."""

    processes: list[Ready | None]
    """The voice processes and what their build can do; null for one that does not run."""
    registrations: list[Registered]
    nat: NatStatus


def settings_view(settings: SipSettings) -> dict[str, Any]:
    """The settings without the password of the TURN server."""
    shown: dict[str, Any] = msgspec.to_builtins(settings)
    shown["turn_password_set"] = bool(shown.pop("turn_password"))
    return shown


def view(account: SipAccount, default: str) -> dict[str, Any]:
    """An account without its passwords."""
    shown: dict[str, Any] = msgspec.to_builtins(account)
    for proxy in shown["proxies"]:
        proxy["password_set"] = bool(proxy.pop("password"))
    shown["password_set"] = bool(shown.pop("password"))
    shown["default"] = account.id == default
    return shown


async def get_settings(request: Request, ctx: Context) -> web.Response:
    """SIP settings and the access list."""
    arguments(request)
    return success(settings_view(ctx.intercom.accounts.settings))


async def patch_settings(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch = await read_object(request)
    return success(settings_view(await ctx.ledger.run(lambda tx: ctx.intercom.accounts.set_settings(tx, patch))))


async def get_status(request: Request, ctx: Context) -> web.Response:
    """Voice processes, registrations, NAT traversal."""
    arguments(request)
    accounts, servers = ctx.intercom.accounts.accounts, ctx.intercom.servers
    found = [
        Registered(
            account=one.account,
            registered=one.active,
            code=one.code,
            reason=one.reason,
            server=servers.route(accounts[one.account]).server if one.account in accounts else "",
        )
        for one in ctx.intercom.registrations.values()
    ]
    paths = ctx.intercom.paths
    nat = NatStatus(servers=list(paths.servers.values()), last_path=paths.last)
    return success(SipStatus(processes=list(ctx.intercom.lines), registrations=found, nat=nat))


async def list_accounts(request: Request, ctx: Context) -> web.Response:
    """All accounts."""
    arguments(request)
    accounts = ctx.intercom.accounts
    return success([view(account, accounts.default) for account in accounts.accounts.values()])


async def add_account(request: Request, ctx: Context) -> web.Response:
    """Add an account."""
    spec, accounts = convert(await read_object(request), SipAccountSpec), ctx.intercom.accounts
    return success(view(await ctx.ledger.run(lambda tx: accounts.add_account(tx, spec)), accounts.default), 201)


async def get_account(request: Request, ctx: Context) -> web.Response:
    """One account."""
    accounts = ctx.intercom.accounts
    return success(view(accounts.account(request.path_params["id"], "id"), accounts.default))


async def patch_account(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch, key, accounts = await read_object(request), request.path_params["id"], ctx.intercom.accounts
    return success(view(await ctx.ledger.run(lambda tx: accounts.update_account(tx, key, patch)), accounts.default))


async def delete_account(request: Request, ctx: Context) -> web.Response:
    """Remove an account; 409 for the default one, and for one that is used."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.intercom.accounts.remove_account(tx, key))
    return success()


async def make_default(request: Request, ctx: Context) -> web.Response:
    """Make an account the default one."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.intercom.accounts.make_default(tx, key))
    return success()


async def list_sequences(request: Request, ctx: Context) -> web.Response:
    """All DTMF sequences."""
    arguments(request)
    return success(list(ctx.intercom.accounts.sequences.values()))


async def add_sequence(request: Request, ctx: Context) -> web.Response:
    """Add a DTMF sequence."""
    spec = convert(await read_object(request), DtmfSequenceSpec)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.accounts.add_sequence(tx, spec)), 201)


async def get_sequence(request: Request, ctx: Context) -> web.Response:
    """One DTMF sequence."""
    return success(ctx.intercom.accounts.sequence(request.path_params["id"]))


async def patch_sequence(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch, key = await read_object(request), request.path_params["id"]
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.accounts.update_sequence(tx, key, patch)))


async def delete_sequence(request: Request, ctx: Context) -> web.Response:
    """Remove a DTMF sequence; 409 for one that is used."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.intercom.accounts.remove_sequence(tx, key))
    return success()


class ProxyView(SipProxy, frozen=True, kw_only=True):
    """A proxy as it is shown: ``password`` is not."""

    password_set: bool


class SettingsView(SipSettings, frozen=True, kw_only=True):
    """The settings as they are shown: ``turn_password`` is not."""

    turn_password_set: bool


class AccountView(SipAccountSpec, frozen=True, kw_only=True):
    """An account as it is shown: ``password`` is not, here and in its proxies."""

    id: str
    password_set: bool
    default: bool
    proxies: tuple[ProxyView, ...] = ()


def _routes() -> tuple[RestRoute, ...]:
    accounts = (list_accounts, add_account, get_account, patch_account, delete_account)
    sequences = (list_sequences, add_sequence, get_sequence, patch_sequence, delete_sequence)
    admin = Role.ADMIN
    own = (
        RestRoute(
            method="GET", safe=True, path=f"{API}/settings", role=admin, name="sip.settings",
            handler=rest(get_settings), summary="SIP settings", data=SettingsView,
        ),
        RestRoute(
            method="PATCH", path=f"{API}/settings", role=admin, name="sip.update", handler=rest(patch_settings),
            summary="Change SIP settings", body=SipSettings, partial=True, data=SettingsView,
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/status", role=admin, name="sip.status", handler=rest(get_status),
            summary="Voice processes, registrations, NAT traversal", data=SipStatus,
        ),
        RestRoute(
            method="POST", path=f"{API}/accounts/{{id}}/default", role=admin, name="sip-accounts.default",
            handler=rest(make_default), summary="Make an account the default one",
        ),
    )  # fmt: skip
    shelves = (
        *shelf(f"{API}/accounts", "sip-accounts", "SIP account", (SipAccountSpec, AccountView), accounts, role=admin),
        *shelf(f"{API}/dtmf", "dtmf", "DTMF sequence", (DtmfSequenceSpec, DtmfSequence), sequences, role=admin),
    )
    return (*own, *shelves)


ROUTES: Final = _routes()
