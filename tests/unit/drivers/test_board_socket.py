"""board.sock: framing, several clients, limits, and things that happen later."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.drivers.board_ops import AnyOp, KeysOp, OpError
from axcore.drivers.board_socket import MAX_LINE, BoardThread

PATIENCE = 60.0


def run_op(op: AnyOp) -> dict[str, Any]:
    if isinstance(op, KeysOp):
        if op.keys == "C":
            raise RuntimeError("a mistake")
        if op.keys == "#":
            raise OpError("busy", "op", "later")
        return {"keys": op.keys}
    return {"state": True}


@pytest.fixture
def thread(tmp_path: Path) -> Iterator[BoardThread]:
    thread = BoardThread(tmp_path / "board.sock")
    thread.start(run_op)
    yield thread
    thread.stop()


class Client:
    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> Any:
        try:
            line = self.lines.readline()
        except ConnectionResetError:  # closed with something unread
            line = b""
        return json.loads(line) if line else None

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


@pytest.fixture
def client(thread: BoardThread) -> Iterator[Client]:
    client = Client(thread.path)
    yield client
    client.close()


def test_only_the_owner_may_connect(thread: BoardThread) -> None:
    assert thread.path.stat().st_mode & 0o777 == 0o600


def test_replies_come_in_order_whatever_the_pieces(client: Client) -> None:
    data = b"".join(b'{"op":"keys","keys":"%d"}\r\n' % number for number in range(10)) + b"\n \n"
    for start in range(0, len(data), 7):
        client.send(data[start : start + 7])
    assert [client.reply()["data"]["keys"] for _ in range(10)] == [str(number) for number in range(10)]


def test_errors_leave_the_connection_open(client: Client) -> None:
    client.send(b'{"op":"nothing"}\n{"op":"keys","keys":"C"}\n{"op":"keys","keys":"#"}\nx\n{"op":"state"}\n')
    codes = [client.reply()["error"]["code"] for _ in range(4)]
    assert codes == ["unknown_operation", "internal", "busy", "bad_json"]
    assert client.reply() == {"status": "success", "data": {"state": True}}


def test_several_clients(thread: BoardThread, client: Client) -> None:
    others = [Client(thread.path) for _ in range(5)]
    client.send(b'{"op":"keys","keys":"1"')  # half an operation blocks nobody
    for number, other in enumerate(others):
        other.send(b'{"op":"keys","keys":"%d"}\n' % number)
    assert [other.reply()["data"]["keys"] for other in others] == ["0", "1", "2", "3", "4"]
    for other in others:
        other.close()
    client.send(b"}\n")
    assert client.reply()["data"]["keys"] == "1"


def test_a_line_of_1_mib_is_the_most(client: Client) -> None:
    filler = b'{"op":"keys","keys":"1","x":"'
    client.send(filler + b"x" * (MAX_LINE - len(filler) - 2) + b'"}\n')
    assert client.reply()["error"]["field"] == "x"
    with contextlib.suppress(BrokenPipeError):  # it stops listening before all is sent
        client.send(b"x" * (MAX_LINE + 70_000))
    assert client.reply()["error"]["code"] == "too_large"
    assert client.reply() is None


def test_the_last_line_is_answered_after_a_half_close(client: Client) -> None:
    client.send(b'{"op":"state"}\n')
    client.socket.shutdown(socket.SHUT_WR)
    assert client.reply()["status"] == "success"
    assert client.reply() is None


def assert_waits(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


def test_later_happens_in_the_thread_in_order(thread: BoardThread) -> None:
    done = threading.Event()
    order: list[str] = []

    entered = threading.Event()

    def fail() -> None:
        order.append("fails")
        raise OpError("busy", "op", "x")

    thread.later(0.0, lambda: assert_waits(entered))  # until all are in the queue
    thread.later(0.02, lambda: (order.append("second"), done.set()))  # type: ignore[func-returns-value]
    thread.later(0.01, fail)
    thread.later(0.001, lambda: order.append(threading.current_thread().name))
    entered.set()
    assert done.wait(PATIENCE)
    assert order == ["board", "fails", "second"]


def test_a_stale_socket_and_a_long_path_are_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("d" * 100)
    folder.mkdir()
    (folder / "board.sock").touch()
    thread = BoardThread(folder / "board.sock")
    thread.start(run_op)
    monkeypatch.chdir(folder)
    client = Client(Path("board.sock"))
    client.send(b'{"op":"state"}\n')
    assert client.reply()["status"] == "success"
    client.close()
    thread.stop()
    assert not (folder / "board.sock").exists()
