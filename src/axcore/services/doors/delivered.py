"""What a controller is delivered with: a door for each set of terminals; an id point, an access point per reader.

Records are written once (kind ``door.delivered``); what is removed later stays removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices import DeviceModel
from axcore.model.doors import Door, DoorConfiguration, DoorMonitor, LockConfiguration
from axcore.model.pacs import AccessPoint, IdPoint, IdPointDevice

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

MARK = "door.delivered", "0"


def door_token(place: int) -> str:
    """Token of the delivered door at a set of terminals."""
    return f"door{place}"


def records(model: DeviceModel) -> list[tuple[str, Any]]:
    """Kind and record of everything that is delivered."""
    found: list[tuple[str, Any]] = []
    for place in range(1, len(model.doors) + 1):
        token = door_token(place)
        found.append(("pacs.door", Door(token=token, name=f"Door {place}")))
        hardware = DoorConfiguration(
            token=token, lock=LockConfiguration(type="Relay"), monitor=DoorMonitor(type="Standard")
        )
        found.append(("pacs.door_configuration", hardware))
    for spec in model.reader_places:
        found.append(("pacs.id_point", IdPoint(token=spec.name, name=spec.name.replace("reader", "Reader "))))
        point = AccessPoint(
            token=f"{spec.name}access",
            name=f"{spec.name.replace('reader', 'Reader ')} to door {spec.door}",
            entity=door_token(spec.door),
            id_points=(IdPointDevice(spec.name),),
            authentication_profiles=("CardOnly",),
        )
        found.append(("pacs.access_point", point))
    return found


def deliver(tx: Transaction, model: DeviceModel) -> None:
    """Write what is delivered, the first time."""
    if tx.get(*MARK) is not None:
        return
    for kind, record in records(model):
        if tx.get(kind, record.token) is None:
            tx.put(kind, record.token, msgspec.json.encode(record))
    tx.put(*MARK, b"1")
