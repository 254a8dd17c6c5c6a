"""What the device feels besides its inputs: temperature, storage, sound level, shocks, supervised connections."""

from .service import SensorService

__all__ = ["SensorService"]
