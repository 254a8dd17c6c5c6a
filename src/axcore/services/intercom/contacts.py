"""The contact list: people, groups, and whom the call button calls (manual: Contact list, Calls).

Changes are jobs of the ledger thread; what is read are snapshots, from any thread. Import is all or nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices.dial import Book
from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model.convert import patched
from axcore.model.images import Image
from axcore.model.intercom import (
    MAX_CONTACTS,
    MAX_GROUPS,
    MAX_LEGS,
    VMS_CALL,
    CallButton,
    Contact,
    ContactSpec,
    Group,
    GroupSpec,
)
from axcore.services.stored import changed, load_settings
from axcore.services.users import Users, refuse_if_used

from . import check
from .pictures import Pictures
from .shelf import Shelf

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

BUTTON = ("intercom", "button")


class ContactFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is downloaded and imported."""

    version: int = 1
    contacts: tuple[Contact, ...]
    groups: tuple[Group, ...] = ()
    images: dict[str, str] = {}
    """PNG and JPEG files as base64, by the ids of contacts and groups."""


class ContactList:
    """See the module's text.

    Args:
        resolve_schedule: the id of a schedule of this id or name; InputError (second argument: the field).
        check_address: InputError for an address that an account (its id) cannot call.
    """

    def __init__(
        self, resolve_schedule: Callable[[str, str], str], check_address: Callable[[str, str], object]
    ) -> None:
        self.button = CallButton()
        self.pictures = Pictures()
        self.users = Users[str]()
        """Asked by id before a contact or group is removed; groups and the call button just forget them."""
        self._schedule, self._address = resolve_schedule, check_address
        self._contacts = Shelf("contact", ContactSpec, Contact, MAX_CONTACTS, self._check_contact)
        self._groups = Shelf("contact_group", GroupSpec, Group, MAX_GROUPS, self._check_group)

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        self._contacts.load(tx)
        self._groups.load(tx)
        self.pictures.load(tx)
        self.button = load_settings(tx, BUTTON, CallButton)

    # --- any thread

    @property
    def book(self) -> Book:
        """Everybody, by id."""
        return Book(self._contacts.all, self._groups.all)

    def contact(self, key: str) -> Contact:
        """NotFoundError."""
        return self._contacts.get(key)

    def group(self, key: str) -> Group:
        """NotFoundError."""
        return self._groups.get(key)

    def find(self, text: str) -> str | None:
        """The id of a contact or a group that can be called, by id or name; None if there is none."""
        text = text.strip()
        everybody: Iterable[Contact | Group] = (*self._contacts.all.values(), *self._groups.all.values())
        for one in everybody:
            if text == one.id or one.name.casefold() == text.casefold():
                return None if isinstance(one, Group) and not one.group_calls else one.id
        return None

    def by_speed_dial(self, digits: str) -> str | None:
        """The id of who has this number."""
        everybody: Iterable[Contact | Group] = (*self._contacts.all.values(), *self._groups.all.values())
        return next((one.id for one in everybody if digits and one.speed_dial == digits), None)

    def using(self, schedule: str) -> Iterable[str]:
        """Who is available by a schedule."""
        for contact in self._contacts.all.values():
            if contact.availability == schedule:
                yield f"the contact {contact.name!r}"

    def calling_from(self, account: str) -> Iterable[str]:
        """Who is called from an account (id)."""
        for contact in self._contacts.all.values():
            if contact.account == account:
                yield f"the contact {contact.name!r}"

    def export(self) -> ContactFile:
        """The whole list."""
        images = {key: base64.b64encode(file).decode() for key, file in self.pictures.all.items()}
        return ContactFile(
            contacts=tuple(self._contacts.all.values()), groups=tuple(self._groups.all.values()), images=images
        )

    # --- changes

    def add_contact(self, tx: Transaction, spec: ContactSpec) -> Contact:
        """LimitError, ConflictError, InputError."""
        return self._contacts.add(tx, spec, key=self._free(tx, "contact"))

    def update_contact(self, tx: Transaction, key: str, patch: Mapping[str, Any]) -> Contact:
        """NotFoundError and as above."""
        return self._contacts.update(tx, key, patch)

    def remove_contact(self, tx: Transaction, key: str) -> None:
        """Forget a contact, in groups and as a fallback too. NotFoundError; ConflictError names who uses it."""
        self._refuse_if_used("id", self._contacts.get(key))
        self._contacts.remove(tx, key)
        self.pictures.remove(tx, key)
        for contact in list(self._contacts.all.values()):
            if contact.fallback == key:
                self._contacts.update(tx, contact.id, {"fallback": ""})
        for group in list(self._groups.all.values()):
            left = [one for one in group.recipients if one != key]
            fallback = "" if group.fallback == key else group.fallback
            if len(left) != len(group.recipients) or fallback != group.fallback:
                self._groups.update(tx, group.id, {"recipients": left, "fallback": fallback})
        self._unpin(tx, key)

    def add_group(self, tx: Transaction, spec: GroupSpec) -> Group:
        """LimitError, ConflictError, InputError."""
        return self._groups.add(tx, spec, key=self._free(tx, "group"))

    def update_group(self, tx: Transaction, key: str, patch: Mapping[str, Any]) -> Group:
        """NotFoundError and as above; LimitError where the call button would call more than it can, ConflictError where
        somebody calls a group that is not for calls any more."""
        before, old = self._called(self.button.recipients), self._groups.get(key)
        group = self._groups.update(tx, key, patch)
        if old.group_calls and not group.group_calls:
            self._refuse_if_used("group_calls", old, *(("the call button",) * (key in self.button.recipients)))
        self._check_added("recipients", self._called(self.button.recipients), before)
        return group

    def remove_group(self, tx: Transaction, key: str) -> None:
        """NotFoundError; ConflictError names who uses it."""
        self._refuse_if_used("id", self._groups.get(key))
        self._groups.remove(tx, key)
        self.pictures.remove(tx, key)
        self._unpin(tx, key)

    def set_picture(self, tx: Transaction, key: str, data: bytes) -> Image:
        """The picture of a contact or group. NotFoundError, InputError, LimitError."""
        if key not in self.book.groups:
            self._contacts.get(key)
        return self.pictures.put(tx, key, data)

    def set_button(self, tx: Transaction, patch: Mapping[str, Any]) -> CallButton:
        """Change what the call button does. InputError, LimitError, NotFoundError (``recipients[n]``)."""
        new = check.button(patched(self.button, patch, CallButton))
        for position, key in enumerate(new.recipients):
            field = f"recipients[{position}]"
            if key == VMS_CALL:
                continue
            group = self._groups.all.get(key)
            if group is None:
                self._contacts.get(key, field)
            elif not group.group_calls:
                raise InputError(field, f"the group {group.name!r} is not for calls")
        self._check_added("recipients", self._called(new.recipients), self._called(self.button.recipients))
        if new.fallback:
            self._contacts.get(new.fallback, "fallback")
        tx.put(*BUTTON, msgspec.json.encode(new))
        tx.assign(self, "button", new)
        tx.publish(changed("intercom", "call_button", "update", tx.actor))
        return new

    def replace(self, tx: Transaction, file: ContactFile) -> ContactFile:
        """Import: the list becomes that of the file, or nothing changes. InputError names the record and the field."""
        if file.version != 1:
            raise InputError("version", "must be 1")
        called = self._called(self.button.recipients)
        old: tuple[Contact | Group, ...] = (*self._contacts.all.values(), *self._groups.all.values())
        for shelf in (self._groups, self._contacts):
            for key in list(shelf.all):
                shelf.remove(tx, key)
                self.pictures.remove(tx, key)
        for number, contact in enumerate(file.contacts):
            # Fallbacks may point forward: they are set when everybody is there.
            alone = msgspec.structs.replace(contact, fallback="")
            self._import(self._contacts, tx, alone, f"contacts[{number}]")
        for number, contact in enumerate(file.contacts):
            if contact.fallback:
                with _below(f"contacts[{number}]"):
                    self._contacts.update(tx, contact.id, {"fallback": contact.fallback})
        for number, group in enumerate(file.groups):
            self._import(self._groups, tx, group, f"groups[{number}]")
        for key, text in file.images.items():
            with _below("images"):
                self._import_picture(tx, key, text)
        there = self.book.contacts.keys() | self.book.groups.keys()
        kept = tuple(key for key in self.button.recipients if key in there or key == VMS_CALL)
        self._check_added("groups", self._called(kept), called)
        for one in old:
            if self.find(one.id) is None:
                self._refuse_if_used("contacts" if isinstance(one, Contact) else "groups", one)
        fallback = self.button.fallback if self.button.fallback in there else ""
        if (kept, fallback) != (self.button.recipients, self.button.fallback):
            self.set_button(tx, {"recipients": list(kept), "fallback": fallback})
        return self.export()

    # --- inside

    def _refuse_if_used(self, field: str, one: Contact | Group, *users: str) -> None:
        kind = "contact" if isinstance(one, Contact) else "group"
        refuse_if_used(field, f"the {kind} {one.name!r}", (*users, *self.users.of(one.id)))

    def _called(self, recipients: Iterable[str]) -> set[str]:
        """The contacts (ids) that a button with these recipients calls at the same time, at most."""
        groups = self._groups.all
        called: set[str] = set()
        for key in recipients:
            called.update(groups[key].recipients if key in groups else (key,))
        return called - {VMS_CALL}

    @staticmethod
    def _check_added(field: str, now: set[str], before: set[str]) -> None:
        """LimitError if the call button calls somebody more, and then too many."""
        if now - before and len(now) > MAX_LEGS:
            raise LimitError(field, f"the call button would call {len(now)}; at most {MAX_LEGS} at the same time")

    def _import(self, shelf: Shelf[Any, Any], tx: Transaction, record: Contact | Group, path: str) -> None:
        with _below(path):
            if not record.id.isascii() or not record.id.isalnum() or len(record.id) > 40:
                raise InputError("id", "must be 1..40 letters and digits")
            if record.id in self.book.contacts or record.id in self.book.groups:
                raise ConflictError("id", f"{record.id!r} is there twice")
            kind: Any = ContactSpec if isinstance(record, Contact) else GroupSpec
            shelf.add(tx, kind(**{name: getattr(record, name) for name in kind.__struct_fields__}), key=record.id)

    def _import_picture(self, tx: Transaction, key: str, text: str) -> None:
        if key not in self.book.contacts and key not in self.book.groups:
            raise NotFoundError(key[:40], "is neither a contact nor a group of the file")
        try:
            data = base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            raise InputError(key, "must be base64") from None
        self.pictures.put(tx, key, data, key)

    def _free(self, tx: Transaction, prefix: str) -> str:
        counter = ("counter", "contact_list")
        number = int(tx.get(*counter) or b"0")
        while True:
            number += 1
            key = f"{prefix}{number}"
            if key not in self.book.contacts and key not in self.book.groups:
                tx.put(*counter, b"%d" % number)
                return key

    def _unpin(self, tx: Transaction, key: str) -> None:
        if key in self.button.recipients or key == self.button.fallback:
            left = [one for one in self.button.recipients if one != key]
            fallback = "" if self.button.fallback == key else self.button.fallback
            self.set_button(tx, {"recipients": left, "fallback": fallback})

    def _check_contact(self, spec: ContactSpec, key: str) -> ContactSpec:
        spec = check.contact(spec)
        old = self._contacts.all.get(key)
        if old is None or (spec.sip_address, spec.account) != (old.sip_address, old.account):
            self._address(spec.sip_address, spec.account)  # else it may have lost its server since: another matter
        availability = self._schedule(spec.availability, "availability") if spec.availability else ""
        if spec.fallback:
            self._contacts.get(spec.fallback, "fallback")
            if spec.fallback == key:
                raise InputError("fallback", "must be somebody else")
        self._check_dial(spec.speed_dial, key)
        return msgspec.structs.replace(spec, availability=availability)

    def _check_group(self, spec: GroupSpec, key: str) -> GroupSpec:
        spec = check.group(spec)
        for position, contact in enumerate(spec.recipients):
            self._contacts.get(contact, f"recipients[{position}]")
        if spec.fallback:
            self._contacts.get(spec.fallback, "fallback")
        if any(other.name == spec.name and other.id != key for other in self._groups.all.values()):
            raise ConflictError("name", f"there is a group {spec.name!r} already")
        self._check_dial(spec.speed_dial, key)
        return spec

    def _check_dial(self, digits: str, key: str) -> None:
        holder = self.by_speed_dial(digits)
        if holder is not None and holder != key:
            raise ConflictError("speed_dial", f"{digits} calls somebody else already")


class _below:  # noqa: N801
    """Puts a path before the field of an InputError."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotFoundError | LimitError | ConflictError | InputError):
            raise type(error)(f"{self._path}.{error.field}", error.reason) from None
