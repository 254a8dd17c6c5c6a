"""The door icon: steady green while the door is open (manual: Indicator icons).

Open is what the station can know of: the output that the request to exit opens is active, or an input whose usage is
``Door`` (a door contact) is. It is shown after what opened the door was committed: a light is nothing that a lock waits
for. Jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from axcore.model import events

from .service import IndicatorService

if TYPE_CHECKING:
    from axcore.model.events import Event
    from axcore.model.ports import Port
    from axcore.runtime.ledger import Transaction

LED, COLOR, OWNER = "statusDoor", "green", "door"
USAGE = "door"


class DoorIcon:
    """See the module's text.

    Args:
        ports: the ports as they are set.
        lock: the number of the port that opens the door; None: none does.
        submit: takes jobs for the ledger thread.
    """

    def __init__(
        self,
        indicators: IndicatorService,
        ports: Callable[[], tuple[Port, ...]],
        lock: Callable[[], int | None],
        submit: Callable[[Callable[[Transaction], None]], None],
    ) -> None:
        self._indicators, self._ports, self._lock, self._submit = indicators, ports, lock, submit
        self._open: frozenset[int] = frozenset()

    def on_port(self, tx: Transaction, event: Event) -> None:
        """A port is in another state (``IO_PORT``, ``IO_OUTPUT_PORT``)."""
        number = int(event.source["port"])
        counts = number == self._lock() if event.topic == events.IO_OUTPUT_PORT else self._contact(number)
        is_open = self._open | {number} if counts and event.data["state"] == "1" else self._open - {number}
        if is_open == self._open:
            return
        tx.assign(self, "_open", is_open)
        tx.after_commit(lambda: self._submit(lambda later: self._show(later, event.correlation)))

    def _show(self, tx: Transaction, correlation: str | None) -> None:
        if self._open:
            self._indicators.light(tx, LED, COLOR, owner=OWNER, correlation=correlation)
        else:
            self._indicators.release(tx, LED, OWNER, correlation)

    def _contact(self, number: int) -> bool:
        return any(port.id == number and port.config.usage.casefold() == USAGE for port in self._ports())
