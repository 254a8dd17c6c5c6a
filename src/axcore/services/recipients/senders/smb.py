"""A share of a network storage over SMB 2 and 3 (smbprotocol, in a thread)."""

from __future__ import annotations

import uuid

from axcore.model.recipients import NetworkShareTarget

from ..delivery import DeliveryError
from ..dial import STEP_SECONDS, Dialer, reason_of
from ..parcel import Parcel
from ..threads import Cutter


async def send(target: NetworkShareTarget, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver every file; a test makes a small one and removes it."""
    addresses = await dialer.addresses(target.host, target.port)
    await dialer.threads.run(lambda cutter: _send(target, parcel, addresses[0][1][0], cutter))


def _send(target: NetworkShareTarget, parcel: Parcel, address: str, cutter: Cutter) -> None:
    import smbclient
    from smbprotocol.exceptions import LogonFailure, SMBAuthenticationError, SMBException, SMBOSError

    cache: dict[str, object] = {}
    common = {
        "username": target.username or None,
        "password": target.password or None,
        "port": target.port,
        "connection_cache": cache,
        "encrypt": False,
    }
    base = "\\".join(
        [rf"\\{address}\{target.share.strip('/')}", *target.folder.replace("/", "\\").strip("\\").split("\\")]
    )
    base = base.rstrip("\\")
    try:
        smbclient.ClientConfig(skip_dfs=True)  # a referral would lead past the access list
        session = smbclient.register_session(
            address, connection_timeout=int(STEP_SECONDS), auth_protocol="ntlm", require_signing=True, **common
        )
        cutter.add(session.connection.transport._sock)  # there is no other way to end what waits for a share
        for file in parcel.files:
            folder = base
            for part in file.folder:
                folder = f"{folder}\\{part}"
                smbclient.makedirs(folder, exist_ok=True, **common)
            path, temporary = f"{folder}\\{file.name}", f"{folder}\\{uuid.uuid4().hex}.part"
            with smbclient.open_file(temporary, mode="wb", **common) as out:
                out.write(file.content)
            smbclient.replace(temporary, path, **common)
            if parcel.test:
                smbclient.remove(path, **common)
    except (LogonFailure, SMBAuthenticationError):
        raise DeliveryError(f"{target.host} does not accept the user name and the password") from None
    except (SMBOSError, OSError, SMBException, ValueError) as error:
        raise DeliveryError(f"{target.host}: {reason_of(error)}", transient=isinstance(error, TimeoutError)) from None
    finally:
        smbclient.reset_connection_cache(connection_cache=cache, fail_on_error=False)
