"""A decoder in the callback style that is common on small boards, written by us: it checks nothing but the pause."""

from collections.abc import Callable


class CallbackDecoder:
    """Falling edges only: append a bit, and take a pause of ``timeout_ns`` as the end of the frame."""

    def __init__(self, callback: Callable[[int, int], None], timeout_ns: int = 5_000_000) -> None:
        self.callback = callback
        self.timeout_ns = timeout_ns
        self.value = 0
        self.bits = 0
        self.last_ns = 0

    def edge(self, t_ns: int, line: int, level: int) -> None:
        if level:
            return
        if self.bits and t_ns - self.last_ns > self.timeout_ns:
            self.callback(self.bits, self.value)
            self.bits = self.value = 0
        self.value = self.value << 1 | line
        self.bits += 1
        self.last_ns = t_ns
