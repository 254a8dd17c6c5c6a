# Sample rate conversion (cext/audio/ax_resample.c); see resample.pyi.
# Units: samples of 16 bits or float32. Threads: a converter belongs to one thread at a time (calls hold the GIL). Allocation:
# one block per converter; the result, if no `out` is given.
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int16_t, uint32_t

from axcore.errors import RangeError

from .c_resample cimport (
    ax_resample, ax_resample_count, ax_resample_f32, ax_resample_free, ax_resample_i16, ax_resample_latency,
    ax_resample_level_name, ax_resample_levels, ax_resample_new, ax_resample_reset, ax_resample_set_level,
)
from .err cimport ax_check
from .pcm cimport pcm_like, pcm_take

LEVELS = tuple(ax_resample_level_name(level).decode() for level in range(ax_resample_levels()))


cdef class Converter:
    cdef ax_resample *_r
    cdef readonly uint32_t source
    cdef readonly uint32_t target

    def __cinit__(self, uint32_t source, uint32_t target, uint32_t taps=96):
        ax_check(ax_resample_new(&self._r, source, target, taps))
        self.source = source
        self.target = target

    def __dealloc__(self):
        ax_resample_free(self._r)

    @property
    def latency(self):
        return ax_resample_latency(self._r)

    def reset(self):
        ax_resample_reset(self._r)

    def set_level(self, int level):
        ax_check(ax_resample_set_level(self._r, level))

    def count(self, Py_ssize_t n):
        if n < 0:
            raise RangeError("samples are counted from 0")
        return ax_resample_count(self._r, <size_t>n)

    def process(self, samples, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef size_t n, room
        cdef bint fine
        cdef int rc
        pcm_take(samples, &a, "hf", -1, "samples", False)
        try:
            fine = a.itemsize == 4
            n = <size_t>(a.len // a.itemsize)
            room = ax_resample_count(self._r, n)
            kind = "f" if fine else "h"
            if out is None:
                out = pcm_like(samples, kind, <Py_ssize_t>room)
            pcm_take(out, &b, kind, <Py_ssize_t>room, "out", True)
            try:
                if fine:
                    rc = ax_resample_f32(self._r, <const float *>a.buf, n, <float *>b.buf, room)
                else:
                    rc = ax_resample_i16(self._r, <const int16_t *>a.buf, n, <int16_t *>b.buf, room)
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        if rc < 0 and fine:
            raise RangeError("samples: must be numbers of at most 65536")
        ax_check(rc)
        return out
