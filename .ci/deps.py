"""Print the requirements of dependency groups in pyproject.toml, one a line: ``python deps.py test check``.

The runtime dependencies of the project come first. Needed because pip learnt ``--group`` only in 25.1.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def group(groups: dict[str, list[Any]], name: str) -> list[str]:
    """The requirements of one group, with the groups that it includes (PEP 735)."""
    found: list[str] = []
    for item in groups[name]:
        found += [item] if isinstance(item, str) else group(groups, item["include-group"])
    return found


def main() -> None:
    """Print runtime dependencies and those of the groups named on the command line."""
    data = tomllib.loads(PYPROJECT.read_text())
    wanted = list(data["project"]["dependencies"])
    for name in sys.argv[1:]:
        wanted += group(data["dependency-groups"], name)
    print("\n".join(dict.fromkeys(wanted)))


if __name__ == "__main__":
    main()
