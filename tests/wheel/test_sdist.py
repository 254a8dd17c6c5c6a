"""The sdist and the wheel hold what they should. ``AXCORE_DIST`` names the folder they are in."""

import os
import re
import tarfile
import zipfile
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


def sdist_names() -> set[str]:
    """Paths in the sdist, without its top folder."""
    (archive,) = Path(str(DIST)).glob("axcore-*.tar.gz")
    with tarfile.open(archive) as tar:
        return {name.partition("/")[2] for name in tar.getnames()}


def test_sdist_is_complete_and_clean() -> None:
    names = sdist_names()
    assert [name for name in NEEDED if name not in names] == []
    assert not [name for name in names if name.endswith((".so", ".pyc", ".o")) or name.startswith((".venv", "build"))]


def test_every_python_file_of_the_tree_is_in_the_wheel() -> None:
    (wheel,) = Path(str(DIST)).glob("axcore-*linux_*.whl")
    installed = set(zipfile.ZipFile(wheel).namelist())
    sources = [name.removeprefix("src/") for name in sdist_names() if re.match(r"src/.*\.\w+$", name)]
    wanted = {name for name in sources if not name.endswith((".pyx", ".pxd", ".in", "meson.build"))}
    wanted.add("axcore/build_info.py")
    extensions = {name.partition(".")[0] for name in installed if name.endswith(".so")}
    assert {name for name in installed if ".dist-info/" not in name and not name.endswith(".so")} == wanted
    assert {name.removesuffix(".pyx") for name in sources if name.endswith(".pyx")} == extensions
