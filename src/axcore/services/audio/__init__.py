"""The settings of microphone and loudspeaker."""

from .service import AudioService

__all__ = ["AudioService"]
