"""Our own mistakes in C, looked for by name. A line that must be so carries ``/* lint: reason */``."""

import re
from pathlib import Path

import pytest

from tests.repo import tree

KERNELS = [path for path in tree.files(".c", ".h", under=tree.CEXT) if path.parent.name not in {"test", "fuzz"}]
BANNED = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|stpcpy)\s*\(": "writes without a bound",
    r"\b(atoi|atol|atoll|atof)\s*\(": "hides conversion errors",
    r"\balloca\s*\(": "unbounded stack",
    r"\b(setjmp|longjmp)\s*\(": "jumps over clean-up",
    r"\b(sleep|usleep)\s*\(": "waits blindly",
    r"\b(exit|abort|_exit)\s*\(": "ends the process of others",
    r"\b(printf|puts|putchar)\s*\(": "speaks for the application",
    r"\b(rand|srand)\s*\(": "not random enough, and global",
    r"\b(gettimeofday|time|localtime|gmtime)\s*\(": "wall clock; time is an argument or CLOCK_MONOTONIC",
    r"\b(volatile)\b": "not a synchronisation primitive",
}
MAY_ALLOCATE = re.compile(r"(^|_)(new|init|free|open|close|start|stop|alloc|create|destroy)(_|$)")


@pytest.mark.parametrize("path", KERNELS, ids=tree.name)
def test_banned_idioms(path: Path) -> None:
    raw = path.read_text().splitlines()
    found = []
    for number, line in enumerate(tree.c_code(path).splitlines(), 1):
        for pattern, reason in BANNED.items():
            if re.search(pattern, line) and "lint:" not in raw[number - 1]:
                found.append(f"{tree.name(path)}:{number}: {reason}: {line.strip()}")
    assert found == []


@pytest.mark.parametrize("path", KERNELS, ids=tree.name)
def test_memory_is_allocated_in_new_only(path: Path) -> None:
    found = []
    for function in tree.c_functions(path):
        allocates = re.search(r"\b(?:[mc]alloc|realloc|aligned_alloc|strn?dup|free)\s*\(", function.text)
        if allocates and not MAY_ALLOCATE.search(function.name) and "lint:" not in function.text:
            found.append(str(function))
    assert found == []


@pytest.mark.parametrize("path", KERNELS, ids=tree.name)
def test_files_say_what_they_are(path: Path) -> None:
    opening = path.read_text().lstrip()
    assert opening.startswith("/*")
    assert len(opening[: opening.index("*/")]) > 60


@pytest.mark.parametrize("path", [p for p in KERNELS if p.suffix == ".h" and p.parent.name == "ax"], ids=tree.name)
def test_public_headers_guard_and_prefix(path: Path) -> None:
    text = tree.c_code(path)
    assert f"#ifndef AX_{path.stem.upper()}_H" in text
    declared = re.findall(r"^\w[\w \*]*?\b(\w+)\(", text, re.MULTILINE)
    assert [function for function in declared if not function.startswith(("ax_", "__attribute__"))] == []
