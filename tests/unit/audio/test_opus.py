"""Opus: speech comes through at every rate, losses are filled, bad input leaves the codec as it was."""

from __future__ import annotations

import builtins
import sys
from array import array
from typing import Any

import numpy as np
import pytest

from axcore.audio import Opus
from axcore.errors import FormatError, InputError
from axcore.testing.demo_call import voice

RATES = (8000, 12000, 16000, 24000, 48000)


def spoken(rate: int, seconds: float = 2.0) -> Any:
    """The demonstration's voice at another rate; what lies above 3.4 kHz does not matter here."""
    slow = np.asarray(voice(seconds), np.float64)
    at = np.arange(round(seconds * rate)) * 8000 / rate
    return np.interp(at, np.arange(len(slow)), slow).astype(np.int16)


def frames(samples: Any, codec: Opus) -> Any:
    return samples[: len(samples) // codec.frame * codec.frame].reshape(-1, codec.frame)


def likeness(a: Any, b: Any, most: int) -> float:
    """Best normalized correlation within a shift of ``most`` samples."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    best = 0.0
    for shift in range(most):
        x, y = a[: len(a) - shift], b[shift:]
        best = max(best, float(x @ y / np.sqrt((x @ x) * (y @ y) + 1)))
    return best


@pytest.mark.parametrize("rate", RATES)
def test_speech_comes_through(rate: int) -> None:
    codec, said = Opus(rate, bitrate=48_000), spoken(rate)
    packets = [codec.encode(frame) for frame in frames(said, codec)]
    assert 20_000 < np.mean([8 * len(packet) * 50 for packet in packets]) < 60_000
    heard = np.concatenate([np.asarray(codec.decode(packet)) for packet in packets])
    assert len(heard) == len(packets) * codec.frame
    assert likeness(said[: len(heard)], heard, rate // 100) > 0.85  # Its high pass at 50 Hz turns phases.


@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
@pytest.mark.parametrize("use", ["voip", "audio", "low_delay"])
def test_every_frame_and_use(frame_ms: int, use: Any) -> None:
    codec = Opus(16000, frame_ms, use=use)
    assert codec.frame == 16 * frame_ms
    frame = spoken(16000)[: codec.frame]
    packet = codec.encode(frame)
    assert len(codec.decode(packet)) == codec.frame


def test_a_lost_packet_is_filled_from_the_next_one() -> None:
    """With the coarse copy of the one before in each packet, losses sound better than without."""
    sender, said = Opus(16000, bitrate=32_000), spoken(16000, 4.0)
    packets = [sender.encode(frame) for frame in frames(said, sender)]
    whole = np.concatenate([np.asarray(Opus.decode(sender, packet)) for packet in packets]).astype(np.float64)
    error = {}
    for way in ("concealed", "copied"):
        receiver, out = Opus(16000), []
        for number, packet in enumerate(packets):
            if number % 8 == 5 and number + 1 < len(packets):
                out.append(receiver.lost(packets[number + 1] if way == "copied" else None))
            else:
                out.append(receiver.decode(packet))
        assert all(len(frame) == receiver.frame for frame in out)
        error[way] = float(np.sum((np.concatenate([np.asarray(frame) for frame in out]) - whole) ** 2))
    assert error["copied"] < 0.7 * error["concealed"]
    assert error["concealed"] < 0.5 * float(np.sum(whole**2))


def test_reset_starts_anew() -> None:
    codec, said = Opus(16000), spoken(16000)
    first = [codec.encode(frame) for frame in frames(said, codec)]
    assert [codec.encode(frame) for frame in frames(said, codec)] != first
    codec.reset()
    assert [codec.encode(frame) for frame in frames(said, codec)] == first


@pytest.mark.parametrize(
    ("field", "kwargs"),
    [
        ("rate", {"rate": 44100}),
        ("frame_ms", {"frame_ms": 15}),
        ("bitrate", {"bitrate": 0}),
        ("bitrate", {"bitrate": float("nan")}),
        ("use", {"use": "music"}),
    ],
)
def test_arguments_are_named(field: str, kwargs: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Opus(**kwargs)
    assert caught.value.field == field


def test_bad_input_changes_nothing() -> None:
    said = spoken(16000)
    clean, tried = Opus(16000), Opus(16000)
    dice = np.random.default_rng(5)
    for frame in frames(said, clean):
        for wrong in (frame[:-1], frame.astype(np.float32), frame.reshape(2, -1), 7, b""):
            with pytest.raises(FormatError, match="pcm"):
                tried.encode(wrong)
        with pytest.raises(FormatError, match="octets"):
            tried.decode(b"")
        with pytest.raises(FormatError, match="octets"):
            tried.decode(b"\x03\x00" + dice.bytes(40))  # Of no frames (RFC 6716, 3.2.5).
        packet = clean.encode(frame)
        assert tried.encode(array("h", frame.tolist())) == packet
        assert tried.decode(packet) == clean.decode(packet)


def test_noise_is_survived() -> None:
    """Any octets are a packet or a FormatError (RFC 6716, 3.4)."""
    codec, dice, refused = Opus(48000), np.random.default_rng(9), 0
    for _ in range(2000):
        try:
            assert len(codec.decode(dice.bytes(int(dice.integers(1, 300))))) <= 48 * 120
        except FormatError:
            refused += 1
    assert 0 < refused < 2000


def test_what_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "opuslib_next":
            raise Exception("Could not find Opus library")  # noqa: TRY002: as the library does
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "opuslib_next", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match="libopus0"):
        Opus(16000)
