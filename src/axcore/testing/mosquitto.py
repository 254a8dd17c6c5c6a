"""Debian's mosquitto on free ports of 127.0.0.1: TCP, TLS, web socket and secure web socket.

>>> with Mosquitto() as broker:
...     broker.ports["wss"], broker.authority
"""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from axcore.testing.ports import free_port

TRANSPORTS = ("tcp", "ssl", "ws", "wss")
USER, PASSWORD = "door", "open sesame"


class Authority:
    """A certificate authority of its own, with a server and a client certificate. All PEM."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "axcore test CA")])
        self.certificate = self._sign("axcore test CA", self._key.public_key(), ca=True)
        self.server, self.server_key = self.issue("localhost")
        self.client, self.client_key = self.issue("axcore client")

    def issue(self, name: str) -> tuple[str, str]:
        """A certificate (for 127.0.0.1 too) and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
        return self._sign(name, key.public_key(), ca=False), pem

    def _sign(self, name: str, key: ec.EllipticCurvePublicKey, *, ca: bool) -> str:
        now = datetime.datetime.now(datetime.UTC)
        names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class Mosquitto:
    """``ports`` maps tcp, ssl, ws, wss to their ports. ``login``: only USER with PASSWORD may enter."""

    def __init__(self, *, login: bool = False, extra: Iterable[str] = (), no_delay: bool = True) -> None:
        self.authority = Authority()
        self._folder = Path(tempfile.mkdtemp(prefix="mosquitto-"))
        self.ports = dict(zip(TRANSPORTS, itertools.count(free_port(len(TRANSPORTS))), strict=False))
        self._process: subprocess.Popen[bytes] | None = None
        self._write(login, extra, no_delay)

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start and wait until it answers."""
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [find(), "-c", str(self._folder / "conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError("mosquitto does not start:\n" + self.log()) from None
                    time.sleep(0.02)  # wall clock: a process starts

    def stop(self) -> None:
        """End the broker; its ports stay its own."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def close(self) -> None:
        """End the broker and forget its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        """What it printed."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def _write(self, login: bool, extra: Iterable[str], no_delay: bool) -> None:
        folder, authority = self._folder, self.authority
        files = {"ca": authority.certificate, "crt": authority.server, "key": authority.server_key}
        for name, text in files.items():
            (folder / name).write_text(text)
        lines = ["persistence false", "max_queued_messages 100000", f"set_tcp_nodelay {str(no_delay).lower()}"]
        lines += ["log_type error", "log_type warning", "log_type notice", *extra]
        if login:
            (folder / "passwd").write_text(f"{USER}:{PASSWORD}\n")
            subprocess.run(["mosquitto_passwd", "-U", str(folder / "passwd")], check=True)
            lines += ["allow_anonymous false", f"password_file {folder / 'passwd'}"]
        else:
            lines += ["allow_anonymous true"]
        for transport, port in self.ports.items():
            lines.append(f"listener {port} 127.0.0.1")
            if transport.startswith("ws"):
                lines.append("protocol websockets")
            if transport in ("ssl", "wss"):
                lines += [f"cafile {folder / 'ca'}", f"certfile {folder / 'crt'}", f"keyfile {folder / 'key'}"]
        folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o644)
        lines.append(f"user {_user()}")
        (folder / "conf").write_text("\n".join(lines) + "\n")


def find() -> str:
    """The program; it is in sbin, which not every path has."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("mosquitto is not installed; run `.ci/need mosquitto`")
    return found


def _user() -> str:
    import getpass

    return getpass.getuser()
