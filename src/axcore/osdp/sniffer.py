"""What goes over a line: frames, messages, and, with the key, what the secure channel hides. OSDPCAP version 1."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TextIO

import msgspec

from axcore._native.osdp import SCBK_D, Frame, Receiver, Session
from axcore.errors import FormatError, InputError
from axcore.osdp import messages
from axcore.osdp.codes import Command, Reply

_NS = 1_000_000_000


class Seen(msgspec.Struct, frozen=True):
    """One frame. ``message`` is None when it is encrypted and the key is not known, or when it is malformed."""

    t_ns: int
    frame: Frame
    message: messages.Message | tuple[messages.Message, ...] | None
    note: str = ""
    """What is wrong, or why there is no message."""


class _Tap:
    """The session of one address, as far as it was overheard."""

    def __init__(self) -> None:
        self.nonce: bytes | None = None
        self.pending: Session | None = None
        self.session: Session | None = None


class Sniffer:
    """Listens to both directions of a line. With ``key`` it opens sessions whose handshake it heard."""

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and len(key) != 16:
            raise InputError("key", "must have 16 bytes")
        self._key = key
        self._receiver = Receiver()
        self._taps: dict[int, _Tap] = {}

    @property
    def damaged(self) -> int:
        """Frames with a wrong check value."""
        return self._receiver.damaged

    def feed(self, data: bytes, t_ns: int = 0) -> list[Seen]:
        """The frames that are complete with these bytes."""
        return [self._see(frame, t_ns) for frame in self._receiver.feed(data)]

    def _see(self, frame: Frame, t_ns: int) -> Seen:
        tap = self._taps.setdefault(frame.address, _Tap())
        data = frame.data
        if frame.secured:
            if tap.session is None:
                return Seen(t_ns, frame, None, "secured, and the handshake was not heard")
            try:
                data = tap.session.open(frame)
            except FormatError as error:  # also a MAC that does not hold: a repeat, or somebody else's
                return Seen(t_ns, frame, None, str(error))
        elif not frame.reply and frame.sequence == 0:
            tap.session = None
        try:
            message = messages.unpack(frame.reply, frame.code, data)
        except FormatError as error:
            return Seen(t_ns, frame, None, str(error))
        self._handshake(tap, frame, message)
        return Seen(t_ns, frame, message)

    def _handshake(self, tap: _Tap, frame: Frame, message: messages.Message | tuple[messages.Message, ...]) -> None:
        match message:
            case messages.Challenge() if frame.code == Command.CHLNG:
                tap.nonce, tap.session = message.nonce, None
            case messages.ClientCryptogram() if tap.nonce is not None:
                key = self._key if frame.scb_data else SCBK_D
                tap.pending = Session(key, tap.nonce) if key is not None else None
            case messages.ServerCryptogram() if tap.pending is not None:
                tap.pending.start(message.cryptogram)
            case messages.InitialMac() if frame.code == Reply.RMAC_I and frame.scb_data == 1:
                tap.session, tap.pending = tap.pending, None


class Record(msgspec.Struct, frozen=True):
    """One line of a capture: bytes as they were on the wire, ``io`` is input, output or trace."""

    t_ns: int
    data: bytes
    io: str = "trace"


def write_capture(out: TextIO, records: Iterable[Record]) -> None:
    """Append records in OSDPCAP version 1 (JSON lines)."""
    for record in records:
        line = {
            "timeSec": str(record.t_ns // _NS),
            "timeNano": str(record.t_ns % _NS).zfill(9),
            "io": record.io,
            "data": record.data.hex(" "),
            "osdpTraceVersion": "1",
            "osdpSource": "axcore",
        }
        out.write(json.dumps(line) + "\n")


def read_capture(lines: Iterable[str]) -> Iterator[Record]:
    """The records of a capture. ``InputError`` names the line that is wrong; empty lines are skipped."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            if str(line["osdpTraceVersion"]) != "1":
                raise InputError(f"line {number}", "is not of version 1")
            t_ns = int(line["timeSec"]) * _NS + int(line["timeNano"])
            yield Record(t_ns, bytes.fromhex(line["data"]), str(line["io"]))
        except InputError:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"line {number}", f"is no OSDPCAP record: {error}") from None
