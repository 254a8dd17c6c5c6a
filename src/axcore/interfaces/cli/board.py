"""A client of ``board.sock``: one JSON object a line each way (the simulated board's surface)."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from axcore.interfaces.cli.output import CliError
from axcore.interfaces.cli.paths import BOARD_SOCKET, connect_unix


class BoardError(CliError):
    """The board refused an operation; ``field`` names the wrong field if one is."""

    def __init__(self, message: str, field: str = "", code: str = "") -> None:
        super().__init__(f"{field}: {message}" if field and not message.startswith(field) else message, code=1)
        self.field = field
        self.error_code = code


class Board:
    """One connection to the board of a running device. Not for several threads at once."""

    def __init__(self, data_dir: Path, timeout: float = 10.0) -> None:
        path = data_dir / BOARD_SOCKET
        try:
            self._socket = connect_unix(path)
        except OSError as error:
            raise CliError(
                f"{path}: {error.strerror or error}",
                "is the device running, with --simulate?  axcore run a8207-ve-mk2 --simulate",
            ) from error
        self._socket.settimeout(timeout)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self._socket.close()

    def send(self, op: str, **fields: Any) -> None:
        """Send an operation without waiting for the reply."""
        self._socket.sendall(json.dumps({"op": op, **fields}, separators=(",", ":")).encode() + b"\n")

    def reply(self) -> dict[str, Any]:
        """The next reply's data. Raises BoardError for a refusal, ConnectionError when the device has gone."""
        line = self._lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the device closed the connection")
        reply = json.loads(line)
        if reply.get("status") == "success":
            data: dict[str, Any] = reply.get("data") or {}
            return data
        error = reply.get("error", {})
        raise BoardError(str(error.get("message", reply)), str(error.get("field") or ""), str(error.get("code", "")))

    def call(self, op: str, **fields: Any) -> dict[str, Any]:
        """Do an operation and wait for its reply."""
        self.send(op, **fields)
        return self.reply()
