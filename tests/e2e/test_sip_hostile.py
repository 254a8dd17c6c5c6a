"""Hostile SIP and SDP: what a stranger sends ends no voice process, opens no door, and keeps nobody from calling."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sip_peers import Dialog, Offer, Peer
from test_calls import Station

from axcore.model import events
from axcore.model.voice import Answer, Incoming
from axcore.testing.phone import Phone
from axcore.voice.crowd import MOST, NS, PATIENCE_NS
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

HEADERS = (
    "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Length", "Content-Type", "Expires",
    "Route", "Record-Route", "Require", "Supported", "Subject", "User-Agent", "Authorization", "Accept",
)  # fmt: skip
OVERFLOWS = (
    "", "A" * 3000, "9" * 1000, "-1", "4294967296", "%s%n" * 200, "<" * 900, ";" * 900, "," * 900, '"' * 901,
    "\x00\x01\x7f" * 100, "sip:" + "[" * 300,
)  # fmt: skip
"""After the classes of PROTOS c07-sip: what overruns, overflows, unbalances or ends a string."""


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    found = Station(tmp_path, answers=True)
    yield found
    found.close()


@pytest.fixture
def peer(station: Station) -> Iterator[Peer]:
    ready = station.intercom.lines[0]
    assert ready is not None
    with Peer(ready.port) as found:
        yield found


class Watch:
    """Nothing has died and nothing has moved, and a call works as ever."""

    def __init__(self, station: Station, peer: Peer) -> None:
        self.station, self.peer = station, peer
        self.pids = self.now()

    def now(self) -> list[int | None]:
        return [process.pid for process in self.station.lines.processes]

    def end_calls(self) -> None:
        end_calls(self.station)

    def all_is_well(self, *, answers: bool = True) -> None:
        self.peer.options()
        assert self.now() == self.pids
        self.end_calls()
        assert self.station.tap.drain() == []
        self.station.device.board.feed_input("rex", True, None)
        self.station.tap.expect("relay1", True, PATIENCE)
        if answers:
            assert call(self.station, self.peer).bye() == 200
        else:
            refused(self.peer)


@pytest.fixture
def watch(station: Station, peer: Peer) -> Watch:
    return Watch(station, peer)


def end_calls(station: Station) -> None:
    for call in station.intercom.calls():
        if call.state in ("Calling", "Active"):
            station.do(lambda tx, key=call.id: station.intercom.hang_up(tx, key))


def refused(peer: Peer) -> None:
    """The device says that it takes no calls, once it has room to say so."""
    until = time.monotonic() + PATIENCE
    while (status := Dialog(peer).invite(body=str(Offer(peer.rtp_port))).status) != 603:
        assert status == 486
        assert time.monotonic() < until
        time.sleep(0.05)


def acknowledged(peer: Peer) -> bool:
    """Acknowledge an answer that came again, as every 2xx wants it (RFC 3261, 13.2.2.4); True."""
    message = peer.receive(0.005)
    if message is not None and not (message.method == "INVITE" and message.status >= 200):
        peer.waiting.append(message)
    return True


def call(station: Station, peer: Peer) -> Dialog:
    """An ordinary call, tried until the device has room: calls that were refused linger, and one that was sent before
    may reach the device only now."""
    until = time.monotonic() + PATIENCE
    while True:
        dialog = Dialog(peer)
        if dialog.invite(body=str(Offer(peer.rtp_port))).status == 200:
            station.until(lambda: acknowledged(peer) and station.intercom.calls()[-1].state == "Active", PATIENCE)
            return dialog
        assert time.monotonic() < until, station.told()
        end_calls(station)
        time.sleep(0.05)


def test_every_header_with_every_overflow(tmp_path: Path) -> None:
    """216 of them, alone and beside the right one. Calls are refused here: what is answered cannot always be heard."""
    station = Station(tmp_path)
    ready = station.intercom.lines[0]
    assert ready is not None
    try:
        with Peer(ready.port) as peer:
            watch = Watch(station, peer)
            overflow(peer)
            watch.all_is_well(answers=False)
    finally:
        station.close()


def overflow(peer: Peer) -> None:
    for number, (header, value) in enumerate(itertools.product(HEADERS, OVERFLOWS)):
        method = "INVITE" if number % 2 else "OPTIONS"
        dialog = Dialog(peer)
        lines = dialog.text(method, body=str(Offer(peer.rtp_port)) if number % 2 else "").split("\r\n")
        kept = [line for line in lines if not line.lower().startswith(f"{header.lower()}:")]
        peer.send("\r\n".join([*kept[:1], f"{header}: {value}", *kept[1:]]))
        peer.send("\r\n".join([*lines[:1], f"{header}: {value}", *lines[1:]]))  # and besides the right one
        if number % 20 == 19:
            peer.options()


def test_oversized_messages_and_bodies(peer: Peer, watch: Watch) -> None:
    many = "".join(f"X-{number}: y\r\n" for number in range(5000))
    for size in (3990, 4000, 4001, 8000, 60_000):
        peer.send(peer.request("OPTIONS", headers=["X: " + "x" * size]))
        peer.send(Dialog(peer).text("INVITE", body=str(Offer(peer.rtp_port)) + "a=x:" + "y" * size))
    peer.send(peer.request("OPTIONS", headers=[many[:60_000]]))
    watch.all_is_well()


def test_a_hundred_thousand_header_lines_over_tcp(peer: Peer, watch: Watch) -> None:
    head = peer.request("OPTIONS").partition("\r\n\r\n")[0]
    data = (head + "\r\n" + "X: y\r\n" * 100_000 + "\r\n").encode()
    with connect(peer) as stream, contextlib.suppress(ConnectionError, TimeoutError):
        stream.sendall(data)
    watch.all_is_well()


def nested(depth: int) -> str:
    """Multipart in multipart."""
    body = "Content-Type: text/plain\r\n\r\nx"
    for number in range(depth):
        body = f"Content-Type: multipart/mixed;boundary=b{number}\r\n\r\n--b{number}\r\n{body}\r\n--b{number}--"
    return body.partition("\r\n\r\n")[2]


@pytest.mark.parametrize("depth", [1, 10, 40])
def test_nested_multipart(peer: Peer, watch: Watch, depth: int) -> None:
    for content in (
        f"multipart/mixed;boundary=b{depth - 1}",
        "multipart/mixed",
        "multipart/mixed;boundary=",
        "multipart/",
    ):
        dialog = Dialog(peer)
        peer.send(dialog.text("INVITE", f"Content-Type: {content}", body=nested(depth)))
        peer.options()
    watch.all_is_well()


def descriptions(port: int) -> Iterator[str]:
    """Descriptions that no telephone makes."""
    good = str(Offer(port))
    for wrong in ("0", "-1", "65536", "99999999999999999999", "1e3", "", "x", "4000/65535", "4000/-1"):
        yield good.replace(f"m=audio {port}", f"m=audio {wrong}")
    for value in ("0", "-20", "1", "100000", "99999999999999999999", "x", ""):
        yield good + f"a=ptime:{value}\r\na=maxptime:{value}\r\n"
    for line in ("PCMU/0", "PCMU/-8000", "PCMU/99999999999", "PCMU/8000/0", "PCMU/8000/99999", "/8000", "PCMU", ""):
        yield good.replace("PCMU/8000", line)
    for formats in ("128", "-1", "999999", " ".join(map(str, range(128))) + " 0" * 800, ""):
        yield good.replace("RTP/AVP 0 101", f"RTP/AVP {formats}")
    yield good + "m=audio 0 RTP/AVP 0\r\n" * 150
    yield good + "m=a 1 x 0\r\n" * 300
    yield good.partition("m=")[0] + "m=a 1 x 0\r\n" * 300
    yield good + "a=" + "x" * 3000 + "\r\n"
    yield good + "a=fmtp:101 " + "0-15," * 500 + "\r\n"
    yield good.replace("c=IN IP4 127.0.0.1", "c=IN IP4 999.1.1.1")
    yield good.replace("c=IN IP4 127.0.0.1", "c=IN IP6 ::ffff:127.0.0.1%lo")
    yield good.replace("c=IN IP4 127.0.0.1", "c=IN IP4 224.2.1.1/127/99999999")
    yield good.replace("c=IN IP4 127.0.0.1\r\n", "")
    yield good.replace("o=- 1 1", "o=- -9999999999999999999999 99999999999999999999999999")
    yield good.replace("t=0 0", "t=-1 99999999999999999999")
    yield good.replace("s=-", "s=\x00\x00")
    yield good.replace("PCMU", "PC\x00MU")
    yield "\x00" * 500
    yield good.replace("\r\n", "\n")
    yield good.replace("\r\n", "\r")
    yield good[: len(good) // 2]
    yield good * 10
    yield "v=0\r\n" * 500
    for key in ("inline:", "inline:" + "A" * 2000, "inline:////|2^99|1:99999", "x", ""):
        yield good + f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {key}\r\na=crypto:-1 AES_CM_128_HMAC_SHA1_80 {key}\r\n"
    yield good + "a=candidate:1 1 UDP -1 127.0.0.1 99999 typ host\r\n" * 30 + "a=ice-ufrag:\r\na=ice-pwd:\r\n"
    yield good + "a=rtcp:99999 IN IP4 999\r\n"


def test_absurd_descriptions(peer: Peer, watch: Watch, station: Station) -> None:
    for number, body in enumerate(descriptions(peer.rtp_port)):
        dialog = Dialog(peer)
        peer.waiting.clear()
        peer.send(dialog.text("INVITE", body=body))
        peer.options()
        heard = [one for one in peer.waiting if one["call-id"] == dialog.call]
        if heard:
            answer = peer.expect(lambda one, key=dialog.call: one["call-id"] == key and one.status >= 200)
            assert answer.status in (200, 400, 415, 481, 486, 488, 500, 606), (number, body)
        watch.end_calls()
    watch.all_is_well()


def test_a_long_offer_is_read_whole() -> None:
    """More than pjsua2 hands over: SRTP and 25 candidates. It was answered without its keys."""
    candidates = (f"a=candidate:{n} 1 UDP 2130706431 192.168.100.{n} 50000 typ host generation 0" for n in range(25))
    more = ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40, *candidates)
    with Phone("ada", encryption="best_effort") as ada:
        assert ada.ready is not None
        with Peer(ada.ready.port) as peer:
            dialog = Dialog(peer)
            peer.send(dialog.text("INVITE", body=str(Offer(peer.rtp_port, more=more)).replace("RTP/AVP", "RTP/SAVP")))
            ada.wait(Incoming, PATIENCE)
            ada.process.send(Answer(leg=ada.leg, code=200))
            answer = peer.expect(lambda one: one.status == 200)
            assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80" in answer.body
            ada.connected(PATIENCE)
            assert ada.media is not None
            assert ada.media.media.remote_crypto.endswith("A" * 40)


def connect(peer: Peer) -> socket.socket:
    host, port = peer.device.split(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def over_tcp(request: str) -> bytes:
    return request.replace("SIP/2.0/UDP", "SIP/2.0/TCP").encode()


def test_wrong_lengths_and_half_messages_over_tcp(peer: Peer, watch: Watch) -> None:
    whole = over_tcp(Dialog(peer).text("INVITE", body=str(Offer(peer.rtp_port))))
    for length in (b"0", b"1", b"-1", b"99999", b"4294967297", b"18446744073709551616", b"x", b""):
        head, _, rest = whole.partition(b"Content-Length: ")
        with connect(peer) as stream, contextlib.suppress(ConnectionError):
            stream.sendall(head + b"Content-Length: " + length + b"\r\n" + rest.partition(b"\r\n")[2])
    for cut in range(0, len(whole), 23):
        with connect(peer) as stream, contextlib.suppress(ConnectionError):
            stream.sendall(whole[:cut])
    with connect(peer) as stream:  # one octet after the other is no crime
        for octet in over_tcp(peer.request("OPTIONS")):
            stream.sendall(bytes([octet]))
        assert stream.recv(4000).startswith(b"SIP/2.0 200")
    watch.end_calls()
    watch.all_is_well()


def test_connections_that_never_finish_keep_nobody_out(peer: Peer, watch: Watch) -> None:
    with contextlib.ExitStack() as stack:
        loris = []
        for _ in range(80):
            stream = stack.enter_context(connect(peer))
            with contextlib.suppress(ConnectionError):
                stream.sendall(b"INVITE sip:door@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP ")
            loris.append(stream)
        until = time.monotonic() + PATIENCE + PATIENCE_NS / NS
        while True:
            for stream in loris:
                with contextlib.suppress(OSError):
                    stream.send(b"x")
            with contextlib.suppress(OSError), connect(peer) as honest:
                honest.sendall(over_tcp(peer.request("OPTIONS")))
                if honest.recv(4000).startswith(b"SIP/2.0 200"):
                    break
            assert time.monotonic() < until
            time.sleep(0.05)
        watch.all_is_well()
    assert len(loris) > MOST


def test_a_flood_over_tcp_is_not_read_and_others_are_served(peer: Peer, watch: Watch) -> None:
    flood = b"".join(over_tcp(peer.request("OPTIONS")) for _ in range(200))
    with connect(peer) as stream:
        stream.settimeout(1.0)
        reader = threading.Thread(target=drain, args=(stream.dup(),))
        reader.start()
        until, paused, told, rest = time.monotonic() + PATIENCE, False, False, flood
        while not (paused and told):  # what is not read fills the buffers on the way, and nothing more can be sent
            assert time.monotonic() < until
            try:
                rest = rest[stream.send(rest) :] or flood
            except TimeoutError:
                paused = told
            faults = (e for e in watch.station.device.ledger.events_after(0) if e.topic == events.SYSTEM_FAULT)
            told = told or any("flood" in fault.data["reason"] for fault in faults)
        stream.shutdown(socket.SHUT_RDWR)
        reader.join(PATIENCE)
    watch.all_is_well()


def drain(stream: socket.socket) -> None:
    """Take answers until the connection ends."""
    with stream, contextlib.suppress(OSError):
        stream.settimeout(PATIENCE)
        while stream.recv(1 << 16):
            pass


def test_strangers_cannot_end_or_change_a_call(station: Station, peer: Peer, watch: Watch) -> None:
    dialog = call(station, peer)
    assert dialog.answer is not None
    real = dialog.answer["to"].rpartition("tag=")[2]
    with Peer(int(peer.device.rpartition(":")[2])) as stranger:
        for method in ("CANCEL", "BYE", "INFO", "UPDATE", "PRACK", "REFER"):
            forged = Dialog(stranger)  # knows nothing
            assert forged.transact(method).status in (403, 405, 481, 501), method
            forged = Dialog(stranger, call=dialog.call, remote_to=f"<sip:device@{peer.device}>;tag=guess")
            assert forged.transact(method).status in (400, 405, 481, 501), method
        replayed = Dialog(stranger, call=dialog.call, tag="else", remote_to=f"<sip:device@{peer.device}>;tag={real}")
        assert replayed.transact("BYE").status == 481
    assert station.intercom.calls()[-1].state == "Active"
    assert dialog.bye() == 200
    assert dialog.transact("BYE").status in (200, 481)  # once more
    watch.all_is_well()


def test_a_storm_of_reinvites_changes_nothing(station: Station, peer: Peer, watch: Watch) -> None:
    dialog = call(station, peer)
    for number in range(300):
        dialog.cseq += 1
        peer.send(dialog.text("INVITE", body=str(Offer(peer.rtp_port, version=number + 2))))
        if number % 25 == 24:
            peer.options()
    assert station.intercom.calls()[-1].state == "Active"
    answer = dialog.transact("INVITE", body=str(Offer(peer.rtp_port, version=1000)))
    assert answer.status in (200, 491, 500)
    assert dialog.bye() == 200
    watch.all_is_well()


def test_an_answer_that_forks_is_one_call(station: Station, peer: Peer, watch: Watch) -> None:
    made = station.do(lambda tx: station.intercom.call(tx, peer.uri))
    invite = peer.expect(lambda one: one.method == "INVITE" and not one.status)
    body = str(Offer(peer.rtp_port))
    for tag in ("first", "second", "third"):
        peer.reply(invite, 180, tag=tag)
    for tag in ("first", "second", "third"):
        peer.reply(invite, 200, "Content-Type: application/sdp", body=body, tag=tag)
    station.until(lambda: station.intercom.status(made.id).state == "Active", PATIENCE)
    ack = peer.expect(lambda one: one.method == "ACK" and not one.status)
    assert "tag=first" in ack["to"]
    assert Dialog.of(peer, invite, tag="first").bye() == 200
    station.until(lambda: station.intercom.status(made.id).state == "Terminated", PATIENCE)
    watch.all_is_well()


def test_a_flood_of_sound_from_elsewhere(tmp_path: Path) -> None:
    """50,000 datagrams at the port of a call, of every kind: keys of a stranger open nothing, the call goes on."""
    station = Station(tmp_path, answers=True, own_sound=True)
    ready = station.intercom.lines[0]
    assert ready is not None
    try:
        with Peer(ready.port) as peer, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            station.unlock_by("1")
            watch = Watch(station, peer)
            dialog = call(station, peer)
            assert dialog.answer is not None
            place = ("127.0.0.1", dialog.answer.sound_port)
            dice = random.Random(4475)
            key = bytes.fromhex("80e50001000000a0deadbeef018a0640")
            shapes = [key, b"", b"\x80", bytes(12), b"\xff" * 1400, b"\xbf\x00" + bytes(10), dice.randbytes(172)]
            flood = threading.Thread(
                target=lambda: [stranger.sendto(dice.choice(shapes), place) for _ in range(50_000)]
            )
            flood.start()
            sound = b"\x80\x00" + bytes(2) + bytes(4) + b"peer" + b"\xff" * 160
            peer.rtp.settimeout(PATIENCE)
            for _ in range(100):
                peer.rtp.sendto(sound, place)
                assert peer.rtp.recv(2048)  # the device talks on
            flood.join()
            assert station.tap.drain() == []
            assert [e for e in station.device.ledger.events_after(0) if e.topic == events.CALL_DTMF] == []
            assert dialog.bye() == 200
            watch.all_is_well()
    finally:
        station.close()
