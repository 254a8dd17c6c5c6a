"""Access decisions written over SQLite queries, as one would with the configuration in a database file: every table has
its indexes, statements are prepared, the file is in write-ahead mode and in the page cache. Schedules are asked as by
ours, with the same memory."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from axcore.model.pacs import AccessPoint, AccessProfile, AuthenticationProfile, Credential
from axcore.runtime.clock import parse_rfc3339
from axcore.services.pacs.calendar import Calendar, any_active

SCHEMA = """
CREATE TABLE credential (token TEXT PRIMARY KEY, user TEXT, enabled INT, valid_from TEXT, valid_to TEXT);
CREATE TABLE id_data (credential TEXT, name TEXT, value TEXT);
CREATE INDEX id_data_value ON id_data (name, value);
CREATE INDEX id_data_credential ON id_data (credential);
CREATE TABLE credential_attribute (credential TEXT, name TEXT, value TEXT);
CREATE INDEX credential_attribute_credential ON credential_attribute (credential);
CREATE TABLE credential_profile (credential TEXT, profile TEXT, valid_from TEXT, valid_to TEXT);
CREATE INDEX credential_profile_credential ON credential_profile (credential);
CREATE TABLE profile (token TEXT PRIMARY KEY, enabled INT, valid_from TEXT, valid_to TEXT);
CREATE TABLE policy (id INTEGER PRIMARY KEY, profile TEXT, point TEXT);
CREATE INDEX policy_profile ON policy (profile, point);
CREATE TABLE schedule (owner TEXT, schedule TEXT);
CREATE INDEX schedule_owner ON schedule (owner);
CREATE TABLE point (token TEXT PRIMARY KEY, entity TEXT, action TEXT, enabled INT, area_to TEXT);
CREATE TABLE point_reader (reader TEXT, point TEXT);
CREATE INDEX point_reader_reader ON point_reader (reader);
CREATE TABLE point_attribute (point TEXT, name TEXT, value TEXT);
CREATE INDEX point_attribute_point ON point_attribute (point);
CREATE TABLE authentication (owner TEXT, profile TEXT);
CREATE INDEX authentication_owner ON authentication (owner);
CREATE TABLE factor (profile TEXT, name TEXT, operator TEXT, value TEXT);
CREATE INDEX factor_profile ON factor (profile);
CREATE TABLE passage (credential TEXT PRIMARY KEY, area TEXT, pass_ok INT, by_time INT);
"""


class SqliteDecisions:
    """``decide`` gives the reason and the credential. What is never asked for in the bench is left out (duress)."""

    def __init__(
        self,
        path: str,
        site: tuple[
            Iterable[Credential], Iterable[AccessProfile], Iterable[AuthenticationProfile], Iterable[AccessPoint]
        ],
        calendars: Mapping[str, Calendar],
    ) -> None:
        credentials, profiles, authentication, points = site
        self.calendars = calendars
        self.db = sqlite3.connect(path, cached_statements=256, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA cache_size=-262144")
        self.db.executescript(SCHEMA)
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for c in credentials:
            rows.setdefault("credential", []).append((c.token, c.user_token, c.enabled, c.valid_from, c.valid_to))
            rows.setdefault("id_data", []).extend((c.token, entry.name, entry.value) for entry in c.id_data)
            rows.setdefault("credential_attribute", []).extend((c.token, a.name, a.value) for a in c.attributes)
            rows.setdefault("credential_profile", []).extend(
                (c.token, entry.access_profile, entry.valid_from, entry.valid_to) for entry in c.access_profiles
            )
            rows.setdefault("authentication", []).extend((c.token, token) for token in c.authentication_profiles)
        number = 0
        for p in profiles:
            rows.setdefault("profile", []).append((p.token, p.enabled, p.valid_from, p.valid_to))
            rows.setdefault("schedule", []).extend((p.token, token) for token in p.schedules)
            rows.setdefault("authentication", []).extend((p.token, token) for token in p.authentication_profiles)
            for policy in p.policies:
                number += 1
                rows.setdefault("policy", []).append((number, p.token, policy.access_point))
                rows["schedule"].extend((f"policy{number}", token) for token in policy.schedules)
        for a in authentication:
            rows["schedule"].extend((a.token, token) for token in a.schedules)
            rows.setdefault("factor", []).extend(
                (a.token, f.id_data_name, f.operator, f.operator_value) for f in a.id_factors
            )
        for point in points:
            rows.setdefault("point", []).append((point.token, point.entity, point.action, point.enabled, point.area_to))
            rows.setdefault("point_reader", []).extend((device.id_point, point.token) for device in point.id_points)
            rows.setdefault("point_attribute", []).extend((point.token, x.name, x.value) for x in point.attributes)
            rows["authentication"].extend((point.token, token) for token in point.authentication_profiles)
        self.db.execute("BEGIN")
        for table, values in rows.items():
            if values:
                marks = ",".join("?" * len(values[0]))
                self.db.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        self.db.execute("COMMIT")
        self.db.executescript("ANALYZE;")

    def decide(self, reader: str, given: Mapping[str, str], wall_ns: int) -> tuple[str, str]:
        all_ = self._all
        point, enabled, area = all_(
            "SELECT token, enabled, area_to FROM point JOIN point_reader ON point = token WHERE reader = ?",
            reader,
        )[0]
        name = next(name for name in ("Card", "CardNr", "PIN") if name in given)
        found = all_(
            "SELECT token, user, enabled, valid_from, valid_to FROM id_data JOIN credential ON token = credential"
            " WHERE name = ? AND value = ?", name, given[name],
        )  # fmt: skip
        if not found:
            return "InvalidCredential", ""
        token, _, usable, start, end = found[0]
        if not usable:
            return "CredentialNotEnabled", token
        if (late := _late(start, end, wall_ns)) is not None:
            return late, token
        if not enabled:
            return "Unauthorized", token
        data = dict(all_("SELECT name, value FROM id_data WHERE credential = ?", token))
        reason = self._ways(token, point, data, given, wall_ns)
        attributes = dict(all_("SELECT name, value FROM point_attribute WHERE point = ?", point))
        own = dict(all_("SELECT name, value FROM credential_attribute WHERE credential = ?", token))
        if reason == "Granted" and area and "AntiPassbackMode" in attributes and "AntiPassbackOverride" not in own:
            inside = all_("SELECT area, pass_ok, by_time FROM passage WHERE credential = ?", token)
            if inside and inside[0][0] == area and (not inside[0][2] or wall_ns < inside[0][1]):
                return "AntiPassbackViolation", token
        return reason, token

    def _ways(self, token: str, point: str, data: dict[str, str], given: Mapping[str, str], wall_ns: int) -> str:
        reason = "Unauthorized"
        for profile, start, end, enabled, since, until in self._all(
            "SELECT profile, c.valid_from, c.valid_to, enabled, p.valid_from, p.valid_to FROM credential_profile c"
            " JOIN profile p ON p.token = profile WHERE credential = ?", token,
        ):  # fmt: skip
            policy = self._all("SELECT id FROM policy WHERE profile = ? AND point = ?", profile, point)
            if not policy:
                continue
            if not enabled or _late(start, end, wall_ns) or _late(since, until, wall_ns):
                reason = "InvalidAccessProfile"
            elif not (self._active(profile, wall_ns) and self._active(f"policy{policy[0][0]}", wall_ns)):
                reason = "NotPermittedAtThisTime"
            else:
                for level in (token, profile, point):
                    names = self._all("SELECT profile FROM authentication WHERE owner = ?", level)
                    active = [name for (name,) in names if self._active(name, wall_ns)]
                    if active:
                        reason = max((self._enough(name, data, given) for name in active), key=_ORDER.index)
                        break
                if reason == "Granted":
                    return reason
        return reason

    def _enough(self, profile: str, data: dict[str, str], given: Mapping[str, str]) -> str:
        reason = "Granted"
        for name, operator, value in self._all("SELECT name, operator, value FROM factor WHERE profile = ?", profile):
            if name not in given:
                reason = "MoreRequired"
            elif given[name] != (value if operator == "OperatorValueEqual" else data.get(name)):
                return "InvalidPIN" if name == "PIN" else "InvalidCredential"
        return reason

    def _active(self, owner: str, wall_ns: int) -> bool:
        names = [name for (name,) in self._all("SELECT schedule FROM schedule WHERE owner = ?", owner)]
        return any_active(self.calendars, names, wall_ns)

    def _all(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, parameters).fetchall()


_ORDER = ("Unauthorized", "InvalidCredential", "InvalidPIN", "MoreRequired", "Granted")


def _late(start: str, end: str, wall_ns: int) -> str | None:
    if start and wall_ns < parse_rfc3339(start):
        return "CredentialNotActive"
    return "CredentialExpired" if end and wall_ns >= parse_rfc3339(end) else None
