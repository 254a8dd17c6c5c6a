"""The sound of calls: what the intercom asks of a ``MediaPort``, on the native audio and RTP threads.

    media = CallMedia(lambda: open_sound(config.sound, simulated=True), host="192.0.2.5")
    media.listen(on_key)
    media.open("1", 20000)          # bound when this returns; OSError if it is taken
    media.start("1", agreed)        # sound both ways, as offer and answer came to
    media.stop("1")

Sockets are bound by the caller's thread, so that a port that is taken is known before the peer is told of it. All else
happens, in its order, in a thread of its own: a sound card may take its time to open. It opens with the first leg, or
with what is to be heard before there is one (``drivers.desk``), and closes after the last; without calls nothing runs.
A datagram that does not come from where the peer agreed to send from is dropped before it is looked at.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
import os
import queue
import select
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from axcore.drivers.capture import publish
from axcore.drivers.desk import RATE, SEATS, Desk
from axcore.errors import AxError, InputError, QueueFullError
from axcore.model.audio import AudioSettings
from axcore.model.config import SoundConfig
from axcore.model.voice import NOWHERE, AgreedMedia

if TYPE_CHECKING:
    from axcore.audio import Leg
    from axcore.drivers.media import Crypto, Media, MediaPort
    from axcore.drivers.sound import Sound
    from axcore.rtp import Profile

__all__ = ["CallMedia", "crypto", "open_sound"]

log = logging.getLogger(__name__)

NOT_HEARD, NOT_SENT = ("sendonly", "inactive"), ("recvonly", "inactive")
KEY_SIZE: Final = 16
ATTENUATION_DB: Final = 30.0
"""Of the noise suppressor."""


def open_sound(config: SoundConfig, *, simulated: bool, settings: Callable[[], AudioSettings] = AudioSettings) -> Sound:
    """Loudspeaker, microphone and the pipeline between them and the legs; a virtual room where there is no card."""
    from axcore.audio import Echo, Pipeline, Room, What
    from axcore.drivers.sound import Sound, open_room

    now = settings()
    pipeline = Pipeline(
        RATE,
        echo=Echo.FULL if now.echo_cancellation else Echo.OFF,
        gain_control=now.automatic_gain,
        volume_control=now.automatic_volume,
        max_attenuation_db=ATTENUATION_DB if now.noise_cancellation else 0.0,
        untold=[what for what in What if what is not What.ENDED],  # what is said wakes no Python
    )
    if simulated and not config.device:
        return Sound(pipeline, open_room(Room(RATE, rt60_ms=150, delay_ms=15, echo_db=-12, noise_db=-65)))
    speaker = config.line_out if now.output.type == "line" else config.device
    microphone = config.line_in if now.input.type == "line" else config.microphone
    return Sound.open(pipeline, speaker or config.device, microphone or config.device)


def crypto(local: str, remote: str) -> Crypto | None:
    """The keys of two ``a=crypto`` values (RFC 4568, 9.1); None for two empty ones. InputError: ``crypto``."""
    from axcore.drivers.media import Crypto

    if not local and not remote:
        return None
    (profile, key, salt), (other, remote_key, remote_salt) = _inline(local), _inline(remote)
    if profile != other:
        raise InputError("crypto", f"offer and answer name two suites, {profile} and {other}")
    return Crypto(profile=profile, key=key, salt=salt, remote_key=remote_key, remote_salt=remote_salt)


def _inline(value: str) -> tuple[Profile, bytes, bytes]:
    from axcore.rtp import Profile

    parts = value.split()
    if len(parts) < 3 or not parts[2].startswith("inline:"):
        raise InputError("crypto", "has no inline key")
    try:
        profile = Profile(parts[1])
        raw = base64.b64decode(parts[2].removeprefix("inline:").partition("|")[0], validate=True)
    except (ValueError, binascii.Error) as error:
        raise InputError("crypto", "names a suite or a key that cannot be used") from error
    if len(raw) != KEY_SIZE + profile.salt_size:
        raise InputError("crypto", f"has a key of {len(raw)} bytes for {profile}")
    return profile, raw[:KEY_SIZE], raw[KEY_SIZE:]


class _Call:
    """A leg of a call: its sockets, and once it talks its place."""

    def __init__(self, name: str, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.name, self.rtp, self.rtcp = name, rtp, rtcp
        self.agreed: AgreedMedia | None = None
        self.seat = -1
        self.port: MediaPort | None = None

    def close(self) -> None:
        """Give the sockets back."""
        self.rtp.close()
        self.rtcp.close()


class CallMedia:
    """See the module's text (``services.intercom.media.MediaPort``).

    Args:
        open_sound: makes the sound of the device; called in the thread of calls. OSError: there is none.
        host: address to bind to; empty: all.
        ring: where others find what a simulated loudspeaker plays, as long as it is open (``drivers.capture``).
    """

    def __init__(self, open_sound: Callable[[], Sound], host: str = "", *, ring: Path | None = None) -> None:
        self._open_sound, self._host, self._ring = open_sound, host, ring
        self._on_key: Callable[[str, str, int], None] = lambda leg, key, t_ns: None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._calls: dict[str, _Call] = {}
        self._sound: Sound | None = None
        self._media: Media | None = None
        self.desk = Desk(self)
        """What else is heard in the loudspeaker."""

    # --- what the intercom asks, any thread

    def listen(self, on_key: Callable[[str, str, int], None]) -> None:
        """Tell of keys (leg, key, monotonic ns) from now on; the thread of calls does."""
        self._on_key = on_key

    def open(self, leg: str, port: int) -> None:
        """Bind the ports of RTP and, the next one, of RTCP. OSError."""
        call = _Call(leg, *_bound(self._host, port))
        if not self.do(lambda: self._opened(call)):
            call.close()

    def start(self, leg: str, media: AgreedMedia) -> None:
        """Talk as agreed; again: as agreed now (hold, another address, another codec)."""
        self.do(lambda: self._started(leg, media))

    def stop(self, leg: str) -> None:
        """Hang up a leg and close its ports."""
        self.do(lambda: self._stopped(leg))

    def press(self, leg: str, digits: str) -> None:
        """Send keys, one after the other."""
        self.do(lambda: self._press(leg, digits))

    def close(self) -> None:
        """Hang up all; nothing runs any more when this returns, and nothing begins after it. Again: no effect."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._thread is not None:
                self._jobs.put(None)  # the last job: those that come later are not taken
                os.eventfd_write(self._bell, 1)
        if self._thread is not None:
            self._thread.join()
        os.close(self._bell)

    @property
    def sound(self) -> Sound | None:
        """While there are calls: loudspeaker, microphone and pipeline, for measuring and listening."""
        return self._sound

    @property
    def progress(self) -> int | None:
        """Ticks of the audio thread; None while nothing runs. It rises all the time unless the thread is stuck."""
        sound = self._sound
        return None if sound is None else sound.thread_stats.ticks

    # --- the thread of calls

    def do(self, job: Callable[[], None]) -> bool:
        """Run a job in the thread of calls; any thread. Whether it will be run: after ``close`` nobody does, as a
        second thread would begin while the first one hangs up, and wait for the bells of a sound that is gone."""
        with self._lock:
            if self._closed:
                return False
            self._jobs.put(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="call media", daemon=True)
                self._thread.start()
            os.eventfd_write(self._bell, 1)
        return True

    def _run(self) -> None:
        while True:
            self._wait()
            while not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    self._hang_up()
                    return
                _try(job)
            _try(self._tell)

    def _wait(self) -> None:
        """For a job, or for what the native thread tells. Not by ``select.select``: a flood of connections may have
        taken all descriptors that it knows."""
        bells = select.poll()
        bells.register(self._bell, select.POLLIN)
        if self._sound is not None and self._media is not None:
            bells.register(self._media.events_fd, select.POLLIN)
            bells.register(self._sound.events_fd, select.POLLIN)
        for fd, _ in bells.poll():
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(fd)

    def _tell(self) -> None:
        """Keys that were pressed; what has played to its end."""
        if self._media is None or self._sound is None:
            return
        from axcore.drivers.media import KEYS, Heard

        for told in self._sound.events():
            _try(partial(self.desk.on_event, told))
        if self._media is None:  # it was the last that needed the card
            return
        names = {call.port.number: name for name, call in self._calls.items() if call.port is not None}
        for event in self._media.events():
            if event.what is Heard.KEY_DOWN and event.port in names and event.key in KEYS:
                _try(partial(self._on_key, names[event.port], event.key, event.t_ns))

    def _opened(self, call: _Call) -> None:
        self._stopped(call.name)
        self._calls[call.name] = call
        self.awake()

    def awake(self) -> Sound:
        """Open the sound card, if it is not. OSError."""
        if self._sound is None:
            from axcore.drivers.media import Media

            self.desk.opening()
            try:
                sound = self._open_sound()
                media = Media(sound)
                sound.start()
                media.start()
            except BaseException:
                self.desk.closed()
                raise
            self._sound, self._media = sound, media
            if self._ring is not None:
                _try(partial(publish, sound.card.fd, self._ring))
            self.desk.opened()
        return self._sound

    def rest(self) -> None:
        """Close the sound card, if nobody needs it any more."""
        if not self._calls and not self.desk.busy:
            self._quiet()

    def _started(self, leg: str, agreed: AgreedMedia) -> None:
        call = self._calls.get(leg)
        if call is None or self._sound is None or self._media is None:
            return
        from axcore.drivers.media import Hold

        nowhere = agreed.remote_address in NOWHERE
        if nowhere and call.agreed is not None:  # Held: it stays the stream that it was.
            before = call.agreed
            agreed = replace(agreed, remote_address=before.remote_address, remote_port=before.remote_port)
        elif nowhere:
            return
        if call.agreed is None or _wire(call.agreed) != _wire(agreed):
            self._leave(call)
            self._join(call, agreed, self._sound, self._media)
        call.agreed = agreed
        self._sound.pipeline.adjust(call.seat, mute=nowhere or agreed.direction in NOT_HEARD)
        if call.port is not None:
            call.port.hold(Hold.ALL if nowhere else Hold.MEDIA if agreed.direction in NOT_SENT else Hold.NOTHING)

    def free_seat(self) -> int:
        """A seat of the pipeline that nobody has (thread of calls). QueueFullError."""
        taken = {other.seat for other in self._calls.values()} | self.desk.seats
        seat = next((number for number in range(SEATS) if number not in taken), None)
        if seat is None:
            raise QueueFullError("all seats of the pipeline are taken")
        return seat

    def _join(self, call: _Call, agreed: AgreedMedia, sound: Sound, media: Media) -> None:
        """Take a seat at the pipeline and tie it to the sockets."""
        seat = self.free_seat()
        made = _leg(agreed)
        sound.pipeline.seat(seat, made)
        call.seat = seat
        try:
            call.port = media.open(
                made,
                call.rtp,
                rtcp=call.rtcp,
                peer=(agreed.remote_address, agreed.remote_port),
                payload_type=agreed.receive_type,
                event_type=agreed.event_receive_type,
                crypto=crypto(agreed.local_crypto, agreed.remote_crypto),
            )
        except (OSError, AxError):
            self._leave(call)
            raise

    def _leave(self, call: _Call) -> None:
        if call.port is not None:
            call.port.close()
            call.port = None
        if call.seat >= 0 and self._sound is not None:
            self._sound.pipeline.seat(call.seat, None)
        call.seat, call.agreed = -1, None

    def _stopped(self, leg: str) -> None:
        call = self._calls.pop(leg, None)
        if call is None:
            return
        self._leave(call)
        call.close()
        self.rest()

    def _quiet(self) -> None:
        """Nobody talks: the sound card is free for others."""
        if self._sound is None:
            return
        if self._ring is not None:
            _try(partial(self._ring.unlink, missing_ok=True))
        if self._media is not None:
            self._media.stop()
        self._sound.stop()
        self._media = self._sound = None
        self.desk.closed()

    def _press(self, leg: str, digits: str) -> None:
        call = self._calls.get(leg)
        if call is not None and call.port is not None:
            for digit in digits:
                call.port.press(digit)

    def _hang_up(self) -> None:
        for leg in list(self._calls):
            _try(partial(self._stopped, leg))
        self._quiet()


def _try(job: Callable[[], None]) -> None:
    """Do one thing in the thread of calls: whatever it raises is logged, and the next one is done."""
    try:
        job()
    except (OSError, AxError) as error:
        log.error("the sound of a call: %s", error)
    except Exception:
        log.exception("the sound of a call")


def _wire(agreed: AgreedMedia) -> AgreedMedia:
    """What a leg is made for; the direction may change while it talks."""
    return replace(agreed, direction="sendrecv")


def _leg(agreed: AgreedMedia) -> Leg:
    from axcore.audio import Leg

    own_rate = agreed.clock_rate if agreed.codec == "L16" else None
    return Leg(agreed.codec, RATE, codec_rate=own_rate, packet_ms=agreed.packet_ms)


def _bound(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made: list[socket.socket] = []
    try:
        for number in (port, port + 1):
            made.append(socket.socket(family, socket.SOCK_DGRAM))
            made[-1].bind((host, number))
    except OSError:
        for one in made:
            one.close()
        raise
    return made[0], made[1]
