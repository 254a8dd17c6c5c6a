"""axcore: the open software of networked doors, intercoms and sirens."""

from axcore.build_info import VERSION as __version__

__all__ = ["__version__"]
