"""The certificate and the TLS settings of the HTTPS server.

At first start a key on P-256 and a self-signed certificate are made, by a process of its own (``python -m`` this
module): what that takes of memory (12 MB of library) does not stay in a device that runs for years. The key file is
0600 from its first moment; files are replaced as a whole, so that a crash leaves the old pair or the new one.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

FILE: Final = "https.pem"
"""Private key and certificate in one file: they can never be of two different pairs."""
VALID_DAYS: Final = 3650


def server_context(data_dir: Path, common_name: str) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the stored certificate or a new one. Raises OSError, ssl.SSLError (a damaged file)."""
    path = data_dir / FILE
    if not path.exists():
        _write(path, _make(common_name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(path)
    return context


def _make(common_name: str) -> bytes:
    """A new pair from a short-lived process; made right here where Python cannot be started again (embedding)."""
    try:
        command = [sys.executable, "-P", "-m", __name__, common_name]
        made = subprocess.run(command, capture_output=True, check=True, timeout=30, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("the certificate is made in this process: %s", error)
        return self_signed(common_name)
    return made.stdout


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def self_signed(common_name: str) -> bytes:
    """PEM of a new key and of a certificate for this host (localhost, 127.0.0.1, ::1 and the host name)."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    hosts = dict.fromkeys(("localhost", *_host_names()))
    alternatives: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem + certificate.public_bytes(serialization.Encoding.PEM)


def _host_names() -> tuple[str, ...]:
    name = socket.gethostname()
    return (
        (name,) if name.isascii() and 0 < len(name) <= 63 and name.replace("-", "").replace(".", "").isalnum() else ()
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(self_signed(sys.argv[1]))
