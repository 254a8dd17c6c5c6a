"""Schedules and pulses: conditions of rules, and when credentials (contacts, doors) are valid."""

from .conditions import rules_using
from .service import ScheduleService

__all__ = ["ScheduleService", "rules_using"]
