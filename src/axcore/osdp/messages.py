"""The 26 commands and 26 replies of OSDP as frozen structs.

Each class names its code, the layout of its fixed fields (``struct`` notation, little-endian) and what follows them.

    >>> from axcore.osdp import messages
    >>> messages.Text(text=b"Hello").pack().hex()
    '00010001010548656c6c6f'
    >>> messages.unpack(True, 0x50, bytes.fromhex("00011a00b623ae40"))
    Raw(reader=0, format=1, bits=26, data=b'\\xb6#\\xae@')
"""

from __future__ import annotations

import struct
from typing import ClassVar, Self

import msgspec

from axcore.errors import FormatError, InputError
from axcore.osdp.codes import Command, NakReason, Reply

REST = "*"
"""Everything up to the end follows the fixed fields; ``"B"`` and ``"H"``: a count of that size and so many bytes."""


class Message(msgspec.Struct, frozen=True):
    """A command or a reply. The last field of a message with a tail is the tail."""

    CODE: ClassVar[int] = 0
    LAYOUT: ClassVar[str] = ""
    TAIL: ClassVar[str] = ""
    REPEATS: ClassVar[bool] = False
    """The payload is one record after the other."""

    def pack(self) -> bytes:
        """The payload. ``InputError`` when a field does not fit."""
        values = [getattr(self, name) for name in self.__struct_fields__]
        try:
            if not self.TAIL:
                return struct.pack("<" + self.LAYOUT, *values)
            tail = bytes(values.pop())
            count = b"" if self.TAIL == REST else struct.pack("<" + self.TAIL, len(tail))
            return struct.pack("<" + self.LAYOUT, *values) + count + tail
        except (struct.error, TypeError) as error:
            raise InputError(type(self).__name__, str(error)) from None

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The message in a payload. ``FormatError`` when lengths do not agree."""
        counted = cls.TAIL if cls.TAIL != REST else ""
        fixed = struct.Struct("<" + cls.LAYOUT + counted)
        if len(data) < fixed.size or (not cls.TAIL and len(data) != fixed.size):
            raise FormatError(f"{cls.__name__}: {len(data)} bytes, expected {fixed.size}")
        values = list(fixed.unpack_from(data))
        if cls.TAIL:
            tail = data[fixed.size :]
            if counted and values.pop() != len(tail):
                raise FormatError(f"{cls.__name__}: {len(tail)} bytes follow, the count says otherwise")
            values.append(tail)
        return cls(*values)


class Empty(Message, frozen=True):
    """Messages without payload."""


class Poll(Empty, frozen=True):
    CODE = Command.POLL


class Id(Message, frozen=True):
    """kind 0: PDID, 1: EXT_PDID."""

    CODE, LAYOUT = Command.ID, "B"
    kind: int = 0


class Cap(Message, frozen=True):
    CODE, LAYOUT = Command.CAP, "B"
    kind: int = 0


class LocalStatus(Empty, frozen=True):
    CODE = Command.LSTAT


class InputStatus(Empty, frozen=True):
    CODE = Command.ISTAT


class OutputStatus(Empty, frozen=True):
    CODE = Command.OSTAT


class ReaderStatus(Empty, frozen=True):
    CODE = Command.RSTAT


class Output(Message, frozen=True):
    """control: 0 nothing, 1 off and 2 on for good, 3 and 4 the same when the timer ends, 5 on and 6 off for a time."""

    CODE, LAYOUT, REPEATS = Command.OUT, "BBH", True
    output: int = 0
    control: int = 0
    timer_100ms: int = 0


class Led(Message, frozen=True):
    """Two patterns, times in 100 ms. temp_control: 0 nothing, 1 cancel, 2 set; control: 0 nothing, 1 set."""

    CODE, LAYOUT, REPEATS = Command.LED, "BBBBBBBHBBBBB", True
    reader: int = 0
    led: int = 0
    temp_control: int = 0
    temp_on: int = 0
    temp_off: int = 0
    temp_on_color: int = 0
    temp_off_color: int = 0
    temp_timer_100ms: int = 0
    control: int = 0
    on: int = 0
    off: int = 0
    on_color: int = 0
    off_color: int = 0


class Buzzer(Message, frozen=True):
    """tone: 1 off, 2 default. Times in 100 ms; count 0 = until stopped."""

    CODE, LAYOUT, REPEATS = Command.BUZ, "BBBBB", True
    reader: int = 0
    tone: int = 2
    on: int = 1
    off: int = 0
    count: int = 1


class Text(Message, frozen=True):
    """command: 1 permanent, 2 permanent with wrap, 3 temporary, 4 temporary with wrap."""

    CODE, LAYOUT, TAIL = Command.TEXT, "BBBBB", "B"
    reader: int = 0
    command: int = 1
    seconds: int = 0
    row: int = 1
    column: int = 1
    text: bytes = b""


class Comset(Message, frozen=True):
    CODE, LAYOUT = Command.COMSET, "BI"
    address: int = 0
    baud: int = 9600


class BioRead(Message, frozen=True):
    CODE, LAYOUT = Command.BIOREAD, "BBBB"
    reader: int = 0
    type: int = 0
    format: int = 0
    quality: int = 0


class BioMatch(Message, frozen=True):
    CODE, LAYOUT, TAIL = Command.BIOMATCH, "BBBB", "H"
    reader: int = 0
    type: int = 0
    format: int = 0
    threshold: int = 0
    template: bytes = b""


class KeySet(Message, frozen=True):
    CODE, LAYOUT, TAIL = Command.KEYSET, "B", "B"
    type: int = 1
    key: bytes = b""


class Challenge(Message, frozen=True):
    CODE, LAYOUT = Command.CHLNG, "8s"
    nonce: bytes = bytes(8)


class ServerCryptogram(Message, frozen=True):
    CODE, LAYOUT = Command.SCRYPT, "16s"
    cryptogram: bytes = bytes(16)


class ReceiveSize(Message, frozen=True):
    CODE, LAYOUT = Command.ACURXSIZE, "H"
    size: int = 1440


class FileTransfer(Message, frozen=True):
    """``data`` is the part of the file at ``offset``."""

    CODE, LAYOUT, TAIL = Command.FILETRANSFER, "BII", "H"
    type: int = 1
    size: int = 0
    offset: int = 0
    data: bytes = b""


class Manufacturer(Message, frozen=True):
    CODE, LAYOUT, TAIL = Command.MFG, "3s", REST
    oui: bytes = bytes(3)
    data: bytes = b""


class ExtendedWrite(Message, frozen=True):
    """Transparent mode: an APDU or its control."""

    CODE, LAYOUT, TAIL = Command.XWR, "BB", REST
    mode: int = 0
    command: int = 0
    data: bytes = b""


class Abort(Empty, frozen=True):
    CODE = Command.ABORT


class PivData(Message, frozen=True):
    """``offset`` as sent: one byte or two."""

    CODE, LAYOUT, TAIL = Command.PIVDATA, "3sB", REST
    object_id: bytes = bytes(3)
    element: int = 0
    offset: bytes = bytes(2)


class GeneralAuthenticate(Message, frozen=True):
    """The whole message; its parts are the engine's business."""

    CODE, LAYOUT, TAIL = Command.GENAUTH, "BB", REST
    algorithm: int = 0
    key: int = 0
    challenge: bytes = b""


class CardAuthenticate(Message, frozen=True):
    """The whole message; its parts are the engine's business."""

    CODE, LAYOUT, TAIL = Command.CRAUTH, "BB", REST
    algorithm: int = 0
    key: int = 0
    challenge: bytes = b""


class KeepActive(Message, frozen=True):
    CODE, LAYOUT = Command.KEEPACTIVE, "H"
    milliseconds: int = 0


class Ack(Empty, frozen=True):
    CODE = Reply.ACK


class Nak(Message, frozen=True):
    CODE, LAYOUT, TAIL = Reply.NAK, "B", REST
    reason: int = NakReason.UNKNOWN
    detail: bytes = b""


class PdId(Message, frozen=True):
    CODE, LAYOUT = Reply.PDID, "3sBBIBBB"
    oui: bytes = bytes(3)
    model: int = 0
    version: int = 0
    serial: int = 0
    firmware_major: int = 0
    firmware_minor: int = 0
    firmware_build: int = 0


class PdCap(Message, frozen=True):
    """function: 1 inputs, 2 outputs, 3 card format, 4 LED, 5 buzzer, 6 text, 8 check, 9 security, 10 receive size, 11
    combined size, 12 smart card, 13 readers, 14 biometrics, 15 secure PIN entry, 16 version, 17 extended id."""

    CODE, LAYOUT, REPEATS = Reply.PDCAP, "BBB", True
    function: int = 0
    compliance: int = 0
    count: int = 0


class LocalStatusReport(Message, frozen=True):
    CODE, LAYOUT = Reply.LSTATR, "BB"
    tamper: int = 0
    power: int = 0


class InputStatusReport(Message, frozen=True):
    CODE, TAIL = Reply.ISTATR, REST
    inputs: bytes = b""


class OutputStatusReport(Message, frozen=True):
    CODE, TAIL = Reply.OSTATR, REST
    outputs: bytes = b""


class ReaderStatusReport(Message, frozen=True):
    CODE, TAIL = Reply.RSTATR, REST
    readers: bytes = b""


class Raw(Message, frozen=True):
    """Card data: ``bits`` of ``data``, most significant bit first. format: 0 raw, 1 Wiegand."""

    CODE, LAYOUT, TAIL = Reply.RAW, "BBH", REST
    reader: int = 0
    format: int = 0
    bits: int = 0
    data: bytes = b""

    @property
    def value(self) -> int:
        """The bits as a number, first bit most significant. ``FormatError`` when there are fewer than promised."""
        if (self.bits + 7) // 8 > len(self.data):
            raise FormatError(f"RAW: {self.bits} bits do not fit in {len(self.data)} bytes")
        return int.from_bytes(self.data, "big") >> (len(self.data) * 8 - self.bits)


class Formatted(Message, frozen=True):
    """Deprecated in OSDP 2.2.2; still sent by old readers."""

    CODE, LAYOUT, TAIL = Reply.FMT, "BB", "B"
    reader: int = 0
    direction: int = 0
    text: bytes = b""


class Keypad(Message, frozen=True):
    """ASCII digits; 0x7F is *, 0x0D is #."""

    CODE, LAYOUT, TAIL = Reply.KEYPAD, "B", "B"
    reader: int = 0
    keys: bytes = b""

    @property
    def text(self) -> str:
        """As printed on the keys."""
        return self.keys.decode("latin-1").replace("\x7f", "*").replace("\r", "#")


class Com(Message, frozen=True):
    CODE, LAYOUT = Reply.COM, "BI"
    address: int = 0
    baud: int = 9600


class BioReadResult(Message, frozen=True):
    CODE, LAYOUT, TAIL = Reply.BIOREADR, "BBBB", "H"
    reader: int = 0
    status: int = 0
    type: int = 0
    quality: int = 0
    template: bytes = b""


class BioMatchResult(Message, frozen=True):
    CODE, LAYOUT = Reply.BIOMATCHR, "BBB"
    reader: int = 0
    status: int = 0
    score: int = 0


class ExtendedId(Message, frozen=True):
    """Tag, length u16, value, one after the other: see ``items``."""

    CODE, TAIL = Reply.EXT_PDID, REST
    records: bytes = b""

    def items(self) -> dict[int, bytes]:
        """By tag: 0 manufacturer, 1 product, 2 serial, 3 firmware, 4 hardware, 5 URL, 6 configuration."""
        found: dict[int, bytes] = {}
        at = 0
        while at < len(self.records):
            if at + 3 > len(self.records):
                raise FormatError("EXT_PDID: a record is cut off")
            tag, size = struct.unpack_from("<BH", self.records, at)
            found[tag] = self.records[at + 3 : at + 3 + size]
            if len(found[tag]) != size:
                raise FormatError("EXT_PDID: a record is cut off")
            at += 3 + size
        return found

    @classmethod
    def of(cls, items: dict[int, bytes]) -> ExtendedId:
        """From values by tag."""
        return cls(b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in items.items()))


class ClientCryptogram(Message, frozen=True):
    CODE, LAYOUT = Reply.CCRYPT, "8s8s16s"
    client_id: bytes = bytes(8)
    nonce: bytes = bytes(8)
    cryptogram: bytes = bytes(16)


class InitialMac(Message, frozen=True):
    CODE, LAYOUT = Reply.RMAC_I, "16s"
    mac: bytes = bytes(16)


class Busy(Empty, frozen=True):
    CODE = Reply.BUSY


class FileStatus(Message, frozen=True):
    """status: 0 go on, 1 processed, 2 restarting, 3 finishing, below 0 stopped. Delay in ms; size 0 = as before."""

    CODE, LAYOUT = Reply.FTSTAT, "BHhH"
    action: int = 1
    delay_ms: int = 0
    status: int = 0
    size: int = 0


class PivDataResult(Message, frozen=True):
    CODE, TAIL = Reply.PIVDATAR, REST
    data: bytes = b""


class GeneralAuthenticateResult(Message, frozen=True):
    CODE, TAIL = Reply.GENAUTHR, REST
    data: bytes = b""


class CardAuthenticateResult(Message, frozen=True):
    CODE, TAIL = Reply.CRAUTHR, REST
    data: bytes = b""


class ManufacturerStatus(Message, frozen=True):
    CODE, TAIL = Reply.MFGSTATR, REST
    data: bytes = b""


class ManufacturerError(Message, frozen=True):
    CODE, TAIL = Reply.MFGERRR, REST
    data: bytes = b""


class ManufacturerReply(Message, frozen=True):
    CODE, LAYOUT, TAIL = Reply.MFGREP, "3s", REST
    oui: bytes = bytes(3)
    data: bytes = b""


class ExtendedRead(Message, frozen=True):
    CODE, LAYOUT, TAIL = Reply.XRD, "BB", REST
    mode: int = 0
    reply: int = 0
    data: bytes = b""


COMMANDS: dict[int, type[Message]] = {
    cls.CODE: cls
    for cls in (
        Poll,
        Id,
        Cap,
        LocalStatus,
        InputStatus,
        OutputStatus,
        ReaderStatus,
        Output,
        Led,
        Buzzer,
        Text,
        Comset,
        BioRead,
        BioMatch,
        KeySet,
        Challenge,
        ServerCryptogram,
        ReceiveSize,
        FileTransfer,
        Manufacturer,
        ExtendedWrite,
        Abort,
        PivData,
        GeneralAuthenticate,
        CardAuthenticate,
        KeepActive,
    )
}
REPLIES: dict[int, type[Message]] = {
    cls.CODE: cls
    for cls in (
        Ack,
        Nak,
        PdId,
        PdCap,
        LocalStatusReport,
        InputStatusReport,
        OutputStatusReport,
        ReaderStatusReport,
        Raw,
        Formatted,
        Keypad,
        Com,
        BioReadResult,
        BioMatchResult,
        ExtendedId,
        ClientCryptogram,
        InitialMac,
        Busy,
        FileStatus,
        PivDataResult,
        GeneralAuthenticateResult,
        CardAuthenticateResult,
        ManufacturerStatus,
        ManufacturerError,
        ManufacturerReply,
        ExtendedRead,
    )
}


def unpack(reply: bool, code: int, data: bytes) -> Message | tuple[Message, ...]:
    """The message of a payload; a tuple for kinds that are records one after the other. ``FormatError``."""
    cls = (REPLIES if reply else COMMANDS).get(code)
    if cls is None:
        raise FormatError(f"{'reply' if reply else 'command'} {code:#04x} is not known")
    if not cls.REPEATS:
        return cls.unpack(data)
    size = struct.calcsize("<" + cls.LAYOUT)
    if not data or len(data) % size:
        raise FormatError(f"{cls.__name__}: records of {size} bytes, not {len(data)} bytes")
    return tuple(cls.unpack(data[at : at + size]) for at in range(0, len(data), size))


def pack(message: Message | tuple[Message, ...]) -> tuple[int, bytes]:
    """Code and payload of a message, or of records of one kind."""
    if isinstance(message, Message):
        return message.CODE, message.pack()
    codes = {record.CODE for record in message}
    if len(codes) != 1 or not message[0].REPEATS:
        raise InputError("message", "records must be of one kind that repeats")
    return codes.pop(), b"".join(record.pack() for record in message)
