"""Composition: which parts a device is made of, in which order they start and stop. Decides nothing else.

Start: store, services load, I/O thread (outputs are in their normal state), initial states and rules, ledger thread: from
here cards and REX open doors. Then the loop and the interfaces, whose imports are left until now; then ready. Stop is
the reverse: interfaces, ledger (finishes and commits its queue), I/O thread (pulses end).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from axcore.devices import DeviceModel, model
from axcore.drivers.board import Board, LineSettings, ReaderFault, Sinks, reader_config
from axcore.drivers.board_socket import NAME as BOARD_SOCKET
from axcore.drivers.board_socket import BoardThread
from axcore.drivers.notify import Progress, notify, watchdog_interval
from axcore.drivers.simulator import SimulatedBoard
from axcore.errors import NotFoundError
from axcore.model import events
from axcore.model.config import Config
from axcore.model.events import NewEvent
from axcore.runtime.bus import Bus
from axcore.runtime.clock import SystemClock
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.runtime.restartable import Restartable
from axcore.services.access import AccessService
from axcore.services.events import EventService
from axcore.services.ports import PortService

if TYPE_CHECKING:
    from axcore.interfaces.cli.run import Launch
    from axcore.interfaces.http.context import Context
    from axcore.interfaces.http.server import HttpServer

TAP = "AXCORE_BOARD_TAP"
"""Environment: UNIX datagram socket that is told of every output edge."""
SWITCH_INTERVAL = 0.0001
"""Seconds that a thread may keep the interpreter when the ledger thread wants it."""
Outcome = Literal["stop", "restart"]
ResetMode = Literal["soft", "hard"]

log = logging.getLogger(__name__)


class Device:
    """One device without its interfaces: what must work whatever happens to the network face."""

    def __init__(
        self,
        model_id: str,
        data_dir: Path,
        *,
        config: Config | None = None,
        simulate: bool = True,
        tap: str | None = None,
    ) -> None:
        """Opens the store and loads the services; nothing moves yet. Raises StoreError, NotFoundError (model)."""
        self.model: DeviceModel = model(model_id)
        self.data_dir = data_dir
        self.config = config or Config()
        self.clock = SystemClock()
        self.bus = Bus()
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._board: Board | None = None
        self.ledger = Ledger(data_dir, self.clock, self.bus, wait=self._wait, wake=self._wake)
        self.ports = PortService(self.model, self.ledger.post)
        self.events = EventService(self.model, self.ports, self.bus, self.ledger.post)
        self.access = AccessService()
        loaders: tuple[Job[None], ...] = (self.ports.load, self.access.load, self.events.load)
        self.ledger.load(*loaders)
        for loader in loaders:
            self.ledger.on_reload(loader)
        for timer in (self.events, self.ports, self.access):
            self.ledger.add_timer(timer)
        self.board = self._board = self._make_board(simulate, tap)
        self.ports.attach(self.board)
        self._sinks = self._make_sinks()
        self.ledger.on_native = self._native

    def start(self) -> None:
        """Outputs known, then initial states, then rules, then the ledger thread: the door works."""
        self.board.start()
        self.ledger.load(self._announce, self.events.start)
        self.ledger.start()

    def stop(self) -> None:
        """Finish what is queued, then end the I/O thread (pulses end, outputs become normal)."""
        self.ledger.stop()
        self.board.stop()

    def _make_board(self, simulate: bool, tap: str | None) -> Board:
        ports, device = self.ports, self.model
        settings = LineSettings(
            inputs={line.name: ports.normal(line.name, "input") for line in device.inputs},
            outputs={line.name: ports.normal(line.name, "output") for line in device.outputs},
            driven=frozenset(line.name for line in device.outputs if ports.is_output(line.name)),
            rex=ports.rex_target(),
        )
        gpio = None if simulate or self.config.board.driver != "gpio" else self.config.board
        readers = [reader_config(self.config.wiegand)] * device.readers
        return Board(device, settings, readers=readers, tap=tap, gpio=gpio)

    def _make_sinks(self) -> Sinks:
        ports, access = self.ports, self.access

        def on_input(tx: Transaction, line: str, active: bool, t_ns: int, correlation: str | None) -> None:
            ports.on_input(tx, line, active, t_ns, correlation)
            if line == "callbutton" and active:
                access.on_key(tx, "C", t_ns, correlation)

        return Sinks(
            on_read=access.on_read,
            on_key=access.on_key,
            on_input=on_input,
            on_output=ports.on_output,
            on_sequence_end=ports.on_sequence_end,
            on_reader_fault=self._reader_fault,
            on_lost=self._lost,
        )

    def _native(self) -> Iterable[Job[Any]]:
        return self.board.jobs(self._sinks)

    def _announce(self, tx: Transaction) -> None:
        tx.publish(_ready(False))
        self.ports.announce(tx)
        self.ports.virtual.announce(tx)

    def _reader_fault(self, tx: Transaction, fault: ReaderFault) -> None:
        self.access.on_fault(
            tx,
            fault.error,
            reader=fault.reader,
            bits=fault.bits,
            glitches=fault.glitches,
            t_ns=fault.t_ns,
            correlation=fault.correlation,
        )

    def _lost(self, tx: Transaction, count: int) -> None:
        tx.publish(NewEvent(topic=events.EVENTS_DROPPED, data={"count": str(count), "component": "io"}))
        self.ports.announce(tx)

    def _wait(self, timeout_ns: int) -> bool:
        assert self._board is not None
        return self._board.io.wait(timeout_ns)

    def _wake(self) -> None:
        if self._board is not None:
            self._board.io.wake()


class App:
    """A device with its interfaces, on the running loop. ``announce`` is told the base addresses once they are bound."""

    def __init__(self, device: Device, *, simulate: bool, announce: Callable[[tuple[str, ...]], None]) -> None:
        self.device = device
        self._simulate = simulate
        self._announce = announce
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._outcome: Outcome = "stop"
        self._reset: ResetMode | None = None
        self._board_thread: BoardThread | None = None
        self._context: Context | None = None
        self._http_ports: tuple[int | None, int | None] = (device.config.network.http_port, device.config.network.https_port)
        self._services: dict[str, Restartable] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> Outcome:
        """Run until a signal, a restart or a factory default. Raises OSError when a port cannot be bound."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._stop.set)
        try:
            await self._start()
            await self._stop.wait()
        finally:
            await self._end()
        return self._outcome

    # --- lifecycle requests (interfaces) and hurt (simulated board; any thread)

    def restart(self) -> None:
        """Stop in order and start again."""
        self._outcome = "restart"
        self._stop.set()

    def factory_default(self, mode: ResetMode) -> None:
        """Stop in order, erase the state, start again."""
        self._reset = mode
        self.restart()

    def stall(self, action: Callable[[], None]) -> None:
        """Block the loop with ``action``."""
        self._loop.call_soon_threadsafe(action)

    def step(self, seconds: float) -> None:
        """Step the wall clock."""
        self.device.clock.step(seconds)

    def drop(self, service: str) -> None:
        """Kill a service; it is brought back."""
        found = self._services.get(service)
        if found is None:
            raise NotFoundError("service", f"there is no service {service!r} ({', '.join(self._services)})")
        self._loop.call_soon_threadsafe(lambda: self._spawn(found.drop()))

    # --- start

    async def _start(self) -> None:
        from axcore.interfaces.http.context import Context
        from axcore.services.accounts import AccountService
        from axcore.services.system import SystemService

        device = self.device
        system = SystemService(device.model, device.clock.mono_ns, self)
        accounts = AccountService()
        params = self._make_params(system)

        def load(tx: Transaction) -> None:
            system.load(tx)
            accounts.load(tx, system.realm)
            params.load(tx)

        await device.ledger.run(load)
        device.ledger.on_reload(load)
        self._context = Context(
            ledger=device.ledger,
            clock=device.clock,
            accounts=accounts,
            params=params,
            system=system,
            bus=device.bus,
            access=device.access,
            ports=device.ports,
            events=device.events,
            board=self._start_board(),
        )
        self._services["http"] = http = Restartable("http", self._make_http, device.ledger.post, device.clock.mono_ns)
        await http.start()
        gc.collect()
        gc.freeze()
        system.ready = True
        await device.ledger.run(lambda tx: tx.publish(_ready(True)))
        self._announce(self._urls())
        notify("READY=1")
        if (interval := watchdog_interval()) is not None:
            self._spawn(self._keep_alive(interval))

    def _make_params(self, system: Any) -> Any:
        from axcore.services import params
        from axcore.services.time import check_zone

        return params.ParamService(
            params.settings(check_zone),
            sources=(
                params.brand(system),
                params.properties(system),
                params.network(system, self._urls),
                params.ioport(self.device.ports),
            ),
            groups=(params.STREAM_PROFILES,),
        )

    def _start_board(self) -> SimulatedBoard | None:
        if not self._simulate:
            return None
        self._board_thread = BoardThread(self.device.data_dir / BOARD_SOCKET)
        board = SimulatedBoard(self.device.board, self, self._board_thread)
        self._board_thread.start(board.run)
        return board

    def _make_http(self) -> HttpServer:
        from axcore.interfaces.http.server import HttpOptions, HttpServer

        assert self._context is not None
        http_port, https_port = self._http_ports
        options = HttpOptions(
            data_dir=self.device.data_dir,
            host=self.device.config.network.bind,
            http_port=http_port,
            https_port=https_port,
        )
        return HttpServer(self._context, options)

    def _urls(self) -> tuple[str, ...]:
        http = self._services.get("http")
        urls: tuple[str, ...] = http.server.urls if http is not None and http.server is not None else ()
        return urls

    async def _keep_alive(self, interval: float) -> None:
        """Tell the service manager that the loop (it runs this), the I/O thread and the ledger thread make progress."""
        device = self.device
        counters = {"io": lambda: device.board.io.progress, "ledger": lambda: device.ledger.progress}
        progress = Progress(counters, device.clock.mono_ns)
        while True:
            stalled = progress.stalled()
            if stalled:
                log.error("no keep-alive: %s stands still", " and ".join(stalled))
            else:
                notify("WATCHDOG=1")
            await asyncio.sleep(interval)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- stop

    async def _end(self) -> None:
        notify("STOPPING=1")
        if self._context is not None:
            self._context.system.ready = False
        for task in tuple(self._tasks):
            task.cancel()
        for service in self._services.values():
            with contextlib.suppress(Exception):
                await service.stop()
        if self._board_thread is not None:
            await asyncio.to_thread(self._board_thread.stop)
        if self._reset is not None:
            await self.device.ledger.run(self._erase)
            if self._reset == "hard":
                from axcore.interfaces.http.tls import FILE

                (self.device.data_dir / FILE).unlink(missing_ok=True)

    def _erase(self, tx: Transaction) -> None:
        """Forget every record but the serial number and, softly, the network settings."""
        for kind in tx.kinds():
            for key, _ in tx.items(kind):
                keep = kind in ("system", "ledger") or (
                    self._reset == "soft" and kind == "param" and key.startswith("Network.")
                )
                if not keep:
                    tx.delete(kind, key)
        self.device.access.load(tx)


def run(launch: Launch) -> int:
    """Run a device until it is stopped; gives the exit code. A restart replaces the process by a new one.

    Raises ConfigError, StoreError, OSError (a port cannot be bound).
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    simulate = launch.simulate or launch.config.board.driver == "simulated"
    tap = os.environ.get(TAP) or None
    device = Device(launch.model, launch.data_dir, config=launch.config, simulate=simulate, tap=tap)
    device.start()
    try:
        import uvloop

        outcome = uvloop.run(_run(device, launch, simulate))
    finally:
        device.stop()
    if outcome == "restart":
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    return 0


async def _run(device: Device, launch: Launch, simulate: bool) -> Outcome:
    from axcore.interfaces.cli.paths import Running
    from axcore.interfaces.http.tls import FILE

    def announce(urls: tuple[str, ...]) -> None:
        found = {url.partition(":")[0]: url for url in urls}
        launch.announce(
            Running(
                model=launch.model,
                pid=os.getpid(),
                http=found.get("http", ""),
                https=found.get("https", ""),
                certificate=str(launch.data_dir / FILE),
                simulate=simulate,
            )
        )

    return await App(device, simulate=simulate, announce=announce).run()


def _ready(ready: bool) -> NewEvent:
    return NewEvent(topic=events.SYSTEM_READY, data={"ready": "1" if ready else "0"}, is_property=True)
