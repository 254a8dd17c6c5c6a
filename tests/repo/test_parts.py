"""`make test` runs parts beside each other (.ci/tests.py): nothing is lost on the way, and failures are told last."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.repo import tree

PROGRAM = tree.ROOT / ".ci" / "tests.py"
FILES = {
    "good": "def test_a(): pass\ndef test_b(): pass\n",
    "bad": "import pytest\n@pytest.fixture\ndef no(): 1/0\ndef test_c(): assert 'a' == 'b'\ndef test_d(no): pass\n",
    "dead": "import os\ndef test_e(): pass\ndef test_f(): os._exit(0)\n",
    "slow": "import pathlib, time\ndef test_g():\n    pathlib.Path('here').touch()\n    time.sleep(200)\n",
}


def program() -> ModuleType:
    """A fresh module of the file."""
    spec = importlib.util.spec_from_file_location("parts", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -ra\n")
    for name, text in FILES.items():
        (tmp_path / f"test_{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(*names: str) -> dict[str, list[str]]:
    return {name: [f"test_{name}.py"] for name in names}


def test_all_passed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program().run({"other": ["test_good.py"], "again": ["test_good.py"]}, place / "logs") == 0
    out = capsys.readouterr().out
    assert re.search(r"^other: 2 passed in .*\nagain: 2 passed in .*\n=== 4 passed in [\d.]+s ===\n\Z", out, re.M)
    for name in ("other", "again"):
        assert "2 passed" in (place / "logs" / f"tests-{name}.log").read_text()


def test_what_failed_is_told_last_and_whole(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program().run(of("bad", "good"), place / "logs") == 1
    out = capsys.readouterr().out
    log = (place / "logs" / "tests-bad.log").read_text()
    told = out.index("--- bad: exit status 1\n")
    assert out.index("--- good: exit status 0\n") < told
    assert log[log.index("= ERRORS =") :] in out[told:]
    assert "ZeroDivisionError" in out[told:]
    assert "FAILED test_bad.py::test_c - AssertionError" in out[told:]
    end = r"^bad FAILED: 1 failed, 1 error in .*\ngood: 2 passed in .*\n=== 1 failed, 1 error, 2 passed in .* ===\n\Z"
    assert re.search(end, out, re.M)


@pytest.mark.parametrize("arguments", [["test_dead.py"], ["none.py"], ["test_good.py", "-k", "none"]])
def test_a_part_that_says_nothing_failed(place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert program().run({"strange": arguments, **of("good")}, place / "logs") == 1
    assert re.search(r"^strange FAILED: .*\ngood: 2 passed in .*\n=== .*===\n\Z", capsys.readouterr().out, re.M)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_all(place: Path, number: signal.Signals) -> None:
    text = f"import runpy, pathlib; run = runpy.run_path({str(PROGRAM)!r})['run']\n"
    text += f"raise SystemExit(run({of('slow', 'good')!r}, pathlib.Path('logs')))"
    both = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, process_group=0)
    assert both.stdout is not None
    while not (place / "here").exists():
        assert both.poll() is None
        time.sleep(0.02)  # wall clock: a process starts
    os.kill(both.pid, number)
    out, _ = both.communicate(timeout=200)
    assert both.returncode == 1
    assert "KeyboardInterrupt" in out
    assert re.search(r"^slow FAILED: .*\ngood.*\n=== .* ===\n\Z", out, re.M)


def test_every_test_is_in_one_part() -> None:
    module = program()
    parts = module.arguments(tree.ROOT)
    assert list(parts) == [*module.PARTS, module.REST]
    assert all(parts.values())
    settings = tomllib.loads((tree.ROOT / "pyproject.toml").read_text())
    places = settings["tool"]["pytest"]["ini_options"]["testpaths"]
    files = [path.relative_to(tree.ROOT) for place in places for path in (tree.ROOT / place).rglob("test_*.py")]
    for file in files:
        owners = [name for name, paths in parts.items() if any(file.is_relative_to(path) for path in paths)]
        assert len(owners) == 1, f"{file} is in {owners}"
