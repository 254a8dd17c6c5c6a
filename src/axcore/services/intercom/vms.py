"""Calls to and from video management software (manual: Calls > VMS calls; VAPIX Call service).

Such a call is an offer: it is told by the events and the API of calls, and whoever runs the software answers it there,
or by streams. No SIP is needed for it. The device counts its streams, each kind by itself; where a count reaches its
threshold, a call that is offered is answered, and without a call in progress an incoming one begins, already active. It
lasts as long as that kind is reached, also where another one is; a threshold that is still reached after a call has
ended begins none. Such an incoming call gives way to any other: an announcement keeps no visitor from calling. Streams
change nothing about a call over SIP. Calls that are turned off end. Changes are jobs of the ledger thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from axcore.devices.call import Call, Leg
from axcore.model.convert import patched
from axcore.model.intercom import VMS_CALL, StreamKind, Target, VmsSettings
from axcore.services.stored import keep_settings, load_settings

from . import check

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

STORED: Final = ("intercom", "vms")
VMS: Final = Target(uri=VMS_CALL, account="")
NAMES: Final = (VMS_CALL, "VMS")
KINDS: Final[tuple[StreamKind, ...]] = get_args(StreamKind)
OFF: Final = "calls to video management software are off"
"""Why a call, or a leg of one, to software is over once they are turned off."""
MOST: Final = 2**31 - 1
"""A threshold is a number of 32 bits with a sign."""


class Meaning(NamedTuple):
    """What streams mean for the call that there is, or is not."""

    act: Literal["", "begin", "answer", "end"]
    """``begin``: there is an incoming call now."""
    holds: StreamKind | Literal[""]
    """The kind that the call lasts as long as; empty: there is no call, or it depends on none."""


def reached(streams: Iterable[StreamKind], settings: VmsSettings) -> frozenset[StreamKind]:
    """The kinds of which there are as many streams as their thresholds say; none while calls are off."""
    counts = Counter(streams if settings.enabled else ())
    return frozenset(kind for kind in KINDS if 0 < getattr(settings, f"{kind}_streams") <= counts[kind])


def meaning(
    call: Call | None, holds: StreamKind | Literal[""], before: frozenset[StreamKind], after: frozenset[StreamKind]
) -> Meaning:
    """What it means for a call that these kinds were reached before, and are now. ``holds``: that of the call."""
    risen = next((kind for kind in KINDS if kind in after - before), None)
    if call is None or offered(call) is not None:
        return Meaning("", "") if risen is None else Meaning("begin" if call is None else "answer", risen)
    if not talking(call):
        return Meaning("", "")
    fallen = before - after
    if holds in fallen or (fallen and not holds):
        return Meaning("end", "")
    return Meaning("", holds or risen or "")


class VmsCalls:
    """The settings, and the streams that there are. ``changed`` is called in each transaction that changes what these
    come to. The settings may be read by any thread."""

    def __init__(self, changed: Callable[[Transaction], None]) -> None:
        self.settings = VmsSettings()
        self._changed = changed
        self._streams: Mapping[Hashable, StreamKind] = {}
        self._reached: frozenset[StreamKind] = frozenset()
        self._holds: StreamKind | Literal[""] = ""

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        self.settings = load_settings(tx, STORED, VmsSettings)

    def set(self, tx: Transaction, patch: Mapping[str, Any]) -> VmsSettings:
        """InputError."""
        new = patched(self.settings, patch, VmsSettings)
        check.number("timeout", new.timeout, 1, 600, unit=" s")
        for kind in KINDS:
            check.number(f"{kind}_streams", getattr(new, f"{kind}_streams"), -MOST, MOST)
        if keep_settings(tx, STORED, self, new):
            self._changed(tx)
        return new

    def count(self, tx: Transaction, kind: StreamKind, stream: Hashable, *, started: bool) -> None:
        """A stream has begun, or is over; one that is told of again counts once, one that never began not at all."""
        others = {name: other for name, other in self._streams.items() if name != stream}
        tx.assign(self, "_streams", {**others, stream: kind} if started else others)
        self._changed(tx)

    def begin(self, tx: Transaction) -> None:
        """There is a new call: it depends on no streams yet."""
        tx.assign(self, "_holds", "")

    def weigh(self, tx: Transaction, call: Call | None) -> Meaning:
        """What has changed since the last time means this for the call; ``hold`` it, once that is done."""
        now = reached(self._streams.values(), self.settings)
        found = meaning(call, self._holds, self._reached, now)
        tx.assign(self, "_reached", now)
        return found

    def hold(self, tx: Transaction, kind: StreamKind | Literal[""]) -> None:
        """The call lasts as long as this kind is reached."""
        tx.assign(self, "_holds", kind)


def offered(call: Call | None) -> Leg | None:
    """The leg that waits for software to answer."""
    if call is None or call.state != "Calling":
        return None
    return next((leg for leg in call.legs if leg.target.uri == VMS_CALL and leg.open), None)


def talking(call: Call | None) -> bool:
    """Whether software has answered this call."""
    return call is not None and call.state == "Active" and is_vms(call, call.winner)


def gives_way(call: Call | None) -> bool:
    """Whether this is a call that streams alone have begun: nobody who calls, or is called, has to wait for its end."""
    return talking(call) and call is not None and call.direction == "Incoming"


def is_vms(call: Call, name: str) -> bool:
    """Whether a leg is one to software."""
    leg = call.leg(name)
    return leg is not None and leg.target.uri == VMS_CALL
