from .c_ns cimport ax_ns


cdef class NsCore:
    cdef ax_ns *_n
    cdef readonly int rate
    cdef readonly int frame
    cdef readonly int latency
