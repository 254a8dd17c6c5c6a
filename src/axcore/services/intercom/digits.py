"""Keys of the far telephone: one key is one event, whichever ways it came (manual: DTMF).

Whether a key counts at all (an answered call, its leg) is the service's. Jobs of the ledger thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from axcore.devices.keys import LOCK_NS, MOST_WRONG, NS, Heard, Keys, Wrong
from axcore.model import events
from axcore.model.events import NewEvent

from . import notices
from .accounts import SipAccounts
from .dtmf import Way

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class Digits:
    """The keys of who has the call, and the wrong codes of all calls."""

    def __init__(self, accounts: SipAccounts) -> None:
        self._accounts = accounts
        self._keys = Keys()
        self._heard = Heard()
        self._wrong = Wrong()

    def begin(self, tx: Transaction) -> None:
        """Somebody has a call, also by a transfer: he has pressed nothing. Wrong codes stay: who has used up his tries
        may not call for new ones."""
        tx.assign(self, "_keys", Keys())
        tx.assign(self, "_heard", Heard())

    def press(self, tx: Transaction, call_id: str, account_id: str, key: str, *, way: Way, t_ns: int) -> None:
        """A key by RFC 4733 (``rtp``) or INFO (``info``), if the account takes it."""
        account = self._accounts.accounts.get(account_id)
        if account is None or not self._accounts.dtmf.takes(account, way):
            return
        heard, counts = self._heard.press(key, way, t_ns)
        tx.assign(self, "_heard", heard)
        now, sequences = tx.now.mono_ns, self._accounts.keys_of(account.id)
        if not counts or not sequences or self._wrong.locked(now):
            return
        keys, hit = self._keys.press(key, t_ns, sequences)
        tx.assign(self, "_keys", keys)
        if keys.missed:
            tx.assign(self, "_wrong", self._wrong.another(now))
            if self._wrong.locked(now):
                told = f"call {call_id}: {MOST_WRONG} wrong codes: no key counts for {LOCK_NS // NS} s"
                tx.publish(notices.fault(told))
        if hit is not None:
            data = {"DTMFEventId": hit, "CallId": call_id}
            tx.publish(NewEvent(topic=events.CALL_DTMF, data=data, t_ns=t_ns))
