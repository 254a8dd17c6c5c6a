"""Who follows events over websockets: how many, why they ended, and the tokens with which they may come.

A token (``wssession.cgi``) stands for a login in places where a client cannot send one: good for one connection, within
15 seconds. It is 256 random bits and known by its hash only. Lives on the loop.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter, OrderedDict
from typing import Final

from axcore.model.accounts import Identity

TOKEN_NS: Final = 15 * 1_000_000_000
MAX_TOKENS: Final = 16
"""That one account may hold; the oldest one goes first."""


class Tokens:
    """Tokens that wait for their connection; bounded by the number of accounts times MAX_TOKENS."""

    def __init__(self) -> None:
        self._waiting: dict[str, OrderedDict[bytes, tuple[Identity, int]]] = {}

    def issue(self, identity: Identity, now_ns: int) -> str:
        """A new token (URL-safe text) for this login. ``now_ns``: monotonic."""
        self._forget(now_ns)
        token = secrets.token_urlsafe(32)
        mine = self._waiting.setdefault(identity.name, OrderedDict())
        mine[_key(token)] = (identity, now_ns + TOKEN_NS)
        while len(mine) > MAX_TOKENS:
            mine.popitem(last=False)
        return token

    def redeem(self, token: str, now_ns: int) -> Identity | None:
        """Whose token this is; None if it is unknown, was used, or is too old. It is gone afterwards."""
        self._forget(now_ns)
        key = _key(token)
        for mine in self._waiting.values():
            found = mine.pop(key, None)
            if found is not None:
                return found[0]
        return None

    def _forget(self, now_ns: int) -> None:
        for name, mine in tuple(self._waiting.items()):
            while mine and next(iter(mine.values()))[1] < now_ns:
                mine.popitem(last=False)
            if not mine:
                del self._waiting[name]


class Hub:
    """The websocket clients of a device."""

    def __init__(self, *, clients: int = 32, send_timeout: float = 20.0, heartbeat: float = 20.0) -> None:
        self.tokens = Tokens()
        self.limit = clients
        """Most clients at a time."""
        self.send_timeout = send_timeout
        """Seconds that a client may leave a message unread before it is dropped."""
        self.heartbeat = heartbeat
        """Seconds without a word after which a client is pinged; it has half of them to answer."""
        self.clients = 0
        """Clients now."""
        self.sent = 0
        """Notifications sent since the start."""
        self.dropped = 0
        """Events that clients lost since the start because they did not keep up."""
        self.ended: Counter[str] = Counter()
        """Why clients ended: ``client``, ``slow``, ``silent``, ``protocol``, ``account``, ``stop``, ``refused``."""


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
