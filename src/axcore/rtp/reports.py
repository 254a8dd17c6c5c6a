"""RTCP (RFC 3550 section 6): compound packets as typed blocks."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from axcore._native.rtp import rtcp_build, rtcp_parse


class Report(msgspec.Struct, frozen=True):
    """What a receiver says of one source; units as on the wire."""

    ssrc: int
    fraction: int = 0
    """Lost since the last report, 1/256."""
    lost: int = 0
    """Lost since the beginning; negative when copies were counted."""
    highest: int = 0
    """Highest sequence number, cycles in the upper 16 bits."""
    jitter: int = 0
    """Ticks."""
    lsr: int = 0
    """Middle 32 bits of the NTP time of the last sender report."""
    dlsr: int = 0
    """Since then, 1/65536 s."""


class SenderInfo(msgspec.Struct, frozen=True):
    """What a sender says of itself."""

    ntp: int
    """32.32 seconds since 1900."""
    timestamp: int
    packets: int
    octets: int


class SenderReport(msgspec.Struct, frozen=True):
    """SR: a participant that sent since its last report."""

    ssrc: int
    sender: SenderInfo
    reports: tuple[Report, ...] = ()


class ReceiverReport(msgspec.Struct, frozen=True):
    """RR: a participant that only listens."""

    ssrc: int
    reports: tuple[Report, ...] = ()


class Item(msgspec.Struct, frozen=True):
    """One item of a source description; type 1 is the CNAME."""

    ssrc: int
    type: int
    data: bytes


class SourceDescription(msgspec.Struct, frozen=True):
    """SDES."""

    items: tuple[Item, ...]


class Goodbye(msgspec.Struct, frozen=True):
    """BYE."""

    sources: tuple[int, ...]
    reason: bytes = b""


class Block(msgspec.Struct, frozen=True):
    """A block of another type: APP (204), feedback (205, 206), extended reports (207)."""

    type: int
    count: int
    body: bytes


RtcpBlock = SenderReport | ReceiverReport | SourceDescription | Goodbye | Block


def parse_rtcp(data: bytes, *, reduced: bool = False) -> list[RtcpBlock]:
    """The blocks of a compound packet; ``FormatError`` when any length does not hold.

    With ``reduced``, any block may come first (RFC 5506).
    """
    found: list[RtcpBlock] = []
    for kind, *rest in rtcp_parse(data, reduced):
        match kind:
            case "SR":
                reports = tuple(Report(*values) for values in rest[2])
                found.append(SenderReport(rest[0], SenderInfo(*rest[1]), reports))
            case "RR":
                found.append(ReceiverReport(rest[0], tuple(Report(*values) for values in rest[1])))
            case "SDES":
                found.append(SourceDescription(tuple(Item(*values) for values in rest[0])))
            case "BYE":
                found.append(Goodbye(*rest))
            case _:
                found.append(Block(kind, *rest))
    return found


def build_rtcp(
    ssrc: int,
    *,
    sender: SenderInfo | None = None,
    reports: Sequence[Report] = (),
    cname: str | None = None,
    bye: str | None = None,
) -> bytes:
    """A compound packet: SR (with ``sender``) or RR, then SDES with the CNAME, then BYE with a reason (may be empty).

    At most 31 reports, and 255 bytes for each text: else ``RangeError``.
    """
    info = (sender.ntp, sender.timestamp, sender.packets, sender.octets) if sender else None
    values = [(r.ssrc, r.fraction, r.lost, r.highest, r.jitter, r.lsr, r.dlsr) for r in reports]
    return rtcp_build(ssrc, info, values, cname, bye)
