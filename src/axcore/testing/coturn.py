"""A STUN and TURN server for tests: coturn (Debian) on a free port of 127.0.0.1, with one user and no database."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from axcore.testing.ports import free_port

CONFIG: Final = """
listening-ip={host}
relay-ip={host}
listening-port={port}
min-port={first}
max-port={last}
realm=test
user={user}:{password}
lt-cred-mech
allow-loopback-peers
cli-password={cli}
no-cli
no-tls
no-dtls
no-tcp-relay
no-multicast-peers
no-rfc5780
no-stdout-log
simple-log
log-file={folder}/log
pidfile={folder}/pid
userdb={folder}/db
"""
RELAYS: Final = 100
"""Ports that it relays on."""
COOKIE: Final = bytes.fromhex("2112a442")
BINDING: Final = bytes.fromhex("0001")


def program() -> str | None:
    """Where it is; None without it."""
    return shutil.which("turnserver")


class Coturn:
    """A running server. ``kill`` and ``start``: it goes, and comes again on the same port."""

    def __init__(self, user: str = "door", password: str = "secret", host: str = "127.0.0.1") -> None:
        self.user, self.password, self.host = user, password, host
        self.port = free_port(1, host)
        self.first = free_port(RELAYS, host)
        self._folder = Path(tempfile.mkdtemp(prefix="coturn-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    def relays(self, port: int) -> bool:
        """Whether a port is one that it relays on."""
        return self.first <= port <= self.first + RELAYS - 1

    def __enter__(self) -> Coturn:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Returns when it answers."""
        found = program()
        assert found is not None, "coturn is not installed"
        config = self._folder / "turnserver.conf"
        values = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        config.write_text(
            CONFIG.format(**values, folder=self._folder, first=self.first, last=self.first + RELAYS - 1,
                          cli=secrets.token_hex(8))
        )  # fmt: skip
        self._process = subprocess.Popen(
            [found, "-c", str(config)], env={**os.environ, "HOME": str(self._folder)}, cwd=self._folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._wait()

    def kill(self) -> None:
        """It is gone at once; what it relayed goes nowhere."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        """Until it answers a STUN request (RFC 8489)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((self.host, 0))
            probe.settimeout(0.1)
            until = time.monotonic() + 20
            while time.monotonic() < until:
                assert self._process is not None
                if self._process.poll() is not None:
                    break
                try:
                    probe.sendto(BINDING + b"\0\0" + COOKIE + secrets.token_bytes(12), (self.host, self.port))
                    probe.recv(2048)
                    return
                except (TimeoutError, ConnectionError):
                    continue
        logs = [path.read_text(errors="replace") for path in self._folder.glob("log*")]
        raise RuntimeError("coturn does not answer: " + "".join(logs)[-2000:])
