"""Files and functions can be read in one go: 600 lines at most, a function 60 (blank lines and docstrings count)."""

from pathlib import Path

import pytest

from tests.repo import tree

SOURCES = tree.files(".py", ".pyi", ".pyx", ".pxd", ".c", ".h")
READERS = {".py": tree.python_functions, ".pyx": tree.cython_functions, ".c": tree.c_functions, ".h": tree.c_functions}


@pytest.mark.parametrize("path", SOURCES, ids=tree.name)
def test_size(path: Path) -> None:
    assert path.read_text().count("\n") <= 600
    reader = READERS.get(path.suffix)
    if reader:
        assert [str(function) for function in reader(path) if function.lines > 60] == []


def test_the_measure_sees_functions() -> None:
    seen = {function.name for function in tree.c_functions(tree.CEXT / "common" / "ax_err.c")}
    assert "ax_strerror" in seen
    seen = {function.name for function in tree.cython_functions(tree.NATIVE / "err.pyx")}
    assert seen == {"ax_exception", "ax_check", "exception_for"}
