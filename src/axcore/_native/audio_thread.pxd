cimport cython
from libc.stdint cimport uint32_t

from .c_audio_thread cimport ax_audio_thread, ax_card
from .pipeline cimport Pipeline, Room


@cython.final
@cython.no_gc
cdef class Card:
    cdef ax_card *_c
    cdef Room _room
    cdef bint _used
    cdef readonly uint32_t rate, frame
    cdef int _ready(self) except -1


@cython.final
@cython.no_gc
cdef class AudioThread:
    cdef ax_audio_thread *_t
    cdef Pipeline _pipeline
    cdef Card _card
    cdef bint _started
    cdef bint carries  # somebody's packets
