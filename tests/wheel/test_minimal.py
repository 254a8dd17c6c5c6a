"""An installed wheel works: run in an environment that holds the wheel, what it depends on, and pytest."""

import importlib.metadata
import pkgutil
import subprocess
import sys
from pathlib import Path

import axcore
from axcore import build_info

TREE = Path(__file__).parents[2]
OTHERS = ("axcore.testing", "axcore.voice.", "axcore.drivers.ice", "axcore.drivers.relay")
"""Modules for tests, those of the voice process (a program of its own), and paths through NAT: what needs an extra."""


def test_it_is_the_installed_package() -> None:
    assert not Path(axcore.__file__).is_relative_to(TREE / "src")


def test_version_is_that_of_the_distribution() -> None:
    assert axcore.__version__ == build_info.VERSION == importlib.metadata.version("axcore")


def test_every_module_imports_and_numpy_stays_out() -> None:
    names = [m.name for m in pkgutil.walk_packages(axcore.__path__, "axcore.") if not m.name.startswith(OTHERS)]
    assert len(names) > 10
    assert "axcore._native.err" in names
    code = f"import importlib, sys\nfor n in {names!r}: importlib.import_module(n)\nassert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_build_info_is_complete() -> None:
    values = {name: value for name, value in vars(build_info).items() if name.isupper()}
    assert {"VERSION", "COMPILER", "BUILDTYPE", "FLAGS", "SIMD_LEVELS", "SANITIZE", "HOST"} <= values.keys()
    assert build_info.BUILDTYPE == "release"
    assert build_info.SANITIZE in ("none", "[]", "")
    assert "@" not in "".join(values.values())


def test_command_line_tells_how_it_was_built() -> None:
    command = [str(Path(sys.executable).with_name("axcore")), "version", "--build"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert axcore.__version__ in run.stdout
    assert build_info.COMPILER in run.stdout
    assert build_info.SIMD_LEVELS in run.stdout


def test_a_kernel_computes() -> None:
    from axcore import wiegand

    frame = wiegand.FORMATS["H10301"].encode(facility=123, card=4567)
    decoder = wiegand.Decoder()
    assert decoder.feed(wiegand.schedule(frame)) == []
    read = decoder.advance(decoder.deadline_ns)
    assert read is not None
    assert wiegand.FORMATS["H10301"].decode(read).card == 4567


def test_the_package_is_typed_and_holds_no_sources() -> None:
    files = [str(file) for file in importlib.metadata.files("axcore") or []]
    assert "axcore/py.typed" in files
    assert "axcore/_native/err.pyi" in files
    assert not [name for name in files if name.endswith((".pyx", ".pxd", ".c", ".h", ".in", "meson.build"))]
