"""DNS messages (RFC 1035 section 4), as far as servers are looked for by them: a question, and the SRV (RFC 2782), A
and AAAA records of its answer. Nothing here does I/O; whatever a stranger sends is an answer or an InputError.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from axcore.errors import InputError

A, AAAA, SRV = 1, 28, 33
IN: Final = 1
MOST_NAME: Final = 253
MOST_LABEL: Final = 63
MOST_JUMPS: Final = 32
MOST_RECORDS: Final = 256
NO_ERROR, NO_NAME = 0, 3
_HEAD: Final = struct.Struct(">6H")
_RECORD: Final = struct.Struct(">HHIH")
_SERVICE: Final = struct.Struct(">3H")
_RESPONSE, _TRUNCATED, _RECURSE, _CODE = 0x8000, 0x0200, 0x0100, 0x000F


class Server(msgspec.Struct, frozen=True):
    """A target of SRV records."""

    priority: int
    """Lower ones come first."""
    weight: int
    """Share of the calls among those of one priority."""
    host: str
    port: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a name server says."""

    servers: tuple[Server, ...] = ()
    addresses: Mapping[str, tuple[str, ...]]
    """Of hosts that came along, IPv4 before IPv6."""
    ttl_s: int = 0
    """How long it holds; 0 without servers."""
    truncated: bool = False
    """There is more of it over TCP."""


def query(number: int, name: str, kind: int = SRV) -> bytes:
    """A question. InputError (``name``)."""
    if not 1 <= len(name) <= MOST_NAME or not name.isascii():
        raise InputError("name", f"{name[:40]!r} cannot be asked for")
    labels = name.rstrip(".").split(".")
    if not all(1 <= len(label) <= MOST_LABEL for label in labels):
        raise InputError("name", f"{name[:40]!r} has a label that is empty or longer than {MOST_LABEL}")
    packed = b"".join(bytes((len(label),)) + label.encode() for label in labels)
    return _HEAD.pack(number, _RECURSE, 1, 0, 0, 0) + packed + struct.pack(">BHH", 0, kind, IN)


def parse(data: bytes, question: bytes) -> Answer:
    """The answer to a question. InputError (``answer``): it is none to this one, or is malformed."""
    if len(data) < _HEAD.size:
        raise InputError("answer", "is too short")
    number, flags, questions, *counts = _HEAD.unpack_from(data)
    asked = question[_HEAD.size :]
    end = _HEAD.size + len(asked)
    same = data[_HEAD.size : end].lower() == asked.lower()
    if number != _HEAD.unpack_from(question)[0] or not flags & _RESPONSE or questions != 1 or not same:
        raise InputError("answer", "is none to this question")
    if flags & _CODE not in (NO_ERROR, NO_NAME):
        raise InputError("answer", f"is the error {flags & _CODE}")
    wanted, _ = _name(question, _HEAD.size)
    servers: list[Server] = []
    addresses: dict[str, list[str]] = {}
    ttl, at = 2**31, end
    for count in range(0 if flags & _TRUNCATED else min(sum(counts), MOST_RECORDS)):
        owner, at = _name(data, at)
        if at + _RECORD.size > len(data):
            raise InputError("answer", "ends in a record")
        kind, family, lives, size = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + size > len(data):
            raise InputError("answer", "ends in a record")
        if family == IN and kind == SRV and count < counts[0] and owner == wanted and size > _SERVICE.size:
            host, _ = _name(data, at + _SERVICE.size)
            servers.append(Server(*_order(data, at), host, _port(data, at)))
            ttl = min(ttl, lives)
        elif family == IN and (kind, size) in ((A, 4), (AAAA, 16)):
            addresses.setdefault(owner, []).append(str(ipaddress.ip_address(data[at : at + size])))
        at += size
    known = {host: tuple(sorted(found, key=lambda one: ":" in one)) for host, found in addresses.items()}
    return Answer(
        servers=tuple(servers), addresses=known, ttl_s=ttl if servers else 0, truncated=bool(flags & _TRUNCATED)
    )


def ordered(servers: Iterable[Server], pick: Callable[[int], int]) -> list[Server]:
    """In the order in which they are tried (RFC 2782): by priority, and by chance as their weights say within one.

    ``pick(n)`` gives a random number of 0..n. A single target ``.`` says that there is no such service.
    """
    left = sorted((one for one in servers if one.host), key=lambda one: (one.priority, one.weight))
    found: list[Server] = []
    while left:
        group = [one for one in left if one.priority == left[0].priority]
        mark, total = pick(sum(one.weight for one in group)), 0
        for one in group:
            total += one.weight
            if total >= mark:
                found.append(one)
                left.remove(one)
                break
    return found


def _order(data: bytes, at: int) -> tuple[int, int]:
    priority, weight, _ = _SERVICE.unpack_from(data, at)
    return priority, weight


def _port(data: bytes, at: int) -> int:
    return int(_SERVICE.unpack_from(data, at)[2])


def _name(data: bytes, at: int) -> tuple[str, int]:
    """A name in lower case without its last dot, and where what follows it begins (RFC 1035 section 4.1.4)."""
    labels: list[str] = []
    end, jumps, length = -1, 0, 0
    while True:
        if at >= len(data):
            raise InputError("answer", "ends in a name")
        size = data[at]
        if size >= 0xC0:
            if at + 1 >= len(data) or jumps == MOST_JUMPS:
                raise InputError("answer", "has a name that does not end")
            end = at + 2 if end < 0 else end
            at, jumps = (size & 0x3F) << 8 | data[at + 1], jumps + 1
            continue
        at += 1
        if size == 0:
            return ".".join(labels).lower(), at if end < 0 else end
        length += size + 1
        if size > MOST_LABEL or at + size > len(data) or length > MOST_NAME + 1:
            raise InputError("answer", "has a name that is too long")
        labels.append(data[at : at + size].decode("ascii", "replace"))
        at += size
