"""The native OSDP module from Python: annex E, arguments, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from axcore import errors, osdp
from axcore._native import osdp as native
from axcore.osdp import codes, messages

INCLUDE = Path(__file__).parents[3] / "cext" / "include" / "ax"
RND_A, RND_B = bytes(range(0xB0, 0xB8)), bytes(range(0xA0, 0xA8))


def test_annex_e_frames() -> None:
    data = bytes.fromhex("0080250000")
    assert osdp.encode(0x6E, data, address=0x7F).hex() == "537f0d00046e00802500006e38"
    assert osdp.encode(0x6E, data, address=0x7F, crc=False).hex() == "537f0c00006e00802500000f"
    assert osdp.encode(0x61, b"\0").hex() == "53000900046100c066"
    assert osdp.encode(0x61, b"\0", crc=False).hex() == "530008000061" + "0044"
    assert osdp.crc16(b"123456789") == 0xE5CC


def test_annex_e_secure_channel() -> None:
    session = osdp.Session(osdp.SCBK_D, RND_A)
    assert session.client_cryptogram(RND_B).hex() == "fde5d2f428ec16312471ea3c02bd7796"
    server = session.server_cryptogram(RND_B)
    assert server.hex() == "26d3356e07762d262801fc8e6665a891"
    assert session.start(server).hex() == "b2a30057eb98ba2229ec1f875662b524"


def test_a_handshake_by_engines_with_the_nonces_of_annex_e() -> None:
    panel = osdp.ControlPanel(baud=0, nonces=RND_A)
    pd = osdp.PeripheralDevice(0, nonces=RND_B)
    pd.install(0, 60 * 10**9)
    panel.open(0, secure=True)
    panel.install(0, 0, 60 * 10**9, bytes.fromhex("00112233445566778899aabbccddee0f"))
    out = panel.step(b"", 1)
    assert out.hex() == osdp.encode(0x76, RND_A, scb_type=0x11).hex().join(["ff", ""])
    reply = pd.step(out, 2)
    expected = bytes(8) + RND_B + bytes.fromhex("fde5d2f428ec16312471ea3c02bd7796")
    assert reply == osdp.encode(0x76, expected, reply=True, scb_type=0x12)
    out = panel.step(reply, 3)
    server = bytes.fromhex("26d3356e07762d262801fc8e6665a891")
    assert out[1:] == osdp.encode(0x77, server, sequence=1, scb_type=0x13)
    reply = pd.step(out, 4)
    mac = bytes.fromhex("b2a30057eb98ba2229ec1f875662b524")
    assert reply == osdp.encode(0x78, mac, sequence=1, reply=True, scb_type=0x14, scb_data=1)


def test_codes_are_those_of_the_headers() -> None:
    text = (INCLUDE / "osdp.h").read_text() + (INCLUDE / "osdp_event.h").read_text()
    found = {name: int(value, 0) for name, value in re.findall(r"AX_OSDP_(\w+) = (0x\w+|\d+)", text)}
    for prefix, kind in (
        ("", codes.Command), ("", codes.Reply), ("NAK_", codes.NakReason), ("WHY_", codes.Why),
        ("ATTACK_", codes.AttackKind), ("EV_", codes.EventKind), ("", codes.LinkState),
    ):  # fmt: skip
        assert {prefix + item.name: item.value for item in kind}.items() <= found.items()
    assert (len(codes.Command), len(codes.Reply)) == (26, 26)
    assert set(messages.COMMANDS) == {int(code) for code in codes.Command}
    assert set(messages.REPLIES) == {int(code) for code in codes.Reply}


@pytest.mark.parametrize(
    "call",
    [
        lambda: osdp.encode(0x60, address=128),
        lambda: osdp.encode(0x60, sequence=4),
        lambda: osdp.encode(0x60, scb_type=0x15),
        lambda: osdp.Session(b"short", RND_A),
        lambda: osdp.Session(bytes(16), b"short"),
        lambda: osdp.key_is_weak(b"short"),
        lambda: native.aes_cbc(bytes(16), bytes(16), b"x"),
        lambda: osdp.PeripheralDevice(127),
        lambda: osdp.ControlPanel().open(128),
        lambda: osdp.ControlPanel().command(0, 0x60),
        lambda: osdp.ControlPanel().command(0, 999),
        lambda: osdp.ControlPanel().link(0),
    ],
)
def test_arguments_that_make_no_sense(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(errors.ArgumentError):
        call()


def test_limits() -> None:
    with pytest.raises(errors.QueueFullError):
        osdp.encode(0x80, bytes(1433))
    session = osdp.Session(bytes(range(16)), RND_A)
    with pytest.raises(errors.StateError):
        session.seal(0x60)
    session.start(bytes(16))
    assert len(session.seal(0x80, bytes(1407))) <= native.MAX_FRAME
    with pytest.raises(errors.QueueFullError):
        session.seal(0x80, bytes(1424))
    with pytest.raises(errors.RangeError):
        native.set_levels(99, 0)
    panel = osdp.ControlPanel()
    panel.open(0)
    for _ in range(5):
        panel.command(0, 0x69, bytes(1400))
    with pytest.raises(errors.QueueFullError):
        panel.command(0, 0x69, bytes(1400))
    pd = osdp.PeripheralDevice(0)
    for _ in range(11):
        pd.post(0x90, bytes(1400))
    with pytest.raises(errors.QueueFullError):
        pd.post(0x90, bytes(1400))
    with pytest.raises(errors.RangeError):
        pd.post(0x90, bytes(1408))


def test_frames_show_and_compare() -> None:
    one, two = osdp.decode_frame(osdp.encode(0x60)), osdp.decode_frame(osdp.encode(0x60))
    assert one == two
    assert len({one, two}) == 1
    assert one != object()
    assert "command 0x60" in repr(one)
    assert not one.secured


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", errors.FormatError),
        (b"\x53\x00", errors.FormatError),
        (b"\x54" * 9, errors.FormatError),
        (b"\x53\x00\x08\x00\x04\x60\x00\x00", errors.ParityError),
    ],
)
def test_bad_frames_are_exceptions(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        osdp.decode_frame(data)


def test_a_receiver_counts() -> None:
    receiver = osdp.Receiver()
    assert receiver.feed(b"\xff\x01\x02" + osdp.encode(0x60)[:-1] + b"\x00") == []
    assert (receiver.skipped, receiver.damaged, receiver.pending) == (2, 1, 0)
    assert receiver.feed(osdp.encode(0x60)[:4]) == []
    assert receiver.pending == 4
    receiver.reset()
    assert receiver.pending == 0
    assert [len(frame.raw) for frame in receiver.feed(osdp.encode(0x80, bytes(1400)) * 5)] == [1408] * 5


def test_a_file_is_kept_alive_and_one_at_a_time() -> None:
    panel = osdp.ControlPanel(baud=0)
    panel.open(0)
    panel.file(0, bytes(1000), token=1)
    with pytest.raises(errors.StateError):
        panel.file(0, bytes(1000))
    panel.file_stop(0)
    assert [(e.kind, e.token) for e in panel.events()] == [(osdp.EventKind.FAILED, 1)]
    panel.file(0, bytes(10), token=2)
    panel.close(0)
