"""Accounts: who may log in, and with which role."""

from .passwords import Secrets, derive, verify
from .service import AccountService

__all__ = ["AccountService", "Secrets", "derive", "verify"]
