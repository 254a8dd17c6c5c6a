"""SNMP traps, version 2c (RFC 3416, 4.2.6): one datagram. The encoder is ours: BER of five types is little.

The trap is ``axcoreNotification`` below the enterprise number that RFC 5612 reserves for documentation; its variable
is the message as text.
"""

from __future__ import annotations

import asyncio

from axcore.model.recipients import TrapTarget

from ..delivery import DeliveryError
from ..dial import Dialer, reason_of
from ..parcel import Parcel

SYS_UP_TIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SNMP_TRAP_OID = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
NOTIFICATION = (1, 3, 6, 1, 4, 1, 32473, 1, 0, 1)
MESSAGE = (1, 3, 6, 1, 4, 1, 32473, 1, 1, 1, 0)
MAX_MESSAGE = 1024
V2C, TRAP_V2, TIME_TICKS = 1, 0xA7, 0x43


async def send(target: TrapTarget, parcel: Parcel, dialer: Dialer) -> None:
    """Send; a trap is not acknowledged."""
    loop = asyncio.get_running_loop()
    family, address = (await dialer.addresses(target.host, target.port))[0]
    datagram = trap(target.community, parcel.text, uptime_ticks=int(loop.time() * 100), request_id=parcel.number)
    try:
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=address[:2], family=family
        )
        transport.sendto(datagram)
        transport.close()
    except OSError as error:
        raise DeliveryError(f"{target.host} port {target.port}: {reason_of(error)}", transient=True) from None


def trap(community: str, message: str, *, uptime_ticks: int, request_id: int) -> bytes:
    """An SNMPv2-Trap message."""
    bindings = (
        _sequence(_oid(SYS_UP_TIME), _tagged(TIME_TICKS, _integer_octets(uptime_ticks & 0xFFFFFFFF))),
        _sequence(_oid(SNMP_TRAP_OID), _oid(NOTIFICATION)),
        _sequence(_oid(MESSAGE), _tagged(0x04, message.encode()[:MAX_MESSAGE])),
    )
    pdu = _integer(request_id & 0x7FFFFFFF) + _integer(0) + _integer(0) + _sequence(*bindings)
    return _sequence(_integer(V2C), _tagged(0x04, community.encode()), _tagged(TRAP_V2, pdu))


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _integer_octets(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _integer(value: int) -> bytes:
    return _tagged(0x02, _integer_octets(value))


def _oid(numbers: tuple[int, ...]) -> bytes:
    content = bytearray([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return _tagged(0x06, bytes(content))
