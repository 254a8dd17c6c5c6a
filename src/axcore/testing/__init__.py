"""For tests, ours and those of users: a clock that is moved by hand, a ledger without a thread or a disk."""

from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger, MemoryStore

__all__ = ["MemoryLedger", "MemoryStore", "VirtualClock"]
