"""A relay on a TURN server (RFC 8656) by ``aioice``'s client, and the watch over its server.

``aioice`` speaks with the server when something is sent, and renews the relay after 500 s. For so long nobody would see
that a server is gone, and an address translator in between may forget the way by then while a call is held. So the
relay is renewed all the time, as often as RFC 8445 section 11 keeps a way open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import aioice.stun
import aioice.turn

from axcore.model.nat import Traversal

ASK_S: Final = 15.0
"""Between two questions to a server."""
ANSWER_S: Final = 10.0
"""That it has for the answer: five requests, the last after 7.5 s."""

P = TypeVar("P", bound=asyncio.DatagramProtocol)
Client = aioice.turn.TurnClientUdpProtocol


async def allocate(place: tuple[str, int], how: Traversal, make: Callable[[], P]) -> tuple[P, Client]:
    """A relay, and who speaks with its server.

    ``make``: the protocol that gets what the relay hears; its transport tells ``sockname`` and ``related_address``.
    OSError, ``aioice.stun.TransactionError``: there is none.
    """
    transport, client = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Client(
            place,
            username=how.turn_user,
            password=how.turn_password,
            lifetime=aioice.turn.DEFAULT_ALLOCATION_LIFETIME,
            channel_refresh_time=aioice.turn.DEFAULT_CHANNEL_REFRESH_TIME,
        ),
        remote_addr=place,
    )
    try:
        protocol = make()
        await aioice.turn.TurnTransport(client)._connect(protocol)
    except BaseException:  # also when there is no time left
        transport.close()
        raise
    return protocol, client


async def until_gone(client: Client) -> str:
    """Renew the relay all the time, until its server no longer does that; why."""
    while True:
        await asyncio.sleep(ASK_S)
        request = aioice.stun.Message(
            message_method=aioice.stun.Method.REFRESH, message_class=aioice.stun.Class.REQUEST
        )
        request.attributes["LIFETIME"] = client.lifetime
        try:
            await asyncio.wait_for(client.request_with_retry(request), ANSWER_S)
        except (TimeoutError, aioice.stun.TransactionTimeout):
            return "the TURN server does not answer any more"
        except (aioice.stun.TransactionError, OSError) as error:
            return f"the TURN server has not renewed the relay: {error}"
