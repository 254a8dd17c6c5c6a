"""Records of one kind with ids: contacts, groups, accounts, sequences. Jobs of the ledger thread; reads from any."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.convert import patched
from axcore.services.stored import changed

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

S = TypeVar("S", bound=msgspec.Struct)
"""What a user enters."""
R = TypeVar("R", bound=msgspec.Struct)
"""What is stored: the same with an id."""
Check = Callable[[S, str], S]
"""The record as it is kept (second argument: its id, empty for a new one). InputError names the field."""


class Shelf(Generic[S, R]):
    """Up to ``most`` records of ``kind`` (name of the records in the store).

    ``counter``: kind whose numbers these continue; none of ``others`` (ids) is given to a record.
    """

    def __init__(
        self,
        kind: str,
        spec: type[S],
        record: type[R],
        most: int,
        check: Check[S],
        *,
        counter: str = "",
        others: Callable[[], Container[str]] = frozenset,
    ) -> None:
        self.kind = kind
        self._counter, self._others = counter or kind, others
        self._spec, self._record, self._most, self._check = spec, record, most, check
        self._records: dict[str, R] = {}

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        stored = {key: msgspec.json.decode(raw, type=self._record) for key, raw in tx.items(self.kind)}
        self._records = dict(sorted(stored.items(), key=_order))

    @property
    def all(self) -> Mapping[str, R]:
        """By id, oldest first."""
        return self._records

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str, field: str = "id") -> R:
        """One record. NotFoundError."""
        try:
            return self._records[key]
        except KeyError:
            raise NotFoundError(field, f"there is no {self.kind.replace('_', ' ')} {key[:40]!r}") from None

    def add(self, tx: Transaction, spec: S, *, key: str = "") -> R:
        """Keep a record, under the next number unless it has an id. LimitError, what the check raises."""
        if len(self._records) >= self._most:
            raise LimitError(self.kind, f"there are {self._most} already; remove one first")
        spec = self._check(spec, "")
        return self._keep(tx, self._as_record(spec, key or self._free(tx)), "add")

    def update(self, tx: Transaction, key: str, patch: Mapping[str, Any]) -> R:
        """Change what the patch names. NotFoundError, what the check raises."""
        old = self.get(key)
        if patch.get("id", key) != key:
            raise InputError("id", "cannot be changed")
        fields = {name: value for name, value in patch.items() if name != "id"}
        spec = patched(self._as_spec(old), fields, self._spec)
        new = self._as_record(self._check(spec, key), key)
        return old if new == old else self._keep(tx, new, "update")

    def remove(self, tx: Transaction, key: str) -> None:
        """Forget a record. NotFoundError."""
        self.get(key)
        tx.delete(self.kind, key)
        tx.assign(self, "_records", {other: one for other, one in self._records.items() if other != key})
        self._tell(tx, key, "remove")

    def _free(self, tx: Transaction) -> str:
        """The next number that is no id: clients of the Call service may have chosen it as one."""
        number = int(tx.get("counter", self._counter) or b"0") + 1
        while (key := str(number)) in self._records or key in self._others():
            number += 1
        tx.put("counter", self._counter, b"%d" % number)
        return key

    def _as_record(self, spec: S, key: str) -> R:
        return self._record(**{name: getattr(spec, name) for name in self._spec.__struct_fields__}, id=key)

    def _as_spec(self, record: R) -> S:
        return self._spec(**{name: getattr(record, name) for name in self._spec.__struct_fields__})

    def _keep(self, tx: Transaction, record: R, action: str) -> R:
        key: str = record.id  # type: ignore[attr-defined]
        tx.put(self.kind, key, msgspec.json.encode(record))
        tx.assign(self, "_records", {**self._records, key: record})
        self._tell(tx, key, action)
        return record

    def _tell(self, tx: Transaction, key: str, action: str) -> None:
        tx.publish(changed(self.kind, key, action, tx.actor))


def _order(item: tuple[str, Any]) -> tuple[bool, int, str]:
    key = item[0]
    return (key.isdigit(), int(key) if key.isdigit() else 0, key)
