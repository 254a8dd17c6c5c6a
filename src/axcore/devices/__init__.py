"""What a device is: capability tables per model. Sans-I/O, no clock."""

from .models import (
    MODELS,
    DeviceModel,
    DoorSpec,
    InputLine,
    LedSpec,
    OutputLine,
    PortSpec,
    PowerSpec,
    ReaderSpec,
    SensorSpec,
    model,
)

__all__ = [
    "MODELS", "DeviceModel", "DoorSpec", "InputLine", "LedSpec", "OutputLine", "PortSpec", "PowerSpec", "ReaderSpec",
    "SensorSpec", "model",
]  # fmt: skip
