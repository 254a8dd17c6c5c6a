"""A device with its interfaces, on the loop: the order of start and stop.

After ``Device.start`` come the services of the loop and the interfaces, whose imports are left until then; then ready.
Stop is the reverse: interfaces, ledger (finishes and commits its queue), I/O thread (pulses end).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from axcore.drivers.board_socket import NAME as BOARD_SOCKET
from axcore.drivers.board_socket import BoardThread
from axcore.drivers.simulator import SimulatedBoard
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.runtime import wipe
from axcore.runtime.ledger import Transaction
from axcore.runtime.notify import Notifier, Watchdog
from axcore.runtime.stuck import StuckThreads
from axcore.runtime.supervise import Supervisor

from .device import Device

if TYPE_CHECKING:
    from axcore.drivers.simulator import Mouth, Parts
    from axcore.interfaces.cli.run import Launch
    from axcore.interfaces.http.context import Context
    from axcore.interfaces.http.server import HttpServer
    from axcore.interfaces.rtsp.server import RtspServer
    from axcore.services.clips import ClipService
    from axcore.services.clips.upload import Uploader
    from axcore.services.params import ParamService
    from axcore.services.system import SystemService

TAP = "AXCORE_BOARD_TAP"
"""Environment: UNIX datagram socket that is told of every output edge."""
SWITCH_INTERVAL = 0.0001
"""Seconds that a thread may keep the interpreter when the ledger thread wants it."""
Outcome = Literal["stop", "restart"]
ResetMode = Literal["soft", "hard"]


class App:
    """A device with its interfaces, on the running loop. ``announce`` is told the base addresses when it is ready."""

    def __init__(self, device: Device, *, simulate: bool, announce: Callable[[tuple[str, ...]], None]) -> None:
        self.device = device
        self._simulate = simulate
        self._announce = announce
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._outcome: Outcome = "stop"
        self._notifier = Notifier()
        self._supervisor = Supervisor(self._tell_fault, clock=device.clock)
        self._board_thread: BoardThread | None = None
        self._context: Context | None = None
        network = device.config.network
        self._ports: tuple[int | None, int | None] = (network.http_port, network.https_port)
        self._http: HttpServer | None = None
        self._rtsp: RtspServer | None = None
        device.on_reset = lambda: self._later(self.factory_default, "hard")

    async def run(self) -> Outcome:
        """Run until a signal, a restart or a factory default. Raises OSError when a port cannot be bound."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._stop.set)
        try:
            await self._start()
            from axcore.runtime.loop import StallDetector

            with StallDetector(self.device.clock):
                await self._stop.wait()
        finally:
            await self._end()
        return self._outcome

    # --- asked for by interfaces, and by those who hurt the simulated board (any thread)

    def restart(self) -> None:
        """Stop in order and start again."""
        self._outcome = "restart"
        self._stop.set()

    def factory_default(self, mode: ResetMode) -> None:
        """Stop in order and start again; the new start forgets the state first (``runtime.wipe``)."""
        wipe.request(self.device.data_dir, mode)
        self.restart()

    def _later(self, action: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # The loop has ended: the device stops anyway.
            self._loop.call_soon_threadsafe(action, *args)

    def feel(self, name: str, value: float | str, correlation: str | None) -> None:
        """A sensor of the simulated board has a value."""
        sensors = self.device.sensors
        sensors.check(name, value)
        self.device.ledger.post(lambda tx: sensors.tell(tx, name, value, correlation))

    def stall(self, action: Callable[[], None]) -> None:
        """Block the loop with ``action``."""
        self._loop.call_soon_threadsafe(action)

    def step(self, seconds: float) -> None:
        """Step the wall clock."""
        self.device.clock.step(seconds)

    def drop(self, service: str) -> None:
        """Kill a service; it is brought back. Raises NotFoundError."""
        self._supervisor.state(service)
        self._loop.call_soon_threadsafe(self._supervisor.drop, service)

    # --- start

    async def _start(self) -> None:
        from axcore.interfaces.http.context import Context
        from axcore.interfaces.soap.subscriptions import PullPoints
        from axcore.services.accounts import AccountService
        from axcore.services.system import SystemService

        device = self.device
        system = SystemService(device.model, device.clock.mono_ns, self)
        accounts = AccountService(lambda: system.realm)
        params = self._make_params(system)

        def load(tx: Transaction) -> None:
            system.load(tx)
            accounts.load(tx)
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
            configurations=device.configurations,
            pull_points=PullPoints(device.bus, device.clock),
            schedules=device.schedules,
            recipients=device.recipients,
            siren=None if device.strobe is None else device.strobe.service,
            clips=device.clips,
            **_calls(device),
            speaker_test=None if device.station is None else device.station.speaker_test,
            uploads=None if device.clips is None else self._make_uploader(device.clips),
            controller=device.controller,
            board=self._start_board(),
            mqtt=device.mqtt,
            reader=None if device.station is None else device.station.service,
            certificates=device.certificates,
        )
        await self._start_http()
        await self._start_rtsp()
        self._start_mqtt(system.serial)
        self._start_deliveries(system, params)
        self._start_station()
        self._start_watching()
        if not self._simulate:
            self._supervisor.add("health", self._watch_health)
        gc.collect()
        gc.freeze()
        system.ready = True
        await device.ledger.run(device.completed)
        self._announce(self._urls())
        self._notifier.ready()

    def _start_watching(self) -> None:
        device = self.device
        counters = {"io": lambda: device.board.io.progress, "ledger": lambda: device.ledger.progress}
        watchdog = Watchdog(self._notifier, device.clock, counters)
        if watchdog.interval > 0:
            self._supervisor.add("watchdog", watchdog.run)
        self._supervisor.add("threads", StuckThreads(device.progress, self._tell_fault).run)

    async def _watch_health(self) -> None:
        from axcore.services.sensors.health import watch

        await watch(self.device.sensors, self.device.ledger.post, self.device.data_dir)

    def _make_params(self, system: SystemService) -> ParamService:
        from axcore.services import params
        from axcore.services.time import check_zone

        part = self.device.intercom
        audio = None if part is None or part.streams is None else part.audio
        found = params.ParamService(
            params.settings(check_zone, two_way=audio is not None),
            sources=(
                params.brand(system),
                params.properties(system),
                params.network(system, self._urls),
                params.ioport(self.device.ports),
                params.media_clips(self.device.clips),
                params.sip(self.device.model.calls),
                params.two_way_audio(audio, lambda: found.text(params.ENCODING)),
                params.speaker_test(self.device.model.speaker_test),
            ),
            groups=(params.STREAM_PROFILES,),
        )
        return found

    def _make_uploader(self, clips: ClipService) -> Uploader:
        from axcore.services.clips.upload import Uploader

        return Uploader(clips, self.device.ledger.run)

    def _start_board(self) -> SimulatedBoard | None:
        if not self._simulate:
            return None
        self._board_thread = BoardThread(self.device.data_dir / BOARD_SOCKET)
        strobe, station = self.device.strobe, self.device.station
        signal: Parts | None = None if strobe is None else strobe.outputs
        if station is not None:
            signal = station.room
        controller = self.device.controller
        parts = None
        if controller is not None:
            from .simulated_controller import SimulatedController

            parts = SimulatedController(controller, self.device.board, self.device.ledger)
        board = SimulatedBoard(
            self.device.board,
            self,
            self._board_thread,
            signal=signal,
            speaker=self.device.speaker,
            visitor=self._visitor(self._board_thread),
            controller=parts,
        )
        self._board_thread.start(board.run)
        return board

    def _visitor(self, board: BoardThread) -> Mouth | None:
        """Who talks to the virtual room of calls, where there is one."""
        media = None if self.device.intercom is None else self.device.intercom.media
        if media is None or self.device.config.sound.device:
            return None
        from axcore.drivers.visitor import Visitor

        return Visitor(lambda: media.sound, board)

    async def _start_http(self) -> None:
        """The first server is started here, so that a port in use ends the program; later ones by the supervisor."""
        first: HttpServer | None = self._make_http()
        assert first is not None
        await first.start()
        self._http = first
        bound = {url.partition(":")[0]: int(url.rpartition(":")[2]) for url in first.urls}
        self._ports = bound.get("http"), bound.get("https")

        async def serve() -> None:
            nonlocal first
            server, first = first or self._make_http(), None
            try:
                if server is not self._http:
                    await server.start()
                    self._http = server
                await asyncio.get_running_loop().create_future()
            finally:
                await server.stop()

        self._supervisor.add("http", serve)

    def _start_mqtt(self, serial: str) -> None:
        from axcore.services.mqtt.client import MqttClient

        device = self.device
        device.mqtt.identify(serial)
        self._supervisor.add("mqtt", lambda: MqttClient(device.mqtt, device.bus, device.ledger).run())

    def _start_deliveries(self, system: SystemService, params: ParamService) -> None:
        from .deliveries import make_dispatcher

        assert self._context is not None
        self._context.deliveries = dispatcher = make_dispatcher(self.device, system, params, self._urls)
        self._supervisor.add("recipients", dispatcher.run)

    def _start_station(self) -> None:
        station, context = self.device.station, self._context
        if station is None:
            return
        from .deliveries import make_client

        assert context is not None
        context.reader_client = client = make_client(
            station, self.device.ledger, self.device.certificates, context.deliveries.dialer
        )
        self._supervisor.add("vapix-reader", client.run)

    def _make_http(self) -> HttpServer:
        from axcore.interfaces.http.server import HttpOptions, HttpServer

        assert self._context is not None
        http_port, https_port = self._ports
        bind = self.device.config.network.bind
        options = HttpOptions(data_dir=self.device.data_dir, host=bind, http_port=http_port, https_port=https_port)
        return HttpServer(self._context, options)

    async def _start_rtsp(self) -> None:
        """As with HTTP, the first server is started here; later ones take its port."""
        from axcore.interfaces.rtsp.server import RtspOptions, RtspServer, ports_for

        network, context = self.device.config.network, self._context
        ports = ports_for(network.rtsp_port, simulate=self._simulate)
        if not ports:
            return
        assert context is not None
        first: RtspServer | None = RtspServer(context, RtspOptions(host=network.bind, ports=ports))
        assert first is not None
        await first.start()
        self._rtsp = first
        port = int(first.url.rpartition(":")[2])

        async def serve() -> None:
            nonlocal first
            server, first = first or RtspServer(context, RtspOptions(host=network.bind, ports=(port,))), None
            try:
                if server is not self._rtsp:
                    await server.start()
                    self._rtsp = server
                await asyncio.get_running_loop().create_future()
            finally:
                await server.stop()

        self._supervisor.add("rtsp", serve)

    def _urls(self) -> tuple[str, ...]:
        http = self._http.urls if self._http is not None else ()
        return (*http, self._rtsp.url) if self._rtsp is not None else http

    def _tell_fault(self, name: str, reason: str) -> None:
        fault = NewEvent(topic=events.SYSTEM_FAULT, data={"component": name, "reason": reason})
        self.device.ledger.post(lambda tx: tx.publish(fault))

    # --- stop

    async def _end(self) -> None:
        self._notifier.stopping()
        if self._context is not None:
            self._context.system.ready = False
        await self._supervisor.stop()
        if self._board_thread is not None:
            await asyncio.to_thread(self._board_thread.stop)
        self._notifier.close()


def forget(data_dir: Path) -> None:
    """Finish a factory default that was asked for; the serial number stays and, softly, network settings."""
    mode = wipe.requested(data_dir)
    if mode is None:
        return
    from axcore.interfaces.http.tls import FILE

    def keep(kind: str, key: str) -> bool:
        network = kind == "param" and key.startswith("Network.")
        return (kind, key) == ("system", "serial") or (mode == "soft" and network)

    wipe.finish(data_dir, keep, (FILE,))


def _calls(device: Device) -> dict[str, Any]:
    """What interfaces see of the intercom."""
    part = device.intercom
    return {} if part is None else {"intercom": part.service, "audio": part.audio, "two_way": part.streams}


def run(launch: Launch) -> int:
    """Run a device until it is stopped; gives the exit code. A restart replaces the process by a new one.

    Raises ConfigError, StoreError, OSError (a port cannot be bound).
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    simulate = launch.simulate or launch.config.board.driver == "simulated"
    tap = os.environ.get(TAP) or None
    forget(launch.data_dir)
    device = Device(launch.model, launch.data_dir, config=launch.config, simulate=simulate, tap=tap)
    device.start()
    try:
        from axcore.runtime import loop

        outcome = loop.run(_run(device, launch, simulate))
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
                rtsp=found.get("rtsp", ""),
                rs485=device.rs485,
            )
        )

    return await App(device, simulate=simulate, announce=announce).run()
