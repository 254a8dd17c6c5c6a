# The noise suppressor (cext/audio/ax_ns.c): buffers in, buffer out. See ns.pyi and ax/ns.h.
# Units: samples of 16 bits or float32 of full scale 1.0. Threads: calls hold the GIL, so that they come one after the other.
# Allocation: the result, if no `out` is given.
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int16_t

from axcore.errors import InputError, RangeError, StateError

from .c_ns cimport (
    ax_ns_attenuation_db, ax_ns_frame, ax_ns_free, ax_ns_latency, ax_ns_new, ax_ns_process_f32, ax_ns_process_i16,
    ax_ns_reset, ax_ns_set_level, ax_ns_size, ax_ns_spec,
)
from .err cimport ax_check
from .pcm cimport pcm_like, pcm_take

RATES = (8000, 16000, 32000, 48000)

cdef enum:
    OUT_OF_RANGE = -2


cdef class NsCore:
    def __cinit__(self, int rate, float max_attenuation_db):
        cdef ax_ns_spec spec
        if rate not in RATES:
            raise InputError("rate", f"{rate} Hz is not possible; take one of {', '.join(map(str, RATES))}")
        if not 0 <= max_attenuation_db <= 60:
            raise InputError("max_attenuation_db", f"must be 0 to 60, not {max_attenuation_db:g}")
        spec.rate = rate
        spec.max_attenuation_db = max_attenuation_db
        ax_check(ax_ns_new(&self._n, &spec))
        self.rate = rate
        self.frame = ax_ns_frame(self._n)
        self.latency = ax_ns_latency(self._n)

    def __dealloc__(self):
        ax_ns_free(self._n)

    @property
    def attenuation_db(self):
        return ax_ns_attenuation_db(self._n)

    @property
    def size(self):
        return ax_ns_size(self._n)

    def reset(self):
        ax_ns_reset(self._n)

    def set_level(self, int level):
        ax_check(ax_ns_set_level(self._n, level))

    def process(self, samples, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef bint fine
        cdef int rc
        pcm_take(samples, &a, "hf", self.frame, "samples", False)
        try:
            fine = a.itemsize == 4
            kind = "f" if fine else "h"
            if out is None:
                out = pcm_like(samples, kind, self.frame)
            pcm_take(out, &b, kind, self.frame, "out", True)
            try:
                if fine:
                    rc = ax_ns_process_f32(self._n, <const float *>a.buf, <float *>b.buf)
                else:
                    rc = ax_ns_process_i16(self._n, <const int16_t *>a.buf, <int16_t *>b.buf)
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        if rc == OUT_OF_RANGE:
            raise RangeError("samples: must be numbers from -8 to 8; full scale is 1")
        if rc < 0:
            raise StateError("the suppressor works for an echo canceller")
        return out
