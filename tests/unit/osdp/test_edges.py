"""Corners of both engines: what is malformed, refused, cut off, or asked for at the wrong time."""

from __future__ import annotations

import pytest

from axcore import errors
from axcore.osdp import (
    NEVER,
    AttackKind,
    Command,
    ControlPanel,
    EventKind,
    Frame,
    LinkState,
    PeripheralDevice,
    Policy,
    Reply,
    Session,
    Why,
    decode,
    decode_frame,
    encode,
    messages,
)
from axcore.testing.osdp_bus import MemoryLine
from axcore.testing.reference_osdp import ReferenceSession

KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
OTHER = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e00")
S = 10**9
Told = list[tuple[int, int, int]]


class ByHand:
    """A device under test, spoken to frame by frame, with or without a session."""

    def __init__(self, key: bytes | None = None, *, key_type: int = 1) -> None:
        self.pd = PeripheralDevice(0, key=key, nonces=b"ABCDEFGHIJKLMNOP")
        self.session: Session | None = None
        self.sequence, self.t = 0, 1
        self.key_type = key_type

    def handshake(self, key: bytes) -> None:
        session = Session(key, b"abcdefgh")
        self.raw(encode(Command.CHLNG, b"abcdefgh", scb_type=0x11, scb_data=self.key_type))
        server = session.server_cryptogram(b"ABCDEFGH")
        session.start(server)
        self.raw(encode(Command.SCRYPT, server, sequence=1, scb_type=0x13, scb_data=self.key_type))
        self.session, self.sequence = session, 2

    def raw(self, data: bytes) -> Frame | None:
        self.t += 1_000_000
        out = self.pd.step(data, self.t)
        return decode_frame(out) if out else None

    def ask(self, code: int, data: bytes = b"") -> tuple[int, bytes]:
        if self.session:
            reply = self.raw(self.session.seal(code, data, sequence=self.sequence))
        else:
            reply = self.raw(encode(code, data, sequence=self.sequence))
        assert reply is not None
        self.sequence = self.sequence % 3 + 1
        return reply.code, self.session.open(reply) if self.session else reply.data

    def attacks(self) -> list[int]:
        return [e.a for e in self.pd.events() if e.kind == EventKind.ATTACK]


def line(key: bytes | None = None) -> MemoryLine:
    panel, pd = ControlPanel(baud=0), PeripheralDevice(0, key=key)
    panel.open(0, key=key)
    made = MemoryLine(panel, [pd])
    assert made.run(1, lambda: panel.link(0) != LinkState.OFFLINE)
    made.panel_events.clear()
    return made


def told(made: MemoryLine, token: int) -> Told:
    return [(e.kind, e.a, e.b) for e in made.panel_events if e.token == token]


def test_sequence_numbers_of_a_device() -> None:
    hand = ByHand()
    reply = hand.raw(encode(Command.POLL, sequence=2))
    assert reply is not None
    assert (reply.code, reply.data, reply.sequence) == (Reply.NAK, b"\x04", 2)
    assert hand.ask(Command.POLL) == (Reply.ACK, b"")
    assert hand.ask(Command.POLL) == (Reply.ACK, b"")
    again = hand.raw(encode(Command.ISTAT, sequence=1))
    assert again is not None
    assert again.data == b"\x04"


def test_a_damaged_command_is_told_and_a_wrong_block_too() -> None:
    hand = ByHand()
    damaged = hand.raw(encode(Command.POLL)[:-1] + b"\0")
    assert damaged is not None
    assert damaged.data == b"\x01"
    blocked = hand.raw(bytes.fromhex("53000d00080915600102030400")[:-1] + b"\xb8")
    assert blocked is None or blocked.data in (b"\x05", b"\x01")
    assert hand.pd.stats["naks"] >= 1


def test_handshake_frames_without_their_form() -> None:
    hand = ByHand(KEY)
    for frame in (
        encode(Command.CHLNG, b"short", scb_type=0x11, scb_data=1),
        encode(Command.POLL, b"", scb_type=0x11, scb_data=1),
        encode(Command.SCRYPT, bytes(16), scb_type=0x13, scb_data=1),
        encode(Command.SCRYPT, bytes(3), scb_type=0x13, scb_data=1),
    ):
        reply = hand.raw(frame)
        assert reply is not None
        assert reply.code == Reply.NAK
    open_hand = ByHand()
    assert open_hand.ask(Command.CHLNG, bytes(8)) == (Reply.NAK, b"\x05")
    no_key = open_hand.raw(encode(Command.CHLNG, b"abcdefgh", scb_type=0x11, scb_data=1))
    assert no_key is not None
    assert no_key.data == b"\x05"


def test_no_nonce_no_handshake() -> None:
    pd = PeripheralDevice(0, key=KEY, nonces=b"")
    reply = decode_frame(pd.step(encode(Command.CHLNG, b"abcdefgh", scb_type=0x11, scb_data=1), 1))
    assert (reply.code, reply.data) == (Reply.NAK, b"\x05")
    panel = ControlPanel(baud=0, nonces=b"12345678")
    panel.open(0, key=KEY)
    assert decode_frame(panel.advance(1)[1:]).code == Command.CHLNG
    panel = ControlPanel(baud=0, nonces=b"")
    panel.open(0, key=KEY)
    assert panel.advance(1) == b""
    assert panel.deadline_ns == S + 1


def test_a_wrong_server_cryptogram_gets_a_failure_status() -> None:
    hand = ByHand(KEY)
    hand.raw(encode(Command.CHLNG, b"abcdefgh", scb_type=0x11, scb_data=1))
    reply = hand.raw(encode(Command.SCRYPT, bytes(16), sequence=1, scb_type=0x13, scb_data=1))
    assert reply is not None
    assert (reply.code, reply.scb_data, reply.data) == (Reply.RMAC_I, 0xFF, bytes(16))
    assert hand.attacks() == [AttackKind.CRYPTOGRAM]
    assert hand.pd.link == LinkState.OFFLINE


def test_a_start_in_clear_ends_the_session_and_gives_nothing() -> None:
    hand = ByHand(KEY)
    hand.handshake(KEY)
    hand.pd.post(Reply.KEYPAD, b"\0\x015")
    assert hand.pd.link == LinkState.SECURE
    reply = hand.raw(encode(Command.POLL))
    assert reply is not None
    assert (reply.code, hand.pd.link) == (Reply.ACK, LinkState.OFFLINE)


def test_the_published_key_carries_a_keyset_and_little_else() -> None:
    hand = ByHand(key_type=0)
    hand.pd.install(0, 60 * S)
    hand.handshake(bytes(range(0x30, 0x40)))
    assert hand.pd.link == LinkState.INSTALL
    hand.pd.post(Reply.KEYPAD, b"\0\x015")
    assert hand.ask(Command.POLL) == (Reply.ACK, b"")
    assert hand.ask(Command.LED, bytes(14)) == (Reply.NAK, b"\x06")
    hand.pd.advance(61 * S)
    assert hand.pd.link == LinkState.OFFLINE
    assert [(e.a, e.b) for e in hand.pd.events() if e.kind == EventKind.INSTALL] == [(1, 0), (0, 0)]


def test_parts_that_do_not_fit_together_are_refused() -> None:
    hand = ByHand()
    hand.pd.set_policy(Command.GENAUTH, Policy.ACCEPT)

    def part(total: int, offset: int, data: bytes) -> bytes:
        return b"".join(value.to_bytes(2, "little") for value in (total, offset, len(data))) + data

    assert hand.ask(Command.GENAUTH, part(10, 0, b"01234")) == (Reply.ACK, b"")
    assert hand.ask(Command.GENAUTH, part(10, 6, b"6789")) == (Reply.NAK, b"\x09")
    assert hand.ask(Command.GENAUTH, part(10, 5, b"56789")) == (Reply.NAK, b"\x09")
    assert hand.ask(Command.GENAUTH, part(9000, 0, b"x")) == (Reply.NAK, b"\x09")
    assert hand.ask(Command.GENAUTH, part(10, 0, b"01234")) == (Reply.ACK, b"")
    assert hand.ask(Command.ABORT) == (Reply.ACK, b"")
    assert hand.ask(Command.GENAUTH, part(10, 5, b"56789")) == (Reply.NAK, b"\x09")
    assert [e.code for e in hand.pd.events() if e.kind == EventKind.COMMAND] == [Command.ABORT]


@pytest.mark.parametrize("size", [0, 128, 300, 60000])
def test_parts_fit_what_the_controller_takes(size: int) -> None:
    hand = ByHand()
    hand.pd.store(Reply.EXT_PDID, messages.ExtendedId.of({0: bytes(900)}).records)
    hand.pd.store(Reply.PDID, bytes(12))
    assert hand.ask(Command.ID, b"\0")[0] == Reply.PDID
    assert hand.ask(Command.ACURXSIZE, size.to_bytes(2, "little")) == (Reply.ACK, b"")
    code, data = hand.ask(Command.ID, b"\1")
    got = data[6:]
    while len(got) < 903:
        assert len(data) <= max(size, 128) - 8
        code, data = hand.ask(Command.POLL)
        assert int.from_bytes(data[2:4], "little") == len(got)
        got += data[6:]
    assert (code, got) == (Reply.EXT_PDID, messages.ExtendedId.of({0: bytes(900)}).records)


def test_an_answer_in_parts_ends_the_command_when_it_is_whole() -> None:
    made = line()
    records = messages.ExtendedId.of({0: bytes(1000)}).records
    made.devices[0].store(Reply.EXT_PDID, records)
    made.devices[0].step(encode(Command.ACURXSIZE, b"\x80\x00", sequence=0), made.t_ns)
    made.run(0.1)
    made.devices[0].store(Reply.EXT_PDID, records)
    made.panel.command(0, Command.ID, b"\1", 8)
    made.run(2)
    found = [e for e in made.panel_events if e.token == 8]
    assert [(e.kind, e.code, e.data) for e in found] == [(EventKind.REPLY, Reply.EXT_PDID, records)]


@pytest.mark.parametrize("broken", [b"", b"\x0a\0\5\0\1\0x", b"\xff\xff\0\0\1\0x", b"\x0a\0\0\0\x63\0x"])
def test_an_answer_in_parts_that_makes_no_sense_fails_the_command(broken: bytes) -> None:
    made = line()
    made.devices[0].store(Reply.PDID, bytes(12))

    def harm(who: int, data: bytes) -> bytes:
        frame = decode(data)[0][0]
        if who < 0 or frame.code != Reply.PDID:
            return data
        return encode(Reply.EXT_PDID, broken, sequence=frame.sequence, reply=True)

    made.harm = harm
    made.panel.command(0, Command.ID, b"\1", 8)
    made.run(1)
    assert told(made, 8) == [(EventKind.FAILED, Why.NAK, 0)]


def test_parts_of_a_device_that_dies_fail_the_command() -> None:
    made = line()

    def harm(who: int, data: bytes) -> bytes | None:
        frame = decode(data)[0][0]
        if who >= 0 and frame.code == Reply.NAK:
            made.dead.add(0)
            return encode(Reply.PIVDATAR, b"\x0a\0\0\0\1\0x", sequence=frame.sequence, reply=True)
        return data

    made.harm = harm
    made.panel.command(0, Command.PIVDATA, bytes(6), 8)
    made.run(10)
    assert told(made, 8) == [(EventKind.FAILED, Why.SILENCE, 0)]


@pytest.mark.parametrize("answer", [b"\x01\0\0\xfe\xff\0\0", b"short", None])
def test_a_file_that_the_device_stops(answer: bytes | None) -> None:
    made = line()
    made.devices[0].set_policy(Command.FILETRANSFER, Policy.ASK if answer else Policy.REFUSE)
    made.panel.file(0, bytes(300), token=4)

    def serve() -> bool:
        if any(e.kind == EventKind.COMMAND for _, e in made.device_events):
            made.device_events.clear()
            made.devices[0].answer(Reply.FTSTAT, answer or b"")
        return bool(told(made, 4))

    assert made.run(2, serve)
    wanted = {b"\x01\0\0\xfe\xff\0\0": (Why.ABORT, 0xFFFE), b"short": (Why.NAK, ord("s")), None: (Why.NAK, 3)}
    assert told(made, 4) == [(EventKind.FAILED, *wanted[answer])]


def test_a_device_that_takes_its_time_with_a_file() -> None:
    """FTSTAT: no other messages between, a delay, a size, and finishing until it is done."""
    made = line()
    made.devices[0].set_policy(Command.FILETRANSFER, Policy.ASK)
    statuses = [messages.FileStatus(0, 300, 0, 100), *[messages.FileStatus(0, 300, 0, 100)] * 2]
    statuses += [messages.FileStatus(0, 50, 3, 0)] * 4 + [messages.FileStatus(1, 0, 1, 0)]
    seen: list[messages.FileTransfer] = []

    def serve() -> bool:
        for _, e in made.device_events:
            if e.kind == EventKind.COMMAND:
                seen.append(messages.FileTransfer.unpack(e.data))
                made.devices[0].answer(Reply.FTSTAT, statuses.pop(0).pack())
        made.device_events.clear()
        return any(kind == EventKind.DONE for kind, _, _ in told(made, 4))

    made.devices[0].store(Reply.PDCAP, b"\x0a\x80\x00")
    made.panel.file(0, bytes(300), token=4)
    start = made.t_ns
    assert made.run(5, serve)
    assert made.t_ns - start >= 900_000_000
    assert statuses == []
    assert [len(part.data) for part in seen[:3]] == [108, 89, 89]  # 128 with the mark
    assert [len(part.data) for part in seen[4:]] == [0] * 4


def test_data_that_is_only_authenticated_ends_the_session() -> None:
    made = line(KEY)
    before = ReferenceSession(KEY, b"abcdefgh")
    panel = ControlPanel(baud=0, nonces=b"abcdefgh" + b"hgfedcba" + b"12345678")
    panel.open(0, key=KEY)
    challenge = decode_frame(panel.advance(1)[1:])
    assert challenge.data == b"abcdefgh"
    reply = bytes(8) + b"ABCDEFGH" + before.client_cryptogram(b"ABCDEFGH")
    server = decode_frame(panel.step(encode(Reply.CCRYPT, reply, reply=True, scb_type=0x12, scb_data=1), 2)[1:]).data
    mac = before.start(server)
    out = panel.step(encode(Reply.RMAC_I, mac, sequence=1, reply=True, scb_type=0x14, scb_data=1), 3)
    assert before.open(out[1:]) == b"\0"
    out = panel.step(before.seal(Reply.PDID, bytes(12), sequence=2, reply=True, null_cipher=True), 4)
    assert [e.a for e in panel.events() if e.kind == EventKind.ATTACK] == [AttackKind.NULL_CIPHER]
    assert decode_frame(out[1:]).code == Command.CHLNG
    assert made.panel.stats(0)["attacks"] == 0


def test_our_own_nonce_reflected_is_refused() -> None:
    panel = ControlPanel(baud=0, nonces=b"abcdefgh" * 3)
    panel.open(0, key=KEY)
    panel.advance(1)
    reply = bytes(8) + b"abcdefgh" + bytes(16)
    panel.step(encode(Reply.CCRYPT, reply, reply=True, scb_type=0x12, scb_data=1), 2)
    assert [e.a for e in panel.events() if e.kind == EventKind.ATTACK] == [AttackKind.NONCE]


def test_refusals_in_clear_within_a_session() -> None:
    """1 repeats, 3 fails the command, 6 starts anew; twice for one command fails it."""
    made = line(KEY)
    reasons = [1, 3]

    def harm(who: int, data: bytes) -> bytes:
        frame = decode(data)[0][0]
        if who < 0 or not reasons or decode(made.sent[-1][1])[0][0].code != Command.LED:
            return data
        return encode(Reply.NAK, bytes([reasons.pop(0)]), sequence=frame.sequence, reply=True)

    made.harm = harm
    made.panel.command(0, Command.LED, bytes(14), 4)
    made.run(1)
    assert told(made, 4) == [(EventKind.FAILED, Why.NAK, 3)]
    made.run(1)
    reasons += [6, 6]
    made.panel.command(0, Command.LED, bytes(14), 5)
    made.run(3)
    assert told(made, 5) == [(EventKind.FAILED, Why.NAK, 6)]
    assert made.panel.link(0) == LinkState.SECURE
    assert {e.kind for e in made.panel_events} <= {EventKind.FAILED, EventKind.LINK, EventKind.REPLY}


def test_a_key_that_the_device_refuses() -> None:
    made = line(KEY)

    def harm(who: int, data: bytes) -> bytes:
        frame = decode(data)[0][0]
        if who < 0 or len(made.sent[-1][1]) < 40:
            return data
        return encode(Reply.NAK, b"\x03", sequence=frame.sequence, reply=True)

    made.harm = harm
    made.panel.keyset(0, OTHER, 4)
    made.run(0.5)
    made.dead.add(0)
    made.run(10)
    assert told(made, 4)[-1][0] == EventKind.FAILED
    made.panel.close(0)


def test_secured_frames_before_a_session_are_not_for_us() -> None:
    made = line()
    stale = Session(KEY, b"abcdefgh")
    stale.start(bytes(16))
    made.panel.advance(made.t_ns)
    sent = decode_frame(made.sent[-1][1][1:])
    made.panel.feed(stale.seal(Reply.ACK, sequence=sent.sequence, reply=True), made.t_ns)
    made.run(1)
    assert made.panel.stats(0)["stale"] >= 1


def test_echoes_of_the_line_are_ignored() -> None:
    made = line()
    made._fly(-1, made.t_ns, encode(Command.POLL, address=0))
    made.run(1)
    assert made.panel.link(0) == LinkState.CLEAR


def test_readers_come_and_go() -> None:
    made = line(KEY)
    made.panel.open(1, key=KEY)
    made.panel.open(2)
    made.panel.close(1)
    made.run(0.5)
    made.panel.close(0)
    made.panel.set_baud(9600)
    made.run(20)
    assert made.panel.link(2) == LinkState.OFFLINE
    with pytest.raises(errors.ArgumentError):
        made.panel.close(0)


def test_changes_while_a_frame_is_in_flight() -> None:
    panel = ControlPanel(baud=0)
    panel.open(0, key=KEY)
    for change in (
        lambda: panel.set_key(0, OTHER),
        lambda: panel.install(0, 5, S, OTHER),
        lambda: panel.install(0, 6, 0),
        lambda: panel.close(0),
    ):
        assert panel.advance(5 * S) != b""
        change()
    assert panel.deadline_ns == NEVER


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (errors.ArgumentError, lambda panel, pd: panel.set_key(3, OTHER)),
        (errors.ArgumentError, lambda panel, pd: panel.keyset(0, OTHER, 0)),
        (errors.ArgumentError, lambda panel, pd: panel.install(3, 0, S, OTHER)),
        (errors.ArgumentError, lambda panel, pd: panel.install(0, 0, S)),
        (errors.ArgumentError, lambda panel, pd: panel.file(3, b"x")),
        (errors.RangeError, lambda panel, pd: panel.file(0, b"x", offset=2)),
        (errors.ArgumentError, lambda panel, pd: panel.file_stop(3)),
        (errors.RangeError, lambda panel, pd: panel.open(1, poll_ns=5 * S)),
        (errors.RangeError, lambda panel, pd: panel.open(127, key=KEY)),
        (errors.RangeError, lambda panel, pd: panel.set_key(0, bytes(16))),
        (errors.RangeError, lambda panel, pd: pd.store(Reply.PDID, bytes(1025))),
        (errors.RangeError, lambda panel, pd: pd.set_policy(Command.LED, 3)),
        (errors.ArgumentError, lambda panel, pd: pd.answer(Reply.CCRYPT)),
        (errors.RangeError, lambda panel, pd: pd.post(Reply.GENAUTHR, bytes(8193))),
        (errors.RangeError, lambda panel, pd: ControlPanel(reply_ns=0)),
    ],
)
def test_calls_that_are_refused(error: type[Exception], call) -> None:  # type: ignore[no-untyped-def]
    panel, pd = ControlPanel(), PeripheralDevice(0)
    panel.open(0)
    with pytest.raises(error):
        call(panel, pd)


def test_the_configuration_address_of_the_controller_takes_three_commands() -> None:
    panel = ControlPanel(baud=0)
    panel.open(127)
    with pytest.raises(errors.ArgumentError):
        panel.command(0, Command.LED, bytes(14))
    made = MemoryLine(panel, [PeripheralDevice(5)])
    made.run(1)
    assert panel.deadline_ns >= made.t_ns + 6 * S
    panel.command(0, Command.CAP, b"\0", 2)
    made.run(1)
    assert told(made, 2) == [(EventKind.FAILED, Why.NAK, 3)]


def test_a_late_answer_is_given_when_the_command_is_repeated() -> None:
    hand = ByHand()
    hand.pd.set_policy(Command.MFG, Policy.ASK)
    frame = encode(Command.MFG, b"abc")
    assert hand.raw(frame) is None
    busy = decode_frame(hand.pd.advance(hand.t + S))
    assert (busy.code, busy.sequence) == (Reply.BUSY, 0)
    hand.t += S
    with pytest.raises(errors.RangeError):
        hand.pd.answer(Reply.GENAUTHR, bytes(2000))
    hand.pd.answer(Reply.MFGREP, b"abcdef")
    reply = hand.raw(frame)
    assert reply is not None
    assert (reply.code, reply.data) == (Reply.MFGREP, b"abcdef")


def test_events_that_nobody_reads_are_counted() -> None:
    hand = ByHand()
    hand.pd.set_policy(Command.MFG, Policy.ACCEPT)
    for _ in range(60):
        hand.ask(Command.MFG, bytes(1400))
    events = hand.pd.events()
    assert events[-1].kind == EventKind.LOST
    assert len(events) - 2 + events[-1].a == 60
