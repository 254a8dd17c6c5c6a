"""Data directories, and how a running device is found."""

import os
import pathlib
import socket

import pytest

from axcore.interfaces.cli import paths
from axcore.interfaces.cli.board import Board, BoardError
from axcore.interfaces.cli.output import CliError, table
from axcore.interfaces.cli.paths import Running, find_data_dir, read_running, remove_running, write_running


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> pathlib.Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("AXCORE_DATA_DIR", raising=False)
    return tmp_path / "axcore"


def running(pid: int) -> Running:
    return Running(model="a8207-ve", pid=pid, http="", https="https://127.0.0.1:1", certificate="", simulate=True)


def start(home: pathlib.Path, model: str, pid: int) -> pathlib.Path:
    data_dir = home / model
    data_dir.mkdir(parents=True)
    write_running(data_dir, running(pid))
    return data_dir


def test_the_only_running_device_is_found(home: pathlib.Path) -> None:
    start(home, "a8207-ve-mk2", 2**22 + 1)  # no such process
    mine = start(home, "a8207-ve", os.getpid())
    assert find_data_dir(None) == mine
    assert read_running(mine) == running(os.getpid())
    assert (mine / "instance.json").stat().st_mode & 0o777 == 0o600
    remove_running(mine)
    with pytest.raises(CliError, match="no running device") as raised:
        find_data_dir(None)
    assert "axcore run" in raised.value.hint


def test_two_running_devices_must_be_told_apart(home: pathlib.Path) -> None:
    for model in ("a8207-ve", "a8207-ve-mk2"):
        start(home, model, os.getpid())
    with pytest.raises(CliError, match="2 devices") as raised:
        find_data_dir(None)
    assert raised.value.code == 2
    assert find_data_dir(home / "a8207-ve") == home / "a8207-ve"


def test_defaults(monkeypatch: pytest.MonkeyPatch, home: pathlib.Path) -> None:
    assert paths.default_data_dir("m") == home / "m"
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    assert paths.default_data_dir("m") == pathlib.Path.home() / ".local/state/axcore/m"
    monkeypatch.setenv("AXCORE_DATA_DIR", "/elsewhere")
    assert paths.default_data_dir("m") == pathlib.Path("/elsewhere")


def test_a_socket_with_a_long_path_is_reached(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        descriptor = os.open(folder, os.O_PATH)
        server.bind(f"/proc/self/fd/{descriptor}/board.sock")
        os.close(descriptor)
        server.listen()
        board = Board(folder)
        peer, _ = server.accept()
        peer.sendall(
            b'{"status":"error","error":{"code":"invalid_value","message":"is no key","field":"keys"}}\n'
            b'{"status":"success","data":{"t_ns":5}}\n'
        )
        with pytest.raises(BoardError, match="keys: is no key") as raised:
            board.call("keys", keys="x")
        assert raised.value.error_code == "invalid_value"
        assert board.call("rex", duration=0.1) == {"t_ns": 5}
        assert peer.recv(1000).splitlines() == [b'{"op":"keys","keys":"x"}', b'{"op":"rex","duration":0.1}']
        peer.close()
        with pytest.raises(ConnectionError):
            board.call("state")
        board.close()


def test_tables_align_numbers_to_the_right() -> None:
    assert table(["name", "n"], [["a", 1], ["bc", 20]]).splitlines() == ["name   n", "----  --", "a      1", "bc    20"]
