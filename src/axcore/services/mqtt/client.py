"""The MQTT client: a service of the loop that keeps the connection while the client is active.

It follows the settings of ``MqttService``: connects (with back-off), subscribes, publishes events and what actions
send, hands incoming messages to the ledger. Nothing of the MQTT library is imported before the client is first
activated.

On every connect it sends, in this order: the connect message; what waited while there was no connection, as it came;
then the present state of every stateful event that is published, with the retain flag of its filter. So a subscriber
knows all states, and the last message of a topic is the present one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.errors import AxError, QueueFullError
from axcore.model.events import Event
from axcore.model.mqtt import DEFAULT_PORTS, ClientConfig, Message, Publication, StatusMessage

from .backoff import Backoff
from .incoming import Arrival, Incoming, Pace
from .publication import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable

    from axcore.runtime.bus import Bus
    from axcore.runtime.ledger import Transaction
    from axcore.runtime.way import RightOfWay

    from .engine import Engine
    from .link import Link, Target
    from .service import MqttService, Settings

log = logging.getLogger(__name__)

EVENT_BACKLOG = 4096
"""Events that wait for this task."""
JOB_MESSAGES = 16
"""Messages in one job of the ledger: a card does not wait for more."""
JOBS_AT_ONCE = 8
GOODBYE_S = 2.0
"""Time for the disconnect message to be acknowledged."""
LOSS_EVERY_S = 10.0
"""Losses are told at most this often."""
RETRY_S = 0.5
"""Rest when the ledger cannot take messages now."""


class Runner(Protocol):
    """What is needed of the ledger."""

    way: RightOfWay

    async def run(self, job: Callable[[Transaction], Any], *, lazy: bool = False, actor: str = "") -> Any: ...


class MqttClient:
    """``run`` is the service; one at a time."""

    def __init__(self, service: MqttService, bus: Bus, ledger: Runner) -> None:
        self._service, self._bus, self._ledger = service, bus, ledger
        self._incoming = Incoming()
        self._pace = Pace()
        self._time = asyncio.get_running_loop().time
        self._arrived = asyncio.Event()
        self._changed = asyncio.Event()
        self._stirred = asyncio.Event()
        """There is something to publish, and perhaps room."""
        self._publisher = Publisher(Publication(), "", "")
        self._link: Link | None = None
        self._snapshot_id = 0
        self._lost_sent = 0
        self._lost_in = 0
        self._events_lost = 0
        self._too_large = 0

    @property
    def link(self) -> Link | None:
        """The connection there is, for tests."""
        return self._link

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        service = self._service

        def changed() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._changed.set)

        def stirred() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._stirred.set)

        service.changed, service.outgoing.wake = changed, stirred
        try:
            while True:
                self._changed.clear()
                if service.settings.active:
                    await self._be_active(service.settings.generation)
                else:
                    await self._changed.wait()
        finally:
            service.changed = service.outgoing.wake = None
            service.connected_as = None

    async def _be_active(self, generation: int) -> None:
        """Work until the client is turned off or is to connect anew."""
        self._configure(self._service.settings)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._follow_events(), name="mqtt events"),
                group.create_task(self._consume(), name="mqtt messages"),
                group.create_task(self._tell_losses(), name="mqtt losses"),
            ]
            try:
                await self._keep_connected(generation)
            finally:
                for task in tasks:
                    task.cancel()

    def _configure(self, settings: Settings) -> None:
        service = self._service
        self._publisher = Publisher(settings.publication, service.prefix, service.serial)
        filters = settings.subscriptions.mqtt_filter_list
        self._incoming.set_filters(tuple((each, service.effective(each)) for each in filters))

    # --- the connection

    async def _keep_connected(self, generation: int) -> None:
        settings = self._service.settings
        assert settings.client is not None
        engine = self._make_engine(settings.client, settings.password)
        backoff, loop = Backoff(), asyncio.get_running_loop()
        while True:
            began, reason = loop.time(), ""
            try:
                lasted = await self._connection(engine, settings.client, generation)
            except (OSError, ValueError, AxError) as error:
                lasted, reason = 0.0, str(error) or type(error).__name__
            if self._service.settings.generation != generation:
                return
            if lasted:
                lasted = loop.time() - began
            log.warning("MQTT: %s", reason or "the connection was lost")
            if not settings.client.auto_reconnect:
                await self._wait_for_change(generation, None)
                return
            if await self._wait_for_change(generation, backoff.next(random.random(), lasted)):
                return

    async def _wait_for_change(self, generation: int, seconds: float | None) -> bool:
        """Whether the client is to be another one; after ``seconds`` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._service.settings.generation == generation:
                    await self._changed.wait()
                    self._changed.clear()
                    self._configure(self._service.settings)
        return self._service.settings.generation != generation

    def _make_engine(self, config: ClientConfig, password: str) -> Engine:
        from .engine import Engine

        service = self._service
        engine = Engine(
            client_id=config.client_id or f"axis-{service.serial}",
            version5=config.protocol_version == "5",
            clean_session=config.clean_session,
            keep_alive=config.keep_alive_interval,
            username=config.username,
            password=password,
            will=self._status_message(config.last_will_testament, False, "Connection Lost"),
        )
        engine.on_message = self._on_message
        engine.on_room = self._stirred.set
        engine.give_way = self._ledger.way.give
        return engine

    async def _connection(self, engine: Engine, config: ClientConfig, generation: int) -> float:
        """One connection, from the first packet to the last. Returns 1.0 if it came about."""
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        engine.on_lost = lambda reason: None if lost.done() else lost.set_result(reason)
        subscribed = self._wanted()
        attempt = asyncio.create_task(self._open(engine, config, subscribed))
        other = asyncio.create_task(self._wait_for_change(generation, None))
        try:
            await asyncio.wait((attempt, other), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (attempt, other):
                task.cancel()
            await asyncio.gather(attempt, other, return_exceptions=True)
        if attempt.cancelled():
            return 0.0
        attempt.result()
        try:
            self._greet(engine, config)
            await self._set_connected(generation)
            await self._stay(engine, lost, generation, subscribed)
            if not lost.done():
                await self._leave(engine, config)
        except asyncio.CancelledError:
            if not lost.done():
                await self._leave(engine, config)
            raise
        finally:
            self._drop(engine)
            await self._set_connected(None)
        return 1.0

    async def _open(self, engine: Engine, config: ClientConfig, subscribed: dict[str, Any]) -> None:
        """Connect and subscribe, or leave nothing open. Raises OSError with what to tell."""
        from .engine import RefusedError
        from .framing import ProtocolError
        from .link import open_link

        try:
            async with asyncio.timeout(config.connect_timeout):
                self._link = await open_link(self._target(config))
                await engine.connect(self._link)
                await self._subscribe(engine, subscribed)
        except BaseException as error:
            self._drop(engine)
            if isinstance(error, TimeoutError):
                raise OSError(f"no connection within {config.connect_timeout} s") from None
            if isinstance(error, RefusedError | ProtocolError):
                raise OSError(str(error)) from None
            raise

    async def _stay(
        self, engine: Engine, lost: asyncio.Future[str], generation: int, subscribed: dict[str, Any]
    ) -> None:
        """Publish what comes until the connection is lost or is to be another one."""
        ticks = asyncio.create_task(self._tick(engine))
        watch = asyncio.create_task(self._watch(engine, generation, subscribed))
        try:
            while not lost.done() and not watch.done() and not ticks.done():
                self._pump(engine)
                stirred = asyncio.create_task(self._stirred.wait())
                await asyncio.wait((stirred, lost, watch, ticks), return_when=asyncio.FIRST_COMPLETED)
                stirred.cancel()
                self._stirred.clear()
            for task in (watch, ticks):
                if task.done() and not lost.done():
                    task.result()
        finally:
            for task in (ticks, watch):
                task.cancel()
            await asyncio.gather(ticks, watch, return_exceptions=True)

    async def _watch(self, engine: Engine, generation: int, subscribed: dict[str, Any]) -> None:
        """Follow changes of publication and subscriptions; ends when the client is to be another one."""
        service = self._service
        answers: set[asyncio.Task[None]] = set()
        try:
            while service.settings.generation == generation:
                await self._changed.wait()
                self._changed.clear()
                before = self._publisher
                self._configure(service.settings)
                if service.settings.generation != generation:
                    return
                wanted = self._wanted()
                engine.unsubscribe(name for name in subscribed if name not in wanted)
                news = {name: qos for name, qos in wanted.items() if subscribed.get(name) != qos}
                answer = asyncio.create_task(self._subscribe(engine, news))  # the broker may never answer
                answers.add(answer)
                answer.add_done_callback(answers.discard)
                subscribed = wanted
                if self._publisher.config != before.config:
                    self._publish_states()
                    self._stirred.set()
        finally:
            for answer in answers:
                answer.cancel()
            await asyncio.gather(*answers, return_exceptions=True)

    def _wanted(self) -> dict[str, Any]:
        """Filter to QoS; the highest where two subscriptions share a filter."""
        wanted: dict[str, Any] = {}
        for each in self._service.settings.subscriptions.mqtt_filter_list:
            name = self._service.effective(each)
            wanted[name] = max(wanted.get(name, 0), each.qos)
        return wanted

    async def _subscribe(self, engine: Engine, filters: dict[str, Any]) -> None:
        for name, code in zip(filters, await engine.subscribe(filters.items()), strict=False):
            if code >= 0x80:
                log.warning("MQTT: the broker refused the subscription to %r (0x%02x)", name, code)

    async def _tick(self, engine: Engine) -> None:
        while True:
            await asyncio.sleep(1.0)
            engine.tick()

    def _drop(self, engine: Engine) -> None:
        link, self._link = self._link, None
        if link is not None:
            engine.drop()
            link.abort()

    async def _leave(self, engine: Engine, config: ClientConfig) -> None:
        """Say goodbye."""
        message = self._status_message(config.disconnect_message, False, "Disconnected")
        if message is not None:
            engine.publish(message)
        await engine.disconnect(GOODBYE_S)
        self._link = None  # it closes by itself

    async def _set_connected(self, generation: int | None) -> None:
        self._service.connected_as = generation
        with contextlib.suppress(AxError):
            await self._ledger.run(lambda tx: self._service.on_connection(tx, generation is not None))

    def _target(self, config: ClientConfig) -> Target:
        from .link import Target

        server, tls = config.server, config.ssl
        context = None
        if server.protocol in ("ssl", "wss"):
            context = self._service.certificates.context(
                verify=tls.validate_server_cert,
                ca=tls.ca_cert_id,
                client=tls.client_cert_id,
                alpn=server.alpn_protocol or ("http/1.1" if server.protocol == "wss" else ""),
            )
        return Target(
            host=server.host.strip("[]"),
            port=server.port or DEFAULT_PORTS[server.protocol],
            tls=context,
            websocket=server.protocol in ("ws", "wss"),
            path=server.basepath,
            proxy=config.https_proxy if context is not None else config.http_proxy,
        )

    # --- publication

    def _status_message(self, message: StatusMessage, connected: bool, description: str) -> Message | None:
        if message.use_default:
            payload = msgspec.json.encode({"connected": connected, "Description": description})
            return Message(f"{self._service.prefix}/event/connection", payload, message.qos, True)
        if not message.topic:
            return None
        return Message(message.topic, message.message.encode(), message.qos, message.retain)

    def _greet(self, engine: Engine, config: ClientConfig) -> None:
        message = self._status_message(config.connect_message, True, "Connected")
        if message is not None:
            engine.publish(message)
        self._publish_states()

    def _publish_states(self) -> None:
        """Queue the present state of every property that is published."""
        states = sorted(self._bus.properties(), key=lambda event: event.id)
        for event in states:
            self._snapshot_id = max(self._snapshot_id, event.id)
            self._publish_event(event)

    def _publish_event(self, event: Event) -> None:
        message = self._publisher.message(event)
        if message is not None:
            self._service.outgoing.post(message)

    async def _follow_events(self) -> None:
        with self._bus.subscribe(EVENT_BACKLOG) as events:
            told = 0
            async for event in events:
                if events.dropped > told:
                    self._events_lost += events.dropped - told
                    told = events.dropped
                if not event.is_property or event.id > self._snapshot_id:  # the snapshot has told it, or a newer state
                    self._publish_event(event)

    def _pump(self, engine: Engine) -> None:
        outgoing = self._service.outgoing
        while engine.has_room and (message := outgoing.take()) is not None:
            if not engine.publish(message):
                self._too_large += 1

    # --- subscriptions

    def _on_message(self, topic: str, payload: bytes, retained: bool, whole: bool) -> None:
        self._pace.add(self._time())
        if self._incoming.put(topic, payload, retained=retained, whole=whole):
            self._arrived.set()

    async def _consume(self) -> None:
        """Hand messages to the ledger: at once when few come, in lazy batches when many do."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batches: list[list[Arrival]] = []
            while self._incoming and len(batches) < JOBS_AT_ONCE:
                batches.append(self._incoming.take(JOB_MESSAGES))
            lazy = len(batches) > 1 or self._pace.many(self._time())
            jobs = (self._ledger.run(partial(self._service.on_messages, arrivals=b), lazy=lazy) for b in batches)
            results = await asyncio.gather(*jobs, return_exceptions=True)
            full = [b for b, result in zip(batches, results, strict=True) if isinstance(result, QueueFullError)]
            for batch in reversed(full):
                self._incoming.put_back(batch)
            for result in results:
                if isinstance(result, Exception) and not isinstance(result, QueueFullError):
                    log.error("MQTT messages could not be handled: %s", result)
            if full:
                await asyncio.sleep(RETRY_S)
            if self._incoming:
                self._arrived.set()

    # --- loss

    async def _tell_losses(self) -> None:
        while True:
            await asyncio.sleep(LOSS_EVERY_S)
            sent = self._service.outgoing.lost + self._events_lost + self._too_large
            received = self._incoming.lost
            for component, count in (
                ("mqtt publication", sent - self._lost_sent),
                ("mqtt subscription", received - self._lost_in),
            ):
                if count:
                    with contextlib.suppress(AxError):
                        await self._ledger.run(partial(self._service.on_loss, component=component, count=count))
            self._lost_sent, self._lost_in = sent, received
