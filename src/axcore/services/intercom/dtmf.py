"""DTMF sequences, the events that they cause, and configurations of accounts (manual: SIP > DTMF; VAPIX Call service).

A sequence (a *trigger* of the API) causes an event: one of its own, which has its id and description, or one that
several may cause. Accounts take the sequences that were made for them, and those that their configuration names; those
of a configuration alone are ``configured``. No account takes the same keys for two events. Changes are jobs of the
ledger thread; what is read are snapshots, from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.intercom import (
    MAX_DTMF_CONFIGURATIONS,
    MAX_DTMF_EVENTS,
    MAX_SEQUENCES,
    DtmfConfiguration,
    DtmfConfigurationSpec,
    DtmfEvent,
    DtmfEventSpec,
    DtmfSequence,
    DtmfSequenceSpec,
    SipAccount,
)
from axcore.services.users import Users, refuse_if_used

from . import check
from .shelf import Shelf

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

SEQUENCE, EVENT, CONFIGURATION = "dtmf_sequence", "dtmf_event", "dtmf_configuration"
"""Kinds of records."""
Way = Literal["rtp", "info"]
"""How a key came: by RFC 4733, or by SIP INFO."""


class Dtmf:
    """See the module's text. ``accounts``: those that there are, by id."""

    def __init__(self, accounts: Callable[[], Mapping[str, SipAccount]]) -> None:
        self.users = Users[str]()
        """Asked by id before an event is removed, besides the sequences that cause it."""
        self._accounts = accounts
        self._sequences: Shelf[DtmfSequenceSpec, DtmfSequence] = Shelf(
            SEQUENCE,
            DtmfSequenceSpec,
            DtmfSequence,
            MAX_SEQUENCES,
            self._check_sequence,
            others=lambda: self._events.all,
        )
        self._events: Shelf[DtmfEventSpec, DtmfEvent] = Shelf(
            EVENT,
            DtmfEventSpec,
            DtmfEvent,
            MAX_DTMF_EVENTS,
            lambda spec, _: check.event(spec),
            counter=SEQUENCE,  # the event of a sequence has its id: none is an event's a second time
            others=lambda: self._sequences.all,
        )
        self._configurations = Shelf(
            CONFIGURATION,
            DtmfConfigurationSpec,
            DtmfConfiguration,
            MAX_DTMF_CONFIGURATIONS,
            self._check_configuration,
        )

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        self._sequences.load(tx)
        self._events.load(tx)
        self._configurations.load(tx)

    # --- any thread

    @property
    def sequences(self) -> Mapping[str, DtmfSequence]:
        """By id."""
        return self._sequences.all

    @property
    def events(self) -> Mapping[str, DtmfEvent]:
        """By id: those that are stored, and those that sequences are themselves."""
        own = (one for one in self.sequences.values() if not one.event)
        return {**{one.id: DtmfEvent(id=one.id, name=one.description) for one in own}, **self._events.all}

    @property
    def configurations(self) -> Mapping[str, DtmfConfiguration]:
        """By id."""
        return self._configurations.all

    def sequence(self, key: str) -> DtmfSequence:
        """NotFoundError."""
        return self._sequences.get(key)

    def configuration(self, key: str, field: str = "id") -> DtmfConfiguration:
        """NotFoundError."""
        return self._configurations.get(key, field)

    def keys_of(self, account: str) -> dict[str, str]:
        """What an account takes: ids of events by keys."""
        return {one.sequence: one.causes for one in self._taken(account) if one.sequence}

    def takes(self, account: SipAccount, way: Way) -> bool:
        """Whether keys that come in a way count: the account takes it, and so does its configuration."""
        found = self.configurations.get(account.dtmf_configuration)
        takers: tuple[SipAccount | DtmfConfiguration | None, ...] = (account, found)
        return all(one.rtp_keys if way == "rtp" else one.info_keys for one in takers if one is not None)

    # --- sequences

    def add_sequence(
        self, tx: Transaction, spec: DtmfSequenceSpec, *, key: str = "", unique: bool = False
    ) -> DtmfSequence:
        """LimitError, ConflictError, InputError, NotFoundError. ``unique``: no other may have its keys, for whichever
        accounts."""
        if unique:
            self._refuse_twice(spec.sequence, key)
        new = self._sequences.add(tx, spec, key=key)
        self._refuse_two_events("sequence")
        return new

    def update_sequence(
        self, tx: Transaction, key: str, patch: Mapping[str, Any], *, unique: bool = False
    ) -> DtmfSequence:
        """As above; ConflictError, too, where the event that it is itself has users and would be gone."""
        old = self.sequence(key)
        if unique and isinstance(patch.get("sequence"), str) and check.keys(patch["sequence"]) != old.sequence:
            self._refuse_twice(patch["sequence"], key)
        new = self._sequences.update(tx, key, patch)
        if new.event and not old.event:
            self._refuse_if_awaited("event", old)
        self._refuse_two_events("sequence")
        return new

    def remove_sequence(self, tx: Transaction, key: str) -> None:
        """NotFoundError; ConflictError where a configuration names it, or another one causes its event. Rules that
        wait for its own event never fire again."""
        one = self.sequence(key)
        refuse_if_used("id", _named(one), (*self._naming(key), *self._causing(one)))
        self._sequences.remove(tx, key)

    def remove_trigger(self, tx: Transaction, key: str) -> None:
        """As above, and ConflictError where rules wait for its own event."""
        self._refuse_if_awaited("id", self.sequence(key))
        self.remove_sequence(tx, key)

    def forget_account(self, tx: Transaction, account: str) -> None:
        """An account is gone: what was made for it alone goes too, unless it is used elsewhere."""
        for one in tuple(self.sequences.values()):
            left = [key for key in one.accounts if key != account]
            if len(left) == len(one.accounts):
                continue
            if not left and not self._naming(one.id) and not self._causing(one):
                self._sequences.remove(tx, one.id)
            else:
                self._sequences.update(tx, one.id, {"accounts": left, "configured": not left})

    # --- events

    def add_event(self, tx: Transaction, spec: DtmfEventSpec, *, key: str = "") -> DtmfEvent:
        """LimitError, InputError."""
        return self._events.add(tx, spec, key=key)

    def update_event(self, tx: Transaction, key: str, patch: Mapping[str, Any]) -> DtmfEvent:
        """NotFoundError, InputError. The name of the event that a sequence is itself is its description."""
        if key in self._events.all:
            return self._events.update(tx, key, patch)
        if key not in self.events:
            raise NotFoundError("id", f"there is no DTMF event {key[:40]!r}")
        self._sequences.update(tx, key, {"description": patch["name"]} if "name" in patch else {})
        return self.events[key]

    def remove_event(self, tx: Transaction, key: str) -> None:
        """NotFoundError; ConflictError names who causes it or waits for it."""
        found = self.events.get(key)
        if found is None:
            raise NotFoundError("id", f"there is no DTMF event {key[:40]!r}")
        causing = [_named(one) for one in self.sequences.values() if one.causes == key]
        refuse_if_used("id", f"the DTMF event {found.name!r}", (*causing, *self.users.of(key)))
        self._events.remove(tx, key)

    # --- configurations

    def add_configuration(self, tx: Transaction, spec: DtmfConfigurationSpec, *, key: str = "") -> DtmfConfiguration:
        """LimitError, InputError, NotFoundError (``triggers[n]``)."""
        return self._configurations.add(tx, spec, key=key)

    def update_configuration(self, tx: Transaction, key: str, patch: Mapping[str, Any]) -> DtmfConfiguration:
        """As above; ConflictError where an account would take the same keys for two events."""
        new = self._configurations.update(tx, key, patch)
        self._refuse_two_events("triggers")
        return new

    def remove_configuration(self, tx: Transaction, key: str) -> None:
        """NotFoundError; ConflictError names the accounts that have it."""
        found = self.configuration(key)
        having = (f"the SIP account {one.name!r}" for one in self._accounts().values() if one.dtmf_configuration == key)
        refuse_if_used("id", f"the DTMF configuration {found.name!r}", having)
        self._configurations.remove(tx, key)

    def check_account(self, old: SipAccount | None, new: SipAccount) -> None:
        """An account has been changed: ConflictError where it takes the same keys for two events now."""
        kept = old is not None and old.dtmf_configuration == new.dtmf_configuration
        self._refuse_two_events("kind" if kept else "dtmf_configuration")

    # --- inside

    def _taken(self, account: str) -> list[DtmfSequence]:
        """The sequences of an account."""
        like, found = self._like((account,)), self._accounts().get(account)
        chosen = self.configurations.get("" if found is None else found.dtmf_configuration)
        named = frozenset(() if chosen is None else chosen.triggers)
        return [
            one
            for one in self.sequences.values()
            if one.id in named or (not one.configured and (not one.accounts or like & {*one.accounts}))
        ]

    def _like(self, accounts: Iterable[str]) -> set[str]:
        """These, and all peer-to-peer accounts if one of these is: they share sequences (manual: SIP > DTMF)."""
        found = set(accounts)
        direct = {key for key, one in self._accounts().items() if one.kind == "peer_to_peer"}
        return found | direct if found & direct else found

    def _naming(self, key: str) -> list[str]:
        """The configurations that name a sequence."""
        return [f"the DTMF configuration {one.name!r}" for one in self.configurations.values() if key in one.triggers]

    def _causing(self, one: DtmfSequence) -> list[str]:
        """The other sequences that cause the event that a sequence is itself."""
        return [_named(other) for other in self.sequences.values() if other.event == one.id and not one.event]

    def _refuse_if_awaited(self, field: str, one: DtmfSequence) -> None:
        """ConflictError for a sequence whose own event others cause or wait for."""
        if not one.event:
            refuse_if_used(field, f"the DTMF event {one.description!r}", (*self._causing(one), *self.users.of(one.id)))

    def _refuse_twice(self, sequence: str, key: str) -> None:
        keys = check.keys(sequence)
        for other in self.sequences.values():
            if keys and other.id != key and other.sequence == keys:
                raise InputError("sequence", f"{keys} is that of {_named(other)} already")

    def _refuse_two_events(self, field: str) -> None:
        """ConflictError where an account takes the same keys for two events."""
        for key, account in self._accounts().items():
            found: dict[str, DtmfSequence] = {}
            for one in self._taken(key):
                other = found.setdefault(one.sequence, one)
                if one.sequence and other.causes != one.causes:
                    reason = f"{one.sequence} would be {self._name(other)!r} and {self._name(one)!r} for"
                    raise ConflictError(field, f"{reason} the SIP account {account.name!r}")

    def _check_sequence(self, spec: DtmfSequenceSpec, key: str) -> DtmfSequenceSpec:
        spec = check.sequence(spec)
        for position, account in enumerate(spec.accounts):
            if account not in self._accounts():
                raise NotFoundError(f"accounts[{position}]", f"there is no account {account[:40]!r}")
        if spec.event not in {"", *self.events} or (spec.event and spec.event == key and key not in self._events.all):
            raise NotFoundError("event", f"there is no other DTMF event {spec.event[:40]!r}")
        if not spec.event and key in self._events.all:
            raise ConflictError("event", f"is needed: another event has the id {key}")
        for other in self.sequences.values():
            if other.id == key or other.sequence != spec.sequence or spec.configured or other.configured:
                continue
            if not spec.accounts or not other.accounts or self._like(spec.accounts) & {*other.accounts}:
                raise ConflictError("sequence", f"{spec.sequence} is {self._name(other)!r} already")
        return spec

    def _name(self, one: DtmfSequence) -> str:
        return one.description or self.events[one.causes].name

    def _check_configuration(self, spec: DtmfConfigurationSpec, _: str) -> DtmfConfigurationSpec:
        spec = check.configuration(spec)
        for position, trigger in enumerate(spec.triggers):
            if trigger not in self.sequences:
                raise NotFoundError(f"triggers[{position}]", f"there is no DTMF sequence {trigger[:40]!r}")
        return spec


def _named(one: DtmfSequence) -> str:
    """A sequence in words."""
    return f"the DTMF sequence {one.sequence or one.id!r}"
