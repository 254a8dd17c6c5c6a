"""Bus and Device on asyncio, over a socket pair and over a pty; the sniffer; captures."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import tty
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from axcore import errors, osdp
from axcore.osdp import events, messages
from axcore.osdp.messages import Led, Manufacturer, ManufacturerReply

KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
OTHER = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e00")
Pair = tuple[osdp.Bus, osdp.Device]


async def until(bus: osdp.Bus, wanted: Callable[[events.BusEvent], bool]) -> events.BusEvent:
    async for event in bus.events():
        if wanted(event):
            return event
    raise AssertionError("the bus was closed")


def is_link(state: osdp.LinkState) -> Callable[[events.BusEvent], bool]:
    return lambda event: isinstance(event, events.LinkChanged) and event.state is state


@pytest.fixture(params=["socket", "pty"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    if request.param == "pty":
        one, two = os.openpty()
        tty.setraw(one)
        tty.setraw(two)
        yield one, two
        os.close(one)
        os.close(two)
    else:
        a, b = socket.socketpair()
        yield a.fileno(), b.fileno()
        a.close()
        b.close()


@pytest.fixture
async def pair(ends: tuple[int, int]) -> AsyncIterator[Pair]:
    bus = osdp.Bus.open_fd(ends[0], baud=115200)
    device = osdp.Device.open_fd(ends[1], 1, key=KEY, id=messages.PdId(b"abc", 1, 2, 3, 4, 5, 6))
    yield bus, device
    bus.close()
    device.close()


async def test_a_reader_comes_up_and_reads_a_card_and_keys(pair: Pair) -> None:
    bus, device = pair
    reader = bus.add_reader(1, key=KEY)
    await until(bus, is_link(osdp.LinkState.SECURE))
    assert reader.link is osdp.LinkState.SECURE
    assert device.link is osdp.LinkState.SECURE
    assert reader.id == messages.PdId(b"abc", 1, 2, 3, 4, 5, 6)
    assert messages.PdCap(9, 1, 1) in reader.capabilities
    device.card(0x2D88EB9, 26)
    card = await until(bus, lambda event: isinstance(event, events.CardRead))
    assert isinstance(card, events.CardRead)
    assert (card.reader, card.value, card.bits, card.secure) == (1, 0x2D88EB9, 26, True)
    device.keys("12*#")
    keys = await until(bus, lambda event: isinstance(event, events.KeysPressed))
    assert isinstance(keys, events.KeysPressed)
    assert keys.keys == "12*#"
    assert reader.stats["handshakes"] == 1
    assert device.stats["commands"] > 5


async def test_commands_are_awaited_and_answered(pair: Pair) -> None:
    bus, device = pair
    reader = bus.add_reader(1, key=KEY)
    got: list[object] = []

    @device.on(osdp.Command.LED)
    def led(records: tuple[Led, ...]) -> None:
        got.extend(records)

    @device.on(osdp.Command.MFG)
    async def manufacturer(message: Manufacturer) -> ManufacturerReply:
        await asyncio.sleep(0)
        return ManufacturerReply(message.oui, message.data[::-1])

    @device.on(osdp.Command.BUZ)
    def buzzer(_records: object) -> None:
        raise osdp.RefusalError(osdp.NakReason.RECORD)

    device.store(messages.OutputStatusReport(b"\1"))
    await reader.led(Led(on=1, on_color=osdp.Color.GREEN), Led(led=1))
    await reader.text("hello", row=2)
    assert got == [Led(on=1, on_color=2), Led(led=1)]
    assert await reader.command(Manufacturer(b"axc", b"abc")) == ManufacturerReply(b"axc", b"cba")
    assert await reader.command(messages.OutputStatus()) == messages.OutputStatusReport(b"\1")
    assert await reader.output(messages.Output(0, 1)) == messages.Ack()
    with pytest.raises(osdp.CommandError) as caught:
        await reader.buzzer(messages.Buzzer())
    assert (caught.value.why, caught.value.detail) == (osdp.Why.NAK, osdp.NakReason.RECORD)
    assert "0x6a" in str(caught.value)


async def test_a_file_with_progress(pair: Pair) -> None:
    bus, device = pair
    reader = bus.add_reader(1, key=KEY)
    files: list[tuple[int, bytes]] = []
    receiver = device.receive_files(lambda kind, data: files.append((kind, data)), part=200)
    seen: list[tuple[int, int]] = []
    content = os.urandom(3000)
    assert await reader.send_file(content, type=5, progress=lambda done, size: seen.append((done, size))) == 3000
    assert files == [(5, content)]
    assert seen[-1] == (3000, 3000)
    assert receiver.received == 0


async def test_keys_on_line_and_the_install_window(pair: Pair) -> None:
    bus, device = pair
    reader = bus.add_reader(1)
    told: list[osdp.DeviceEvent] = []
    device.on_event = told.append
    assert reader.link is osdp.LinkState.OFFLINE
    device.install(30)
    reader.install(OTHER, 30)
    await until(bus, is_link(osdp.LinkState.SECURE))
    assert [event.data for event in told if event.kind is osdp.EventKind.KEY] == [OTHER]
    await reader.keyset(KEY)
    await until(bus, is_link(osdp.LinkState.SECURE))
    assert [event.link for event in told if event.kind is osdp.EventKind.LINK][-1] == (
        osdp.LinkState.SECURE,
        osdp.Why.NONE,
    )
    assert all(event.attack is None for event in told)
    device.set_key(OTHER)
    reader.install(None)


async def test_moving_a_device(pair: Pair) -> None:
    bus, _ = pair
    reader = bus.add_reader(1, key=KEY)
    await reader.comset(7, 38400)
    moved = await until(bus, lambda event: isinstance(event, events.LineChanged))
    assert isinstance(moved, events.LineChanged)
    assert (moved.address, moved.baud, reader.address) == (7, 38400, 7)
    bus.remove_reader(reader)
    assert bus.readers == {}


async def test_closing_cancels_what_waits() -> None:
    bus = osdp.Bus(lambda data: None)
    reader = bus.add_reader(0, require_secure=False)
    waiting = asyncio.ensure_future(reader.led(Led()))
    await asyncio.sleep(0)
    bus.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert [event async for event in bus.events()] == []


async def test_the_end_of_a_descriptor_closes_the_bus() -> None:
    a, b = socket.socketpair()
    bus = osdp.Bus.open_fd(a.fileno())
    b.close()
    assert [event async for event in bus.events()] == []
    a.close()


def test_without_a_loop_time_is_the_callers() -> None:
    now = [0]
    sent: list[bytes] = []
    bus = osdp.Bus(sent.append, baud=0, clock=lambda: now[0])
    replies: list[bytes] = []
    device = osdp.Device(replies.append, 3, clock=lambda: now[0])
    bus.add_reader(3, require_secure=False)
    device.post(messages.Keypad(0, b"7"))
    device.post(messages.LocalStatusReport(1, 0))
    device.engine.post(osdp.Reply.RAW, b"\0\1\xff\0\1")
    for _ in range(20):
        now[0] += 1_000_000
        bus.poll()
        if sent:
            device.feed(sent.pop())
        if replies:
            bus.feed(replies.pop())
    kinds = [type(event) for event in bus.take_events()]
    assert kinds == [events.LinkChanged, events.KeysPressed, events.ReplyReceived, events.Malformed]
    assert bus.deadline_ns > 0


def test_a_file_receiver_takes_repeats_and_refuses_gaps() -> None:
    files: list[bytes] = []
    receiver = osdp.FileReceiver(lambda _kind, data: files.append(data), limit=100)
    part = messages.FileTransfer
    assert receiver.take(part(1, 10, 0, b"01234")).status == 0
    assert receiver.take(part(1, 10, 0, b"01234")).status == 0
    assert receiver.take(part(1, 10, 7, b"789")).status == -3
    assert receiver.take(part(2, 10, 5, b"56789")).status == -3
    assert receiver.take(part(1, 10, 5, b"56789")).status == 1
    assert receiver.take(part(1, 1000, 0, b"x")).status == -3
    assert receiver.take(part(1, 3, 2, b"xyz")).status == -3
    assert files == [b"0123456789"]


def test_the_sniffer_sees_through_the_channel_with_the_key() -> None:
    panel, pd = osdp.ControlPanel(baud=0), osdp.PeripheralDevice(0, key=KEY)
    panel.open(0, key=KEY)
    pd.post(osdp.Reply.KEYPAD, b"\0\1" + b"5")
    line: list[bytes] = []
    data = b""
    for t in range(1, 20):
        out = panel.step(data, t * 1_000_000)
        data = pd.step(out, t * 1_000_000)
        line += [out, data]
    knows, guesses = osdp.Sniffer(KEY), osdp.Sniffer()
    seen = [seen for chunk in line for seen in knows.feed(chunk, 5)]
    assert messages.Keypad(0, b"5") in [one.message for one in seen]
    assert all(one.message is not None for one in seen)
    hidden = [seen for chunk in line for seen in guesses.feed(chunk)]
    assert any("not heard" in one.note for one in hidden)
    wrong = osdp.Sniffer(OTHER)
    assert any("MAC" in one.note for chunk in line for one in wrong.feed(chunk))
    late = osdp.Sniffer(KEY)
    assert late.feed(line[-2])[0].message is None
    assert late.feed(osdp.encode(0x99))[0].note == "command 0x99 is not known"
    assert late.damaged == 0
    with pytest.raises(errors.InputError):
        osdp.Sniffer(b"short")


def test_captures_are_written_and_read() -> None:
    example = (
        '{ "timeSec" : "1580342115", "timeNano" : "984691851", "io" : "trace", '
        '"data" : " ff ff 53 80 08 00 01 4b 01 d8", "osdpTraceVersion":"1", "osdpSource":"some tool" }\n\n'
    )
    (record,) = osdp.read_capture(io.StringIO(example))
    assert record == osdp.Record(1580342115984691851, bytes.fromhex("ffff53800800014b01d8"), "trace")
    assert osdp.Sniffer().feed(record.data)[0].message == messages.ReaderStatusReport(b"\1")
    out = io.StringIO()
    osdp.write_capture(out, [record, osdp.Record(5, b"\x53", "input")])
    assert list(osdp.read_capture(io.StringIO(out.getvalue()))) == [record, osdp.Record(5, b"\x53", "input")]
    for wrong in ("no json", "{}", '{"osdpTraceVersion":"2","timeSec":"1","timeNano":"1","data":"","io":"x"}'):
        with pytest.raises(errors.InputError, match="line 2"):
            list(osdp.read_capture(["", wrong]))


def test_helpers_of_messages_and_keys() -> None:
    assert messages.Raw(0, 1, 26, bytes.fromhex("b623ae40")).value == 0x2D88EB9
    with pytest.raises(errors.FormatError):
        _ = messages.Raw(0, 1, 40, b"\1").value
    identity = messages.ExtendedId.of({0: b"axcore", 2: b"1234"})
    assert identity.items() == {0: b"axcore", 2: b"1234"}
    for cut in (identity.records[:-1], identity.records[:2]):
        with pytest.raises(errors.FormatError):
            messages.ExtendedId(cut).items()
    with pytest.raises(errors.InputError):
        messages.pack((messages.Led(), messages.Buzzer()))
    assert osdp.check_key(KEY) == KEY
    for wrong in (osdp.SCBK_D, b"short"):
        with pytest.raises(errors.InputError):
            osdp.check_key(wrong)
