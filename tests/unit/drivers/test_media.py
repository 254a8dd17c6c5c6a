"""Calls between two pipelines over loopback without Python between sockets and sound cards: sound, keys, strangers."""

from __future__ import annotations

import ctypes
import os
import select
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from axcore.audio import Echo, Leg, Pipeline, Room, Tone
from axcore.drivers.capture import Capture
from axcore.drivers.media import Crypto, Heard, Media, MediaEvent, MediaPort
from axcore.drivers.sound import Sound, open_room
from axcore.errors import InputError, QueueFullError, RangeError, StateError
from axcore.interfaces.cli.instance import wait_for
from axcore.rtp import Profile, State

A, B = bytes(range(16)), bytes(range(16, 32))
SALT, OTHER_SALT = bytes(14), b"\1" * 14


def udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made


class Phone:
    """A pipeline in a room of its own, with a socket."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(16000, echo=Echo.OFF, gain_control=False)
        room = Room(16000, noise_db=-100, rt60_ms=0, echo_db=-100)
        self.sound = Sound(self.pipeline, open_room(room, records=1024))
        self.media = Media(self.sound)
        self.socket = udp()
        self.leg = Leg("PCMU", 16000)
        self.pipeline.seat(0, self.leg)
        self.told: list[MediaEvent] = []
        self.port: MediaPort | None = None

    def call(self, other: Phone | None, **how: Any) -> MediaPort:
        self.port = self.media.open(
            self.leg, self.socket, peer=other and other.socket.getsockname(), rtcp_ms=100, **how
        )
        return self.port

    def start(self) -> None:
        self.sound.start()
        self.media.start()

    def heard(self) -> list[MediaEvent]:
        self.told += self.media.events()
        return self.told

    def close(self) -> None:
        self.media.stop()
        self.sound.stop()
        self.socket.close()


@pytest.fixture
def phones() -> Iterator[tuple[Phone, Phone]]:
    both = Phone(), Phone()
    yield both
    for phone in both:
        phone.close()


@pytest.mark.parametrize("profile", [None, Profile.AES_CM_80, Profile.AES_GCM])
def test_a_call(phones: tuple[Phone, Phone], profile: Profile | None) -> None:
    here, there = phones
    crypto = other = None
    if profile is not None:
        mine, theirs = SALT[: profile.salt_size], OTHER_SALT[: profile.salt_size]
        crypto = Crypto(profile=profile, key=A, salt=mine, remote_key=B, remote_salt=theirs)
        other = Crypto(profile=profile, key=B, salt=theirs, remote_key=A, remote_salt=mine)
    port, far = here.call(there, crypto=crypto), there.call(here, crypto=other)
    here.pipeline.play(0, Tone.named("dial", 16000), repeat=0, to=(0,), gain=0.5)
    for phone in phones:
        phone.start()
    wait_for("packets", lambda: far.stats.taken > 30, 30)
    port.press("5", 100)
    port.press("#", 40)
    wait_for("keys", lambda: [e.key for e in there.heard() if e.what is Heard.KEY_UP] == ["5", "#"], 30)
    wait_for("reports", lambda: port.stats.rtt_us > 0, 30)
    select.select([there.media.events_fd], [], [], 0)
    ups = [e for e in there.told if e.what is Heard.KEY_UP]
    assert [e.ms for e in ups] == [100, 40]
    assert [e.key for e in there.told if e.what is Heard.KEY_DOWN] == ["5", "#"]
    states = [e.state for e in there.told if e.what is Heard.STATE]
    assert states[0] is State.ACTIVE
    assert set(states) <= {State.ACTIVE, State.SILENT}  # after 2 s in which nothing came: a busy machine
    stats = far.stats
    assert (stats.peer, stats.lost, stats.dropped) == (here.socket.getsockname(), 0, 0)
    capture = Capture(there.sound.card.fd)

    def played() -> bool:
        samples = np.concatenate([np.frombuffer(record.data, "<i2") for record in capture.since()]).astype(float)
        return bool(np.sqrt(np.mean(np.square(samples[-4800:]))) > 1000)

    wait_for("the tone in the other loudspeaker", played, 30, 0.05)
    port.close()
    wait_for("goodbye", lambda: far.stats.state is State.ENDED, 30)
    with pytest.raises(RangeError):
        port.press("1")
    assert here.media.counters["foreign"] == 0


def test_the_packets_of_a_sound_are_carried_once(phones: tuple[Phone, Phone]) -> None:
    here, _ = phones
    here.start()
    with pytest.raises(StateError):
        here.media.start()
    other = Media(here.sound)
    with pytest.raises(StateError):
        other.start()
    other.stop()  # What another one carries is not its own to end.
    port = here.call(None)
    here.media.stop()
    here.media.stop()
    other.start()
    with pytest.raises(StateError):
        here.media.start()
    other.stop()
    here.media.start()
    port.close()


def test_a_call_goes_on_while_python_is_blocked(phones: tuple[Phone, Phone]) -> None:
    here, there = phones
    port, far = here.call(there), there.call(here)
    for phone in phones:
        phone.start()
    wait_for("packets", lambda: port.stats.taken > 5 and far.stats.taken > 5, 30)
    before, ticks = far.stats.taken, there.sound.thread_stats.ticks
    libc = ctypes.PyDLL(None)
    for _ in range(600):
        libc.usleep(50_000)  # wall clock: holds the interpreter's lock, so that no Python runs for so long.
        if far.stats.taken > before + 10 and there.sound.thread_stats.ticks > ticks + 20:
            break
    else:
        pytest.fail("nothing came while Python was blocked")
    assert far.stats.lost == 0


@pytest.mark.parametrize(("host", "foreign"), [("127.0.0.1", 0), ("", 50)])
def test_strangers_are_not_heard(phones: tuple[Phone, Phone], host: str, foreign: int) -> None:
    """Bound to one address, the system lets none of them through; bound to all, the thread tells them from the peer."""
    here, there = phones
    here.socket.close()
    here.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.socket.bind((host, 0))
    port, _ = here.call(there), there.call(None)
    for phone in phones:
        phone.start()
    wait_for("packets", lambda: port.stats.taken > 5, 30)
    foe = udp()
    for sequence in range(50):
        packet = b"\x80\0" + sequence.to_bytes(2, "big") + bytes(8) + b"\xff" * 160
        foe.sendto(packet, ("127.0.0.1", here.socket.getsockname()[1]))
    foe.close()
    taken = port.stats.taken
    wait_for("more packets", lambda: port.stats.taken > taken + 5, 30)
    wait_for("strangers", lambda: here.media.counters["foreign"] == foreign, 30)
    assert port.stats.dropped == 0
    assert port.stats.restarts == 0
    assert port.stats.peer == there.socket.getsockname()


def test_who_calls_first_is_answered_where_no_peer_is_known(phones: tuple[Phone, Phone]) -> None:
    here, there = phones
    port, far = here.call(None), there.call(here)
    for phone in phones:
        phone.start()
    wait_for("both ways", lambda: port.stats.taken > 5 and far.stats.taken > 5, 30)
    assert port.stats.peer == there.socket.getsockname()
    foe = udp()
    port.set_peer(*foe.getsockname())
    foe.settimeout(30)
    assert len(foe.recv(2000)) > 0
    foe.close()


def test_a_leg_with_a_port_is_not_for_python(phones: tuple[Phone, Phone]) -> None:
    here, there = phones
    port = here.call(there)
    with pytest.raises(StateError):
        here.leg.offer(bytes(160), 0)
    with pytest.raises(StateError):
        here.leg.take()
    with pytest.raises(StateError):
        here.call(there)
    port.close()
    here.leg.offer(bytes(160), 0)
    assert here.leg.take() is None
    before = len(os.listdir("/proc/self/fd"))
    here.call(there).close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_refusals(phones: tuple[Phone, Phone]) -> None:
    here, _ = phones
    peer = ("127.0.0.1", 4000)
    crypto = Crypto(profile=Profile.AES_GCM, key=A, salt=SALT, remote_key=B, remote_salt=OTHER_SALT[:12])
    pcm = Leg("PCM", 16000)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("payload_type", {"payload_type": 128}),
        ("event_type", {"event_type": 128}),
        ("event_type", {"event_type": 0}),
        ("rtcp_ms", {"rtcp_ms": 50}),
        ("cname", {"cname": "x" * 64}),
        ("peer", {"peer": ("door.example", 4000)}),
        ("peer", {"peer": ("127.0.0.1", 0)}),
        ("rtcp_peer", {"rtcp_peer": ("::1", 65536)}),
        ("crypto.salt", {"crypto": crypto}),
    ]
    for field, how in cases:
        with pytest.raises(InputError) as caught:
            here.media.open(here.leg, here.socket, **{"peer": peer, **how})
        assert caught.value.field == field
    with pytest.raises(InputError, match="PCM"):
        here.media.open(pcm, here.socket, peer=peer)
    with socket.socket() as stream, pytest.raises(OSError, match="rotocol"):
        here.media.open(here.leg, stream, peer=peer)
    assert not here.leg.core.carried
    assert A.hex() not in repr(crypto)
    assert str(A) not in repr(crypto)
    port = here.media.open(here.leg, here.socket, peer=peer, event_type=None)
    with pytest.raises(StateError):
        port.press("1")
    for bad in ("", "12", "x"):
        with pytest.raises(InputError, match="key"):
            port.press(bad)
    with pytest.raises(InputError, match="ms"):
        port.press("1", 39)
    legs = [Leg("PCMA", 16000) for _ in range(8)]
    for leg in legs[:7]:
        here.media.open(leg, here.socket, peer=peer, payload_type=8)
    with pytest.raises(QueueFullError):
        here.media.open(legs[7], here.socket, peer=peer, payload_type=8)
    assert not legs[7].core.carried


def test_wide_sound_fits_or_is_refused(phones: tuple[Phone, Phone]) -> None:
    here, _ = phones
    with pytest.raises(RangeError):
        here.media.open(Leg("L16", 16000, codec_rate=48000, packet_ms=20), here.socket, payload_type=96)
    for leg in (Leg("L16", 16000, codec_rate=44100, packet_ms=10), Leg("G722", 16000), Leg("G726-32", 16000)):
        here.media.open(leg, here.socket, payload_type=96).close()
