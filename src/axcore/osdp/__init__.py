"""OSDP, complete and usable without the runtime: both ends of the line, the frames, the secure channel, a sniffer.

    >>> from axcore import osdp
    >>> osdp.encode(osdp.Command.POLL, address=1, sequence=2).hex(" ")
    '53 01 08 00 06 60 d8 66'
    >>> frames, rest = osdp.decode(bytes.fromhex("ff 53 00 09 00 04 61 00 c0 66 53 00"))
    >>> frames
    [Frame(command 0x61, address=0, sequence=0, scb_type=0x0, data='00')]
    >>> rest.hex()
    '5300'
    >>> hex(osdp.crc16(b"123456789"))
    '0xe5cc'

``Bus`` is the controller, ``Device`` a reader; both sit on engines (``ControlPanel``, ``PeripheralDevice``) that take
bytes and time and give bytes and events, for those who bring their own loop. With a key, everything goes over the
secure channel.
"""

from axcore._native.osdp import (
    SCBK_D,
    Frame,
    Receiver,
    Session,
    checksum,
    crc16,
    decode,
    decode_frame,
    encode,
    key_is_weak,
)
from axcore._native.osdp_line import NEVER, ControlPanel, Event, PeripheralDevice
from axcore.osdp import events, messages
from axcore.osdp.bus import Bus, CommandError, Reader, check_key
from axcore.osdp.codes import AttackKind, Color, Command, EventKind, LinkState, NakReason, Policy, Reply, Why
from axcore.osdp.device import Device, DeviceEvent, FileReceiver, RefusalError
from axcore.osdp.sniffer import Record, Seen, Sniffer, read_capture, write_capture

__all__ = [
    "NEVER",
    "SCBK_D",
    "AttackKind",
    "Bus",
    "Color",
    "Command",
    "CommandError",
    "ControlPanel",
    "Device",
    "DeviceEvent",
    "Event",
    "EventKind",
    "FileReceiver",
    "Frame",
    "LinkState",
    "NakReason",
    "PeripheralDevice",
    "Policy",
    "Reader",
    "Receiver",
    "Record",
    "RefusalError",
    "Reply",
    "Seen",
    "Session",
    "Sniffer",
    "Why",
    "check_key",
    "checksum",
    "crc16",
    "decode",
    "decode_frame",
    "encode",
    "events",
    "key_is_weak",
    "messages",
    "read_capture",
    "write_capture",
]
