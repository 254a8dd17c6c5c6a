"""``axcore`` and ``python -m axcore``."""

from __future__ import annotations

import sys

from axcore.interfaces.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
