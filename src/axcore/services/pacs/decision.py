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

import hmac
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from axcore.errors import InputError, NotFoundError
from axcore.model.credentials import HIDDEN
from axcore.model.durations import parse_duration
from axcore.model.pacs import (
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
from axcore.runtime.clock import clock_is_set, parse_rfc3339
from axcore.services.pacs.calendar import any_active
from axcore.services.pacs.index import Index, tokens

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


class Decision(msgspec.Struct, frozen=True, kw_only=True):
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


class _Verdict(NamedTuple):
    """How far one credential came."""

    reason: Reason
    required: tuple[str, ...] = ()
    duress: bool = False
    passback: bool = False


class _Case(NamedTuple):
    """What is decided on."""

    index: Index
    point: AccessPoint
    request: Request
    wall_ns: int
    passages: Mapping[str, Passage]

    @property
    def given(self) -> Mapping[str, str]:
        return self.request.id_data

    @property
    def shut(self) -> bool:
        """The access point counts for nobody, or not for what is asked."""
        action = self.request.action
        return not self.point.enabled or (bool(action) and action != self.point.action)

    def active(self, schedules: Iterable[str]) -> bool:
        return any_active(self.index.calendars, schedules, self.wall_ns)


def decide(index: Index, request: Request, wall_ns: int, passages: Mapping[str, Passage] | None = None) -> Decision:
    """The decision: granted if any access point of the reader grants. NotFoundError names an unknown token."""
    decisions = decide_all(index, request, wall_ns, passages)
    return max(decisions, key=lambda decision: FURTHEST[decision.reason])


def decide_all(
    index: Index, request: Request, wall_ns: int, passages: Mapping[str, Passage] | None = None
) -> list[Decision]:
    """The decision at each access point of the reader (a reader in an elevator has many)."""
    found = index.by_id_point.get(request.id_point)
    if found is None:
        raise NotFoundError("SourceToken", f"no access point has the reader {request.id_point!r}")
    points = [index.access_points[token] for token in found]
    if request.target:
        points = [point for point in points if request.target in (point.entity, point.token)]
        if not points:
            raise NotFoundError("TargetToken", f"the reader leads to no door {request.target!r}")
    who = _candidates(index, request.id_data)
    return [_decide_at(_Case(index, point, request, wall_ns, passages or {}), who) for point in points]


def _candidates(index: Index, given: Mapping[str, str]) -> tuple[str, ...] | None:
    """Credentials that what was shown may be of; None: nothing of a credential was shown."""
    identified = False
    for name, values in index.by_id.items():
        if name != "PIN" and name in given:
            identified = True
            if found := tokens(values, given[name]):
                return found
    if identified or "PIN" not in given:
        return () if identified else None
    return tokens(index.by_id["PIN"], given["PIN"])


def _decide_at(case: _Case, who: tuple[str, ...] | None) -> Decision:
    index, point, given = case.index, case.point, case.given
    if who is None:
        reason: Reason = "Unauthorized" if case.shut else _anonymous(case)
        return Decision(reason=reason, access_point=point.token, door=point.entity, action=point.action, anonymous=True)
    best, winners = _Verdict("InvalidCredential"), []
    credential: Credential | None = None
    for token in who:
        candidate = index.credentials[token]
        verdict = _verdict(case, candidate)
        if verdict.reason == "Granted":
            winners.append((candidate, verdict))
        elif credential is None or FURTHEST[verdict.reason] > FURTHEST[best.reason]:
            credential, best = candidate, verdict
    if winners:
        return _granted(point, winners)
    if "PIN" in given and len(given) == 1 and point.token in index.pairs and not case.shut:
        credential, best = None, _Verdict("MoreRequired", ("Card",))
    return Decision(
        reason=best.reason,
        access_point=point.token,
        door=point.entity,
        action=point.action,
        credential=credential.token if credential is not None else "",
        user=credential.user_token if credential is not None else "",
        required=best.required,
        passback=best.passback,
    )


def _granted(point: AccessPoint, winners: list[tuple[Credential, _Verdict]]) -> Decision:
    credential, verdict = winners[0]
    alone = len(winners) == 1
    times: dict[str, int | None] = dict.fromkeys(_TIMES.values())
    for attribute in credential.attributes if alone else ():
        field = _TIMES.get(attribute.name)
        if field is not None:
            try:
                times[field] = parse_duration(attribute.name, attribute.value)
            except InputError:
                continue  # refused where it is stored; the door's own time is the safe one
    return Decision(
        reason="Granted",
        access_point=point.token,
        door=point.entity,
        action=point.action,
        credential=credential.token if alone else "",
        user=credential.user_token if alone else "",
        duress=any(found.duress for _, found in winners),
        passback=verdict.passback,
        extended=alone and _attribute(credential.attributes, "ExtendedAccessTime") is not None,
        access_ms=times["access_ms"],
        open_too_long_ms=times["open_too_long_ms"],
        pre_alarm_ms=times["pre_alarm_ms"],
    )


_TIMES = {"AccessTime": "access_ms", "OpenTooLongTime": "open_too_long_ms", "PreAlarmTime": "pre_alarm_ms"}


def _anonymous(case: _Case) -> Reason:
    """Nothing of a credential was shown: profiles that compare with a fixed value only."""
    reason: Reason = "Unauthorized"
    for token in case.point.authentication_profiles:
        profile = case.index.authentication_profiles.get(token)
        if profile is None or not all(
            factor.operator == "OperatorValueEqual" and case.given.get(factor.id_data_name) == factor.operator_value
            for factor in profile.id_factors
        ):
            continue
        if case.active(profile.schedules):
            return "Granted"
        reason = "NotPermittedAtThisTime"
    return reason


def _verdict(case: _Case, credential: Credential) -> _Verdict:
    """How far this credential comes at the access point."""
    if not credential.enabled:
        return _Verdict("CredentialNotEnabled")
    if (late := _validity(credential, case.wall_ns)) is not None:
        return _Verdict(late)
    best = _Verdict("Unauthorized")
    for entry in () if case.shut else credential.access_profiles:
        found = _by_profile(case, credential, entry)
        if FURTHEST[found.reason] > FURTHEST[best.reason]:
            best = found
    if best.reason != "Granted" or not _passed_back(case, credential):
        return best
    if _attribute(case.point.attributes, "AntiPassbackEnforcementMode") == "Soft":
        return best._replace(passback=True)
    return _Verdict("AntiPassbackViolation", passback=True)


def _by_profile(case: _Case, credential: Credential, entry: CredentialAccessProfile) -> _Verdict:
    """How far it comes by one of its access profiles."""
    index, point = case.index, case.point
    profile = index.access_profiles.get(entry.access_profile)
    if profile is None:
        return _Verdict("Unauthorized")
    schedules = index.policies[profile.token].get(point.token)
    if schedules is None:
        return _Verdict("Unauthorized")
    if not profile.enabled or _validity(profile, case.wall_ns) or _validity(entry, case.wall_ns):
        return _Verdict("InvalidAccessProfile")
    if not (case.active(profile.schedules) and case.active(schedules)):
        return _Verdict("NotPermittedAtThisTime")
    for level in (credential.authentication_profiles, profile.authentication_profiles, point.authentication_profiles):
        known = (index.authentication_profiles.get(token) for token in level)
        counting = [found for found in known if found is not None and case.active(found.schedules)]
        if counting:
            verdicts = (_authenticated(found, credential, case.given) for found in counting)
            return max(verdicts, key=lambda verdict: FURTHEST[verdict.reason])
    return _Verdict("NotPermittedAtThisTime")


def _authenticated(profile: AuthenticationProfile, credential: Credential, given: Mapping[str, str]) -> _Verdict:
    """Whether what was shown is what the profile asks for."""
    data = {entry.name: entry.value for entry in credential.id_data}
    missing: list[str] = []
    duress = wrong_pin = False
    for factor in profile.id_factors:
        name, shown = factor.id_data_name, given.get(factor.id_data_name)
        if shown is None:
            missing.append(name)
        elif factor.operator == "OperatorValueEqual":
            if shown != factor.operator_value:
                return _Verdict("InvalidCredential")
        elif name == "PIN":
            field = factor.operator_value if factor.operator == "IdDataEqualToField" else name
            right, forced = _same(shown, data.get(field)), _same(shown, data.get("DuressPIN"))
            duress |= forced and (field == "DuressPIN" or not right)
            wrong_pin |= not (right or (forced and field == "PIN"))
        elif shown != data.get(factor.operator_value if factor.operator == "IdDataEqualToField" else name):
            return _Verdict("InvalidCredential")
    if wrong_pin:
        return _Verdict("InvalidPIN")
    return _Verdict("MoreRequired", tuple(missing)) if missing else _Verdict("Granted", duress=duress)


def _same(shown: str, stored: str | None) -> bool:
    """Compare in a time that tells nothing of the digits."""
    return stored is not None and hmac.compare_digest(shown.encode(), stored.encode())


def _validity(held: Credential | AccessProfile | CredentialAccessProfile, wall_ns: int) -> Reason | None:
    """Why it does not count now; a clock that is not set validates nothing that is dated."""
    if not held.valid_from and not held.valid_to:
        return None
    if not clock_is_set(wall_ns):
        return "CredentialNotActive"
    try:
        if held.valid_from and wall_ns < parse_rfc3339(held.valid_from):
            return "CredentialNotActive"
        if held.valid_to and wall_ns >= parse_rfc3339(held.valid_to):
            return "CredentialExpired"
    except ValueError:
        return "CredentialNotActive"
    return None


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
