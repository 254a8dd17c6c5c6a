"""``/config/rest/event-log/v1``: the persistent event log. Needs an operator.

``GET .../events?after=<id>`` gives the events that follow ``after``, oldest first; ids rise strictly, also across
restarts. With ``wait`` the answer comes as soon as there is one (long poll). Ids that the bounded log has dropped are
told by an event of their own (topic ``.../DroppedEvents``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, rest, success, whole_number
from axcore.model.accounts import Role
from axcore.model.events import Event

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/event-log/v1"
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
MAX_WAIT: Final = 30
"""Seconds."""
BATCH: Final = 500
"""Events read in one go."""
QUEUE: Final = 64
MAX_ID: Final = (1 << 63) - 1
_QUERY: Final = {
    "after": "only events with a larger id (default 0)",
    "limit": f"at most this many, 1 to {MAX_LIMIT} (default {DEFAULT_LIMIT})",
    "topic": "only this topic; with a trailing //. also what is below it",
    "correlation": "only events with this correlation",
    "wait": f"if there is none, wait for one up to this many seconds, 0 to {MAX_WAIT} (default 0)",
}

Wanted = Callable[[Event], bool]


def event_filter(topic: str | None, correlation: str | None) -> Wanted:
    """Whether an event is wanted. Raises InputError for an empty topic."""
    subtree = topic is not None and topic.endswith("//.")
    path = topic.removesuffix("//.") if topic is not None else ""
    if topic is not None and not path:
        raise InputError("topic", "must not be empty")

    def wanted(event: Event) -> bool:
        if correlation is not None and event.correlation != correlation:
            return False
        if topic is None or event.topic == path:
            return True
        return subtree and event.topic.startswith(f"{path}/")

    return wanted


async def read_events(ctx: Context, after: int, limit: int, wanted: Wanted | None) -> list[Event]:
    """Up to ``limit`` wanted events with an id above ``after``; read in a thread, so that the loop goes on."""
    found: list[Event] = []
    while len(found) < limit:
        size = BATCH if wanted else min(BATCH, limit - len(found))
        batch = await asyncio.to_thread(ctx.ledger.events_after, after, size)
        found += batch if wanted is None else filter(wanted, batch)
        if len(batch) < size:
            break
        after = batch[-1].id
    return found[:limit]


async def get_events(request: Request, ctx: Context) -> web.Response:
    """Events after an id."""
    query = arguments(request, _QUERY)
    after = whole_number(query, "after", 0, 0, MAX_ID)
    limit = whole_number(query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    wait = whole_number(query, "wait", 0, 0, MAX_WAIT)
    topic, correlation = query.get("topic"), query.get("correlation")
    filtered = topic is not None or correlation is not None
    wanted = event_filter(topic, correlation) if filtered else None
    if not wait:
        return success(await read_events(ctx, after, limit, wanted))
    with ctx.follow(QUEUE) as stream:
        events = await read_events(ctx, after, limit, wanted)
        if not events and await _next_wanted(stream, after, wanted, wait):
            events = await read_events(ctx, after, limit, wanted)
    return success(events)


async def _next_wanted(stream: Any, after: int, wanted: Wanted | None, seconds: float) -> bool:
    """Wait for a wanted event after ``after`` (or a gap that may hide one); False when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            async for event in stream:
                if stream.dropped or (event.id > after and (wanted is None or wanted(event))):
                    return True
    except TimeoutError:
        pass
    return False


ROUTES: Final = (
    RestRoute(
        method="GET", path=f"{API}/events", role=Role.OPERATOR, name="event-log.events", safe=True,
        handler=rest(get_events), summary="Events after an id, oldest first", data=list[Event], query=_QUERY,
    ),
)  # fmt: skip
