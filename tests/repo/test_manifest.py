"""Lists that are kept by hand agree with the tree: nothing is written and then not built, not tested or not typed."""

import re
import subprocess
import sys
import tomllib

from tests.repo import tree

CEXT_BUILD = (tree.CEXT / "meson.build").read_text()
NATIVE_BUILD = (tree.NATIVE / "meson.build").read_text()
ROOT_FILES = {
    "pyproject.toml",
    "meson.build",
    "meson.options",
    "Makefile",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "cext",
    "src",
    "tests",
    "bench",
}
SCENARIOS = {"door"}
"""Benches of a whole device."""
GENERATED = {"dist", "data", "PKG-INFO"}


def modules() -> set[str]:
    """Names of kernels and of packages and modules of axcore."""
    headers = {path.stem for path in (tree.CEXT / "include" / "ax").glob("*.h")}
    return headers | {path.stem for path in tree.files(".py", ".pyx", under=tree.PACKAGE)} | _packages()


def _packages() -> set[str]:
    return {path.parent.name for path in tree.PACKAGE.rglob("__init__.py")}


def test_the_root_holds_what_it_should() -> None:
    names = {path.name for path in tree.ROOT.iterdir() if not path.name.startswith((".", "build"))}
    assert names - GENERATED <= ROOT_FILES


def test_every_c_file_is_built() -> None:
    sources = [path for path in tree.files(".c", under=tree.CEXT) if path.parent.name not in {"test", "fuzz"}]
    missing = [tree.name(path) for path in sources if path.relative_to(tree.CEXT).as_posix() not in CEXT_BUILD]
    assert missing == []


def test_every_c_test_and_fuzz_target_is_built() -> None:
    for folder, prefix in (("test", "test_"), ("fuzz", "fuzz_")):
        for path in (tree.CEXT / folder).glob(prefix + "*.c"):
            assert f"'{path.stem.removeprefix(prefix)}'" in CEXT_BUILD, tree.name(path)


def test_every_fuzz_target_has_a_corpus() -> None:
    for path in (tree.CEXT / "fuzz").glob("fuzz_*.c"):
        corpus = tree.CEXT / "fuzz" / "corpus" / path.stem.removeprefix("fuzz_")
        assert corpus.is_dir(), tree.name(corpus)
        assert any(corpus.iterdir()), tree.name(corpus)


def test_every_extension_is_built_and_typed() -> None:
    for path in tree.NATIVE.glob("*.pyx"):
        assert f"'{path.stem}'" in NATIVE_BUILD
        assert path.with_suffix(".pyi").exists(), f"no stub for {tree.name(path)}"
    for path in tree.NATIVE.glob("*.pyi"):
        assert path.with_suffix(".pyx").exists(), f"no module for {tree.name(path)}"


def test_python_folders_are_packages() -> None:
    folders = {path.parent for path in tree.files(".py", under=tree.PACKAGE)}
    assert [tree.name(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_benches_are_named_for_what_they_measure() -> None:
    benches = {path.stem.removeprefix("bench_") for path in (tree.ROOT / "bench").glob("bench_*.py")}
    assert benches - modules() - SCENARIOS == set()


def test_bench_gates_name_benches() -> None:
    gates = tomllib.loads((tree.ROOT / "bench" / "gates.toml").read_text())["gate"]
    benches = "\n".join(path.read_text() for path in (tree.ROOT / "bench").glob("bench_*.py"))
    assert [name for name in gates if not re.search(rf"[\"']{re.escape(name)}[\"']", benches)] == []


def test_property_tests_that_sanitizers_leave_out_load_nothing_native() -> None:
    makefile = (tree.ROOT / "Makefile").read_text()
    names = re.search(r"^NOT_NATIVE := \$\(addprefix (\S+),(.*)\)$", makefile, re.M)
    assert names is not None
    paths = [names[1] + name for name in names[2].split()]
    assert paths
    program = "import runpy, sys\nfor path in sys.argv[1:]: runpy.run_path(path)\n"
    program += "sys.exit(','.join(name for name in sys.modules if name.startswith('axcore._native.')) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", program, *paths], cwd=tree.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
