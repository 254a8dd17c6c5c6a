"""Sound of calls for tests: sockets, RTP sessions and keys of ``axcore.rtp`` behind the intercom's ``MediaPort``.

It takes packets and keys, and sends keys; it makes no sound. One thread waits for all sockets.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import Any

from axcore.model.voice import AgreedMedia
from axcore.rtp import Profile, Session, SrtpContext, TelephoneEvents
from axcore.rtp.events import DIGITS

FRAME_NS = 20_000_000
PRESS_FRAMES = 8
AGREED, FOREIGN = 1, 2
"""How the session calls the address that was agreed on, and all others."""


class _Leg:
    def __init__(self, udp: socket.socket) -> None:
        self.udp = udp
        self.session: Session | None = None
        self.keys = TelephoneEvents()
        self.media: AgreedMedia | None = None
        self.protect: SrtpContext | None = None
        self.unprotect: SrtpContext | None = None
        self.now = 0


class RtpMedia:
    """A ``MediaPort``. ``host``: address that its sockets are bound to."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.packets = 0
        """Media packets that counted."""
        self.foreign = 0
        """Datagrams from somewhere else, or that could not be read."""
        self.started: list[tuple[str, AgreedMedia]] = []
        self._host = host
        self._on_key: Any = lambda leg, key, t_ns: None
        self._legs: dict[str, _Leg] = {}
        self._lock = threading.Lock()
        self._wake, self._waker = socket.socketpair()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="test media", daemon=True)
        self._thread.start()

    @property
    def open_legs(self) -> list[str]:
        """Legs that have a port."""
        return list(self._legs)

    def close(self) -> None:
        """End the thread, close all ports."""
        self._closing = True
        self._waker.send(b"x")
        self._thread.join()
        for leg in list(self._legs):
            self.stop(leg)
        self._wake.close()
        self._waker.close()

    def listen(self, on_key: Any) -> None:
        self._on_key = on_key

    def open(self, leg: str, port: int) -> None:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind((self._host, port))
        except OSError:
            udp.close()
            raise
        with self._lock:
            self._legs[leg] = _Leg(udp)
        self._waker.send(b"x")

    def start(self, leg: str, media: AgreedMedia) -> None:
        with self._lock:
            found = self._legs[leg]
            found.media = media
            found.session = Session(
                payload_type=media.receive_type, event_type=media.event_receive_type, rtcp_ms=0, remote=AGREED
            )
            if media.local_crypto and media.remote_crypto:
                found.protect, found.unprotect = _context(media.local_crypto), _context(media.remote_crypto)
        self.started.append((leg, media))

    def stop(self, leg: str) -> None:
        with self._lock:
            found = self._legs.pop(leg, None)
        if found is not None:
            found.udp.close()
            self._waker.send(b"x")

    def press(self, leg: str, digits: str) -> None:
        with self._lock:
            found = self._legs[leg]
            session, media = found.session, found.media
            assert session is not None
            assert media is not None
            for digit in digits:
                session.press(DIGITS.index(digit), 160 * PRESS_FRAMES)
                for _ in range(PRESS_FRAMES + 6):
                    found.now = max(found.now + FRAME_NS, session.due_ns)
                    packet = session.send(None, found.now)
                    if packet is not None:
                        data = found.protect.protect(packet) if found.protect is not None else packet
                        found.udp.sendto(data, (media.remote_address, media.remote_port))

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                sockets = {found.udp: name for name, found in self._legs.items()}
            try:
                ready, _, _ = select.select([self._wake, *sockets], [], [], 0.5)
            except (OSError, ValueError):  # one was closed meanwhile
                continue
            for one in ready:
                if one is self._wake:
                    self._wake.recv(64)
                else:
                    self._take(sockets[one])

    def _take(self, name: str) -> None:
        told = []
        with self._lock:
            leg = self._legs.get(name)
            if leg is None:
                return
            data, place = leg.udp.recvfrom(2048)
            now = time.monotonic_ns()
            session, media = leg.session, leg.media
            if session is None or media is None:
                return
            if place != (media.remote_address, media.remote_port):
                self.foreign += 1
                return
            try:
                data = leg.unprotect.unprotect(data) if leg.unprotect is not None else data
            except ValueError:
                self.foreign += 1
                return
            received = session.receive(data, now, AGREED)
            if received.verdict == "event" and received.packet is not None:
                told = [key for key in leg.keys.feed(received.packet, now) if key.pressed and key.digit]
            elif received.verdict == "media":
                self.packets += 1
        for key in told:
            self._on_key(name, key.digit, key.t_ns)


def _context(crypto: str) -> SrtpContext:
    """Of the value of an ``a=crypto`` line (RFC 4568)."""
    import base64

    _, suite, parameters, *_ = crypto.split(" ")
    raw = base64.b64decode(parameters.removeprefix("inline:").partition("|")[0])
    return SrtpContext(Profile(suite), raw[:16], raw[16:])
