"""A board that does at once what it is told."""

from __future__ import annotations

from typing import Any


class FakeLines:
    """Outputs that do at once what they are told; records every command."""

    def __init__(self) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.active: dict[str, bool] = {}
        self.inputs: dict[str, bool] = {}
        self.error: Exception | None = None

    def input_active(self, line: str) -> bool:
        return self.inputs.get(line, False)

    def output_active(self, line: str) -> bool:
        return self.active.get(line, False)

    def _do(self, *command: Any) -> None:
        if self.error is not None:
            raise self.error
        self.commands.append(command)

    def set(self, line: str, active: bool, correlation: str | None) -> None:
        self._do("set", line, active, correlation)
        self.active[line] = active

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None:
        self._do("pulse", line, active, seconds, correlation)

    def hold(self, line: str, on: bool, active: bool, correlation: str | None) -> None:
        self._do("hold", line, on, active, correlation)

    def sequence(self, line: str, steps: Any, correlation: str | None) -> None:
        self._do("sequence", line, list(steps), correlation)

    def configure_input(self, line: str, normal: str, rex: tuple[str, float] | None = None) -> None:
        self._do("configure_input", line, normal, rex)

    def configure_output(self, line: str, normal: str) -> None:
        self._do("configure_output", line, normal)
        self.active[line] = False

    def set_direction(self, line: str, output: bool) -> None:
        self._do("set_direction", line, output)

    def take(self) -> list[tuple[Any, ...]]:
        """Commands since the last call."""
        commands, self.commands = self.commands, []
        return commands
