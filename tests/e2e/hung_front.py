"""The program of a voice process whose TLS front hangs once: where ``HUNG_FRONT`` names no file yet."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from axcore.voice import front, stack, watch
from axcore.voice.__main__ import main

_start = front.Front.start


def start(self: front.Front) -> None:
    """Start, and hang."""
    _start(self)
    hung = Path(os.environ["HUNG_FRONT"])
    if not hung.exists():
        hung.touch()
        self.ask(hang)


def hang() -> None:
    """For ever."""
    threading.Event().wait()


if __name__ == "__main__":
    front.Front.start = start  # type: ignore[method-assign]
    watch.LOOK_NS = 1  # type: ignore[misc]
    stack.POLL_MS = 20  # type: ignore[misc]
    sys.exit(main())
