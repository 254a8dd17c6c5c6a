"""Each known attack on OSDP is refused, and told. The man in the middle is ``MemoryLine.harm``."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from axcore import errors
from axcore._native.osdp_line import ControlPanel, PeripheralDevice
from axcore.osdp import (
    SCBK_D,
    AttackKind,
    Command,
    EventKind,
    LinkState,
    Reply,
    Session,
    crc16,
    decode,
    encode,
    key_is_weak,
)
from axcore.testing.osdp_bus import MemoryLine
from axcore.testing.reference_osdp import ReferenceSession

KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
OTHER = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e00")
CARD = bytes([0, 1, 26, 0, 0xB6, 0x23, 0xAE, 0x40])
MINUTE = 60 * 10**9


def line(
    panel_key: bytes | None = KEY, device_key: bytes | None = KEY, *, cap: bytes = b"\x09\x01\x01", **options: bool
) -> MemoryLine:
    panel, pd = ControlPanel(baud=0), PeripheralDevice(0, key=device_key)
    pd.store(Reply.PDID, bytes(12))
    pd.store(Reply.PDCAP, cap)
    panel.open(0, key=panel_key, poll_ns=50_000_000, **options)
    return MemoryLine(panel, [pd])


def secured() -> MemoryLine:
    made = line()
    assert made.run(1, lambda: made.panel.link(0) == LinkState.SECURE)
    made.run(0.2)
    made.panel_events.clear()
    made.device_events.clear()
    return made


def attacks(made: MemoryLine) -> set[AttackKind]:
    told = [e for e in made.panel_events if e.kind == EventKind.ATTACK]
    told += [e for _, e in made.device_events if e.kind == EventKind.ATTACK]
    return {AttackKind(e.a) for e in told}


def cards(made: MemoryLine) -> list[bytes]:
    return [e.data for e in made.panel_events if e.code == Reply.RAW and e.kind == EventKind.REPLY]


def change_replies(made: MemoryLine, code: int, change: Callable[[bytes], bytes | None]) -> None:
    def harm(who: int, data: bytes) -> bytes | None:
        frames, _ = decode(data)
        return change(data) if who >= 0 and frames and frames[0].code == code else data

    made.harm = harm


def inject(made: MemoryLine, to: int, data: bytes) -> None:
    """Put bytes on the line now."""
    made._fly(to, made.t_ns, data)


def test_1_encryption_is_not_optional_once_there_is_a_key() -> None:
    made = line(device_key=None)
    made.devices[0].post(Reply.RAW, CARD)
    made.run(30)
    assert made.panel.link(0) == LinkState.OFFLINE
    assert cards(made) == []
    assert attacks(made) == {AttackKind.DOWNGRADE}
    assert all(decode(data[1:])[0][0].code == Command.CHLNG for _, data in made.sent)


def test_1_a_device_with_a_key_gives_nothing_in_clear() -> None:
    made = line(panel_key=None)
    made.devices[0].post(Reply.RAW, CARD)
    made.panel.command(0, Command.LED, bytes(14), 4)
    made.run(5)
    assert cards(made) == []
    assert AttackKind.CLEAR in attacks(made)
    assert [e.kind for e in made.panel_events if e.token == 4] == [EventKind.FAILED]


def test_2_capabilities_cannot_take_security_away() -> None:
    made = line(cap=b"\x09\x00\x00")
    made.devices[0].post(Reply.RAW, CARD)
    made.run(2)
    assert made.panel.link(0) == LinkState.SECURE
    assert attacks(made) == {AttackKind.DOWNGRADE}
    assert cards(made) == [CARD]


def test_3_the_published_key_works_in_the_window_only() -> None:
    pd = PeripheralDevice(0, key=KEY)
    challenge = encode(Command.CHLNG, b"12345678", scb_type=0x11, scb_data=0)
    reply = decode(pd.step(challenge, 10))[0][0]
    assert (reply.code, reply.data[0]) == (Reply.NAK, 5)
    assert [e.a for e in pd.events() if e.kind == EventKind.ATTACK] == [AttackKind.DEFAULT_KEY]
    pd.install(10, MINUTE)
    assert decode(pd.step(challenge, MINUTE))[0][0].code == Reply.CCRYPT
    assert decode(pd.step(challenge.replace(b"1234", b"4321")[:-2] + bytes(2), 0))[0] != []
    pd.advance(10 + MINUTE)
    assert [(e.a, e.b) for e in pd.events() if e.kind == EventKind.INSTALL] == [(1, 0), (0, 0)]
    late = encode(Command.CHLNG, b"87654321", scb_type=0x11, scb_data=0)
    assert decode(pd.step(late, 11 + MINUTE))[0][0].code == Reply.NAK
    with pytest.raises(errors.RangeError):
        pd.install(0, 601 * 10**9)


def test_3_install_sets_a_key_and_nothing_else_goes_over_that_session() -> None:
    made = line(panel_key=None, device_key=None, secure=True)
    made.devices[0].post(Reply.RAW, CARD)
    made.run(3)
    assert made.sent == []
    made.devices[0].install(made.t_ns, MINUTE)
    made.panel.install(0, made.t_ns, MINUTE, OTHER)
    made.run(2)
    assert made.panel.link(0) == LinkState.SECURE
    assert [e.data for _, e in made.device_events if e.kind == EventKind.KEY] == [OTHER]
    assert [(e.a, e.b) for e in made.panel_events if e.kind == EventKind.INSTALL] == [(1, 0), (0, 1)]
    assert [(e.link, e.data) for e in made.panel_events if e.code == Reply.RAW] == [(LinkState.SECURE, CARD)]
    assert attacks(made) == set()


def test_3_the_window_of_the_controller_closes_by_itself() -> None:
    made = line(device_key=None)
    made.panel.install(0, made.t_ns, 5 * 10**9, OTHER)
    made.run(20)
    asked = {decode(data[1:])[0][0].scb_data for t, data in made.sent if t > made.t_ns - 10 * 10**9}
    assert asked == {1}
    assert [(e.a, e.b) for e in made.panel_events if e.kind == EventKind.INSTALL] == [(1, 0), (0, 0)]


@pytest.mark.parametrize("step", [0, 1, 255, 17])
def test_4_weak_keys_are_refused(step: int) -> None:
    weak = bytes((7 + n * step) % 256 for n in range(16))
    assert key_is_weak(weak)
    assert key_is_weak(SCBK_D)
    assert not key_is_weak(KEY)
    for refuse in (lambda: PeripheralDevice(0, key=weak), lambda: ControlPanel().open(0, key=weak)):
        with pytest.raises(errors.RangeError):
            refuse()
    made = secured()
    with pytest.raises(errors.RangeError):
        made.panel.keyset(0, weak, 1)
    with pytest.raises(errors.RangeError):
        made.panel.install(0, 0, MINUTE, weak)
    with pytest.raises(errors.RangeError):
        made.devices[0].set_key(weak, 0)


def test_4_a_weak_key_over_the_line_is_refused_too() -> None:
    panel, pd = Session(KEY, b"abcdefgh"), PeripheralDevice(0, key=KEY, nonces=b"ABCDEFGH")
    pd.step(encode(Command.CHLNG, b"abcdefgh", scb_type=0x11, scb_data=1), 1)
    server = panel.server_cryptogram(b"ABCDEFGH")
    panel.start(server)
    pd.step(encode(Command.SCRYPT, server, sequence=1, scb_type=0x13, scb_data=1), 2)
    assert pd.link == LinkState.SECURE
    (nak,), _ = decode(pd.step(panel.seal(Command.KEYSET, b"\x01\x10" + bytes(16), sequence=2), 3))
    assert (nak.code, panel.open(nak)) == (Reply.NAK, b"\x09")
    assert [e.a for e in pd.events() if e.kind == EventKind.ATTACK] == [AttackKind.KEYSET]


def test_5_a_key_is_never_set_in_clear() -> None:
    for key in (None, KEY):
        pd = PeripheralDevice(0, key=key)
        (nak,), _ = decode(pd.step(encode(Command.KEYSET, b"\x01\x10" + OTHER), 1))
        assert (nak.code, nak.data) == (Reply.NAK, b"\x06")
        assert [e.a for e in pd.events() if e.kind == EventKind.ATTACK] == [AttackKind.KEYSET]
    with pytest.raises(errors.StateError):
        line(panel_key=None, device_key=None).panel.keyset(0, OTHER, 1)
    with pytest.raises(errors.ArgumentError):
        secured().panel.command(0, Command.KEYSET, b"\x01\x10" + OTHER)


def test_rmac_with_a_failure_status_opens_nothing() -> None:
    def to_ff(data: bytes) -> bytes:
        frame = decode(data)[0][0]
        return encode(frame.code, frame.data, sequence=frame.sequence, reply=True, scb_type=0x14, scb_data=0xFF)

    made = line()
    change_replies(made, Reply.RMAC_I, to_ff)
    made.run(10)
    assert made.panel.link(0) == LinkState.OFFLINE
    assert attacks(made) == {AttackKind.RMAC}


@pytest.mark.parametrize(
    ("wanted", "scb_data", "at"),
    [(AttackKind.KEY_SWAP, 0, None), (AttackKind.CRYPTOGRAM, 1, 20)],
)
def test_the_answer_to_the_challenge_is_checked(wanted: AttackKind, scb_data: int, at: int | None) -> None:
    def changed(data: bytes) -> bytes:
        frame = decode(data)[0][0]
        body = bytearray(frame.data)
        if at is not None:
            body[at] ^= 1
        return encode(frame.code, bytes(body), sequence=frame.sequence, reply=True, scb_type=0x12, scb_data=scb_data)

    made = line()
    change_replies(made, Reply.CCRYPT, changed)
    made.run(10)
    assert made.panel.link(0) == LinkState.OFFLINE
    assert attacks(made) == {wanted}


def test_another_key_opens_nothing() -> None:
    made = line(device_key=OTHER)
    made.run(10)
    assert made.panel.link(0) == LinkState.OFFLINE
    assert attacks(made) == {AttackKind.CRYPTOGRAM}


def test_a_nonce_is_not_taken_twice() -> None:
    panel = ControlPanel(baud=0)
    panel.open(0, key=KEY)
    pd = PeripheralDevice(0, key=KEY, nonces=b"ABCDEFGH" * 9)
    made = MemoryLine(panel, [pd])
    assert made.run(1, lambda: panel.link(0) == LinkState.SECURE)
    pd.reset()
    made.run(3)
    assert attacks(made) == {AttackKind.NONCE}
    assert panel.link(0) == LinkState.OFFLINE


def test_a_recorded_session_is_worth_nothing() -> None:
    made = line()
    made.devices[0].post(Reply.RAW, CARD)
    made.run(1)
    commands = [data for _, data in made.sent]
    pd = made.devices[0]
    made.device_events.clear()
    replies = [pd.step(data, made.t_ns + 10**9) for data in commands]
    told = {e.a for e in pd.events() if e.kind == EventKind.ATTACK}
    assert AttackKind.NONCE in told
    assert all(decode(data)[0][0].code == Reply.NAK for data in replies if data)
    assert pd.link == LinkState.OFFLINE


@pytest.mark.parametrize("code", [Reply.ACK, Reply.RAW, Reply.PDCAP])
def test_replies_in_clear_are_not_believed_in_a_session(code: int) -> None:
    made = secured()
    inject_code = code

    def harm(who: int, data: bytes) -> bytes | None:
        if who < 0:
            return data
        frame = decode(data)[0][0]
        return encode(inject_code, CARD, sequence=frame.sequence, reply=True) + data

    made.harm = harm
    made.run(2)
    assert cards(made) == []
    assert attacks(made) == {AttackKind.CLEAR}
    assert made.panel.link(0) == LinkState.SECURE


def test_commands_in_clear_are_not_believed_in_a_session() -> None:
    made = secured()
    sequence = decode(made.sent[-1][1][1:])[0][0].sequence
    inject(made, 0, encode(Command.OUT, bytes([0, 2, 0, 0]), sequence=sequence % 3 + 1))
    made.run(2)
    assert attacks(made) >= {AttackKind.CLEAR}
    assert not [e for _, e in made.device_events if e.kind == EventKind.COMMAND]
    assert made.panel.stats(0)["handshakes"] == 1


def test_every_bit_of_a_secured_reply_counts() -> None:
    made = secured()
    dice = random.Random(2)

    def harm(who: int, data: bytes) -> bytes | None:
        if who < 0 or dice.random() < 0.5:
            return data
        frame = decode(data)[0][0]
        body = bytearray(data[:-2])
        body[dice.randrange(7, len(body))] ^= 1 << dice.randrange(8)
        return bytes(body) + crc16(bytes(body)).to_bytes(2, "little") if frame.secured else data

    made.harm = harm
    for n in range(20):
        made.devices[0].post(Reply.RAW, CARD[:-1] + bytes([n]))
    made.run(30)
    assert set(cards(made)) <= {CARD[:-1] + bytes([n]) for n in range(20)}
    assert AttackKind.MAC in attacks(made)


def test_a_replayed_command_of_the_same_session_is_refused() -> None:
    made = secured()
    made.panel.command(0, Command.OUT, bytes([0, 2, 0, 0]), 3)
    made.run(0.3)
    replayed = [data for _, data in made.sent if decode(data[1:])[0][0].code == Command.OUT]
    assert len(replayed) == 1
    for _ in range(6):
        inject(made, 0, replayed[0])
        made.run(0.11)
    opened = [e for _, e in made.device_events if e.kind == EventKind.COMMAND]
    assert len(opened) == 1
    assert attacks(made) & {AttackKind.REPLAY, AttackKind.MAC}


def test_data_must_be_encrypted_not_only_authenticated() -> None:
    panel, pd = Session(KEY, b"abcdefgh"), PeripheralDevice(0, key=KEY, nonces=b"ABCDEFGH")
    pd.step(encode(Command.CHLNG, b"abcdefgh", scb_type=0x11, scb_data=1), 1)
    server = panel.server_cryptogram(b"ABCDEFGH")
    panel.start(server)
    pd.step(encode(Command.SCRYPT, server, sequence=1, scb_type=0x13, scb_data=1), 2)
    plain = ReferenceSession(KEY, b"abcdefgh")
    plain.start(server)
    frame = plain.seal(Command.OUT, bytes([0, 2, 0, 0]), sequence=2, null_cipher=True)
    (nak,), _ = decode(pd.step(frame, 3))
    assert nak.code == Reply.NAK
    assert [e.a for e in pd.events() if e.kind == EventKind.ATTACK] == [AttackKind.NULL_CIPHER]


@pytest.mark.parametrize("code", [Command.POLL, Command.OUT, Command.KEYSET, Command.LED])
def test_the_configuration_address_carries_three_commands_only(code: int) -> None:
    pd = PeripheralDevice(4)
    data = {Command.POLL: b"", Command.OUT: bytes(4), Command.KEYSET: bytes(18), Command.LED: bytes(14)}[Command(code)]
    assert pd.step(encode(code, data, address=0x7F), 1) == b""
    assert [e.a for e in pd.events() if e.kind == EventKind.ATTACK] == [AttackKind.CONFIG]


def test_comset_by_the_configuration_address_is_refused_when_there_is_a_key() -> None:
    pd = PeripheralDevice(4, key=KEY)
    assert pd.step(encode(Command.COMSET, bytes([9, 0x80, 0x25, 0, 0]), address=0x7F), 1) == b""
    assert pd.address == 4


def test_a_million_mutations_grant_nothing() -> None:
    """P31, in the short form of every run: any reply bytes an attacker without the key can think of."""
    made = secured()
    dice = random.Random(11)
    panel, sent = made.panel, made.sent[-1][1]
    t = made.t_ns + 10**9
    for _ in range(20_000):
        out = panel.advance(t)
        sent = out or sent
        frame = decode(sent[1:])[0][0]
        code = dice.choice([Reply.RAW, Reply.KEYPAD, Reply.ACK, Reply.RMAC_I, Reply.CCRYPT, Reply.NAK, Reply.PDCAP])
        data = dice.randbytes(dice.choice([0, 1, 8, 16, 32]))
        scb = dice.choice([0, 0, 0x12, 0x14])
        fake = encode(code, data, sequence=frame.sequence, reply=True, scb_type=scb, scb_data=dice.choice([0, 1, 255]))
        if dice.random() < 0.3:
            body = bytearray(fake)
            body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
            fake = bytes(body)
        panel.feed(fake, t)
        t += dice.choice([1_000_000, 50_000_000, 1_000_000_000])
        for event in panel.events():
            assert event.code not in (Reply.RAW, Reply.KEYPAD) or event.kind == EventKind.ATTACK, event
            assert event.kind != EventKind.LINK or event.a == LinkState.OFFLINE
