"""libosdp (the wheel) at the other end of the line, in both roles, clear and secure.

Skipped where it is not installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.osdp import (
    SCBK_D,
    Command,
    ControlPanel,
    Event,
    EventKind,
    FileReceiver,
    LinkState,
    PeripheralDevice,
    Policy,
    Reply,
    crc16,
    messages,
)

KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
OTHER = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e00")
CARD = bytes([0, 1, 26, 0, 0xB6, 0x23, 0xAE, 0x40])
PEER = Path(__file__).with_name("libosdp_peer.py")
BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["clear", "secure"])

pytestmark = pytest.mark.skipif(importlib.util.find_spec("osdp_sys") is None, reason="libosdp is not installed")


class Peer:
    """The process with libosdp, and our engine in front of it, in real time."""

    def __init__(self, role: str, engine: ControlPanel | PeripheralDevice, **options: Any) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self.sock, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, str(PEER), role, str(other.fileno()), json.dumps(options)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, pass_fds=[other.fileno()], text=True, bufsize=1, **pipes)
        other.close()
        self.sock.setblocking(False)
        self.told: list[dict[str, Any]] = []
        self.on_event: Callable[[Event], object] = lambda event: None
        self.to_us: Callable[[bytes], list[bytes]] = lambda data: [data]
        """The line: what arrives of what was sent, piece by piece."""
        self.to_peer: Callable[[bytes], list[bytes]] = lambda data: [data]
        self._text = ""

    def submit(self, **item: Any) -> None:
        """Give libosdp a command or an event."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(item) + "\n")

    def run(self, until: Callable[[], bool], seconds: float = 60) -> bool:
        """Move bytes until it holds."""
        assert self.process.stdout is not None
        end = time.monotonic() + seconds  # wall clock: a foreign process
        while time.monotonic() < end:  # wall clock: a foreign process
            if until():
                return True
            readable = [self.sock, self.process.stdout]
            ready, _, _ = select.select(readable, [], [], 0.005)
            if self.process.stdout in ready and not self._listen(self.process.stdout.fileno()):
                return until()
            try:
                data = self.sock.recv(4096) if self.sock in ready else b""
            except OSError:
                return until()
            out = b""
            for piece in self.to_us(data) if data else [b""]:
                out += self.engine.step(piece, time.monotonic_ns())  # wall clock: a foreign process
            for piece in self.to_peer(out) if out else []:
                self.sock.send(piece)
            for event in self.engine.events():
                self.events.append(event)
                self.on_event(event)
        return until()

    def _listen(self, fd: int) -> bool:
        chunk = os.read(fd, 65536)
        *lines, self._text = (self._text + chunk.decode()).split("\n")
        self.told += [json.loads(line) for line in lines if line.startswith("{")]
        return bool(chunk)

    def heard(self, name: str) -> list[Any]:
        """Values of one kind of line that the peer printed."""
        return [line[name] for line in self.told if name in line]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for end in (self.process.stdin, self.process.stdout, self.sock):
            end.close()  # type: ignore[union-attr]


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    made: list[Peer] = []
    yield made
    for peer in made:
        peer.close()


def unexplained_attacks(panel: ControlPanel, reader: int) -> int:
    """Attacks that a reply which came too late (the peer's process waits for a core) does not account for.

    After a time-out such a reply meets the next question, whose MAC it cannot have. On a machine that keeps up there
    are no time-outs, and every attack counts.
    """
    stats = panel.stats(reader)
    return max(0, stats["attacks"] - stats["timeouts"])


def our_device(key: bytes | None) -> PeripheralDevice:
    pd = PeripheralDevice(1, key=key)
    pd.store(Reply.PDID, messages.PdId(b"\1\2\3", 4, 5, 6, 7, 8, 9).pack())
    caps = [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 4, 1), (5, 2, 1), (6, 1, 1), (8, 1, 0), (9, 1, 1), (10, 0xA0, 5)]
    pd.store(Reply.PDCAP, b"".join(messages.PdCap(*cap).pack() for cap in caps))
    return pd


@BOTH
def test_libosdp_as_controller(peers: list[Peer], key: bytes | None) -> None:
    pd = our_device(key)
    peer = Peer("cp", pd, key=key.hex() if key else None)
    peers.append(peer)
    assert peer.run(lambda: pd.link == (LinkState.SECURE if key else LinkState.CLEAR))
    assert peer.run(lambda: bool(peer.heard("id")))
    assert peer.heard("id")[0]["serial_number"] == 6
    pattern = {"control_code": 1, "on_count": 1, "off_count": 2, "on_color": 1, "off_color": 2}
    peer.submit(command="LED", reader=0, led_number=0, timer_count=5, temporary=False, **pattern)
    peer.submit(command="Buzzer", reader=0, control_code=2, on_count=1, off_count=2, rep_count=3)
    peer.submit(command="Output", output_no=0, control_code=1, timer_count=3)
    pd.post(Reply.RAW, CARD)
    pd.post(Reply.KEYPAD, b"\0\x03123")
    wanted = {Command.LED, Command.BUZ, Command.OUT}
    assert peer.run(lambda: {e.code for e in peer.events if e.kind == EventKind.COMMAND} >= wanted)
    assert peer.run(lambda: len(peer.heard("event")) >= 2, 6), peer.told
    card = next(event for event in peer.heard("event") if "length" in event)
    assert (card["length"], card["data"]) == (26, "b623ae40")
    led = next(e for e in peer.events if e.code == Command.LED)
    assert messages.unpack(False, led.code, led.data) == (
        messages.Led(control=1, on=1, off=2, on_color=1, off_color=2),
    )
    assert pd.stats["attacks"] == 0


@BOTH
def test_libosdp_as_device(peers: list[Peer], key: bytes | None) -> None:
    panel = ControlPanel(baud=115200)
    reader = panel.open(1, key=key, poll_ns=20_000_000)
    peer = Peer("pd", panel, key=key.hex() if key else None)
    peers.append(peer)
    assert peer.run(lambda: panel.link(reader) == (LinkState.SECURE if key else LinkState.CLEAR))
    assert {e.code for e in peer.events if e.kind == EventKind.REPLY} == {Reply.PDID, Reply.PDCAP}
    for token, message in enumerate(
        (
            messages.Led(control=1, on=1, off=1, on_color=1),
            messages.Buzzer(count=3),
            messages.Text(text=b"hello"),
            messages.Output(0, 1),
            messages.LocalStatus(),
        ),
        1,
    ):
        panel.command(reader, message.CODE, message.pack(), token)
    assert peer.run(lambda: {e.token for e in peer.events} >= {1, 2, 3, 4, 5})
    assert [e for e in peer.events if e.kind == EventKind.FAILED] == []
    assert peer.run(lambda: len(peer.heard("command")) >= 4)
    peer.submit(event="CardRead", reader_no=0, direction=0, format=1, length=26, data="b623ae40")
    peer.submit(event="KeyPress", reader_no=0, data="313233")
    assert peer.run(lambda: {e.code for e in peer.events} >= {Reply.RAW, Reply.KEYPAD})
    assert next(e.data[4:] for e in peer.events if e.code == Reply.RAW) == bytes.fromhex("b623ae40")
    assert unexplained_attacks(panel, reader) == 0


def test_a_key_is_set_in_a_libosdp_device(peers: list[Peer]) -> None:
    panel = ControlPanel(baud=115200)
    reader = panel.open(1, key=KEY, poll_ns=20_000_000)
    peer = Peer("pd", panel, key=KEY.hex())
    peers.append(peer)
    assert peer.run(lambda: panel.link(reader) == LinkState.SECURE)
    panel.keyset(reader, OTHER, 9)
    assert peer.run(lambda: panel.stats(reader)["handshakes"] == 2 and panel.link(reader) == LinkState.SECURE)
    assert [e.kind for e in peer.events if e.token == 9] == [EventKind.KEY, EventKind.DONE]


def test_install_mode_of_a_libosdp_device(peers: list[Peer]) -> None:
    panel = ControlPanel(baud=115200)
    reader = panel.open(1, secure=True, poll_ns=20_000_000)
    peer = Peer("pd", panel, flags=["InstallMode"])
    peers.append(peer)
    panel.install(reader, time.monotonic_ns(), 60 * 10**9, OTHER)  # wall clock: a foreign process
    assert peer.run(lambda: panel.link(reader) == LinkState.SECURE)
    assert [(e.a, e.b) for e in peer.events if e.kind == EventKind.INSTALL] == [(1, 0), (0, 1)]


def test_a_libosdp_controller_with_the_published_key_is_refused(peers: list[Peer]) -> None:
    pd = our_device(KEY)
    peer = Peer("cp", pd, key=SCBK_D.hex())
    peers.append(peer)
    assert peer.run(lambda: pd.stats["attacks"] > 0)
    assert pd.link == LinkState.OFFLINE


FILE = bytes(range(256)) * 9 + b"end"


def secure_or_clear(key: bytes | None) -> LinkState:
    return LinkState.SECURE if key else LinkState.CLEAR


@BOTH
def test_capabilities_in_both_directions(peers: list[Peer], key: bytes | None) -> None:
    pd = our_device(key)
    peers.append(Peer("cp", pd, key=key.hex() if key else None))
    assert peers[0].run(lambda: bool(peers[0].heard("capabilities")))
    learnt = peers[0].heard("capabilities")[0]
    assert [learnt[str(n)] for n in (1, 2, 3, 4, 5, 6, 9)] == [[1, 1], [1, 1], [1, 1], [4, 1], [2, 1], [1, 1], [1, 1]]
    panel = ControlPanel(baud=115200)
    reader = panel.open(1, key=key, poll_ns=20_000_000)
    peers.append(Peer("pd", panel, key=key.hex() if key else None))
    assert peers[1].run(lambda: panel.link(reader) == secure_or_clear(key))
    told = next(e for e in peers[1].events if e.code == Reply.PDCAP)
    records = messages.unpack(True, told.code, told.data)
    assert isinstance(records, tuple)
    assert {r.function for r in records if isinstance(r, messages.PdCap)} >= {1, 2, 3, 4, 5, 6, 8, 9, 10}


@BOTH
def test_text_of_a_libosdp_controller(peers: list[Peer], key: bytes | None) -> None:
    pd = our_device(key)
    peer = Peer("cp", pd, key=key.hex() if key else None)
    peers.append(peer)
    assert peer.run(lambda: pd.link == secure_or_clear(key))
    shown = {"reader": 0, "control_code": 1, "temp_time": 0, "offset_row": 1, "offset_col": 2}
    peer.submit(command="Text", data="Welcome", **shown)
    assert peer.run(lambda: any(e.code == Command.TEXT for e in peer.events))
    event = next(e for e in peer.events if e.code == Command.TEXT)
    assert messages.unpack(False, event.code, event.data) == messages.Text(row=1, column=2, text=b"Welcome")


@BOTH
def test_a_file_from_libosdp(peers: list[Peer], key: bytes | None) -> None:
    pd = our_device(key)
    pd.set_policy(Command.FILETRANSFER, Policy.ASK)
    received: list[tuple[int, bytes]] = []
    receiver = FileReceiver(lambda kind, data: received.append((kind, data)))

    def take(event: Event) -> None:
        if event.kind == EventKind.COMMAND and event.code == Command.FILETRANSFER:
            part = messages.unpack(False, event.code, event.data)
            assert isinstance(part, messages.FileTransfer)
            pd.answer(*messages.pack(receiver.take(part)))

    peer = Peer("cp", pd, key=key.hex() if key else None, file=FILE.hex())
    peer.on_event = take
    peers.append(peer)
    assert peer.run(lambda: pd.link == secure_or_clear(key))
    peer.submit(command="FileTransfer", id=13, flags=0)
    assert peer.run(lambda: bool(received)), peer.told
    assert received == [(13, FILE)]
    assert pd.link == secure_or_clear(key)


@BOTH
def test_a_file_to_libosdp(peers: list[Peer], key: bytes | None) -> None:
    panel = ControlPanel(baud=115200)
    reader = panel.open(1, key=key, poll_ns=20_000_000)
    peer = Peer("pd", panel, key=key.hex() if key else None)
    peers.append(peer)
    assert peer.run(lambda: panel.link(reader) == secure_or_clear(key))
    panel.file(reader, FILE, type=13, token=5)
    assert peer.run(lambda: bool(peer.heard("file"))), peer.told
    assert peer.heard("file") == [FILE.hex()]
    assert (peer.heard("number"), peer.heard("size")) == ([13], [len(FILE)])
    assert peer.run(lambda: any(e.token == 5 and e.kind == EventKind.DONE for e in peer.events))


def test_a_libosdp_controller_sets_our_key(peers: list[Peer]) -> None:
    pd = our_device(KEY)
    peer = Peer("cp", pd, key=KEY.hex())
    peers.append(peer)
    assert peer.run(lambda: pd.link == LinkState.SECURE)
    peer.submit(command="Keyset", type=1, data=OTHER.hex())
    assert peer.run(lambda: any(e.kind == EventKind.KEY for e in peer.events))
    assert next(e.data for e in peer.events if e.kind == EventKind.KEY) == OTHER
    assert peer.run(lambda: [e.a for e in peer.events if e.kind == EventKind.LINK].count(LinkState.SECURE) == 2)
    assert pd.stats["attacks"] == 0


def test_install_mode_of_ours_with_a_libosdp_controller(peers: list[Peer]) -> None:
    """The window lets the published key in, and a key set under it; from then on only that one."""
    pd = our_device(None)
    pd.install(time.monotonic_ns(), 60 * 10**9)  # wall clock: a foreign process
    peer = Peer("cp", pd, key=OTHER.hex(), flags=["InstallMode"])
    peers.append(peer)
    assert peer.run(lambda: any(e.kind == EventKind.KEY for e in peer.events)), peer.told
    assert next(e.data for e in peer.events if e.kind == EventKind.KEY) == OTHER
    assert peer.run(lambda: pd.link == LinkState.SECURE)
    assert [(e.a, e.b) for e in peer.events if e.kind == EventKind.INSTALL] == [(1, 0), (0, 1)]


class Fault:
    """Harms one frame that it is armed for."""

    def __init__(self, harm: Callable[[bytes], list[bytes]]) -> None:
        self._harm = harm
        self.armed = False
        self.done = 0

    def __call__(self, data: bytes) -> list[bytes]:
        if not self.armed:
            return [data]
        self.armed = False
        self.done += 1
        return self._harm(data)


def flipped(data: bytes) -> list[bytes]:
    middle = len(data) // 2
    return [data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]]


HARMS: dict[str, Callable[[bytes], list[bytes]]] = {
    "lost": lambda data: [],
    "damaged": flipped,
    "cut": lambda data: [data[:-3]],
    "noise": lambda data: [b"\x53\x00\xff\x11", data],
    "twice": lambda data: [data, data],
}


@BOTH
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("side", ["to_us", "to_peer"])
def test_faults_of_the_line_to_a_libosdp_device(peers: list[Peer], key: bytes | None, harm: str, side: str) -> None:
    """One frame of either direction is harmed: the reader stays (or, secure, comes back) and the next command arrives.

    libosdp 3.2.9 ends a secure session when a command is repeated, and says so in clear, which counts as an attack; in
    clear nothing may go off line.
    """
    panel = ControlPanel(baud=115200)
    reader = panel.open(1, key=key, poll_ns=20_000_000)
    peer = Peer("pd", panel, key=key.hex() if key else None)
    peers.append(peer)
    state = secure_or_clear(key)
    assert peer.run(lambda: panel.link(reader) == state)
    fault = Fault(HARMS[harm])
    setattr(peer, side, fault)
    fault.armed = True
    assert peer.run(lambda: fault.done == 1)
    end = time.monotonic() + 0.5  # wall clock: a foreign process
    peer.run(lambda: time.monotonic() > end)  # wall clock: what was harmed is repeated
    assert peer.run(lambda: panel.link(reader) == state)
    led = messages.Led(control=1, on=1, off=1, on_color=1)
    panel.command(reader, led.CODE, led.pack(), 1)
    assert peer.run(lambda: any(e.token == 1 for e in peer.events))
    assert [e.kind for e in peer.events if e.token == 1] == [EventKind.DONE]
    if key is None:
        lost = [e for e in peer.events if e.kind == EventKind.LINK and e.a == LinkState.OFFLINE]
        assert lost == []
        assert unexplained_attacks(panel, reader) == 0


@BOTH
@pytest.mark.parametrize("harm", ["byte by byte", "noise before", "another address"])
def test_faults_of_the_line_to_a_libosdp_controller(peers: list[Peer], key: bytes | None, harm: str) -> None:
    """What a PD must bear without a word: libosdp gives a reader up at the first reply that is missing."""
    lines: dict[str, Callable[[bytes], list[bytes]]] = {
        "byte by byte": lambda data: [bytes([byte]) for byte in data],
        "noise before": lambda data: [b"\x00\xff\x11\x22", data],
        "another address": lambda data: [bytes.fromhex("ff530508000460"), crc(b"\x53\x05\x08\x00\x04\x60"), data],
    }
    pd = our_device(key)
    peer = Peer("cp", pd, key=key.hex() if key else None)
    peer.to_us = lines[harm]
    peers.append(peer)
    assert peer.run(lambda: pd.link == secure_or_clear(key)), peer.told
    peer.submit(command="Buzzer", reader=0, control_code=2, on_count=1, off_count=2, rep_count=3)
    pd.post(Reply.RAW, CARD)
    assert peer.run(lambda: any(e.code == Command.BUZ for e in peer.events) and bool(peer.heard("event")))
    assert [state for state in peer.heard("online") if not state] in ([], [False])
    assert pd.stats["attacks"] == 0


def crc(frame: bytes) -> bytes:
    return crc16(frame).to_bytes(2, "little")
