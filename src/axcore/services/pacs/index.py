"""Everything that a decision looks up, ready for it. Immutable as a whole: a change makes a new index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

import msgspec

from axcore.model.pacs import (
    CARD_NAMES,
    SECRET,
    AccessPoint,
    AccessProfile,
    Area,
    AuthenticationProfile,
    Credential,
    IdPoint,
    Passage,
    Reason,
    ScheduleText,
    User,
)
from axcore.runtime.clock import parse_rfc3339
from axcore.services.pacs.calendar import FAR, Calendar, calendars

KINDS: dict[str, type[Any]] = {
    "pacs.user": User,
    "pacs.credential": Credential,
    "pacs.access_profile": AccessProfile,
    "pacs.authentication_profile": AuthenticationProfile,
    "pacs.access_point": AccessPoint,
    "pacs.id_point": IdPoint,
    "pacs.area": Area,
    "pacs.schedule": ScheduleText,
    "pacs.passage": Passage,
}
"""Kinds of the store's records; the key is the token (of a passage the credential's)."""

FIELDS = {
    "pacs.user": "users", "pacs.credential": "credentials", "pacs.access_profile": "access_profiles",
    "pacs.authentication_profile": "authentication_profiles", "pacs.access_point": "access_points",
    "pacs.id_point": "id_points", "pacs.area": "areas", "pacs.schedule": "schedules",
}  # fmt: skip
"""The argument of ``build`` for each kind."""


class Holder(msgspec.Struct, frozen=True, gc=False):
    """A credential as decisions use it: what they look at stands side by side."""

    credential: Credential
    group: int
    """The same for all that have the same access profiles and authentication profiles."""
    from_ns: int
    to_ns: int
    dated: bool
    enabled: bool
    special: bool
    """It has attributes."""
    token: str
    user: str
    pin: str | None
    duress: str | None

    def __repr__(self) -> str:
        return f"Holder({self.token!r})"


Holders = Holder | tuple[Holder, ...]
"""The credentials with one value: itself while there is one of them, as there nearly always is."""


class Way(NamedTuple):
    """Whether a group of credentials may come through an access point, for as long as nothing changes."""

    begin_ns: int
    end_ns: int
    reason: Reason
    """What is left when nothing that is shown helps."""
    profiles: tuple[AuthenticationProfile, ...]
    """What may be shown."""


class Index(NamedTuple):
    """What there is, by token, and the credentials by what identifies them."""

    users: dict[str, User]
    credentials: dict[str, Credential]
    by_id: dict[str, dict[str, Holders]]
    """Name of the IdData -> value -> credentials. ``PIN`` holds duress PINs too."""
    groups: dict[Any, int]
    access_profiles: dict[str, AccessProfile]
    policies: dict[str, dict[str, tuple[str, ...]]]
    """Access profile -> access point -> schedules."""
    authentication_profiles: dict[str, AuthenticationProfile]
    access_points: dict[str, AccessPoint]
    by_id_point: dict[str, tuple[AccessPoint, ...]]
    """Id point -> access points."""
    id_points: dict[str, IdPoint]
    areas: dict[str, Area]
    calendars: dict[str, Calendar]
    fixed: frozenset[str]
    """Names of IdData that tell nobody: they are compared with a value of an authentication profile."""
    pairs: frozenset[str]
    """Access points at which some authentication profile asks for a PIN and something else."""
    ways: dict[tuple[int, str], Way]
    """What was found out lately, by group and access point: a memory of what the rest says, never more."""


def load(records: Mapping[str, Mapping[str, bytes]], zone: tzinfo = UTC) -> tuple[Index, dict[str, Passage]]:
    """The index and the anti-passback data of the store's records (``tx`` puts them as JSON)."""
    found: dict[str, list[Any]] = {}
    for kind, struct in KINDS.items():
        decode = msgspec.json.Decoder(struct).decode
        found[kind] = [decode(record) for record in records.get(kind, {}).values()]
    passages = {passage.credential: passage for passage in found.pop("pacs.passage")}
    return build(**{FIELDS[kind]: entries for kind, entries in found.items()}, zone=zone), passages


def build(
    *,
    users: Iterable[User] = (),
    credentials: Iterable[Credential] = (),
    access_profiles: Iterable[AccessProfile] = (),
    authentication_profiles: Iterable[AuthenticationProfile] = (),
    access_points: Iterable[AccessPoint] = (),
    id_points: Iterable[IdPoint] = (),
    areas: Iterable[Area] = (),
    schedules: Iterable[ScheduleText] = (),
    zone: tzinfo = UTC,
) -> Index:
    """Build the look-ups. InputError names the property of a schedule that is wrong."""
    held = {credential.token: credential for credential in credentials}
    groups: dict[Any, int] = {}
    profiles = {profile.token: profile for profile in access_profiles}
    points = {point.token: point for point in access_points}
    authentication = {profile.token: profile for profile in authentication_profiles}
    return Index(
        users={user.token: user for user in users},
        credentials=held,
        by_id=_by_id(held.values(), groups),
        groups=groups,
        access_profiles=profiles,
        policies={token: _policies(profile) for token, profile in profiles.items()},
        authentication_profiles=authentication,
        access_points=points,
        by_id_point=_by_id_point(points.values()),
        id_points={point.token: point for point in id_points},
        areas={area.token: area for area in areas},
        calendars=calendars(schedules, zone),
        fixed=_fixed(authentication.values()),
        pairs=_pairs(points, profiles, authentication),
        ways={},
    )


def with_credential(index: Index, credential: Credential) -> Index:
    """With this one, in the place of the one with its token."""
    return with_credentials(index, (credential,))


def without_credential(index: Index, token: str) -> Index:
    """Without the one with this token, if there is one."""
    return with_credentials(index, (), (token,)) if token in index.credentials else index


def with_credentials(index: Index, changed: Iterable[Credential], gone: Iterable[str] = ()) -> Index:
    """With these in the place of those with their tokens, and without those that are gone: one copy for all."""
    changed, credentials, groups = tuple(changed), dict(index.credentials), dict(index.groups)
    copies: dict[str, dict[str, Holders]] = {}

    def values_of(name: str) -> dict[str, Holders]:
        if name not in copies:
            copies[name] = dict(index.by_id.get(name, {}))
        return copies[name]

    for token in {*gone, *(credential.token for credential in changed)}:
        credential = credentials.pop(token, None)
        for name, value in () if credential is None else _values(credential):
            _drop(values_of(name), value, token)
    moments: dict[tuple[str, str], tuple[int, int]] = {}
    for entry in changed:
        credentials[entry.token] = entry
        holder = _holder(entry, groups, moments)
        for name, value in _values(entry):
            _add(values_of(name), value, holder)
    # The memory is not shared: another change of the same index may give the same number to other groups.
    return index._replace(credentials=credentials, by_id={**index.by_id, **copies}, groups=groups, ways={})


def with_records(index: Index, field: str, records: dict[str, Any]) -> Index:
    """With other records in a field (of ``FIELDS``; not the credentials, not the schedules)."""
    changes: dict[str, Any] = {field: records, "ways": {}}
    index = index._replace(**changes)
    if field not in ("access_points", "access_profiles", "authentication_profiles"):
        return index
    return index._replace(
        policies={token: _policies(profile) for token, profile in index.access_profiles.items()},
        by_id_point=_by_id_point(index.access_points.values()),
        fixed=_fixed(index.authentication_profiles.values()),
        pairs=_pairs(index.access_points, index.access_profiles, index.authentication_profiles),
    )


def with_schedules(index: Index, schedules: Iterable[ScheduleText], zone: tzinfo = UTC) -> Index:
    """With other schedules. InputError names the property that is wrong."""
    return index._replace(calendars=calendars(schedules, zone), ways={})


def holders(values: Mapping[str, Holders], value: str) -> tuple[Holder, ...]:
    """The credentials with this value."""
    found = values.get(value, ())
    return (found,) if isinstance(found, Holder) else found


def moment(text: str, otherwise: int) -> int:
    """Wall time, ns, of a point in time; ``otherwise`` for an empty one. What cannot be read has not come yet."""
    if not text:
        return otherwise
    try:
        return parse_rfc3339(text)
    except ValueError:
        return FAR if otherwise == 0 else 0


def _holder(credential: Credential, groups: dict[Any, int], moments: dict[tuple[str, str], tuple[int, int]]) -> Holder:
    group = groups.setdefault((credential.access_profiles, credential.authentication_profiles), len(groups))
    period = credential.valid_from, credential.valid_to
    read = moments.get(period)
    if read is None:
        read = moments[period] = moment(period[0], 0), moment(period[1], FAR)
    pins: list[str | None] = [None, None]
    for data in credential.id_data:
        if data.name in SECRET:
            pins[data.name == "DuressPIN"] = data.value
    return Holder(
        credential, group, read[0], read[1], period != ("", ""), credential.enabled, bool(credential.attributes),
        credential.token, credential.user_token, *pins,
    )  # fmt: skip


def _by_id(credentials: Iterable[Credential], groups: dict[Any, int]) -> dict[str, dict[str, Holders]]:
    by_id: dict[str, dict[str, Holders]] = {name: {} for name in (*CARD_NAMES, "PIN")}
    moments: dict[tuple[str, str], tuple[int, int]] = {}
    for credential in credentials:
        holder = _holder(credential, groups, moments)
        for data in credential.id_data:
            name = "PIN" if data.name in SECRET else data.name
            values = by_id.get(name)
            if values is None:
                values = by_id[name] = {}
            if values.setdefault(data.value, holder) is not holder:
                _add(values, data.value, holder)
    return by_id


def _values(credential: Credential) -> set[tuple[str, str]]:
    return {("PIN" if data.name in SECRET else data.name, data.value) for data in credential.id_data}


def _add(values: dict[str, Holders], value: str, holder: Holder) -> None:
    others = holders(values, value)
    if not any(other is holder for other in others):
        values[value] = (*others, holder) if others else holder


def _drop(values: dict[str, Holders], value: str, token: str) -> None:
    left = tuple(other for other in holders(values, value) if other.token != token)
    if left:
        values[value] = left[0] if len(left) == 1 else left
    else:
        del values[value]


def _by_id_point(points: Iterable[AccessPoint]) -> dict[str, tuple[AccessPoint, ...]]:
    found: dict[str, tuple[AccessPoint, ...]] = {}
    for point in points:
        for device in point.id_points:
            found[device.id_point] = (*found.get(device.id_point, ()), point)
    return found


def _policies(profile: AccessProfile) -> dict[str, tuple[str, ...]]:
    """The first policy for an access point counts."""
    found: dict[str, tuple[str, ...]] = {}
    for policy in profile.policies:
        found.setdefault(policy.access_point, policy.schedules)
    return found


def _fixed(profiles: Iterable[AuthenticationProfile]) -> frozenset[str]:
    factors = (factor for profile in profiles for factor in profile.id_factors)
    found = {factor.id_data_name for factor in factors if factor.operator == "OperatorValueEqual"}
    return frozenset((found | {"REX"}) - {*CARD_NAMES, "PIN"})


def _pairs(
    points: Mapping[str, AccessPoint],
    profiles: Mapping[str, AccessProfile],
    authentication: Mapping[str, AuthenticationProfile],
) -> frozenset[str]:
    def asks(tokens: Iterable[str]) -> bool:
        return any(
            len(factors) > 1 and any(factor.id_data_name == "PIN" for factor in factors)
            for factors in (authentication[token].id_factors for token in tokens if token in authentication)
        )

    found = {token for token, point in points.items() if asks(point.authentication_profiles)}
    for profile in profiles.values():
        if asks(profile.authentication_profiles):
            found.update(policy.access_point for policy in profile.policies)
    return frozenset(found)
