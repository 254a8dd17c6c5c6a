"""What the access control API says of readers, made true on their lines (VAPIX *IdPoint service*, *Keystore service*).

Setting the hardware of an id point sets the connector and the OSDP reader at its place: protocol, address, base key. A
reader that is connected in a secure channel gets a new key through it (KEYSET); to any other reader the key is a fact
that the controller is told. A key is never taken away here, and a reader that is to have one is not talked to without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from axcore.devices.reader import ReaderLink
from axcore.errors import InputError, NotFoundError
from axcore.services.pacs.keystore import secret_of
from axcore.services.pacs.kinds import ENCRYPTION_KEY, ID_POINT_CONFIGURATION, IO_ASSIGNMENT
from axcore.services.pacs.readers import osdp_address, setting

if TYPE_CHECKING:
    from axcore.model.pacs import IdPointConfiguration
    from axcore.runtime.ledger import Transaction
    from axcore.services.doors.buses import BusService
    from axcore.services.doors.readers import ReaderService
    from axcore.services.pacs.service import PacsService

_FIELDS = {ID_POINT_CONFIGURATION: "[0].settings", ENCRYPTION_KEY: "[0].key"}
"""What a refusal names, by the kind of record that was set."""


class Channel(NamedTuple):
    """How an OSDP reader is talked to."""

    link: ReaderLink
    has_key: bool


class ReaderSetup:
    """Listens to the records of ``pacs``: what cannot be done undoes their change."""

    def __init__(self, pacs: PacsService, readers: ReaderService, buses: BusService) -> None:
        self._pacs, self._readers, self._buses = pacs, readers, buses
        pacs.subscribe(self._on_record)

    def channel(self, id_point: str) -> Channel | None:
        """How a reader is talked to; None: not by OSDP. Any thread."""
        try:
            name = self._readers.at(id_point)
        except NotFoundError:
            return None
        if not self._buses.is_polled(name):
            return None
        return Channel(self._buses.status(name).link, bool(self._buses.reader(name).key))

    def _on_record(self, tx: Transaction, kind: str, token: str) -> None:
        if kind not in (ID_POINT_CONFIGURATION, ENCRYPTION_KEY, IO_ASSIGNMENT):
            return
        for state in self._readers.states():
            held = self._pacs.table(ID_POINT_CONFIGURATION).get(state.id_point)
            if held is None or not _concerns(held, kind, token):
                continue
            try:
                self._apply(tx, state.name, state.port, held)
            except InputError as error:
                raise type(error)(_FIELDS.get(kind, "IoAssignment"), f"{state.name}: {error}") from None

    def _apply(self, tx: Transaction, name: str, port: int, held: IdPointConfiguration) -> None:
        kind, protocol = setting(held, "IdPoint.Reader.Type"), setting(held, "IdPoint.RS-485HD.Protocol")
        if kind == "Wiegand":
            self._set_port(tx, port, "wiegand")
        elif kind == "RS-485HD" and protocol == "OSDP":
            self._set_port(tx, port, "osdp")
            self._set_reader(tx, name, held)

    def _set_port(self, tx: Transaction, port: int, protocol: str) -> None:
        if self._buses.port(port).protocol != protocol:
            self._buses.configure_port(tx, port, {"protocol": protocol})

    def _set_reader(self, tx: Transaction, name: str, held: IdPointConfiguration) -> None:
        buses = self._buses
        before = buses.reader(name)
        patch: dict[str, object] = {"enabled": True}
        if setting(held, "IdPoint.Hardware.Address"):
            patch["address"] = osdp_address(held)
        elif not before.enabled:
            patch["address"] = self._readers.address(name)
        if setting(held, "IdPoint.SecureChannel.KeyType") == "None":
            patch["secure_only"] = bool(before.key)
        else:
            patch["secure_only"] = True
            secret = secret_of(held, self._pacs.table(ENCRYPTION_KEY))
            if secret is not None and secret.hex() != before.key:
                if before.key and buses.status(name).link == "secure":
                    buses.set_key(tx, name, secret.hex())
                else:
                    patch["key"] = secret.hex()
        if any(getattr(before, field) != value for field, value in patch.items()):
            buses.configure(tx, name, patch)


def _concerns(held: IdPointConfiguration, kind: str, token: str) -> bool:
    if kind == ENCRYPTION_KEY:
        return setting(held, "IdPoint.SecureChannel.KeyToken") == token
    return kind == IO_ASSIGNMENT or held.token == token
