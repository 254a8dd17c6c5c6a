"""The entry list: credential holders and reader settings, in memory for decisions and in the ledger for good.

Every method that takes ``tx`` is a job of the ledger thread; ``settings``, ``index`` and ``holders`` are snapshots
for any thread. Records: ``access/settings``, ``access/next_id``, ``holder/<id>`` and, so that a use rewrites little,
``holder-left/<id>``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.convert import convert, patched
from axcore.model.credentials import MAX_HOLDERS, AccessSettings, Holder, HolderSpec, Scheduled, Times
from axcore.model.events import CONFIGURATION_CHANGED, NewEvent
from axcore.runtime.transaction import Transaction
from axcore.services.access import decision, validate

_HOLDER, _LEFT, _ACCESS = "holder", "holder-left", "access"


class EntryList:
    """See the module's text."""

    def __init__(self, schedules: decision.Schedules | None = None) -> None:
        self._schedules = schedules
        self.settings = AccessSettings()
        self.index = decision.index(())

    def holders(self) -> tuple[Holder, ...]:
        """Every holder, oldest first."""
        return tuple(self.index.holders.values())

    def holder(self, holder_id: str) -> Holder:
        """One holder. Raises NotFoundError."""
        try:
            return self.index.holders[holder_id]
        except KeyError:
            raise NotFoundError("id", f"there is no credential holder {holder_id}") from None

    def load(self, tx: Transaction) -> None:
        """Read everything from the store. After a recovery no limited use is left: they may have been spent already."""
        stored = tx.get(_ACCESS, "settings")
        self.settings = msgspec.json.decode(stored, type=AccessSettings) if stored else AccessSettings()
        recovered = tx.get("ledger", "recovered") is not None
        holders = []
        for key, value in sorted(tx.items(_HOLDER), key=lambda item: int(item[0])):
            spec = msgspec.json.decode(value, type=HolderSpec)
            left = None
            if isinstance(spec.validity, Times):
                left = 0 if recovered else int(tx.get(_LEFT, key) or 0)
                if recovered:
                    tx.put(_LEFT, key, b"0")
            holders.append(_holder(spec, key, left))
        self.index = decision.index(holders)

    def set_settings(self, tx: Transaction, patch: dict[str, Any]) -> AccessSettings:
        """Change settings. Raises InputError."""
        settings = patched(self.settings, patch, AccessSettings)
        validate.check_settings(settings, self.index.holders.values())
        tx.put(_ACCESS, "settings", msgspec.json.encode(settings))
        tx.assign(self, "settings", settings)
        _changed(tx, "access", "settings", "update")
        return settings

    def add_holder(self, tx: Transaction, spec: HolderSpec | dict[str, Any]) -> Holder:
        """Add a credential holder.

        Raises InputError; LimitError for the 51st; ConflictError for what is someone else's.
        """
        if isinstance(spec, dict):
            spec = convert(spec, HolderSpec)
        spec = self._scheduled(validate.check_spec(spec, self.settings))
        if len(self.index.holders) >= MAX_HOLDERS:
            raise LimitError(
                "holders", f"the entry list holds {MAX_HOLDERS} credential holders at most; remove one first"
            )
        validate.check_unique(spec, self.index.holders.values())
        number = int(tx.get(_ACCESS, "next_id") or 1)
        tx.put(_ACCESS, "next_id", b"%d" % (number + 1))
        holder = _holder(spec, str(number), spec.validity.count if isinstance(spec.validity, Times) else None)
        self._store(tx, holder, "add")
        return holder

    def update_holder(self, tx: Transaction, holder_id: str, patch: dict[str, Any]) -> Holder:
        """Change the given fields of a holder (null takes a credential away). Raises InputError, NotFoundError.

        Uses left start anew when the number of times changes; ``remaining`` (0..count) sets them.
        """
        old = self.holder(holder_id)
        remaining = None
        if isinstance(patch, dict) and "remaining" in patch:
            remaining = convert(patch["remaining"], int, "remaining")
            patch = {name: value for name, value in patch.items() if name != "remaining"}
        spec = validate.check_spec(patched(_spec(old), patch, HolderSpec), self.settings)
        if spec.validity != old.validity:
            spec = self._scheduled(spec)
        validate.check_unique(spec, (h for h in self.index.holders.values() if h.id != holder_id))
        left = None
        if isinstance(spec.validity, Times):
            left = old.remaining if spec.validity == old.validity else spec.validity.count
            if remaining is not None:
                if not 0 <= remaining <= spec.validity.count:
                    raise InputError("remaining", f"must be 0..{spec.validity.count}")
                left = remaining
        elif remaining is not None:
            raise InputError("remaining", "needs a validity of a number of times")
        holder = _holder(spec, holder_id, left)
        self._store(tx, holder, "update")
        return holder

    def remove_holder(self, tx: Transaction, holder_id: str) -> None:
        """Remove a holder. Raises NotFoundError."""
        self.holder(holder_id)
        tx.delete(_HOLDER, holder_id)
        tx.delete(_LEFT, holder_id)
        tx.assign(self, "index", decision.index(h for h in self.index.holders.values() if h.id != holder_id))
        _changed(tx, _HOLDER, holder_id, "remove")

    def spend(self, tx: Transaction, holder: Holder) -> Holder:
        """Take one use off a holder who has a number of them, in the transaction of the grant."""
        if holder.remaining is None:
            return holder
        spent = msgspec.structs.replace(holder, remaining=holder.remaining - 1)
        tx.put(_LEFT, holder.id, b"%d" % (holder.remaining - 1), volatile=True)
        tx.assign(self, "index", self.index._replace(holders={**self.index.holders, holder.id: spent}))
        return spent

    def _scheduled(self, spec: HolderSpec) -> HolderSpec:
        """``spec`` with the id of its schedule, which may be given by name. InputError."""
        if not isinstance(spec.validity, Scheduled) or self._schedules is None:
            return spec
        found = self._schedules.resolve(spec.validity.schedule, "validity.schedule")
        return msgspec.structs.replace(spec, validity=Scheduled(found))

    def _store(self, tx: Transaction, holder: Holder, action: str) -> None:
        tx.put(_HOLDER, holder.id, msgspec.json.encode(_spec(holder)))
        if holder.remaining is None:
            tx.delete(_LEFT, holder.id)
        else:
            tx.put(_LEFT, holder.id, b"%d" % holder.remaining)
        tx.assign(self, "index", decision.index({**self.index.holders, holder.id: holder}.values()))
        _changed(tx, _HOLDER, holder.id, action)


def _changed(tx: Transaction, kind: str, key: str, action: str) -> None:
    data = {"kind": kind, "key": key, "action": action}
    if tx.actor:
        data["user"] = tx.actor
    tx.publish(NewEvent(topic=CONFIGURATION_CHANGED, data=data))


def _spec(holder: Holder) -> HolderSpec:
    return HolderSpec(**{name: getattr(holder, name) for name in HolderSpec.__struct_fields__})


def _holder(spec: HolderSpec, holder_id: str, remaining: int | None) -> Holder:
    fields = {name: getattr(spec, name) for name in HolderSpec.__struct_fields__}
    return Holder(**fields, id=holder_id, remaining=remaining)
