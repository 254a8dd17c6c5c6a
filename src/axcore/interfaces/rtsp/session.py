"""One stream that a client has set up: its transport, its packets, and the task that follows the events for it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from axcore.interfaces.streams.follow import Follower, Login
from axcore.interfaces.streams.notification import metadata_stream_xml

from .rtp import MAX_PAYLOAD, Sender
from .target import Target, Transport

if TYPE_CHECKING:
    from axcore.rules.filters import Filter
    from axcore.runtime.bus import Bus
    from axcore.runtime.clock import Clock

log = logging.getLogger(__name__)

TIMEOUT: Final = 60
"""Seconds without a sign of life, as told to the client ..."""
GRACE: Final = 5
"""... and those that it gets for being late."""
BURST: Final = 16
"""Datagrams in one go: a player's socket holds some hundred of them."""
PAUSE: Final = 0.02
"""Seconds between bursts: a player that does not run for a tenth of a second loses none of the initial states."""
REPORT_NS: Final = 5_000_000_000
"""Between sender reports."""


class Peer:
    """Where packets go. ``send(rtcp, data)`` sends one; ``drained`` waits while the client does not take them."""

    def __init__(self, send: Callable[[bool, bytes], None], drained: Callable[[], asyncio.Future[None] | None]) -> None:
        self.send = send
        self.drained = drained


class Session:
    """Set up, then played, paused and played again, then ended. Lives on the loop."""

    def __init__(self, bus: Bus, clock: Clock, login: Login, target: Target, filters: tuple[Filter, ...]) -> None:
        self.id = secrets.token_hex(8)
        self.target = target
        self.login = login
        self.transport: Transport | None = None
        self.alive_ns = clock.mono_ns()
        """When the client last gave a sign of life."""
        self.lost = 0
        """Events that did not get through."""
        self._bus, self._clock, self._filters = bus, clock, filters
        self._peer: Peer | None = None
        self._sender = Sender(secrets.randbits(32), secrets.randbits(16), secrets.randbits(32))
        self._follower: Follower | None = None
        self._task: asyncio.Task[None] | None = None
        self._reported_ns = 0

    @property
    def ssrc(self) -> int:
        return self._sender.ssrc

    @property
    def playing(self) -> bool:
        return self._task is not None

    @property
    def broken(self) -> bool:
        """It should play and does not any more."""
        return self._task is not None and self._task.done()

    @property
    def position(self) -> tuple[int, int]:
        """Sequence number and RTP time of the next packet."""
        return self._sender.sequence, self._sender.timestamp(self._clock.mono_ns())

    def set_up(self, transport: Transport, peer: Peer) -> None:
        """Where the packets shall go; not while it plays."""
        self.transport, self._peer = transport, peer

    def play(self, name: str) -> None:
        """Send every property once, then what happens. ``name`` is for the log."""
        if self._task is None:
            self._follower = Follower(self._bus, self.login.identity, name)
            self._follower.configure(self._filters)
            self._task = asyncio.create_task(self._run(self._follower))

    def pause(self) -> None:
        """Send nothing until it is played again."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._follower is not None:
            self.lost += self._follower.dropped
            self._follower.close()
            self._follower = None

    def end(self) -> None:
        """Say goodbye, if anything was ever sent."""
        self.pause()
        if self._sender.packets and self._peer is not None:
            self._peer.send(True, self._sender.bye(self._clock.mono_ns(), self._clock.wall_ns()))
        self._peer = None

    def expired(self, now_ns: int) -> bool:
        """No sign of life for too long."""
        return now_ns - self.alive_ns > (TIMEOUT + GRACE) * 1_000_000_000

    def report(self, now_ns: int) -> None:
        """Send a sender report when one is due."""
        if self.playing and self._peer is not None and now_ns - self._reported_ns >= REPORT_NS:
            self._reported_ns = now_ns
            self._peer.send(True, self._sender.report(now_ns, self._clock.wall_ns()))

    async def _run(self, follower: Follower) -> None:
        burst = 0
        while await follower.ready():
            found = follower.take()
            if found is None:
                continue
            assert self._peer is not None
            if (blocked := self._peer.drained()) is not None:
                await blocked
            if not self.login.holds():
                return
            payload = metadata_stream_xml(found.event, found.operation)
            if len(payload) > MAX_PAYLOAD:
                self.lost += 1
                log.warning("an event of %d octets fits into no packet", len(payload))
                continue
            self._peer.send(False, self._sender.packet(payload, self._clock.mono_ns()))
            burst = burst + 1 if follower.waiting else 0
            if burst >= BURST:
                burst = 0
                await asyncio.sleep(0 if self.transport and self.transport.tcp else PAUSE)
