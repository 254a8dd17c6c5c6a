"""The work of the RTP thread, done by the audio thread. The face for devices is ``axcore.drivers.media``.

Units: ns of CLOCK_MONOTONIC; ms; bytes. Addresses are pairs of packed host (4 or 16 bytes) and port. Source:
``ax/rtp_thread.h``.
"""

from typing import Any, final

from axcore._native.audio_thread import AudioThread
from axcore._native.pipeline import Leg

PROFILES: tuple[str, ...]
STATES: tuple[str, ...]

@final
class RtpThread:
    """``carrier`` receives and sends in its ticks, and is kept as long as it does."""

    def __new__(cls, carrier: AudioThread) -> RtpThread: ...
    def start(self) -> None:
        """StateError: the carrier carries packets already."""

    def stop(self) -> None:
        """When it returns, nothing is received and sent any more. Again: no effect."""

    def add(
        self,
        leg: Leg,
        fd: int,
        rtcp_fd: int = -1,
        *,
        peer: tuple[bytes, int] | None = None,
        rtcp_peer: tuple[bytes, int] | None = None,
        payload_type: int = 0,
        event_type: int = 255,
        frame: int = 160,
        rtcp_ms: int = 5000,
        cname: str = "",
        crypto: tuple[str, tuple[bytes, bytes], tuple[bytes, bytes]] | None = None,
    ) -> int:
        """Its serial. QueueFullError: 8 ports; StateError: the leg has one; OSError: no datagram socket; RangeError."""

    def remove(self, serial: int) -> None: ...
    def set_peer(self, serial: int, peer: tuple[bytes, int]) -> None: ...
    def press(self, serial: int, event: int, ms: int) -> None:
        """StateError: no events were agreed, or it is held; QueueFullError: 32 keys wait; RangeError."""

    def hold(self, serial: int, what: int) -> None:
        """0: nothing, 1: media, 2: all. RangeError."""

    def stats(self, serial: int) -> dict[str, Any]: ...
    def events(self) -> list[tuple[int, int, int, int, int]]:
        """Kind, time, serial, value, ms."""

    @property
    def events_fd(self) -> int: ...
    def counters(self) -> dict[str, int]: ...
