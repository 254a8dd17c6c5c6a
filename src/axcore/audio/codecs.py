"""Speech codecs of telephony, and what to play in the place of a lost packet.

Every codec has ``encode(pcm, out=None)`` and ``decode(octets, out=None)``. ``pcm`` is a row of 16-bit samples at
``rate``, ``octets`` what RTP carries (RFC 3551). Wrong lengths and types are a ``FormatError``, and the codec is as it
was before.
"""

from __future__ import annotations

from array import array
from typing import Any, Literal

from axcore._native import codec
from axcore.audio._rates import check_range
from axcore.errors import FormatError, InputError

__all__ = ["G711", "G722", "G726", "L16", "Concealer"]


class _Codec:
    rate = 8000
    __slots__ = ("_core",)

    def __init__(self, kind: int, *, aal2: bool = False) -> None:
        self._core = codec.Codec(kind, aal2)

    def encode(self, pcm: Any, out: Any = None) -> Any:
        """Samples to octets; ``out``, if given, has exactly the room."""
        return self._core.encode(pcm, out)

    def decode(self, octets: Any, out: Any = None) -> Any:
        """Octets to samples; ``out``, if given, has exactly the room."""
        return self._core.decode(octets, out)

    def reset(self) -> None:
        """Start anew, as at the start of a stream."""
        self._core.reset()


class G711(_Codec):
    """G.711: 8 kHz, an octet a sample, stateless (ITU-T G.711).

    Args:
        law: ``"mu"`` (PCMU) or ``"a"`` (PCMA).
    """

    __slots__ = ("law",)

    def __init__(self, law: Literal["mu", "a"]) -> None:
        if law not in ("mu", "a"):
            raise InputError("law", f'must be "mu" or "a", not {law!r}')
        super().__init__(0 if law == "mu" else 1)
        self.law = law


class G722(_Codec):
    """G.722 at 64 kbit/s: 16 kHz, an octet for two samples (ITU-T G.722, mode 1). One object for each direction.

    In RTP its clock runs at 8 kHz all the same (RFC 3551, 4.5.2).
    """

    rate = 16000
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(2)


class G726(_Codec):
    """G.726 at 32 kbit/s: 8 kHz, an octet for two samples (ITU-T G.726). One object for each direction.

    Args:
        packing: which half of an octet has the first sample: ``"rtp"`` the lower (RFC 3551, G726-32), ``"aal2"`` the
            upper (AAL2-G726-32).
    """

    __slots__ = ()

    def __init__(self, packing: Literal["rtp", "aal2"] = "rtp") -> None:
        if packing not in ("rtp", "aal2"):
            raise InputError("packing", f'must be "rtp" or "aal2", not {packing!r}')
        super().__init__(3, aal2=packing == "aal2")


class L16(_Codec):
    """L16: samples as they are, in the network's order of octets (RFC 3551, 4.5.11)."""

    __slots__ = ("rate",)

    def __init__(self, rate: int = 44100) -> None:
        check_range("rate", rate, 8000, 48000)
        super().__init__(4)
        self.rate = rate


class Concealer:
    """Fills gaps with the pitch of what was heard before, and fades away within 60 ms (G.711 Appendix I, the idea).

    Args:
        rate: 8000 to 48000, a multiple of 100.
    """

    __slots__ = ("_core",)

    def __init__(self, rate: int = 8000) -> None:
        check_range("rate", rate, 8000, 48000)
        if rate % 100:
            raise InputError("rate", f"must be a multiple of 100, not {rate}")
        self._core = codec.Concealer(rate)

    def good(self, samples: Any) -> Any:
        """A frame that arrived; it is changed in place where it follows a gap, and given back."""
        return self._core.good(samples)

    def lost(self, count: int | None = None, out: Any = None) -> Any:
        """``count`` samples in the place of lost ones, or as many as ``out`` has room for.

        Raises:
            FormatError: neither is given.
        """
        if out is None:
            if count is None or count < 0:
                raise FormatError("count: must be a number of samples where no out is given")
            out = array("h", bytes(2 * count))
        return self._core.lost(out)

    def reset(self) -> None:
        """Forget what was heard."""
        self._core.reset()
