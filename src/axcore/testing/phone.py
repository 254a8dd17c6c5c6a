"""A telephone for tests: a voice process of its own, and RTP on a socket that the test steps by hand.

with Phone("ada") as phone:
    device.call(phone.uri)
    leg = phone.wait(Incoming).leg
    phone.answer()
    phone.press("1")
"""

from __future__ import annotations

import contextlib
import queue
import socket
import time
from types import TracebackType
from typing import Any, TypeVar

from axcore.drivers.voice import VoiceProcess
from axcore.model.voice import (
    Answer,
    Configure,
    Connected,
    HangUp,
    Incoming,
    Invite,
    LocalMedia,
    MediaAgreed,
    Ready,
    Report,
    SendDigits,
    VoiceAccount,
)
from axcore.rtp import Session
from axcore.rtp.events import DIGITS

T = TypeVar("T")
PATIENCE = 120.0
"""Seconds that a report is waited for."""
FRAME_NS = 20_000_000
FRAME = 160
PRESS_FRAMES = 10
SILENCE = b"\xff" * FRAME
ACCOUNT = "phone"


class Phone:
    """See the module's text. What is not said in ``account`` is that of ``VoiceAccount``."""

    def __init__(self, name: str, *, host: str = "127.0.0.1", configure: dict[str, Any] | None = None, **account: Any):
        self.name, self.host = name, host
        self.reports: queue.Queue[Report] = queue.Queue()
        self.lost: queue.Queue[str] = queue.Queue()
        self.leg = ""
        self.media: MediaAgreed | None = None
        self.ready: Ready | None = None
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((host, 0))
        self._session: Session | None = None
        self._now = 0
        spec = VoiceAccount(default=True, **{"id": ACCOUNT, "uri": f'"{name}" <sip:{name}@{host}>', **account})
        config = Configure(bind=host, accounts=(spec,), incoming_ports=(self.port,), **(configure or {}))
        self.process = VoiceProcess(name, lambda: config, self.reports.put, self.lost.put)

    @property
    def port(self) -> int:
        """Where its RTP comes in."""
        return int(self._rtp.getsockname()[1])

    @property
    def uri(self) -> str:
        """Its address."""
        assert self.ready is not None
        return f"sip:{self.name}@{self.host}:{self.ready.port}"

    def __enter__(self) -> Phone:
        self.process.start()
        try:
            self.ready = self.wait(Ready)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()
        self._rtp.close()

    def wait(self, kind: type[T], timeout: float = PATIENCE) -> T:
        """The next report of a kind; others are passed over. TimeoutError."""
        until = time.monotonic() + timeout
        while True:
            try:
                report = self.reports.get(timeout=max(0.001, until - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"{self.name}: no {kind.__name__} within {timeout:g} s") from None
            if isinstance(report, Incoming):
                self.leg, self.media, self._session = report.leg, None, None
            if isinstance(report, MediaAgreed):
                self.media = report
            if isinstance(report, kind):
                return report

    def call(self, uri: str) -> None:
        """Call somebody."""
        self.leg, self.media, self._session = "out", None, None
        self.process.send(Invite(leg="out", account=ACCOUNT, uri=uri, media=LocalMedia(port=self.port)))

    def answer(self, code: int = 200) -> None:
        """Answer who calls; 200 is waited for until both sides know."""
        self.process.send(Answer(leg=self.leg, code=code))
        if code == 200:
            self.connected()

    def connected(self, timeout: float = PATIENCE) -> None:
        """Wait until the call is answered and its media is known."""
        self.wait(Connected, timeout)
        if self.media is None:
            self.wait(MediaAgreed, timeout)

    def hang_up(self, code: int = 603) -> None:
        """End the call."""
        self.process.send(HangUp(leg=self.leg, code=code))

    def info(self, digits: str) -> None:
        """Keys by SIP INFO."""
        self.process.send(SendDigits(leg=self.leg, digits=digits))

    def say(self, payload: bytes) -> None:
        """20 ms of sound in the codec of the call; the caller sets the pace."""
        session, place = self._talk()
        self._now += FRAME_NS
        packet = session.send(payload, self._now)
        if packet is not None:
            self._rtp.sendto(packet, place)

    def press(self, digits: str, *, by: socket.socket | None = None) -> None:
        """Keys by RFC 4733, all packets at once. ``by``: another socket than that of the call."""
        session, place = self._talk()
        for digit in digits:
            session.press(DIGITS.index(digit), FRAME * PRESS_FRAMES)
            for _ in range(PRESS_FRAMES + 6):
                self._now = max(self._now + FRAME_NS, session.due_ns)
                packet = session.send(SILENCE, self._now)
                if packet is not None:
                    (by or self._rtp).sendto(packet, place)

    def _talk(self) -> tuple[Session, tuple[str, int]]:
        assert self.media is not None, "the call has no media"
        media = self.media.media
        if self._session is None:
            self._session = Session(payload_type=media.send_type, event_type=media.event_send_type or 101, rtcp_ms=0)
        return self._session, (media.remote_address, media.remote_port)

    def heard(self, timeout: float = 2.0) -> bytes:
        """The next datagram at its RTP socket; empty without one."""
        self._rtp.settimeout(timeout)
        with contextlib.suppress(TimeoutError):
            return self._rtp.recv(2048)
        return b""
