# The RTP thread (cext/rtp/ax_rtp_thread.c); see rtp_thread.pyi.
# The work of the thread is done by the audio thread, in its ticks.
# Units: ns of CLOCK_MONOTONIC; ms; bytes. GIL: released where a lock is taken. Memory: it keeps the audio thread, and of each port
# the leg and descriptors of its own; it takes no part in the search for cycles, as long as it is carried.
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

import os
import secrets
import threading

from axcore.errors import RangeError, StateError

from .audio_thread cimport AudioThread
from .c_audio_thread cimport ax_audio_carried, ax_audio_thread_carry
from .c_rtp_thread cimport (
    AX_SRTP_PROFILE_END, ax_rtp_address, ax_rtp_address_make, ax_rtp_address_read, ax_rtp_port_keys, ax_rtp_port_stats,
    ax_rtp_thread, ax_rtp_thread_add, ax_rtp_thread_count, ax_rtp_thread_counters, ax_rtp_thread_event,
    ax_rtp_thread_event_t, ax_rtp_thread_events_fd, ax_rtp_thread_free, ax_rtp_thread_get, ax_rtp_thread_hold,
    ax_rtp_thread_new, ax_rtp_thread_port, ax_rtp_thread_press, ax_rtp_thread_receive, ax_rtp_thread_remove,
    ax_rtp_thread_send, ax_rtp_thread_set_peer,
)
from .err cimport ax_check
from .pipeline cimport Leg

PROFILES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM")
STATES = ("idle", "active", "silent", "ended")


cdef int _keys(ax_rtp_port_keys *out, uint32_t profile, bytes key, bytes salt) except -1:
    if len(key) != 16 or len(salt) != (12 if profile == 2 else 14):
        raise RangeError("a key has 16 bytes, a salt 14 (12 of AEAD_AES_128_GCM)")
    out.profile = profile
    memcpy(out.key, PyBytes_AS_STRING(key), 16)
    memcpy(out.salt, PyBytes_AS_STRING(salt), len(salt))
    return 0


cdef int _address(ax_rtp_address *out, peer) except -1:
    cdef bytes host
    cdef uint16_t port
    memset(out, 0, sizeof(ax_rtp_address))
    if peer is not None:
        host, port = peer
        ax_check(ax_rtp_address_make(out, <const uint8_t *>PyBytes_AS_STRING(host), <size_t>PyBytes_GET_SIZE(host), port))
    return 0


cdef void _receive(void *t) noexcept nogil:
    ax_rtp_thread_receive(<ax_rtp_thread *>t)


cdef void _send(void *t) noexcept nogil:
    ax_rtp_thread_send(<ax_rtp_thread *>t)


@cython.final
@cython.no_gc
cdef class RtpThread:
    cdef ax_rtp_thread *_t
    cdef AudioThread _carrier
    cdef object _lock
    cdef bint _started
    cdef dict _held  # serial: (leg, descriptors)

    def __cinit__(self, AudioThread carrier not None):
        self._held = {}
        self._lock = threading.Lock()
        self._carrier = carrier
        ax_check(ax_rtp_thread_new(&self._t, -1, secrets.randbits(64), 0))

    def __dealloc__(self):
        self._rest()
        with nogil:
            ax_rtp_thread_free(self._t)
        for leg, fds in self._held.values():
            self._release(leg, fds)

    cdef int _release(self, Leg leg, fds) except -1:
        leg.carried = False
        for fd in fds:
            os.close(fd)
        return 0

    cdef int _rest(self) except -1:
        if self._started:
            with nogil:
                ax_audio_thread_carry(self._carrier._t, NULL)
            self._started = self._carrier.carries = False
        return 0

    def start(self):
        cdef ax_audio_carried carried
        with self._lock:
            if self._carrier.carries:
                raise StateError("the audio thread carries packets already")
            carried.receive, carried.send, carried.context = _receive, _send, self._t
            with nogil:
                ax_audio_thread_carry(self._carrier._t, &carried)
            self._started = self._carrier.carries = True

    def stop(self):
        with self._lock:
            self._rest()

    def add(self, Leg leg not None, int fd, int rtcp_fd=-1, *, peer=None, rtcp_peer=None, int payload_type=0,
            int event_type=255, uint32_t frame=160, uint32_t rtcp_ms=5000, str cname not None="", crypto=None):
        cdef ax_rtp_thread_port port
        cdef bytes name = cname.encode()
        cdef uint64_t serial = 0
        cdef int err
        memset(&port, 0, sizeof(port))
        if not 0 <= payload_type <= 127 or not (0 <= event_type <= 127 or event_type == 255) or len(name) > 63:
            raise RangeError("a payload type is 0 to 127 (255: no telephone events), a CNAME has at most 63 bytes")
        _address(&port.peer, peer)
        _address(&port.rtcp_peer, rtcp_peer)
        port.config.session.seed = secrets.randbits(64)
        port.config.session.rate, port.config.session.frame = leg.clock, frame
        port.config.session.rtcp_ms = rtcp_ms
        port.config.session.payload_type = <uint8_t>payload_type
        port.config.session.event_type = <uint8_t>event_type
        memcpy(port.config.session.cname, PyBytes_AS_STRING(name), len(name))
        port.config.send.profile = port.config.receive.profile = AX_SRTP_PROFILE_END
        if crypto is not None:
            profile, (key, salt), (other_key, other_salt) = crypto
            if profile not in PROFILES:
                raise RangeError(f"{profile!r} is none of {', '.join(PROFILES)}")
            _keys(&port.config.send, PROFILES.index(profile), key, salt)
            _keys(&port.config.receive, PROFILES.index(profile), other_key, other_salt)
        with self._lock, leg._offering, leg._taking:
            if leg.carried:
                raise StateError("the leg has a port already")
            fds = []
            try:
                fds.append(os.dup(fd))
                port.fd = fds[0]
                if rtcp_fd >= 0:
                    fds.append(os.dup(rtcp_fd))
                port.rtcp_fd = fds[1] if rtcp_fd >= 0 else -1
                with nogil:
                    err = ax_rtp_thread_add(self._t, &port, leg._l, &serial)
                ax_check(err)
            except BaseException:
                for each in fds:
                    os.close(each)
                raise
            finally:
                memset(&port, 0, sizeof(port))
            leg.carried = True
            self._held[serial] = (leg, fds)
        return serial

    def remove(self, uint64_t serial):
        cdef int err
        with self._lock:
            with nogil:
                err = ax_rtp_thread_remove(self._t, serial)
            ax_check(err)
            leg, fds = self._held.pop(serial)
            self._release(leg, fds)

    def set_peer(self, uint64_t serial, peer not None):
        cdef ax_rtp_address a
        cdef int err
        _address(&a, peer)
        with nogil:
            err = ax_rtp_thread_set_peer(self._t, serial, &a)
        ax_check(err)

    def press(self, uint64_t serial, uint32_t event, uint32_t ms):
        cdef int err
        with nogil:
            err = ax_rtp_thread_press(self._t, serial, event, ms)
        ax_check(err)

    def hold(self, uint64_t serial, uint32_t what):
        cdef int err
        with nogil:
            err = ax_rtp_thread_hold(self._t, serial, what)
        ax_check(err)

    def stats(self, uint64_t serial):
        cdef ax_rtp_port_stats s
        cdef ax_rtp_address a
        cdef uint8_t host[16]
        cdef uint16_t port = 0
        cdef size_t n
        cdef int err
        with nogil:
            err = ax_rtp_thread_get(self._t, serial, &s, &a)
        ax_check(err)
        n = ax_rtp_address_read(&a, host, &port)
        return {
            "state": STATES[s.state], "peer": None if n == 0 else ((<char *>host)[:n], port),
            "sent": s.rtp.sent, "taken": s.rtp.taken, "lost": s.rtp.lost, "jitter": s.rtp.jitter, "rtt_us": s.rtp.rtt_us,
            "duplicates": s.rtp.duplicates, "reordered": s.rtp.reordered, "restarts": s.rtp.restarts,
            "dropped": sum(s.rtp.verdicts[k] for k in range(3, 9)), "not_authentic": s.srtp.not_authentic,
            "replayed": s.srtp.replayed, "refused": s.refused, "remote_lost": s.rtp.remote_lost,
            "remote_fraction": s.rtp.remote_fraction,
        }

    def events(self):
        cdef ax_rtp_thread_event_t e
        found = []
        with self._lock:
            while ax_rtp_thread_event(self._t, &e) == 1:
                found.append((e.kind, e.t_ns, e.serial, e.value, e.ms))
        return found

    @property
    def events_fd(self):
        return ax_rtp_thread_events_fd(self._t)

    def counters(self):
        cdef ax_rtp_thread_counters c
        with nogil:
            ax_rtp_thread_count(self._t, &c)
        return {"turns": c.turns, "received": c.received, "sent": c.sent, "calls_in": c.calls_in,
                "calls_out": c.calls_out, "foreign": c.foreign, "oversize": c.oversize, "unsent": c.unsent,
                "events_lost": c.events_lost}
