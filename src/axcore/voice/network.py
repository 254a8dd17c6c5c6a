"""The network that a voice process finds itself in: free ports, and the address of the device."""

from __future__ import annotations

import socket
from typing import Final

from . import sdp

PORT_TRIES: Final = 20


def surroundings(bind: str) -> str:
    """What the settings of a process depend on and nobody tells: the device's address."""
    return bind or sdp.own_address("")


def free_port(bind: str) -> int:
    """One that is free for UDP and for TCP. OSError."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    failure = OSError("no port is free for UDP and TCP")
    for _ in range(PORT_TRIES):
        with socket.socket(family, socket.SOCK_STREAM) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
            tcp.bind((bind, 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind((bind, port))
            except OSError as error:
                failure = error
                continue
            return port
    raise failure
