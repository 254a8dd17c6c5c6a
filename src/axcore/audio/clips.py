"""Audio clips: .au, .mp3, .opus, .ogg (Vorbis) and .wav files as samples of one rate (manual: Audio > Audio clips).

    clip = load(Path("bell.mp3").read_bytes())
    Path("bell.au").write_bytes(au(clip.samples, clip.rate))

``load`` needs the extra ``axcore[audio]`` (soundfile, over libsndfile), which is imported by the call and not before.
What a clip has become is kept as an Audio file (Sun/NeXT .au: a header of 24 bytes and 16-bit samples, high byte
first), which needs no library: ``au`` and ``read_au``.

Whoever gets files from strangers decodes them in a process of its own: ``python -m axcore.audio.clips`` (see ``main``).
"""

from __future__ import annotations

import io
import json
import math
import struct
import sys
from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from axcore.audio.resampler import Resampler
from axcore.errors import InputError
from axcore.model.clips import MAX_BYTES, MAX_SECONDS

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["FORMATS", "MAX_BYTES", "MAX_SECONDS", "Clip", "au", "load", "read_au", "read_au_header"]

FORMATS: Final = ("au", "mp3", "opus", "vorbis", "wav")
"""As the device calls them (VAPIX Media clip API, ``Properties.AudioClip.Format``)."""
RATE: Final = 48_000
LEAST_RATE, MOST_RATE, MOST_CHANNELS = 4_000, 192_000, 8
BLOCK: Final = 65_536
"""Frames that are decoded at a time."""
PEAK: Final = 4.0
"""Most that a sample of a floating-point file may be; beyond that it is no sound."""
_KINDS: Final = {
    ("AU", ""): "au",
    ("WAV", ""): "wav",
    ("WAVEX", ""): "wav",
    ("MP3", ""): "mp3",
    ("OGG", "VORBIS"): "vorbis",
    ("OGG", "OPUS"): "opus",
}
_AU: Final = struct.Struct(">4sIIIII")
_MAGIC, _UNKNOWN, _LINEAR_16 = b".snd", 0xFFFFFFFF, 3
_RATIOS: Final = {
    (up // math.gcd(up, down), down // math.gcd(up, down)): (down, up)
    for down in (8000, 16000, 32000, 44100, 48000)
    for up in (8000, 16000, 32000, 44100, 48000)
}
"""Ratios of two rates that the resampler knows, each as a pair of rates; what it does depends on the ratio only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A decoded file."""

    samples: array[int]
    """16 bits, one channel."""
    rate: int
    format: str
    """Of ``FORMATS``."""
    source_rate: int
    channels: int
    """Of the file; they were averaged."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def load(data: bytes, *, rate: int = RATE, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS) -> Clip:
    """Decode a file.

    Args:
        data: the whole file.
        rate: samples a second that come out: 8000, 16000, 32000, 44100 or 48000.
        max_bytes, max_seconds: what is longer is refused.

    Raises:
        InputError: ``file`` and what is wrong with it: empty, too large, too long, of another kind, damaged, without
            sound, with a rate or a number of channels that no loudspeaker plays.
        ModuleNotFoundError: ``axcore[audio]`` is not installed.
    """
    import soundfile

    if not data:
        raise _wrong("is empty")
    if len(data) > max_bytes:
        raise _wrong(f"has {len(data)} bytes; {max_bytes} at most")
    try:
        file = soundfile.SoundFile(io.BytesIO(data))
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise _wrong(f"is no audio file ({', '.join(FORMATS)}), or it is damaged") from error
    with file:
        kind = _kind(file.format, file.subtype)
        if not 1 <= file.channels <= MOST_CHANNELS:
            raise _wrong(f"has {file.channels} channels; {MOST_CHANNELS} at most")
        steps = _steps(file.samplerate, rate)
        try:
            mono = _mono(file, round(max_seconds * file.samplerate), max_seconds)
        except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise _wrong("is damaged: it cannot be decoded to its end") from error
        source_rate, channels = file.samplerate, file.channels
    if len(mono) == 0:
        raise _wrong("has no sound in it")
    for source, target in steps:
        mono = _resampled(mono, source, target)
    return Clip(samples=_int16(mono), rate=rate, format=kind, source_rate=source_rate, channels=channels)


def _wrong(reason: str) -> InputError:
    return InputError("file", reason)


def _kind(container: str, subtype: str) -> str:
    kind = _KINDS.get((container, subtype)) or _KINDS.get((container, ""))
    if kind is None:
        name = f"{container} with {subtype}" if container == "OGG" else container
        raise _wrong(f"is of the kind {name}, which is not one of {', '.join(FORMATS)}")
    return kind


def _steps(source: int, target: int) -> list[tuple[int, int]]:
    """The conversions from ``source`` to ``target`` samples a second: none, one, or two by way of 44.1 or 48 kHz."""
    if LEAST_RATE <= source <= MOST_RATE:
        for way in ((target,), (44_100, target), (48_000, target)):
            rates = (source, *way)
            found = [_ratio(a, b) for a, b in pairwise(rates)]
            if all(pair is not None for pair in found):
                return [pair for pair in found if pair is not None and pair[0] != pair[1]]
    raise _wrong(f"has {source} samples a second, which cannot be played; take 8000, 16000, 22050, 44100 or 48000")


def _ratio(source: int, target: int) -> tuple[int, int] | None:
    common = math.gcd(source, target)
    return _RATIOS.get((target // common, source // common))


def _mono(file: Any, most: int, max_seconds: float) -> Any:
    """The mean of all channels, float32; stops at the first block that is too much."""
    import numpy as np

    blocks: list[Any] = []
    count = 0
    while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
        count += len(block)
        if count > most:
            raise _wrong(f"is longer than {max_seconds:g} s")
        blocks.append(block.mean(axis=1, dtype=np.float32))
    mono = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if not np.all(np.abs(mono) <= PEAK):  # NaN is not below either
        raise _wrong("has samples that are no sound (not a number, or far beyond full scale)")
    return mono


def _resampled(mono: Any, source: int, target: int) -> Any:
    """The same sound at another rate, in its place: the delay of the filter is cut off."""
    import numpy as np

    resampler = Resampler(source, target)
    wanted = -(-len(mono) * target // source)
    tail = (2 * resampler.latency * source // target // 160 + 2) * 160
    out = resampler.process(np.concatenate((mono, np.zeros(tail, np.float32))))
    return out[resampler.latency : resampler.latency + wanted]


def _int16(mono: Any) -> array[int]:
    import numpy as np

    whole = np.clip(np.rint(mono * 32767.0), -32767, 32767).astype(np.int16)
    return array("h", whole.tobytes())


# --- .au files -----------------------------------------------------------------------------------------------------


def au(samples: array[int], rate: int) -> bytes:
    """16-bit samples of one channel as an Audio file."""
    body = array("h", samples)
    if sys.byteorder == "little":
        body.byteswap()
    return _AU.pack(_MAGIC, _AU.size, 2 * len(body), _LINEAR_16, rate, 1) + body.tobytes()


def read_au_header(head: Buffer) -> tuple[int, int, int]:
    """Offset and length in bytes of the samples, and their rate, of a file that ``au`` made; InputError (``file``)."""
    view = memoryview(head)
    if len(view) < _AU.size:
        raise _wrong("has no header")
    magic, offset, size, encoding, rate, channels = _AU.unpack_from(view)
    if (magic, encoding, channels) != (_MAGIC, _LINEAR_16, 1) or offset < _AU.size or size % 2 or size == _UNKNOWN:
        raise _wrong("is no Audio file of 16-bit samples in one channel")
    return offset, size, rate


def read_au(data: Buffer) -> tuple[array[int], int]:
    """Samples and rate of a file that ``au`` made. InputError (``file``): it is another one, or cut off."""
    view = memoryview(data)
    offset, size, rate = read_au_header(view)
    if len(view) != offset + size:
        raise _wrong("is cut off")
    samples = array("h", view[offset:].tobytes())
    if sys.byteorder == "little":
        samples.byteswap()
    return samples, rate


# --- a process that decodes ------------------------------------------------------------------------------------------

MEMORY, CPU_S = 2 << 30, 30
"""Bytes of address space and seconds that decoding may take; what needs more is an attack."""


def _confine(most: int) -> None:
    import resource

    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: CPU_S,
        resource.RLIMIT_FSIZE: most,
        resource.RLIMIT_CORE: 0,
    }
    for kind, wanted in limits.items():
        _, hard = resource.getrlimit(kind)
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))


def main(argv: list[str]) -> int:
    """``RATE MAX_BYTES MAX_SECONDS OUT.AU``: the file on standard input becomes ``OUT.AU``, which must exist.

    Tells on standard output, as one line of JSON, ``{"format", "seconds", ...}`` or ``{"field", "reason"}`` (exit code
    1; without a field it is not the file's fault). It takes no more memory, time and disk than a clip needs.
    """
    rate, max_bytes, max_seconds, out = int(argv[0]), int(argv[1]), float(argv[2]), argv[3]
    _confine(_AU.size + 2 * math.ceil(rate * max_seconds) + 4096)
    try:
        data = sys.stdin.buffer.read(max_bytes + 1)
        clip = load(data, rate=rate, max_bytes=max_bytes, max_seconds=max_seconds)
        with open(out, "r+b") as file:
            file.write(au(clip.samples, rate))
    except InputError as error:
        print(json.dumps({"field": error.field, "reason": error.reason}))
        return 1
    except ModuleNotFoundError as error:
        missing = f"cannot be decoded on this device: {error.name} is not installed (axcore[audio])"
        print(json.dumps({"field": "file", "reason": missing}))
        return 1
    except OSError as error:
        print(json.dumps({"reason": f"cannot be written: {error.strerror}"}))
        return 1
    except MemoryError:
        print(json.dumps({"field": "file", "reason": "takes more memory than a clip may"}))
        return 1
    told = {"format": clip.format, "seconds": clip.seconds, "source_rate": clip.source_rate, "channels": clip.channels}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
