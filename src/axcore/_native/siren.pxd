from .c_siren cimport ax_siren, ax_siren_clip


cdef class Clip:
    cdef Py_buffer _view
    cdef ax_siren_clip _clip
    cdef bint _held


cdef class Generator:
    cdef ax_siren *_tone
