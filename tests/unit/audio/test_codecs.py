"""Codecs against plain references and, where PyAV is installed, against FFmpeg; concealment; bad input."""

from __future__ import annotations

import itertools
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore._native.codec import G711_LEVELS, g711_set_level
from axcore.audio import G711, G722, G726, L16, Concealer
from axcore.errors import FormatError, InputError

PROMPTS = Path("/usr/share/asterisk/sounds")
SAMPLES = st.lists(st.integers(-32768, 32767), max_size=400)


def mu_code(x: int) -> int:
    """Table 2a, by search: the last decision value that is not above."""
    begin = [-1, 31, 95, 223, 479, 991, 2015, 4063]
    starts = [4 * (begin[s] + k * (2 << s)) for s in range(8) for k in range(16)]
    size = ~x if x < 0 else x
    at = max(i for i, start in enumerate(starts) if start <= size)
    return (0x7F if x < 0 else 0xFF) - at


def a_code(x: int) -> int:
    begin, step = [0, 32, 64, 128, 256, 512, 1024, 2048], [2, 2, 4, 8, 16, 32, 64, 128]
    starts = [8 * (begin[s] + k * step[s]) for s in range(8) for k in range(16)]
    size = ~x if x < 0 else x
    return (max(i for i, start in enumerate(starts) if start <= size) | (0 if x < 0 else 0x80)) ^ 0x55


@given(SAMPLES)
def test_g711_is_the_table(samples: list[int]) -> None:
    pcm = array("h", samples)
    for level in range(len(G711_LEVELS)):
        g711_set_level(level)
        assert list(G711("mu").encode(pcm)) == [mu_code(x) for x in samples]
        assert list(G711("a").encode(pcm)) == [a_code(x) for x in samples]


@pytest.mark.parametrize("law", ["mu", "a"])
def test_g711_codes_survive(law: Any) -> None:
    codes = bytes(range(256))
    again = bytes(G711(law).encode(G711(law).decode(codes)))
    # mu-law has two zeros; the negative one is decoded to 0, which is positive.
    assert [a for a, b in zip(codes, again, strict=True) if a != b] == ([0x7F] if law == "mu" else [])


@given(SAMPLES)
def test_l16_is_big_endian(samples: list[int]) -> None:
    octets = L16().encode(array("h", samples))
    assert bytes(octets) == b"".join(x.to_bytes(2, "big", signed=True) for x in samples)
    assert list(L16().decode(octets)) == samples


@pytest.mark.parametrize(("make", "least"), [(G722, 25.0), (G726, 18.0)])
def test_a_round_trip_sounds_alike(make: Any, least: float) -> None:
    t = np.arange(16000) / make.rate
    x = (8000 * np.sin(2 * np.pi * 400 * t) + 4000 * np.sin(2 * np.pi * 1100 * t)).astype(np.int16)
    y = make().decode(make().encode(x))
    assert isinstance(y, np.ndarray)
    best = max(
        10
        * np.log10(
            (x[2000:8000].astype(float) ** 2).sum() / ((y[2000 + d : 8000 + d] - x[2000:8000].astype(float)) ** 2).sum()
        )
        for d in range(30)
    )
    assert best > least


@given(st.lists(st.integers(0, 255), max_size=300), st.integers(1, 50))
def test_pieces_do_not_matter(octets: list[int], part: int) -> None:
    for make in (G722, G726, lambda: G726("aal2")):
        one, many = make(), make()
        whole = list(one.decode(bytes(octets)))
        parts = [bytes(octets[i : i + part]) for i in range(0, len(octets), part)]
        assert whole == list(itertools.chain.from_iterable(many.decode(piece) for piece in parts))


def test_the_packings_of_g726_differ_in_halves() -> None:
    x = array("h", [(i * 7919) % 9000 - 4500 for i in range(320)])
    a, b = G726("rtp").encode(x), G726("aal2").encode(x)
    assert bytes(a) == bytes((octet << 4 | octet >> 4) & 255 for octet in b)


@pytest.mark.parametrize("codec", [G711("mu"), G722(), G726(), L16()], ids=lambda codec: type(codec).__name__)
def test_bad_input_changes_nothing(codec: Any) -> None:
    pcm = array("h", range(0, 3200, 10))
    codec.reset()
    want = bytes(codec.encode(pcm))
    codec.reset()
    codec.encode(pcm[:100])
    for wrong in (array("i", [1, 2]), array("f", [1.0, 2.0]), [1, 2], b"12", np.zeros((2, 2), np.int16), pcm[:3:2]):
        with pytest.raises(FormatError):
            codec.encode(wrong, bytearray(99))
    with pytest.raises(FormatError):
        codec.encode(pcm, bytes(len(want)))
    with pytest.raises(FormatError):
        codec.decode(array("h", [1, 2]))
    rest = bytes(codec.encode(pcm[100:]))
    assert want.endswith(rest)
    assert len(rest) == len(want) * 220 // 320


def test_odd_numbers_are_refused() -> None:
    for codec in (G722(), G726()):
        with pytest.raises(FormatError, match="even"):
            codec.encode(array("h", [1, 2, 3]))
    with pytest.raises(FormatError, match="even"):
        L16().decode(b"123")


def test_arguments_are_named() -> None:
    for make, field in (
        (lambda: G711("x"), "law"),  # type: ignore[arg-type]
        (lambda: G726("x"), "packing"),  # type: ignore[arg-type]
        (lambda: L16(7), "rate"),
        (lambda: Concealer(8050), "rate"),
        (lambda: Concealer(4000), "rate"),
    ):
        with pytest.raises(InputError) as caught:
            make()
        assert caught.value.field == field


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_gap_is_filled_and_fades(rate: int) -> None:
    n = rate // 50
    t = np.arange(10 * n) / rate
    voice = sum(6000 / k * np.sin(2 * np.pi * 130 * k * t + k) for k in range(1, 9)).astype(np.int16)
    concealer = Concealer(rate)
    for i in range(0, 5 * n, n):
        concealer.good(voice[i : i + n])
    gap = np.asarray(concealer.lost(n))
    truth = voice[5 * n : 6 * n].astype(float)
    half = n // 2
    error = ((gap[:half] - truth[:half]) ** 2).mean() / (truth[:half] ** 2).mean()
    assert error < 0.1
    assert abs(int(gap[0]) - int(voice[5 * n - 1])) <= np.abs(np.diff(voice.astype(int))).max() + 1
    concealer.lost(2 * n)
    assert not np.any(concealer.lost(n))


def test_a_single_loss_is_smooth_on_both_sides() -> None:
    n, rate = 160, 8000
    t = np.arange(20 * n) / rate
    voice = (9000 * np.sin(2 * np.pi * 200 * t)).astype(np.int16)
    concealer, out = Concealer(rate), []
    for k in range(20):
        part = voice[k * n : (k + 1) * n].copy()
        out.append(np.asarray(concealer.lost(n)) if k == 9 else concealer.good(part))
    whole = np.concatenate(out).astype(int)
    assert np.abs(np.diff(whole)).max() < 1.3 * np.abs(np.diff(voice.astype(int))).max()
    with pytest.raises(FormatError):
        concealer.lost()
    concealer.reset()
    assert not np.any(concealer.lost(n))


def _ffmpeg(name: str, octets: bytes, rate: int) -> Any:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    decoder = av.codec.CodecContext.create(name, "r")
    decoder.sample_rate, decoder.layout = rate, "mono"
    parts = [octets[i : i + 160] for i in range(0, len(octets), 160)]
    return np.concatenate([f.to_ndarray().ravel() for part in parts for f in decoder.decode(av.Packet(part))])


@pytest.mark.skipif(not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed")
def test_g722_prompts_decode_as_ffmpeg_decodes_them() -> None:
    octets = b"".join(path.read_bytes() for path in sorted(PROMPTS.glob("en*/*.g722"))[:40])
    octets = octets[: len(octets) // 160 * 160]
    assert np.array_equal(np.asarray(G722().decode(octets)), _ffmpeg("g722", octets, 16000))


@pytest.mark.parametrize("law", ["mu", "a"])
def test_g711_decodes_as_ffmpeg_does(law: Any) -> None:
    octets = bytes(range(256)) * 5
    assert np.array_equal(np.asarray(G711(law).decode(octets)), _ffmpeg(f"pcm_{law}law", octets, 8000))
