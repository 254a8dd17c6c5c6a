"""Rules: which conditions and actions there are, and running the actions of the rules that match."""

from .absent import AbsentPerformer
from .conditions import ConditionType, Item
from .configurations import ConfigurationService
from .io_actions import Actuator, PortPerformer, VirtualInputPerformer, check_duration
from .performers import ActionType, Performer, Run
from .service import ConditionSource, EventService

__all__ = [
    "AbsentPerformer",
    "ActionType",
    "Actuator",
    "ConditionSource",
    "ConditionType",
    "ConfigurationService",
    "EventService",
    "Item",
    "Performer",
    "PortPerformer",
    "Run",
    "VirtualInputPerformer",
    "check_duration",
]
