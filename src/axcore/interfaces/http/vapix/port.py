r"""``io/port.cgi``: read, monitor and switch I/O ports over plain text (VAPIX, I/O port API).

Ports are counted from 1 here (port.cgi's 1 is portmanagement.cgi's "0"). What *active* means follows the normal state
of the port. Several arguments may come in one request; all of them are checked before the first action runs, and all
actions run in one ledger job: a refused request changes nothing. Errors are HTTP 400 (409 while a state sequence runs
on the port) with one line of text, ``Error: ...``.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.context import HEADERS
from axcore.interfaces.http.routes import Route
from axcore.model.accounts import Role
from axcore.model.events import IO_OUTPUT_PORT, IO_PORT, Event
from axcore.model.ports import MAX_SEQUENCE, Port, circuit

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.runtime.ledger import Transaction
    from axcore.services.ports import PortService

BOUNDARY: Final = "ioboundary"
START: Final = f"--{BOUNDARY}\r\n".encode()
KEEP_ALIVE_SECONDS: Final = 15.0
"""An empty part tells a monitoring client that the connection lives."""
MAX_WAIT_MS: Final = 86_400_000
MIN_PULSE_MS: Final = 50
"""A shorter pulse runs as a sequence."""
MONITOR_QUEUE: Final = 256
IO_TOPICS: Final = "tns1:Device/tnsaxis:IO/"
_ACTION = re.compile(r"(?:([0-9]{1,3}))?:([/\\](?:[0-9]{1,8}[/\\])*)", re.ASCII)
_STEP = re.compile(r"([/\\])([0-9]*)", re.ASCII)
_IDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{1,3})*", re.ASCII)


class Step(NamedTuple):
    """Bring the port to ``active``, then wait ``wait_ms`` before the next step (0 after the last)."""

    active: bool
    wait_ms: int


class Action(NamedTuple):
    """One ``action`` argument; ``port`` is the 0-based id."""

    port: int
    steps: tuple[Step, ...]


# --- what the query says -------------------------------------------------------------------------------------------


def parse_ids(argument: str, text: str, ports: Sequence[Port]) -> list[Port]:
    """The ports of ``1,2`` (1-based), each as often as named. Raises InputError."""
    if not _IDS.fullmatch(text):
        raise InputError(argument, "give port numbers from 1, separated by commas")
    by_id = {port.id: port for port in ports}
    found = []
    for number in text.split(","):
        port = by_id.get(int(number) - 1)
        if port is None:
            raise InputError(argument, f"there is no port {int(number)}")
        found.append(port)
    return found


def parse_action(text: str, ports: Sequence[Port]) -> Action:
    r"""``2:/300\500/300\``: port 2 active for 300 ms, twice, 500 ms apart. Without a number the first output is meant.

    Raises InputError.
    """
    match = _ACTION.fullmatch(text)
    if match is None:
        raise InputError("action", r"the form is [port]:a[wait a...], a is / (active) or \ (inactive), wait is in ms")
    steps = tuple(Step(mark == "/", int(wait or 0)) for mark, wait in _STEP.findall(match[2]))
    if len(steps) > MAX_SEQUENCE:
        raise InputError("action", f"at most {MAX_SEQUENCE} changes")
    if any(step.wait_ms > MAX_WAIT_MS for step in steps):
        raise InputError("action", f"a wait is at most {MAX_WAIT_MS} ms")
    if match[1] is None:
        port = next((port for port in ports if port.config.direction == "output"), None)
        if port is None:
            raise InputError("action", "no port is an output")
    else:
        port = parse_ids("action", match[1], ports)[0]
    if port.config.direction != "output":
        raise InputError("action", f"port {port.id + 1} is an input")
    if port.readonly:
        raise InputError("action", f"port {port.id + 1} is read-only")
    return Action(port.id, steps)


def run_action(tx: Transaction, service: PortService, action: Action) -> None:
    """One action as a ledger job. Raises InputError, ConflictError while a sequence runs."""
    first = action.steps[0]
    if len(action.steps) == 1:
        service.set_active(tx, action.port, first.active)
        return
    second = action.steps[1]
    if len(action.steps) == 2 and second.active != first.active and first.wait_ms >= MIN_PULSE_MS:
        service.pulse(tx, action.port, first.active, first.wait_ms / 1000)
        return
    normal = service.port(action.port).config.normal_state
    service.sequence(tx, action.port, [(circuit(normal, step.active), step.wait_ms) for step in action.steps])


# --- what is answered ----------------------------------------------------------------------------------------------

CHECKS: Final[Mapping[str, Callable[[Port], str]]] = {
    "check": lambda port: "1" if port.state == "closed" else "0",
    "checkactive": lambda port: "active" if port.active else "inactive",
    "checkdirection": lambda port: port.config.direction,
}


def check_lines(argument: str, ports: Iterable[Port]) -> str:
    """``port1=0`` lines for one of the CHECKS."""
    say = CHECKS[argument]
    return "".join(f"port{port.id + 1}={say(port)}\r\n" for port in ports)


def monitored(text: str, ports: Sequence[Port]) -> tuple[Port, ...]:
    """The ports to monitor. Raises InputError; inputs and outputs must be monitored separately."""
    chosen = tuple(dict.fromkeys(port.id for port in parse_ids("monitor", text, ports)))
    found = tuple(port for port in ports if port.id in chosen)
    if len({port.config.direction for port in found}) != 1:
        raise InputError("monitor", "monitor inputs and outputs in separate requests")
    return found


def part(text: str = "") -> bytes:
    """One part of the multipart stream with the boundary that ends it; without text the keep-alive."""
    return f"Content-Type: text/plain\r\n\r\n{text}\r\n--{BOUNDARY}\r\n".encode()


def state_mark(port: Port, active: bool, *, changed: bool) -> str:
    r"""``3I:/``: number, direction, and / or \ for a change, H or L for a state that was so before."""
    mark = ("/" if active else "\\") if changed else ("H" if active else "L")
    return f"{port.id + 1}{'I' if port.config.direction == 'input' else 'O'}:{mark}"


def event_state(event: Event, ports: Sequence[Port]) -> tuple[Port, bool] | None:
    """Which of the monitored ``ports`` an event is about, and whether that is active now."""
    if event.topic not in (IO_PORT, IO_OUTPUT_PORT):
        return None
    number = event.source.get("port")
    for port in ports:
        topic = IO_PORT if port.config.direction == "input" else IO_OUTPUT_PORT
        if number == str(port.id) and event.topic == topic:
            return port, event.data.get("state") == "1"
    return None


class EventStream(Protocol):
    """What a monitor needs of a subscription to the bus."""

    dropped: int
    """Events that did not fit into the queue so far."""

    def __anext__(self) -> Awaitable[Event]: ...


async def monitor_parts(
    present: Callable[[], Sequence[Port]], events: EventStream, keep_alive: float = KEEP_ALIVE_SECONDS
) -> AsyncGenerator[bytes, None]:
    """The parts of a monitor stream: present states, then each change; an empty part every ``keep_alive`` seconds."""
    ports, dropped = present(), events.dropped
    last = {port.id: port.active for port in ports}
    for port in ports:
        yield part(state_mark(port, last[port.id], changed=False))
    pending: asyncio.Future[Event] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(events.__anext__())
            done, _ = await asyncio.wait({pending}, timeout=keep_alive)
            if not done:
                yield part()
                continue
            try:
                event = pending.result()
            except StopAsyncIteration:
                return
            finally:
                pending = None
            found = [event_state(event, ports)]
            if events.dropped != dropped:  # too slow a reader: say again how everything is
                dropped = events.dropped
                found = [(port, port.active) for port in present()]
            for port, active in filter(None, found):
                changed, last[port.id] = active != last[port.id], active
                yield part(state_mark(port, active, changed=changed))
    finally:
        if pending is not None:
            pending.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await pending


# --- the CGI -------------------------------------------------------------------------------------------------------


def read_query(
    query: Iterable[tuple[str, str]], ports: Sequence[Port]
) -> tuple[list[tuple[str, list[Port]]], list[Action]]:
    """All checks and all actions of a request, in their order. Raises InputError naming the argument."""
    checks: list[tuple[str, list[Port]]] = []
    actions: list[Action] = []
    for name, value in query:
        if name in CHECKS:
            checks.append((name, parse_ids(name, value, ports)))
        elif name == "action":
            actions.append(parse_action(value, ports))
        else:
            raise InputError(name[:40], "unknown argument, or one that must stand alone")
    if not checks and not actions:
        raise InputError("check", "give check, checkactive, checkdirection, monitor or action")
    return checks, actions


async def port_cgi(request: Request, ctx: Context) -> web.StreamResponse:
    """GET /axis-cgi/io/port.cgi (viewer). Raises InputError, which the server answers in text."""
    service = ctx.ports
    query = list(request.arguments().fields)
    if [name for name, _ in query] == ["monitor"]:
        return await _monitor(request, ctx, monitored(query[0][1], service.ports()))
    checks, actions = read_query(query, service.ports())
    if actions:

        def job(tx: Transaction) -> None:
            for action in actions:
                run_action(tx, service, action)

        await ctx.ledger.run(job)
    now = {port.id: port for port in service.ports()}
    body = "".join(check_lines(name, [now[port.id] for port in ports]) for name, ports in checks)
    return web.Response(text=body, content_type="text/plain")


async def _monitor(request: Request, ctx: Context, ports: Sequence[Port]) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={**HEADERS, "Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}"}
    )
    chosen = {port.id for port in ports}

    def present() -> list[Port]:
        return [port for port in ctx.ports.ports() if port.id in chosen]

    with ctx.follow(MONITOR_QUEUE, IO_TOPICS) as events:
        await response.prepare(request)
        async with contextlib.aclosing(monitor_parts(present, events)) as parts:
            with contextlib.suppress(ConnectionError):
                await response.write(START)
                async for data in parts:
                    await response.write(data)
    return response


ROUTES: Final = (Route(method="GET", path="/axis-cgi/io/port.cgi", role=Role.VIEWER, handler=port_cgi, name="io-port"),)
