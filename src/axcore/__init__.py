"""axcore: the open software of networked doors, intercoms and sirens."""

from axcore import build_info

__version__ = build_info.VERSION

__all__ = ["__version__"]
