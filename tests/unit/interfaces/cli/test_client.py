"""The client keeps its connection, and notices that a device has closed it before it asks for anything on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from axcore.interfaces.cli.client import Client

PATIENCE = 60.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers one request of each connection, and closes it when it is told to."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.close_it, self.closed = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for _ in range(2):
            connection, _ = self.listener.accept()
            with connection:
                self.requests.append(connection.recv(4096))
                connection.sendall(ANSWER)
                assert self.close_it.wait(PATIENCE)
            self.closed.set()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close_it.set()
    made.thread.join()
    made.listener.close()


def test_what_is_not_asked_by_get_is_not_lost_on_a_connection_that_was_closed(server: Server) -> None:
    client = Client(f"http://127.0.0.1:{server.listener.getsockname()[1]}", timeout=PATIENCE)
    assert client.request("POST", "/one") == (200, b"ok")
    server.close_it.set()
    assert server.closed.wait(PATIENCE)
    assert client.request("POST", "/two") == (200, b"ok")
    client.close()
    assert [data.split(b" ")[1] for data in server.requests] == [b"/one", b"/two"]
