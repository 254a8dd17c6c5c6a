"""Sound on the wire of ``audio/receive.cgi`` and ``audio/transmit.cgi``, and how it is asked for (VAPIX Audio API).

A codec has one bit rate and one sample rate (``model.audio.ENCODINGS``), the device one configuration, one source and
one output, each with one channel: an argument that names anything else is refused. AAC and Opus are not offered: the
packets of neither can be told apart in a body of HTTP. LPCM is L24 (RFC 3190); the device computes with 16 bits, which
are the upper ones. G.722 and A-law are ours, beyond the API.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from axcore.errors import InputError
from axcore.model.audio import ENCODINGS

ID: Final = "0"
"""Of the audio device, its input and its output (``audiodevicecontrol``)."""
CHANNEL: Final = "1"
"""The first configuration, source or number of channels; there is no other."""
HTTP_TYPES: Final = ("singlepart", "multipart")
RECEIVE_ARGUMENTS: Final = (
    "audio", "audiobitrate", "audiochannel", "audiocodec", "audiodeviceid", "audioinputid", "audionbrofchannels",
    "audiosamplerate", "camera", "httptype",
)  # fmt: skip
TRANSMIT_ARGUMENTS: Final = ("audiodeviceid", "audiooutputid")
NOT_OVER_HTTP: Final = {
    "aac": "aac is not for HTTP, which has no standard way to carry it",
    "opus": "opus is not offered: its packets cannot be told apart in a body of HTTP",
}


class Codec(NamedTuple):
    """A codec on the wire."""

    name: str
    """Of ``axcore.audio.CODECS``."""
    octets: int
    """On the wire, in 20 ms."""
    content_type: str
    rate: int | None = None
    """Of L16."""
    block: int = 512
    """Octets that are sent at a time, and that a part has."""
    wide: bool = False
    """A sample has three octets on the wire (L24), and two inside (L16)."""


G711: Final = Codec("PCMU", 160, "audio/basic")
L24: Final = Codec("L16", 960, "audio/L24; rate=16000; channels=1", 16_000, block=960, wide=True)
"""A block is 20 ms, so that no sample is split."""
RECEIVE: Final = {
    "g711": G711,
    "g726": Codec("G726-32", 80, "audio/G726-32", block=256),
    "lpcm": L24,
    "g722": Codec("G722", 160, "audio/G722"),
}
"""By the names of ``ENCODINGS``."""
WIDE_MU_LAW: Final = "audio/axis-mulaw-128"
TRANSMIT: Final = {
    "audio/basic": G711,
    "audio/pcmu": G711,
    "audio/pcma": Codec("PCMA", 160, "audio/PCMA"),
    "audio/g722": RECEIVE["g722"],
    "audio/g726-32": RECEIVE["g726"],
    WIDE_MU_LAW: Codec("L16", 320, WIDE_MU_LAW, 16_000),
    "audio/l16": Codec("L16", 640, "audio/L16; rate=16000; channels=1", 16_000),
    "audio/l24": L24,
}
"""By content type, in small letters."""


def receive_arguments(
    fields: Iterable[tuple[str, str]], *, encoding: str = "g711", http_type: str = "singlepart"
) -> tuple[Codec, bool]:
    """The codec, and whether the answer has parts; ``encoding`` and ``http_type`` where nothing is said. InputError."""
    given = _given(fields, RECEIVE_ARGUMENTS)
    if "audiochannel" in given and not given.keys().isdisjoint(("audiodeviceid", "audioinputid")):
        raise InputError("audiochannel", "cannot be used together with audiodeviceid and audioinputid")
    if given.get("audio") == "0":
        raise InputError("audio", "0 asks for no sound, and nothing else is to be had here")
    name = given.get("audiocodec", encoding)
    if name not in RECEIVE:
        raise InputError("audiocodec", NOT_OVER_HTTP.get(name, f"must be one of {', '.join(RECEIVE)}"))
    _only(given, "audiobitrate", str(ENCODINGS[name].bit_rate), f" for {name}")
    _only(given, "audiosamplerate", str(ENCODINGS[name].sample_rate), f" for {name}")
    for argument in ("audio", "audiochannel", "audionbrofchannels", "camera"):
        _only(given, argument, CHANNEL)
    for argument in ("audiodeviceid", "audioinputid"):
        _only(given, argument, ID)
    wanted = given.get("httptype", http_type)
    if wanted not in HTTP_TYPES:
        raise InputError("httptype", f"must be {' or '.join(HTTP_TYPES)}")
    return RECEIVE[name], wanted == "multipart"


def check_transmit_arguments(fields: Iterable[tuple[str, str]]) -> None:
    """There is one output. InputError."""
    given = _given(fields, TRANSMIT_ARGUMENTS)
    for argument in TRANSMIT_ARGUMENTS:
        _only(given, argument, ID)


def _given(fields: Iterable[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields:
        if name not in known:
            raise InputError(name[:40], "unknown argument")
        if found.setdefault(name, value) != value:
            raise InputError(name, "is given twice")
    return found


def _only(given: dict[str, str], name: str, value: str, of: str = "") -> None:
    if given.get(name, value) != value:
        raise InputError(name, f"must be {value}{of}")


def to_wire(payload: bytes, codec: Codec) -> bytes:
    """A packet of RTP as a client gets it."""
    if not codec.wide:
        return payload
    wide = bytearray(len(payload) // 2 * 3)
    wide[0::3], wide[1::3] = payload[0::2], payload[1::2]
    return bytes(wide)


def from_wire(piece: bytes, codec: Codec) -> bytes:
    """What a client has said in 20 ms, as a packet of RTP; the last piece may be short, and ends in silence."""
    if codec.content_type == WIDE_MU_LAW:
        from axcore.audio import codecs

        samples = codecs.G711("mu").decode(piece.ljust(codec.octets, b"\xff"))
        samples.byteswap()
        return bytes(samples)
    silence = {"PCMU": b"\xff", "PCMA": b"\xd5"}.get(codec.name, b"\0")
    filled = piece.ljust(codec.octets, silence)
    if not codec.wide:
        return filled
    narrow = bytearray(len(filled) // 3 * 2)
    narrow[0::2], narrow[1::2] = filled[0::3], filled[1::3]
    return bytes(narrow)
