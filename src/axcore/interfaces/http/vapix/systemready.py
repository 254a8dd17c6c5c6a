"""``systemready.cgi``: whether the device is up and set up (VAPIX, systemready). Anonymous; may wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from axcore.errors import InputError
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, Call
from axcore.model.accounts import Role

MAX_WAIT = 60
"""Seconds."""
POLLS_A_SECOND = 20

API = AjrApi(
    api_id="systemready",
    name="Systemready",
    path="/axis-cgi/systemready.cgi",
    versions=("1.0", "1.1", "1.2", "1.3", "1.4"),
    codes=GEN3,
    versions_role=Role.ANONYMOUS,
)


class _Params(msgspec.Struct):
    timeout: int = 0


@API.method("systemready", Role.ANONYMOUS, safe=True)
async def systemready(call: Call) -> Any:
    """Ready or not; waits up to ``timeout`` seconds (0-60) for ready."""
    timeout, system = call.read(_Params).timeout, call.ctx.system
    if not 0 <= timeout <= MAX_WAIT:
        raise InputError("params.timeout", f"whole seconds from 0 to {MAX_WAIT}")
    for _ in range(timeout * POLLS_A_SECOND):
        if system.ready:
            break
        await asyncio.sleep(1 / POLLS_A_SECOND)
    return {
        "systemready": "yes" if system.ready else "no",
        "needsetup": "yes" if call.ctx.accounts.needs_setup else "no",
        "uptime": str(system.uptime),
        "bootid": system.boot_id,
    }


ROUTES = API.routes(before_setup=True)
APIS = (API.entry(),)
