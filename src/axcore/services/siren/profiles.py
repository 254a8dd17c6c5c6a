"""The profiles: up to 30, by name; add, change, remove, import (manual: Profiles). Jobs of the ledger thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.profiles import MAX_PROFILES, Profile

from .choices import check_profile

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND = "profile"
ImportMode = Literal["add", "overwrite", "erase_and_add"]


class Profiles:
    """``all`` may be read from any thread."""

    def __init__(self) -> None:
        self.all: dict[str, Profile] = {}
        """By name, in the order of creation."""

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        stored = [(key, msgspec.json.decode(value, type=Profile)) for key, value in tx.items(KIND)]
        self.all = {profile.name: profile for _, profile in sorted(stored, key=lambda entry: int(entry[0]))}

    def get(self, name: str) -> Profile:
        """``NotFoundError`` (``profile``) if there is none of that name."""
        try:
            return self.all[name]
        except KeyError:
            known = ", ".join(self.all) or "none"
            raise NotFoundError("profile", f"there is no profile {name[:60]!r} (there are: {known})") from None

    def add(self, tx: Transaction, profile: Profile, poe_class: int) -> Profile:
        """LimitError at the 31st, ConflictError for a name that is taken."""
        checked = check_profile(profile, poe_class)
        if checked.name in self.all:
            raise ConflictError("name", f"there is a profile {checked.name!r} already")
        if len(self.all) >= MAX_PROFILES:
            raise LimitError("profiles", f"there are {MAX_PROFILES} profiles already; remove one first")
        self._keep(tx, {**self.all, checked.name: checked})
        return checked

    def replace(self, tx: Transaction, name: str, profile: Profile, poe_class: int) -> Profile:
        """Change a profile; it may get another name and keeps its place."""
        self.get(name)
        checked = check_profile(profile, poe_class)
        if checked.name != name and checked.name in self.all:
            raise ConflictError("name", f"there is a profile {checked.name!r} already")
        self._keep(tx, {p.name: p for p in (checked if old == name else kept for old, kept in self.all.items())})
        return checked

    def remove(self, tx: Transaction, name: str) -> None:
        self.get(name)
        self._keep(tx, {other: kept for other, kept in self.all.items() if other != name})

    def load_in(self, tx: Transaction, profiles: Sequence[Profile], mode: ImportMode, poe_class: int) -> None:
        """Import: all of them or none. Errors name the profile (``profiles[3].light.speed``)."""
        kept = {} if mode == "erase_and_add" else dict(self.all)
        seen: set[str] = set()
        for number, profile in enumerate(profiles):
            try:
                checked = check_profile(profile, poe_class)
            except InputError as error:
                raise type(error)(f"profiles[{number}].{error.field}", error.reason) from None
            if checked.name in seen:
                raise ConflictError(f"profiles[{number}].name", f"{checked.name!r} stands twice in the file")
            if mode == "add" and checked.name in kept:
                raise ConflictError(f"profiles[{number}].name", f"there is a profile {checked.name!r} already")
            seen.add(checked.name)
            kept[checked.name] = checked
        if len(kept) > MAX_PROFILES:
            raise LimitError("profiles", f"that would be {len(kept)} profiles; {MAX_PROFILES} at most")
        self._keep(tx, kept)

    def _keep(self, tx: Transaction, profiles: dict[str, Profile]) -> None:
        before = list(self.all.values())
        tx.assign(self, "all", profiles)
        after = list(profiles.values())
        for number in range(max(len(before), len(after))):
            if number >= len(after):
                tx.delete(KIND, str(number))
            elif number >= len(before) or before[number] != after[number]:
                tx.put(KIND, str(number), msgspec.json.encode(after[number]))
        for name in {profile.name for profile in before} ^ {profile.name for profile in after}:
            action = "add" if name in profiles else "remove"
            _tell(tx, name, action)
        for profile in after:
            if profile not in before and profile.name in {p.name for p in before}:
                _tell(tx, profile.name, "update")


def _tell(tx: Transaction, name: str, action: str) -> None:
    tx.publish(NewEvent(topic=events.CONFIGURATION_CHANGED, data={"kind": KIND, "key": name, "action": action}))
