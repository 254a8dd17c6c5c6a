from .c_siren cimport ax_siren


cdef class Generator:
    cdef ax_siren *_tone
