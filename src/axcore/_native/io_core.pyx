# The I/O core without a thread: time is an argument (cext/include/ax/io.h). For tests and for whoever has a loop of his own.
# Units: ns on any clock that does not run backwards. GIL: held. Memory: what the core did is kept until take().
cimport cython
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport uint32_t, uint64_t

from .c_io cimport (
    ax_io, ax_io_advance, ax_io_config, ax_io_configure_input, ax_io_configure_output, ax_io_deadline, ax_io_edges,
    ax_io_event, ax_io_fault, ax_io_free, ax_io_hold, ax_io_input, ax_io_input_active, ax_io_input_config, ax_io_key,
    ax_io_new, ax_io_output_active, ax_io_output_config, ax_io_pulse, ax_io_rest, ax_io_sequence, ax_io_set,
    ax_io_sink, ax_io_step, c_bool,
)
from .c_wiegand cimport ax_edge
from .err cimport ax_check
from .io cimport _config, _edges, _event, _input, _key, _output, _steps


cdef uint64_t _core_write(void *context, uint32_t output, c_bool level, c_bool active, uint64_t t_ns) noexcept with gil:
    (<IoCore>context)._writes.append((output, <bint>level, <bint>active, t_ns))
    return t_ns


cdef void _core_event(void *context, const ax_io_event *event) noexcept with gil:
    (<IoCore>context)._events.append(_event(event))


@cython.final
cdef class IoCore:
    cdef ax_io *_io
    cdef list _writes, _events

    def __cinit__(self, inputs, outputs, readers=()):
        cdef ax_io_config config
        cdef ax_io_sink sink
        self._writes = []
        self._events = []
        _config(&config, inputs, outputs, readers)
        sink.context = <void *>self
        sink.write = _core_write
        sink.event = _core_event
        ax_check(ax_io_new(&self._io, &config, &sink))

    def __dealloc__(self):
        ax_io_free(self._io)

    def take(self):
        writes, events = self._writes, self._events
        self._writes, self._events = [], []
        return writes, events

    def input(self, uint64_t t_ns, uint32_t input, bint level, uint64_t token=0):
        ax_check(ax_io_input(self._io, t_ns, input, level, token))

    def edges(self, uint32_t reader, edges, uint64_t token=0):
        cdef Py_buffer view
        cdef size_t n = 0
        cdef const ax_edge *first = _edges(&view, edges, &n)
        cdef int err = ax_io_edges(self._io, reader, first, n, token)
        PyBuffer_Release(&view)
        ax_check(err)

    def key(self, uint64_t t_ns, uint32_t keypad, key, uint64_t token=0):
        ax_check(ax_io_key(self._io, t_ns, keypad, _key(key), token))

    def set(self, uint64_t t_ns, uint32_t output, bint active, uint64_t token=0):
        ax_check(ax_io_set(self._io, t_ns, output, active, token))

    def pulse(self, uint64_t t_ns, uint32_t output, bint active, uint64_t duration_ns, uint64_t token=0):
        ax_check(ax_io_pulse(self._io, t_ns, output, active, duration_ns, token))

    def hold(self, uint64_t t_ns, uint32_t output, bint on, bint active=True, uint64_t token=0):
        ax_check(ax_io_hold(self._io, t_ns, output, on, active, token))

    def sequence(self, uint64_t t_ns, uint32_t output, steps, uint64_t token=0):
        cdef ax_io_step c_steps[64]
        cdef size_t n = _steps(c_steps, steps)
        ax_check(ax_io_sequence(self._io, t_ns, output, c_steps, n, token))

    def fault(self, uint64_t t_ns, uint32_t output, uint64_t token=0):
        ax_check(ax_io_fault(self._io, t_ns, output, token))

    def configure_input(self, uint64_t t_ns, uint32_t index, config):
        cdef ax_io_input_config c_config
        _input(&c_config, config)
        ax_check(ax_io_configure_input(self._io, t_ns, index, &c_config))

    def configure_output(self, uint64_t t_ns, uint32_t index, config):
        cdef ax_io_output_config c_config
        _output(&c_config, config)
        ax_check(ax_io_configure_output(self._io, t_ns, index, &c_config))

    def rest(self, uint64_t t_ns):
        ax_check(ax_io_rest(self._io, t_ns))

    def advance(self, uint64_t now_ns):
        ax_check(ax_io_advance(self._io, now_ns))

    @property
    def deadline(self):
        return ax_io_deadline(self._io)

    def input_active(self, uint32_t index):
        return <bint>ax_io_input_active(self._io, index)

    def output_active(self, uint32_t index):
        return <bint>ax_io_output_active(self._io, index)
