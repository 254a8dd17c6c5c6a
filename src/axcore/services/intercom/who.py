"""Whom a call goes to, and who may call: contacts, accounts, schedules (manual: Contact list, SIP > Access list)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from axcore.devices import dial
from axcore.devices.call import DECLINED, NS, Limits
from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.intercom import VMS_CALL, CallDirection, Contact, SipSettings, Target, VmsSettings
from axcore.model.sip import SipUri, host_of, identity, parse_name_addr, parse_source, parse_uri
from axcore.model.voice import Incoming, Referred

from .accounts import SipAccounts
from .contacts import ContactList
from .vms import NAMES, VMS, VmsCalls

if TYPE_CHECKING:
    from axcore.services.schedules import ScheduleService

_ID = re.compile(r"(?:contact|group)[0-9]+", re.ASCII)
"""What ids of contacts and groups look like."""
BAD_REQUEST, FORBIDDEN = 400, 403


class Who:
    """See the module's text. The ledger thread, or any that only reads.

    ``audible``: whether there is sound for calls. Software has sound of its own.
    """

    def __init__(
        self,
        accounts: SipAccounts,
        contacts: ContactList,
        schedules: ScheduleService,
        vms: VmsCalls,
        audible: Callable[[], bool],
    ) -> None:
        self._accounts, self._contacts, self._schedules, self._vms = accounts, contacts, schedules, vms
        self._audible = audible

    def reaches(self, keys: tuple[str, ...]) -> bool:
        """Whether calling these makes sense now: SIP is on, or software is among them."""
        return bool(keys) and (self._accounts.settings.enabled or (self._vms.settings.enabled and VMS_CALL in keys))

    def plan(self, wall_ns: int, keys: tuple[str, ...], *, fallback: str = "") -> dial.Plan:
        """Contacts and groups by id, and ``VMS_CALL``, as stages of a call. While SIP is off only software is called.

        Who cannot be called is left out. NotFoundError, LimitError, InputError, ConflictError when nobody is left.
        """
        vms = VMS if self._vms.settings.enabled else None
        if keys == (VMS_CALL,) and vms is None:
            raise ConflictError("to", "calls to video management software are off")
        if not self._accounts.settings.enabled and vms is not None and VMS_CALL in keys:
            return dial.Plan(((vms,),))
        return dial.plan(
            keys,
            self._contacts.book,
            lambda schedule: self._schedules.active(schedule, wall_ns),
            self._target,
            fallback=fallback,
            vms=vms,
        )

    def address(self, to: str, account: str = "") -> dial.Plan:
        """A SIP address as the only stage of a call. InputError (``to``), NotFoundError, ConflictError."""
        return dial.Plan(((self._usable(self._accounts.target(to, account, field="to")),),))

    def find(self, to: str) -> str | None:
        """The id of a contact or a group that can be called, by id or name, or ``VMS_CALL``; None if there is none.

        NotFoundError (``to``) for the id of one that is gone or not for calls: it would be an extension of a stranger.
        """
        known, to = self._contacts.find(to), to.strip()
        if known is None and (_ID.fullmatch(to) or to in self._contacts.book.groups):
            raise NotFoundError("to", f"there is no contact or group {to!r} that can be called")
        return VMS_CALL if known is None and to in NAMES else known

    def check(self, to: str, account: str = "") -> str:
        """Whom ``to`` means: the id of a contact or group, or an address. InputError (``to``, ``account``)."""
        known = self.find(to)
        if known is not None and account:
            raise InputError("account", "is for a SIP address: contacts have their own, software needs none")
        return known if known is not None else self._accounts.target(to, account, field="to").uri

    def refusal(self, report: Incoming) -> int:
        """The SIP status that somebody gets who may not call; 0 = he may."""
        settings = self._accounts.settings
        try:
            caller = parse_name_addr(report.remote)
            account = self._accounts.account(report.account)
        except InputError:
            return BAD_REQUEST
        if not settings.allow_incoming or not account.active:
            return DECLINED
        return 0 if self._listed(caller, host_of(report.source)) else FORBIDDEN

    def referred(self, report: Referred, account: str) -> Target | int:
        """Whom a peer has called from his account in his place, or the SIP status that he gets who may not."""
        if not self._accounts.settings.allow_transfer:
            return DECLINED
        try:
            target = self._usable(self._accounts.target(str(parse_uri(report.uri)), account))
        except ConflictError:
            return DECLINED
        except InputError:
            return BAD_REQUEST
        peer = parse_uri(target.uri)
        if identity(target.uri) in self._accounts.own() or not self._listed(peer, peer.host):
            return FORBIDDEN
        return msgspec.structs.replace(target, replaces=report.replaces)

    def _listed(self, peer: SipUri, address: str) -> bool:
        """Whether the access list lets the device talk to somebody, at an address, who is not of its contacts."""
        settings = self._accounts.settings
        sources = [parse_source(source) for source in settings.access_list]
        return not settings.use_access_list or dial.admitted(peer, address, settings.access_list_policy, sources)

    def _target(self, contact: Contact) -> Target:
        return self._usable(self._accounts.target(contact.sip_address, contact.account, contact=contact.id))

    def _usable(self, target: Target) -> Target:
        if not self._accounts.settings.enabled:
            raise ConflictError("to", "SIP is off")
        if not self._accounts.account(target.account).active:
            raise ConflictError("to", f"the account {target.account} is not active")
        if not self._audible():
            raise ConflictError("to", "this device has no sound for calls")
        return target


def limits(direction: CallDirection, sip: SipSettings, vms: VmsSettings) -> Limits:
    """How long a call may be tried and last (manual: SIP > Call handling, VMS calls)."""
    longest = sip.call_duration
    if direction == "Incoming":
        longest = min(sip.incoming_duration, longest or sip.incoming_duration)
    active = longest * NS if longest else None
    return Limits(calling_ns=sip.calling_timeout * NS, active_ns=active, vms_ns=vms.timeout * NS)
