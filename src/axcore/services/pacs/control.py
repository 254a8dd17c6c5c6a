"""What the interfaces of access control need of those who own the doors and the readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from axcore.devices import DeviceModel
    from axcore.devices.door import DoorMachine
    from axcore.model.doors import DoorState
    from axcore.runtime.transaction import Transaction
    from axcore.services.pacs.decision import Decision, Request


class DoorControl(Protocol):
    """Commands to doors, as jobs of the ledger. NotFoundError for a door that there is not or that is not set up.

    ConflictError when a door cannot do it now.
    """

    @property
    def model(self) -> DeviceModel:
        """The device, with its lines."""

    def state(self, token: str) -> DoorState:
        """``GetDoorState``."""

    def machine(self, token: str) -> DoorMachine:
        """The door: its set-up, priority levels and states."""

    def line_of(self, token: str, usage: str) -> str:
        """The line that a door has for a usage of the I/O assignment service; empty: none."""

    def access(
        self,
        tx: Transaction,
        token: str,
        request: str = "",
        *,
        unlock: bool = True,
        extended: bool = False,
        access_ms: int | None = None,
        open_too_long_ms: int | None = None,
        pre_alarm_ms: int | None = None,
    ) -> object:
        """``AccessDoor``; without ``unlock`` ``AccessDoorWithoutUnlock``."""

    def command(self, tx: Transaction, token: str, command: str, level: str = "") -> object:
        """``LockDoor``, ``UnlockDoor``, ``DoubleLockDoor``, ``BlockDoor``, ``ReleaseDoor`` (with a priority level),
        ``LockDownDoor``, ``LockDownReleaseDoor``, ``LockOpenDoor``, ``LockOpenReleaseDoor``.
        """


class ReaderControl(Protocol):
    """Readers (id points), as jobs of the ledger. NotFoundError for one that there is not."""

    def request_access(self, tx: Transaction, request: Request) -> Decision:
        """``RequestAccess``: decide and, if it is granted, open; the outcome is told when it is known."""

    def present(self, tx: Transaction, id_point: str, id_data: Mapping[str, str]) -> object:
        """Decide on what was shown at the reader, as somebody else has seen and told it. NotFoundError: no line."""

    def last(self, id_point: str) -> Mapping[str, str]:
        """IdData of the last card; never a PIN. Any thread."""

    def line_of(self, id_point: str, usage: str) -> str:
        """The I/O that a reader has for a usage of the I/O assignment service; empty: none. Any thread."""

    def is_online(self, id_point: str) -> bool:
        """Whether the reader answers. Any thread."""

    def feedback(self, tx: Transaction, id_point: str, message: str) -> object:
        """Show an outcome (``AccessGranted``, ``AccessDenied`` ...) by light and sound."""


class Channel(Protocol):
    """How an OSDP reader is talked to."""

    @property
    def link(self) -> str:
        """``secure``, ``clear`` or ``offline``."""

    @property
    def has_key(self) -> bool:
        """Whether there is a base key for it."""


class ChannelControl(Protocol):
    """The lines of readers."""

    def channel(self, id_point: str) -> Channel | None:
        """How a reader is talked to; None: not by OSDP. Any thread."""
