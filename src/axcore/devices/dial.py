"""Whom a call goes to: contacts, groups, availability, fallbacks, as stages of a call (manual: Contact list).

A contact who is not available is left out, and his fallback is called in his place. When nobody of a stage answers, the
fallback of the group or of the button, or of the only contact, is the next stage. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.intercom import MAX_LEGS, VMS_CALL, Contact, Group, Policy, Target
from axcore.model.sip import SipUri, Source

MOST_STAGES = 4
Stages = tuple[tuple[Target, ...], ...]
Available = Callable[[str], bool]
"""Whether a schedule (id) holds now."""
Resolve = Callable[[Contact], Target]


class Book(NamedTuple):
    """Contacts and groups by id."""

    contacts: Mapping[str, Contact]
    groups: Mapping[str, Group]


def stages(
    recipients: Sequence[str],
    book: Book,
    available: Available,
    resolve: Resolve,
    *,
    fallback: str = "",
    vms: Target | None = None,
) -> Stages:
    """Who is called, and who if nobody answers. Ids of contacts and groups, and ``VMS_CALL``; no stage is empty.

    ``vms``: what stands for video management software; None: it is not called.

    Raises NotFoundError (``to``), LimitError for more than six at once, InputError when nobody is available.
    """
    reached: dict[str, Contact] = {}
    for one in recipients:
        if one == VMS_CALL:
            continue
        for contact in _members(one, book):
            found = _reach(contact, book, available)
            if found is not None:
                reached[found.id] = found
    software = (vms,) if vms is not None and VMS_CALL in recipients else ()
    planned = [(*software, *_stage(reached.values(), resolve))]
    seen = set(reached)
    after = fallback or _fallback(recipients, book)
    while after and after not in seen and len(planned) < MOST_STAGES:
        seen.add(after)
        stand_in = book.contacts.get(after)
        if stand_in is None:
            break
        after = stand_in.fallback
        if not stand_in.availability or available(stand_in.availability):
            planned.append(_stage((stand_in,), resolve))
    found_stages = tuple(stage for stage in planned if stage)
    if not found_stages:
        raise InputError("to", "nobody is available now" if recipients else "nobody is to be called")
    return found_stages


def admitted(caller: SipUri, address: str, policy: Policy, sources: Sequence[Source]) -> bool:
    """Whether the access list lets somebody call (manual: Access list). ``address``: where he calls from.

    Who calls says himself who he is. So an IP address lets in only those who call from there; but it keeps out those
    who say so as well.
    """
    there = any(source.place and source.host == address for source in sources)
    if policy == "allow":
        return there or any(source.matches(caller) for source in sources if not source.place)
    return not (there or any(source.matches(caller) for source in sources))


def _members(one: str, book: Book) -> Sequence[Contact]:
    group = book.groups.get(one)
    if group is not None:
        return [book.contacts[key] for key in group.recipients if key in book.contacts]
    contact = book.contacts.get(one)
    if contact is None:
        raise NotFoundError("to", f"there is no contact or group {one[:40]!r}")
    return [contact]


def _reach(contact: Contact, book: Book, available: Available) -> Contact | None:
    """The contact, or the first of his fallbacks who is available."""
    seen: set[str] = set()
    at: Contact | None = contact
    while at is not None and at.id not in seen:
        if not at.availability or available(at.availability):
            return at
        seen.add(at.id)
        at = book.contacts.get(at.fallback)
    return None


def _stage(contacts: Iterable[Contact], resolve: Resolve) -> tuple[Target, ...]:
    by_uri: dict[str, Target] = {}
    for contact in contacts:
        target = resolve(contact)
        by_uri.setdefault(target.uri, target)
    if len(by_uri) > MAX_LEGS:
        raise LimitError("to", f"{len(by_uri)} would be called; at most {MAX_LEGS} at the same time")
    return tuple(by_uri.values())


def _fallback(recipients: Sequence[str], book: Book) -> str:
    if len(recipients) != 1:
        return ""
    group, contact = book.groups.get(recipients[0]), book.contacts.get(recipients[0])
    found = group if contact is None else contact
    return "" if found is None else found.fallback
