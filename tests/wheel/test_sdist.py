"""The sdist holds what is needed to build, test and understand axcore. ``AXCORE_DIST`` names the folder of the archives."""

import os
import tarfile
from pathlib import Path

import pytest

DIST = os.environ.get("AXCORE_DIST")
pytestmark = pytest.mark.skipif(DIST is None, reason="AXCORE_DIST is not set: there is no sdist to look into")
NEEDED = [
    "pyproject.toml",
    "meson.build",
    "meson.options",
    "Makefile",
    "LICENSE",
    "README.md",
    "PKG-INFO",
    "cext/meson.build",
    "cext/include/ax/err.h",
    "cext/common/ax_err.c",
    "cext/test/ax_test.h",
    "src/axcore/__init__.py",
    "src/axcore/_native/err.pyx",
    "src/axcore/py.typed",
    "tests/unit/native/test_err.py",
]


def test_sdist_is_complete_and_clean() -> None:
    (archive,) = Path(str(DIST)).glob("axcore-*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert [name for name in NEEDED if name not in names] == []
    assert not [name for name in names if name.endswith((".so", ".pyc", ".o")) or name.startswith((".venv", "build"))]


def test_there_is_one_wheel() -> None:
    (wheel,) = Path(str(DIST)).glob("axcore-*.whl")
    assert "linux" in wheel.name
