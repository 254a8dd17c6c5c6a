"""How long the end-to-end tests wait for what must come: only a device that hangs reaches it, nothing is measured."""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 120.0
"""Seconds."""
