"""The far end of a call that speaks ICE: SIP by hand (``sip_peers``), and a connection of ``aioice`` as it comes.

with IcePeer(station.port) as peer:
    invite = peer.wait_invite()
    peer.accept(invite)             # 200 with its candidates; checks begin
    peer.connected()
    peer.press("1")
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import aioice
from sip_peers import Message, Offer, Peer

from axcore.model.nat import Ice
from axcore.rtp import Session
from axcore.rtp.events import DIGITS
from axcore.testing.coturn import Coturn
from axcore.voice import sdp_ice
from tests.e2e.patience import PATIENCE

T = TypeVar("T")
FRAME, FRAME_NS, PRESS_FRAMES = 160, 20_000_000, 10
SILENCE = b"\xff" * FRAME
HOST = "127.0.0.1"


class _Loopback(aioice.Connection):
    """``aioice`` does not offer loopback, and this is all that a test has for sure."""

    async def get_component_candidates(self, component: int, addresses: list[str], *_: Any) -> list[aioice.Candidate]:
        here = [HOST] if self._transport_policy is aioice.TransportPolicy.ALL else []
        return await super().get_component_candidates(component, here, round(PATIENCE))


class IcePeer(Peer):
    """See the module's text. ``turn``: it relays through that, and offers nothing else."""

    def __init__(self, port: int, *, controlling: bool = False, turn: Coturn | None = None) -> None:
        super().__init__(port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        more: dict[str, Any] = {}
        if turn is not None:
            more = {
                "turn_server": (turn.host, turn.port),
                "turn_username": turn.user,
                "turn_password": turn.password,
                "transport_policy": aioice.TransportPolicy.RELAY,
            }
        self.connection = _Loopback(controlling, components=2, **more)
        self._do(self.connection.gather_candidates())
        self.heard: list[bytes] = []
        """Datagrams of RTP that came."""
        self._listening: Any = None
        self._session = Session(payload_type=0, event_type=101, rtcp_ms=0)
        self._now = 0

    def __exit__(self, *args: Any) -> None:
        if self._listening is not None:
            self._listening.cancel()
        self._do(self.connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        super().__exit__(*args)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    @property
    def description(self) -> str:
        """With its candidates."""
        own = self.connection
        lines = [f"a=ice-ufrag:{own.local_username}", f"a=ice-pwd:{own.local_password}"]
        lines += [f"a=candidate:{one.to_sdp()}" for one in own.local_candidates]
        default = next(one for one in own.local_candidates if one.component == 1)
        return str(Offer(port=default.port, host=default.host, more=tuple(lines)))

    def wait_invite(self) -> Message:
        """The call of the device."""
        return self.expect(lambda one: one.method == "INVITE" and not one.status)

    def accept(self, invite: Message) -> Ice:
        """Answer it with its own candidates; those of the device."""
        found = self.check(invite.body)
        self.reply(invite, 200, "Content-Type: application/sdp", body=self.description)
        return found

    def check(self, description: str) -> Ice:
        """Begin the checks with who described himself so."""
        found = sdp_ice.parse(description)
        assert found is not None
        self._work = asyncio.run_coroutine_threadsafe(self._connect(found), self._loop)
        return found

    async def _connect(self, remote: Ice) -> None:
        own = self.connection
        own.remote_username, own.remote_password = remote.ufrag, remote.password
        for one in remote.candidates:
            await own.add_remote_candidate(
                aioice.Candidate(one.foundation, one.component, "udp", one.priority, one.address, one.port, one.kind)
            )
        await own.add_remote_candidate(None)
        await own.connect()
        self._listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                data, component = await self.connection.recvfrom()
                if component == 1:
                    self.heard.append(data)

    def connected(self) -> None:
        """Wait until its checks are done."""
        self._work.result(PATIENCE)

    def key(self, digit: str) -> list[bytes]:
        """The packets of a key (RFC 4733)."""
        packets = []
        self._session.press(DIGITS.index(digit), FRAME * PRESS_FRAMES)
        for _ in range(PRESS_FRAMES + 6):
            self._now = max(self._now + FRAME_NS, self._session.due_ns)
            packet = self._session.send(SILENCE, self._now)
            if packet is not None:
                packets.append(packet)
        return packets

    def press(self, digit: str) -> None:
        """Send a key over the path that was found."""
        for packet in self.key(digit):
            self._do(self.connection.sendto(packet, 1))
