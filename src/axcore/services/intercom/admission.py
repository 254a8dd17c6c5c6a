"""What others may have the device do: call it, send its calls elsewhere. What is refused is counted, and told once in a
while, because the log is for other things too.

Whom settings let is ``who``'s to say. Jobs of the ledger thread; ``counts`` is for any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from axcore.devices.call import Call, Notify, Step
from axcore.model.events import NewEvent
from axcore.model.voice import Incoming, Referred, Refused

from . import notices
from .who import Who

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

NS: Final = 1_000_000_000
REFUSED_NS: Final = 10 * NS
"""Refusals of one kind are told this often at most."""
CALL, TRANSFER = "call", "transfer"


class Admission:
    """See the module's text."""

    def __init__(self, who: Who) -> None:
        self._who = who
        self.counts: Mapping[str, int] = {}
        """Refusals by kind: ``call``, ``transfer``."""
        self._told: Mapping[str, int] = {}

    def incoming(self, tx: Transaction, report: Incoming) -> int:
        """The SIP status that somebody gets who may not call; 0 = he may."""
        code = self._who.refusal(report)
        if code:
            told = notices.fault(f"a call from {report.remote[:120]} ({report.source}) is not allowed")
            self._refused(tx, CALL, told, notices.denied(report.remote, report.local))
        return code

    def referred(self, tx: Transaction, call: Call, leg: str, report: Referred) -> Step:
        """The peer of a leg wants the call to go on with somebody else."""
        known = call.leg(leg)
        if known is None:
            return call, ()
        whom = self._who.referred(report, known.target.account)
        step = (call, (Notify(leg, whom),)) if isinstance(whom, int) else call.refer(leg, whom, tx.now.mono_ns)
        for effect in step[1]:
            if isinstance(effect, Notify):
                detail = f"{known.target.uri} may not have {report.uri[:120]} called ({effect.code})"
                self._refused(tx, TRANSFER, notices.fault(f"{TRANSFER}: {detail}"))
        return step

    def refused(self, tx: Transaction, report: Refused) -> None:
        """A voice process has refused transfers by itself."""
        told = notices.fault(f"{TRANSFER}: {report.detail} ({report.code})")
        self._refused(tx, TRANSFER, told, count=report.count)

    def _refused(self, tx: Transaction, kind: str, *told: NewEvent, count: int = 1) -> None:
        now = tx.now.mono_ns
        tx.assign(self, "counts", {**self.counts, kind: self.counts.get(kind, 0) + count})
        if now - self._told.get(kind, -REFUSED_NS) < REFUSED_NS:
            return
        tx.assign(self, "_told", {**self._told, kind: now})
        for event in told:
            tx.publish(event)
