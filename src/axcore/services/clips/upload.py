"""Uploads: a file from a stranger is decoded in a process of its own, then kept, then recorded.

That process has bounds on memory, time and disk (``axcore.audio.clips``), so that a file that is made to hurt hurts
nothing but itself; and the device never loads what decoding needs. Whatever fails, and whenever the device dies, there
is a clip with all of its file or none. Belongs to the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.errors import InputError, QueueFullError, StoreError
from axcore.model.clips import MAX_BYTES, MAX_SECONDS, AudioClip

from .delivered import RATE
from .service import ClipService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

TIMEOUT_S = 60.0
MOST_WAITING = 4
"""Uploads that wait for the one that is decoded; more would be memory."""
MODULE = "axcore.audio.clips"


class RunJob(Protocol):
    """``Ledger.run``."""

    def __call__(self, job: Callable[[Transaction], Any], *, actor: str = "") -> Awaitable[Any]: ...


class Told(msgspec.Struct):
    """What the decoding process says."""

    format: str = ""
    seconds: float = 0.0
    field: str = ""
    reason: str = ""


class Uploader:
    """Adds clips from files."""

    def __init__(self, clips: ClipService, run: RunJob) -> None:
        self._clips = clips
        self._run = run
        self._decoding = asyncio.Lock()
        self._waiting = 0

    async def add(self, data: bytes, *, name: str = "", actor: str = "") -> AudioClip:
        """Decode and keep a file. InputError (``file``, ``name``), LimitError, QueueFullError, StoreError."""
        clips = self._clips
        if not data:
            raise InputError("file", "is empty")
        if len(data) > MAX_BYTES:
            raise InputError("file", f"has {len(data)} bytes; {MAX_BYTES} at most")
        clips.check_new(name)
        if self._waiting > MOST_WAITING:
            raise QueueFullError("too many uploads at once, try again")
        self._waiting += 1
        try:
            async with self._decoding:
                fresh = await asyncio.to_thread(clips.files.begin)
                try:
                    told = await decode(data, fresh)
                    file, size = await asyncio.to_thread(clips.files.keep, fresh)
                except BaseException:
                    clips.files.drop(fresh)
                    raise
        finally:
            self._waiting -= 1

        def record(tx: Transaction) -> AudioClip:
            return clips.add(tx, file, size, name=name, seconds=told.seconds, kind=told.format)

        try:
            clip: AudioClip = await self._run(record, actor=actor)
        except BaseException:  # refused; or the client has gone, and it may still be recorded
            clips.forget(file)
            raise
        return clip


async def decode(data: bytes, out: Path, timeout_s: float = TIMEOUT_S) -> Told:
    """Have a process of its own turn a file into ``out``. InputError (``file``) says what is wrong with the file."""
    command = (sys.executable, "-m", MODULE, str(RATE), str(MAX_BYTES), str(MAX_SECONDS), str(out))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    try:
        async with asyncio.timeout(timeout_s):
            answer, _ = await process.communicate(data)
    except TimeoutError:
        raise InputError("file", f"takes more than {timeout_s:g} s to decode") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        told = msgspec.json.decode(answer, type=Told)
    except msgspec.DecodeError:
        raise InputError("file", "is damaged: it could not be decoded") from None
    if told.field:
        raise InputError(told.field, told.reason)
    if process.returncode != 0 or not told.format:
        raise StoreError(str(out), told.reason or "the decoded clip could not be written")
    return told
