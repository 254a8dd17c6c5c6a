"""``axcore`` and ``python -m axcore``: the command line, given the composition of a device."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from axcore.interfaces.cli.main import main as command_line

if TYPE_CHECKING:
    from axcore.interfaces.cli.run import Launch


def start(launch: Launch) -> int:
    """Run a device until it is stopped."""
    from axcore import app

    return app.run(launch)


def main() -> int:
    """Entry point of the ``axcore`` command."""
    return command_line(start=start)


if __name__ == "__main__":
    sys.exit(main())
