r"""``io/virtualinput.cgi``: the manual trigger (VAPIX, virtual input API; manual: System > Events > Manual triggers).

``action=6:/`` turns it on, ``action=6:\`` off, ``action=6:/5000\`` (or ``6:/5000``) on for 5,000 ms. The answer is an
empty text; errors are HTTP 400 with one line, ``Error: ...``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.routes import Route
from axcore.model.accounts import Role
from axcore.model.ports import MANUAL_TRIGGER

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.runtime.ledger import Transaction

MAX_WAIT_MS: Final = 86_400_000
_ACTION = re.compile(r"(?P<port>[0-9]{1,3}):(?:(?P<off>\\)|/(?:(?P<wait>[0-9]{1,8})\\?)?)", re.ASCII)


class Switch(NamedTuple):
    """What an action asks for; ``seconds`` None: until it is turned off."""

    active: bool
    seconds: float | None


def parse_action(text: str) -> Switch:
    """The ``action`` argument. Raises InputError."""
    match = _ACTION.fullmatch(text)
    if match is None:
        raise InputError("action", rf"the form is {MANUAL_TRIGGER}:/ (on), {MANUAL_TRIGGER}:\ (off) or 6:/500\ (ms)")
    if int(match["port"]) != MANUAL_TRIGGER:
        raise InputError("action", f"there is one manual trigger, number {MANUAL_TRIGGER}")
    if match["wait"] is None:
        return Switch(match["off"] is None, None)
    if not 1 <= int(match["wait"]) <= MAX_WAIT_MS:
        raise InputError("action", f"a time is 1..{MAX_WAIT_MS} ms")
    return Switch(True, int(match["wait"]) / 1000)


async def manual_trigger_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/io/virtualinput.cgi?action=6:/ (viewer). Raises InputError, which the server answers in text."""
    query = request.arguments()
    for name, _ in query.fields:
        if name != "action":
            raise InputError(name[:40], "unknown argument")
    text = query.get("action")
    if text is None:
        raise InputError("action", f"is missing: action={MANUAL_TRIGGER}:/ turns the manual trigger on")
    wanted = parse_action(text)

    def job(tx: Transaction) -> None:
        ctx.ports.manual.set(tx, wanted.active, wanted.seconds)

    await ctx.ledger.run(job, actor=request.identity.name)
    return web.Response(text="", content_type="text/plain")


ROUTES: Final = (
    Route(
        method="GET", path="/axis-cgi/io/virtualinput.cgi", role=Role.VIEWER, handler=manual_trigger_cgi,
        name="manual-trigger",
    ),
)  # fmt: skip
