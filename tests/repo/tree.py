"""The source tree as the repository tests see it: which files there are, and where functions begin and end."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "axcore"
NATIVE = PACKAGE / "_native"
CEXT = ROOT / "cext"

_SKIP = {"__pycache__", "corpus", "dist", "data"}


def files(*suffixes: str, under: Path = ROOT) -> list[Path]:
    """Every file of the tree with one of the suffixes; build trees, environments and caches left out."""
    found = []
    for path in sorted(under.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if path.suffix not in suffixes or _SKIP & set(parts) or parts[0].startswith((".venv", "build")):
            continue
        found.append(path)
    return found


def name(path: Path) -> str:
    """The path as messages show it."""
    return path.relative_to(ROOT).as_posix()


class Function(NamedTuple):
    """One function: where it stands, and the text from its head to its last line."""

    path: Path
    name: str
    line: int
    lines: int
    text: str

    def __str__(self) -> str:
        return f"{name(self.path)}:{self.line} {self.name} ({self.lines} lines)"


def python_functions(path: Path) -> Iterator[Function]:
    """Functions and methods of a .py file, from ``def`` to the last line, docstring and all."""
    text = path.read_text()
    rows = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            end = node.end_lineno or node.lineno
            body = "\n".join(rows[node.lineno - 1 : end])
            yield Function(path, node.name, node.lineno, end - node.lineno + 1, body)


def cython_functions(path: Path) -> Iterator[Function]:
    """Functions of a .pyx file: the head, and every line after it that is indented deeper, or closes the head."""
    rows = path.read_text().splitlines()
    for i, row in enumerate(rows):
        head = re.match(r"( *)(?:c?p?def)\b[^=]*?(\w+)\(", row)
        if not head:
            continue
        indent = len(head[1])
        end = i + 1
        while end < len(rows) and (not rows[end].strip() or re.match(" " * indent + "[ )]", rows[end])):
            end += 1
        body = "\n".join(rows[i:end]).rstrip()
        yield Function(path, head[2], i + 1, body.count("\n") + 1, body)


def c_functions(path: Path) -> Iterator[Function]:
    """Functions of a C file: a head at the margin, then ``{`` ... ``}`` with the last brace at the margin."""
    rows = path.read_text().splitlines()
    for i, row in enumerate(rows):
        if row != "{" and not re.match(r"[a-z].*\)\s*\{$", row):
            continue
        start = i
        while start > 0 and rows[start - 1][:1] not in ("", "}", "#") and not rows[start - 1].endswith((";", "*/")):
            start -= 1
        head = re.search(r"(\w+)\s*\(", " ".join(rows[start : i + 1]))
        end = next((j for j in range(i + 1, len(rows)) if rows[j].startswith("}")), i)
        if head and rows[end] == "}":
            body = "\n".join(rows[start : end + 1])
            yield Function(path, head[1], start + 1, end - start + 1, body)


def c_code(path: Path) -> str:
    """A C file without comments and string contents, line for line."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), path.read_text(), flags=re.DOTALL)
    text = re.sub(r"//.*", "", text)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', lambda m: m[0] if "ax/" in m[0] or ".h" in m[0] else '""', text)
