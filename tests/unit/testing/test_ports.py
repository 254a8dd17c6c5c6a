"""Ports that peers are told before they start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
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


def test_processes_beside_each_other_are_given_different_ones(tmp_path: Path) -> None:
    program = "from axcore.testing.ports import free_port\nfor count in (1, 7, 48) * 20: print(free_port(count), count)"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    them = [
        subprocess.Popen([sys.executable, "-c", program], env=env, text=True, stdout=subprocess.PIPE) for _ in range(3)
    ]
    given: list[int] = []
    for one in them:
        text, _ = one.communicate(timeout=120)
        assert one.returncode == 0
        for line in text.splitlines():
            first, count = map(int, line.split())
            given += range(first, first + count)
    assert len(given) == 3 * 20 * (1 + 7 + 48)
    assert len(set(given)) == len(given)


def test_after_the_last_comes_the_first_and_a_broken_file_is_begun_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ports.tempfile, "tempdir", str(tmp_path))
    ports.turns().write_text("of no use")
    assert ports.FIRST <= ports.free_port() < ports._end()
    pairs = (ports._end() - ports.FIRST) // 2
    ports.turns().write_text(f"{pairs - 1:16d}")
    assert ports._turn(2, pairs) == 0, "two pairs have no room at the end"
    assert ports._turn(1, pairs) == 2
