# RTP sessions and telephone events (cext/rtp); see rtp_session.pyi.
# Units: ns, ticks, bytes. Threads: an object belongs to one; calls hold the GIL. Allocation: what is given back.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from axcore.errors import RangeError

from .c_rtp cimport (
    AX_RTP_KEY_PRESS, AX_RTP_TAKE, AX_RTP_TAKE_EVENT, ax_rtp_config, ax_rtp_key, ax_rtp_keys, ax_rtp_keys_feed,
    ax_rtp_keys_poll, ax_rtp_keys_reset, ax_rtp_packet, ax_rtp_press, ax_rtp_press_start, ax_rtp_session,
    ax_rtp_session_due, ax_rtp_session_init, ax_rtp_session_receive, ax_rtp_session_report, ax_rtp_session_report_due,
    ax_rtp_session_send, ax_rtp_session_send_event, ax_rtp_session_state, ax_rtp_session_timestamp,
)
from .err cimport ax_check

VERDICTS = ("media", "event", "rtcp", "malformed", "payload_type", "source", "jump", "loop", "other")
STATES = ("idle", "active", "silent", "ended")


cdef list _keys(const ax_rtp_key *keys, int n):
    return [(keys[i].phase == AX_RTP_KEY_PRESS, keys[i].event, keys[i].volume, keys[i].duration, keys[i].timestamp,
             keys[i].lost_end != 0, keys[i].t_ns) for i in range(n)]


cdef class KeyReceiver:
    cdef ax_rtp_keys _k

    def feed(self, uint32_t ssrc, uint32_t timestamp, bytes payload not None, uint64_t now_ns):
        cdef ax_rtp_key out[2]
        return _keys(out, ax_rtp_keys_feed(&self._k, ssrc, timestamp, <const uint8_t *>PyBytes_AS_STRING(payload),
                                           <size_t>PyBytes_GET_SIZE(payload), now_ns, out))

    def poll(self, uint64_t now_ns):
        cdef ax_rtp_key out[2]
        return _keys(out, ax_rtp_keys_poll(&self._k, now_ns, out))

    def reset(self):
        ax_rtp_keys_reset(&self._k)

    @property
    def stats(self):
        return {"packets": self._k.stats.packets, "repeated": self._k.stats.repeated,
                "foreign": self._k.stats.foreign, "malformed": self._k.stats.malformed}


cdef class Session:
    cdef ax_rtp_session _s
    cdef ax_rtp_press _press

    def __init__(self, seed, int payload_type=0, int event_type=101, uint32_t rate=8000, uint32_t frame=160,
                 uint32_t rtcp_ms=5000, str cname not None="", uint32_t ssrc=0, uint64_t remote=0):
        cdef ax_rtp_config c
        cdef bytes name = cname.encode()
        memset(&c, 0, sizeof(c))
        if not 0 <= payload_type <= 127 or not (0 <= event_type <= 127 or event_type == 255) or len(name) > 63:
            raise RangeError("a payload type is 0 to 127 (255: no telephone events), a CNAME has at most 63 bytes")
        c.seed = <uint64_t>(seed & 0xFFFFFFFFFFFFFFFF)
        c.payload_type, c.event_type = <uint8_t>payload_type, <uint8_t>event_type
        c.rate, c.frame, c.rtcp_ms, c.ssrc, c.remote = rate, frame, rtcp_ms, ssrc, remote
        memcpy(c.cname, PyBytes_AS_STRING(name), len(name))
        ax_check(ax_rtp_session_init(&self._s, &c))

    @property
    def ssrc(self):
        return self._s.config.ssrc

    @property
    def due_ns(self):
        return ax_rtp_session_due(&self._s)

    @property
    def report_due_ns(self):
        return ax_rtp_session_report_due(&self._s)

    def state(self, uint64_t now_ns):
        return STATES[ax_rtp_session_state(&self._s, now_ns)]

    def send(self, payload, uint64_t now_ns):
        cdef bytes body = b"" if payload is None else bytes(payload)
        cdef uint8_t out[2048]
        cdef int n
        if self._press.active:
            n = ax_check(ax_rtp_session_send_event(&self._s, &self._press, now_ns, out, sizeof(out)))
        else:
            n = ax_check(ax_rtp_session_send(
                &self._s, NULL if payload is None else <const uint8_t *>PyBytes_AS_STRING(body),
                <size_t>PyBytes_GET_SIZE(body), now_ns, out, sizeof(out)))
        return PyBytes_FromStringAndSize(<const char *>out, n) if n else None

    def press(self, int event, uint32_t duration, int volume=10):
        if not 0 <= event <= 255 or not 0 <= volume <= 63 or duration == 0:
            raise RangeError("an event is 0 to 255, a volume 0 to 63 (-dBm0), a duration at least one tick")
        ax_check(ax_rtp_press_start(&self._press, <uint8_t>event, <uint8_t>volume,
                                    ax_rtp_session_timestamp(&self._s), duration))

    @property
    def pressing(self):
        return self._press.active != 0

    def receive(self, bytes data not None, uint64_t now_ns, uint64_t remote=1):
        cdef ax_rtp_packet p
        cdef int verdict = ax_rtp_session_receive(&self._s, remote, <const uint8_t *>PyBytes_AS_STRING(data),
                                                  <size_t>PyBytes_GET_SIZE(data), now_ns, &p)
        if verdict != AX_RTP_TAKE and verdict != AX_RTP_TAKE_EVENT:
            return VERDICTS[verdict], None
        return VERDICTS[verdict], (p.ssrc, p.sequence, p.timestamp, p.payload_type, p.marker != 0,
                                   data[p.payload_at:p.payload_at + p.payload_size])

    def report(self, uint64_t now_ns, uint64_t ntp, bye=None):
        cdef uint8_t out[512]
        cdef bytes reason
        cdef const char *text = NULL
        if bye is not None:
            reason = bye.encode()
            text = reason
        n = ax_check(ax_rtp_session_report(&self._s, now_ns, ntp, text, out, sizeof(out)))
        return PyBytes_FromStringAndSize(<const char *>out, n) if n else None

    @property
    def stats(self):
        s = &self._s.stats
        found = {"sent": s.sent, "sent_bytes": s.sent_bytes, "skipped": s.skipped, "taken": s.taken,
                 "taken_bytes": s.taken_bytes, "duplicates": s.duplicates, "reordered": s.reordered,
                 "restarts": s.restarts, "lost": s.lost, "jitter": s.jitter, "rtt_us": s.rtt_us,
                 "remote_fraction": s.remote_fraction, "remote_lost": s.remote_lost, "remote_jitter": s.remote_jitter}
        for i, name in enumerate(VERDICTS):
            if i > 2:
                found["dropped_" + name] = s.verdicts[<int>i]
        return found
