"""``basicdeviceinfo.cgi``: who the device is (VAPIX, basic device information). Its reply has no ``method``."""

from __future__ import annotations

from typing import Any

import msgspec

from axcore.interfaces.http.vapix.ajr import GEN1, AjrApi, AjrError, Call
from axcore.model.accounts import Role

API = AjrApi(
    api_id="basic-device-info",
    name="Basic Device Information",
    path="/axis-cgi/basicdeviceinfo.cgi",
    versions=("1.0", "1.1", "1.2", "1.3"),
    codes=GEN1,
    omit_method=True,
    versions_role=Role.ANONYMOUS,
)
RESTRICTED = frozenset(("Architecture", "Soc", "SocSerialNumber"))


class _Wanted(msgspec.Struct):
    property_list: list[str] = msgspec.field(name="propertyList")


def _properties(call: Call) -> dict[str, str]:
    return dict(sorted(msgspec.to_builtins(call.ctx.system.identity).items()))


@API.method("getAllProperties", Role.OPERATOR, safe=True)
async def get_all(call: Call) -> Any:
    """All fourteen properties."""
    return {"propertyList": _properties(call)}


@API.method("getProperties", Role.OPERATOR, safe=True)
async def get_some(call: Call) -> Any:
    """The named ones; an unknown name is an error."""
    known = _properties(call)
    wanted = call.read(_Wanted).property_list
    for name in wanted:
        if name not in known:
            raise AjrError(API.codes.invalid, f"Invalid parameter value: no property {name[:60]}")
    return {"propertyList": {name: known[name] for name in wanted}}


@API.method("getAllUnrestrictedProperties", Role.ANONYMOUS, safe=True)
async def get_unrestricted(call: Call) -> Any:
    """What everybody may know."""
    return {"propertyList": {k: v for k, v in _properties(call).items() if k not in RESTRICTED}}


ROUTES = API.routes(before_setup=True)
APIS = (API.entry(),)
