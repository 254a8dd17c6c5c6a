# The two ends of an OSDP line (cext/osdp) as sans-I/O objects, and the thread that runs them on lines; see osdp_line.pyi.
# Units: ns on one monotonic clock, bytes. Threads: an object belongs to one thread until it is attached to a line, then to
# any; calls hold the GIL (about a microsecond). The thread of the lines never takes it, and so a call may wait for its lock.
# Allocation: the bytes to send, and one Event per event.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from axcore.errors import ArgumentError, StateError

from .c_osdp cimport ax_osdp_getrandom
from .c_osdp_line cimport (
    AX_OSDP_EV_DONE, AX_OSDP_EV_FAILED, AX_OSDP_READERS, ax_osdp_cp, ax_osdp_cp_advance, ax_osdp_cp_close,
    ax_osdp_cp_command, ax_osdp_cp_config, ax_osdp_cp_deadline, ax_osdp_cp_defaults, ax_osdp_cp_event, ax_osdp_cp_feed,
    ax_osdp_cp_file, ax_osdp_cp_file_stop, ax_osdp_cp_free, ax_osdp_cp_get_stats, ax_osdp_cp_install, ax_osdp_cp_keyset,
    ax_osdp_cp_link, ax_osdp_cp_new, ax_osdp_cp_open, ax_osdp_cp_set_baud, ax_osdp_cp_set_key, ax_osdp_event,
    ax_osdp_pd, ax_osdp_pd_address, ax_osdp_pd_advance, ax_osdp_pd_answer, ax_osdp_pd_config, ax_osdp_pd_deadline,
    ax_osdp_pd_defaults, ax_osdp_pd_event, ax_osdp_pd_feed, ax_osdp_pd_free, ax_osdp_pd_get_stats, ax_osdp_pd_install,
    ax_osdp_pd_link, ax_osdp_pd_new, ax_osdp_pd_post, ax_osdp_pd_reset, ax_osdp_pd_set_key, ax_osdp_pd_set_policy,
    ax_osdp_pd_stats, ax_osdp_pd_store, ax_osdp_reader_config, ax_osdp_reader_stats,
)
from .c_osdp_thread cimport (
    ax_osdp_line, ax_osdp_line_close, ax_osdp_line_enter, ax_osdp_line_leave, ax_osdp_line_set_fd, ax_osdp_line_up,
    ax_osdp_thread, ax_osdp_line_open, ax_osdp_thread_count, ax_osdp_thread_counters, ax_osdp_thread_event_fd,
    ax_osdp_thread_free, ax_osdp_thread_new, ax_osdp_thread_start, ax_osdp_thread_stop,
)
from .err cimport ax_check

NEVER = 2**64 - 1
READERS = AX_OSDP_READERS

cdef enum:
    CAP = 1504
    EVENT = 8192


# Nonces of a test, given as bytes; when they are used up, no handshake starts.
cdef struct pool:
    const uint8_t *bytes
    size_t left


cdef int _from_pool(void *context, uint8_t *out, size_t n) noexcept nogil:
    cdef pool *given = <pool *>context
    if given.left < n:
        return -1
    memcpy(out, given.bytes, n)
    given.bytes += n
    given.left -= n
    return 0


cdef const uint8_t *_sized(bytes value, Py_ssize_t size, str name) except NULL:
    if PyBytes_GET_SIZE(value) != size:
        raise ArgumentError(f"{name} has {size} bytes, not {len(value)}")
    return <const uint8_t *>PyBytes_AS_STRING(value)


cdef inline const uint8_t *_bytes(bytes value) noexcept:
    return <const uint8_t *>PyBytes_AS_STRING(value)


# The end of what began with ax_osdp_line_enter. In between nothing may raise: arguments are converted before.
cdef int _leave(ax_osdp_line *line, int rc, bint changed) except? -1:
    ax_osdp_line_leave(line, changed)
    return ax_check(rc)


cdef int _alone(ax_osdp_line *line) except -1:
    if line != NULL:
        raise StateError("it is attached to a line, whose thread steps it")
    return 0


cdef class Event:
    cdef readonly object t_ns, token, a, b
    cdef readonly int kind, reader, code, link
    cdef readonly bytes data

    def __repr__(self):
        return (f"Event(kind={self.kind}, reader={self.reader}, code={self.code:#04x}, a={self.a}, b={self.b}, "
                f"link={self.link}, token={self.token}, {len(self.data)} bytes)")


cdef Event _event(const ax_osdp_event *e, const uint8_t *data):
    cdef Event event = Event.__new__(Event)
    event.t_ns = e.t_ns
    event.token = e.token
    event.a = e.a
    event.b = e.b
    event.kind = e.kind
    event.reader = e.reader
    event.code = e.code
    event.link = e.link
    event.data = PyBytes_FromStringAndSize(<const char *>data, e.size)
    return event


cdef class PeripheralDevice:
    cdef ax_osdp_pd *_pd
    cdef ax_osdp_line *_line
    cdef pool _pool
    cdef bytes _nonces
    cdef uint8_t _out[CAP]

    def __cinit__(self, int address=0, *, bytes key=None, bint secure=False, bytes cuid=bytes(8),
                  uint64_t answer_ns=100_000_000, uint64_t offline_ns=8_000_000_000, bytes nonces=None):
        cdef ax_osdp_pd_config config
        ax_osdp_pd_defaults(&config)
        if not 0 <= address < 127:
            raise ArgumentError("an address is 0 to 126")
        config.address = <uint8_t>address
        config.secure = secure
        config.has_key = key is not None
        if key is not None:
            memcpy(config.key, _sized(key, 16, "key"), 16)
        memcpy(config.cuid, _sized(cuid, 8, "cuid"), 8)
        config.answer_ns = answer_ns
        config.offline_ns = offline_ns
        if nonces is not None:
            self._nonces = nonces
            self._pool = pool(_bytes(nonces), <size_t>len(nonces))
            config.random = _from_pool
            config.random_context = &self._pool
        ax_check(ax_osdp_pd_new(&self._pd, &config))

    def __dealloc__(self):
        ax_osdp_line_close(self._line)
        ax_osdp_pd_free(self._pd)

    def step(self, bytes data not None, uint64_t t_ns):
        cdef int n
        _alone(self._line)
        ax_osdp_pd_feed(self._pd, t_ns, _bytes(data), <size_t>PyBytes_GET_SIZE(data))
        n = ax_osdp_pd_advance(self._pd, t_ns, self._out, CAP)
        return PyBytes_FromStringAndSize(<const char *>self._out, n) if n else b""

    def feed(self, bytes data not None, uint64_t t_ns):
        _alone(self._line)
        ax_osdp_pd_feed(self._pd, t_ns, _bytes(data), <size_t>PyBytes_GET_SIZE(data))

    def advance(self, uint64_t t_ns):
        cdef int n
        _alone(self._line)
        n = ax_osdp_pd_advance(self._pd, t_ns, self._out, CAP)
        return PyBytes_FromStringAndSize(<const char *>self._out, n) if n else b""

    @property
    def deadline_ns(self):
        ax_osdp_line_enter(self._line)
        cdef uint64_t due = ax_osdp_pd_deadline(self._pd)
        ax_osdp_line_leave(self._line, False)
        return due

    def events(self):
        cdef ax_osdp_event event
        cdef uint8_t data[EVENT]
        found = []
        while self._event(&event, data):
            found.append(_event(&event, data))
        return found

    cdef bint _event(self, ax_osdp_event *event, uint8_t *data) noexcept:
        ax_osdp_line_enter(self._line)
        cdef bint one = ax_osdp_pd_event(self._pd, event, data, EVENT) > 0
        ax_osdp_line_leave(self._line, False)
        return one

    def store(self, int reply, bytes data not None):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_pd_store(self._pd, <uint8_t>reply, _bytes(data), <size_t>len(data)), True)

    def set_policy(self, int command, int policy):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_pd_set_policy(self._pd, <uint8_t>command, policy), True)

    def answer(self, int reply, bytes data not None=b""):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_pd_answer(self._pd, <uint8_t>reply, _bytes(data), <size_t>len(data)), True)

    def post(self, int reply, bytes data not None=b""):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_pd_post(self._pd, <uint8_t>reply, _bytes(data), <size_t>len(data)), True)

    def set_key(self, bytes key not None, uint64_t t_ns):
        cdef const uint8_t *given = _sized(key, 16, "key")
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_pd_set_key(self._pd, t_ns, given), True)

    def install(self, uint64_t t_ns, uint64_t duration_ns):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_pd_install(self._pd, t_ns, duration_ns), True)

    def reset(self):
        ax_osdp_line_enter(self._line)
        ax_osdp_pd_reset(self._pd)
        ax_osdp_line_leave(self._line, True)

    @property
    def link(self):
        ax_osdp_line_enter(self._line)
        return _leave(self._line, ax_osdp_pd_link(self._pd), False)

    @property
    def address(self):
        ax_osdp_line_enter(self._line)
        return _leave(self._line, ax_osdp_pd_address(self._pd), False)

    @property
    def stats(self):
        cdef ax_osdp_pd_stats stats
        ax_osdp_line_enter(self._line)
        ax_osdp_pd_get_stats(self._pd, &stats)
        ax_osdp_line_leave(self._line, False)
        return stats


cdef class ControlPanel:
    cdef ax_osdp_cp *_cp
    cdef ax_osdp_line *_line
    cdef pool _pool
    cdef bytes _nonces
    cdef dict _files
    cdef uint8_t _out[CAP]

    def __cinit__(self, *, uint32_t baud=9600, uint64_t reply_ns=200_000_000, uint64_t offline_ns=8_000_000_000,
                  bytes nonces=None):
        cdef ax_osdp_cp_config config
        ax_osdp_cp_defaults(&config)
        config.baud = baud
        config.reply_ns = reply_ns
        config.offline_ns = offline_ns
        self._files = {}
        if nonces is not None:
            self._nonces = nonces
            self._pool = pool(_bytes(nonces), <size_t>len(nonces))
            config.random = _from_pool
            config.random_context = &self._pool
        ax_check(ax_osdp_cp_new(&self._cp, &config))

    def __dealloc__(self):
        ax_osdp_line_close(self._line)
        ax_osdp_cp_free(self._cp)

    def open(self, int address, *, bytes key=None, bint secure=False, bint checksum=False, uint64_t poll_ns=0):
        cdef ax_osdp_reader_config config
        if not 0 <= address <= 127:
            raise ArgumentError("an address is 0 to 126, or 127 to configure")
        config.address = <uint8_t>address
        config.checksum = checksum
        config.secure = secure
        config.has_key = key is not None
        if key is not None:
            memcpy(config.key, _sized(key, 16, "key"), 16)
        config.poll_ns = poll_ns
        ax_osdp_line_enter(self._line)
        return _leave(self._line, ax_osdp_cp_open(self._cp, &config), True)

    def close(self, int reader):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_close(self._cp, reader), True)
        self._files.pop(reader, None)

    def step(self, bytes data not None, uint64_t t_ns):
        cdef int n
        _alone(self._line)
        if PyBytes_GET_SIZE(data):
            ax_osdp_cp_feed(self._cp, t_ns, _bytes(data), <size_t>PyBytes_GET_SIZE(data))
        n = ax_osdp_cp_advance(self._cp, t_ns, self._out, CAP)
        return PyBytes_FromStringAndSize(<const char *>self._out, n) if n else b""

    def feed(self, bytes data not None, uint64_t t_ns):
        _alone(self._line)
        ax_osdp_cp_feed(self._cp, t_ns, _bytes(data), <size_t>PyBytes_GET_SIZE(data))

    def advance(self, uint64_t t_ns):
        cdef int n
        _alone(self._line)
        n = ax_osdp_cp_advance(self._cp, t_ns, self._out, CAP)
        return PyBytes_FromStringAndSize(<const char *>self._out, n) if n else b""

    @property
    def deadline_ns(self):
        ax_osdp_line_enter(self._line)
        cdef uint64_t due = ax_osdp_cp_deadline(self._cp)
        ax_osdp_line_leave(self._line, False)
        return due

    def events(self):
        cdef ax_osdp_event event
        cdef uint8_t data[EVENT]
        found = []
        while self._event(&event, data):
            found.append(_event(&event, data))
            if event.code == 0x7C and (event.kind == AX_OSDP_EV_DONE or event.kind == AX_OSDP_EV_FAILED):
                self._files.pop(event.reader, None)
        return found

    cdef bint _event(self, ax_osdp_event *event, uint8_t *data) noexcept:
        ax_osdp_line_enter(self._line)
        cdef bint one = ax_osdp_cp_event(self._cp, event, data, EVENT) > 0
        ax_osdp_line_leave(self._line, False)
        return one

    def command(self, int reader, int code, bytes data not None=b"", uint32_t token=0):
        if not 0 <= code <= 255:
            raise ArgumentError("a command code is a byte")
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_command(self._cp, reader, <uint8_t>code, _bytes(data),
                                              <size_t>PyBytes_GET_SIZE(data), token), True)

    def keyset(self, int reader, bytes key not None, uint32_t token):
        cdef const uint8_t *given = _sized(key, 16, "key")
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_keyset(self._cp, reader, given, token), True)

    def install(self, int reader, uint64_t t_ns, uint64_t duration_ns, bytes key=None):
        cdef const uint8_t *given = NULL if key is None else _sized(key, 16, "key")
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_install(self._cp, reader, t_ns, duration_ns, given), True)

    def set_key(self, int reader, bytes key not None):
        cdef const uint8_t *given = _sized(key, 16, "key")
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_set_key(self._cp, reader, given), True)

    def file(self, int reader, bytes data not None, int type=1, uint32_t offset=0, uint32_t token=0):
        if reader in self._files:
            raise StateError("a file is being transferred, or its end was not read from events()")
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_file(self._cp, reader, <uint8_t>type, _bytes(data), <uint32_t>len(data), offset,
                                           token), True)
        self._files[reader] = data

    def file_stop(self, int reader):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_file_stop(self._cp, reader), True)

    def link(self, int reader):
        ax_osdp_line_enter(self._line)
        return _leave(self._line, ax_osdp_cp_link(self._cp, reader), False)

    def stats(self, int reader):
        cdef ax_osdp_reader_stats stats
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_get_stats(self._cp, reader, &stats), False)
        return stats

    def set_baud(self, uint32_t baud):
        ax_osdp_line_enter(self._line)
        _leave(self._line, ax_osdp_cp_set_baud(self._cp, baud), True)


# The thread of the lines. An attached end detaches itself when it is dropped; the C side lives until the last one has.
cdef class LineThread:
    cdef ax_osdp_thread *_t

    def __cinit__(self, *, int event_fd=-1, uint32_t fifo_priority=0):
        ax_check(ax_osdp_thread_new(&self._t, event_fd, fifo_priority))

    def __dealloc__(self):
        with nogil:
            ax_osdp_thread_free(self._t)

    @property
    def event_fd(self):
        return ax_osdp_thread_event_fd(self._t)

    @property
    def counters(self):
        cdef ax_osdp_thread_counters counters
        ax_osdp_thread_count(self._t, &counters)
        return counters

    def start(self):
        ax_check(ax_osdp_thread_start(self._t))

    def stop(self):
        with nogil:
            ax_osdp_thread_stop(self._t)

    def attach(self, end, int fd=-1):
        cdef ax_osdp_line **line = _line(end)
        if line[0] != NULL:
            raise StateError("it is attached already")
        if isinstance(end, ControlPanel):
            ax_check(ax_osdp_line_open(self._t, (<ControlPanel>end)._cp, NULL, fd, line))
        else:
            ax_check(ax_osdp_line_open(self._t, NULL, (<PeripheralDevice>end)._pd, fd, line))


cdef ax_osdp_line **_line(end) except NULL:
    if isinstance(end, ControlPanel):
        return &(<ControlPanel>end)._line
    if isinstance(end, PeripheralDevice):
        return &(<PeripheralDevice>end)._line
    raise ArgumentError("neither a ControlPanel nor a PeripheralDevice")


def detach(end):
    cdef ax_osdp_line **line = _line(end)
    ax_osdp_line_close(line[0])
    line[0] = NULL


def set_fd(end, int fd):
    cdef ax_osdp_line **line = _line(end)
    if line[0] == NULL:
        raise StateError("it is attached to no line")
    ax_osdp_line_set_fd(line[0], fd)


def line_up(end):
    cdef ax_osdp_line **line = _line(end)
    return line[0] != NULL and ax_osdp_line_up(line[0])
