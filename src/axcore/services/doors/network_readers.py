"""Readers on the network (manual: Peripherals > Readers > Add reader; up to 16).

Each is an id point; what it reads comes in over the access control API (``RequestAccess``,
``IndicateRemoteActivities``). Kept here is how it is reached. Passwords come in and never go out.

Record: ``reader.network/<token>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from axcore.devices import DeviceModel
from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.convert import patched
from axcore.model.pacs import IdPoint
from axcore.services.doors.expansion import Configuration, changed, check_name, free
from axcore.services.reader.settings import HOST

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND = "reader.network"
MAX_TEXT = 255
ReaderKind = Literal["bluetooth", "license_plate", "barcode", "intercom"]


class NetworkReader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reader with an address of its own."""

    token: str = ""
    """Of its id point, which is made for it."""
    name: str = ""
    kind: ReaderKind = "intercom"
    host: str = ""
    """Needed for those that the controller calls: bluetooth, intercom."""
    username: str = ""
    password: str = ""
    verify_certificate: bool = True


class NetworkReaders:
    """Methods with ``tx`` are jobs of the ledger thread."""

    def __init__(self, model: DeviceModel, pacs: Configuration) -> None:
        self._most = model.network_readers
        self._pacs = pacs
        self._readers: Mapping[str, NetworkReader] = {}

    def load(self, tx: Transaction) -> None:
        """Read what is stored; also after a failed commit."""
        self._readers = {key: msgspec.json.decode(raw, type=NetworkReader) for key, raw in tx.items(KIND)}

    @property
    def readers(self) -> Mapping[str, NetworkReader]:
        """By token."""
        return self._readers

    def reader(self, token: str) -> NetworkReader:
        """One of them. NotFoundError."""
        try:
            return self._readers[token]
        except KeyError:
            raise NotFoundError("reader", f"there is no {token[:64]!r}") from None

    def add(self, tx: Transaction, reader: NetworkReader) -> NetworkReader:
        """*Add reader*. InputError, LimitError."""
        if not self._most:
            raise NotFoundError("reader", "this device takes no readers on the network")
        if len(self._readers) >= self._most:
            raise LimitError("reader", f"at most {self._most} network readers")
        token = free("netreader", {**self._readers, **self._pacs.table("pacs.id_point")})
        new = msgspec.structs.replace(reader, token=token, name=reader.name or f"Network reader {token[9:]}")
        self._keep(tx, new, "add")
        return new

    def configure(self, tx: Transaction, token: str, patch: Mapping[str, Any]) -> NetworkReader:
        """Change a reader; a password that is left out stays. InputError, NotFoundError."""
        before = self.reader(token)
        if "token" in patch:
            raise InputError("token", "cannot be changed")
        new = patched(before, dict(patch), NetworkReader)
        self._keep(tx, new, "update")
        return new

    def remove(self, tx: Transaction, token: str) -> None:
        """A reader and its id point. NotFoundError."""
        self.reader(token)
        if token in self._pacs.table("pacs.id_point"):
            self._pacs.remove(tx, "pacs.id_point", (token,))
        tx.delete(KIND, token)
        tx.assign(self, "_readers", {name: held for name, held in self._readers.items() if name != token})
        changed(tx, KIND, token, "remove")

    def _keep(self, tx: Transaction, reader: NetworkReader, action: str) -> None:
        check_name(reader.name)
        if reader.kind in ("bluetooth", "intercom") and not reader.host:
            raise InputError("host", "is needed: the address of the reader")
        if reader.host and (len(reader.host) > MAX_TEXT or not HOST.fullmatch(reader.host)):
            raise InputError("host", "must be a host name or an IP address")
        for field in ("username", "password"):
            value = getattr(reader, field)
            if len(value) > MAX_TEXT or not value.isprintable():
                raise InputError(field, f"must be at most {MAX_TEXT} printable characters")
        tx.put(KIND, reader.token, msgspec.json.encode(reader))
        tx.assign(self, "_readers", {**self._readers, reader.token: reader})
        if reader.token not in self._pacs.table("pacs.id_point"):
            self._pacs.set(tx, "pacs.id_point", (IdPoint(token=reader.token, name=reader.name),))
        changed(tx, KIND, reader.token, action)
