"""TCP: the text of the message, then the end of the stream."""

from __future__ import annotations

import asyncio

from axcore.model.recipients import TcpTarget

from ..delivery import DeliveryError
from ..dial import Dialer, reason_of
from ..parcel import Parcel


async def send(target: TcpTarget, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver: all of it was taken by the peer's system."""
    sock = await dialer.connect(target.host, target.port)
    try:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, parcel.text.encode())
    except OSError as error:
        raise DeliveryError(f"{target.host} port {target.port} took not all of it: {reason_of(error)}") from None
    finally:
        sock.close()
