"""For all tests: no test has a limit in wall-clock time, so hypothesis gets none either; loops leave nothing behind."""

import asyncio
import sys
from typing import Any

from hypothesis import settings

settings.register_profile("axcore", deadline=None)
settings.load_profile("axcore")

TURNS = 4
"""Of the loop, until the protocols above a transport that was aborted (TLS, streams) know of it."""


class Loop(asyncio.SelectorEventLoop):
    """Ends its connections when it is closed.

    asyncio leaves those that are still open, or have not told yet that they are closed, to the garbage collector: their
    warning would fail whatever test runs then.
    """

    def close(self) -> None:
        if not (self.is_closed() or self.is_running() or asyncio._get_running_loop()):
            transports: Any = getattr(self, "_transports", {})
            for transport in list(transports.values()):
                transport.abort()
            for _ in range(TURNS):
                self.run_until_complete(asyncio.sleep(0))
        super().close()


if sys.version_info < (3, 14):  # from there on policies are deprecated

    class Policy(asyncio.DefaultEventLoopPolicy):
        """Every new loop of a test is a ``Loop``."""

        def new_event_loop(self) -> Loop:
            return Loop()

    asyncio.set_event_loop_policy(Policy())
