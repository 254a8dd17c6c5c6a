"""Whom a call goes to: contacts, groups, availability, fallbacks, as stages of a call (manual: Contact list).

A contact who is not available, or cannot be called, is left out, and his fallback is called in his place. When nobody
of a stage answers, the fallback of the group or of the button, or of the only contact, is the next stage. Pure
functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.intercom import MAX_LEGS, VMS_CALL, Contact, Group, Policy, Target
from axcore.model.sip import SipUri, Source

MOST_STAGES = 4
Stages = tuple[tuple[Target, ...], ...]
Available = Callable[[str], bool]
"""Whether a schedule (id) holds now."""
Resolve = Callable[[Contact], Target]
"""The target of a contact; InputError if he cannot be called."""


class Book(NamedTuple):
    """Contacts and groups by id."""

    contacts: Mapping[str, Contact]
    groups: Mapping[str, Group]


class Plan(NamedTuple):
    """Whom a call goes to."""

    stages: Stages
    """None of them is empty."""
    left_out: tuple[str, ...] = ()
    """Who cannot be called, and why, in words."""


def plan(
    recipients: Sequence[str],
    book: Book,
    available: Available,
    resolve: Resolve,
    *,
    fallback: str = "",
    vms: Target | None = None,
) -> Plan:
    """Who is called, and who if nobody answers. Ids of contacts and groups, and ``VMS_CALL``.

    ``vms``: what stands for video management software; None: it is not called.

    Raises, when nobody is left, what keeps the first one from being called: NotFoundError (``to``), what ``resolve``
    raises; InputError (``to``) when nobody is available. More than six at once are left out.
    """
    planner = _Planner(book, available, resolve)
    reached: dict[str, Target] = {}
    for one in recipients:
        if one != VMS_CALL:
            reached.update(filter(None, map(planner.reach, planner.members(one))))
    software = (vms,) if vms is not None and VMS_CALL in recipients else ()
    planned = [(*software, *planner.first(reached))]
    seen: set[str] = set()
    after = fallback or _fallback(recipients, book)
    while after and after not in seen and len(planned) < MOST_STAGES:
        seen.add(after)
        stand_in = book.contacts.get(after)
        if stand_in is None:
            break
        after = stand_in.fallback
        # Who is called already, perhaps in another's place, has no second turn, but his fallback has one.
        target = None if stand_in.id in reached else planner.target(stand_in)
        if target is not None:
            planned.append((target,))
    stages = tuple(stage for stage in planned if stage)
    if not stages and planner.errors:
        raise next(iter(planner.errors.values()))[1]
    if not stages:
        raise InputError("to", "nobody is available now" if recipients else "nobody is to be called")
    return Plan(stages, tuple(f"{who} is not called: {error.reason}" for who, error in planner.errors.values()))


def admitted(caller: SipUri, address: str, policy: Policy, sources: Sequence[Source]) -> bool:
    """Whether the access list lets somebody call (manual: Access list). ``address``: where he calls from.

    Who calls says himself who he is. So an IP address lets in only those who call from there; but it keeps out those
    who say so as well.
    """
    there = any(source.place and source.host == address for source in sources)
    if policy == "allow":
        return there or any(source.matches(caller) for source in sources if not source.place)
    return not (there or any(source.matches(caller) for source in sources))


class _Planner:
    """Finds targets, and notes who has none."""

    def __init__(self, book: Book, available: Available, resolve: Resolve) -> None:
        self._book, self._available, self._resolve = book, available, resolve
        self.errors: dict[str, tuple[str, InputError]] = {}
        """Who cannot be called, in words, and why; by id: two may have the same name."""

    def members(self, one: str) -> Sequence[Contact]:
        """The contact, or those of the group."""
        group = self._book.groups.get(one)
        if group is not None:
            return [self._book.contacts[key] for key in group.recipients if key in self._book.contacts]
        contact = self._book.contacts.get(one)
        if contact is None:
            self.errors[one] = repr(one[:40]), NotFoundError("to", f"there is no contact or group {one[:40]!r}")
            return ()
        return (contact,)

    def target(self, contact: Contact) -> Target | None:
        """None if he is not available, or cannot be called."""
        if contact.availability and not self._available(contact.availability):
            return None
        try:
            return self._resolve(contact)
        except InputError as error:
            self._leave(contact, error)
            return None

    def reach(self, contact: Contact) -> tuple[str, Target] | None:
        """The contact (id), or the first of his fallbacks who can be called."""
        seen: set[str] = set()
        at: Contact | None = contact
        while at is not None and at.id not in seen:
            target = self.target(at)
            if target is not None:
                return at.id, target
            seen.add(at.id)
            at = self._book.contacts.get(at.fallback)
        return None

    def first(self, reached: Mapping[str, Target]) -> tuple[Target, ...]:
        """Each address once, and no more than can be called at the same time; targets by contact (id)."""
        by_uri: dict[str, Target] = {}
        for key, target in reached.items():
            if target.uri not in by_uri and len(by_uri) == MAX_LEGS:
                self._leave(self._book.contacts[key], LimitError("to", f"at most {MAX_LEGS} at the same time"))
            else:
                by_uri.setdefault(target.uri, target)
        return tuple(by_uri.values())

    def _leave(self, contact: Contact, error: InputError) -> None:
        self.errors[contact.id] = f"the contact {contact.name!r}", error


def _fallback(recipients: Sequence[str], book: Book) -> str:
    if len(recipients) != 1:
        return ""
    group, contact = book.groups.get(recipients[0]), book.contacts.get(recipients[0])
    found = group if contact is None else contact
    return "" if found is None else found.fallback
