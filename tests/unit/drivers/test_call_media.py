"""The intercom's sound on the native threads: two devices talk over loopback, in rooms of their own."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from axcore.drivers.call_media import CallMedia, crypto, open_sound
from axcore.errors import InputError, QueueFullError
from axcore.interfaces.cli.instance import wait_for
from axcore.model.config import SoundConfig
from axcore.model.voice import AgreedMedia
from axcore.rtp import Profile
from axcore.testing.ports import free_port

HOST = "127.0.0.1"
PATIENCE = 60.0
KEYS = ("1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40, "1 AES_CM_128_HMAC_SHA1_80 inline:" + "B" * 40 + "|2^31")

AGREED = AgreedMedia(
    local_port=4000, remote_address=HOST, remote_port=4002, codec="PCMU", clock_rate=8000, send_type=0, receive_type=0
)


def port() -> int:
    """An even one that is free, and so is the next."""
    return free_port(2, HOST)


class Station:
    """One end."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, str, int]] = []
        self.port = port()
        self.media = CallMedia(lambda: open_sound(SoundConfig(), simulated=True), HOST)
        self.media.listen(lambda leg, key, t_ns: self.keys.append((leg, key, t_ns)))

    def agreed(self, other: Station, **more: Any) -> AgreedMedia:
        common = {"codec": "PCMU", "clock_rate": 8000, "send_type": 0, "receive_type": 0, "remote_address": HOST}
        return AgreedMedia(
            local_port=self.port, remote_port=other.port,
            **{**common, "event_send_type": 101, "event_receive_type": 101, **more},
        )  # fmt: skip

    def heard_db(self) -> float:
        sound = self.media.sound
        return -200.0 if sound is None else sound.stats.speaker_db

    def legs(self) -> dict[int, Any]:
        sound = self.media.sound
        return {} if sound is None else sound.stats.legs


@pytest.fixture
def pair() -> Iterator[tuple[Station, Station]]:
    both = Station(), Station()
    yield both
    for one in both:
        one.media.close()


@pytest.mark.parametrize(
    "codec",
    [
        {},
        {"local_crypto": KEYS[0], "remote_crypto": KEYS[1]},
        {"codec": "G722", "clock_rate": 8000, "send_type": 9, "receive_type": 9},
        {"codec": "L16", "clock_rate": 16000, "send_type": 96, "receive_type": 96},
    ],
    ids=["PCMU", "SRTP", "G722", "L16"],
)
def test_two_stations_talk(pair: tuple[Station, Station], codec: dict[str, Any]) -> None:
    here, there = pair
    swapped = dict(codec)
    if codec.get("local_crypto"):
        swapped = {**codec, "local_crypto": codec["remote_crypto"], "remote_crypto": codec["local_crypto"]}
    here.media.open("a", here.port)
    there.media.open("b", there.port)
    here.media.start("a", here.agreed(there, **codec))
    there.media.start("b", there.agreed(here, **swapped))
    wait_for("sound", lambda: there.legs() and there.legs()[0].offered > 30, PATIENCE, 0.02)
    sound, far = here.media.sound, there.media.sound
    assert sound is not None
    assert far is not None
    talk = (8000 * np.sin(np.arange(160 * 50) * 0.3)).astype(np.int16)
    said = 0

    def heard() -> bool:
        nonlocal said
        with contextlib.suppress(QueueFullError):  # somebody talks until he is heard, however late it is looked
            while True:
                sound.talk(talk[160 * (said % 50) :][:160])
                said += 1
        return there.heard_db() > -35

    wait_for("the voice", heard, PATIENCE, 0.005)
    here.media.press("a", "1#")
    wait_for("two keys", lambda: len(there.keys) == 2, PATIENCE, 0.01)
    assert [(leg, key) for leg, key, _ in there.keys] == [("b", "1"), ("b", "#")]
    assert here.keys == []
    here.media.stop("a")
    wait_for("silence", lambda: here.media.sound is None, PATIENCE, 0.01)
    here.media.open("a", here.port)  # the ports are free again


def test_only_who_was_agreed_on_is_heard(pair: tuple[Station, Station]) -> None:
    here, there = pair
    here.media.open("a", here.port)
    here.media.start("a", here.agreed(there))
    wait_for("a seat", lambda: 0 in here.legs(), PATIENCE, 0.01)
    with socket.socket(type=socket.SOCK_DGRAM) as stranger:
        stranger.bind((HOST, 0))
        for number in range(60):  # the key 1, pressed by somebody else
            head = bytes((0x80, 101 | (0x80 if number == 0 else 0), 0, number, 0, 0, 0, 1, 0, 0, 0, 9))
            stranger.sendto(head + bytes((1, 10, number, 160)), (HOST, here.port))
        there.media.open("b", there.port)
        there.media.start("b", there.agreed(here))
        there.media.press("b", "7")
        wait_for("the key", lambda: here.keys, PATIENCE, 0.01)
    assert [key for _, key, _ in here.keys] == ["7"]


def test_a_flood_of_connections_does_not_deafen_it() -> None:
    """Its descriptors may be beyond the 1024 that select() knows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    if most < 1500:
        pytest.skip("no more than 1500 descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    flood = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
    try:
        here, there = Station(), Station()
        here.media.open("a", here.port)
        there.media.open("b", there.port)
        here.media.start("a", here.agreed(there))
        there.media.start("b", there.agreed(here))
        here.media.press("a", "5")
        wait_for("the key", lambda: there.keys, PATIENCE, 0.01)
        here.media.close()
        there.media.close()
    finally:
        for fd in flood:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_hold_changes_what_is_heard_and_keeps_the_stream(pair: tuple[Station, Station]) -> None:
    here, there = pair
    for one, other, name in ((here, there, "a"), (there, here, "b")):
        one.media.open(name, one.port)
        one.media.start(name, one.agreed(other))
    wait_for("sound", lambda: here.legs() and here.legs()[0].offered > 5, PATIENCE, 0.02)
    here.media.start("a", here.agreed(there, direction="sendonly"))
    wait_for("nothing is heard", lambda: here.heard_db() < -95, PATIENCE, 0.02)
    made = here.legs()[0].made
    here.media.start("a", here.agreed(there))
    wait_for("heard again", lambda: here.heard_db() > -95, PATIENCE, 0.02)
    assert here.legs()[0].made >= made  # the same leg: its counters go on
    here.media.start("a", here.agreed(there, codec="PCMA", send_type=8, receive_type=8))
    wait_for("a leg anew", lambda: here.legs() and here.legs()[0].made < made, PATIENCE, 0.01)


class Wire:
    """The far side by hand: what comes to its two sockets."""

    def __init__(self) -> None:
        self.port = port()
        self.last = b""
        self.rtp, self.rtcp = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        self.rtp.bind((HOST, self.port))
        self.rtcp.bind((HOST, self.port + 1))
        for one in (self.rtp, self.rtcp):
            one.settimeout(PATIENCE)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()

    def packet(self) -> bytes:
        return self.rtp.recv(2048)

    def drain(self) -> bytes:
        """The last packet of those that have come; empty: none."""
        last = b""
        self.rtp.setblocking(False)
        while True:
            try:
                last = self.rtp.recv(2048)
            except BlockingIOError:
                self.rtp.settimeout(PATIENCE)
                return last


def number(packet: bytes, at: int, size: int) -> int:
    return int.from_bytes(packet[at : at + size], "big")


@pytest.mark.parametrize("hold", [{"direction": "recvonly"}, {"direction": "inactive"}, {"remote_address": "0.0.0.0"}])
def test_held_it_sends_nothing_and_the_stream_goes_on_after_it(hold: dict[str, str]) -> None:
    here, wire = Station(), Wire()
    try:
        agreed = msgspec.structs.replace(AGREED, local_port=here.port, remote_port=wire.port)
        here.media.open("a", here.port)
        here.media.start("a", agreed)
        for _ in range(5):
            wire.last = wire.packet()
        here.media.start("a", msgspec.structs.replace(agreed, **hold))
        wait_for("no packet in 30 ticks", lambda: quiet(here, wire), PATIENCE, 0.01)
        last = wire.last
        made = here.legs()[0].made
        wait_for("its leg goes on", lambda: here.legs()[0].made >= made + 20, PATIENCE, 0.01)
        assert wire.drain() == b""
        here.media.start("a", agreed)
        packet = wire.packet()
        assert number(packet, 8, 4) == number(last, 8, 4)
        assert number(packet, 2, 2) == (number(last, 2, 2) + 1) % 65536
        left_out, rest = divmod((number(packet, 4, 4) - number(last, 4, 4)) % 2**32, 160)
        assert rest == 0
        assert left_out > 20
        assert packet[1] & 0x80  # the marker: it begins anew
    finally:
        here.media.close()
        wire.close()


def quiet(here: Station, wire: Wire) -> bool:
    """Whether nothing came while the station lived 30 ticks; what came is remembered."""
    sound = here.media.sound
    assert sound is not None
    wire.last = wire.drain() or wire.last
    before = sound.thread_stats.ticks
    wait_for("ticks", lambda: sound.thread_stats.ticks >= before + 30, PATIENCE, 0.01)
    came = wire.drain()
    wire.last = came or wire.last
    return came == b""


def test_reports_go_on_while_it_is_held() -> None:
    here, wire = Station(), Wire()
    try:
        agreed = msgspec.structs.replace(AGREED, local_port=here.port, remote_port=wire.port, direction="recvonly")
        here.media.open("a", here.port)
        here.media.start("a", agreed)
        assert wire.rtcp.recv(2048)[1] in (200, 201)
        assert wire.drain() == b""
    finally:
        here.media.close()
        wire.close()


def test_a_call_that_begins_without_an_address_has_sound_once_it_has_one(pair: tuple[Station, Station]) -> None:
    here, there = pair
    here.media.open("a", here.port)
    here.media.start("a", here.agreed(there, remote_address="0.0.0.0"))
    there.media.open("b", there.port)
    there.media.start("b", there.agreed(here))
    wait_for("a leg there", lambda: there.legs() and there.legs()[0].made > 5, PATIENCE, 0.02)
    assert here.legs() == {}
    here.media.start("a", here.agreed(there))
    wait_for("sound", lambda: there.legs()[0].offered > 5, PATIENCE, 0.02)


def test_a_port_that_is_taken_is_told_at_once(pair: tuple[Station, Station]) -> None:
    here, _ = pair
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, here.port + 1))
        with pytest.raises(OSError, match="in use"):
            here.media.open("a", here.port)
    here.media.open("a", here.port)


def test_without_a_card_it_is_logged_and_the_next_call_works(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    def card() -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise OSError(2, "No such device")
        return open_sound(SoundConfig(), simulated=True)

    media = CallMedia(card, HOST)
    media.open("a", port())
    media.stop("a")
    media.open("a", port())
    wait_for("sound", lambda: media.sound is not None, PATIENCE, 0.01)
    media.start("nobody", AGREED)
    media.press("nobody", "1")
    media.start("a", msgspec.structs.replace(AGREED, codec="GSM"))
    wait_for("a word of it", lambda: "GSM" in caplog.text, PATIENCE, 0.01)
    media.close()
    media.close()
    assert "No such device" in caplog.text
    assert media.sound is None


def test_what_comes_while_it_hangs_up_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound that was being loaded, a command that came late: they must not wake a second thread of calls."""
    hanging_up, go_on = threading.Event(), threading.Event()
    sound = open_sound(SoundConfig(), simulated=True)
    stop = sound.stop

    def slow() -> None:
        hanging_up.set()
        assert go_on.wait(PATIENCE)
        stop()

    monkeypatch.setattr(sound, "stop", slow)
    media, number, ran = CallMedia(lambda: sound, HOST), port(), threading.Event()
    media.open("a", number)
    closing = threading.Thread(target=media.close)
    closing.start()
    assert hanging_up.wait(PATIENCE)
    media.do(ran.set)
    media.open("b", port())
    assert len([one for one in threading.enumerate() if one.name == "call media"]) == 1
    go_on.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert not [one for one in threading.enumerate() if one.name == "call media"]
    media.stop("a")
    media.open("a", number)
    media.close()
    assert not ran.is_set()
    assert media.sound is None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((HOST, number))


def test_keys_of_srtp() -> None:
    assert crypto("", "") is None
    found = crypto(*KEYS)
    assert found is not None
    assert (found.profile, found.key, found.remote_salt) == (
        Profile.AES_CM_80,
        bytes(16),
        (b"\x04\x10\x41" * 10)[16:],
    )
    for local, remote in [
        (KEYS[0], ""), ("", KEYS[0]), ("1 X inline:AAAA", KEYS[0]), ("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", KEYS[0]),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:!!", KEYS[0]), ("1 AES_CM_128_HMAC_SHA1_80 key", KEYS[0]),
        (KEYS[0], KEYS[1].replace("_80", "_32")),
    ]:  # fmt: skip
        with pytest.raises(InputError) as caught:
            crypto(local, remote)
        assert caught.value.field == "crypto"


def test_who_is_told_of_a_key_may_fail_and_the_next_key_is_told(
    pair: tuple[Station, Station], caplog: pytest.LogCaptureFixture
) -> None:
    here, there = pair
    fails: dict[str, Exception] = {"1": QueueFullError("4096 jobs wait"), "2": RuntimeError("a mistake")}

    def on_key(leg: str, key: str, t_ns: int) -> None:
        there.keys.append((leg, key, t_ns))
        if key in fails:
            raise fails[key]

    there.media.listen(on_key)
    for one, other, name in ((here, there, "a"), (there, here, "b")):
        one.media.open(name, one.port)
        one.media.start(name, one.agreed(other))
    here.media.press("a", "123")
    wait_for("three keys", lambda: len(there.keys) == 3, PATIENCE, 0.01)
    assert "4096 jobs wait" in caplog.text
    assert "a mistake" in caplog.text
    there.media.stop("b")
    wait_for("the card is free", lambda: there.media.sound is None, PATIENCE, 0.01)


def test_a_job_that_fails_in_an_unknown_way_is_logged_and_the_next_one_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    media, done = CallMedia(lambda: open_sound(SoundConfig(), simulated=True), HOST), threading.Event()

    def mistake() -> None:
        raise RuntimeError("a mistake")

    media.do(mistake)
    media.do(done.set)
    assert done.wait(PATIENCE)
    media.close()
    assert "a mistake" in caplog.text
