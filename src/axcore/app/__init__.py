"""Composition: which parts a device is made of, in which order they start and stop. Decides nothing else."""

from .device import Device
from .runner import App, Outcome, run

__all__ = ["App", "Device", "Outcome", "run"]
