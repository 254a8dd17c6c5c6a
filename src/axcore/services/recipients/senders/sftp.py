"""SFTP (asyncssh): the server's key must have the fingerprint that was entered."""

from __future__ import annotations

import hmac
from typing import Any

from axcore.model.recipients import SftpTarget

from ..delivery import DeliveryError
from ..dial import STEP_SECONDS, Dialer, reason_of
from ..parcel import Parcel

TEMPORARY = ".part"


def right_key(target: SftpTarget, key: Any) -> bool:
    """Whether a public key has the fingerprint; SHA-256 counts where both are given."""
    if target.host_key_sha256:
        found = key.get_fingerprint("sha256").partition(":")[2].rstrip("=")
        wanted = target.host_key_sha256.removeprefix("SHA256:").rstrip("=")
    else:
        found = key.get_fingerprint("md5").partition(":")[2].replace(":", "").lower()
        wanted = target.host_key_md5.replace(":", "").lower()
    return hmac.compare_digest(found, wanted)


async def send(target: SftpTarget, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver every file; a test makes a small one and removes it."""
    import asyncssh

    refused: list[str] = []

    class Client(asyncssh.SSHClient):
        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            if right_key(target, key):
                return True
            refused.append(key.get_fingerprint("sha256"))
            return False

    sock = await dialer.connect(target.host, target.port)
    try:
        async with (
            asyncssh.connect(
                sock=sock,
                host=target.host,
                client_factory=Client,
                known_hosts=([], [], []),
                username=target.username,
                password=target.password,
                client_keys=None,
                agent_path=None,
                config=None,
                login_timeout=STEP_SECONDS,
            ) as connection,
            connection.start_sftp_client() as client,
        ):
            for file in parcel.files:
                folders = [target.folder] if target.folder else []
                for folder in file.folder:
                    folders.append(folder)
                    if not await client.isdir("/".join(folders)):  # below the recipient's own, which must be there
                        await client.mkdir("/".join(folders))
                path = "/".join([*folders, file.name])
                name = f"{path}{TEMPORARY}" if target.use_temporary_file_name else path
                async with client.open(name, "wb") as out:
                    await out.write(file.content)
                if name != path:
                    await client.rename(name, path)
                if parcel.test:
                    await client.remove(path)
    except asyncssh.HostKeyNotVerifiable:
        seen = refused[0] if refused else "another one"
        raise DeliveryError(f"the key of {target.host} is not the one that was entered: it has {seen}") from None
    except asyncssh.PermissionDenied:
        raise DeliveryError(f"{target.host} does not accept the user name and the password") from None
    except asyncssh.SFTPError as error:
        raise DeliveryError(f"{target.host} refuses: {reason_of(error)}") from None
    except (asyncssh.Error, OSError) as error:
        raise DeliveryError(f"{target.host}: {reason_of(error)}", transient=True) from None
    finally:
        sock.close()
