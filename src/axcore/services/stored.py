"""One record of settings in the store: read at the start, kept and told when it has changed.

``place`` is where it lies, and what the event says of it: (kind, key). Jobs of the ledger thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from axcore.model import events
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

S = TypeVar("S", bound=msgspec.Struct)


class Holder(Protocol):
    """Who has the record."""

    settings: Any


def load_settings(tx: Transaction, place: tuple[str, str], kind: type[S]) -> S:
    """What is stored; as delivered, if nothing is."""
    raw = tx.get(*place)
    return kind() if raw is None else msgspec.json.decode(raw, type=kind)


def keep_settings(tx: Transaction, place: tuple[str, str], holder: Holder, new: msgspec.Struct) -> bool:
    """Store ``new`` as the settings of ``holder``, and tell of it; False, and nothing, if they are so already."""
    if new == holder.settings:
        return False
    tx.put(*place, msgspec.json.encode(new))
    tx.assign(holder, "settings", new)
    tx.publish(changed(*place, "update", tx.actor))
    return True


def changed(kind: str, key: str, action: str, user: str) -> NewEvent:
    """A record was added, updated or removed."""
    data = {"kind": kind, "key": key, "action": action, "user": user}
    return NewEvent(topic=events.CONFIGURATION_CHANGED, data=data)
