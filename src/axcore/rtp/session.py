"""One RTP stream each way, without a socket: bytes and time in, bytes and verdicts out."""

from __future__ import annotations

import enum
import secrets

import msgspec

from axcore._native import rtp_session
from axcore._native.rtp import Packet, parse

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""


class State(enum.StrEnum):
    """What is known of the far side's stream."""

    IDLE = "idle"
    ACTIVE = "active"
    SILENT = "silent"
    """Nothing came for 2 s."""
    ENDED = "ended"
    """It said goodbye."""


class Received(msgspec.Struct, frozen=True):
    """What a datagram was."""

    verdict: str
    """``media`` and ``event`` (``packet`` is there), ``rtcp``; or why it was dropped: ``malformed``, ``payload_type``,
    ``source``, ``jump``, ``loop``, ``other``."""
    packet: Packet | None = None


class Session:
    """Pacing, numbering, who is listened to, loss and jitter, and RTCP (RFC 3550) of one stream each way.

    ``payload_type`` and ``event_type`` as agreed (``event_type=None``: no telephone events); ``rate`` and ``frame`` in
    ticks; ``rtcp_ms``: mean interval of reports, 0 for none; ``remote``: a number that stands for the far address, when
    it is known from signalling. Start values come from ``seed``, by default the system's random source.
    """

    def __init__(
        self,
        *,
        payload_type: int = 0,
        event_type: int | None = 101,
        rate: int = 8000,
        frame: int = 160,
        rtcp_ms: int = 5000,
        cname: str = "",
        ssrc: int = 0,
        remote: int = 0,
        seed: int | None = None,
    ) -> None:
        self._session = rtp_session.Session(
            secrets.randbits(64) if seed is None else seed,
            payload_type,
            255 if event_type is None else event_type,
            rate,
            frame,
            rtcp_ms,
            cname,
            ssrc,
            remote,
        )

    @property
    def ssrc(self) -> int:
        """Our source."""
        return self._session.ssrc

    @property
    def due_ns(self) -> int:
        """When the next frame is due; 0 before the first."""
        return self._session.due_ns

    def send(self, payload: bytes | None, now_ns: int) -> bytes | None:
        """The packet of the frame that is due, or None when it is too early.

        None as payload is silence: time passes, and the next packet carries the marker. While a key is pressed, its
        packets go out instead. A sender that is more than 4 frames late leaves frames out.
        """
        return self._session.send(payload, now_ns)

    def press(self, event: int, duration: int, volume: int = 10) -> None:
        """Send a telephone event of ``duration`` ticks from the next frame on; ``StateError`` while one is sent."""
        self._session.press(event, duration, volume)

    @property
    def pressing(self) -> bool:
        """Whether a key is being sent."""
        return self._session.pressing

    def receive(self, data: bytes, now_ns: int, remote: int = 1) -> Received:
        """One datagram, RTP or RTCP. Bad input never raises: it is dropped, counted and named."""
        verdict, media = self._session.receive(data, now_ns, remote)
        return Received(verdict, parse(data) if media else None)

    def state(self, now_ns: int) -> State:
        """What is known of the far side's stream."""
        return State(self._session.state(now_ns))

    @property
    def report_due_ns(self) -> int:
        """When ``report`` should be called next."""
        return self._session.report_due_ns

    def report(self, now_ns: int, wall_s: float, *, bye: str | None = None) -> bytes | None:
        """The RTCP packet that is due, or None. ``wall_s``: seconds since 1970; with ``bye``, a goodbye, at once."""
        ntp = int((wall_s + NTP_EPOCH) * 2**32) & 0xFFFFFFFFFFFFFFFF
        return self._session.report(now_ns, ntp, bye)

    @property
    def stats(self) -> dict[str, int]:
        """Counters of both ways, loss, jitter (ticks), round trip (us), what the far side reports, and what was dropped
        (``dropped_...``)."""
        return self._session.stats
