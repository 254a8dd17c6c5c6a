from libc.stdint cimport uint32_t

from .c_dtmf cimport ax_tone


cdef class Tone:
    cdef ax_tone *_t
    cdef readonly uint32_t rate
