"""A SIP peer for tests that reads the wire: sockets of its own, requests one by one, answers as the test says.

with SipPeer() as registrar:
    request = registrar.wait("REGISTER")
    assert request["Expires"] == "300"
    registrar.reply(request, 200, "OK", [f"Contact: {request['Contact']};expires=300"])
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import time
from types import TracebackType

MOST = 65536
_LENGTH = re.compile(rb"^(?:Content-Length|l)\s*:\s*(\d+)", re.IGNORECASE | re.MULTILINE)


class Message:
    """A SIP message; ``[name]`` is the first header of that name, empty if there is none."""

    def __init__(self, data: bytes, way: str, back: socket.socket, place: tuple[str, int] | None) -> None:
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.body, self.way, self.size = body, way, len(data)
        self.back, self.place = back, place

    @property
    def method(self) -> str:
        """Of a request; the status code of a response."""
        first, second, *_ = self.start.split(" ")
        return second if first == "SIP/2.0" else first

    def __getitem__(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """The values of all headers of a name."""
        return [value for one, value in self.headers if one.lower() == name.lower()]


class SipPeer:
    """See the module's text. UDP and TCP on one free port; with ``tls`` only TLS."""

    def __init__(self, host: str = "127.0.0.1", *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self._tls = tls
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(20):
            self._listener.bind((host, port))
            self.port = int(self._listener.getsockname()[1])
            try:
                self._udp.bind((host, self.port))
                break
            except OSError:
                self._listener.close()
                self._listener = socket.socket()
        self._listener.listen(8)
        self._streams: dict[socket.socket, bytearray] = {}
        self._seen: set[str] = set()
        self._waiting: list[Message] = []
        self.refused: list[str] = []
        """Handshakes that failed."""

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    def __enter__(self) -> SipPeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nobody is here any more."""
        for one in (self._udp, self._listener, *self._streams):
            one.close()
        self._streams.clear()

    def connect(self, host: str, port: int) -> socket.socket:
        """A stream to somebody, read together with those that others have made."""
        stream = socket.create_connection((host, port), 60)
        if self._tls is not None:
            stream = self._tls.wrap_socket(stream, server_hostname=host)
        self._streams[stream] = bytearray()
        return stream

    def wait(self, method: str = "", timeout: float = 60.0, *, again: bool = False) -> Message:
        """The next message (``method``: a request's, or the code of a response); others are passed over.

        ``again``: take what was sent more than once, too. TimeoutError.
        """
        until = time.monotonic() + timeout
        while True:
            while self._waiting:
                message = self._waiting.pop(0)
                known = message["Via"] + message["CSeq"] + message.start
                repeated = message.way == "udp" and known in self._seen
                self._seen.add(known)
                if (not repeated or again) and (not method or message.method == method):
                    return message
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no {method or 'message'} within {timeout:g} s")
            self._read(left)

    def reply(self, request: Message, code: int, reason: str = "OK", headers: list[str] | None = None) -> None:
        """Answer a request, on the way that it came."""
        lines = [f"SIP/2.0 {code} {reason}"]
        for name, value in request.headers:
            if name.lower() in ("via", "from", "call-id", "cseq", "record-route"):
                lines.append(f"{name}: {value}")
            elif name.lower() == "to":
                lines.append(f"To: {value}" + ("" if "tag=" in value or code == 100 else ";tag=peer"))
        body = ""
        extra = list(headers or ())
        if "\r\n\r\n" in (tail := "\r\n".join(extra)):
            tail, _, body = tail.partition("\r\n\r\n")
            extra = tail.split("\r\n")
        text = "\r\n".join([*lines, *extra, f"Content-Length: {len(body)}", "", body])
        self.send(text, request)

    def send(self, text: str, towards: Message) -> None:
        """Send to where a message came from."""
        if towards.place is None:
            towards.back.sendall(text.encode())
        else:
            towards.back.sendto(text.encode(), towards.place)

    def to(self, text: str, place: tuple[str, int]) -> None:
        """Send a datagram."""
        self._udp.sendto(text.encode(), place)

    def _read(self, timeout: float) -> None:
        for one in select.select([self._udp, self._listener, *self._streams], [], [], min(timeout, 1.0))[0]:
            if one is self._udp:
                data, place = self._udp.recvfrom(MOST)
                if data.strip():
                    self._waiting.append(Message(data, "udp", self._udp, place))
            elif one is self._listener:
                self._accept()
            else:
                self._stream(one)

    def _accept(self) -> None:
        stream, _ = self._listener.accept()
        stream.settimeout(10)
        try:
            if self._tls is not None:
                stream = self._tls.wrap_socket(stream, server_side=True)
        except (ssl.SSLError, OSError) as error:
            self.refused.append(str(error))
            stream.close()
            return
        self._streams[stream] = bytearray()

    def _stream(self, stream: socket.socket) -> None:
        buffer = self._streams[stream]
        try:
            part = stream.recv(MOST)
            while isinstance(stream, ssl.SSLSocket) and stream.pending():
                part += stream.recv(MOST)
        except OSError:
            part = b""
        if not part:
            del self._streams[stream]
            with contextlib.suppress(OSError):
                stream.close()
            return
        buffer += part
        while True:
            while buffer.startswith(b"\r\n"):
                del buffer[:2]
            end = buffer.find(b"\r\n\r\n")
            found = _LENGTH.search(bytes(buffer[: end + 2])) if end >= 0 else None
            size = end + 4 + (int(found[1]) if found else 0)
            if end < 0 or len(buffer) < size:
                return
            way = "tls" if self._tls is not None else "tcp"
            self._waiting.append(Message(bytes(buffer[:size]), way, stream, None))
            del buffer[:size]
