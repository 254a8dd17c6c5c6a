"""Tests do not depend on how fast the machine is.

Where real time is the subject, the line that reads a clock or waits says so: ``# wall clock: why``.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.repo import tree

TESTS = [path for path in tree.files(".py", under=tree.ROOT / "tests") if path.name.startswith(("test_", "conftest"))]
CLOCKS = {"sleep", "time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "perf_counter_ns"}


def wall_clock_calls(path: Path) -> list[str]:
    """Calls of ``time.*`` clocks and of sleeps longer than nothing that give no reason on their line."""
    text = path.read_text()
    rows = text.splitlines()
    found = []
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        target = f"{getattr(node.func.value, 'id', '')}.{node.func.attr}"
        yields = bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        timed = target in {f"time.{clock}" for clock in CLOCKS} or (target == "asyncio.sleep" and not yields)
        if timed and not re.search(r"# wall clock: \w+", rows[node.lineno - 1]):
            found.append(f"{tree.name(path)}:{node.lineno}: {rows[node.lineno - 1].strip()}")
    return found


@pytest.mark.parametrize("path", TESTS, ids=tree.name)
def test_no_test_waits_for_a_clock(path: Path) -> None:
    assert wall_clock_calls(path) == []


@pytest.mark.parametrize("path", TESTS, ids=tree.name)
def test_a_skip_or_an_expected_failure_says_why(path: Path) -> None:
    for mark in re.findall(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail)\((.*)", path.read_text()):
        assert "reason=" in mark or '"' in mark
