cimport cython
from libc.stdint cimport uint32_t

from .c_pipeline cimport ax_leg, ax_pipeline, ax_room


@cython.final
cdef class Leg:
    cdef ax_leg *_l
    cdef object _offering, _taking
    cdef bytearray _payload
    cdef public bint seated, carried
    cdef readonly uint32_t rate, codec_rate, clock, most, ticks


@cython.final
cdef class Room:
    cdef ax_room *_r
    cdef readonly uint32_t rate, frame


@cython.final
cdef class Pipeline:
    cdef ax_pipeline *_p
    cdef object _lock
    cdef dict _held  # (verb, index): [(serial, object)], oldest first
    cdef bint _busy
    cdef public bint running
    cdef readonly uint32_t rate, frame, near_latency, far_latency
    cdef object _put(self, uint32_t verb, uint32_t index, object held, float gain, bint conference, bint mute,
                     uint32_t repeat, uint32_t to)
    cdef int _release(self) except -1
