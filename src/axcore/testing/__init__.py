"""For tests, ours and those of users: a clock that is moved by hand, a ledger without a thread or a disk, plain-Python
reference kernels. Nothing in axcore imports this package.
"""

from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger, MemoryStore

__all__ = ["MemoryLedger", "MemoryStore", "VirtualClock"]
