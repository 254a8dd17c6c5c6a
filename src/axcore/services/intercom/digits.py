"""Keys of the far telephone: one key is one event, whichever ways it came (manual: DTMF).

Whether a key counts at all (an answered call, its leg) is the service's. Jobs of the ledger thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from axcore.devices.keys import Heard, Keys
from axcore.model import events
from axcore.model.events import NewEvent

from . import notices
from .accounts import SipAccounts

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class Digits:
    """The keys of one call."""

    def __init__(self, accounts: SipAccounts) -> None:
        self._accounts = accounts
        self._keys = Keys()
        self._heard = Heard()

    def begin(self, tx: Transaction) -> None:
        """A new call: nothing was pressed."""
        tx.assign(self, "_keys", Keys())
        tx.assign(self, "_heard", Heard())

    def press(self, tx: Transaction, call_id: str, account_id: str, key: str, *, way: str, t_ns: int) -> None:
        """A key by RFC 4733 (``rtp``) or INFO (``info``), if the account takes it."""
        account = self._accounts.accounts.get(account_id)
        if account is None or not (account.rtp_keys if way == "rtp" else account.info_keys):
            return
        heard, counts = self._heard.press(key, way, t_ns)
        tx.assign(self, "_heard", heard)
        if not counts:
            return
        keys, hit = self._keys.press(key, t_ns, self._accounts.keys_of(account.id))
        if keys.locked and not self._keys.locked:
            tx.publish(notices.fault(f"call {call_id}: too many wrong codes; keys do not count any more"))
        tx.assign(self, "_keys", keys)
        if hit is not None:
            data = {"DTMFEventId": hit, "CallId": call_id}
            tx.publish(NewEvent(topic=events.CALL_DTMF, data=data, t_ns=t_ns))
