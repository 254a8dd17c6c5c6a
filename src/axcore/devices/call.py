"""A call, with all its legs, as a state machine (manual: Calls, Contact list; VAPIX Call service).

Sans-I/O and immutable: every input gives a new ``Call`` and what has to be done, in order. Times are nanoseconds of a
monotonic clock; ``deadline`` says when ``advance`` has something to do.

An outgoing call has stages: everybody of a stage is called at the same time; who answers first has the call, and the
others are cancelled. When all have refused, or nobody has answered in time, the next stage is called (the fallback). An
incoming call has one leg; that of video management software whose streams begin is Active at once. States: Calling,
Active (answered), Terminating (told to end), Terminated (all legs are over, or have not said so in time). While it is
Active, its peer may have it go on with somebody else (transfer, RFC 3515, RFC 5589 section 6): he is called by a new
leg, and the peer keeps the call until he answers.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

from axcore.model.intercom import VMS_CALL, ButtonMode, CallDirection, CallState, CallStatus, Target

NS = 1_000_000_000
LAST_WORDS_NS = 4 * NS
"""How long the legs of a call that ends may take to say so."""
BUSY, DECLINED, UNAVAILABLE = 486, 603, 480
RINGING, DONE, NO_ANSWER, NO_SERVICE = 180, 200, 408, 503
MOST_TRANSFERS = 8
"""Of one call: peers that send it round and round come to an end."""

OVER: Final = {"busy": "Busy", "no answer": "NoAnswer", "not answered": "NoAnswer", "unavailable": "NoAnswer"}
"""Why a call that nobody has answered is over, in VAPIX's words; else it has failed."""

LegState = Literal["calling", "ringing", "answered", "dropped", "over"]
"""``dropped``: told to end, has not ended yet."""
EndedBy = Literal["", "here", "there", "time"]
"""Who ended a call."""


class Dial(NamedTuple):
    """Call somebody: a new leg."""

    leg: str
    target: Target


class Ring(NamedTuple):
    """Tell the caller that it rings."""

    leg: str


class Accept(NamedTuple):
    """Answer the leg."""

    leg: str


class Drop(NamedTuple):
    """End the leg; ``code`` is for one that was not answered."""

    leg: str
    code: int


class Talk(NamedTuple):
    """This leg has the call from now on."""

    leg: str


class Hush(NamedTuple):
    """This leg has no sound any more, however long it takes to end."""

    leg: str


class Notify(NamedTuple):
    """Tell the peer who asked for a transfer how it goes (SIP status); from 200 on it is the last word."""

    leg: str
    code: int


class Told(NamedTuple):
    """The call is in a new state, or, still Active, with somebody else."""

    state: CallState
    reason: str


Effect = Dial | Ring | Accept | Drop | Talk | Hush | Notify | Told


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may last."""

    calling_ns: int
    """Until somebody answers, for each stage; of an incoming call: until it is answered here."""
    active_ns: int | None
    """From the answer on; None = for ever."""
    vms_ns: int = 0
    """As ``calling_ns``, of a stage with video management software alone; with others the longer time counts."""

    def patience(self, stage: tuple[Target, ...]) -> int:
        """How long a stage is called."""
        vms = [target.uri == VMS_CALL for target in stage]
        return max(self.vms_ns if any(vms) else 0, 0 if all(vms) else self.calling_ns)


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One dialogue of a call."""

    name: str
    target: Target
    state: LegState = "calling"

    @property
    def open(self) -> bool:
        """It may still be answered."""
        return self.state in ("calling", "ringing")


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is called whom the peer wants the call to go on with."""

    leg: str
    by: str
    """The leg of the peer who asked for it; he may have left."""
    ends: int | None
    """The deadline of the call itself: it does not last longer for that."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """See the module's text. Begin one with ``place``, ``receive`` or ``join``."""

    id: str
    direction: CallDirection
    limits: Limits
    started_ns: int
    state: CallState = "Calling"
    reason: str = ""
    legs: tuple[Leg, ...] = ()
    stages: tuple[tuple[Target, ...], ...] = ()
    """Who is called next, if nobody answers."""
    deadline: int | None = None
    winner: str = ""
    """The leg that is talked to, or was the last one."""
    accepted: bool = False
    """An incoming call is being answered."""
    ended_by: EndedBy = ""
    transfer: Transfer | None = None
    transfers: int = 0
    """How many there were."""

    # --- what it is

    @property
    def live(self) -> bool:
        """It is being made or held: there can be no other now."""
        return self.state in ("Calling", "Active")

    def leg(self, name: str) -> Leg | None:
        """The leg of this name."""
        return next((leg for leg in self.legs if leg.name == name), None)

    @property
    def waiting(self) -> bool:
        """Somebody calls, and nobody has answered here."""
        return self.direction == "Incoming" and self.state == "Calling"

    # --- what happens to it

    def rings(self, name: str) -> Step:
        """The phone of a leg rings."""
        leg = self.leg(name)
        if leg is None or leg.state != "calling":
            return self, ()
        return self._with(leg, "ringing"), self._progress(RINGING) if self._is_new(name) else ()

    def accept(self) -> Step:
        """Answer an incoming call here."""
        if not self.waiting or self.accepted:
            return self, ()
        call = msgspec.structs.replace(self, accepted=True)
        return call, tuple(Accept(leg.name) for leg in self.legs if leg.open)

    def answered(self, name: str, now: int) -> Step:
        """A leg is answered. The first one has the call; a later one is ended."""
        leg = self.leg(name)
        if leg is None or leg.state == "over":
            return self, ()
        if leg.open and self._is_new(name):
            return self._transferred(leg)
        if self.state != "Calling" or not leg.open:
            return (self, ()) if name == self.winner else (self._with(leg, "dropped"), (Drop(name, DECLINED),))
        others = tuple(Drop(other.name, DECLINED) for other in self.legs if other.open and other.name != name)
        legs = tuple(
            _as(other, "answered" if other.name == name else "dropped" if other.open else other.state)
            for other in self.legs
        )
        ends = None if self.limits.active_ns is None else now + self.limits.active_ns
        call = msgspec.structs.replace(
            self, state="Active", legs=legs, stages=(), deadline=ends, winner=name, reason=""
        )
        return call, (Talk(name), *others, Told("Active", ""))

    def leg_over(self, name: str, reason: str, now: int, code: int = NO_SERVICE) -> Step:
        """A leg has ended, for whatever reason; ``code``: the SIP status of that."""
        leg = self.leg(name)
        if leg is None or leg.state == "over":
            return self, ()
        call = self._with(leg, "over")
        if self._is_new(name):
            return call._not_transferred(reason, now, code, by="there")
        if self.state == "Active" and name == self.winner:
            return (call, ()) if self.transfer is not None else call._end(reason, now, by="there")
        if self.state == "Calling" and not any(other.open for other in call.legs):
            return call._next(reason, now, by="there")
        if call.state == "Terminating" and all(other.state == "over" for other in call.legs):
            return call._over()
        return call, ()

    def refer(self, name: str, target: Target, now: int) -> Step:
        """The peer of a leg wants the call to go on with somebody else. One at a time; refused to others than he."""
        leg = self.leg(name)
        talks = self.state == "Active" and name == self.winner and leg is not None and leg.state == "answered"
        if not talks or self.transfer is not None or self.transfers >= MOST_TRANSFERS:
            return self, (Notify(name, DECLINED),)
        new = Leg(name=f"{self.id}.{len(self.legs)}", target=target)
        until = now + self.limits.patience((target,))
        call = msgspec.structs.replace(
            self,
            legs=(*self.legs, new),
            transfer=Transfer(leg=new.name, by=name, ends=self.deadline),
            transfers=self.transfers + 1,
            deadline=until if self.deadline is None else min(until, self.deadline),
        )
        return call, (Dial(new.name, target),)

    def hang_up(self, reason: str, now: int, code: int = DECLINED) -> Step:
        """End the call."""
        return self._end(reason, now, code) if self.live else (self, ())

    def advance(self, now: int) -> Step:
        """Do what is due."""
        if self.deadline is None or now < self.deadline:
            return self, ()
        if self.state == "Calling":
            if self.direction == "Incoming":
                return self._end("not answered", now, UNAVAILABLE, by="time")
            drops = tuple(Drop(leg.name, DECLINED) for leg in self.legs if leg.open)
            call, effects = self._dropped()._next("no answer", now, by="time")
            return call, (*drops, *effects)
        if self.state == "Active":
            transfer = self.transfer
            if transfer is None or (transfer.ends is not None and now >= transfer.ends):
                return self._end("the longest time of a call is over", now, by="time")
            new = self.leg(transfer.leg)
            assert new is not None
            call, effects = self._with(new, "dropped")._not_transferred("no answer", now, NO_ANSWER, by="time")
            return call, (Drop(new.name, DECLINED), *effects)
        return self._over()

    # --- inside

    def _is_new(self, name: str) -> bool:
        """Whether a leg is that of a transfer that is under way."""
        return self.transfer is not None and self.transfer.leg == name

    def _progress(self, code: int) -> tuple[Effect, ...]:
        """Word of a transfer to who asked for it, if he is still there."""
        by = None if self.transfer is None else self.leg(self.transfer.by)
        return () if by is None or by.state != "answered" else (Notify(by.name, code),)

    def _transferred(self, leg: Leg) -> Step:
        """The call goes on with another peer; the one before may go."""
        transfer = self.transfer
        assert transfer is not None
        by = self.leg(transfer.by)
        leaves = () if by is None or by.state != "answered" else (Hush(by.name), Drop(by.name, DECLINED))
        call = self._with(leg, "answered")
        if by is not None and leaves:
            call = call._with(by, "dropped")
        call = msgspec.structs.replace(call, transfer=None, deadline=transfer.ends, winner=leg.name)
        return call, (Talk(leg.name), *self._progress(DONE), *leaves, Told("Active", "transferred"))

    def _not_transferred(self, reason: str, now: int, code: int, *, by: EndedBy) -> Step:
        """He was not reached: the peer before has the call again, if he is still there."""
        transfer = self.transfer
        assert transfer is not None
        told = self._progress(code if 300 <= code <= 699 else NO_SERVICE)
        call = msgspec.structs.replace(self, transfer=None, deadline=transfer.ends)
        return (call, told) if told else call._end(reason, now, by=by)

    def _with(self, leg: Leg, state: LegState) -> Call:
        legs = tuple(_as(other, state) if other is leg else other for other in self.legs)
        return msgspec.structs.replace(self, legs=legs)

    def _dropped(self) -> Call:
        legs = tuple(_as(leg, leg.state if leg.state == "over" else "dropped") for leg in self.legs)
        return msgspec.structs.replace(self, legs=legs)

    def _next(self, reason: str, now: int, by: EndedBy = "") -> Step:
        """The next stage, or the end."""
        if not self.stages:
            return self._end(reason, now, by=by)
        first = len(self.legs)
        legs = tuple(
            Leg(name=f"{self.id}.{first + number}", target=target) for number, target in enumerate(self.stages[0])
        )
        call = msgspec.structs.replace(
            self, legs=(*self.legs, *legs), stages=self.stages[1:], deadline=now + self.limits.patience(self.stages[0])
        )
        return call, tuple(Dial(leg.name, leg.target) for leg in legs)

    def _end(self, reason: str, now: int, code: int = DECLINED, *, by: EndedBy = "here") -> Step:
        drops = tuple(Drop(leg.name, code) for leg in self.legs if leg.state in ("calling", "ringing", "answered"))
        call = msgspec.structs.replace(
            self._dropped(),
            state="Terminating",
            reason=reason,
            stages=(),
            deadline=now + LAST_WORDS_NS,
            ended_by=by,
            transfer=None,
        )
        effects: tuple[Effect, ...] = (*drops, Told("Terminating", reason))
        if any(leg.state != "over" for leg in call.legs):
            return call, effects
        over, rest = call._over()
        return over, (*effects, *rest)

    def _over(self) -> Step:
        call = msgspec.structs.replace(self, state="Terminated", deadline=None)
        return call, (Told("Terminated", self.reason),)


Step = tuple[Call, tuple[Effect, ...]]


def place(call_id: str, stages: tuple[tuple[Target, ...], ...], limits: Limits, now: int) -> Step:
    """Call the first stage. ``stages`` has at least one, and no stage is empty."""
    call = Call(id=call_id, direction="Outgoing", limits=limits, started_ns=now, stages=stages)
    call, effects = call._next("", now)
    return call, (Told("Calling", ""), *effects)


def receive(call_id: str, leg: str, caller: Target, limits: Limits, now: int, *, answer: bool) -> Step:
    """Somebody calls who may. ``answer``: at once."""
    call = Call(
        id=call_id,
        direction="Incoming",
        limits=limits,
        started_ns=now,
        legs=(Leg(name=leg, target=caller, state="ringing"),),
        deadline=now + limits.calling_ns,
        accepted=answer,
    )
    return call, (Told("Calling", ""), Accept(leg) if answer else Ring(leg))


def state_reason(status: CallStatus) -> str:
    """Why a call is in its state (VAPIX: CallStateReason, CallStateChangeReason)."""
    if status.state in ("Idle", "Calling"):
        return "Initiated"
    if status.state == "Active":
        return "AcceptedByDevice" if status.direction == "Incoming" else "AcceptedByRemote"
    return "Terminated" if status.answered else OVER.get(status.reason, "Failed")


def join(call_id: str, leg: str, caller: Target, now: int) -> Step:
    """Somebody talks or listens who has called nobody: there is a call, and he has it until he or it is ended."""
    call = Call(
        id=call_id,
        direction="Incoming",
        limits=Limits(calling_ns=0, active_ns=None),
        started_ns=now,
        state="Active",
        legs=(Leg(name=leg, target=caller, state="answered"),),
        winner=leg,
        accepted=True,
    )
    return call, (Talk(leg), Told("Active", ""))


ButtonDoes = Literal["call", "answer", "end", "nothing"]


def button(call: Call | None, mode: ButtonMode, delay_ns: int, now: int) -> ButtonDoes:
    """What a press of the call button means now."""
    if call is None or not call.live:
        return "call"
    if call.direction == "Incoming":
        return "answer" if call.waiting else "nothing"
    if now == call.started_ns:
        return "nothing"  # the press that began the call, through a rule
    if mode == "end" or (mode == "delay" and now - call.started_ns >= delay_ns):
        return "end"
    return "nothing"


def _as(leg: Leg, state: LegState) -> Leg:
    return leg if leg.state == state else msgspec.structs.replace(leg, state=state)
