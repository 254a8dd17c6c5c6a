"""WAV files in and out (RIFF, PCM of 8, 16, 24 or 32 bits), as int16 samples of one channel each. numpy at the call."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from axcore.interfaces.cli.output import CliError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = (1 << 32) - 64
"""Bytes of samples: the format counts in 32 bits."""
HINT = "give WAV files with PCM samples; `sox IN -b 16 OUT.wav` or `ffmpeg -i IN OUT.wav` makes one"


class Wav(NamedTuple):
    """What a file holds."""

    rate: int
    channels: list[NDArray[np.int16]]


def read_wav(path: Path) -> Wav:
    """CliError: it cannot be read, or is of another kind."""
    import numpy as np

    try:
        with path.open("rb") as raw, wave.open(raw, "rb") as file:
            count, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", "give a file that can be read", 2) from error
    except (wave.Error, EOFError) as error:
        raise CliError(f"{path} is no WAV file that can be read: {error or 'it ends too early'}", HINT, 2) from error
    octets = np.frombuffer(data, np.uint8)
    octets = octets[: len(octets) // (count * width) * (count * width)].reshape(-1, count, width)
    if width == 1:
        samples = (octets[:, :, 0].astype(np.int16) - 128) << 8
    else:  # The two highest bytes.
        samples = np.ascontiguousarray(octets[:, :, width - 2 :]).view("<i2")[:, :, 0].astype(np.int16)
    return Wav(rate, [np.ascontiguousarray(samples[:, channel]) for channel in range(count)])


def write_wav(path: Path, rate: int, samples: NDArray[np.int16]) -> None:
    """16 bits, one channel. OSError."""
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframesraw(samples.astype("<i2").tobytes())
