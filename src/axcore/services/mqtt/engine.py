"""MQTT 3.1.1 and 5 by the packets of the paho library, over a ``Link``: acknowledgements, QoS 1 and 2, keep-alive.

paho decodes and answers packets; what reaches it is split and bounded here (``framing.py``), because its own reader
keeps whatever a broker claims to send. This is the only module that imports paho, and the only one that touches what
paho calls private: ``_in_packet``, ``_packet_handle``, ``_handle_publish``, ``_create_socket``, ``_in_messages``,
``_out_messages``. One engine lives as long as a configuration, so that messages of QoS >= 1 survive a lost connection.
Threads: the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from axcore.model.mqtt import Message, Qos

from .framing import MAX_PACKET, PUBLISH, Packet, ProtocolError, Splitter
from .link import Link

MAX_INFLIGHT = 64
"""Messages of QoS >= 1 that wait for their acknowledgement."""
MAX_INFLIGHT_OCTETS = 1 << 20
MAX_HALF = 256
"""Messages of QoS 2 from the broker that wait for their release."""
MAX_HALF_OCTETS = 4 << 20
PACKETS_A_TURN = 64
"""Packets that are handled before the loop gets its turn."""
READ_HIGH, READ_LOW = 262_144, 65_536
"""Octets that may wait before the broker has to."""
MAX_BROKER_PACKET = 268_435_455
"""Octets that a broker takes unless it says otherwise (MQTT 5)."""
PACKET_OVERHEAD = 16
CLOSE_S = 2.0
"""Time for a goodbye to be sent."""
SESSION_EXPIRY_S = 86_400
"""MQTT 5: how long a broker keeps our session without ``cleanSession``."""

OnMessage = Callable[[str, bytes, bool, bool], None]
"""Topic, payload, retained, whole."""


class RefusedError(Exception):
    """The broker refused the connection; the text says why."""


class _Paho(paho.Client):
    """paho without a socket of its own."""

    link: Link | None = None
    whole = True

    def _create_socket(self) -> Any:
        return self.link

    def _handle_publish(self) -> MQTTErrorCode:
        """Refuse what paho lets pass: QoS 3, wildcards, topics that are no text, too much of QoS 2 at once."""
        command, body = self._in_packet["command"], self._in_packet["packet"]
        size = int.from_bytes(body[:2], "big")
        if command & 0x06 == 0x06 or _topic(body[2 : 2 + size], size) is None:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if command & 0x04 and self._half_full(len(body)):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return super()._handle_publish()

    def _handle_pubrec(self) -> MQTTErrorCode:
        """MQTT 5: a reason of 0x80 and above ends the message (paho would wait for ever)."""
        body = self._in_packet["packet"]
        if self._protocol == MQTTProtocolVersion.MQTTv5 and len(body) > 2 and body[2] >= 0x80:
            mid = int.from_bytes(body[:2], "big")
            if mid in self._out_messages:
                reason = ReasonCode(PacketTypes.PUBACK, identifier=0x80)
                return self._do_on_publish(mid, reason, Properties(PacketTypes.PUBACK))  # type: ignore[no-untyped-call]
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return super()._handle_pubrec()

    def _half_full(self, size: int) -> bool:
        waiting = self._in_messages.values()
        if len(waiting) >= MAX_HALF:
            return True
        return len(waiting) > 16 and size + sum(len(each.payload) for each in waiting) > MAX_HALF_OCTETS


def _topic(name: bytes | bytearray, size: int) -> str | None:
    """A topic of ``size`` octets as text; None where it is none (MQTT 3.1.1, sections 3.3.2.1 and 4.7.1.1)."""
    if len(name) != size or not size or b"+" in name or b"#" in name or b"\0" in name:
        return None
    try:
        return name.decode()
    except UnicodeDecodeError:
        return None


class Engine:
    """One session with a broker, over one connection after the other."""

    def __init__(
        self,
        *,
        client_id: str,
        version5: bool,
        clean_session: bool,
        keep_alive: int,
        username: str = "",
        password: str = "",
        will: Message | None = None,
    ) -> None:
        self.on_message: OnMessage = lambda topic, payload, retained, whole: None
        self.on_lost: Callable[[str], None] = lambda reason: None
        self.on_room: Callable[[], None] = lambda: None
        """More messages can be published."""
        self.give_way: Callable[[], None] = lambda: None
        """Called before each packet."""
        self.session_present = False
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._splitter = Splitter()
        self._paused = False
        self._scheduled = False
        self._closing = False
        self._max_packet = MAX_BROKER_PACKET
        self._window = MAX_INFLIGHT
        self._octets: dict[int, int] = {}
        self._idle = asyncio.Event()
        self._connected: asyncio.Future[None] | None = None
        self._subscribed: dict[int, asyncio.Future[list[int]]] = {}
        self._v5, self._clean = version5, clean_session
        self._paho = _Paho(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if version5 else clean_session,
            protocol=MQTTProtocolVersion.MQTTv5 if version5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._set_up(keep_alive, username, password, will)

    def _set_up(self, keep_alive: int, username: str, password: str, will: Message | None) -> None:
        client = self._paho
        client.max_inflight_messages_set(MAX_INFLIGHT)
        if username or password:
            client.username_pw_set(username, password or None)
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        more: dict[str, Any] = {}
        if self._v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = MAX_PACKET
            properties.ReceiveMaximum = MAX_HALF
            if not self._clean:
                properties.SessionExpiryInterval = SESSION_EXPIRY_S
            more = {"clean_start": self._clean, "properties": properties}
        client.connect_async(
            "broker", 1883, keep_alive, **more
        )  # only the keep-alive is used: the link is made elsewhere

    # --- life of a connection

    async def connect(self, link: Link) -> None:
        """Say CONNECT over a new link and wait for the answer. Raises RefusedError, OSError."""
        self._splitter = Splitter()
        self._paused = self._closing = False
        self._link = self._paho.link = link
        self._connected = self._loop.create_future()
        link.on_data, link.on_lost, link.on_writable = self._on_data, self._on_link_lost, self._on_writable
        self._paho.reconnect()
        link.start()
        await self._connected

    async def disconnect(self, patience: float) -> None:
        """Wait until what was published is acknowledged (at most ``patience`` s), then say goodbye."""
        link = self._link
        if link is None:
            return
        if self._octets:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._idle.wait()
        if self._link is None:
            return
        self._closing = True
        self._paho.disconnect()
        link.close()
        self._loop.call_later(CLOSE_S, link.abort)

    def drop(self) -> None:
        """Close the link at once."""
        if self._link is not None:
            self._link.abort()

    def tick(self) -> None:
        """Keep-alive; call about once a second."""
        self._paho.loop_misc()

    # --- messages

    @property
    def has_room(self) -> bool:
        """Whether another message can be published now."""
        link = self._link
        if link is None or not link.writable or link.lost is not None or not self._paho.is_connected():
            return False
        return len(self._octets) < self._window and sum(self._octets.values()) < MAX_INFLIGHT_OCTETS

    @property
    def unacknowledged(self) -> int:
        """Messages of QoS >= 1 that the broker has not acknowledged."""
        return len(self._octets)

    def publish(self, message: Message) -> bool:
        """Send a message; one of QoS >= 1 is kept until it is acknowledged, over reconnects too.

        False: it is larger than the broker takes (MQTT 5), and is not sent.
        """
        if message.size + PACKET_OVERHEAD > self._max_packet:
            return False
        info = self._paho.publish(message.topic, message.payload, message.qos, message.retain)
        if message.qos:
            self._octets[info.mid] = message.size
        return True

    async def subscribe(self, filters: Iterable[tuple[str, Qos]]) -> list[int]:
        """Subscribe; gives a reason code for each filter (>= 128: refused)."""
        entries = list(filters)
        if not entries:
            return []
        if self._v5:
            topics: list[Any] = [(text, SubscribeOptions(qos=qos, noLocal=False)) for text, qos in entries]
        else:
            topics = list(entries)
        _, mid = self._paho.subscribe(topics)
        if mid is None:
            raise OSError("the connection is closed")
        future = self._subscribed[mid] = self._loop.create_future()
        try:
            codes: list[int] = await future
            return codes
        finally:
            self._subscribed.pop(mid, None)

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """End subscriptions."""
        texts = list(filters)
        if texts:
            self._paho.unsubscribe(texts)

    # --- from the link

    def _on_data(self, data: bytes) -> None:
        self._splitter.feed(data)
        if not self._scheduled:
            self._work()

    def _work(self) -> None:
        """Handle some packets, and come back if there are more: a flood does not keep the loop."""
        self._scheduled = False
        splitter = self._splitter
        try:
            for _ in range(PACKETS_A_TURN):
                self.give_way()
                # A broker that does not read our acknowledgements gets no more of them.
                packet = splitter.next() if self._link is not None and self._link.writable else None
                if packet is None:
                    break
                if (error := self._handle(packet)) is not None:
                    raise ProtocolError(error)
            else:
                self._scheduled = True
                self._loop.call_soon(self._work)
        except Exception as error:  # whatever a broker's bytes do to a decoder
            self._fail(f"the broker broke the protocol: {error}")
            return
        self._balance()

    def _handle(self, packet: Packet) -> str | None:
        client = self._paho
        if packet.command & 0xF6 == PUBLISH and self._plain(packet):
            client._last_bytes_received = paho.time_func()
            return None
        client.whole = packet.whole
        client._in_packet = {
            "command": packet.command, "have_remaining": 1, "remaining_count": [], "remaining_mult": 1,
            "remaining_length": len(packet.body), "packet": bytearray(packet.body), "to_process": 0, "pos": 0,
        }  # fmt: skip
        client._last_bytes_received = paho.time_func()
        rc = client._packet_handle()
        return None if rc in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_CONN_REFUSED) else rc.name

    def _plain(self, packet: Packet) -> bool:
        """A PUBLISH of QoS 0 without properties wants no answer: paho would take four times as long.

        False: it is another one, or not well-formed; paho sees to it.
        """
        body = packet.body
        size = int.from_bytes(body[:2], "big")
        at = 2 + size
        if self._v5:
            if body[at : at + 1] != b"\0":
                return False
            at += 1
        topic = _topic(body[2 : 2 + size], size)
        if topic is None:
            return False
        self.on_message(topic, body[at:], bool(packet.command & 1), packet.whole)
        return True

    def _balance(self) -> None:
        if self._link is None:
            return
        enough = len(self._splitter) > (READ_LOW if self._paused else READ_HIGH) or not self._link.writable
        if self._paused != enough:
            self._paused = enough
            (self._link.pause if enough else self._link.resume)()

    def _on_writable(self) -> None:
        if self._paho.want_write():
            self._paho.loop_write()
        if not self._scheduled:
            self._work()
        self.on_room()

    def _on_link_lost(self, reason: str) -> None:
        self._lose(reason)

    def _fail(self, reason: str) -> None:
        link = self._link
        self._lose(reason)
        if link is not None:
            link.abort()

    def _lose(self, reason: str) -> None:
        if self._link is None:
            return
        self._link = None
        self._splitter = Splitter()
        if self._clean:
            self._paho._in_messages.clear()
        if self._connected is not None and not self._connected.done():
            self._connected.set_exception(OSError(reason))
        for future in self._subscribed.values():
            if not future.done():
                future.set_exception(OSError(reason))
        self.on_lost(reason)

    # --- from paho

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        assert self._connected is not None
        if self._connected.done():
            raise ProtocolError("a second CONNACK")
        if reason.is_failure:
            self._connected.set_exception(RefusedError(str(reason)))
            return
        self.session_present = flags.session_present
        if self._v5:
            self._window = min(MAX_INFLIGHT, getattr(properties, "ReceiveMaximum", MAX_INFLIGHT))
            self._max_packet = getattr(properties, "MaximumPacketSize", MAX_BROKER_PACKET)
        self._connected.set_result(None)

    def _on_disconnect(self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if self._closing:
            self._lose("closed")
            return
        told = flags.is_disconnect_packet_from_server
        self._fail(f"the broker disconnected: {reason}" if told else f"the connection was lost: {reason}")

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.on_message(message.topic, bytes(message.payload), message.retain, self._paho.whole)

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: ReasonCode, _properties: Any) -> None:
        if self._octets.pop(mid, None) is not None:
            if not self._octets:
                self._idle.set()
            self._loop.call_soon(self.on_room)

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        future = self._subscribed.get(mid)
        if future is not None and not future.done():
            future.set_result([reason.value for reason in reasons])
