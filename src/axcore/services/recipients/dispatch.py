"""The workers: one task and one bounded queue for each recipient, so that a black hole delays nobody but itself.

A delivery has ``TOTAL_SECONDS``, attempts included. What fails for a passing reason is tried again; what fails for
good, or finds the queue full, is told by ``Delivery.failed`` (``Losses``). Threads: the loop; deliveries come from any
thread through the ``Outbox``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from axcore.errors import NotFoundError
from axcore.model.recipients import (
    EmailTarget,
    FtpTarget,
    HttpsTarget,
    HttpTarget,
    NetworkShareTarget,
    SftpTarget,
    Target,
    TcpTarget,
    TrapTarget,
)
from axcore.runtime.outbox import Outbox

from .delivery import Delivery, DeliveryError, File
from .dial import Dialer, reason_of
from .losses import Losses
from .parcel import Parcel

log = logging.getLogger(__name__)

QUEUE = 100
"""Deliveries that wait for one recipient; the 101st is refused and told."""
BOX = 1000
"""Deliveries that wait for the loop."""
TOTAL_SECONDS = 60.0
ATTEMPTS = 3
PAUSES = (1.0, 4.0)
"""Seconds before the second and the third attempt."""
IDLE_SECONDS = 60.0
"""A worker without work ends after this."""

MAX_TESTS = 4
"""*Test* at the same time."""
TEST_TEXT = "This is a test.\n"

Send = Callable[[Target | TrapTarget, Parcel, Dialer], Awaitable[None]]
Pack = Callable[[Delivery], Parcel]
"""Replaces modifiers and makes files; may block, so it runs in a thread."""
Find = Callable[[str], Target | TrapTarget]
"""The target of a recipient's id, as it is now. Raises NotFoundError."""


async def send(target: Target | TrapTarget, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver by the way that the target says. Raises DeliveryError."""
    if isinstance(target, HttpTarget | HttpsTarget):
        from .senders import http

        await http.send(target, parcel, dialer)
    elif isinstance(target, TcpTarget):
        from .senders import tcp

        await tcp.send(target, parcel, dialer)
    elif isinstance(target, EmailTarget):
        from .senders import smtp

        await smtp.send(target, parcel, dialer)
    elif isinstance(target, FtpTarget):
        from .senders import ftp

        await ftp.send(target, parcel, dialer)
    elif isinstance(target, SftpTarget):
        from .senders import sftp

        await sftp.send(target, parcel, dialer)
    elif isinstance(target, NetworkShareTarget):
        from .senders import smb

        await smb.send(target, parcel, dialer)
    else:
        from .senders import snmp

        await snmp.send(target, parcel, dialer)


async def within(target: Target | TrapTarget, parcel: Parcel, dialer: Dialer, *, by: Send = send) -> None:
    """One attempt, ``TOTAL_SECONDS`` at most. Raises DeliveryError."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            await by(target, parcel, dialer)
    except TimeoutError:
        raise DeliveryError(f"took longer than {TOTAL_SECONDS:.0f} s") from None
    except (OSError, ValueError) as error:
        raise DeliveryError(reason_of(error)) from error


class _Worker:
    def __init__(self) -> None:
        self.queue: deque[Delivery] = deque()
        self.losses = Losses()
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Dispatcher:
    """See the module's text. ``refused`` counts deliveries that found a queue full."""

    def __init__(self, box: Outbox[Delivery], find: Find, pack: Pack, dialer: Dialer, *, by: Send = send) -> None:
        self.refused = 0
        self.delivered = 0
        self.dialer = dialer
        self._box, self._find, self._pack, self._by = box, find, pack, by
        self._workers: dict[str, _Worker] = {}
        self._testing = 0

    @property
    def workers(self) -> int:
        """Recipients that something is being delivered to, or was a minute ago."""
        return len(self._workers)

    async def run(self) -> None:
        """Take deliveries from the box and hand them out, for ever."""
        try:
            while True:
                self.take(await self._box.get())
        finally:
            for key, worker in self._workers.items():
                if worker.queue:
                    log.warning("%d messages for recipient %s were not sent", len(worker.queue), key)
                if worker.task is not None:
                    worker.task.cancel()
            self._workers.clear()

    async def test(self, target: Target | TrapTarget) -> None:
        """Deliver something small now, in one attempt, past every queue. Raises DeliveryError."""
        if self._testing >= MAX_TESTS:
            raise DeliveryError(f"{MAX_TESTS} tests are under way; try again when one is over")
        file = File(name="axcore-test.txt", content=TEST_TEXT.encode(), content_type="text/plain")
        files = () if isinstance(target, HttpTarget | HttpsTarget | TcpTarget | EmailTarget) else (file,)
        parcel = Parcel(method="GET", text=TEST_TEXT, subject="Test", files=files, test=True)
        self._testing += 1
        try:
            await within(target, parcel, self.dialer, by=self._by)
        finally:
            self._testing -= 1

    def take(self, delivery: Delivery) -> None:
        """Queue a delivery for its recipient."""
        key = delivery.recipient
        worker = self._workers.get(key)
        if worker is None:
            worker = self._workers[key] = _Worker()
            worker.task = asyncio.get_running_loop().create_task(self._work(key, worker), name=f"recipient {key}")
        if len(worker.queue) >= QUEUE:
            self.refused += 1
            worker.losses.tell(delivery, f"{QUEUE} messages wait for this recipient already; this one is dropped")
            return
        worker.queue.append(delivery)
        worker.wake.set()

    async def _work(self, key: str, worker: _Worker) -> None:
        try:
            while True:
                while worker.queue:
                    await self._deliver(worker.queue.popleft(), worker.losses)
                worker.losses.settle()
                worker.wake.clear()
                async with asyncio.timeout(IDLE_SECONDS):
                    await worker.wake.wait()
        except TimeoutError:
            pass
        finally:
            if self._workers.get(key) is worker:
                del self._workers[key]

    async def _deliver(self, delivery: Delivery, losses: Losses) -> None:
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                await self._attempts(delivery)
            self.delivered += 1
        except TimeoutError:
            losses.tell(delivery, f"not delivered within {TOTAL_SECONDS:.0f} s")
        except (DeliveryError, NotFoundError) as error:
            losses.tell(delivery, error.reason)
        except Exception as error:
            log.exception("a delivery failed")
            losses.tell(delivery, reason_of(error))

    async def _attempts(self, delivery: Delivery) -> None:
        parcel = await asyncio.to_thread(self._pack, delivery)
        for attempt in range(ATTEMPTS):
            target = self._find(delivery.recipient)  # as it is now
            try:
                await self._by(target, parcel, self.dialer)
                return
            except DeliveryError as error:
                if not error.transient or attempt == ATTEMPTS - 1:
                    raise
            except TimeoutError:
                raise
            except (OSError, ValueError) as error:
                raise DeliveryError(reason_of(error)) from error
            await asyncio.sleep(PAUSES[attempt])
