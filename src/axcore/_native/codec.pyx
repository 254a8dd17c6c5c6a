# Speech codecs and loss concealment (cext/audio/ax_g711.c, ax_g722.c, ax_g726.c, ax_plc.c); see codec.pyi.
# Units: 16-bit samples, octets. Threads: an object belongs to one thread at a time, and a second entry waits for the GIL;
# functions may be called from any. Allocation: the result, if no `out` is given.
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int16_t, uint8_t, uint32_t

from axcore.errors import FormatError, RangeError

from .c_codec cimport (
    ax_g711_decode, ax_g711_encode, ax_g711_level_name, ax_g711_levels, ax_g711_set_level, ax_g722, ax_g722_decode,
    ax_g722_encode, ax_g722_free, ax_g722_new, ax_g722_reset, ax_g726, ax_g726_decode, ax_g726_encode, ax_g726_free,
    ax_g726_new, ax_g726_reset, ax_plc, ax_plc_free, ax_plc_good, ax_plc_lost, ax_plc_new, ax_plc_reset,
)
from .err cimport ax_check
from .pcm cimport pcm_like, pcm_take

G711_LEVELS = tuple(ax_g711_level_name(level).decode() for level in range(ax_g711_levels()))

cdef enum:
    MU = 0
    A = 1
    G722 = 2
    G726 = 3
    L16 = 4


def g711_set_level(int level):
    ax_check(ax_g711_set_level(level))


cdef void _swap(const uint8_t *source, Py_ssize_t octets, uint8_t *out) noexcept nogil:
    """Between the network's order and this machine's, which is little-endian wherever axcore runs."""
    cdef Py_ssize_t i
    for i in range(0, octets, 2):
        out[i] = source[i + 1]
        out[i + 1] = source[i]


cdef class Codec:
    cdef int _kind
    cdef ax_g722 *_g722
    cdef ax_g726 *_g726

    def __cinit__(self, int kind, bint aal2=False):
        if not MU <= kind <= L16:
            raise RangeError("a codec is 0 to 4")
        self._kind = kind
        if kind == G722:
            ax_check(ax_g722_new(&self._g722))
        elif kind == G726:
            ax_check(ax_g726_new(&self._g726, aal2))

    def __dealloc__(self):
        ax_g722_free(self._g722)
        ax_g726_free(self._g726)

    def reset(self):
        if self._kind == G722:
            ax_g722_reset(self._g722)
        elif self._kind == G726:
            ax_g726_reset(self._g726)

    cdef int _encode(self, Py_buffer *pcm, Py_buffer *out) except -1:
        cdef const int16_t *source = <const int16_t *>pcm.buf
        cdef uint8_t *target = <uint8_t *>out.buf
        cdef size_t n = <size_t>pcm.len // 2
        if self._kind <= A:
            ax_check(ax_g711_encode(self._kind, source, n, target))
        elif self._kind == G722:
            ax_check(ax_g722_encode(self._g722, source, n, target))
        elif self._kind == G726:
            ax_check(ax_g726_encode(self._g726, source, n, target))
        else:
            _swap(<const uint8_t *>source, pcm.len, target)
        return 0

    cdef int _decode(self, Py_buffer *octets, Py_buffer *out) except -1:
        cdef const uint8_t *source = <const uint8_t *>octets.buf
        cdef int16_t *target = <int16_t *>out.buf
        cdef size_t n = <size_t>octets.len
        if self._kind <= A:
            ax_check(ax_g711_decode(self._kind, source, n, target))
        elif self._kind == G722:
            ax_check(ax_g722_decode(self._g722, source, n, target))
        elif self._kind == G726:
            ax_check(ax_g726_decode(self._g726, source, n, target))
        else:
            _swap(source, octets.len, <uint8_t *>target)
        return 0

    def encode(self, pcm, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef Py_ssize_t n
        pcm_take(pcm, &a, "h", -1, "pcm", False)
        try:
            n = a.len // 2
            if n & 1 and self._kind in (G722, G726):
                raise FormatError(f"pcm: must hold an even number of samples, not {n}")
            n = n if self._kind <= A else 2 * n if self._kind == L16 else n // 2
            if out is None:
                out = pcm_like(pcm, "B", n)
            pcm_take(out, &b, "B", n, "out", True)
            try:
                self._encode(&a, &b)
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        return out

    def decode(self, octets, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef Py_ssize_t n
        pcm_take(octets, &a, "B", -1, "octets", False)
        try:
            n = a.len
            if n & 1 and self._kind == L16:
                raise FormatError(f"octets: must be an even number, not {n}")
            n = n if self._kind <= A else n // 2 if self._kind == L16 else 2 * n
            if out is None:
                out = pcm_like(octets, "h", n)
            pcm_take(out, &b, "h", n, "out", True)
            try:
                self._decode(&a, &b)
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        return out


cdef class Concealer:
    cdef ax_plc *_p
    cdef readonly uint32_t rate

    def __cinit__(self, uint32_t rate):
        ax_check(ax_plc_new(&self._p, rate))
        self.rate = rate

    def __dealloc__(self):
        ax_plc_free(self._p)

    def reset(self):
        ax_plc_reset(self._p)

    cdef object _run(self, object samples, str name, bint good):
        cdef Py_buffer view
        pcm_take(samples, &view, "h", -1, name, True)
        try:
            if good:
                ax_check(ax_plc_good(self._p, <int16_t *>view.buf, <size_t>view.len // 2))
            else:
                ax_check(ax_plc_lost(self._p, <int16_t *>view.buf, <size_t>view.len // 2))
        finally:
            PyBuffer_Release(&view)
        return samples

    def good(self, samples):
        return self._run(samples, "samples", True)

    def lost(self, out):
        return self._run(out, "out", False)
