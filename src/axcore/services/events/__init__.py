"""Rules: which conditions and actions there are, and running the actions of the rules that match."""

from .service import Actuator, EventService

__all__ = ["Actuator", "EventService"]
