"""Which id point is at which place for a reader, and the I/O of each. Pure functions.

The id points that a reader connector is assigned to (VAPIX *I/O assignment service*) are at its places: each at that of
its OSDP address, the others at those that are free, in order. A connector that nobody has set belongs to the id points
that have the names of its places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from axcore.devices import ReaderSpec
from axcore.model.pacs import IdPointConfiguration
from axcore.services.pacs import io
from axcore.services.pacs.io import IoAssignment
from axcore.services.pacs.readers import osdp_address, setting


def connectors(spec: ReaderSpec) -> dict[str, str]:
    """The I/O that reach a place, by usage."""
    found = {"RS-485HD": io.serial(spec.port)}
    if spec.wiegand is not None:
        found["Wiegand"] = io.wiegand(spec.wiegand)
    return found


def line_of(spec: ReaderSpec, usage: str) -> str:
    """The I/O of a place for a usage; empty: none."""
    at = io.READER_LINES.get(usage)
    if at is not None:
        return "" if spec.lines is None else spec.lines[at]
    return connectors(spec).get(usage, "")


def id_points(
    specs: Iterable[ReaderSpec], assigned: Mapping[str, IoAssignment], hardware: Mapping[str, IdPointConfiguration]
) -> dict[str, str]:
    """The token of the id point at each place; places without any are left out."""
    places = tuple(specs)
    found = {spec.name: spec.name for spec in places if not assigned.keys() & set(connectors(spec).values())}
    for line in sorted(assigned):
        reached = [spec for spec in places if line in connectors(spec).values()]
        users = [user.token for user in assigned[line].users if user.type == "idpoint"]
        later = []
        for token in dict.fromkeys(users):
            at = _at(reached, hardware.get(token))
            if at is None or at in found:
                later.append(token)
            else:
                found[at] = token
        free = [spec.name for spec in reached if spec.name not in found]
        found.update(zip(free, later, strict=False))
    return found


def _at(reached: Iterable[ReaderSpec], held: IdPointConfiguration | None) -> str | None:
    """The place of the address that is set for a reader."""
    if not setting(held, "IdPoint.Hardware.Address"):
        return None
    address = osdp_address(held) if held is not None else 0
    return next((spec.name for spec in reached if spec.address == address), None)
