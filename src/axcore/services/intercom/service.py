"""Calls: from the button, a contact, a rule or the network, over the voice processes, to events (VAPIX Call service).

Decisions are those of ``devices.call``; here they meet the store, the events, the voice processes and the sound. There
is one call at a time: somebody who calls meanwhile hears *busy*, and another call from here is refused. What the
processes are told, and sockets that are opened, wait for the commit. Threads: all that takes ``tx`` is a job of the
ledger thread; snapshots are for any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices import call as calls
from axcore.devices import dial
from axcore.devices.call import Accept, Call, Dial, Drop, Effect, Limits, Ring, Step, Talk, Told
from axcore.devices.keys import Keys
from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.intercom import CallDirection, CallState, CallStatus, Contact, Target
from axcore.model.sip import parse_name_addr, parse_source
from axcore.model.voice import (
    AgreedMedia,
    Answer,
    Command,
    Connected,
    Digit,
    Ended,
    HangUp,
    Incoming,
    Invite,
    LocalMedia,
    MediaAgreed,
    Probed,
    Progress,
    Ready,
    Refused,
    Registration,
    Report,
)
from axcore.runtime.clock import rfc3339

from . import notices
from .accounts import INCOMING_SLOT, SipAccounts
from .contacts import ContactList
from .lines import LineDriver, Lines
from .media import MediaPort
from .servers import ServerChoice

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction
    from axcore.services.indicators import IndicatorService
    from axcore.services.schedules import ScheduleService

NS = 1_000_000_000
KEPT = 20
"""Calls that are over and still told."""
ECHO_NS = NS // 2
"""The same key by RFC 4733 and by INFO within this time is one key."""
REFUSED_NS = 10 * NS
"""Callers who may not call are told of this often at most: the log is for other things too."""
_COUNTER = ("counter", "call")


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A leg on the wire."""

    line: int
    name: str
    """As its process calls it."""
    port: int
    media: AgreedMedia | None = None
    opened: bool = False


class IntercomService:
    """See the module's text. ``accounts`` and ``contacts`` are its settings."""

    def __init__(
        self,
        schedules: ScheduleService,
        indicators: IndicatorService,
        submit: Callable[[Callable[[Transaction], Any]], object],
        *,
        leds: Iterable[str] = (),
    ) -> None:
        self.accounts = SipAccounts(self._reconfigure)
        self.servers = ServerChoice(self.accounts, self._tell_line)
        self.accounts.route = self.servers.route
        self.contacts = ContactList(
            schedules.resolve,
            self.accounts.target,
        )
        self._schedules = schedules
        self._submit = submit
        self._lights = notices.Lights(indicators, frozenset(leds))
        self._driver: LineDriver | None = None
        self._media: MediaPort | None = None
        self._lines = Lines()
        self._registrations: dict[str, Registration] = {}
        self._call: Call | None = None
        self._ending: dict[str, Call] = {}
        """Calls that are told to end and have not yet."""
        self._wires: dict[str, Wire] = {}
        """By the names of legs in ``Call``."""
        self._statuses: dict[str, CallStatus] = {}
        self._keys = Keys()
        self._last_key = ("", "", 0)
        self._stale = False
        """The processes are to be told of other settings, once there is no call."""
        self._dialled_ns = 0
        self._refused_ns = -REFUSED_NS
        self._slot = 0
        """Of the RTP port that is tried first."""

    # --- life

    def attach(self, driver: LineDriver, media: MediaPort | None) -> None:
        """Connect processes and sound (set-up). Without sound there are no calls."""
        self._driver, self._media = driver, media
        self.accounts.unavailable = driver.unavailable
        if media is not None:
            media.listen(self._on_key)

    def load(self, tx: Transaction) -> None:
        """Read the settings."""
        self.accounts.load(tx)
        self.contacts.load(tx)

    def announce(self, tx: Transaction) -> None:
        """Publish that there is no call, and have voice processes if SIP is on."""
        tx.publish(notices.state("Idle"), logged=False)
        self._reconfigure(tx)

    # --- any thread

    def calls(self) -> tuple[CallStatus, ...]:
        """The call that there is, and the last ones, oldest first."""
        return tuple(self._statuses.values())

    def status(self, call_id: str) -> CallStatus:
        """NotFoundError (``CallId``)."""
        try:
            return self._statuses[call_id]
        except KeyError:
            raise NotFoundError("CallId", f"there is no call {call_id[:40]!r}") from None

    @property
    def registrations(self) -> dict[str, Registration]:
        """The last answer of each registrar, by account."""
        return self._registrations

    @property
    def lines(self) -> tuple[Ready | None, ...]:
        """What the voice processes can do; None for one that does not run."""
        return self._lines.ready

    # --- what is asked for

    def call(self, tx: Transaction, to: str, account: str = "", correlation: str | None = None) -> CallStatus:
        """Call a SIP address, or a contact or group by id or name.

        InputError (``to``), NotFoundError, LimitError; ConflictError when there is a call already, or SIP is off.
        """
        known = self.contacts.find(to)
        if known is not None:
            return self.call_contacts(tx, (known,), correlation=correlation)
        self._can_call(tx)
        return self._place(tx, ((self.accounts.target(to, account, field="to"),),), correlation)

    def call_contacts(
        self, tx: Transaction, keys: tuple[str, ...], *, fallback: str = "", correlation: str | None = None
    ) -> CallStatus:
        """Call contacts and groups at the same time. Errors as of ``call``."""
        self._can_call(tx)
        wall = tx.now.wall_ns

        def resolve(contact: Contact) -> Target:
            return self.accounts.target(contact.sip_address, contact.account, contact=contact.id)

        stages = dial.stages(
            keys,
            self.contacts.book,
            lambda schedule: self._schedules.active(schedule, wall),
            resolve,
            fallback=fallback,
        )
        return self._place(tx, stages, correlation)

    def check_to(self, to: str) -> str:
        """Whom ``to`` means: the id of a contact or group, or an address. InputError (``to``)."""
        known = self.contacts.find(to)
        return known if known is not None else self.accounts.target(to, field="to").uri

    def answer(self, tx: Transaction, call_id: str) -> CallStatus:
        """Answer who calls. NotFoundError; ConflictError if nobody waits for that."""
        call = self._live(call_id)
        if not call.waiting:
            raise ConflictError("CallId", "does not wait for an answer")
        self._take(tx, call.accept())
        return self.status(call_id)

    def hang_up(self, tx: Transaction, call_id: str, reason: str = "ended by a client") -> None:
        """End a call; one that is over stays over. NotFoundError."""
        self.status(call_id)
        if self._call is not None and self._call.id == call_id:
            self._take(tx, self._call.hang_up(reason, tx.now.mono_ns))

    def on_button(self, tx: Transaction, t_ns: int, correlation: str | None = None) -> None:
        """The call button was pressed. What cannot be done is told as an event: a button has no other answer."""
        button, now = self.contacts.button, tx.now.mono_ns
        if t_ns and t_ns == self._dialled_ns:
            return  # the digits before it were a speed dial number
        does = calls.button(self._call, button.during_call, round(button.delay * NS), now)
        if does == "call":
            if button.enabled and button.recipients and self.accounts.settings.enabled:
                call = partial(self.call_contacts, tx, button.recipients, fallback=button.fallback)
                self._try(tx, partial(call, correlation=correlation), correlation)
        elif self._call is not None and does == "end":
            self._take(tx, self._call.hang_up("ended by the call button", now))
        elif self._call is not None and does == "answer":
            self._take(tx, self._call.accept())

    def on_speed_dial(self, tx: Transaction, digits: str, t_ns: int, correlation: str | None = None) -> None:
        """A number was entered before the call key."""
        known = self.contacts.by_speed_dial(digits)
        if known is not None:
            tx.assign(self, "_dialled_ns", t_ns)
            self._try(tx, partial(self.call_contacts, tx, (known,), correlation=correlation), correlation)

    # --- reports of the voice processes

    def on_report(self, tx: Transaction, line: int, report: Report) -> None:
        """Something happened on a line."""
        now = tx.now.mono_ns
        match report:
            case Incoming():
                self._incoming(tx, line, report)
            case Progress(leg=name, code=code) if code >= 180:
                self._of_leg(tx, line, name, lambda call, leg: call.rings(leg))
            case Connected(leg=name):
                self._of_leg(tx, line, name, lambda call, leg: call.answered(leg, now))
            case Ended(leg=name, code=code, reason=reason):
                self._doubt(tx, self._leg(line, name), code)
                self._ended(tx, self._leg(line, name), notices.ending(code, reason))
            case MediaAgreed(leg=name, media=media):
                self._agreed(tx, self._leg(line, name), media)
            case Digit(leg=name, digit=digit):
                self._key(tx, self._leg(line, name), digit, "info", now)
            case Ready():
                tx.assign(self, "_lines", self._lines.up(line, report))
                if report.refused:
                    tx.publish(notices.fault(f"accounts that could not be used: {', '.join(report.refused)}"))
            case Registration():
                tx.assign(self, "_registrations", {**self._registrations, report.account: report})
                tx.publish(notices.registration(report))
                self.servers.on_registration(tx, report)
            case Probed():
                self.servers.on_probed(tx, report)
            case Refused(what=what, detail=detail) if what != "command":
                tx.publish(notices.fault(f"{what}: {detail}"))

    def on_lost(self, tx: Transaction, line: int, reason: str) -> None:
        """A voice process is gone, and its calls with it."""
        tx.assign(self, "_lines", self._lines.down(line))
        if line == 0:
            tx.assign(self, "_registrations", {})
        if reason:
            tx.publish(notices.fault(f"voice process {line}: {reason}"))
        for leg in [leg for leg, wire in self._wires.items() if wire.line == line]:
            self._ended(tx, leg, "the voice process has ended")

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        return min((call.deadline for call in self._all() if call.deadline is not None), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        for call in self._all():
            self._take(tx, call.advance(now.mono_ns))

    # --- inside: calls

    def _all(self) -> list[Call]:
        return [*self._ending.values(), *(() if self._call is None else (self._call,))]

    def _live(self, call_id: str) -> Call:
        self.status(call_id)
        if self._call is None or self._call.id != call_id:
            raise ConflictError("CallId", "is over")
        return self._call

    def _can_call(self, tx: Transaction) -> None:
        if not self.accounts.settings.enabled:
            raise ConflictError("to", "SIP is off")
        if self._media is None:
            raise ConflictError("to", "this device has no sound for calls")
        if self._call is not None:
            raise ConflictError("to", "there is a call already")

    def _try(self, tx: Transaction, act: Callable[[], object], correlation: str | None) -> None:
        try:
            act()
        except InputError as error:
            tx.publish(notices.fault(f"no call: {error.reason}", correlation))

    def _limits(self, direction: CallDirection) -> Limits:
        settings = self.accounts.settings
        longest = settings.call_duration
        if direction == "Incoming":
            longest = min(settings.incoming_duration, longest or settings.incoming_duration)
        active = longest * NS if longest else None
        return Limits(calling_ns=settings.calling_timeout * NS, active_ns=active)

    def _place(self, tx: Transaction, stages: dial.Stages, correlation: str | None) -> CallStatus:
        first = stages[0][0]
        for target in (target for stage in stages for target in stage):
            if not self.accounts.account(target.account).active:
                raise ConflictError("to", f"the account {target.account} is not active")
        key = self._new_id(tx)
        remote = first.uri if len(stages[0]) == 1 else ""
        recipients = tuple(target.uri for target in stages[0])
        self._begin(tx, key, "Outgoing", first.account, remote_uri=remote, recipients=recipients)
        self._take(tx, calls.place(key, stages, self._limits("Outgoing"), tx.now.mono_ns), correlation)
        return self.status(key)

    def _incoming(self, tx: Transaction, line: int, report: Incoming) -> None:
        refusal = self._refusal(report)
        if refusal:
            command = Answer(leg=report.leg, code=refusal)
            tx.after_commit(partial(self._tell_line, line, command))
            if refusal != calls.BUSY and tx.now.mono_ns - self._refused_ns >= REFUSED_NS:
                tx.assign(self, "_refused_ns", tx.now.mono_ns)
                tx.publish(notices.fault(f"a call from {report.remote[:120]} ({report.source}) is not allowed"))
            return
        account = self.accounts.account(report.account)
        key, leg = self._new_id(tx), f"{line}/{report.leg}"
        caller = Target(uri=str(parse_name_addr(report.remote)), account=account.id)
        tx.assign(self, "_wires", {**self._wires, leg: Wire(line=line, name=report.leg, port=report.port)})
        self._begin(tx, key, "Incoming", account.id, remote_uri=caller.uri, device_uri=report.local)
        limits = self._limits("Incoming")
        step = calls.receive(key, leg, caller, limits, tx.now.mono_ns, answer=account.auto_answer)
        self._take(tx, step)

    def _refusal(self, report: Incoming) -> int:
        """The SIP status that somebody gets who may not call; 0 = he may."""
        settings = self.accounts.settings
        try:
            caller = parse_name_addr(report.remote)
            account = self.accounts.account(report.account)
        except InputError:
            return 400
        sources = [parse_source(source) for source in settings.access_list]
        if not settings.allow_incoming or not account.active:
            return calls.DECLINED
        if settings.use_access_list and not dial.admitted(caller, settings.access_list_policy, sources):
            return 403
        return calls.BUSY if self._call is not None or self._media is None else 0

    def _new_id(self, tx: Transaction) -> str:
        number = int(tx.get(*_COUNTER) or b"0") + 1
        tx.put(*_COUNTER, b"%d" % number, volatile=True)
        return str(number)

    def _begin(self, tx: Transaction, key: str, direction: CallDirection, account: str, **more: Any) -> None:
        """The status of a new call."""
        status = CallStatus(
            id=key, state="Idle", direction=direction, reason="", account=account,
            started=rfc3339(tx.now.wall_ns), **{"device_uri": "", **more},
        )  # fmt: skip
        older = list(self._statuses.items())[-KEPT + 1 :]
        tx.assign(self, "_statuses", {**dict(older), key: status})
        tx.assign(self, "_keys", Keys())

    def _take(self, tx: Transaction, step: Step, correlation: str | None = None) -> None:
        """Remember the new call, and do what it asks for."""
        call, effects = step
        self._remember(tx, call)
        failed: list[str] = []
        for effect in effects:
            self._perform(tx, call, effect, failed, correlation)
        for leg in failed:
            self._ended(tx, leg, "no voice process has a free call now")

    def _remember(self, tx: Transaction, call: Call) -> None:
        if call.live:
            tx.assign(self, "_call", call)
            return
        if self._call is not None and self._call.id == call.id:
            tx.assign(self, "_call", None)
        ending = {key: other for key, other in self._ending.items() if key != call.id}
        if call.state != "Terminated":
            ending[call.id] = call
        tx.assign(self, "_ending", ending)

    def _perform(self, tx: Transaction, call: Call, effect: Effect, failed: list[str], correlation: str | None) -> None:
        match effect:
            case Dial(leg, target):
                self._dial(tx, leg, target, failed)
            case Ring(leg):
                self._command(tx, leg, lambda name: Answer(leg=name, code=180))
            case Accept(leg):
                self._open(tx, leg)
                self._command(tx, leg, lambda name: Answer(leg=name, code=200))
            case Drop(leg, code):
                self._command(tx, leg, lambda name: HangUp(leg=name, code=code))
            case Talk(leg):
                self._talk(tx, call, leg)
            case Told(state, reason):
                self._tell(tx, call, state, reason, correlation)

    def _tell(self, tx: Transaction, call: Call, state: CallState, reason: str, correlation: str | None) -> None:
        status = msgspec.structs.replace(self._statuses[call.id], state=state, reason=reason)
        if state == "Terminated":
            status = msgspec.structs.replace(status, stopped=rfc3339(tx.now.wall_ns))
        tx.assign(self, "_statuses", {**self._statuses, call.id: status})
        if self._call is None or self._call.id == call.id:
            tx.publish(notices.state(state, correlation))
        tx.publish(notices.change(status, correlation))
        self._lights.show(tx, call)
        if state == "Terminated" and not self._all():
            tx.publish(notices.state("Idle", correlation))
            if self._stale:
                self._reconfigure(tx)

    # --- inside: legs

    @staticmethod
    def _name(line: int, name: str) -> str:
        return f"{line}/{name}"

    def _leg(self, line: int, name: str) -> str:
        """How a leg is called here: outgoing ones have the name that they were given."""
        wire = self._wires.get(name)
        return name if wire is not None and wire.line == line else self._name(line, name)

    def _call_of(self, leg: str) -> Call | None:
        return next((call for call in self._all() if call.leg(leg) is not None), None)

    def _of_leg(self, tx: Transaction, line: int, name: str, step: Callable[[Call, str], Step]) -> None:
        leg = self._leg(line, name)
        call = self._call_of(leg)
        if call is not None:
            self._take(tx, step(call, leg))

    def _dial(self, tx: Transaction, leg: str, target: Target, failed: list[str]) -> None:
        try:
            line = self._lines.choose(tuple(wire.line for wire in self._wires.values()))
        except ConflictError:
            failed.append(leg)
            return
        port = self._free_port(tx)
        tx.assign(self, "_wires", {**self._wires, leg: Wire(line=line, name=leg, port=port)})
        self._open(tx, leg)
        media = LocalMedia(port=port)
        self._command(tx, leg, lambda name: Invite(leg=name, account=target.account, uri=target.uri, media=media))

    def _free_port(self, tx: Transaction) -> int:
        """The next RTP port. In turn: late packets of a call that is over do not meet the next one."""
        start = self.accounts.settings.rtp_start_port
        used = {wire.port for wire in self._wires.values()}
        slots = [(self._slot + n) % INCOMING_SLOT for n in range(INCOMING_SLOT)]
        slot = next(slot for slot in slots if start + 2 * slot not in used)
        tx.assign(self, "_slot", slot + 1)
        return start + 2 * slot

    def _command(self, tx: Transaction, leg: str, make: Callable[[str], Command]) -> None:
        wire = self._wires.get(leg)
        if wire is None:
            return
        line, command = wire.line, make(wire.name)

        def lost() -> None:
            self._submit(lambda tx: self._ended(tx, leg, "the voice process is gone"))

        tx.after_commit(partial(self._tell_line, line, command, lost))

    def _tell_line(self, line: int, command: Command, lost: Callable[[], object] = lambda: None) -> None:
        if self._driver is None or not self._driver.send(line, command):
            lost()

    def _open(self, tx: Transaction, leg: str) -> None:
        wire, media = self._wires[leg], self._media
        assert media is not None

        def act() -> None:
            try:
                media.open(leg, wire.port)
            except OSError as error:
                reason = f"RTP port {wire.port}: {error.strerror or error}"
                self._submit(lambda tx: self._no_sound(tx, leg, reason))

        tx.after_commit(act)

    def _no_sound(self, tx: Transaction, leg: str, reason: str) -> None:
        tx.publish(notices.fault(reason))
        self._command(tx, leg, lambda name: HangUp(leg=name, code=500))
        call = self._call_of(leg)
        if call is not None:
            self._take(tx, call.leg_over(leg, reason, tx.now.mono_ns))

    def _doubt(self, tx: Transaction, leg: str, code: int) -> None:
        call = self._call_of(leg)
        known = call.leg(leg) if call is not None else None
        if known is not None:
            self.servers.on_failed_call(tx, known.target.account, code)

    def _ended(self, tx: Transaction, leg: str, reason: str) -> None:
        call = self._call_of(leg)
        wire = self._wires.get(leg)
        if wire is not None:
            tx.assign(self, "_wires", {name: other for name, other in self._wires.items() if name != leg})
            media = self._media
            if media is not None:
                tx.after_commit(lambda: media.stop(leg))
        if call is not None:
            self._take(tx, call.leg_over(leg, reason, tx.now.mono_ns))

    def _agreed(self, tx: Transaction, leg: str, media: AgreedMedia) -> None:
        wire = self._wires.get(leg)
        if wire is None:
            return
        wire = msgspec.structs.replace(wire, media=media)
        tx.assign(self, "_wires", {**self._wires, leg: wire})
        call = self._call_of(leg)
        if call is not None and call.state == "Active" and call.winner == leg:
            self._talk(tx, call, leg)

    def _talk(self, tx: Transaction, call: Call, leg: str) -> None:
        """The sound of the leg that has the call, once it is known."""
        wire, port = self._wires.get(leg), self._media
        if wire is None or wire.media is None or port is None:
            return
        media, who = wire.media, call.leg(leg)
        tx.after_commit(lambda: port.start(leg, media))
        status = msgspec.structs.replace(self._statuses[call.id], codec=media.codec)
        if who is not None:
            status = msgspec.structs.replace(status, remote_uri=who.target.uri, account=who.target.account)
        tx.assign(self, "_statuses", {**self._statuses, call.id: status})

    # --- inside: keys

    def _on_key(self, leg: str, key: str, t_ns: int) -> None:
        """A key by RFC 4733 (any thread)."""
        self._submit(lambda tx: self._key(tx, leg, key, "rtp", t_ns))

    def _key(self, tx: Transaction, leg: str, key: str, way: str, t_ns: int) -> None:
        """Only inside an answered call, and only in the ways that its account takes."""
        call = self._call
        if call is None or call.state != "Active" or call.winner != leg:
            return
        known = call.leg(leg)
        account = self.accounts.accounts.get(known.target.account) if known is not None else None
        if account is None or not (account.rtp_keys if way == "rtp" else account.info_keys):
            return
        before_key, before_way, before_ns = self._last_key
        tx.assign(self, "_last_key", (key, way, t_ns))
        if before_key == key and before_way != way and abs(t_ns - before_ns) < ECHO_NS:
            return
        keys, hit = self._keys.press(key, t_ns, self.accounts.keys_of(account.id))
        if keys.locked and not self._keys.locked:
            tx.publish(notices.fault(f"call {call.id}: too many wrong codes; keys do not count any more"))
        tx.assign(self, "_keys", keys)
        if hit is not None:
            data = {"DTMFEventId": hit, "CallId": call.id}
            tx.publish(NewEvent(topic=events.CALL_DTMF, data=data, t_ns=t_ns))

    # --- inside: processes

    def _reconfigure(self, tx: Transaction) -> None:
        """Processes as the settings say; those that there are begin anew, once nobody talks."""
        driver, on = self._driver, self.accounts.settings.enabled
        if driver is None:
            return
        if self._all():
            tx.assign(self, "_stale", True)
            return
        tx.assign(self, "_stale", False)
        tx.after_commit(lambda: driver.apply(on))
