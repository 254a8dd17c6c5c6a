"""Documents tell the truth about the tree, and the tree tells nothing about the machine it was written on."""

import doctest
import importlib
import re
import tomllib
from pathlib import Path

import pytest

from tests.repo import tree

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
MAKEFILE = (tree.ROOT / "Makefile").read_text()
TEXTS = tree.files(".py", ".pyi", ".pyx", ".pxd", ".c", ".h", ".md", ".toml", ".build", ".options", ".ini", ".txt")
RUNTIME = {"axcore.toml", "conf.d/"}
"""What a running device has and the tree has not."""
TOPS = ("cext", "src", "tests", "bench", ".ci")
SUFFIXES = (".py", ".pyi", ".pyx", ".pxd", ".c", ".h", ".md", ".toml", ".build", ".txt")


def named_paths(text: str) -> list[str]:
    """Paths in backticks: with a slash between names or a known ending, and without a placeholder."""
    spans = re.findall(r"`([^`\n]+)`", text)
    words = [span for span in spans if re.fullmatch(r"\.?[\w.-]+(/[\w.-]+)*/?", span)]
    return [word for word in words if word.endswith((*SUFFIXES, "/")) or word.partition("/")[0] in TOPS]


def exists(path: str) -> bool:
    """Whether the path is there, from the root or from a place that the documents speak from."""
    bases = (tree.ROOT, tree.ROOT / "src", tree.PACKAGE, tree.CEXT, tree.CEXT / "include", tree.NATIVE)
    return any((base / path).exists() for base in bases)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_is_named_exists(document: str) -> None:
    text = (tree.ROOT / document).read_text()
    assert [path for path in named_paths(text) if path not in RUNTIME and not exists(path)] == []


def test_architecture_names_every_package_and_kernel() -> None:
    text = (tree.ROOT / "ARCHITECTURE.md").read_text()
    packages = [path.parent.name for path in tree.PACKAGE.glob("*/__init__.py")]
    assert packages
    assert [name for name in packages if f"{name}/" not in text] == []
    kernels = [path.name for path in tree.CEXT.iterdir() if path.is_dir()]
    assert [name for name in kernels if f"{name}/" not in text] == []


def test_the_first_screen_of_the_readme_shows_both_commands() -> None:
    screen = "\n".join((tree.ROOT / "README.md").read_text().splitlines()[:40])
    assert "make run" in screen
    assert "make test" in screen


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document: str) -> None:
    text = (tree.ROOT / document).read_text()
    named = set(re.findall(r"(?:`|\$ |^    )make ([a-z0-9-]+)", text, re.MULTILINE))
    assert named - set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE)) == set()


EXAMPLES = [
    "axcore.wiegand", "axcore.rules", "axcore.osdp", "axcore.osdp.messages", "axcore.led", "axcore.led.colors",
    "axcore.led.layout", "axcore.led.pattern", "axcore.led.patterns", "axcore.led.safety",
    "axcore.siren", "axcore.audio", "axcore.audio.pipeline", "axcore.rtp",
]  # fmt: skip


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_in_docstrings_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


def test_one_version() -> None:
    (version,) = re.findall(r"version: '([\d.]+)'", (tree.ROOT / "meson.build").read_text())[:1]
    assert f"## [{version}]" in (tree.ROOT / "CHANGELOG.md").read_text()
    assert "version" in tomllib.loads((tree.ROOT / "pyproject.toml").read_text())["project"]["dynamic"]


@pytest.mark.parametrize("path", TEXTS, ids=tree.name)
def test_no_trace_of_a_machine(path: Path) -> None:
    if path == Path(__file__):
        return
    text = path.read_text()
    assert not re.search(r"(?<![\w.])/(?:work|root|home/\w+)/", text)
    assert not re.search(r"https?://[\w.]*(?:pypi|pythonhosted|artifactory|nexus)[\w.]*", text)
