"""Recipients: who can be told and sent files (manual: System > Events > Recipients).

A recipient is a name and a *target* whose ``type`` says how it is reached. Passwords come in and never go out: what is
shown has ``password_set`` instead.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MAX_RECIPIENTS = 20
MAX_NAME = 64
Encryption = Literal["none", "starttls", "tls"]


class Proxy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An HTTP proxy that must be passed."""

    host: str
    port: int = 3128
    username: str = ""
    password: str = ""


class _Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every target has."""


class HttpTarget(_Target, frozen=True, kw_only=True, tag="http"):
    """HTTP: address of the server and of the script that takes the request."""

    url: str
    username: str = ""
    password: str = ""
    proxy: Proxy | None = None


class HttpsTarget(_Target, frozen=True, kw_only=True, tag="https"):
    """HTTPS, with or without a check of the server's certificate."""

    url: str
    validate_server_certificate: bool = True
    username: str = ""
    password: str = ""
    proxy: Proxy | None = None


class FtpTarget(_Target, frozen=True, kw_only=True, tag="ftp"):
    """FTP. The folder has to be there."""

    host: str
    port: int = 21
    folder: str = ""
    username: str = ""
    password: str = ""
    use_temporary_file_name: bool = False
    passive: bool = True


class SftpTarget(_Target, frozen=True, kw_only=True, tag="sftp"):
    """SFTP, with the fingerprint of the server's public key."""

    host: str
    port: int = 22
    folder: str = ""
    username: str = ""
    password: str = ""
    host_key_md5: str = ""
    """32 hexadecimal digits."""
    host_key_sha256: str = ""
    """43 characters of base64; preferred."""
    use_temporary_file_name: bool = False


class NetworkShareTarget(_Target, frozen=True, kw_only=True, tag="networkshare"):
    """A share of a network storage (SMB)."""

    host: str
    share: str
    folder: str = ""
    username: str = ""
    password: str = ""
    port: int = 445


class EmailTarget(_Target, frozen=True, kw_only=True, tag="smtp"):
    """Email over SMTP."""

    send_to: str
    """Addresses, with commas between them."""
    send_from: str
    host: str
    port: int = 587
    encryption: Encryption = "starttls"
    validate_server_certificate: bool = True
    username: str = ""
    password: str = ""
    pop_host: str = ""
    """POP server that is logged in to before sending; empty = none."""


class TcpTarget(_Target, frozen=True, kw_only=True, tag="tcp"):
    """A TCP server that takes text."""

    host: str
    port: int


class TrapTarget(_Target, frozen=True, kw_only=True):
    """Receiver of SNMP traps (manual: System > Network > SNMP); a setting, not one of the recipients."""

    host: str
    port: int = 162
    community: str = "public"


Target = HttpTarget | HttpsTarget | FtpTarget | SftpTarget | NetworkShareTarget | EmailTarget | TcpTarget


class RecipientSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user enters for a recipient."""

    name: str
    target: Target


class Recipient(RecipientSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stored recipient, with its password: never shown."""

    id: str


class RecipientView(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient as it is shown."""

    id: str
    name: str
    target: dict[str, Any]
    """The target without passwords; ``password_set`` tells whether there is one."""
