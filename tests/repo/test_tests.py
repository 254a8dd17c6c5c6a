"""Tests do not depend on how fast the machine is.

Where real time is the subject, the line that reads a clock or waits says so: ``# wall clock: why``. Tests of what lives
in real time (``REAL_TIME``) may poll until a deadline, in steps of at most 50 ms.
"""

import ast
import math
import re
from pathlib import Path

import pytest

from tests.repo import tree

TESTS = [path for path in tree.files(".py", under=tree.ROOT / "tests") if path.name.startswith(("test_", "conftest"))]
REAL_TIME = {
    "tests/e2e": "a started device",
    "tests/unit/drivers/test_nat.py": "the thread of paths",
    "tests/unit/drivers/test_osdp_lines.py": "the native thread of OSDP lines",
    "tests/unit/native/test_io_thread.py": "the native thread",
}
POLL_S = 0.05
CLOCKS = {"sleep", "time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "perf_counter_ns"}


def waits(node: ast.Call) -> float | None:
    """Seconds that a call sleeps; None for the calls of a clock; infinite when it cannot be told."""
    if node.func.attr != "sleep":  # type: ignore[attr-defined]
        return None
    given = node.args[0] if node.args else None
    return given.value if isinstance(given, ast.Constant) else math.inf


def wall_clock_calls(path: Path) -> list[str]:
    """Calls of ``time.*`` clocks and of sleeps that give no reason on their line."""
    text = path.read_text()
    rows = text.splitlines()
    real = tree.name(path).startswith(tuple(REAL_TIME))
    found = []
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        target = f"{getattr(node.func.value, 'id', '')}.{node.func.attr}"
        if target != "asyncio.sleep" and target not in {f"time.{clock}" for clock in CLOCKS}:
            continue
        seconds = waits(node)
        harmless = real if seconds is None else seconds <= (POLL_S if real else 0)
        if not harmless and not re.search(r"# wall clock: \w+", rows[node.lineno - 1]):
            found.append(f"{tree.name(path)}:{node.lineno}: {rows[node.lineno - 1].strip()}")
    return found


@pytest.mark.parametrize("path", TESTS, ids=tree.name)
def test_no_test_waits_for_a_clock(path: Path) -> None:
    assert wall_clock_calls(path) == []


@pytest.mark.parametrize("path", TESTS, ids=tree.name)
def test_a_skip_or_an_expected_failure_says_why(path: Path) -> None:
    for mark in re.findall(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail)\((.*)", path.read_text()):
        assert "reason=" in mark or '"' in mark
