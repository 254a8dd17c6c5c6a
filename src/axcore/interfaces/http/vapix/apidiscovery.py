"""``apidiscovery.cgi``: which APIs this device has (VAPIX, API discovery). Anonymous."""

from __future__ import annotations

from typing import Any

import msgspec

from axcore.interfaces.http.vapix.ajr import GEN1, AjrApi, Call
from axcore.model.accounts import Role

API = AjrApi(
    api_id="api-discovery",
    name="API Discovery Service",
    path="/axis-cgi/apidiscovery.cgi",
    versions=("1.0",),
    codes=GEN1,
    versions_role=Role.ANONYMOUS,
)


class _Filter(msgspec.Struct):
    id: str = "*"
    version: str = "*"


@API.method("getApiList", Role.ANONYMOUS, safe=True)
async def get_api_list(call: Call) -> Any:
    """All APIs, or those of one id and one version (``*`` for any)."""
    wanted = call.read(_Filter)
    assert call.ctx.routes is not None
    found = []
    for api in call.ctx.routes.apis:
        if wanted.id in ("*", api.id) and wanted.version in ("*", api.version):
            line = {"id": api.id, "version": api.version, "name": api.name, "status": api.status}
            found.append({**line, "docLink": api.doc} if api.doc else line)
    return {"apiList": found}


ROUTES = API.routes(before_setup=True)
APIS = (API.entry(),)
