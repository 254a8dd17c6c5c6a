"""A name server of a dozen lines: SRV records with glue, over UDP and TCP, on a port of loopback."""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
from types import TracebackType

SRV, A = 33, 1


def packed(name: str) -> bytes:
    """A name without compression."""
    return b"".join(bytes((len(one),)) + one.encode() for one in name.split(".") if one) + b"\0"


def record(name: str, kind: int, data: bytes, ttl: int = 300, family: int = 1) -> bytes:
    return packed(name) + struct.pack(">HHIH", kind, family, ttl, len(data)) + data


def srv(name: str, target: tuple[int, int, int, str], ttl: int = 300) -> bytes:
    """``target``: priority, weight, port, host."""
    *numbers, host = target
    return record(name, SRV, struct.pack(">3H", *numbers) + packed(host), ttl)


def address(name: str, host: str) -> bytes:
    one = ipaddress.ip_address(host)
    return record(name, A if one.version == 4 else 28, one.packed)


def answer(question: bytes, records: list[bytes], more: list[bytes], flags: int = 0x8180) -> bytes:
    return (
        question[:2]
        + struct.pack(">5H", flags, 1, len(records), 0, len(more))
        + question[12:]
        + b"".join(records + more)
    )


def both() -> tuple[socket.socket, socket.socket]:
    """A port that is free for UDP and for TCP."""
    while True:
        tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
            continue
        return udp, tcp


class NameServer:
    """Zone: by name, the records of an answer and those that come along; ``silent``, and ``long`` (TCP), can be set."""

    def __init__(self) -> None:
        self.zone: dict[str, tuple[list[bytes], list[bytes]]] = {}
        self.asked: list[str] = []
        self.silent = self.long = False
        self.code = 0
        self._udp, self._tcp = both()
        self.place = f"127.0.0.1:{self._udp.getsockname()[1]}"
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._by_udp, self._by_tcp)]

    def __enter__(self) -> NameServer:
        for one in self._threads:
            one.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._udp, self._tcp):
            one.shutdown(socket.SHUT_RDWR) if one is self._tcp else one.sendto(b"", one.getsockname())
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def servers(self, name: str, *targets: tuple[int, int, int, str], glue: str = "127.0.0.1") -> None:
        """SRV records: priority, weight, port, host; ``glue``: the address of all hosts; empty: none."""
        hosts = sorted({host for *_, host in targets})
        self.zone[name] = (
            [srv(name, one) for one in targets],
            [address(host, glue) for host in hosts] if glue else [],
        )

    def reply(self, question: bytes, *, stream: bool) -> bytes:
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels).lower()
        self.asked.append(name)
        if self.long and not stream:
            return answer(question, [], [], 0x8380)
        records, more = self.zone.get(name, ([], []))
        return answer(question, records, more, 0x8180 | (self.code or (0 if records else 3)))

    def _by_udp(self) -> None:
        while data_from := self._udp.recvfrom(4096):
            data, place = data_from
            if not data:
                return
            reply = self.reply(data, stream=False)
            if not self.silent:
                self._udp.sendto(reply, place)

    def _by_tcp(self) -> None:
        while True:
            try:
                stream, _ = self._tcp.accept()
            except OSError:
                return
            with stream:
                data = stream.recv(4096)
                reply = self.reply(data[2:], stream=True)
                stream.sendall(len(reply).to_bytes(2, "big") + reply)
