"""An OSDP line in memory and in virtual time: one controller, any devices, and a place to do harm."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from axcore._native.osdp_line import NEVER, ControlPanel, Event, PeripheralDevice

Harm = Callable[[int, bytes], bytes | None]
"""Gets the index of the device (-1: the controller speaks) and the bytes; gives what arrives, None for nothing."""


def _unharmed(_who: int, data: bytes) -> bytes | None:
    return data


class MemoryLine:
    """Moves bytes between a ``ControlPanel`` and devices. ``baud`` 0: bytes take no time; ``delay_ns`` is a device's.

    ``panel_events`` and ``device_events`` collect what was told; ``sent`` is what the controller sent, with times.
    """

    def __init__(
        self,
        panel: ControlPanel,
        devices: Sequence[PeripheralDevice],
        *,
        baud: int = 0,
        delay_ns: int = 1_000_000,
        harm: Harm = _unharmed,
    ) -> None:
        self.panel = panel
        self.devices = list(devices)
        self.baud = baud
        self.delay_ns = delay_ns
        self.harm = harm
        self.dead: set[int] = set()
        """Devices without power."""
        self.t_ns = 1_000_000_000
        self.sent: list[tuple[int, bytes]] = []
        self.received: list[tuple[int, int, bytes]] = []
        self.panel_events: list[Event] = []
        self.device_events: list[tuple[int, Event]] = []
        self._order = 0
        self._flying: list[tuple[int, int, int, bytes]] = []

    def _wire_ns(self, size: int) -> int:
        return size * 10_000_000_000 // self.baud if self.baud else 0

    def _fly(self, to: int, at_ns: int, data: bytes) -> None:
        self._order += 1
        heapq.heappush(self._flying, (at_ns, self._order, to, data))

    def _panel(self, data: bytes) -> None:
        out = self.panel.step(data, self.t_ns)
        self.panel_events += self.panel.events()
        if not out:
            return
        self.sent.append((self.t_ns, out))
        arrived = self.harm(-1, out)
        if arrived is not None:
            for index in range(len(self.devices)):
                self._fly(index, self.t_ns + self._wire_ns(len(out)), arrived)

    def _device(self, index: int, data: bytes) -> None:
        if index in self.dead:
            return
        device = self.devices[index]
        out = device.step(data, self.t_ns)
        self.device_events += [(index, event) for event in device.events()]
        if not out:
            return
        arrived = self.harm(index, out)
        if arrived is not None:
            at_ns = self.t_ns + self.delay_ns + self._wire_ns(len(out))
            self.received.append((at_ns, index, arrived))
            self._fly(-1, at_ns, arrived)

    def _next_ns(self) -> int:
        deadlines = [self.panel.deadline_ns]
        deadlines += [d.deadline_ns for i, d in enumerate(self.devices) if i not in self.dead]
        deadlines += [self._flying[0][0]] if self._flying else []
        return max(self.t_ns, min(deadlines))

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass; stops early, with True, when ``until`` holds."""
        end = self.t_ns + round(seconds * 1e9)
        while True:
            if until is not None and until():
                return True
            at_ns = self._next_ns()
            if at_ns == NEVER or at_ns > end:
                self.t_ns = max(self.t_ns, end)
                return False
            self.t_ns = at_ns
            if self._flying and self._flying[0][0] <= at_ns:
                _, _, to, data = heapq.heappop(self._flying)
                if to < 0:
                    self._panel(data)
                else:
                    self._device(to, data)
                continue
            for index in range(len(self.devices)):
                if self.devices[index].deadline_ns <= at_ns:
                    self._device(index, b"")
            if self.panel.deadline_ns <= at_ns:
                self._panel(b"")
