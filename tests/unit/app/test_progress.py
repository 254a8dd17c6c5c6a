"""The native threads that a device has are watched."""

from __future__ import annotations

from pathlib import Path

import pytest

from axcore.app.device import Device
from axcore.interfaces.cli.instance import wait_for


@pytest.mark.parametrize(
    ("model", "threads"),
    [
        ("a8207-ve-mk2", {"I/O", "serial lines"}),
        ("a1710-b", {"I/O", "serial lines"}),
        ("d4100-ve-mk2", {"I/O"}),
    ],
)
def test_the_threads_of_an_idle_device_move(tmp_path: Path, model: str, threads: set[str]) -> None:
    device = Device(model, tmp_path / "data")
    device.start()
    try:
        before = device.progress()
        assert set(before) == threads
        wait_for("progress", lambda: all(count > before[name] for name, count in device.progress().items()), 60, 0.05)
    finally:
        device.stop()
