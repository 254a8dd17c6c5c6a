"""Paths of calls through NAT (``services.intercom.paths.PathFinder``), in an event loop of their own.

    paths = NatPaths(host="192.0.2.5")
    paths.gather("1", 20000, Traversal(ice=True, turn="turn.example", ...), done)    # done(Gathered) within a second
    native.start("1", paths.start("1", agreed))
    paths.stop("1")

With STUN alone the sound goes over the native sockets, whose public address is asked for before they are opened. ICE
and TURN have a path of their own (``drivers.ice``). Before it is needed nothing of it is loaded, and no thread runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from axcore.errors import AxError
from axcore.model.nat import Gathered, PathTold, Traversal
from axcore.model.voice import NOWHERE, AgreedMedia

if TYPE_CHECKING:
    from .ice import Path

LIMIT_S: Final = 1.0
"""That servers have, all at the same time; a call waits no longer."""
LAST_WORDS_S: Final = 1.0


class NatPaths:
    """See the module's text. ``host``: address of the native sockets, empty: all; ``limit_s``: that servers have."""

    def __init__(self, host: str = "", *, limit_s: float = LIMIT_S) -> None:
        self._host, self.limit_s = host, limit_s
        self._told: Callable[[PathTold], None] = lambda told: None
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._paths: dict[str, Path | None] = {}
        """By leg; None: it is being found, or there is none of its own."""
        self._jobs: set[asyncio.Task[None]] = set()

    def listen(self, on_told: Callable[[PathTold], None]) -> None:
        """Tell of what becomes of paths from now on. Set-up."""
        self._told = on_told

    def gather(self, leg: str, port: int, how: Traversal, done: Callable[[Gathered], None]) -> None:
        """See ``PathFinder``."""
        with self._lock:
            if not self._closed:
                self._paths[leg] = None
                self._running().call_soon_threadsafe(self._do, lambda: self._gather(leg, port, how, done))

    def start(self, leg: str, media: AgreedMedia) -> AgreedMedia:
        """See ``PathFinder``."""
        with self._lock:
            path = self._paths.get(leg)
            if path is None or self._loop is None or media.remote_address in NOWHERE:
                return media
            self._loop.call_soon_threadsafe(path.start, media)
        return replace(media, remote_address=path.inner[0], remote_port=path.inner[1], ice=None)

    def stop(self, leg: str) -> None:
        """See ``PathFinder``."""
        with self._lock:
            if self._loop is None:  # ``close`` does it
                return
            path = self._paths.pop(leg, None)
            if path is not None:
                self._loop.call_soon_threadsafe(self._do, path.close)

    def close(self) -> None:
        """Give all paths up; nothing runs any more when this returns."""
        with self._lock:
            self._closed = True
            thread, loop, self._thread, self._loop = self._thread, self._loop, None, None
        if thread is not None and loop is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    # --- the thread

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="nat paths", daemon=True)
            self._thread.start()
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(self._end())
        finally:
            loop.close()

    async def _end(self) -> None:
        with self._lock:
            paths, self._paths = [path for path in self._paths.values() if path is not None], {}
        for path in paths:
            self._do(path.close)
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=LAST_WORDS_S)
        for _ in range(3):  # what is ended may begin to close something
            left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=LAST_WORDS_S)
        for _ in range(2):  # transports close their sockets in the turn after they were told
            await asyncio.sleep(0)

    def _do(self, job: Callable[[], object]) -> None:
        task = asyncio.ensure_future(job())  # type: ignore[call-overload]
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _gather(self, leg: str, port: int, how: Traversal, done: Callable[[Gathered], None]) -> None:
        found = Gathered(port=port)
        try:
            found = await self._found(leg, port, how)
        except ImportError:
            found = Gathered(port=port, fault="needs aioice (extra axcore[voice])")
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            found = Gathered(port=port, fault=f"ports of RTP {port}: {error.strerror or error}", taken=taken)
        finally:
            with contextlib.suppress(AxError):  # the device is stopping
                done(found)

    async def _found(self, leg: str, port: int, how: Traversal) -> Gathered:
        from .ice import Path, reflexive

        if not how.ice and not how.turn:
            return await reflexive(self._host, port, how, self.limit_s)
        path = Path(leg, self._host, port, self._tell)
        try:
            found = await path.gather(how, self.limit_s)
        except BaseException:
            await path.close()
            raise
        with self._lock:
            wanted = leg in self._paths
            if wanted:
                self._paths[leg] = path
        if not wanted:
            await path.close()
        return found

    def _tell(self, told: PathTold) -> None:
        with contextlib.suppress(AxError):
            self._told(told)
