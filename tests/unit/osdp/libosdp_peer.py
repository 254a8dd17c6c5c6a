"""libosdp (the wheel) as one end of a line, in a process of its own: it is known to bring the interpreter down.

``python libosdp_peer.py cp|pd FD OPTIONS``: the line is a SEQPACKET socket; OPTIONS is JSON: ``key`` (hex), ``flags``,
``file`` (hex, what a file transfer sends). What it learns is printed, one JSON object a line; a line on its
standard input is one more command or event.
"""

import json
import os
import select
import socket
import sys
import time
from typing import Any

import osdp
import osdp_sys


class Line:
    """A libosdp channel over a socket that keeps frames whole."""

    id = 1

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def read(self, limit: int) -> bytes:
        if not self._rest:
            try:
                self._rest = self.sock.recv(4096)
            except BlockingIOError:
                return b""
        data, self._rest = self._rest[:limit], self._rest[limit:]
        return data

    def write(self, data: bytes) -> int:
        self.sock.send(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass


def tell(**what: Any) -> None:
    """One JSON line; bytes as hex."""
    print(json.dumps(what, default=lambda value: bytes(value).hex()), flush=True)


def decode(item: dict[str, Any]) -> dict[str, Any]:
    """Hex texts that stand for bytes, names that stand for numbers of the library."""
    kinds = {"command": osdp.Command, "event": osdp.Event}
    text = item.get("command") == "Text"
    found = {n: bytes.fromhex(v) if n == "data" and isinstance(v, str) and not text else v for n, v in item.items()}
    return {name: getattr(kinds[name], v) if name in kinds and isinstance(v, str) else v for name, v in found.items()}


class Files:
    """Callbacks of a file transfer: sends ``data``, tells what came."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.got = bytearray()
        self.size = 0

    def open(self, _number: int, size: int) -> int:
        self.size, self.got = size, bytearray()
        return len(self.data)

    def read(self, size: int, offset: int) -> bytes:
        return self.data[offset : offset + size]

    def write(self, data: bytes, offset: int) -> int:
        self.got[offset:] = data
        return len(data)

    def close(self, number: int) -> int:
        tell(file=self.got, number=number, size=self.size)
        return 0

    @property
    def table(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("open", "read", "write", "close")}


def main() -> None:
    """Refresh until the other side closes the line."""
    role, options = sys.argv[1], json.loads(sys.argv[3])
    sock = socket.socket(fileno=int(sys.argv[2]))
    sock.setblocking(False)
    key = bytes.fromhex(options["key"]) if options.get("key") else None
    flags = [getattr(osdp.LibFlag, name) for name in options.get("flags", [])]
    info = osdp.PDInfo(1, Line(sock), scbk=key, flags=flags).get()
    osdp_sys.set_loglevel(3)
    ctx: Any
    if role == "cp":
        ctx = osdp_sys.ControlPanel([info])
        ctx.set_event_callback(lambda _pd, event: tell(event=event) or 0)
    else:
        capabilities = osdp.PDCapabilities([(n, 1, 1) for n in range(1, 7)] + [(8, 1, 0), (9, 1, 1), (10, 160, 5)])
        ctx = osdp_sys.PeripheralDevice(info, capabilities=capabilities.get())
        ctx.set_command_callback(lambda command: (tell(command=command), (0, None))[1])
    ctx.register_file_ops(0, Files(bytes.fromhex(options.get("file", ""))).table)
    pending: list[dict[str, Any]] = []
    state: Any = None
    text = ""
    while True:
        ctx.refresh()
        found = [bool(ctx.status()), bool(ctx.sc_status())] if role == "cp" else [ctx.is_online(), ctx.is_sc_active()]
        found = [bool(value) for value in found]
        if found != state:
            state = found
            tell(online=state[0], secure=state[1])
            if role == "cp" and state[0]:
                tell(id=ctx.get_pd_id(0), capabilities={n: list(ctx.check_capability(0, n)) for n in range(1, 17)})
        if state[0] and pending and (state[1] or not key):
            item = pending.pop(0)
            try:
                tell(submitted=(ctx.submit_command(0, item) if role == "cp" else ctx.submit_event(item)))
            except (SystemError, ValueError) as error:
                tell(error=repr(error.__cause__))
        ready, _, _ = select.select([sock, sys.stdin], [], [], 0.002)
        if sys.stdin in ready:
            chunk = os.read(sys.stdin.fileno(), 65536)
            if not chunk:
                return
            *lines, text = (text + chunk.decode()).split("\n")
            pending += [decode(json.loads(line)) for line in lines]
        time.sleep(0.0005)


main()
