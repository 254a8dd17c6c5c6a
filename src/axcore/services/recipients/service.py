"""The recipients as they are kept: up to 20, by id and by unique names. Jobs of the ledger thread; reads from any.

A recipient that a rule uses can be removed: the rule's action then fails and says so (``ActionFailed``), as it does for
a port that is no output any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.convert import patched
from axcore.model.events import NewEvent
from axcore.model.recipients import MAX_RECIPIENTS, Recipient, RecipientSpec, RecipientView

from .validate import check_spec

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND = "recipient"
_COUNTER = ("counter", "recipient")


class RecipientService:
    """``recipients`` and ``recipient`` may be called from any thread; they hold passwords."""

    def __init__(self) -> None:
        self._recipients: dict[str, Recipient] = {}

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        stored = [msgspec.json.decode(value, type=Recipient) for _, value in tx.items(KIND)]
        self._recipients = {entry.id: entry for entry in sorted(stored, key=lambda entry: int(entry.id))}

    def recipients(self) -> tuple[Recipient, ...]:
        """Every recipient, oldest first."""
        return tuple(self._recipients.values())

    def recipient(self, recipient_id: str) -> Recipient:
        """``NotFoundError`` (``id``) if there is none."""
        try:
            return self._recipients[recipient_id]
        except KeyError:
            raise NotFoundError("id", f"there is no recipient {recipient_id[:40]!r}") from None

    def resolve(self, name: str) -> Recipient:
        """The recipient of an id or a name; ``NotFoundError`` (``recipient``)."""
        found = self._recipients.get(name) or next((r for r in self.recipients() if r.name == name.strip()), None)
        if found is None:
            known = ", ".join(entry.name for entry in self.recipients()) or "none"
            raise NotFoundError("recipient", f"there is no recipient {name[:40]!r} (there are: {known})")
        return found

    def add(self, tx: Transaction, spec: RecipientSpec) -> Recipient:
        """Keep a recipient. LimitError at the 21st, ConflictError for a name that is taken."""
        if len(self._recipients) >= MAX_RECIPIENTS:
            raise LimitError("recipients", f"there are {MAX_RECIPIENTS} recipients already; remove one first")
        spec = self._checked(spec, "")
        number = int(tx.get(*_COUNTER) or b"0") + 1
        tx.put(*_COUNTER, str(number).encode())
        recipient = Recipient(id=str(number), name=spec.name, target=spec.target)
        self._keep(tx, recipient, "add")
        return recipient

    def update(self, tx: Transaction, recipient_id: str, patch: Mapping[str, Any]) -> Recipient:
        """Change a recipient. Of a target of the same type, what the patch leaves out stays.

        A password stays only while the place stays that it is for: nobody has it sent elsewhere by an update.
        """
        old = self.recipient(recipient_id)
        if "id" in patch and patch["id"] != recipient_id:
            raise InputError("id", "cannot be changed")
        new = patched(old, _merged(old, patch), Recipient)
        checked = self._checked(new, recipient_id)
        recipient = Recipient(id=recipient_id, name=checked.name, target=checked.target)
        if recipient != old:
            self._keep(tx, recipient, "update")
        return recipient

    def copy(self, tx: Transaction, recipient_id: str) -> Recipient:
        """A copy under a free name (manual: Copy recipient)."""
        old = self.recipient(recipient_id)
        names = {entry.name for entry in self.recipients()}
        free = (f"{old.name[:50]} (copy{f' {n}' if n > 1 else ''})" for n in range(1, MAX_RECIPIENTS + 2))
        return self.add(tx, RecipientSpec(name=next(name for name in free if name not in names), target=old.target))

    def remove(self, tx: Transaction, recipient_id: str) -> None:
        """Forget a recipient."""
        self.recipient(recipient_id)
        left = {key: entry for key, entry in self._recipients.items() if key != recipient_id}
        tx.assign(self, "_recipients", left)
        tx.delete(KIND, recipient_id)
        tx.publish(_changed(recipient_id, "remove"))

    # --- inside

    def _checked(self, spec: RecipientSpec, own_id: str) -> RecipientSpec:
        check_spec(spec)
        name = spec.name.strip()
        if any(entry.name == name and entry.id != own_id for entry in self.recipients()):
            raise ConflictError("name", f"there is a recipient {name!r} already")
        return msgspec.structs.replace(spec, name=name)

    def _keep(self, tx: Transaction, recipient: Recipient, action: str) -> None:
        tx.assign(self, "_recipients", {**self._recipients, recipient.id: recipient})
        tx.put(KIND, recipient.id, msgspec.json.encode(recipient))
        tx.publish(_changed(recipient.id, action))


def view(recipient: Recipient) -> RecipientView:
    """A recipient without its passwords."""
    target: dict[str, Any] = msgspec.to_builtins(recipient.target)
    for part in (target, target.get("proxy") or {}):
        if "password" in part:
            part["password_set"] = bool(part.pop("password"))
    return RecipientView(id=recipient.id, name=recipient.name, target=target)


PLACE = ("url", "host", "port", "pop_host", "share", "host_key_sha256", "host_key_md5", "validate_server_certificate")
"""What says whom a password is given to, and how sure that is."""


def _merged(old: Recipient, patch: Mapping[str, Any]) -> dict[str, Any]:
    target = patch.get("target")
    if not isinstance(target, dict):
        return dict(patch)
    kept: dict[str, Any] = msgspec.to_builtins(old.target)
    if target.get("type", kept["type"]) != kept["type"]:
        return dict(patch)
    new = {name: value for name, value in target.items() if name != "password_set"}
    if _moved(kept, new):
        kept.pop("password", None)
    proxy = new.get("proxy")
    if isinstance(proxy, dict) and kept.get("proxy"):
        shown = {name: value for name, value in proxy.items() if name != "password_set"}
        old_proxy = dict(kept["proxy"])
        if _moved(old_proxy, shown):
            old_proxy.pop("password", None)
        new["proxy"] = {**old_proxy, **shown}
    return {**patch, "target": {**kept, **new}}


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    def place(value: Any) -> Any:
        return urlsplit(value)[:2] if isinstance(value, str) and "//" in value else value

    return any(name in new and place(new[name]) != place(old.get(name)) for name in PLACE)


def _changed(key: str, action: str) -> NewEvent:
    return NewEvent(topic=events.CONFIGURATION_CHANGED, data={"kind": KIND, "key": key, "action": action})
