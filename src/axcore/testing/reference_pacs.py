"""A second statement of who may pass, to hold ``axcore.services.pacs`` against.

No index and no memory: every credential is looked at, every way from it to the access point is written down with the
reason at which it ends, and the best ending counts. Schedules are asked anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from axcore.model.pacs import (
    AccessPoint,
    AccessProfile,
    AuthenticationProfile,
    Credential,
    Passage,
    ScheduleText,
)
from axcore.rules.schedule import Schedule

ENDINGS = (
    "InvalidCredential", "CredentialNotEnabled", "CredentialNotActive", "CredentialExpired", "Unauthorized",
    "InvalidAccessProfile", "NotPermittedAtThisTime", "InvalidPIN", "AntiPassbackViolation", "MoreRequired", "Granted",
)  # fmt: skip
"""The worst first."""
SET = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """Everything that is configured."""

    credentials: Sequence[Credential]
    access_profiles: Sequence[AccessProfile]
    authentication_profiles: Sequence[AuthenticationProfile]
    schedules: Sequence[ScheduleText]
    zone: tzinfo = UTC

    def decide(
        self, point: AccessPoint, given: Mapping[str, str], action: str, now: datetime, inside: Mapping[str, Passage]
    ) -> tuple[str, str]:
        """The reason, and the credential (empty: none, or several)."""
        closed = not point.enabled or action not in ("", point.action)
        if not set(given) - self._fixed():
            return ("Unauthorized" if closed else self._nobody(point, given, now)), ""
        endings: list[tuple[str, str]] = []
        for credential in self._candidates(given):
            ending = max(self._ways(point, credential, given, closed, now), key=ENDINGS.index)
            if ending == "Granted" and self._inside(point, credential, now, inside):
                soft = dict(_pairs(point.attributes)).get("AntiPassbackEnforcementMode") == "Soft"
                ending = "Granted" if soft else "AntiPassbackViolation"
            endings.append((ending, credential.token))
        granted = [token for ending, token in endings if ending == "Granted"]
        if granted:
            return "Granted", granted[0] if len(granted) == 1 else ""
        if set(given) - self._fixed() == {"PIN"} and not closed and self._wants_card_and_pin(point):
            return "MoreRequired", ""
        if not endings:
            return "InvalidCredential", ""
        best = max(endings, key=lambda ending: ENDINGS.index(ending[0]))
        return best

    def _candidates(self, given: Mapping[str, str]) -> list[Credential]:
        """By the first name that finds anyone; PINs find someone only where nothing else was shown."""
        tell = set(given) - self._fixed() - {"PIN"}
        if not tell:
            return [held for held in self.credentials if given["PIN"] in _pins(held)]
        for name in sorted(tell, key=lambda name: ({"Card": 0, "CardNr": 1}.get(name, 2), name)):
            found = [held for held in self.credentials if (name, given[name]) in _data(held)]
            if found:
                return found
        return []

    def _fixed(self) -> set[str]:
        """Names that tell nobody: they are compared with a value of an authentication profile."""
        factors = [factor for profile in self.authentication_profiles for factor in profile.id_factors]
        fixed = {factor.id_data_name for factor in factors if factor.operator == "OperatorValueEqual"}
        return (fixed | {"REX"}) - {"Card", "CardNr", "PIN"}

    def _ways(
        self, point: AccessPoint, credential: Credential, given: Mapping[str, str], closed: bool, now: datetime
    ) -> Iterator[str]:
        """How each way through ends."""
        if not credential.enabled:
            yield "CredentialNotEnabled"
            return
        if (late := _late(credential, now)) is not None:
            yield late
            return
        yield "Unauthorized"
        if closed:
            return
        for entry in credential.access_profiles:
            for profile in (held for held in self.access_profiles if held.token == entry.access_profile):
                policies = [policy for policy in profile.policies if policy.access_point == point.token]
                if not policies:
                    continue
                if not profile.enabled or _late(profile, now) or _late(entry, now):
                    yield "InvalidAccessProfile"
                elif not (self._on(profile.schedules, now) and self._on(policies[0].schedules, now)):
                    yield "NotPermittedAtThisTime"
                else:
                    yield from self._shown(point, profile, credential, given, now)

    def _shown(
        self,
        point: AccessPoint,
        profile: AccessProfile,
        credential: Credential,
        given: Mapping[str, str],
        now: datetime,
    ) -> Iterator[str]:
        for level in (credential, profile, point):
            active = [p for p in self._profiles(level.authentication_profiles) if self._on(p.schedules, now)]
            if active:
                for held in active:
                    yield _enough(held, credential, given)
                return
        yield "NotPermittedAtThisTime"

    def _nobody(self, point: AccessPoint, given: Mapping[str, str], now: datetime) -> str:
        fitting = [
            profile
            for profile in self._profiles(point.authentication_profiles)
            if all(f.operator == "OperatorValueEqual" for f in profile.id_factors)
            and all(given.get(f.id_data_name) == f.operator_value for f in profile.id_factors)
        ]
        if any(self._on(profile.schedules, now) for profile in fitting):
            return "Granted"
        return "NotPermittedAtThisTime" if fitting else "Unauthorized"

    def _profiles(self, tokens: Iterable[str]) -> list[AuthenticationProfile]:
        known = {profile.token: profile for profile in self.authentication_profiles}
        return [known[token] for token in tokens if token in known]

    def _wants_card_and_pin(self, point: AccessPoint) -> bool:
        levels = [point.authentication_profiles]
        for profile in self.access_profiles:
            if point.token in [policy.access_point for policy in profile.policies]:
                levels.append(profile.authentication_profiles)
        factors = [[f.id_data_name for f in held.id_factors] for level in levels for held in self._profiles(level)]
        return any("PIN" in names and len(names) >= 2 for names in factors)

    def _on(self, tokens: Iterable[str], now: datetime) -> bool:
        t, wanted = int(now.timestamp()), list(tokens)
        texts = [text for text in self.schedules if text.token in wanted]
        if any(text.exception and Schedule(text.exception, self.zone).active(t) for text in texts):
            return False
        return any(Schedule(text.definition, self.zone).active(t) for text in texts)

    def _inside(self, point: AccessPoint, held: Credential, now: datetime, inside: Mapping[str, Passage]) -> bool:
        attributes, own = dict(_pairs(point.attributes)), dict(_pairs(held.attributes))
        passage = inside.get(held.token)
        if "AntiPassbackMode" not in attributes or not point.area_to or passage is None:
            return False
        if own.get("AntiPassbackOverride", "").lower() == "true" or passage.area != point.area_to:
            return False
        return not passage.by_time or int(now.timestamp() * 10**9) < passage.pass_ok_ns


def _pairs(attributes: Iterable[Any]) -> list[tuple[str, str]]:
    return [(attribute.name, attribute.value) for attribute in attributes]


def _data(held: Credential) -> list[tuple[str, str]]:
    return [(entry.name, entry.value) for entry in held.id_data]


def _pins(held: Credential) -> list[str]:
    return [value for name, value in _data(held) if name in ("PIN", "DuressPIN")]


def _late(held: Any, now: datetime) -> str | None:
    if (held.valid_from or held.valid_to) and now < SET:
        return "CredentialNotActive"
    if held.valid_from and now < datetime.fromisoformat(held.valid_from):
        return "CredentialNotActive"
    if held.valid_to and now >= datetime.fromisoformat(held.valid_to):
        return "CredentialExpired"
    return None


def _enough(profile: AuthenticationProfile, credential: Credential, given: Mapping[str, str]) -> str:
    """How one authentication profile ends."""
    data, endings = dict(_data(credential)), {"Granted"}
    for factor in profile.id_factors:
        shown = given.get(factor.id_data_name)
        field = factor.operator_value if factor.operator == "IdDataEqualToField" else factor.id_data_name
        allowed = {data.get(field)}
        if factor.operator == "OperatorValueEqual":
            allowed = {factor.operator_value}
        elif field == factor.id_data_name == "PIN":
            allowed.add(data.get("DuressPIN"))
        if shown is None:
            endings.add("MoreRequired")
        elif shown not in allowed:
            secret = factor.id_data_name == "PIN" and factor.operator != "OperatorValueEqual"
            endings.add("InvalidPIN" if secret else "InvalidCredential")
    return next(
        ending for ending in ("InvalidCredential", "InvalidPIN", "MoreRequired", "Granted") if ending in endings
    )
