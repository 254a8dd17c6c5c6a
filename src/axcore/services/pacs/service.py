"""The access control service: keeps the records, decides on what readers report, and writes down what it decided.

Methods that take ``tx`` are jobs of the ledger thread. ``set`` and ``remove`` are all or nothing: every record is
checked before any is stored. ``index`` and everything that only reads are snapshots for any thread. The same ``index``
object decides until the next change; a decision, its count of wrong PINs and its events are one transaction.

Records: one kind for each of ``kinds.ALL``, anti-passback data as ``pacs.passage``, and ``pacs.state/delivered`` once
the delivered profiles and schedules were put there (what is removed of them stays away).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices.door_parts import Setup
from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events as topics
from axcore.model.doors import (
    STANDARD,
    STANDARD_PRIORITIES,
    Door,
    DoorConfiguration,
    DoorScheduleConfiguration,
    PriorityConfiguration,
)
from axcore.model.events import Event, NewEvent
from axcore.model.pacs import DEFAULT_AUTHENTICATION, DEFAULT_SCHEDULES, AccessController, Passage
from axcore.runtime.clock import NS, Instant
from axcore.services import time as zones
from axcore.services.pacs import events, kinds
from axcore.services.pacs import index as indexes
from axcore.services.pacs.decision import Decision, Request, decide, decide_all, entered
from axcore.services.pacs.event_log import Alarms
from axcore.services.pacs.heartbeat import Heartbeat
from axcore.services.pacs.index import KINDS, Index
from axcore.services.pacs.passages import Passages
from axcore.services.pacs.pins import PinGuard
from axcore.services.pacs.readers import setting
from axcore.services.users import refuse_if_used

if TYPE_CHECKING:
    from axcore.runtime.bus import Bus
    from axcore.runtime.transaction import Transaction

STATE = ("pacs.state", "delivered")
CONTROLLER = ("pacs.state", "controller")
_IO_USERS = {kinds.DOOR: "doorcontrol", kinds.ID_POINT: "idpoint"}
"""Kinds of records that I/O is assigned to, and what they are called there."""
ZONE = ("param", "Time.TimeZone")
MAX_PAGE = 5_000
"""Records that ``list`` gives at once."""
_ENCODE = msgspec.json.Encoder().encode

Records = list[Any]
Decisions = list[Decision]
Texts = list[str]

Listener = Callable[["Transaction", str, str], object]
"""Told in the transaction of a change: kind and token. What it raises undoes the change."""


class PacsService:
    """See the module's text. Construct it, then ``Ledger.load(service.load)`` and ``Ledger.add_timer(service)``."""

    def __init__(self, bus: Bus | None = None) -> None:
        self._index = indexes.build()
        self._held: dict[str, dict[str, Any]] = {}
        """Records that are not in the index, by kind."""
        self._zone: tzinfo = UTC
        self._order: dict[str, tuple[Mapping[str, Any], Texts]] = {}
        """Tokens in order, with the table that they were taken from."""
        self._passages = Passages()
        self._pins = PinGuard()
        self.alarms = Alarms()
        self.heartbeat = Heartbeat()
        self._listeners: tuple[Listener, ...] = ()
        self.delivered_controller = False
        """Whether the access controller that every device has was put there."""
        if bus is not None:
            bus.in_transaction(topics.CONFIGURATION_CHANGED, self._on_configuration)
            bus.in_transaction(None, self._on_event)

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` told of every record that is set or removed, in its transaction (set-up)."""
        self._listeners = (*self._listeners, listener)

    # --- life

    def load(self, tx: Transaction) -> None:
        """Read everything from the store, and put what is delivered there at the first start."""
        if tx.get(*STATE) is None:
            for kind, delivered in (
                ("pacs.authentication_profile", DEFAULT_AUTHENTICATION), ("pacs.schedule", DEFAULT_SCHEDULES),
                (kinds.PRIORITIES, (STANDARD_PRIORITIES,)),
            ):  # fmt: skip
                for record in delivered:
                    tx.put(kind, record.token, _ENCODE(record))
            tx.put(*STATE, b"1")
        self.delivered_controller = tx.get(*CONTROLLER) is not None
        self._zone = _zone_of(tx)
        self._index, passages = indexes.load({kind: dict(tx.items(kind)) for kind in KINDS}, self._zone)
        self._passages.load(passages, tx.now)
        self._pins.reset()
        self.alarms.load(tx)
        self._order = {}
        self._held = {}
        for name, known in kinds.ALL.items():
            if not known.field:
                read = msgspec.json.Decoder(known.struct).decode
                self._held[name] = {key: read(raw) for key, raw in tx.items(name)}

    # --- snapshots, any thread

    @property
    def index(self) -> Index:
        """What decisions look at."""
        return self._index

    @property
    def zone(self) -> tzinfo:
        """The zone of local times."""
        return self._zone

    @property
    def passages(self) -> Mapping[str, Passage]:
        """Where anti-passback saw each credential last."""
        return MappingProxyType(self._passages.held)

    def table(self, kind: str) -> Mapping[str, Any]:
        """The records of a kind by token. KeyError for a kind that there is not."""
        field = kinds.ALL[kind].field
        found: Mapping[str, Any] = getattr(self._index, field) if field else self._held.get(kind, {})
        return found

    def get(self, kind: str, tokens: Iterable[str]) -> Records:
        """The records with these tokens, in this order; tokens of none are left out."""
        table = self.table(kind)
        return [table[token] for token in dict.fromkeys(tokens) if token in table]

    def list(self, kind: str, limit: int | None = None, start_reference: str = "") -> tuple[Records, str | None]:
        """Records by token from ``start_reference`` on, and where the next page begins (None: this was the last).

        A page has ``limit`` records, and never more than ``MAX_PAGE``. Records that come and go between two pages move
        nothing: a reference is the place of a token, whether there is such a record or not.
        """
        table = self.table(kind)
        order = self._order.get(kind)
        if order is None or order[0] is not table:
            order = self._order[kind] = (table, sorted(table))
        tokens = order[1]
        begin = bisect_left(tokens, start_reference) if start_reference else 0
        end = begin + min(MAX_PAGE if limit is None else max(limit, 0), MAX_PAGE)
        return [table[token] for token in tokens[begin:end]], tokens[end] if end < len(tokens) else None

    def schedule_users(self, token: str) -> Texts:
        """Who needs a schedule, in words."""
        found = [
            f"access profile {profile.name or profile.token}"
            for profile in self._index.access_profiles.values()
            if token in profile.schedules or any(token in policy.schedules for policy in profile.policies)
        ]
        found += [
            f"authentication profile {profile.name or profile.token}"
            for profile in self._index.authentication_profiles.values()
            if token in profile.schedules
        ]
        found += [
            f"door schedule configuration {held.name or held.token}"
            for held in self.table(kinds.DOOR_SCHEDULES).values()
            if any(token in state.schedules for entry in held.schedules for state in entry.states)
        ]
        return found

    # --- doors, as the state machines want them

    @property
    def doors(self) -> Mapping[str, Door]:
        return self.table(kinds.DOOR)

    @property
    def door_configurations(self) -> Mapping[str, DoorConfiguration]:
        return self.table(kinds.DOOR_CONFIGURATION)

    @property
    def priorities(self) -> Mapping[str, PriorityConfiguration]:
        return self.table(kinds.PRIORITIES)

    @property
    def door_schedules(self) -> Mapping[str, DoorScheduleConfiguration]:
        return self.table(kinds.DOOR_SCHEDULES)

    def door_setup(self, token: str) -> Setup:
        """Everything that is configured for a door. NotFoundError."""
        door: Door | None = self.table(kinds.DOOR).get(token)
        if door is None:
            raise NotFoundError("Token", f"there is no door {token[:80]!r}")
        hardware = self.table(kinds.DOOR_CONFIGURATION).get(token) or DoorConfiguration(token=token)
        return Setup(door, hardware, kinds.priorities_of(door, self.table))

    # --- changes

    def set(self, tx: Transaction, kind: str, records: Sequence[Any]) -> tuple[str, ...]:
        """Add records, or put them in the place of those with their tokens; gives the tokens.

        An empty token gets a new one. InputError names the record and the field (``[2].id_data[0].value``); nothing is
        stored then.
        """
        given = self._with_tokens(tx, kind, records)
        known = kinds.ALL[kind]
        for at, record in enumerate(given):
            if not isinstance(record, known.struct):
                raise InputError(f"[{at}]", f"must be a {known.struct.__name__}")
        table = self.table(kind)
        if len(table) + sum(record.token not in table for record in given) > known.most:
            raise LimitError("", f"there may be {known.most} of them; remove some first")
        if (merge := known.merge) is not None:
            given = [merge(table[held.token], held) if held.token in table else held for held in given]
        self._check_schedules(kind, given)
        after = self._after(kind, given, ())
        for at, record in enumerate(given):
            try:
                known.check(record, after[0], after[1])
            except InputError as error:
                raise type(error)(f"[{at}].{error.field}", error.reason) from None
        tokens = tuple(record.token for record in given)
        for record in given:
            tx.put(kind, record.token, _ENCODE(record))
        self._settle(tx, kind, after, tokens, "Changed")
        return tokens

    def remove(self, tx: Transaction, kind: str, tokens: Iterable[str]) -> None:
        """Remove records, all or none. NotFoundError for a token of none; ConflictError for a schedule in use."""
        gone, table = tuple(dict.fromkeys(tokens)), self.table(kind)
        for token in gone:
            if token not in table:
                raise NotFoundError("Token", f"there is no {token[:80]!r}")
            if kind == "pacs.schedule":
                refuse_if_used("Token", repr(token), self.schedule_users(token))
            if kind == kinds.PRIORITIES:
                self._refuse_used_priorities(token)
            if kind == kinds.ENCRYPTION_KEY:
                self._refuse_used_key(token)
        after = self._after(kind, (), gone)
        for token in gone:
            tx.delete(kind, token)
        self._settle(tx, kind, after, gone, "Removed")
        if kind in _IO_USERS:
            self._unassign(tx, _IO_USERS[kind], gone)
        if kind == "pacs.credential":
            self._passages.forget(tx, gone)
        elif kind == "pacs.area":
            areas = frozenset(gone)
            self._passages.forget(tx, [p.credential for p in self._passages.held.values() if p.area in areas])

    def set_enabled(self, tx: Transaction, kind: str, tokens: Iterable[str], enabled: bool, status: str = "") -> None:
        """Switch credentials or access points on or off, all or none. NotFoundError."""
        table, changed = self.table(kind), []
        for token in dict.fromkeys(tokens):
            if token not in table:
                raise NotFoundError("Token", f"there is no {token[:80]!r}")
            fields: dict[str, Any] = {"enabled": enabled}
            if kind == "pacs.credential":
                fields["status"] = status or ("Enabled" if enabled else "Disabled")
            changed.append(msgspec.structs.replace(table[token], **fields))
        self.set(tx, kind, changed)

    def deliver_controller(self, tx: Transaction, controller: AccessController) -> None:
        """Put the access controller of this device there, once; its name has the serial number."""
        if not self.delivered_controller:
            tx.assign(self, "delivered_controller", True)
            tx.put(*CONTROLLER, b"1")
            self.set(tx, "pacs.access_controller", (controller,))

    # --- decisions

    def verify(self, request: Request, wall_ns: int) -> Decision:
        """What ``decide`` would say, and nothing of it is told or counted. NotFoundError."""
        return decide(self._index, request, wall_ns, self._passages.held)

    def decide(self, tx: Transaction, request: Request, *, t_ns: int = 0, correlation: str | None = None) -> Decision:
        """Decide, count wrong PINs and tell it: granted if any access point of the reader grants. NotFoundError.

        After too many wrong PINs at a reader, PINs are refused there for a while (``pins.PinGuard``), right or wrong.
        """
        decision = decide(self._index, request, tx.now.wall_ns, self._passages.held)
        return self._told(tx, request, decision, t_ns, correlation)

    def decide_all(
        self, tx: Transaction, request: Request, *, t_ns: int = 0, correlation: str | None = None
    ) -> Decisions:
        """As ``decide``, at each access point of the reader. Only what is granted is told, or else the best refusal."""
        decisions = decide_all(self._index, request, tx.now.wall_ns, self._passages.held)
        granted = [decision for decision in decisions if decision.granted]
        if not granted:
            return [self.decide(tx, request, t_ns=t_ns, correlation=correlation)]
        return [self._told(tx, request, decision, t_ns, correlation) for decision in granted]

    def entered(self, tx: Transaction, decision: Decision) -> None:
        """The access was taken: remember for anti-passback where the credential is now."""
        before = self._passages.held.get(decision.credential)
        passage = entered(self._index, decision, before, tx.now.wall_ns)
        if passage is not None:
            self._passages.put(tx, passage)
            if not decision.passback:
                self._passages.cleared(tx, decision.credential, decision.user)

    def taken(
        self, tx: Transaction, decision: Decision, taken: bool, *, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """The second event of a granted access, and ``entered`` when it was taken."""
        event = events.outcome_event(decision, taken, t_ns)
        tx.publish(msgspec.structs.replace(event, correlation=correlation) if correlation else event)
        if taken:
            self.entered(tx, decision)

    def is_blocked(self, id_point: str, mono_ns: int) -> bool:
        """Whether PINs are refused at a reader now."""
        return self._pins.is_blocked(id_point, mono_ns)

    def _told(
        self, tx: Transaction, request: Request, decision: Decision, t_ns: int, correlation: str | None
    ) -> Decision:
        now = tx.now.mono_ns
        pin = "PIN" in request.id_data
        if pin and not decision.anonymous and self._pins.is_blocked(request.id_point, now):
            decision = Decision(
                "InvalidPIN", decision.access_point, decision.door, decision.action, decision.credential, decision.user
            )
        elif pin:
            self._pins.decided(tx, request, decision, now)
        for event in events.decided(decision, request.id_data, t_ns):
            tx.publish(msgspec.structs.replace(event, correlation=correlation) if correlation else event)
        if decision.passback:
            self._passages.violated(tx, decision.credential)
        return decision

    # --- anti-passback

    def reset_passages(self, tx: Transaction, credentials: Iterable[str] = (), areas: Iterable[str] = ()) -> int:
        """Forget where credentials are (none named: all of those in the areas, or simply all); gives how many.

        NotFoundError for a credential or an area that there is not.
        """
        wanted, places = tuple(dict.fromkeys(credentials)), frozenset(areas)
        for field, tokens, known in (
            ("CredentialToken", wanted, self._index.credentials), ("AreaToken", places, self._index.areas),
        ):  # fmt: skip
            for token in tokens:
                if token not in known:
                    raise NotFoundError(field, f"there is no {token[:80]!r}")
        held = self._passages.held
        gone = [
            passage.credential
            for passage in ((held[token] for token in wanted if token in held) if wanted else tuple(held.values()))
            if not places or passage.area in places
        ]
        self._passages.forget(tx, gone)
        for token in gone:
            credential = self._index.credentials.get(token)
            self._passages.cleared(tx, token, "" if credential is None else credential.user_token, by_client=True)
        return len(gone)

    def set_passages(self, tx: Transaction, passages: Sequence[Passage]) -> None:
        """Remember what another device has seen (``SetAntipassbackData``): all, or an InputError names the field."""
        for at, passage in enumerate(passages):
            field = f"AntipassbackData[{at}]"
            if passage.credential not in self._index.credentials:
                raise NotFoundError(f"{field}.CredentialToken", f"there is no {passage.credential[:80]!r}")
            if passage.area and passage.area not in self._index.areas:
                raise NotFoundError(f"{field}.CurrentArea", f"there is no {passage.area[:80]!r}")
            if passage.pass_ok_ns < 0:
                raise InputError(f"{field}.PassOkThreshold", "must be 0 or more")
        for passage in passages:
            if passage.area:
                self._passages.put(tx, passage)
            else:
                self._passages.forget(tx, (passage.credential,))

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        """When anti-passback data is looked through for what does not count any more, or a heartbeat is lost."""
        times = (self._passages.sweep_ns, self.heartbeat.next_deadline())
        return min((time for time in times if time is not None), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        """Do what is due."""
        if self._passages.sweep_ns is not None and now.mono_ns >= self._passages.sweep_ns:
            self._passages.sweep(tx, now)
        self.heartbeat.advance(tx, now)

    # --- inside

    def _with_tokens(self, tx: Transaction, kind: str, records: Sequence[Any]) -> Records:
        """With a token each: ``Axis-<serial>:<seconds>.<nanoseconds>`` where there was none. A token stands once."""
        table, given = self.table(kind), [*records]
        taken = {record.token for record in given}
        if len(taken - {""}) + sum(record.token == "" for record in given) != len(given):
            tokens = [record.token for record in given]
            at = next(at for at, token in enumerate(tokens) if token and tokens.index(token) != at)
            raise ConflictError(f"[{at}].token", f"{tokens[at][:80]!r} stands twice")
        serial, moment = _serial(tx), tx.now.wall_ns
        for at, record in enumerate(given):
            if not record.token:
                while (token := f"Axis-{serial}:{moment // NS}.{moment % NS:09}") in table or token in taken:
                    moment += 1
                taken.add(token)
                given[at] = msgspec.structs.replace(record, token=token)
        return given

    def _check_schedules(self, kind: str, given: Sequence[Any]) -> None:
        """Schedules are read when the index is made, so that their texts are checked before that."""
        for at, record in enumerate(given if kind == "pacs.schedule" else ()):
            try:
                kinds.ALL[kind].check(record, self._index, self.table)
            except InputError as error:
                raise type(error)(f"[{at}].{error.field}", error.reason) from None

    def _after(
        self, kind: str, given: Sequence[Any], gone: Sequence[str]
    ) -> tuple[Index, kinds.Tables, dict[str, Any]]:
        """The index and the tables as they would be."""
        index = self._index
        table: dict[str, Any]
        if kind == "pacs.credential":
            index = indexes.with_credentials(index, given, gone)
            table = index.credentials
        else:
            table = {**self.table(kind), **{record.token: record for record in given}}
            for token in gone:
                del table[token]
            if field := kinds.ALL[kind].field:
                index = indexes.with_records(index, field, table)
            elif kind == "pacs.schedule":
                index = indexes.with_schedules(index, table.values(), self._zone)
        return index, lambda name: table if name == kind else self.table(name), table

    def _settle(
        self, tx: Transaction, kind: str, after: tuple[Index, kinds.Tables, dict[str, Any]], tokens: tuple[str, ...],
        what: str,
    ) -> None:  # fmt: skip
        """Use it from now on, and tell it."""
        before = self.table(kind)
        tx.assign(self, "_index", after[0])
        if not kinds.ALL[kind].field:
            tx.assign(self, "_held", {**self._held, kind: after[2]})
        for listener in self._listeners:
            for token in tokens:
                listener(tx, kind, token)
        self._tell(tx, kind, tokens, what)
        if kind in ("pacs.access_point", "pacs.credential"):
            self._tell_enabled(tx, kind, before, after[2], tokens)

    def _tell(self, tx: Transaction, kind: str, tokens: tuple[str, ...], what: str) -> None:
        """An event for each record, which the log does not keep (there may be 100,000), and one for all in the log."""
        if not tokens:
            return
        if told := kinds.ALL[kind].told:
            topic, name = f"{topics.PACS_CONFIGURATION}{told}/{what}", f"{told.rpartition(':')[2]}Token"
            for token in tokens:
                tx.publish(NewEvent(topic=topic, source={name: token}), logged=False)
        key = tokens[0] if len(tokens) == 1 else f"{tokens[0]} and {len(tokens) - 1} more"
        data = {"kind": kind, "key": key, "action": "update" if what == "Changed" else "remove"}
        data |= {"user": tx.actor} if tx.actor else {}
        tx.publish(NewEvent(topic=topics.CONFIGURATION_CHANGED, data=data))

    def _tell_enabled(
        self, tx: Transaction, kind: str, before: Mapping[str, Any], after: Mapping[str, Any], tokens: Iterable[str]
    ) -> None:
        is_point = kind == "pacs.access_point"
        topic = topics.ACCESS_POINT_ENABLED if is_point else topics.CREDENTIAL_ENABLED
        name = "AccessPointToken" if is_point else "CredentialToken"
        for token in tokens:
            old, new = before.get(token), after.get(token)
            if new is not None and (is_point if old is None else old.enabled != new.enabled):
                data = {"State": "true" if new.enabled else "false"}
                tx.publish(NewEvent(topic=topic, source={name: token}, data=data, is_property=is_point))

    def announce(self, tx: Transaction) -> None:
        """Tell the states that last (start)."""
        for point in self._index.access_points.values():
            data = {"State": "true" if point.enabled else "false"}
            source = {"AccessPointToken": point.token}
            event = NewEvent(topic=topics.ACCESS_POINT_ENABLED, source=source, data=data, is_property=True)
            tx.publish(event, lazy=True, logged=False)

    def _refuse_used_priorities(self, token: str) -> None:
        for door in self.table(kinds.DOOR).values():
            if token in (door.priority_configuration, STANDARD if not door.priority_configuration else ""):
                raise ConflictError("Token", f"{token!r} is used by the door {door.name or door.token}")

    def _unassign(self, tx: Transaction, kind: str, gone: tuple[str, ...]) -> None:
        """The I/O of what is gone is free again."""
        held = self.table(kinds.IO_ASSIGNMENT)
        left = {
            name: tuple(user for user in entry.users if user.type != kind or user.token not in gone)
            for name, entry in held.items()
        }
        changed = [name for name, users in left.items() if users != held[name].users]
        if empty := [name for name in changed if not left[name]]:
            self.remove(tx, kinds.IO_ASSIGNMENT, empty)
        if kept := [msgspec.structs.replace(held[name], users=left[name]) for name in changed if left[name]]:
            self.set(tx, kinds.IO_ASSIGNMENT, kept)

    def _refuse_used_key(self, token: str) -> None:
        for held in self.table(kinds.ID_POINT_CONFIGURATION).values():
            if setting(held, "IdPoint.SecureChannel.KeyToken") == token:
                raise ConflictError("Token", f"{token!r} is used by the reader {held.token}; change that first")

    def _on_event(self, tx: Transaction, event: Event) -> None:
        """An event of any kind: it may be an alarm."""
        if filters := self._held.get(kinds.ALARM_FILTER):
            self.alarms.on_event(tx, event, filters.values(), device_uuid(_serial(tx)))

    def _on_configuration(self, tx: Transaction, event: Event) -> None:
        """The time zone is changed: schedules are local times."""
        if (event.data.get("kind"), event.data.get("key")) == ZONE:
            tx.assign(self, "_zone", _zone_of(tx))
            schedules = self.table("pacs.schedule").values()
            tx.assign(self, "_index", indexes.with_schedules(self._index, schedules, self._zone))


def device_uuid(serial: str) -> str:
    """The identity that configurations are bound to (VAPIX *UUID*)."""
    return f"5581ad80-95b0-11e0-b883-{serial.lower():0>12}"


def _serial(tx: Transaction) -> str:
    return (tx.get("system", "serial") or b"000000000000").decode("ascii", "replace").lower()


def _zone_of(tx: Transaction) -> tzinfo:
    raw = tx.get(*ZONE)
    return zones.zone(raw.decode("utf-8", "replace") if raw else "UTC")
