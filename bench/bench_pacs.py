"""Access decisions among 100,000 credentials, and loading them from the store's records: alone, and in the service.

A site of 16 access points and 50 access profiles. Requests are cards alone and cards with PINs, one in five of them not
let in for one reason or another. Every decision is compared with the peer's.
"""

import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from axcore.model.pacs import (
    DEFAULT_AUTHENTICATION,
    DEFAULT_SCHEDULES,
    AccessPoint,
    AccessPolicy,
    AccessProfile,
    Attribute,
    Credential,
    CredentialAccessProfile,
    IdData,
    IdPointDevice,
)
from axcore.services.pacs import Request, decide, load
from axcore.services.pacs.service import PacsService
from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger, MemoryStore

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from pacs_sqlite import SqliteDecisions

CREDENTIALS, PROFILES, POINTS, REQUESTS = 100_000, 50, 16, 2_000
MONDAY_NOON_NS = 1_768_219_200 * 10**9  # 2026-01-12T12:00:00Z
LOAD_GOAL_S, DECISION_GOAL_S = 2.0, 50e-6
"""What the product promises; a machine that is busy measures again."""


def site() -> tuple[list[Credential], list[AccessProfile], list[AccessPoint]]:
    """Everything that is configured."""
    rng = random.Random(5)
    points = [
        AccessPoint(
            token=f"point{n}", entity=f"door{n}", id_points=(IdPointDevice(f"reader{n}"),), area_to="in",
            authentication_profiles=("CardOnly",) if n % 2 else ("CardPlusPin",),
            attributes=(Attribute("AntiPassbackMode", "Logical"),),
        )
        for n in range(POINTS)
    ]  # fmt: skip
    profiles = [
        AccessProfile(
            token=f"profile{n}", valid_to="2038-01-01T00:00:00Z",
            schedules=("standard_always",) if n % 3 else ("standard_office_hours",),
            policies=tuple(AccessPolicy(point.token) for point in points if rng.random() < 0.9),
        )
        for n in range(PROFILES)
    ]  # fmt: skip
    credentials = [
        Credential(
            token=f"Axis-accc8e000001:{n}.000000000", user_token=f"user{n}", enabled=n % 20 != 0,
            valid_from="2020-01-01T00:00:00Z", valid_to="2038-01-01T00:00:00Z",
            id_data=(IdData("Card", f"{n:08x}"), IdData("CardNr", str(n)), IdData("PIN", f"{n % 10_000:04}")),
            access_profiles=(
                CredentialAccessProfile(f"profile{n % PROFILES}"),
                CredentialAccessProfile(f"profile{(n + 7) % PROFILES}"),
            ),
        )
        for n in range(CREDENTIALS)
    ]  # fmt: skip
    return credentials, profiles, points


def shown() -> list[Request]:
    """What people show."""
    rng, requests = random.Random(6), []
    for _ in range(REQUESTS):
        number, reader = rng.randrange(CREDENTIALS), rng.randrange(POINTS)
        data = {"Card": f"{number if rng.random() < 0.95 else number + CREDENTIALS:08x}"}
        if reader % 2 == 0:
            data["PIN"] = f"{(number if rng.random() < 0.95 else number + 1) % 10_000:04}"
        requests.append(Request(f"reader{reader}", data))
    return requests


@pytest.fixture(scope="module")
def records() -> dict[str, dict[str, bytes]]:
    """As the store gives them."""
    credentials, profiles, points = site()
    kinds: dict[str, Any] = {
        "pacs.credential": credentials, "pacs.access_profile": profiles, "pacs.access_point": points,
        "pacs.authentication_profile": DEFAULT_AUTHENTICATION, "pacs.schedule": DEFAULT_SCHEDULES,
    }  # fmt: skip
    return {kind: {held.token: msgspec.json.encode(held) for held in held_} for kind, held_ in kinds.items()}


@pytest.fixture(scope="module")
def index(records: dict[str, dict[str, bytes]]) -> Any:
    return load(records)[0]


@pytest.fixture(scope="module")
def peer(index: Any, tmp_path_factory: pytest.TempPathFactory) -> SqliteDecisions:
    credentials, profiles, points = site()
    path = str(tmp_path_factory.mktemp("peer") / "peer.db")
    return SqliteDecisions(path, (credentials, profiles, DEFAULT_AUTHENTICATION, points), index.calendars)


@pytest.mark.benchmark(group="pacs-decision")
def test_axcore_decides(benchmark: Any, index: Any, peer: SqliteDecisions) -> None:
    requests = shown()
    reasons = [(d.reason, d.credential) for d in (decide(index, request, MONDAY_NOON_NS, {}) for request in requests)]
    assert reasons == [peer.decide(request.id_point, request.id_data, MONDAY_NOON_NS) for request in requests]
    granted = sum(reason == "Granted" for reason, _ in reasons)
    benchmark.extra_info.update(units=REQUESTS, unit="decisions", granted=granted)
    benchmark(lambda: [decide(index, request, MONDAY_NOON_NS, {}) for request in requests])
    assert benchmark.stats.stats.min / REQUESTS < DECISION_GOAL_S


@pytest.mark.benchmark(group="pacs-decision")
def test_peer_sqlite_decides(benchmark: Any, peer: SqliteDecisions) -> None:
    requests = shown()
    benchmark.extra_info.update(units=REQUESTS, unit="decisions")
    benchmark(lambda: [peer.decide(request.id_point, request.id_data, MONDAY_NOON_NS) for request in requests])


@pytest.mark.benchmark(group="pacs-load")
def test_axcore_loads(benchmark: Any, records: dict[str, dict[str, bytes]]) -> None:
    benchmark.extra_info.update(units=CREDENTIALS, unit="credentials")
    benchmark.pedantic(lambda: load(records), rounds=3)
    assert benchmark.stats.stats.min < LOAD_GOAL_S


def started(records: dict[str, dict[str, bytes]]) -> tuple[PacsService, MemoryLedger, float]:
    """The service on a ledger with these records, and how long its start took, s."""
    store = MemoryStore()
    store.write({(kind, key): raw for kind, held in records.items() for key, raw in held.items()}, [], 1)
    store.sync()
    ledger = MemoryLedger(VirtualClock("2026-01-12T12:00:00Z"), store=store)
    service = PacsService(ledger.bus)
    began = time.perf_counter()
    ledger.load(service.load)
    return service, ledger, time.perf_counter() - began


def in_service(service: PacsService, requests: list[Request]) -> Callable[[Any], list[str]]:
    """A job that decides on all of them: events, wrong PINs and anti-passback are part of it."""

    def job(tx: Any) -> list[str]:
        return [service.decide(tx, request).reason for request in requests]

    return job


@pytest.mark.benchmark(group="pacs-service-load")
def test_axcore_service_loads(benchmark: Any, records: dict[str, dict[str, bytes]]) -> None:
    benchmark.extra_info.update(units=CREDENTIALS, unit="credentials")
    times = []
    benchmark.pedantic(lambda: times.append(started(records)[2]), rounds=3)
    assert min(times) < LOAD_GOAL_S


@pytest.mark.benchmark(group="pacs-service-decision")
def test_axcore_service_decides(benchmark: Any, records: dict[str, dict[str, bytes]]) -> None:
    service, ledger, _ = started(records)
    job = in_service(service, [request for request in shown() if "PIN" not in request.id_data])
    count = len(ledger.do(job))
    benchmark.extra_info.update(units=count, unit="decisions")
    benchmark.pedantic(lambda: ledger.do(job), rounds=20, warmup_rounds=2)
    assert benchmark.stats.stats.min / count < DECISION_GOAL_S


def main() -> None:
    """The numbers alone."""
    credentials, profiles, points = site()
    stored: dict[str, Any] = {
        "pacs.credential": credentials, "pacs.access_profile": profiles, "pacs.access_point": points,
        "pacs.authentication_profile": DEFAULT_AUTHENTICATION, "pacs.schedule": DEFAULT_SCHEDULES,
    }  # fmt: skip
    encoded = {kind: {held.token: msgspec.json.encode(held) for held in entries} for kind, entries in stored.items()}
    began = time.perf_counter()
    known, _ = load(encoded)
    print(f"load: {time.perf_counter() - began:.3f} s for {CREDENTIALS} credentials")
    path = tempfile.mkdtemp()
    other = SqliteDecisions(f"{path}/peer.db", (credentials, profiles, DEFAULT_AUTHENTICATION, points), known.calendars)
    requests = shown()
    ours, theirs = [], []
    for _ in itertools.repeat(None, 5):
        began = time.perf_counter()
        for request in requests:
            decide(known, request, MONDAY_NOON_NS, {})
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        for request in requests:
            other.decide(request.id_point, request.id_data, MONDAY_NOON_NS)
        theirs.append(time.perf_counter() - began)
    print(f"decision: {min(ours) / REQUESTS * 1e6:.2f} us, SQLite {min(theirs) / REQUESTS * 1e6:.1f} us")
    print(f"ratio: {min(theirs) / min(ours):.1f}x")
    service, ledger, seconds = started(encoded)
    print(f"service: load {seconds:.3f} s")
    job = in_service(service, [request for request in requests if "PIN" not in request.id_data])
    times = []
    for _ in itertools.repeat(None, 5):
        began = time.perf_counter()
        count = len(ledger.do(job))
        times.append((time.perf_counter() - began) / count)
    print(f"service: decision with its events and the commit {min(times) * 1e6:.1f} us")


if __name__ == "__main__":
    main()
