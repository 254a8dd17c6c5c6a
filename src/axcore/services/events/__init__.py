"""Rules: conditions, the engine that matches them, and actions."""

from .service import Actuator, EventService

__all__ = ["Actuator", "EventService"]
