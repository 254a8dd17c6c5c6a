"""``findmydevice.cgi`` (id ``find-my-device``, 1.0): have the device identify itself by its light."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from axcore.errors import ConflictError
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, AjrError, Call
from axcore.model.accounts import Role

BUSY: Final = 2201
DEFAULT_SECONDS: Final = 60
MAX_SECONDS: Final = 3600
API: Final = AjrApi(
    api_id="find-my-device", name="Find My Device", path="/axis-cgi/findmydevice.cgi", versions=("1.0",), codes=GEN3
)


class _Find(msgspec.Struct, frozen=True):
    duration: int = DEFAULT_SECONDS


@API.method("find", Role.OPERATOR)
async def find(call: Call) -> Any:
    """Blink for ``duration`` seconds."""
    seconds = call.read(_Find).duration
    if not 1 <= seconds <= MAX_SECONDS:
        raise AjrError(GEN3.invalid, f"duration: must be 1..{MAX_SECONDS} s")
    try:
        await call.ctx.ledger.run(lambda tx: call.ctx.siren.set_identify(tx, True, seconds))
    except ConflictError as error:
        raise AjrError(BUSY, error.reason) from None


@API.method("stop", Role.OPERATOR)
async def stop(call: Call) -> Any:
    """Blink no longer."""
    await call.ctx.ledger.run(lambda tx: call.ctx.siren.set_identify(tx, False))


APIS: Final = (API.entry(),)
ROUTES: Final = API.routes()
