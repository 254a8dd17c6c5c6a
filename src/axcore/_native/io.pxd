cimport cython
from libc.stdint cimport uint32_t, uint64_t

from .c_io cimport ax_io_config, ax_io_event, ax_io_input_config, ax_io_output_config, ax_io_step
from .c_wiegand cimport ax_edge


@cython.final
cdef class IoEvent:
    cdef readonly uint32_t kind
    cdef readonly uint64_t t_ns
    cdef readonly uint32_t index
    cdef readonly uint32_t value
    cdef readonly uint32_t reason
    cdef readonly uint64_t token
    cdef readonly uint32_t result
    cdef readonly uint32_t nbits
    cdef readonly uint32_t glitches
    cdef readonly uint64_t t_first_ns
    cdef readonly uint64_t t_last_ns
    cdef uint64_t words[4]


cdef IoEvent _event(const ax_io_event *e)
cdef int _input(ax_io_input_config *out, config) except -1
cdef int _output(ax_io_output_config *out, config) except -1
cdef int _config(ax_io_config *out, inputs, outputs, readers) except -1
cdef size_t _steps(ax_io_step *out, steps) except 0
cdef char _key(key) except 0
cdef const ax_edge *_edges(Py_buffer *view, edges, size_t *n) except? NULL
