from __future__ import annotations

import struct

from axcore.interfaces.rtsp.rtp import Sender, is_rtcp


def test_a_packet_is_a_header_of_twelve_octets_and_the_document() -> None:
    sender = Sender(0xDEADBEEF, 0xFFFF, 0)
    packet = sender.packet(b"<x/>", 2_000_000_000)
    assert struct.unpack("!BBHII", packet[:12]) == (0x80, 0x80 | 98, 0xFFFF, 180_000, 0xDEADBEEF)
    assert packet[12:] == b"<x/>"
    assert struct.unpack("!H", sender.packet(b"", 0)[2:4]) == (0,)
    assert (sender.packets, sender.octets) == (2, 4)


def test_timestamps_wrap() -> None:
    assert Sender(0, 0, 0xFFFFFFFF).timestamp(1_000_000_000) == 89_999


def test_a_report_tells_time_and_counts_and_a_name() -> None:
    sender = Sender(7, 0, 0)
    sender.packet(b"abc", 0)
    report = sender.report(1_000_000_000, 1_500_000_000)
    head = struct.unpack("!BBHIIIIII", report[:28])
    assert head == (0x80, 200, 6, 7, 2_208_988_801, 1 << 31, 90_000, 1, 3)
    assert struct.unpack("!BBHI", report[28:36]) == (0x81, 202, 4, 7)
    assert report[36:].startswith(b"\x01\x06axcore\x00")
    assert len(report) == 28 + 20
    assert is_rtcp(report)


def test_the_goodbye_ends_with_bye() -> None:
    assert Sender(7, 0, 0).bye(0, 0)[-8:] == struct.pack("!BBHI", 0x81, 203, 1, 7)


def test_what_is_no_rtcp() -> None:
    for data in (b"", b"\x80\xc9\x00", bytes(8), b"\x80\x62" + bytes(10), b"\x80\xc9\x00\x09" + bytes(4)):
        assert not is_rtcp(data)
