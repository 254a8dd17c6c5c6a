"""Opus (RFC 6716; in RTP RFC 7587), through libopus: the extra ``axcore[opus]`` and Debian's ``libopus0``.

    codec = Opus(16000)
    packet = codec.encode(frame)      # 20 ms of int16 samples -> bytes of one RTP payload
    samples = codec.decode(packet)
    samples = codec.lost(following)   # in the place of a lost packet; ``following``: the one after it, if it is here

The library is looked for when the first codec is made and not before. In RTP the clock runs at 48 kHz, whatever the
rate of the samples (RFC 7587, 4.1).
"""

from __future__ import annotations

from array import array
from typing import Any, Final, Literal

from axcore.audio._rates import check_range
from axcore.errors import FormatError, InputError

__all__ = ["Opus"]

RATES: Final = (8000, 12000, 16000, 24000, 48000)
FRAMES_MS: Final = (10, 20, 40, 60)
MOST_PACKET: Final = 1275
"""Octets of a frame's packet (RFC 6716, 3.4, R2)."""
MOST_FRAME_MS: Final = 120
"""Of what one packet can hold (RFC 6716, 3.4, R5)."""


class Opus:
    """One stream in each direction, one channel.

    Args:
        rate: samples a second: 8000, 12000, 16000, 24000 or 48000.
        frame_ms: of what ``encode`` takes: 10, 20, 40 or 60.
        bitrate: bits a second, 6000 to 510000.
        use: ``"voip"`` for speech, ``"audio"`` for music, ``"low_delay"`` for the least delay.

    Raises:
        InputError: an argument is not possible; ``field`` names it.
        ModuleNotFoundError: ``axcore[opus]`` or libopus is not installed.
    """

    __slots__ = ("_api", "_decoder", "_encoder", "frame", "rate")

    def __init__(
        self,
        rate: int = 16000,
        frame_ms: int = 20,
        bitrate: int = 24_000,
        use: Literal["voip", "audio", "low_delay"] = "voip",
    ) -> None:
        if rate not in RATES:
            raise InputError("rate", f"must be one of {', '.join(map(str, RATES))}, not {rate!r}")
        if frame_ms not in FRAMES_MS:
            raise InputError("frame_ms", f"must be one of {', '.join(map(str, FRAMES_MS))}, not {frame_ms!r}")
        check_range("bitrate", bitrate, 6000, 510_000)
        kinds = {"voip": "voip", "audio": "audio", "low_delay": "restricted_lowdelay"}
        if use not in kinds:
            raise InputError("use", f"must be one of {', '.join(kinds)}, not {use!r}")
        self._api = _library()
        self.rate, self.frame = rate, rate * frame_ms // 1000
        self._encoder = self._api.Encoder(rate, 1, kinds[use])
        self._encoder.bitrate = bitrate
        self._encoder.inband_fec = 1
        self._encoder.packet_loss_perc = 5
        self._decoder = self._api.Decoder(rate, 1)

    def encode(self, pcm: Any) -> bytes:
        """One frame, ``frame`` samples of int16, as a packet of at most 1275 octets.

        Raises:
            FormatError: another length or type; the codec is as it was before.
        """
        with _view(pcm) as samples:
            if samples.ndim != 1 or samples.format != "h" or len(samples) != self.frame:
                raise FormatError(f"pcm: must be {self.frame} samples of int16")
            packet: bytes = self._api.api.encoder.encode(
                self._encoder.encoder_state, samples.tobytes(), self.frame, MOST_PACKET
            )
        return packet

    def decode(self, octets: Any) -> array[int]:
        """The samples of a packet, up to 120 ms of them.

        Raises:
            FormatError: no packet of Opus; the codec is as it was before.
        """
        data = bytes(octets)
        if not data:
            raise FormatError("octets: must not be empty; lost() is for what did not arrive")
        return self._decode(data, self.rate * MOST_FRAME_MS // 1000, fec=False)

    def lost(self, following: Any = None) -> array[int]:
        """``frame`` samples in the place of a lost packet.

        Args:
            following: the packet after it; where the sender put a coarse copy of the lost one there (in-band FEC, RFC
                6716, 2.1.7), it is used.
        """
        return self._decode(None if following is None else bytes(following), self.frame, fec=following is not None)

    def reset(self) -> None:
        """Start anew, as at the start of a stream."""
        self._encoder.reset_state()
        self._decoder.reset_state()

    def _decode(self, data: bytes | None, room: int, *, fec: bool) -> array[int]:
        state, length = self._decoder.decoder_state, len(data or b"")
        try:
            decoded = self._api.api.decoder.decode(state, data, length, room, fec, channels=1)
        except self._api.OpusError as error:
            raise FormatError(f"octets: no packet of Opus ({error})") from error
        return array("h", decoded)


def _view(pcm: Any) -> memoryview:
    try:
        return memoryview(pcm)
    except TypeError:
        raise FormatError("pcm: must be a buffer of int16") from None


def _library() -> Any:
    try:
        import opuslib_next
    except ModuleNotFoundError:
        raise
    except Exception as error:  # What the library raises where libopus is not found is of no type of its own.
        raise ModuleNotFoundError(f"opus: {error} `apt install libopus0`") from error
    return opuslib_next
