"""The speaker test: calibrate, test, report."""

from .service import NotCalibratedError, Report, SpeakerTestService, Status

__all__ = ["NotCalibratedError", "Report", "SpeakerTestService", "Status"]
