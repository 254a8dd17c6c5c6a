# The Wiegand decoder (cext/wiegand/ax_wiegand.c) over any buffer of edge records; see wiegand.pyi.
# Units: ns, monotonic. Threads: one decoder belongs to one thread; batches of more than NOGIL_EDGES release the GIL and
# refuse a second entry (StateError). Allocation: one Frame per frame, none per bit or edge; `feed_into` makes none.
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint32_t, uint64_t

from axcore.errors import FormatError, StateError

from .c_wiegand cimport (
    AX_NEVER, AX_WIEGAND_MAX_BITS, ax_edge, ax_wiegand, ax_wiegand_advance, ax_wiegand_config, ax_wiegand_configure,
    ax_wiegand_deadline, ax_wiegand_feed, ax_wiegand_frame, ax_wiegand_free, ax_wiegand_ignored, ax_wiegand_new,
    ax_wiegand_reset,
)
from .err cimport ax_check

MAX_BITS = AX_WIEGAND_MAX_BITS
NEVER = AX_NEVER
EDGE_SIZE = sizeof(ax_edge)
FRAME_SIZE = sizeof(ax_wiegand_frame)

cdef enum:
    NOGIL_EDGES = 1024
    CHUNK = 32


cdef class Frame:
    cdef ax_wiegand_frame _f

    @property
    def t_first_ns(self):
        return self._f.t_first_ns

    @property
    def t_last_ns(self):
        return self._f.t_last_ns

    @property
    def t_done_ns(self):
        return self._f.t_done_ns

    @property
    def nbits(self):
        return self._f.nbits

    @property
    def result(self):
        return self._f.result

    @property
    def ok(self):
        return self._f.result == 0

    @property
    def glitches(self):
        return self._f.glitches

    @property
    def bits(self):
        if self._f.nbits <= 64:
            return self._f.bits[0]
        return (self._f.bits[0] | <object>self._f.bits[1] << 64 | <object>self._f.bits[2] << 128
                | <object>self._f.bits[3] << 192)

    def hex(self):
        return f"{self.bits:0{(self.nbits + 7) // 8 * 2}x}"

    def __eq__(self, other):
        if not isinstance(other, Frame):
            return NotImplemented
        return bytes(self) == bytes(other)

    def __hash__(self):
        return hash(bytes(self))

    def __bytes__(self):
        return (<const char *>&self._f)[:sizeof(ax_wiegand_frame)]

    def __repr__(self):
        return (f"Frame(nbits={self.nbits}, bits={self.bits:#x}, result={self.result}, t_first_ns={self.t_first_ns}, "
                f"t_last_ns={self.t_last_ns}, t_done_ns={self.t_done_ns}, glitches={self.glitches})")


cdef inline Frame _frame(const ax_wiegand_frame *f):
    cdef Frame frame = Frame.__new__(Frame)
    frame._f = f[0]
    return frame


cdef class WiegandDecoder:
    cdef ax_wiegand *_w
    cdef bint _busy

    def __cinit__(self, *args, **kwargs):
        self._w = NULL

    def __init__(self, uint32_t min_pulse_ns=10_000, uint32_t max_pulse_ns=400_000, uint32_t glitch_ns=5_000,
                 uint32_t min_interval_ns=82_500, uint32_t max_interval_ns=24_000_000,
                 uint32_t frame_gap_ns=25_000_000, unsigned short min_bits=4, unsigned short max_bits=128,
                 unsigned short expect_bits=0):
        cdef ax_wiegand_config config = ax_wiegand_config(
            min_pulse_ns, max_pulse_ns, glitch_ns, min_interval_ns, max_interval_ns, frame_gap_ns, min_bits, max_bits,
            expect_bits)
        if self._busy:
            raise StateError("the decoder is in use by another thread")
        if self._w is NULL:
            ax_check(ax_wiegand_new(&self._w, &config))
        else:
            ax_check(ax_wiegand_configure(self._w, &config))

    def __dealloc__(self):
        ax_wiegand_free(self._w)

    cdef int _ready(self) except -1:
        if self._w is NULL or self._busy:
            raise StateError("the decoder is in use by another thread or was never initialised")
        return 0

    cdef int _feed(self, const ax_edge *edges, size_t n, ax_wiegand_frame *out, size_t cap, size_t *used) except -1:
        cdef int rc
        if n < NOGIL_EDGES:
            rc = ax_wiegand_feed(self._w, edges, n, out, cap, used)
        else:
            self._busy = True
            with nogil:
                rc = ax_wiegand_feed(self._w, edges, n, out, cap, used)
            self._busy = False
        return ax_check(rc)

    def feed(self, edges):
        cdef Py_buffer view
        cdef ax_wiegand_frame out[CHUNK]
        cdef size_t used = 0, done = 0, n
        cdef int count, i
        self._ready()
        frames = []
        PyObject_GetBuffer(edges, &view, PyBUF_SIMPLE)
        try:
            n = _edge_count(&view)
            while done < n:
                count = self._feed(<const ax_edge *>view.buf + done, n - done, out, CHUNK, &used)
                done += used
                for i in range(count):
                    frames.append(_frame(&out[i]))
        finally:
            PyBuffer_Release(&view)
        return frames

    def feed_into(self, edges, out):
        cdef Py_buffer source
        cdef Py_buffer target
        cdef size_t used = 0
        cdef int count
        self._ready()
        PyObject_GetBuffer(edges, &source, PyBUF_SIMPLE)
        try:
            PyObject_GetBuffer(out, &target, PyBUF_WRITABLE)
            try:
                if <size_t>target.buf % sizeof(uint64_t):
                    raise FormatError("the frame buffer is not aligned to 8 bytes")
                count = self._feed(<const ax_edge *>source.buf, _edge_count(&source), <ax_wiegand_frame *>target.buf,
                                   <size_t>target.len // sizeof(ax_wiegand_frame), &used)
            finally:
                PyBuffer_Release(&target)
        finally:
            PyBuffer_Release(&source)
        return count, used

    def feed_edge(self, uint64_t t_ns, uint32_t line, uint32_t level):
        cdef ax_edge edge = ax_edge(t_ns, line, level)
        cdef ax_wiegand_frame out
        self._ready()
        if ax_check(ax_wiegand_feed(self._w, &edge, 1, &out, 1, NULL)):
            return _frame(&out)
        return None

    def advance(self, uint64_t now_ns):
        cdef ax_wiegand_frame out
        self._ready()
        if ax_wiegand_advance(self._w, now_ns, &out):
            return _frame(&out)
        return None

    def reset(self):
        self._ready()
        ax_wiegand_reset(self._w)

    @property
    def deadline_ns(self):
        self._ready()
        return ax_wiegand_deadline(self._w)

    @property
    def ignored(self):
        self._ready()
        return ax_wiegand_ignored(self._w)


cdef size_t _edge_count(const Py_buffer *view) except? 0:
    """Check the form of an edge buffer: whole records, aligned."""
    if <size_t>view.len % sizeof(ax_edge):
        raise FormatError(f"an edge buffer holds whole records of {sizeof(ax_edge)} bytes, not {view.len} bytes")
    if <size_t>view.buf % sizeof(uint64_t):
        raise FormatError("the edge buffer is not aligned to 8 bytes")
    return <size_t>view.len // sizeof(ax_edge)
