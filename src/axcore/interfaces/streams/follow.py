"""Following committed events: initial states first, then live, without a gap and without a double.

A follower subscribes and takes a snapshot of the properties with the id up to which it is complete. From the queue it
then leaves out the properties up to that id (the snapshot has them) and everything from before its start. The queue is
bounded. Where a slow reader lost events, the properties among them are sent with their present state before what
follows, so that no client is left with a state that is over; lost pulses are counted. Lives on the loop.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from axcore.errors import InputError
from axcore.model.accounts import Account, Identity, Role
from axcore.model.events import CONFIGURATION_CHANGED, KEYPIN, QR, RFID
from axcore.rules.filters import Filter, canonical
from axcore.rules.parser import parse_filter

from .notification import CHANGED, INITIALIZED

if TYPE_CHECKING:
    from axcore.model.events import Event
    from axcore.runtime.bus import Bus
    from axcore.services.accounts import AccountService

log = logging.getLogger(__name__)

QUEUE: Final = 1000
"""Events that wait for one client."""
MAX_FILTERS: Final = 32
WHOLE: Final = "//."
PERSONAL: Final = ("tns1:AccessControl/", CONFIGURATION_CHANGED, RFID, KEYPIN, QR)
"""Topics that tell of people: who came, who changed what. They need an operator, as the event log does."""


class Sent(NamedTuple):
    """What a client is sent: an event, what it says of its property, and how many filters it matches."""

    event: Event
    operation: str
    copies: int


def read_filters(specs: Iterable[tuple[str, str]]) -> tuple[Filter, ...]:
    """Filters from (topic, content) texts. Raises InputError (FilterError) for one that is not understood.

    Clients send ``//.`` as topic for the whole tree, which asks nothing.
    """
    found = tuple(parse_filter("" if topic.strip() == WHOLE else topic, content) for topic, content in specs)
    if len(found) > MAX_FILTERS:
        raise InputError("eventFilterList", f"at most {MAX_FILTERS} filters")
    return found


def may_see(role: Role, topic: str) -> bool:
    """Whether an account of this role is told of events of a topic."""
    return role >= Role.OPERATOR or not topic.startswith(PERSONAL)


class Follower:
    """One client's view of the events. Nothing comes before ``configure``. Close it when done.

    ``name`` is for the log: who loses events when it does not read.
    """

    def __init__(self, bus: Bus, identity: Identity, name: str, *, limit: int = QUEUE) -> None:
        self._bus = bus
        self._role = identity.role
        self._name = name
        self._filters: tuple[Filter, ...] = ()
        self._initial: deque[Event] = deque()
        self._lost: deque[Event] = deque()
        self.subscription = bus.subscribe(limit)
        self._covered = self._last = self.subscription.since
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Events that this client lost because it did not take them in time."""
        return self.subscription.dropped

    @property
    def waiting(self) -> bool:
        """There is more to take."""
        return bool(self._initial or self._lost or self.subscription.waiting)

    def close(self) -> None:
        """End it; who waits in ``ready`` is told False."""
        if self.dropped:
            log.warning("%s: %d events were dropped in all", self._name, self.dropped)
        self._initial.clear()
        self._lost.clear()
        self.subscription.close()

    def configure(self, filters: tuple[Filter, ...]) -> None:
        """From now on only these filters apply. Every property that matches comes once more, as initial state."""
        self._filters = filters
        states, self._covered = self._bus.snapshot()
        self._initial = deque(sorted((e for e in states if self._copies(e)), key=lambda event: event.id))
        self._lost.clear()
        self.subscription.wake()

    async def ready(self) -> bool:
        """Wait until ``take`` may give something; False when the follower is closed and empty."""
        return bool(self._initial or self._lost) or await self.subscription.wait()

    def take(self) -> Sent | None:
        """The next thing to send, or None when there is none now."""
        if self._initial:
            return self._sent(self._initial.popleft(), INITIALIZED)
        while True:
            if self._lost:
                return self._sent(self._lost.popleft(), CHANGED)
            event = self.subscription.get_nowait()
            if event is None:
                return None
            if self.subscription.dropped != self._dropped:
                self._recover(event)
            elif self._wanted(event):
                return self._sent(event, CHANGED)
            self._last = max(self._last, event.id)

    def _recover(self, first: Event) -> None:
        """Events between the last one and ``first`` are gone: the states that they told come before it."""
        lost, self._dropped = self.subscription.dropped - self._dropped, self.subscription.dropped
        log.warning("%s: does not keep up, %d events were dropped (%d in all)", self._name, lost, self._dropped)
        after = max(self._last, self._covered)
        states = [e for e in self._bus.properties() if after < e.id < first.id and self._copies(e)]
        self._lost.extend(sorted(states, key=lambda event: event.id))
        if self._wanted(first):
            self._lost.append(first)

    def _wanted(self, event: Event) -> bool:
        known = self._covered if event.is_property else self.subscription.since
        return event.id > known and self._copies(event) > 0

    def _copies(self, event: Event) -> int:
        if not self._filters or not may_see(self._role, event.topic):
            return 0
        topic = canonical(event.topic)
        return sum(f.covers(topic) and f.holds(event.source, event.data) for f in self._filters)

    def _sent(self, event: Event, operation: str) -> Sent:
        self._last = max(self._last, event.id) if operation == CHANGED else self._last
        return Sent(event, operation, self._copies(event))


class Login:
    """A login that lasts as long as its account is what it was: change, role or removal end the stream."""

    def __init__(self, accounts: AccountService, identity: Identity) -> None:
        self.identity = identity
        self._accounts = accounts
        self._account: Account | None = accounts.get(identity.name)
        self._generation = accounts.generation

    def holds(self) -> bool:
        """Whether the account is still there, unchanged. Costs nothing while no account changes."""
        if self._generation != self._accounts.generation:
            if self._account is None or self._accounts.get(self.identity.name) != self._account:
                return False
            self._generation = self._accounts.generation
        return self._account is not None
