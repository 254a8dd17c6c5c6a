"""Clips and whatever people call them: no name, location or file name ever becomes a path."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.audio import clips as library
from axcore.errors import AxError, InputError, NotFoundError
from axcore.services.clips import ClipFiles, ClipService
from axcore.testing import MemoryLedger

EVIL = (
    "..",
    "/",
    "../",
    "\\",
    "%2e%2e",
    "/etc/passwd",
    "state.db",
    "clips",
    "*",
    "\0",
    "MediaClip.M0.au",
    "file:",
    "tone:",
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(EVIL), max_size=6).map("".join))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ClipFiles:
    return ClipFiles(tmp_path_factory.mktemp("data"))


@given(name=TEXTS)
def test_only_names_that_we_made_are_files(files: ClipFiles, name: str) -> None:
    with pytest.raises(NotFoundError):
        files.path(name)
    with pytest.raises(NotFoundError):
        files.path(f"/{name}0123456789abcdef.au")


def test_a_file_that_we_made_stays_in_its_folder(tmp_path: Path) -> None:
    files = ClipFiles(tmp_path)
    for _ in range(50):
        name, size = files.keep(files.begin())
        assert files.path(name).resolve().parent == (tmp_path / "clips").resolve()
        assert size == 0


@given(names=st.lists(TEXTS, max_size=8), wanted=TEXTS)
def test_any_name_and_location_keeps_to_the_clips(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], wanted: str
) -> None:
    folder = tmp_path_factory.mktemp("data")
    ledger = MemoryLedger()
    service = ClipService(ClipFiles(folder), ledger.post)
    ledger.do(service.start_up)
    outside = folder / "state.db"
    outside.write_bytes(b"precious")

    def add(tx: Any, name: str) -> None:
        service.add(tx, "0123456789abcdef.au", 1, name=name, seconds=1.0, kind="wav")

    for name in names:
        with contextlib.suppress(InputError):
            ledger.do(lambda tx, name=name: add(tx, name))
        with contextlib.suppress(InputError):
            ledger.do(lambda tx, name=name: service.change(tx, 0, name=name))
    for clip in service.clips():
        assert clip.location == f"/etc/audioclips/MediaClip.M{clip.id}.au"
        assert clip.name.strip() == clip.name
        assert clip.name.isprintable()
    with contextlib.suppress(AxError):
        found = service.find(wanted)
        assert found in service.clips()
        with contextlib.suppress(OSError):
            service.samples(found)
    for clip in service.clips():
        with contextlib.suppress(InputError):
            ledger.do(lambda tx, clip=clip: service.remove(tx, clip.id))
    assert os.listdir(folder) == ["state.db"]
    assert outside.read_bytes() == b"precious"


@given(st.binary(max_size=200))
def test_any_bytes_are_an_au_file_or_an_error(data: bytes) -> None:
    head = (
        b".snd" + bytes((0, 0, 0, 24)) + len(data).to_bytes(4, "big") + bytes((0, 0, 0, 3, 0, 0, 187, 128, 0, 0, 0, 1))
    )
    for candidate in (data, head + data, head[: len(data)] + data):
        with contextlib.suppress(InputError):
            samples, rate = library.read_au(candidate)
            assert 2 * len(samples) <= len(candidate)
            assert library.au(samples, rate)[24:] == candidate[len(candidate) - 2 * len(samples) :]
