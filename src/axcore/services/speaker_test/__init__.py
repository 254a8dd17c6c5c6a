"""The speaker test: calibrate, test, report; and the action of rules."""

from .actions import SpeakerTestPerformer
from .service import NotCalibratedError, Report, SpeakerTestService, Status

__all__ = ["NotCalibratedError", "Report", "SpeakerTestPerformer", "SpeakerTestService", "Status"]
