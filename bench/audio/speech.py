"""Speech and noises for the audio benches: Debian's Asterisk prompts (G.722, four voices), decoded with PyAV.

Signals are float64, full scale 1.0, 16 kHz. Everything is drawn from a seed. Prompts are split in two halves by their
file's name: what is tuned on and what is held out never share a sentence.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

RATE = 16000
SOUNDS = Path("/usr/share/asterisk/sounds")
PACKAGES = " ".join(f"asterisk-core-sounds-{language}-g722" for language in ("en", "it", "ru", "es", "fr"))
VOICES = {
    "en": "en_US_f_Allison",
    "it": "it_IT_m_Carlo",
    "ru": "ru_RU_f_IvrvoiceRU",
    "es": "es_MX_f_Allison",
    "fr": "fr_CA_f_June",
}


@cache
def prompts(voice: str, held_out: bool) -> tuple[Path, ...]:
    """The prompts of a voice that last about a second or more, of one half of the split.

    Those of silence are none: brought to the level of talk they would be noise.
    """
    folder = SOUNDS / VOICES[voice]
    if not folder.is_dir():
        raise SystemExit(f"speech is missing: apt-get install {PACKAGES}")
    said = (p for p in folder.rglob("*.g722") if "silence" not in p.relative_to(folder).parts)
    files = sorted(p for p in said if p.stat().st_size > 9000)
    return tuple(p for p in files if (zlib.crc32(p.name.encode()) & 1) == held_out)


@cache
def decode(path: Path) -> Signal:
    """One prompt, 16 kHz."""
    import av

    with av.open(str(path), format="g722") as container:
        blocks = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float64) / 32768.0


def trim(x: Signal, keep: float = 0.08) -> Signal:
    """Cut silences (40 dB below the prompt's loudest 10 ms) that are longer than ``keep`` seconds."""
    n = RATE // 100
    frames = x[: x.size // n * n].reshape(-1, n)
    level = (frames**2).mean(1)
    loud = level > level.max() * 1e-4
    reach = int(keep * 50)
    wide = np.convolve(loud, np.ones(2 * reach + 1), "same") > 0.5
    return frames[wide].reshape(-1)


def is_clear(path: Path) -> bool:
    """Not a joke with monkeys, and not the one Russian digit that lasts eight seconds."""
    return not path.name.startswith(("tt-", "beep")) and not (path.stem.isdigit() and path.stat().st_size > 24000)


def speech(voice: str, seconds: float, rng: np.random.Generator, held_out: bool, clear: bool = False) -> Signal:
    """Running speech of one voice, root mean square 1; ``clear``: without the prompts that are something else."""
    files = tuple(p for p in prompts(voice, held_out) if is_clear(p) or not clear)
    parts: list[Signal] = []
    have, want = 0, int(seconds * RATE)
    for at in rng.permutation(len(files)):
        part = trim(decode(files[at]))
        parts.append(part / np.sqrt((part**2).mean()))
        have += part.size
        if have >= want:
            break
    x = np.concatenate(parts)[:want]
    return x / np.sqrt((x**2).mean())


def pink(n: int, rng: np.random.Generator) -> Signal:
    """Noise that falls by 3 dB an octave above 50 Hz, root mean square 1."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1 / RATE)
    x = np.fft.irfft(spectrum / np.sqrt(np.maximum(f, 50.0)), n)
    return x / np.sqrt((x**2).mean())
