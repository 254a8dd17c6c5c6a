# The jitter buffer (cext/rtp/ax_jitter.c); see jitter.pyi.
# Units: ns, ticks, bytes. Threads: a Buffer belongs to one; calls hold the GIL. Allocation: the slots when it is made, and the
# payload that is given back.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from .c_jitter cimport (
    ax_jitter, ax_jitter_config, ax_jitter_free, ax_jitter_get_ahead, ax_jitter_held, ax_jitter_new, ax_jitter_out,
    ax_jitter_packet, ax_jitter_put, ax_jitter_reset, ax_jitter_stats, ax_jitter_stats_t, ax_jitter_target_us,
)
from .err cimport ax_check

PUTS = ("stored", "late", "duplicate", "strange", "restarted")


cdef class Buffer:
    cdef ax_jitter *_j

    def __cinit__(self, uint32_t rate, uint32_t frame, uint32_t slots, uint32_t max_payload, uint32_t min_delay_ms,
                  uint32_t max_delay_ms, bint stretch, uint32_t tick_us=0):
        cdef ax_jitter_config c
        c.rate, c.frame, c.slots, c.max_payload = rate, frame, slots, max_payload
        c.min_delay_ms, c.max_delay_ms, c.stretch, c.tick_us = min_delay_ms, max_delay_ms, stretch, tick_us
        ax_check(ax_jitter_new(&self._j, &c))

    def __dealloc__(self):
        ax_jitter_free(self._j)

    def __len__(self):
        return ax_jitter_held(self._j)

    def put(self, uint32_t ssrc, uint16_t sequence, uint32_t timestamp, bytes payload not None, uint64_t now_ns,
            uint8_t payload_type=0, bint marker=False):
        cdef ax_jitter_packet p
        p.payload = <const uint8_t *>PyBytes_AS_STRING(payload)
        p.size = <uint32_t>PyBytes_GET_SIZE(payload)
        p.ssrc, p.sequence, p.timestamp = ssrc, sequence, timestamp
        p.payload_type, p.marker = payload_type, marker
        return PUTS[ax_check(ax_jitter_put(self._j, &p, now_ns))]

    def get(self, uint64_t now_ns, uint64_t ahead_ns=0):
        cdef ax_jitter_out o
        ax_jitter_get_ahead(self._j, now_ns, ahead_ns, &o)
        payload = PyBytes_FromStringAndSize(<const char *>o.payload, o.size) if o.payload != NULL else None
        return o.kind, o.play, o.ticks, o.rest, payload, o.sequence, o.timestamp, o.payload_type, o.delay_us

    def reset(self):
        ax_jitter_reset(self._j)

    @property
    def target_us(self):
        return ax_jitter_target_us(self._j)

    @property
    def stats(self):
        cdef const ax_jitter_stats_t *s = ax_jitter_stats(self._j)
        return {"put": s.put, "late": s.late, "duplicates": s.duplicates, "reordered": s.reordered,
                "strange": s.strange, "restarts": s.restarts, "overflow": s.overflow, "frames": s.frames,
                "longer": s.longer, "shorter": s.shorter, "lost": s.lost, "concealed_ticks": s.concealed_ticks,
                "played_ticks": s.played_ticks, "waits": s.waits}
