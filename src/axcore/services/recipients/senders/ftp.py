"""FTP (the standard library's client, in a thread): active or passive, temporary names, folders below the given one."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket

from axcore.model.recipients import FtpTarget

from ..delivery import DeliveryError, File
from ..dial import STEP_SECONDS, Dialer, reason_of
from ..parcel import Parcel
from ..threads import Cutter

TEMPORARY = ".part"


async def send(target: FtpTarget, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver every file; a test makes a small one and removes it."""
    await dialer.threads.run(lambda cutter: _send(target, parcel, dialer, cutter))


class _Client(ftplib.FTP):
    """The data connection goes to the peer of the control connection, and past the access list."""

    def __init__(self, dialer: Dialer, cutter: Cutter) -> None:
        super().__init__(timeout=STEP_SECONDS, encoding="utf-8")
        self._dialer = dialer
        self._cutter = cutter

    def begin(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.sock = self._dialer.connect_blocking(host, port, self._cutter)
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()

    def makepasv(self) -> tuple[str, int]:
        host, port = super().makepasv()
        self._dialer.acl.check(host, port)
        return host, port

    def makeport(self) -> socket.socket:
        listener = super().makeport()
        self._cutter.add(listener)
        return listener

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        sock, size = super().ntransfercmd(cmd, rest)
        assert self.sock is not None
        server, peer = self.sock.getpeername()[0], sock.getpeername()[0]
        if peer != server:
            sock.close()
            raise DeliveryError(f"the data connection is with {peer}, and not with the server ({server})")
        self._cutter.add(sock)
        return sock, size or 0


def _send(target: FtpTarget, parcel: Parcel, dialer: Dialer, cutter: Cutter) -> None:
    client = _Client(dialer, cutter)
    try:
        client.begin(target.host, target.port)
        client.login(target.username or "anonymous", target.password)
        client.set_pasv(target.passive)
        if target.folder:
            client.cwd(target.folder)
        home = client.pwd()
        for file in parcel.files:
            _store(client, target, file, home, remove=parcel.test)
        with contextlib.suppress(ftplib.Error, OSError, EOFError):
            client.quit()
    except ftplib.error_perm as error:
        raise DeliveryError(f"{target.host} refuses: {reason_of(error)}") from None
    except (ftplib.Error, OSError, EOFError) as error:
        raise DeliveryError(f"{target.host}: {reason_of(error)}", transient=True) from None
    finally:
        client.close()


def _store(client: _Client, target: FtpTarget, file: File, home: str, *, remove: bool) -> None:
    client.cwd(home)
    for folder in file.folder:
        with contextlib.suppress(ftplib.error_perm):  # it is there
            client.mkd(folder)
        client.cwd(folder)
    name = f"{file.name}{TEMPORARY}" if target.use_temporary_file_name else file.name
    client.storbinary(f"STOR {name}", io.BytesIO(file.content))
    if name != file.name:
        client.rename(name, file.name)
    if remove:
        client.delete(file.name)
