"""Where a SIP server is that is given by a name without a port (RFC 3263 section 4.2): SRV records, else the address.

The transport is the account's, so that no NAPTR record has to choose one (section 4.1). Names are asked for here, in
threads of others, since the C library knows no SRV. What is known is kept for as long as it holds, and longer while no
name server answers (RFC 8767); where none does, nobody waits for them again for a while. A target that did not answer
comes last for a minute. Threads: any; ``find`` waits, a bounded time.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from axcore.errors import InputError
from axcore.model.voice import Transport

from . import dns
from .dns import Answer, Server

SERVICES: Final[dict[Transport, str]] = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
PORTS: Final[dict[Transport, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}
WAITS_S: Final = (0.5, 1.0)
"""For an answer of each name server, one round after the other."""
MOST_SERVERS: Final = 3
"""Name servers, as in resolv.conf(5)."""
DEAD_S: Final = 30.0
"""Nobody waits for name servers so long after none has answered."""
FAILED_S: Final = 60.0
LEAST_S, NONE_S, MOST_S, STALE_S = 5.0, 60.0, 3600.0, 86_400.0
"""How long answers are kept: at least, without servers, at most, and while no name server answers."""
MOST_KEPT: Final = 256
MOST_PLACES: Final = 8
"""PJSIP_MAX_RESOLVED_ADDRESSES."""
CONFIG: Final = Path("/etc/resolv.conf")
DNS_PORT: Final = 53
MOST: Final = 65535
LOCAL: Final = ("localhost", "local")
"""Last labels of names that no name server is asked for (RFC 6761, RFC 6762)."""

K = TypeVar("K")
V = TypeVar("V")
Found = tuple[str, int]
"""IP address and port."""


class _Kept(msgspec.Struct, frozen=True):
    answer: Answer
    until: float
    asked: float


class Locator:
    """See the module's text.

    Args:
        look_up: the address of a host by what the system knows; empty without one.
        servers: name servers (``address`` or ``address:port``); empty = those of the system.
    """

    def __init__(self, look_up: Callable[[str], str], servers: Sequence[str] = ()) -> None:
        self._look_up, self._servers = look_up, tuple(servers)
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._failed: dict[tuple[str, int], float] = {}
        """Targets that did not answer, and until when they come last."""
        self._last: dict[tuple[str, Transport], list[tuple[str, int]]] = {}
        """The targets that were found last, in the order in which they are tried."""
        self._dead_until = 0.0

    def find(self, name: str, transport: Transport) -> list[Found]:
        """Where to send to, best first; empty: nowhere. Waits."""
        servers = self._ordered(name, transport)
        if servers is None:
            address = self._look_up(name)
            return [(address, PORTS[transport])] if address else []
        found: list[Found] = []
        for server, addresses in servers:
            known = addresses or tuple(filter(None, (self._look_up(server.host),)))
            found += [(address, server.port) for address in known]
        with self._lock:
            _keep(self._last, (name.lower(), transport), [(one.host, one.port) for one, _ in servers])
        return found[:MOST_PLACES]

    def failed(self, name: str, transport: Transport) -> bool:
        """What was found for this name first did not answer: the others come before it for a while.

        Whether there is one that has not failed: it is worth another try (RFC 3263 section 4.3).
        """
        now = time.monotonic()
        with self._lock:
            places = self._last.get((name.lower(), transport), [])
            self._failed = {one: until for one, until in self._failed.items() if until > now}
            if places:
                self._failed[places[0]] = now + FAILED_S
            return any(one not in self._failed for one in places)

    def _ordered(self, name: str, transport: Transport) -> list[tuple[Server, tuple[str, ...]]] | None:
        """Targets with their addresses, as far as those came along; None: there are no records."""
        labels = name.rstrip(".").lower().split(".")
        if len(labels) < 2 or labels[-1] in LOCAL:
            return None
        answer = self._answer(SERVICES[transport] + ".".join(labels))
        if answer is None or not answer.servers:
            return None
        servers = dns.ordered(answer.servers, lambda most: secrets.randbelow(most + 1))
        now = time.monotonic()
        with self._lock:
            failed = {place for place, until in self._failed.items() if until > now}
        servers.sort(key=lambda one: (one.host, one.port) in failed)
        return [(one, answer.addresses.get(one.host, ())) for one in servers]

    def _answer(self, name: str) -> Answer | None:
        now = time.monotonic()
        with self._lock:
            kept, dead = self._kept.get(name), now < self._dead_until
        if kept is not None and (now < kept.until or (dead and now < kept.asked + STALE_S)):
            return kept.answer
        if dead:
            return None
        try:
            answer = self._ask(name)
        except InputError:  # no name for a question
            return None
        now = time.monotonic()
        with self._lock:
            if answer is None:
                self._dead_until = now + DEAD_S
                return kept.answer if kept is not None and now < kept.asked + STALE_S else None
            lives = min(max(float(answer.ttl_s), LEAST_S), MOST_S) if answer.servers else NONE_S
            _keep(self._kept, name, _Kept(answer, now + lives, now))
        return answer

    def _ask(self, name: str) -> Answer | None:
        """What a name server says, nothing but errors included; None: none says anything. InputError (``name``)."""
        servers, heard = (self._servers or name_servers(CONFIG))[:MOST_SERVERS], False
        question = dns.query(0, name)[2:]
        for wait in WAITS_S:
            for server in servers:
                try:
                    return exchange(server, secrets.token_bytes(2) + question, wait)
                except InputError:
                    heard = True
                except (OSError, ValueError):
                    continue
        return Answer(addresses={}) if heard else None


def _keep(where: dict[K, V], key: K, value: V) -> None:
    where.pop(key, None)
    where[key] = value
    while len(where) > MOST_KEPT:
        del where[next(iter(where))]


def name_servers(config: Path) -> tuple[str, ...]:
    """Those of resolv.conf(5)."""
    try:
        lines = config.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    return tuple(word[1] for word in words if len(word) > 1 and word[0] == "nameserver")


def exchange(server: str, question: bytes, wait_s: float) -> Answer:
    """Ask a name server: by UDP, and by TCP what is too long for it. OSError, InputError, ValueError (an address)."""
    host, port = _place(server)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    until = time.monotonic() + wait_s
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.connect((host, port))  # so that nobody else is heard
        udp.send(question)
        while True:
            udp.settimeout(max(until - time.monotonic(), 0.001))
            data = udp.recv(MOST)
            with contextlib.suppress(InputError):
                answer = dns.parse(data, question)
                break
            if time.monotonic() >= until or data[:2] == question[:2]:
                raise InputError("answer", "is none")
    if not answer.truncated:
        return answer
    with socket.create_connection((host, port), wait_s) as tcp:
        tcp.settimeout(wait_s)
        tcp.sendall(len(question).to_bytes(2, "big") + question)
        with tcp.makefile("rb") as stream:
            size = int.from_bytes(stream.read(2), "big")
            return dns.parse(stream.read(size), question)


def _place(server: str) -> tuple[str, int]:
    """ValueError."""
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host.strip("[]") and not server.startswith("[")):
        host, port = server, ""
    host = host.strip("[]").partition("%")[0]
    return str(ipaddress.ip_address(host)), int(port or DNS_PORT)
