"""The microphone and the loudspeaker as users set them (manual: Audio > Device settings)."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

MIN_DB, MAX_DB = -40.0, 20.0
"""Of a gain."""
ConnectionType = Literal["internal", "line"]
"""What is in the device, or its line connector."""


class Encoding(NamedTuple):
    """What a codec of sound over HTTP has, and no other value of it."""

    sample_rate: int
    """Hertz."""
    bit_rate: int
    """Bits per second on the wire."""


ENCODINGS: Final = {
    "g711": Encoding(8_000, 64_000),
    "g726": Encoding(8_000, 32_000),
    "lpcm": Encoding(16_000, 384_000),
    "g722": Encoding(16_000, 64_000),
}
"""By the names of VAPIX (Audio API); G.722 is ours."""


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What users enter: unknown fields are refused."""


class AudioInput(_Data, frozen=True, kw_only=True):
    """Input 0."""

    enabled: bool = True
    type: ConnectionType = "internal"
    """From the next time on that the sound card is opened."""
    gain: float = 0.0
    """Decibels."""
    mute: bool = False


class AudioOutput(_Data, frozen=True, kw_only=True):
    """Output 0."""

    type: ConnectionType = "internal"
    """From the next time on that the sound card is opened."""
    gain: float = 0.0
    mute: bool = False


class AudioSettings(_Data, frozen=True, kw_only=True):
    """Gain and mute count at once; what the pipeline is made of from the next call on."""

    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()
    noise_cancellation: bool = True
    echo_cancellation: bool = True
    automatic_gain: bool = True
    """Automatic gain control of the microphone."""
    automatic_volume: bool = False
    """The loudspeaker becomes louder in noise."""
