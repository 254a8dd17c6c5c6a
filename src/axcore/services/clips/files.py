"""The files of clips: ``clips/`` in the data directory. A file is whole and on the disk before a record names it.

Names are made here and nowhere else: 16 random hexadecimal digits. What users call a clip never becomes a path.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path

from axcore.errors import NotFoundError, StoreError

FOLDER = "clips"
_NAME = re.compile(r"[0-9a-f]{16}\.au")
FRESH = ".new"


class ClipFiles:
    """Methods may be called from any thread; those that change something raise StoreError."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def path(self, name: str) -> Path:
        """Where the file of that name is. NotFoundError (``file``) for what is no name of ours."""
        if not _NAME.fullmatch(name):
            raise NotFoundError("file", "is no clip")
        return self._folder / name

    def begin(self) -> Path:
        """An empty file to be filled; ``keep`` or ``drop`` it."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            path = self._folder / f"{secrets.token_hex(8)}.au{FRESH}"
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError(str(self._folder), f"cannot be written: {error.strerror}") from error
        return path

    def keep(self, fresh: Path) -> tuple[str, int]:
        """Make a filled file durable; gives its name and its size."""
        name = fresh.name.removesuffix(FRESH)
        try:
            _sync(fresh, os.O_RDONLY)
            os.rename(fresh, self._folder / name)
            _sync(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            return name, (self._folder / name).stat().st_size
        except OSError as error:
            self.drop(fresh)
            raise StoreError(str(self._folder), f"cannot be written: {error.strerror}") from error

    @staticmethod
    def drop(path: Path) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError):
            path.unlink()

    def sweep(self, known: Collection[str]) -> list[str]:
        """Remove what no record names: half of an upload, a clip whose removal was cut short. Gives the names."""
        gone: list[str] = []
        try:
            entries = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return gone
        except OSError as error:
            raise StoreError(str(self._folder), f"cannot be read: {error.strerror}") from error
        for entry in entries:
            if entry not in known:
                self.drop(self._folder / entry)
                gone.append(entry)
        return gone


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
