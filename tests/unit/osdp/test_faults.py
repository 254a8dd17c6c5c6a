"""What a line does to frames, and what it must not do to the link: retries, silence, neighbours, speed, restarts."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from axcore._native.osdp_line import ControlPanel, Event, PeripheralDevice
from axcore.osdp import Command, EventKind, LinkState, Reply, Why
from axcore.testing.osdp_bus import MemoryLine

KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
CARD = bytes([0, 1, 26, 0, 0xB6, 0x23, 0xAE, 0x40])
S = 1_000_000_000
BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["clear", "secure"])


def device(address: int, key: bytes | None) -> PeripheralDevice:
    pd = PeripheralDevice(address, key=key)
    pd.store(Reply.PDID, bytes(12))
    pd.store(Reply.PDCAP, bytes([9, 1, 1, 10, 0xA0, 5]))
    return pd


def line(key: bytes | None, count: int = 1, baud: int = 115200, poll_ns: int = 0) -> MemoryLine:
    panel = ControlPanel(baud=baud)
    devices = [device(address, key) for address in range(count)]
    for address in range(count):
        panel.open(address, key=key, poll_ns=poll_ns)
    made = MemoryLine(panel, devices, baud=baud)
    state = LinkState.SECURE if key else LinkState.CLEAR
    assert made.run(2, lambda: all(panel.link(i) == state for i in range(count)))
    return made


def links(events: list[Event], reader: int = 0) -> list[tuple[int, int]]:
    return [(e.a, e.b) for e in events if e.kind == EventKind.LINK and e.reader == reader]


def cards(made: MemoryLine) -> list[Event]:
    return [e for e in made.panel_events if e.kind == EventKind.REPLY and e.code == Reply.RAW]


def once(who: int, change: Callable[[bytes], bytes | None]) -> Callable[[int, bytes], bytes | None]:
    """Harm the first frame of one speaker."""
    left = [1]

    def harm(speaker: int, data: bytes) -> bytes | None:
        if speaker != who or not left[0]:
            return data
        left[0] = 0
        return change(data)

    return harm


DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "lost": lambda data: None,
    "bit": lambda data: data[:-3] + bytes([data[-3] ^ 4]) + data[-2:],
    "cut": lambda data: data[:-4],
    "length": lambda data: data[:3] + bytes([data[3] ^ 0x40]) + data[4:],
    "noise": lambda data: bytes(random.Random(3).randbytes(len(data))),
    "address": lambda data: data.replace(b"\x53\x80", b"\x53\x85").replace(b"\x53\x00", b"\x53\x05"),
}


@BOTH
@pytest.mark.parametrize("what", DAMAGE)
@pytest.mark.parametrize("who", [-1, 0], ids=["command", "reply"])
def test_one_bad_frame_costs_one_retry_and_nothing_else(key: bytes | None, what: str, who: int) -> None:
    made = line(key)
    made.panel_events.clear()
    before = made.panel.stats(0)
    made.devices[0].post(Reply.RAW, CARD)
    made.harm = once(who, DAMAGE[what])
    made.run(1)
    after = made.panel.stats(0)
    assert after["retries"] - before["retries"] == 1
    assert after["handshakes"] == before["handshakes"]
    assert links(made.panel_events) == []
    assert [e.data for e in cards(made)] == [CARD]
    assert made.panel.link(0) == (LinkState.SECURE if key else LinkState.CLEAR)


@BOTH
def test_a_retry_is_the_same_bytes_and_so_is_its_reply(key: bytes | None) -> None:
    made = line(key)
    made.sent.clear()
    made.received.clear()
    made.devices[0].post(Reply.RAW, CARD)
    lost: list[bytes] = []
    made.harm = once(0, lost.append)
    made.run(0.25)
    repeated = [data for (_, data), (_, before) in zip(made.sent[1:], made.sent, strict=False) if data == before]
    assert len(repeated) == 1
    assert made.received[0][2] == lost[0]
    assert made.devices[0].stats["repeats"] == 1


@BOTH
@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_a_bad_line_keeps_link_session_and_every_card(key: bytes | None, rate: float) -> None:
    dice = random.Random(1)
    made = line(key, poll_ns=50_000_000)
    made.panel_events.clear()

    def harm(_who: int, data: bytes) -> bytes | None:
        if dice.random() > rate:
            return data
        return DAMAGE[dice.choice(["lost", "bit", "cut", "noise"])](data)

    made.harm = harm
    for n in range(60):
        made.devices[0].post(Reply.RAW, CARD[:-1] + bytes([n]))
        made.run(1)
    made.harm = lambda _who, data: data
    made.run(20)
    assert [e.data[-1] for e in cards(made)] == list(range(60))
    assert links(made.panel_events) == []
    assert made.panel.stats(0)["handshakes"] == (1 if key else 0)


@BOTH
@pytest.mark.parametrize("count", [1, 2])
def test_offline_after_8_s_and_back_within_2(key: bytes | None, count: int) -> None:
    made = line(key, count)
    made.panel_events.clear()
    died = made.t_ns
    made.dead.add(0)
    assert made.run(20, lambda: made.panel.link(0) == LinkState.OFFLINE)
    assert 7.9 * S <= made.t_ns - died <= 8.3 * S
    assert links(made.panel_events)[0] == (LinkState.OFFLINE, Why.SILENCE)
    made.run(60)
    made.devices[0].reset()
    made.dead.clear()
    back = made.t_ns
    state = LinkState.SECURE if key else LinkState.CLEAR
    assert made.run(5, lambda: made.panel.link(0) == state)
    assert made.t_ns - back <= 2 * S
    if count == 2:
        assert links(made.panel_events, 1) == []


@BOTH
@pytest.mark.parametrize("baud", [9600, 115200])
def test_a_dead_reader_costs_its_neighbour_at_most_200_ms_in_8_s(key: bytes | None, baud: int) -> None:
    made = line(key, 2, baud)
    made.run(1)
    made.dead.add(0)
    made.run(40)
    gone = [(t, n) for (t, data), (n, _) in zip(made.sent, made.sent[1:], strict=False) if data[2] == 0]
    gone = [(t, n - t) for t, n in gone if t > made.t_ns - 40 * S]
    for start, _ in gone:
        window = [cost for t, cost in gone if start <= t < start + 8 * S]
        assert sum(window) <= 200_000_000, (len(window), sum(window))


@BOTH
def test_polling_is_fair(key: bytes | None) -> None:
    made = line(key, 4)
    made.sent.clear()
    for n in range(100):
        made.panel.command(0, Command.LED, bytes(14), n + 1)
    made.run(2)
    turns = [data[2] for _, data in made.sent]
    assert all(turns[i : i + 4].count(address) == 1 for i in range(0, 40, 4) for address in range(4))


@BOTH
def test_a_restarted_device_is_taken_up_again(key: bytes | None) -> None:
    made = line(key)
    made.panel_events.clear()
    made.devices[0].reset()
    made.devices[0].post(Reply.RAW, CARD)
    made.run(2)
    assert len(cards(made)) == 1
    assert made.panel.link(0) == (LinkState.SECURE if key else LinkState.CLEAR)


@BOTH
def test_a_slow_reader_beside_another_is_waited_for(key: bytes | None) -> None:
    made = line(key, 2)
    made.delay_ns = 150_000_000
    made.panel_events.clear()
    made.run(30)
    made.panel_events.clear()
    made.devices[0].post(Reply.RAW, CARD)
    made.run(5)
    assert len(cards(made)) == 1
    assert links(made.panel_events) == []


@BOTH
def test_late_replies_do_not_confuse_the_sequence(key: bytes | None) -> None:
    made = line(key)
    made.panel_events.clear()
    made.delay_ns = 230_000_000
    made.run(5)
    made.delay_ns = 1_000_000
    made.devices[0].post(Reply.RAW, CARD)
    made.run(3)
    assert len(cards(made)) == 1
    assert links(made.panel_events) == []
    assert made.panel.stats(0)["stale"] > 0


@BOTH
def test_busy_repeats_the_command_until_the_answer_is_there(key: bytes | None) -> None:
    made = line(key)
    made.devices[0].set_policy(Command.MFG, 2)
    made.panel.command(0, Command.MFG, b"abcdef", 9)
    made.run(0.5)
    assert made.devices[0].stats["busy"] >= 2
    assert len([1 for _, e in made.device_events if e.kind == EventKind.COMMAND]) == 1
    made.devices[0].answer(Reply.MFGREP, b"abcxyz")
    made.run(0.5)
    assert [(e.code, e.data) for e in made.panel_events if e.token == 9] == [(Reply.MFGREP, b"abcxyz")]
    assert made.panel.link(0) == (LinkState.SECURE if key else LinkState.CLEAR)


@BOTH
def test_a_file_is_transferred_resumed_after_a_loss_and_stopped(key: bytes | None) -> None:
    made = line(key)
    content = random.Random(5).randbytes(20_000)
    made.devices[0].set_policy(Command.FILETRANSFER, 2)
    got = bytearray()

    def serve(token: int = 3) -> bool:
        for _, e in made.device_events:
            if e.kind == EventKind.COMMAND and e.code == Command.FILETRANSFER:
                offset = int.from_bytes(e.data[5:9], "little")
                got[offset:] = e.data[11:]
                made.devices[0].answer(Reply.FTSTAT, bytes([1, 0, 0, 0, 0, 0, 0]))
        made.device_events.clear()
        return any(e.token == token and e.kind != EventKind.FILE for e in made.panel_events)

    made.panel.file(0, content, 1, 0, 3)
    made.run(0.5, serve)
    made.dead.add(0)
    made.run(12)
    assert made.panel.link(0) == LinkState.OFFLINE
    made.dead.clear()
    assert made.run(30, serve)
    assert bytes(got) == content
    assert [e.kind for e in made.panel_events if e.token == 3][-1] == EventKind.DONE
    made.panel.file(0, content, 1, 0, 4)
    made.run(0.2, lambda: serve(4))
    made.panel.file_stop(0)
    made.run(1, lambda: serve(4))
    assert [(e.kind, e.a) for e in made.panel_events if e.token == 4][-1] == (EventKind.FAILED, Why.ABORT)


@BOTH
def test_messages_in_parts_both_ways(key: bytes | None) -> None:
    made = line(key)
    challenge, result = bytes(range(256)) * 12, random.Random(9).randbytes(5000)
    made.devices[0].set_policy(Command.GENAUTH, 1)
    made.panel.command(0, Command.GENAUTH, challenge, 5)
    made.run(2)
    assert [e.data for _, e in made.device_events if e.code == Command.GENAUTH] == [challenge]
    assert [e.kind for e in made.panel_events if e.token == 5] == [EventKind.DONE]
    made.devices[0].post(Reply.GENAUTHR, result)
    made.run(2)
    assert [e.data for e in made.panel_events if e.code == Reply.GENAUTHR] == [result]


def test_comset_moves_the_device_and_the_session_goes_on() -> None:
    made = line(KEY)
    made.panel.command(0, Command.COMSET, bytes([9]) + (38400).to_bytes(4, "little"), 2)
    made.run(1)
    assert made.devices[0].address == 9
    moved = [(e.a, e.b) for e in made.panel_events if e.kind == EventKind.COMSET]
    assert moved == [(9, 38400)]
    made.devices[0].post(Reply.RAW, CARD)
    made.run(1)
    assert len(cards(made)) == 1


def test_the_configuration_address_finds_and_moves_a_device() -> None:
    panel = ControlPanel(baud=0)
    reader = panel.open(0x7F)
    made = MemoryLine(panel, [device(5, None)])
    made.run(1)
    assert panel.link(reader) == LinkState.CLEAR
    panel.command(reader, Command.COMSET, bytes([3]) + (9600).to_bytes(4, "little"), 1)
    made.run(1)
    assert made.devices[0].address == 3
    made.devices[0].post(Reply.RAW, CARD)
    made.run(1)
    assert len(cards(made)) == 1


@BOTH
def test_checksums_instead_of_crcs(key: bytes | None) -> None:
    panel = ControlPanel(baud=0)
    panel.open(0, key=key, checksum=True)
    made = MemoryLine(panel, [device(0, key)])
    made.devices[0].post(Reply.RAW, CARD)
    made.run(1)
    assert len(cards(made)) == 1
    assert all(data[5] & 4 == 0 for _, data in made.sent)
    assert all(data[4] & 4 == 0 for _, _, data in made.received)


def test_commands_of_a_dead_reader_fail() -> None:
    made = line(KEY)
    made.dead.add(0)
    made.panel.command(0, Command.LED, bytes(14), 77)
    made.run(9)
    assert [(e.kind, e.a) for e in made.panel_events if e.token == 77] == [(EventKind.FAILED, Why.SILENCE)]


def test_the_device_goes_off_line_without_a_controller() -> None:
    made = line(KEY)
    made.dead.add(-1)
    made.harm = lambda who, data: None
    made.run(9)
    assert made.devices[0].link == LinkState.OFFLINE


def test_a_key_change_on_line() -> None:
    made = line(KEY)
    new = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e00")
    made.panel.keyset(0, new, 6)
    made.run(2)
    assert [e.data for _, e in made.device_events if e.kind == EventKind.KEY] == [new]
    assert [e.kind for e in made.panel_events if e.token == 6] == [EventKind.KEY, EventKind.DONE]
    assert made.panel.link(0) == LinkState.SECURE
    assert made.panel.stats(0)["handshakes"] == 2
