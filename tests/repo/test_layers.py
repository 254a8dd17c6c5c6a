"""Layer rules that import-linter does not see: Cython, C, and imports that cost start time."""

import ast
import re
from pathlib import Path

import pytest

from tests.repo import tree

PYTHON = tree.files(".py", under=tree.PACKAGE)
CYTHON = tree.files(".pyx", ".pxd")
C_FILES = tree.files(".c", ".h", under=tree.CEXT)


@pytest.mark.parametrize("path", CYTHON, ids=tree.name)
def test_cython_lives_in_native_and_declares_externs_in_one_kind_of_place(path: Path) -> None:
    text = path.read_text()
    assert path.parent == tree.NATIVE
    if not re.match(r"c_\w+\.pxd$", path.name):
        assert "cdef extern" not in text


@pytest.mark.parametrize("path", CYTHON, ids=tree.name)
def test_cython_knows_only_errors_and_its_neighbours(path: Path) -> None:
    text = path.read_text()
    # The depfile that cython writes follows `from .mod cimport name` only; with any other form nothing is rebuilt.
    assert not re.search(r"^\s*from \. cimport|^\s*from axcore\S* cimport|^\s*cimport axcore", text, re.MULTILINE)
    for imported in re.findall(r"^\s*(?:from|import) (axcore[\w.]*)(?: import (\w+))?", text, re.MULTILINE):
        assert imported in {("axcore", "errors"), ("axcore.errors", imported[1])} or imported[0].startswith(
            "axcore._native"
        )
    assert not re.search(r"^\s*(?:import|from) (?:asyncio|uvloop|numpy|socket)\b", text, re.MULTILINE)
    assert "cimport numpy" not in text


@pytest.mark.parametrize("path", C_FILES, ids=tree.name)
def test_cext_includes_its_own_headers_and_the_c_library(path: Path) -> None:
    text = path.read_text()
    assert "Python.h" not in tree.c_code(path)
    for include in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.MULTILINE):
        places = (path.parent, tree.CEXT / "include", tree.CEXT / "test", tree.CEXT)
        assert any((place / include).exists() for place in places), include


@pytest.mark.parametrize("path", PYTHON, ids=tree.name)
def test_no_module_imports_numpy_when_it_is_imported(path: Path) -> None:
    if path.is_relative_to(tree.PACKAGE / "testing"):
        return
    for node in ast.parse(path.read_text()).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.partition(".")[0] == "numpy"]


@pytest.mark.parametrize("path", PYTHON, ids=tree.name)
def test_the_package_imports_neither_tests_nor_benches(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not [name for name in names if name.partition(".")[0] in {"tests", "bench", "pytest"}]


def test_only_the_edge_of_an_input_acts_before_the_sync() -> None:
    """Persist, then act: who else wants that has to say why here."""
    early = {tree.name(path) for path in PYTHON if re.search(r"\btx\.act_early\b", path.read_text())}
    assert early == {"src/axcore/app/device.py"}
