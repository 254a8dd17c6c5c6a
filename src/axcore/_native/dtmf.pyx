# DTMF detector and telephone tones (cext/audio/ax_dtmf.c, ax_tone.c); see dtmf.pyi.
# Units: 16-bit samples, mHz, us. Threads: a detector holds the GIL, so that calls come one after the other; a tone never changes. Allocation: one
# block per object; the events of a call.
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int16_t, uint32_t, uint64_t

from axcore.errors import RangeError

from .c_dtmf cimport (
    AX_TONE_SEGMENTS, AX_TONE_SINES, ax_dtmf, ax_dtmf_event, ax_dtmf_feed, ax_dtmf_free, ax_dtmf_key, ax_dtmf_new,
    ax_dtmf_reset, ax_tone, ax_tone_free, ax_tone_length, ax_tone_new, ax_tone_render, ax_tone_segment,
)
from .err cimport ax_check
from .pcm cimport pcm_take

SEGMENTS = AX_TONE_SEGMENTS
SINES = AX_TONE_SINES

cdef enum:
    ROOM = 64


cdef class Detector:
    cdef ax_dtmf *_d
    cdef readonly uint32_t rate

    def __cinit__(self, uint32_t rate):
        ax_check(ax_dtmf_new(&self._d, rate))
        self.rate = rate

    def __dealloc__(self):
        ax_dtmf_free(self._d)

    def reset(self):
        ax_dtmf_reset(self._d)

    @property
    def key(self):
        cdef char key = ax_dtmf_key(self._d)
        return chr(key) if key else None

    def feed(self, samples):
        cdef Py_buffer view
        cdef ax_dtmf_event events[ROOM]
        cdef const int16_t *p
        cdef size_t n, part, most = self.rate // 200 * (ROOM - 2)
        cdef int made, i
        pcm_take(samples, &view, "h", -1, "samples", False)
        found = []
        try:
            p = <const int16_t *>view.buf
            n = <size_t>view.len // 2
            while n:
                part = n if n < most else most
                made = ax_dtmf_feed(self._d, p, part, events, ROOM)
                for i in range(ax_check(made)):
                    found.append((chr(events[i].key), events[i].at, events[i].duration))
                p += part
                n -= part
        finally:
            PyBuffer_Release(&view)
        return found


cdef class Tone:
    def __cinit__(self, segments, uint32_t rate, bint repeat=False):
        cdef ax_tone_segment list[256]
        cdef int i, k
        if len(segments) > AX_TONE_SEGMENTS:
            raise RangeError("a tone has at most 256 segments")
        for i, (duration_us, sines) in enumerate(segments):
            if len(sines) > AX_TONE_SINES:
                raise RangeError("a segment has at most 4 sines")
            list[i].duration_us = duration_us
            for k in range(AX_TONE_SINES):
                list[i].mhz[k] = sines[k][0] if k < len(sines) else 0
                list[i].amplitude[k] = sines[k][1] if k < len(sines) else 0.0
        ax_check(ax_tone_new(&self._t, list, <size_t>len(segments), repeat, rate))
        self.rate = rate

    def __dealloc__(self):
        ax_tone_free(self._t)

    def __len__(self):
        return <Py_ssize_t>ax_tone_length(self._t)

    def render(self, pos, out):
        cdef Py_buffer view
        cdef uint64_t start
        cdef size_t n
        cdef int made
        if not 0 <= pos <= 1 << 62:
            raise RangeError("a position is 0 to 2^62")
        start = pos
        pcm_take(out, &view, "h", -1, "out", True)
        try:
            n = <size_t>view.len // 2
            with nogil:
                made = ax_tone_render(self._t, start, <int16_t *>view.buf, n)
        finally:
            PyBuffer_Release(&view)
        return ax_check(made)
