"""The voice processes as the settings want them, and what they tell of themselves: what they can do, registrations,
faults. Calls are not known here but for whether there are any. Jobs of the ledger thread; snapshots are for any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from axcore.model import voice

from . import notices
from .accounts import SipAccounts
from .legs import Legs
from .lines import LineDriver
from .live import LiveCalls
from .servers import ServerChoice

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class Processes:
    """See the module's text."""

    def __init__(self, accounts: SipAccounts, legs: Legs, servers: ServerChoice, calls: LiveCalls) -> None:
        self._accounts, self._legs, self._servers, self._calls = accounts, legs, servers, calls
        self._driver: LineDriver | None = None
        self._stale = False
        """They are to be told of other settings, once there is no call."""
        self.registrations: dict[str, voice.Registration] = {}
        """The last answer of each registrar, by account."""

    def attach(self, driver: LineDriver) -> None:
        """Connect them (set-up)."""
        self._driver = driver
        self._accounts.unavailable = driver.unavailable

    def apply(self, tx: Transaction) -> None:
        """Processes as the settings say; those that there are begin anew, once nobody talks."""
        driver, on = self._driver, self._accounts.settings.enabled
        if driver is None:
            return
        if self._calls.all:
            tx.assign(self, "_stale", True)
            return
        tx.assign(self, "_stale", False)
        tx.after_commit(lambda: driver.apply(on))

    def rest(self, tx: Transaction) -> None:
        """There is no call any more."""
        if self._stale:
            self.apply(tx)

    def on_report(self, tx: Transaction, line: int, report: voice.Report) -> None:
        """What a process tells of itself; what it tells of legs is not for here."""
        match report:
            case voice.Ready():
                self._legs.up(tx, line, report)
                if report.refused:
                    tx.publish(notices.fault(f"accounts that could not be used: {', '.join(report.refused)}"))
            case voice.Registration():
                tx.assign(self, "registrations", {**self.registrations, report.account: report})
                tx.publish(notices.registration(report))
                self._servers.on_registration(tx, report)
            case voice.Probed():
                self._servers.on_probed(tx, report)
            case voice.Refused(what=what, detail=detail) if what != "command":
                tx.publish(notices.fault(f"{what}: {detail}"))

    def on_lost(self, tx: Transaction, line: int, reason: str) -> None:
        """One is gone; empty ``reason``: it was to go."""
        if line == 0:
            tx.assign(self, "registrations", {})
        if reason:
            tx.publish(notices.fault(f"voice process {line}: {reason}"))
