"""A call, with all its legs, as a state machine (manual: Calls, Contact list; VAPIX Call service).

Sans-I/O and immutable: every input gives a new ``Call`` and what has to be done, in order. Times are nanoseconds of a
monotonic clock; ``deadline`` says when ``advance`` has something to do.

An outgoing call has stages: everybody of a stage is called at the same time; who answers first has the call, and the
others are cancelled. When all have refused, or nobody has answered in time, the next stage is called (the fallback). An
incoming call has one leg. States: Calling, Active (answered), Terminating (told to end), Terminated (all legs are over,
or have not said so in time).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from axcore.model.intercom import VMS_CALL, ButtonMode, CallDirection, CallState, Target

NS = 1_000_000_000
LAST_WORDS_NS = 4 * NS
"""How long the legs of a call that ends may take to say so."""
BUSY, DECLINED, UNAVAILABLE = 486, 603, 480

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


class Told(NamedTuple):
    """The call is in a new state."""

    state: CallState
    reason: str


Effect = Dial | Ring | Accept | Drop | Talk | Told


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


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """See the module's text. Begin one with ``place`` or ``receive``."""

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
    """The leg that is talked to."""
    accepted: bool = False
    """An incoming call is being answered."""
    ended_by: EndedBy = ""

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
        return self._with(leg, "ringing"), ()

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

    def leg_over(self, name: str, reason: str, now: int) -> Step:
        """A leg has ended, for whatever reason."""
        leg = self.leg(name)
        if leg is None or leg.state == "over":
            return self, ()
        call = self._with(leg, "over")
        if self.state == "Active" and name == self.winner:
            return call._end(reason, now, by="there")
        if self.state == "Calling" and not any(other.open for other in call.legs):
            return call._next(reason, now, by="there")
        if call.state == "Terminating" and all(other.state == "over" for other in call.legs):
            return call._over()
        return call, ()

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
            return self._end("the longest time of a call is over", now, by="time")
        return self._over()

    # --- inside

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
            self._dropped(), state="Terminating", reason=reason, stages=(), deadline=now + LAST_WORDS_NS, ended_by=by
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
