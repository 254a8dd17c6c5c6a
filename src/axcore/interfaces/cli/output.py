"""What the verbs print: text for people, one JSON document with ``--json``; errors say what to do next."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any


class CliError(Exception):
    """Something a user can act on. ``hint`` is the next step, ``code`` the exit code (1 failed, 2 wrong usage)."""

    def __init__(self, message: str, hint: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def add_json(parser: argparse.ArgumentParser) -> None:
    """Every verb has ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def print_json(value: Any) -> None:
    """One JSON document, one line."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def print_error(args: argparse.Namespace, message: str, hint: str, code: int) -> int:
    """The message and what to do next; gives ``code`` back."""
    if getattr(args, "json", False):
        print_json({"error": {"message": message, "hint": hint}})
    print(f"axcore: {message}", file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)
    return code


def colour(text: str, code: str) -> str:
    """``text`` in an SGR colour, on a terminal that wants it."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns padded with blanks; numbers (as str) are right-aligned."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    numeric = [all(_is_number(row[i]) for row in cells) and bool(cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        padded = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), line(["-" * w for w in widths]), *(line(row) for row in cells)])


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace(",", "").replace("-", "").replace("%", "").isdigit() or text == "-"
