"""Relays that are not on the board: of expansion modules, of a hub of wireless locks. They go by ``<owner>.<name>``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from axcore.model.ports import Circuit
from axcore.services.doors.outputs import Relays
from axcore.services.doors.service import Lines


class RemoteRelays(Relays, Protocol):
    """Relays of doors that have no terminals."""

    def line(self, door: str) -> str | None:
        """The relay of a door's lock; None: it is not here."""


class RoutedLines:
    """The board's lines, and relays that are elsewhere (``services.doors.service.Lines``)."""

    def __init__(self, board: Lines, remote: Sequence[RemoteRelays]) -> None:
        self._board = board
        self._remote = remote
        self._owner: dict[str, Relays] = {}
        self.input_active: Callable[[str], bool] = board.input_active

    def of_door(self, door: str) -> str | None:
        """The relay of a door without terminals."""
        for relays in self._remote:
            if (line := relays.line(door)) is not None:
                self._owner[line] = relays
                return line
        return None

    def set(self, line: str, active: bool, correlation: str | None) -> None:
        self._owner.get(line, self._board).set(line, active, correlation)

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None:
        self._owner.get(line, self._board).pulse(line, active, seconds, correlation)

    def end(self, line: str, correlation: str | None) -> None:
        self._owner.get(line, self._board).end(line, correlation)

    def configure_input(
        self, line: str, normal: Circuit, rex: tuple[str, float] | None = None, debounce_ns: int | None = None
    ) -> None:
        self._board.configure_input(line, normal, rex, debounce_ns)

    def configure_output(self, line: str, normal: Circuit) -> None:
        self._board.configure_output(line, normal)
