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
    ScheduleText,
    User,
)
from axcore.services.pacs.calendar import Calendar, calendars

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

Tokens = str | tuple[str, ...]
"""The credentials with one value: a string while there is one of them, as there nearly always is."""


class Index(NamedTuple):
    """What there is, by token, and the credentials by what identifies them."""

    users: dict[str, User]
    credentials: dict[str, Credential]
    by_id: dict[str, dict[str, Tokens]]
    """Name of the IdData -> value -> credentials. ``PIN`` holds duress PINs too."""
    access_profiles: dict[str, AccessProfile]
    policies: dict[str, dict[str, tuple[str, ...]]]
    """Access profile -> access point -> schedules."""
    authentication_profiles: dict[str, AuthenticationProfile]
    access_points: dict[str, AccessPoint]
    by_id_point: dict[str, tuple[str, ...]]
    """Id point -> access points."""
    id_points: dict[str, IdPoint]
    areas: dict[str, Area]
    calendars: dict[str, Calendar]
    pairs: frozenset[str]
    """Access points at which some authentication profile asks for a PIN and something else."""


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
    profiles = {profile.token: profile for profile in access_profiles}
    points = {point.token: point for point in access_points}
    authentication = {profile.token: profile for profile in authentication_profiles}
    by_id_point: dict[str, tuple[str, ...]] = {}
    for point in points.values():
        for device in point.id_points:
            by_id_point[device.id_point] = (*by_id_point.get(device.id_point, ()), point.token)
    return Index(
        users={user.token: user for user in users},
        credentials=held,
        by_id=_by_id(held.values()),
        access_profiles=profiles,
        policies={token: _policies(profile) for token, profile in profiles.items()},
        authentication_profiles=authentication,
        access_points=points,
        by_id_point=by_id_point,
        id_points={point.token: point for point in id_points},
        areas={area.token: area for area in areas},
        calendars=calendars(schedules, zone),
        pairs=_pairs(points, profiles, authentication),
    )


def with_credential(index: Index, credential: Credential) -> Index:
    """With this one, in the place of the one with its token."""
    index = without_credential(index, credential.token)
    by_id = dict(index.by_id)
    for name, value in _values(credential):
        values = dict(by_id.get(name, {}))
        _add(values, value, credential.token)
        by_id[name] = values
    return index._replace(credentials={**index.credentials, credential.token: credential}, by_id=by_id)


def without_credential(index: Index, token: str) -> Index:
    """Without the one with this token, if there is one."""
    credential = index.credentials.get(token)
    if credential is None:
        return index
    by_id = dict(index.by_id)
    for name, value in _values(credential):
        values = dict(by_id[name])
        left = tuple(other for other in tokens(values, value) if other != token)
        if left:
            values[value] = left[0] if len(left) == 1 else left
        else:
            values.pop(value, None)
        by_id[name] = values
    return index._replace(
        credentials={key: held for key, held in index.credentials.items() if key != token}, by_id=by_id
    )


def tokens(values: Mapping[str, Tokens], value: str) -> tuple[str, ...]:
    """The credentials with this value."""
    found = values.get(value, ())
    return (found,) if isinstance(found, str) else found


def _by_id(credentials: Iterable[Credential]) -> dict[str, dict[str, Tokens]]:
    by_id: dict[str, dict[str, Tokens]] = {name: {} for name in (*CARD_NAMES, "PIN")}
    for credential in credentials:
        token = credential.token
        for data in credential.id_data:
            name = "PIN" if data.name in SECRET else data.name
            values = by_id.get(name)
            if values is None:
                values = by_id[name] = {}
            if values.setdefault(data.value, token) != token:
                _add(values, data.value, token)
    return by_id


def _values(credential: Credential) -> set[tuple[str, str]]:
    return {("PIN" if data.name in SECRET else data.name, data.value) for data in credential.id_data}


def _add(values: dict[str, Tokens], value: str, token: str) -> None:
    others = tokens(values, value)
    if token not in others:
        values[value] = (*others, token) if others else token


def _policies(profile: AccessProfile) -> dict[str, tuple[str, ...]]:
    """The first policy for an access point counts."""
    found: dict[str, tuple[str, ...]] = {}
    for policy in profile.policies:
        found.setdefault(policy.access_point, policy.schedules)
    return found


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
