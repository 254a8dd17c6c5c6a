"""Ports that peers are told before they start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from axcore.testing import ports


def test_they_are_even_in_a_row_and_below_those_that_the_kernel_gives() -> None:
    first = ports.free_port(32)
    assert first % 2 == 0
    low = int(ports.RANGE.read_text().split()[0])
    assert first >= ports.FIRST
    assert low <= 2 * ports.FIRST or first + 32 <= low
    assert ports.free_port(32) not in range(first - 31, first + 32), "none is named twice soon"


def test_one_that_somebody_has_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small = tmp_path / "range"
    small.write_text(f"{ports.FIRST + 1}\t60999\n")
    monkeypatch.setattr(ports, "RANGE", small)
    assert ports.FIRST <= ports.free_port() < 60_000, "no room below: anywhere"
    port = ports.free_port()
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", port))
            assert not ports._free(port, "127.0.0.1")
    assert ports._free(port, "127.0.0.1")
