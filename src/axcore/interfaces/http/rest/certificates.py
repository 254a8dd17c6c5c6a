"""``/config/rest/certificates/v1``: certificates by alias, for the TLS clients of the device. Keys are write-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, success
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.services.certificates import CertificateInfo

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/certificates/v1"


class NewCertificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept under an alias."""

    alias: str
    certificate: str
    """PEM: a CA or server certificate, or a client certificate with its chain."""
    key: str = ""
    """PEM of the private key without a passphrase, for a client certificate."""


async def list_certificates(request: Request, ctx: Context) -> web.Response:
    """All certificates, without keys."""
    arguments(request)
    return success(list(ctx.certificates.certificates()))


async def add_certificate(request: Request, ctx: Context) -> web.Response:
    """Keep a certificate; 409 for an alias that is taken."""
    new = convert(await read_object(request), NewCertificate)
    store = ctx.certificates
    info = await ctx.ledger.run(lambda tx: store.add(tx, new.alias, new.certificate, new.key))
    return success(info, 201)


async def delete_certificate(request: Request, ctx: Context) -> web.Response:
    """Forget a certificate; 409 while something uses it."""
    alias = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.certificates.remove(tx, alias))
    return success()


ROUTES: Final = (
    RestRoute(
        method="GET", safe=True, path=f"{API}/certificates", role=Role.ADMIN, name="certificates.list",
        handler=rest(list_certificates), summary="All certificates", data=list[CertificateInfo],
    ),
    RestRoute(
        method="POST", path=f"{API}/certificates", role=Role.ADMIN, name="certificates.add",
        handler=rest(add_certificate), summary="Keep a certificate", body=NewCertificate, data=CertificateInfo,
        status=201,
    ),
    RestRoute(
        method="DELETE", path=f"{API}/certificates/{{id}}", role=Role.ADMIN, name="certificates.remove",
        handler=rest(delete_certificate), summary="Forget a certificate",
    ),
)  # fmt: skip
