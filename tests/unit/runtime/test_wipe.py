"""Factory default on disk: what is kept is kept, nothing else can be found in any byte, a crash only delays it."""

from __future__ import annotations

from pathlib import Path

import pytest

from axcore.errors import StoreError
from axcore.model.events import Event
from axcore.runtime import wipe
from axcore.runtime.store_open import open_store

SECRET = b"Quetzalcoatl"


def keep(kind: str, key: str) -> bool:
    return (kind, key) == ("system", "serial")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store with a secret in a record, in a deleted record, in an event, in the copy and in another file."""
    store = open_store(tmp_path)
    event = Event(id=500, time="2026-01-01T00:00:00Z", topic="tns1:A", data={"name": SECRET.decode()})
    store.commit(
        {("system", "serial"): b"B8A44F000001", ("holder", "1"): SECRET, ("holder", "2"): SECRET}, [event], 500
    )
    store.commit({("holder", "2"): None}, [], 501)
    store.close()
    (tmp_path / "https.pem").write_bytes(SECRET)
    assert any(SECRET in path.read_bytes() for path in tmp_path.iterdir())
    return tmp_path


def traces(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if SECRET in path.read_bytes()]


def check(directory: Path, records: dict[str, dict[str, bytes]]) -> None:
    assert wipe.requested(directory) is None
    assert traces(directory) == []
    store = open_store(directory)
    try:
        assert {kind: found for kind, found in store.records().items() if kind != "ledger"} == records
        assert store.last_id >= 501
        assert store.event_count == 0
        assert store.recovered is None
    finally:
        store.close()


def test_only_what_is_kept_is_left(directory: Path) -> None:
    assert wipe.requested(directory) is None
    wipe.request(directory, "soft")
    assert wipe.requested(directory) == "soft"
    wipe.finish(directory, keep, ["https.pem"])
    assert not (directory / "https.pem").exists()
    check(directory, {"system": {"serial": b"B8A44F000001"}})


@pytest.mark.parametrize("step", range(12))
def test_a_crash_at_any_step_is_made_good_by_the_next_start(
    directory: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wipe.request(directory, "hard")
    calls = 0

    def dying(function):  # type: ignore[no-untyped-def]
        def wrapped(*args, **options):  # type: ignore[no-untyped-def]
            nonlocal calls
            calls += 1
            if calls > step:
                raise OSError("power cut")
            return function(*args, **options)

        return wrapped

    with monkeypatch.context() as patch:
        for name in ("_erase", "sync_directory", "_overwrite", "create"):
            patch.setattr(wipe, name, dying(getattr(wipe, name)))
        patch.setattr("os.replace", dying(wipe.os.replace))
        with pytest.raises(StoreError, match="cannot be reset"):
            wipe.finish(directory, keep, ["https.pem"])
    assert wipe.requested(directory) == "hard"
    wipe.finish(directory, keep, ["https.pem"])
    check(directory, {"system": {"serial": b"B8A44F000001"}})


def test_a_damaged_store_is_reset_from_its_copy(directory: Path) -> None:
    (directory / "state.db").write_bytes(SECRET * 1000)
    wipe.request(directory, "soft")
    wipe.finish(directory, keep, ["https.pem"])
    check(directory, {"system": {"serial": b"B8A44F000001"}})


def test_nothing_readable_is_reset_to_nothing(directory: Path) -> None:
    for name in ("state.db", "state.good"):
        (directory / name).write_bytes(SECRET * 1000)
    wipe.request(directory, "soft")
    wipe.finish(directory, keep, ["https.pem"])
    check(directory, {})


def test_a_running_device_is_not_reset(directory: Path) -> None:
    wipe.request(directory, "soft")
    store = open_store(directory)
    try:
        with pytest.raises(StoreError, match="in use"):
            wipe.finish(directory, keep)
    finally:
        store.close()
