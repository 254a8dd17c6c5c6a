# The echo canceller (cext/audio/ax_aec.c): buffers in, buffer out. See aec.pyi and ax/aec.h.
# Units: samples of 16 bits or float32 of full scale 1.0; ms; parts per million. Threads: one canceller belongs to one
# thread; the GIL is released for the length of a frame, and a second entry is refused (StateError). Allocation: the
# result, if no `out` is given.
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int16_t

from array import array

from axcore.errors import FormatError, InputError, RangeError, StateError

from .c_aec cimport (
    AX_AEC_FILTER, AX_AEC_FULL, ax_aec, ax_aec_chain, ax_aec_frame, ax_aec_free, ax_aec_get, ax_aec_latency, ax_aec_level_name,
    ax_aec_levels, ax_aec_new, ax_aec_process_f32, ax_aec_process_i16, ax_aec_reset, ax_aec_set_level, ax_aec_size,
    ax_aec_spec, ax_aec_status,
)
from .err cimport ax_check
from .ns cimport NsCore

LEVELS = tuple(ax_aec_level_name(level).decode() for level in range(ax_aec_levels()))
RATES = (8000, 16000, 32000, 48000)

cdef enum:
    OUT_OF_RANGE = -2

cdef bytes _I16 = b"h"
cdef bytes _F32 = b"f"


cdef char _kind(Py_buffer *view, str name, int frame) except 0:
    """b'h' or b'f' of a buffer that holds one frame; what is wrong with it otherwise."""
    if view.ndim != 1 or view.format is NULL or view.format[1] != 0 or view.format[0] not in (_I16[0], _F32[0]):
        raise FormatError(f"{name}: must be one row of int16 or float32 samples")
    if view.shape[0] != frame:
        raise FormatError(f"{name}: must hold a frame of {frame} samples, not {view.shape[0]}")
    return view.format[0]


cdef int _take(object source, Py_buffer *view, int flags, str name) except -1:
    try:
        PyObject_GetBuffer(source, view, flags)
    except (BufferError, TypeError, ValueError):
        raise FormatError(f"{name}: must be a buffer of samples in one piece"
                          + (", and writable" if flags & PyBUF_WRITABLE else "")) from None
    return 0


cdef class AecCore:
    cdef ax_aec *_a
    cdef bint _busy
    cdef NsCore _noise
    cdef readonly int rate
    cdef readonly int frame
    cdef readonly int latency
    cdef readonly int tail_ms

    def __cinit__(self, *args, **kwargs):
        self._a = NULL

    def __init__(self, int rate, int tail_ms=200, bint suppress=True):
        cdef ax_aec_spec spec
        if self._a is not NULL:
            raise StateError("a canceller is made once")
        if rate not in RATES:
            raise InputError("rate", f"{rate} Hz is not possible; take one of {', '.join(map(str, RATES))}")
        if not 20 <= tail_ms <= 400:
            raise InputError("tail_ms", f"must be 20 to 400, not {tail_ms}")
        spec.rate = rate
        spec.tail_ms = tail_ms
        spec.mode = AX_AEC_FULL if suppress else AX_AEC_FILTER
        ax_check(ax_aec_new(&self._a, &spec))
        self.rate = rate
        self.tail_ms = tail_ms
        self.frame = ax_aec_frame(self._a)
        self.latency = ax_aec_latency(self._a)

    def __dealloc__(self):
        ax_aec_free(self._a)

    cdef inline int _ready(self) except -1:
        if self._a is NULL or self._busy:
            raise StateError("the canceller is in use by another thread or was never initialised")
        return 0

    cdef int _run(self, Py_buffer *mic, Py_buffer *ref, Py_buffer *out) except -1:
        cdef char kind = _kind(mic, "mic", self.frame)
        cdef int result
        if _kind(ref, "ref", self.frame) != kind:
            raise FormatError("ref: must have the sample type of mic")
        if _kind(out, "out", self.frame) != kind:
            raise FormatError("out: must have the sample type of mic")
        self._busy = True
        with nogil:
            if kind == 104:
                result = ax_aec_process_i16(self._a, <const int16_t *>mic.buf, <const int16_t *>ref.buf,
                                            <int16_t *>out.buf)
            else:
                result = ax_aec_process_f32(self._a, <const float *>mic.buf, <const float *>ref.buf, <float *>out.buf)
        self._busy = False
        if result != 0:
            raise RangeError("mic, ref: samples must be numbers from -8 to 8; full scale is 1")
        return 0

    def process(self, mic, ref, out=None):
        cdef Py_buffer m
        cdef Py_buffer r
        cdef Py_buffer o
        self._ready()
        _take(mic, &m, PyBUF_FORMAT | PyBUF_ND, "mic")
        try:
            _take(ref, &r, PyBUF_FORMAT | PyBUF_ND, "ref")
            try:
                if out is None:
                    out = array("f" if _kind(&m, "mic", self.frame) == 102 else "h", bytes(self.frame * m.itemsize))
                _take(out, &o, PyBUF_FORMAT | PyBUF_ND | PyBUF_WRITABLE, "out")
                try:
                    self._run(&m, &r, &o)
                finally:
                    PyBuffer_Release(&o)
            finally:
                PyBuffer_Release(&r)
        finally:
            PyBuffer_Release(&m)
        return out

    def status(self):
        cdef ax_aec_status s
        self._ready()
        ax_aec_get(self._a, &s)
        return (s.erle_db, s.delay_ms, s.drift_ppm, bool(s.talking))

    def reset(self):
        self._ready()
        ax_aec_reset(self._a)

    def chain(self, NsCore noise):
        cdef int rc
        self._ready()
        rc = ax_aec_chain(self._a, NULL if noise is None else noise._n)
        if rc == OUT_OF_RANGE:
            raise InputError("noise", "must have the canceller's rate, and the canceller its suppressor")
        ax_check(rc)
        self._noise = noise

    @property
    def size(self):
        self._ready()
        return ax_aec_size(self._a)

    def set_level(self, int level):
        self._ready()
        ax_check(ax_aec_set_level(self._a, level))
