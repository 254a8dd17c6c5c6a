"""Settings of calls to and from video management software in the Call service (``services/intercom/vms.py``).

Streams are counted as the device has them: from the network ``audio/transmit.cgi``, of which there can be one, to the
network ``audio/receive.cgi``. There is no video yet, so that its threshold is never reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from axcore.model.accounts import Role

from .arguments import Args, Methods, NoArgs, in_words, read

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context

FIELDS: Final = {
    "enabled": "Enabled",
    "audio_to_network_streams": "AudioFromDeviceToNetworkStreams",
    "audio_from_network_streams": "AudioFromNetworkToDeviceStreams",
    "video_to_network_streams": "VideoFromDeviceToNetworkStreams",
    "timeout": "Timeout",
}
"""Names in the API, by those of ``VmsSettings``."""


class Configuration(Args, frozen=True, kw_only=True):
    """``VMSCallConfiguration``: what is missing, or null, stays."""

    Enabled: bool | None = None
    AudioFromDeviceToNetworkStreams: int | None = None
    AudioFromNetworkToDeviceStreams: int | None = None
    VideoFromDeviceToNetworkStreams: int | None = None
    Timeout: int | None = None


class SetArgs(Args, frozen=True, kw_only=True):
    """``SetVMSCallConfiguration``."""

    VMSCallConfiguration: Configuration


async def get_vms(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetVMSCallConfiguration")
    settings = ctx.intercom.vms.settings
    return {"VMSCallConfiguration": {name: getattr(settings, field) for field, name in FIELDS.items()}}


async def set_vms(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    new = read(args, SetArgs, "SetVMSCallConfiguration").VMSCallConfiguration
    values = {field: getattr(new, name) for field, name in FIELDS.items()}
    patch = {field: value for field, value in values.items() if value is not None}
    with in_words(FIELDS, "VMSCallConfiguration"):
        await ctx.ledger.run(lambda tx: ctx.intercom.vms.set(tx, patch))
    return {}


METHODS: Final[Methods] = {
    "GetVMSCallConfiguration": (Role.ADMIN, get_vms),
    "SetVMSCallConfiguration": (Role.ADMIN, set_vms),
}
