"""May this pass that access point now? Pure functions of an index, a request, the wall time and the anti-passback data.

What is asked, in this order (VAPIX *Access control service*): who is it; may the credential be used at all (enabled,
valid); does one of its access profiles lead here, now; is what was shown enough for the authentication profiles that
count; has it not gone in already. Authentication profiles of the credential go before those of the access profile, and
those before the access point's; on each level only those count whose schedules are active, and a level where none is
leaves it to the next. Of several ways in the first that is open counts; if none is, the one that came furthest gives
the reason. What is missing or cannot be read never opens: a schedule that is not there does not hold.

A duress PIN opens like the PIN, and the decision tells (``duress``). A PIN alone, where a card must come with it, gives
the same answer whether it is right or wrong. Times are wall time, UTC ns.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from axcore.errors import InputError, NotFoundError
from axcore.model.credentials import HIDDEN
from axcore.model.durations import parse_duration
from axcore.model.pacs import (
    CARD_NAMES,
    SECRET,
    AccessPoint,
    AccessProfile,
    Attribute,
    AuthenticationProfile,
    Credential,
    CredentialAccessProfile,
    Passage,
    Reason,
)
from axcore.runtime.clock import CLOCK_SET_NS, clock_is_set
from axcore.services.pacs.calendar import FAR, any_active
from axcore.services.pacs.index import Holder, Holders, Index, Way, holders, moment

NS = 1_000_000_000
MS = 1_000_000
FURTHEST: dict[Reason, int] = {
    "InvalidCredential": 0, "CredentialNotEnabled": 1, "CredentialNotActive": 2, "CredentialExpired": 3,
    "Unauthorized": 4, "InvalidAccessProfile": 5, "NotPermittedAtThisTime": 6, "InvalidPIN": 7,
    "AntiPassbackViolation": 8, "MoreRequired": 9, "Granted": 10,
}  # fmt: skip
"""How far a way in was gone."""


class Request(msgspec.Struct, frozen=True):
    """What was shown to which reader."""

    id_point: str
    id_data: Mapping[str, str]
    """``Card``, ``CardNr``, ``PIN``, ``REX`` (``Active``), or any other name."""
    target: str = ""
    """Door; empty = those of the reader's access points."""
    action: str = ""
    """Empty = that of the access point."""

    def __repr__(self) -> str:
        shown = {name: HIDDEN if name in SECRET else value for name, value in self.id_data.items()}
        return f"Request({self.id_point!r}, {shown!r}, {self.target!r}, {self.action!r})"


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What was decided at one access point."""

    reason: Reason
    access_point: str
    door: str = ""
    action: str = "Access"
    credential: str = ""
    """Empty: nobody was found, or it fits several."""
    user: str = ""
    anonymous: bool = False
    """It was no credential that was shown (request to exit)."""
    required: tuple[str, ...] = ()
    """What must still be shown (``MoreRequired``)."""
    duress: bool = False
    passback: bool = False
    """It is inside already: denied, or let in where that is only told."""
    extended: bool = False
    """The door's extended times count."""
    access_ms: int | None = None
    open_too_long_ms: int | None = None
    pre_alarm_ms: int | None = None

    @property
    def granted(self) -> bool:
        return self.reason == "Granted"

    @property
    def unlock(self) -> bool:
        """Whether the lock is opened (``AccessDoorWithoutUnlock`` leaves that to a hand)."""
        return self.action != "AccessDoorWithoutUnlock"


_Verdict = tuple[Reason, tuple[str, ...], bool, bool]


class _Case(msgspec.Struct, gc=False):
    """What is decided on."""

    index: Index
    point: AccessPoint
    request: Request
    wall_ns: int
    passages: Mapping[str, Passage]
    via: str
    """The name by which the credentials were found: they have what was shown for it."""

    @property
    def shut(self) -> bool:
        """The access point counts for nobody, or not for what is asked."""
        return not self.point.enabled or self.request.action not in ("", self.point.action)


NOWHERE: Mapping[str, Passage] = {}
MEMORY = 65_536
"""Ways that are remembered."""


def decide(index: Index, request: Request, wall_ns: int, passages: Mapping[str, Passage] = NOWHERE) -> Decision:
    """The decision: granted if any access point of the reader grants. NotFoundError names an unknown token."""
    points = index.by_id_point.get(request.id_point, ())
    if len(points) == 1 and not request.target:
        who, via = _candidates(index, request.id_data)
        return _decide_at(_Case(index, points[0], request, wall_ns, passages, via), who)
    decisions = decide_all(index, request, wall_ns, passages)
    return max(decisions, key=lambda decision: FURTHEST[decision.reason])


def decide_all(
    index: Index, request: Request, wall_ns: int, passages: Mapping[str, Passage] = NOWHERE
) -> list[Decision]:
    """The decision at each access point of the reader (a reader in an elevator has many)."""
    points = index.by_id_point.get(request.id_point)
    if points is None:
        raise NotFoundError("SourceToken", f"no access point has the reader {request.id_point!r}")
    if request.target:
        points = tuple(point for point in points if request.target in (point.entity, point.token))
        if not points:
            raise NotFoundError("TargetToken", f"the reader leads to no door {request.target!r}")
    who, via = _candidates(index, request.id_data)
    return [_decide_at(_Case(index, point, request, wall_ns, passages, via), who) for point in points]


def _candidates(index: Index, given: Mapping[str, str]) -> tuple[Holders | None, str]:
    """Credentials that have what was shown, and by which name; None: nothing of a credential was shown."""
    card = given.get("Card")
    if card is not None:
        found = index.by_id["Card"].get(card)
        if found is not None:
            return found, "Card"
    telling = [name for name in given if name not in index.fixed]
    if not telling:
        return None, ""
    if telling == ["PIN"]:
        return holders(index.by_id["PIN"], given["PIN"]), ""
    for name in sorted(telling, key=_card_first):
        if name != "PIN" and (others := holders(index.by_id.get(name, {}), given[name])):
            return others, name
    return (), ""


def _card_first(name: str) -> tuple[int, str]:
    return (CARD_NAMES.index(name) if name in CARD_NAMES else len(CARD_NAMES)), name


def _decide_at(case: _Case, who: Holders | None) -> Decision:
    if isinstance(who, Holder):
        point = case.point
        reason, required, duress, passback = _verdict(case, who)
        if reason != "Granted" and _guess(case):
            return _denied(case)
        decision = Decision(
            reason, point.token, point.entity, point.action, who.token, who.user, False, required, duress, passback
        )  # fmt: skip
        return _timed(decision, who.credential) if who.special else decision
    return _anonymous(case) if who is None else _decide_among(case, who)


def _decide_among(case: _Case, who: tuple[Holder, ...]) -> Decision:
    """Nobody has what was shown, or several have: of those nobody is named, and nobody's own times count."""
    decisions = [_decide_at(case, holder) for holder in who]
    winners = [decision for decision in decisions if decision.granted]
    if len(winners) > 1:
        point, duress = case.point, any(decision.duress for decision in winners)
        return Decision("Granted", point.token, point.entity, point.action, duress=duress, passback=winners[0].passback)
    if winners or (decisions and not _guess(case)):
        return max(decisions, key=lambda decision: FURTHEST[decision.reason])
    return _denied(case)


def _guess(case: _Case) -> bool:
    """A PIN alone where a card must come with it: the answer is the same for any PIN."""
    given, index = case.request.id_data, case.index
    return "PIN" in given and case.point.token in index.pairs and set(given) - index.fixed == {"PIN"} and not case.shut


def _denied(case: _Case) -> Decision:
    point = case.point
    if _guess(case):
        return Decision("MoreRequired", point.token, point.entity, point.action, required=("Card",))
    return Decision("InvalidCredential", point.token, point.entity, point.action)


_TIMES = {"AccessTime": "access_ms", "OpenTooLongTime": "open_too_long_ms", "PreAlarmTime": "pre_alarm_ms"}


def _timed(decision: Decision, credential: Credential) -> Decision:
    """With the times that the credential has of its own."""
    if not decision.granted:
        return decision
    changes: dict[str, Any] = {}
    for attribute in credential.attributes:
        if attribute.name == "ExtendedAccessTime":
            changes["extended"] = True
        elif attribute.name in _TIMES:
            with contextlib.suppress(InputError):  # refused where it is stored; the door's own time is the safe one
                changes[_TIMES[attribute.name]] = parse_duration(attribute.name, attribute.value)
    return msgspec.structs.replace(decision, **changes)


def _anonymous(case: _Case) -> Decision:
    """Nothing of a credential was shown: profiles that compare with a fixed value only."""
    index, point = case.index, case.point
    reason: Reason = "Unauthorized"
    for token in () if case.shut else point.authentication_profiles:
        profile = index.authentication_profiles.get(token)
        if profile is None or not _fixed_holds(profile, case.request.id_data):
            continue
        if any_active(index.calendars, profile.schedules, case.wall_ns):
            reason = "Granted"
            break
        reason = "NotPermittedAtThisTime"
    return Decision(reason, point.token, point.entity, point.action, anonymous=True)


def _fixed_holds(profile: AuthenticationProfile, given: Mapping[str, str]) -> bool:
    factors = profile.id_factors
    return bool(factors) and all(
        factor.operator == "OperatorValueEqual" and given.get(factor.id_data_name) == factor.operator_value
        for factor in factors
    )


def _verdict(case: _Case, holder: Holder) -> _Verdict:
    """How far this credential comes at the access point: reason, what is missing, duress, passed back."""
    wall_ns = case.wall_ns
    if not holder.enabled:
        return "CredentialNotEnabled", (), False, False
    if holder.dated and not (holder.from_ns <= wall_ns < holder.to_ns and clock_is_set(wall_ns)):
        expired = wall_ns >= holder.to_ns and clock_is_set(wall_ns)
        return "CredentialExpired" if expired else "CredentialNotActive", (), False, False
    if case.shut:
        return "Unauthorized", (), False, False
    key = holder.group, case.point.token
    way = case.index.ways.get(key)
    if way is None or not way[0] <= wall_ns < way[1]:
        way = _way(case, holder.credential)
        if len(case.index.ways) >= MEMORY:
            case.index.ways.clear()
        case.index.ways[key] = way
    best: _Verdict = way[2], (), False, False
    for profile in way[3]:
        found = _authenticated(profile, holder, case.request.id_data, case.via)
        if FURTHEST[found[0]] > FURTHEST[best[0]]:
            best = found
    if best[0] != "Granted" or not case.passages or not _passed_back(case, holder.credential):
        return best
    if _attribute(case.point.attributes, "AntiPassbackEnforcementMode") == "Soft":
        return best[0], (), best[2], True
    return "AntiPassbackViolation", (), False, True


def _way(case: _Case, credential: Credential) -> Way:
    """What the access profiles of a credential say about an access point, and for how long that counts."""
    look = _Look(case.index, case.wall_ns)
    reason: Reason = "Unauthorized"
    profiles: list[AuthenticationProfile] = []
    for entry in credential.access_profiles:
        profile = case.index.access_profiles.get(entry.access_profile)
        schedules = None if profile is None else case.index.policies[profile.token].get(case.point.token)
        if profile is None or schedules is None:
            continue
        found: Reason = "NotPermittedAtThisTime"
        if not (profile.enabled and look.valid(profile) and look.valid(entry)):
            found = "InvalidAccessProfile"
        elif look.active(profile.schedules) and look.active(schedules):
            counting = look.counting(credential, profile, case.point)
            profiles += counting
            found = "Unauthorized" if counting else found
        if FURTHEST[found] > FURTHEST[reason]:
            reason = found
    return Way(look.begin, look.end, reason, tuple(profiles))


class _Look:
    """Looks at times, and remembers how long what it has seen counts."""

    def __init__(self, index: Index, wall_ns: int) -> None:
        self._index = index
        self._wall_ns = wall_ns
        self.begin, self.end = (CLOCK_SET_NS, FAR) if clock_is_set(wall_ns) else (0, CLOCK_SET_NS)

    def valid(self, held: AccessProfile | CredentialAccessProfile) -> bool:
        """A clock that is not set validates nothing that is dated."""
        start, end = moment(held.valid_from, 0), moment(held.valid_to, FAR)
        for mark in (start, end):
            self._mark(mark)
        undated = not held.valid_from and not held.valid_to
        return undated or (start <= self._wall_ns < end and clock_is_set(self._wall_ns))

    def active(self, schedules: Iterable[str]) -> bool:
        for token in schedules:
            if (calendar := self._index.calendars.get(token)) is not None:
                for mark in calendar.span(self._wall_ns):
                    self._mark(mark)
        return any_active(self._index.calendars, schedules, self._wall_ns)

    def counting(
        self, credential: Credential, profile: AccessProfile, point: AccessPoint
    ) -> list[AuthenticationProfile]:
        """The authentication profiles that are active on the first level where any is."""
        known = self._index.authentication_profiles
        for level in (credential, profile, point):
            found = [known[token] for token in level.authentication_profiles if token in known]
            active = [held for held in found if self.active(held.schedules)]
            if active:
                return active
        return []

    def _mark(self, mark: int) -> None:
        """Something may change at this time."""
        if mark <= self._wall_ns:
            self.begin = max(self.begin, mark)
        else:
            self.end = min(self.end, mark)


def _authenticated(profile: AuthenticationProfile, holder: Holder, given: Mapping[str, str], via: str) -> _Verdict:
    """Whether what was shown is what the profile asks for."""
    missing: tuple[str, ...] = ()
    duress = wrong_pin = False
    for factor in profile.id_factors:
        name, operator = factor.id_data_name, factor.operator
        shown = given.get(name)
        if shown is None:
            missing += (name,)
        elif operator == "OperatorValueEqual":
            if shown != factor.operator_value:
                return "InvalidCredential", (), False, False
        elif name == "PIN":
            right, forced = _pin(holder, shown, name if operator == "IdDataEqual" else factor.operator_value)
            duress |= forced
            wrong_pin |= not right
        elif operator == "IdDataEqual" and name == via:
            continue
        elif shown != _stored(holder, name if operator == "IdDataEqual" else factor.operator_value):
            return "InvalidCredential", (), False, False
    if not profile.id_factors:
        return "InvalidCredential", (), False, False
    if wrong_pin:
        return "InvalidPIN", (), False, False
    return ("MoreRequired", missing, False, False) if missing else ("Granted", (), duress, False)


def _pin(holder: Holder, shown: str, field: str) -> tuple[bool, bool]:
    """Whether a PIN is right, and whether it is a cry for help."""
    forced = _same(shown, holder.duress)
    if field == "DuressPIN":
        return forced, forced
    right = _same(shown, holder.pin) if field == "PIN" else _same(shown, _stored(holder, field))
    return right or (forced and field == "PIN"), forced and not right


def _stored(holder: Holder, field: str) -> str | None:
    return next((entry.value for entry in holder.credential.id_data if entry.name == field), None)


def _same(shown: str, stored: str | None) -> bool:
    """Compare in a time that tells nothing of the digits."""
    return stored is not None and shown.isascii() and stored.isascii() and hmac.compare_digest(shown, stored)


def _passed_back(case: _Case, credential: Credential) -> bool:
    """It went into the area of this access point, and has not left it."""
    point = case.point
    if not point.area_to or _attribute(point.attributes, "AntiPassbackMode") is None:
        return False
    passage = case.passages.get(credential.token)
    if passage is None or passage.area != point.area_to or (passage.by_time and case.wall_ns >= passage.pass_ok_ns):
        return False
    return (_attribute(credential.attributes, "AntiPassbackOverride") or "").lower() != "true"


def entered(index: Index, decision: Decision, passage: Passage | None, wall_ns: int) -> Passage | None:
    """Where anti-passback sees the credential after it has gone through; None: nothing to remember.

    ``passage`` is what is remembered so far. A second entry that was only told does not start the time again.
    """
    point = index.access_points.get(decision.access_point)
    if point is None or not point.area_to or not decision.credential:
        return None
    if decision.passback and passage is not None:
        return passage
    by_time = _attribute(point.attributes, "AntiPassbackMode") == "TimedLogical"
    seconds = _attribute(point.attributes, "AntiPassbackTimeout") or "0"
    until = wall_ns + (int(seconds) if seconds.isdecimal() else 0) * NS if by_time else 0
    return Passage(decision.credential, point.area_to, until, by_time)


def _attribute(attributes: Iterable[Attribute], name: str) -> str | None:
    for attribute in attributes:
        if attribute.name == name:
            return attribute.value
    return None
