"""What happens at a reader, as events and as a request: the same whether it came over a line or from a remote device
(VAPIX *IdPoint service*, *Sending activities from a remote device*).

Each activity has two events: that there was one, and what was shown. PINs are in neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from axcore.model import events as topics
from axcore.model.events import NewEvent
from axcore.model.pacs import SECRET

if TYPE_CHECKING:
    from axcore.runtime.transaction import Transaction

ActivityType = Literal["Card", "PIN", "REX"]
REASONS: dict[ActivityType, str] = {"Card": "CardPresented", "PIN": "CodeEntered", "REX": "REX"}
_REQUESTS: dict[ActivityType, str] = {"Card": "IdData", "PIN": "PIN", "REX": "REX"}


def tell(
    tx: Transaction, id_point: str, kind: ActivityType, shown: Mapping[str, str], *, t_ns: int = 0,
    correlation: str | None = None,
) -> None:  # fmt: skip
    """Publish both events of an activity."""
    source = {"IdPointToken": id_point}
    data = {name: value for name, value in shown.items() if name not in SECRET} if kind == "Card" else {}
    for topic, told in (
        (topics.ID_POINT_ACTIVITY, {"Reason": REASONS[kind]}), (topics.ID_POINT_REQUEST + _REQUESTS[kind], data),
    ):  # fmt: skip
        tx.publish(NewEvent(topic=topic, source=source, data=told, t_ns=t_ns, correlation=correlation), lazy=True)
