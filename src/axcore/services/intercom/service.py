"""Calls: from the button, a contact, a rule or the network, over the voice processes, to events (VAPIX Call service).

Decisions are those of ``devices.call``; here they meet the store, the events and the legs (``legs``: voice processes
and sound). There is one call at a time: somebody who calls meanwhile hears *busy*, and another call from here is
refused. Threads: all that takes ``tx`` is a job of the ledger thread; snapshots are for any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from axcore.devices import call as calls
from axcore.devices import dial
from axcore.devices.call import NO_SERVICE, Accept, Call, Dial, Drop, Effect, Hush, Notify, Ring, Step, Talk, Told
from axcore.errors import ConflictError
from axcore.model import voice
from axcore.model.intercom import CallDirection, CallState, CallStatus, StreamKind, Target
from axcore.model.sip import parse_name_addr

from . import notices, vms
from .accounts import SipAccounts
from .admission import Admission
from .contacts import ContactList
from .digits import Digits
from .dtmf import Way
from .history import CallHistory
from .legs import Legs
from .lines import LineDriver
from .live import LiveCalls
from .media import MediaPort, SoundPlayer
from .panel import Panel
from .paths import PathFinder, PathStatus
from .processes import Processes
from .servers import ServerChoice
from .sounds import SoundsOfCalls
from .vms import VmsCalls
from .who import Who, limits

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction
    from axcore.services.clips import ClipService
    from axcore.services.indicators import IndicatorService
    from axcore.services.schedules import ScheduleService


class IntercomService:
    """See the module's text. ``accounts``, ``contacts``, ``sounds``, ``vms``: its settings; ``panel``: its front."""

    def __init__(
        self,
        schedules: ScheduleService,
        indicators: IndicatorService,
        submit: Callable[[Callable[[Transaction], Any]], object],
        *,
        leds: Iterable[str] = (),
        answers: bool = False,
        clips: ClipService | None = None,
    ) -> None:
        """``answers``: nobody can answer at the device itself, so that its first account does."""
        self.accounts = SipAccounts(self._reconfigure, answers=answers)
        self._legs = Legs(
            submit,
            lambda: self.accounts.settings.rtp_start_port,
            lambda: self.accounts.traversal,
            self._ended,
            self._no_sound,
        )
        self.servers = ServerChoice(self.accounts, self._legs.tell)
        self.accounts.route = self.servers.route
        self.contacts = ContactList(schedules.resolve, self.accounts.target)
        self.accounts.users.add(self.contacts.calling_from)
        self.sounds = SoundsOfCalls(clips, submit)
        self.vms = VmsCalls(self._on_streams)
        self.panel = Panel(self)
        self._who = Who(self.accounts, self.contacts, schedules, self.vms, lambda: self._legs.audible)
        self._submit = submit
        self._lights = notices.Lights(indicators, frozenset(leds))
        self._digits = Digits(self.accounts)
        self._history = CallHistory()
        self._calls = LiveCalls()
        self._processes = Processes(self.accounts, self._legs, self.servers, self._calls)
        self.admission = Admission(self._who)

    # --- life

    def attach(
        self,
        driver: LineDriver,
        media: MediaPort | None,
        player: SoundPlayer | None = None,
        finder: PathFinder | None = None,
    ) -> None:
        """Connect processes and sound (set-up). Without ``media`` there are no calls, without ``player`` they ring
        nowhere here, without ``finder`` they do not get through NAT."""
        self.sounds.attach(player)
        self._processes.attach(driver)
        self._legs.attach(driver, media, finder)
        if media is not None:
            media.listen(self._on_key)

    def load(self, tx: Transaction) -> None:
        """Read the settings."""
        self.accounts.load(tx)
        self.contacts.load(tx)
        self.sounds.load(tx)
        self.vms.load(tx)

    def announce(self, tx: Transaction) -> None:
        """Publish that there is no call, and have voice processes if SIP is on."""
        tx.publish(notices.state("Idle"), logged=False)
        self._reconfigure(tx)

    # --- any thread

    def calls(self) -> tuple[CallStatus, ...]:
        """The call that there is, and the last ones, oldest first."""
        return self._history.all

    def status(self, call_id: str) -> CallStatus:
        """NotFoundError (``CallId``)."""
        return self._history.get(call_id)

    @property
    def live(self) -> Call | None:
        """The call that is made or held."""
        return self._calls.now

    @property
    def busy(self) -> Call | None:
        """The call that no other one can take the place of."""
        return None if vms.gives_way(self._calls.now) else self._calls.now

    @property
    def registrations(self) -> dict[str, voice.Registration]:
        """The last answer of each registrar, by account."""
        return self._processes.registrations

    @property
    def lines(self) -> tuple[voice.Ready | None, ...]:
        """What the voice processes can do; None for one that does not run."""
        return self._legs.ready

    @property
    def paths(self) -> PathStatus:
        """What NAT traversal came to."""
        return self._legs.paths

    # --- what is asked for

    def call(
        self, tx: Transaction, to: str, account: str = "", correlation: str | None = None, *, test: bool = False
    ) -> CallStatus:
        """Call a SIP address, a contact or group by id or name, or software (``VMS_CALL``).

        A ``test`` call ends when it is answered. InputError (``to``), NotFoundError (also of an ``account``, though
        contacts and software need none), LimitError; ConflictError when there is a call already, or SIP is off.
        """
        if account:
            self.accounts.account(account)
        known = self._who.find(to)
        plan = self._who.address(to, account) if known is None else self._who.plan(tx.now.wall_ns, (known,))
        return self._place(tx, plan, correlation, test=test)

    def call_contacts(
        self, tx: Transaction, keys: tuple[str, ...], *, fallback: str = "", correlation: str | None = None
    ) -> CallStatus:
        """Call contacts and groups at the same time, but for those who cannot be called. Errors as of ``call``."""
        return self._place(tx, self._who.plan(tx.now.wall_ns, keys, fallback=fallback), correlation)

    def check_to(self, to: str, account: str = "") -> str:
        """Whom ``to`` means: the id of a contact or group, or an address (called from ``account``). InputError."""
        return self._who.check(to, account)

    def answer(self, tx: Transaction, call_id: str) -> CallStatus:
        """Answer who calls, or as software that is called. NotFoundError; ConflictError if nobody waits for that."""
        call = self._live(call_id)
        leg = vms.offered(call)
        if leg is None and not call.waiting:
            raise ConflictError("CallId", "does not wait for an answer")
        self._take(tx, call.accept() if leg is None else call.answered(leg.name, tx.now.mono_ns))
        return self.status(call_id)

    def hang_up(self, tx: Transaction, call_id: str, reason: str = "ended by a client") -> None:
        """End a call; one that is over stays over. NotFoundError."""
        self.status(call_id)
        call = self._calls.now
        if call is not None and call.id == call_id:
            self._take(tx, call.hang_up(reason, tx.now.mono_ns))

    def reaches(self, keys: tuple[str, ...]) -> bool:
        """Whether calling these makes sense now."""
        return self._who.reaches(keys)

    def on_stream(self, tx: Transaction, kind: StreamKind, stream: Hashable, *, started: bool) -> None:
        """A stream of sound or video has begun, or is over, whatever became of it: so software answers, calls and hangs
        up. Who tells of the end of each counts right."""
        self.vms.count(tx, kind, stream, started=started)

    def _on_streams(self, tx: Transaction) -> None:
        """The streams, or the settings of their thresholds, have changed."""
        call, now = self._calls.now, tx.now.mono_ns
        act, kind = self.vms.weigh(tx, call)
        leg = vms.offered(call)
        if act == "begin":
            key = self._begin(tx, "Incoming", "", remote_uri=vms.VMS.uri, type="VMS")
            self._take(tx, calls.join(key, f"{key}.0", vms.VMS, now))
        elif act == "answer" and call is not None and leg is not None:
            self._take(tx, call.answered(leg.name, now))
        elif act == "end" and call is not None:
            self._take(tx, call.hang_up("the software has ended its streams", now))
        elif not self.vms.settings.enabled and leg is not None:
            self._ended(tx, leg.name, vms.OFF)
        elif not self.vms.settings.enabled and call is not None and vms.talking(call):
            self._take(tx, call.hang_up(vms.OFF, now))
        self.vms.hold(tx, kind)

    # --- reports of the voice processes

    def on_report(self, tx: Transaction, line: int, report: voice.Report) -> None:
        """Something happened on a line."""
        now = tx.now.mono_ns
        match report:
            case voice.Incoming():
                self._incoming(tx, line, report)
            case voice.Progress(leg=name, code=code) if code >= 180:
                self._of_leg(tx, line, name, lambda call, leg: call.rings(leg))
            case voice.Connected(leg=name) if not self._legs.knows(self._legs.name(line, name)):
                # Called by the button's edge, then undone as the store failed: nobody stays in such a call.
                tx.after_commit(partial(self._legs.tell, line, voice.HangUp(leg=name, code=500)))
            case voice.Connected(leg=name):
                self._of_leg(tx, line, name, lambda call, leg: call.answered(leg, now))
            case voice.Ended(leg=name, code=code, reason=reason):
                leg = self._legs.name(line, name)
                self.servers.on_failed_call(tx, self._calls.account_of(leg), code)
                self._ended(tx, leg, notices.ending(code, reason), code)
            case voice.MediaAgreed(leg=name, media=media):
                self._agreed(tx, self._legs.name(line, name), media)
            case voice.Digit(leg=name, digit=digit):
                self._key(tx, self._legs.name(line, name), digit, "info", now)
            case voice.Referred() as asked:
                self._of_leg(tx, line, asked.leg, lambda call, leg: self.admission.referred(tx, call, leg, asked))
            case voice.Refused(what="transfer"):
                self.admission.refused(tx, report)
            case _:
                self._processes.on_report(tx, line, report)

    def on_lost(self, tx: Transaction, line: int, reason: str) -> None:
        """A voice process is gone, and its calls with it."""
        legs = self._legs.down(tx, line)
        self._processes.on_lost(tx, line, reason)
        for leg in legs:
            self._ended(tx, leg, "the voice process has ended")

    def _reconfigure(self, tx: Transaction) -> None:
        self._processes.apply(tx)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        return self._calls.deadline

    def advance(self, tx: Transaction, now: Instant) -> None:
        for call in self._calls.all:
            self._take(tx, call.advance(now.mono_ns))

    # --- inside: calls

    def _live(self, call_id: str) -> Call:
        self.status(call_id)
        call = self._calls.now
        if call is None or call.id != call_id:
            raise ConflictError("CallId", "is over")
        return call

    def _place(self, tx: Transaction, plan: dial.Plan, correlation: str | None, *, test: bool = False) -> CallStatus:
        stages = plan.stages
        if self.busy is not None:
            raise ConflictError("to", "there is a call already")
        for reason in plan.left_out:
            tx.publish(notices.fault(reason, correlation))
        first = stages[0][0]
        known = self.accounts.accounts.get(first.account)
        told = {
            "device_uri": "" if known is None else self.accounts.address(known),
            "remote_uri": first.uri if len(stages[0]) == 1 else "",
            "recipients": tuple(target.uri for target in stages[0]),
            "type": "VMS" if stages[0] == (vms.VMS,) else "SIP",
            "test": test,
        }
        key = self._begin(tx, "Outgoing", first.account, **told)
        self._take(
            tx,
            calls.place(key, stages, limits("Outgoing", self.accounts.settings, self.vms.settings), tx.now.mono_ns),
            correlation,
        )
        return self.status(key)

    def _incoming(self, tx: Transaction, line: int, report: voice.Incoming) -> None:
        refusal = self.admission.incoming(tx, report)
        if not refusal and (self.busy is not None or not self._legs.audible):
            refusal = calls.BUSY
        if refusal:
            tx.after_commit(partial(self._legs.tell, line, voice.Answer(leg=report.leg, code=refusal)))
            return
        account = self.accounts.account(report.account)
        caller = Target(uri=str(parse_name_addr(report.remote)), account=account.id)
        leg = self._legs.add(tx, line, report.leg, report.port)
        key = self._begin(tx, "Incoming", account.id, remote_uri=caller.uri, device_uri=report.local)
        bounds = limits("Incoming", self.accounts.settings, self.vms.settings)
        self._take(tx, calls.receive(key, leg, caller, bounds, tx.now.mono_ns, answer=account.auto_answer))

    def _begin(self, tx: Transaction, direction: CallDirection, account: str, **more: Any) -> str:
        """The status of a new call; its id."""
        if self._calls.now is not None:
            self._take(tx, self._calls.now.hang_up("gives way to another call", tx.now.mono_ns))
        self.sounds.begin(tx)
        self.vms.begin(tx)
        return self._history.begin(tx, direction, account, **more)

    def _take(self, tx: Transaction, step: Step, correlation: str | None = None) -> None:
        """Remember the new call, and do what it asks for."""
        call, effects = step
        self._calls.keep(tx, call)
        if self._calls.now is None or self._calls.is_now(call.id):
            self.sounds.follow(tx, call)
        after: list[Callable[[], object]] = []
        for effect in effects:
            self._perform(tx, call, effect, after, correlation)
        for act in after:
            act()

    def _perform(
        self, tx: Transaction, call: Call, effect: Effect, after: list[Callable[[], object]], correlation: str | None
    ) -> None:
        """``after``: what is to come when the effects are done."""
        match effect:
            case Dial(leg, target) if target == vms.VMS:
                after.append(partial(self._step, tx, leg, lambda call, leg: call.rings(leg)))
            case Dial(leg, target):
                try:
                    self._legs.dial(tx, leg, target)
                except ConflictError:
                    after.append(partial(self._ended, tx, leg, "no voice process has a free call now"))
            case Ring(leg):
                self._legs.command(tx, leg, lambda name: voice.Answer(leg=name, code=180))
            case Accept(leg):
                self._legs.accept(tx, leg)
            case Drop(leg, _) if vms.is_vms(call, leg):
                after.append(partial(self._ended, tx, leg, "over"))
            case Drop(leg, code):
                self._legs.drop(tx, leg, code)
            case Talk(leg):
                self._digits.begin(tx)
                self._talk(tx, call, leg)
            case Hush(leg):
                self._legs.hush(tx, leg)
            case Notify(leg, code):
                self._legs.command(tx, leg, lambda name: voice.Notify(leg=name, code=code))
            case Told(state, reason):
                self._tell(tx, call, state, reason, correlation)
                if state == "Active" and self.status(call.id).test:
                    after.append(partial(self.hang_up, tx, call.id, "answered"))

    def _tell(self, tx: Transaction, call: Call, state: CallState, reason: str, correlation: str | None) -> None:
        before = self.status(call.id).state
        status = self._history.enter(tx, call.id, state, reason)
        if before != state and (self._calls.now is None or self._calls.is_now(call.id)):
            tx.publish(notices.state(state, correlation))
        if state != "Terminating":
            tx.publish(notices.change(status, correlation))
        self._lights.show(tx, call)
        if state == "Terminated" and not self._calls.all:
            tx.publish(notices.state("Idle", correlation))
            self._processes.rest(tx)

    # --- inside: legs

    def _of_leg(self, tx: Transaction, line: int, name: str, step: Callable[[Call, str], Step]) -> None:
        self._step(tx, self._legs.name(line, name), step)

    def _step(self, tx: Transaction, leg: str, step: Callable[[Call, str], Step]) -> None:
        call = self._calls.with_leg(leg)
        if call is not None:
            self._take(tx, step(call, leg))

    def _no_sound(self, tx: Transaction, leg: str, reason: str) -> None:
        tx.publish(notices.fault(reason))
        self._legs.drop(tx, leg, 500)
        call = self._calls.with_leg(leg)
        if call is not None:
            self._take(tx, call.leg_over(leg, reason, tx.now.mono_ns))

    def _ended(self, tx: Transaction, leg: str, reason: str, code: int = NO_SERVICE) -> None:
        call, close = self._calls.with_leg(leg), self._legs.forget(tx, leg)
        if call is not None:
            self._take(tx, call.leg_over(leg, reason, tx.now.mono_ns, code))
        tx.after_commit(close)  # what is to be heard now comes first, so that the sound card stays open

    def _agreed(self, tx: Transaction, leg: str, media: voice.AgreedMedia) -> None:
        self._legs.agreed(tx, leg, media)
        call = self._calls.with_leg(leg)
        if call is not None and call.state == "Active" and call.winner == leg:
            self._talk(tx, call, leg)

    def _talk(self, tx: Transaction, call: Call, leg: str) -> None:
        """The sound of the leg that has the call, once it is known."""
        media, who = self._legs.talk(tx, leg), call.leg(leg)
        if who is not None:
            self._history.talks(tx, call.id, who.target, "" if media is None else media.codec)

    # --- inside: keys

    def _on_key(self, leg: str, key: str, t_ns: int) -> None:
        """A key by RFC 4733 (any thread)."""
        self._submit(lambda tx: self._key(tx, leg, key, "rtp", t_ns))

    def _key(self, tx: Transaction, leg: str, key: str, way: Way, t_ns: int) -> None:
        """Only inside an answered call, and only in the ways that its account takes."""
        call = self._calls.now
        if call is None or call.state != "Active" or call.winner != leg:
            return
        known = call.leg(leg)
        if known is not None:
            self._digits.press(tx, call.id, known.target.account, key, way=way, t_ns=t_ns)
