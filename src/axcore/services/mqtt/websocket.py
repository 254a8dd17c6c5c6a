"""The client side of a web socket that carries MQTT (RFC 6455; MQTT 5, section 6). Sans-I/O.

Data frames of any length pass through as they arrive, so that nothing has to be kept; control frames are short.
"""

from __future__ import annotations

import base64
import hashlib
import os

from .framing import ProtocolError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


def request(host: str, port: int, path: str, secure: bool) -> tuple[bytes, str]:
    """The upgrade request and its key. ``path`` without or with its slash; empty = ``/mqtt``."""
    key = base64.b64encode(os.urandom(16)).decode()
    name = f"[{host}]" if ":" in host else host
    authority = name if port == (443 if secure else 80) else f"{name}:{port}"
    lines = (
        f"GET /{(path or 'mqtt').lstrip('/')} HTTP/1.1",
        f"Host: {authority}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: mqtt",
        f"Origin: {'https' if secure else 'http'}://{authority}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode(), key


def check_response(head: bytes, key: str) -> None:
    """Raises ProtocolError unless the server agreed to an MQTT web socket."""
    status, headers = parse_head(head)
    if status != 101:
        raise ProtocolError(f"the web socket was refused with HTTP status {status}; check the port and the basepath")
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
    if headers.get("sec-websocket-accept") != accept or headers.get("upgrade", "").lower() != "websocket":
        raise ProtocolError("the answer to the web socket request is not one")
    if headers.get("sec-websocket-protocol", "").lower() != "mqtt":
        raise ProtocolError("the web socket is there, but does not speak MQTT")


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers (names in lower case) of an HTTP response head. Raises ProtocolError."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not (parts[1].isascii() and parts[1].isdigit()):
        raise ProtocolError("the answer is not HTTP")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return int(parts[1]), headers


def frame(data: bytes, opcode: int = _BINARY) -> bytes:
    """A masked frame."""
    size = len(data)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    return head + mask + masked(data, mask)


def masked(data: bytes, mask: bytes) -> bytes:
    """Data XOR the repeated mask."""
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


class Decoder:
    """Bytes of the server to bytes of MQTT. ``reply`` collects the frames that have to be sent (pong, close)."""

    def __init__(self) -> None:
        self.reply = bytearray()
        self.closed = False
        """The server has said goodbye."""
        self._buffer = bytearray()
        self._left = 0
        self._open = False

    def feed(self, data: bytes) -> bytes:
        """What of it is MQTT. Raises ProtocolError."""
        if self._left >= len(data) and not self._buffer:  # the common case: all of it is payload
            self._left -= len(data)
            return data
        self._buffer += data
        found = bytearray()
        while not self.closed and self._step(found):
            pass
        return bytes(found)

    def _step(self, found: bytearray) -> bool:
        buffer = self._buffer
        if self._left:
            part = buffer[: self._left]
            del buffer[: len(part)]
            self._left -= len(part)
            found += part
            return bool(buffer)
        if len(buffer) < 2:
            return False
        final, opcode, size = buffer[0] & 0x80, buffer[0] & 0x0F, buffer[1] & 0x7F
        if buffer[0] & 0x70 or buffer[1] & 0x80:
            raise ProtocolError("a web socket frame of the server is masked or has reserved bits set")
        extra = {126: 2, 127: 8}.get(size, 0)
        if len(buffer) < 2 + extra:
            return False
        if extra:
            size = int.from_bytes(buffer[2 : 2 + extra], "big")
        if opcode >= _CLOSE:
            return self._control(opcode, size, bool(final))
        if opcode != (_CONTINUATION if self._open else _BINARY):
            raise ProtocolError(f"a web socket frame of type {opcode} cannot come here")
        del buffer[: 2 + extra]
        self._open = not final
        self._left = size
        return True

    def _control(self, opcode: int, size: int, final: bool) -> bool:
        if size > 125 or not final or opcode not in (_CLOSE, _PING, _PONG):
            raise ProtocolError("a web socket control frame is not well-formed")
        if len(self._buffer) < 2 + size:
            return False
        body = bytes(self._buffer[2 : 2 + size])
        del self._buffer[: 2 + size]
        if opcode == _PING:
            if len(self.reply) < 4096:  # who pings without reading our answers gets none
                self.reply += frame(body, _PONG)
        elif opcode == _CLOSE:
            self.reply += frame(body[:2], _CLOSE)
            self.closed = True
        return True
