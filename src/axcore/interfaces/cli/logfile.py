"""Reads the event log out of a store that another process may be writing."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from axcore.interfaces.cli.output import CliError
from axcore.runtime.store import Body, connect, event_crc

STORE = "state.db"


class LogFile:
    """The log in a data directory, read-only."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / STORE
        if not self.path.exists():
            raise CliError(f"{self.path}: no event log", "is this the data directory of a device?")
        self._connection = connect(self.path, readonly=True)

    def after(self, number: int, limit: int) -> list[dict[str, Any]]:
        """Events with an id above ``number``, oldest first. A damaged row is an error, never passed over."""
        query = "SELECT id, time, topic, body, crc FROM event WHERE id>? ORDER BY id LIMIT ?"
        try:
            rows = self._connection.execute(query, (number, limit)).fetchall()
        except sqlite3.Error as error:
            raise CliError(f"{self.path}: {error}", "axcore doctor looks at the data directory") from error
        events = []
        for row in rows:
            if event_crc(*row[:4]) != row[4]:
                raise CliError(f"{self.path}: event {row[0]} is damaged", "the device repairs its store when it starts")
            body = msgspec.to_builtins(msgspec.json.decode(row[3], type=Body))
            events.append({"id": row[0], "time": row[1], "topic": row[2], **body})
        return events
