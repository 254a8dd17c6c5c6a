# Siren tones (cext/siren) into any writable buffer; see siren.pyi.
# Units: mHz, us, samples. Threads: a Generator never changes (but for set_level) and may be used by several; the GIL is
# released for 2,048 samples and more. Allocation: one block per Generator, none in render.
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport INT32_MAX, int16_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from axcore.errors import ArgumentError, RangeError

from .c_siren cimport (
    AX_SIREN_ENDLESS, AX_SIREN_INTENSITIES, AX_SIREN_INTENSITY_DB, AX_SIREN_MAX_POS, AX_SIREN_PARTIALS,
    AX_SIREN_SEGMENTS, AX_SIREN_SETS, AX_SIREN_VOICES, ax_siren, ax_siren_clip, ax_siren_cycle, ax_siren_free,
    ax_siren_level_name, ax_siren_levels, ax_siren_new, ax_siren_play, ax_siren_program, ax_siren_render,
    ax_siren_render_float, ax_siren_segment, ax_siren_set_level, ax_siren_voice,
)
from .err cimport ax_check

VOICES = AX_SIREN_VOICES
SEGMENTS = AX_SIREN_SEGMENTS
SETS = AX_SIREN_SETS
PARTIALS = AX_SIREN_PARTIALS
INTENSITIES = AX_SIREN_INTENSITIES
INTENSITY_DB = AX_SIREN_INTENSITY_DB
MAX_POS = AX_SIREN_MAX_POS
LEVELS = tuple(ax_siren_level_name(level).decode() for level in range(ax_siren_levels()))

cdef Py_ssize_t LONG = 2048  # samples; from here on others may run meanwhile


cdef int _fill(ax_siren_segment *out, object values) except -1:
    (out.duration_us, out.start_mhz, out.end_mhz, out.attack_us, out.release_us, out.peak, out.law, out.wave, out.set,
     out.release) = values
    return 0


cdef object _kind(Py_buffer *view):
    """'h' or 'f', from the format of a buffer; bytes count as 16-bit samples."""
    cdef str text = view.format.decode() if view.format != NULL else "B"
    text = text.lstrip("@=<")
    if text in ("B", "b", "c") and view.len % 2 == 0:
        return "h"
    return text if text in ("h", "f") else None


cdef class Clip:
    def __cinit__(self, samples, start=0, float gain=1.0, bint repeat=False):
        if not 0 <= start <= MAX_POS:
            raise RangeError("a clip starts at a position from 0 to 2^62")
        PyObject_GetBuffer(samples, &self._view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
        self._held = True
        if _kind(&self._view) != "h" or self._view.len == 0 or self._view.len > 2 * <Py_ssize_t>INT32_MAX:
            raise ArgumentError("a clip is a buffer of 16-bit samples, not empty")
        if not 0 <= gain <= 16:
            raise RangeError("the gain of a clip is 0 to 16")
        self._clip.samples = <const int16_t *>self._view.buf
        self._clip.n = <uint32_t>(self._view.len // 2)
        self._clip.start = start
        self._clip.gain = gain
        self._clip.repeat = repeat

    def __dealloc__(self):
        if self._held:
            PyBuffer_Release(&self._view)

    def __len__(self):
        return self._clip.n

    @property
    def start(self):
        return self._clip.start


cdef class Generator:
    def __cinit__(self, voices, sets, uint32_t rate):
        cdef ax_siren_segment segments[4][256]
        cdef ax_siren_voice heads[4]
        cdef float amplitudes[8][32]
        cdef ax_siren_program program
        if len(voices) > AX_SIREN_VOICES or len(sets) > AX_SIREN_SETS:
            raise RangeError("a sound has at most 4 voices and 8 sets of partials")
        memset(amplitudes, 0, sizeof(amplitudes))
        for i, voice in enumerate(voices):
            if len(voice) > AX_SIREN_SEGMENTS:
                raise RangeError("a voice has at most 256 segments")
            for j, values in enumerate(voice):
                _fill(&segments[<int>i][<int>j], values)
            heads[<int>i].segments = segments[<int>i]
            heads[<int>i].n = <uint32_t>len(voice)
        for i, values in enumerate(sets):
            if len(values) > AX_SIREN_PARTIALS:
                raise RangeError("a set has at most 32 partials")
            for j, amplitude in enumerate(values):
                amplitudes[<int>i][<int>j] = amplitude
        program.voices = heads
        program.nvoices = <uint32_t>len(voices)
        program.sets = &amplitudes[0][0]
        program.nsets = <uint32_t>len(sets)
        ax_check(ax_siren_new(&self._tone, &program, rate))

    def __dealloc__(self):
        ax_siren_free(self._tone)

    @property
    def cycle(self):
        return ax_siren_cycle(self._tone)

    def set_level(self, int level):
        ax_check(ax_siren_set_level(self._tone, level))

    def render(self, pos, out, int intensity=5, end=None, bint dither=False, Clip clip=None):
        cdef Py_buffer view
        cdef ax_siren_play play
        cdef uint64_t start
        if not 0 <= pos <= MAX_POS or not 0 <= intensity <= AX_SIREN_INTENSITIES:
            raise RangeError("a position is 0 to 2^62, an intensity 0 to 5")
        start = pos
        play.end = AX_SIREN_ENDLESS if end is None else end
        play.intensity = <uint8_t>intensity
        play.dither = dither
        play.clip = NULL if clip is None else &clip._clip
        PyObject_GetBuffer(out, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        try:
            kind = _kind(&view)
            if kind is None:
                raise ArgumentError("samples go into a buffer of int16 ('h'), float32 ('f') or an even number of bytes")
            return _render(self._tone, &play, start, &view, kind == "f")
        finally:
            PyBuffer_Release(&view)


cdef int _render(const ax_siren *tone, const ax_siren_play *play, uint64_t pos, Py_buffer *view, bint fine) except -1:
    cdef size_t n = <size_t>view.len // (4 if fine else 2)
    cdef int rc
    if n < <size_t>LONG:
        if fine:
            return ax_check(ax_siren_render_float(tone, play, pos, <float *>view.buf, n))
        return ax_check(ax_siren_render(tone, play, pos, <int16_t *>view.buf, n))
    with nogil:
        if fine:
            rc = ax_siren_render_float(tone, play, pos, <float *>view.buf, n)
        else:
            rc = ax_siren_render(tone, play, pos, <int16_t *>view.buf, n)
    return ax_check(rc)
