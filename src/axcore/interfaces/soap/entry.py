"""VAPIX entry service: which services there are, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from axcore.model.accounts import Role

from . import names
from .dispatch import Operation
from .envelope import Call
from .values import boolean
from .xmlio import EMPTY, Xml, join, tag

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

PATH: Final = "/vapix/services"
_SERVICES: Final = (
    (names.ENTRY, "ae:Entry", 1, 0),
    (names.EVENT1, "aev:Event", 1, 0),
    (names.ACTION1, "aa:Action", 1, 0),
    (names.TEV, "tev:EventPortType", 2, 60),
)


def base(request: Request) -> str:
    """Scheme and authority as the client wrote them: it may reach the device under another name than its own."""
    scheme = "https" if request.secure else "http"
    return f"{scheme}://{request.headers.get('Host', 'localhost')}"


async def get_services(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetServices``: namespace, port type, address and version of each; with capabilities if they are asked for."""
    include = False
    for name in ("IncludeCapabilities", "IncludeCapability"):
        include = include or boolean(call.body.value(name), name, False)
    address = base(request) + PATH
    found = [
        tag(
            "ae:Service",
            tag("ae:Namespace", namespace),
            tag("ae:PortType", port),
            tag("ae:XAddr", address),
            tag("ae:Version", tag("ae:Major", str(major)), tag("ae:Minor", str(minor))),
            tag("ae:Capabilities") if include else EMPTY,
        )
        for namespace, port, major, minor in _SERVICES
    ]
    return tag("ae:GetServicesResponse", tag("ae:Services", join(found)))


async def get_service_capabilities(call: Call, request: Request, ctx: Context) -> Xml:
    """``GetServiceCapabilities``: the entry service has none."""
    return tag("ae:GetServiceCapabilitiesResponse", tag("ae:Capabilities"))


OPERATIONS: Final = (
    Operation(namespace=names.ENTRY, name="GetServices", role=Role.VIEWER, handler=get_services),
    Operation(namespace=names.ENTRY, name="GetServiceCapabilities", role=Role.VIEWER, handler=get_service_capabilities),
)
