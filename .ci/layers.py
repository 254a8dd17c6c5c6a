"""Run import-linter on the sources in ``src``.

The editable install answers for ``axcore`` with a finder that import-linter cannot walk, so it is taken out first.
"""

import sys
from pathlib import Path

from importlinter.cli import lint_imports_command

sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("_axcore_editable")]
sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
lint_imports_command(["--no-cache"])
