"""What a device is: capability tables per model. Sans-I/O, no clock."""

from .models import MODELS, DeviceModel, InputLine, LedSpec, OutputLine, PortSpec, SensorSpec, model

__all__ = ["MODELS", "DeviceModel", "InputLine", "LedSpec", "OutputLine", "PortSpec", "SensorSpec", "model"]
