"""A progress bar on the terminal: that of ``rich`` where it is installed (``axcore[cli]``), else one of its own.

Nothing is shown where nobody looks: standard error is no terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

WIDTH = 30


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives a function that is told how much of ``total`` is done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ModuleNotFoundError:
        with _plain(what, total) as told:
            yield told
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextlib.contextmanager
def _plain(what: str, total: int) -> Iterator[Callable[[int], None]]:
    shown = -1

    def told(done: int) -> None:
        nonlocal shown
        percent = 100 * done // max(total, 1)
        if percent != shown:
            shown = percent
            full = WIDTH * percent // 100
            sys.stderr.write(f"\r{what} [{'#' * full}{'.' * (WIDTH - full)}] {percent:3d} %")
            sys.stderr.flush()

    try:
        yield told
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
