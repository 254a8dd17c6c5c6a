# The rule matcher (cext/rules/ax_rules.c) over ids; what the ids mean is axcore.rules' business. See rules.pyi.
# Units: ns, monotonic. Threads: one core belongs to one thread; batches of more than NOGIL_EVENTS release the GIL and
# refuse a second entry (StateError). Allocation: a list and a tuple per action; `feed_into` makes none.
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from axcore.errors import FormatError, StateError

from .c_rules cimport (
    AX_RULES_DELETE, AX_RULES_EARLY, AX_RULES_EDGE, AX_RULES_FIRE, AX_RULES_INIT, AX_RULES_INVERT, AX_RULES_MAX,
    AX_RULES_MAX_CONDITIONS, AX_RULES_MAX_EVENTS, AX_RULES_MAX_TESTS, AX_RULES_NEVER, AX_RULES_NONE, AX_RULES_PULSE,
    AX_RULES_ROOM, AX_RULES_SET, AX_RULES_START, AX_RULES_STOP, AX_RULES_TIMER, AX_RULES_WHILE, ax_rules,
    ax_rules_action, ax_rules_add_instance, ax_rules_advance, ax_rules_bind, ax_rules_condition, ax_rules_deadline,
    ax_rules_disable, ax_rules_enable, ax_rules_feed, ax_rules_free, ax_rules_get_run, ax_rules_input,
    ax_rules_level_name, ax_rules_levels, ax_rules_new, ax_rules_now, ax_rules_restore, ax_rules_rule, ax_rules_run,
    ax_rules_set_level, ax_rules_set_run, ax_rules_size, ax_rules_snapshot, ax_rules_spec, ax_rules_state_size,
    ax_rules_test_state, ax_rules_value,
)
from .err cimport ax_check

MAX_RULES = AX_RULES_MAX
MAX_CONDITIONS = AX_RULES_MAX_CONDITIONS
MAX_TESTS = AX_RULES_MAX_TESTS
MAX_EVENTS = AX_RULES_MAX_EVENTS
ROOM = AX_RULES_ROOM
NEVER = AX_RULES_NEVER
TIMER = AX_RULES_TIMER
INVERT, EDGE, WHILE, EARLY = AX_RULES_INVERT, AX_RULES_EDGE, AX_RULES_WHILE, AX_RULES_EARLY
PULSE, SET, INIT, DELETE = AX_RULES_PULSE, AX_RULES_SET, AX_RULES_INIT, AX_RULES_DELETE
FIRE, START, STOP = AX_RULES_FIRE, AX_RULES_START, AX_RULES_STOP
INPUT_SIZE = sizeof(ax_rules_input)
ACTION_SIZE = sizeof(ax_rules_action)
Action = tuple[int, int, int, bool]
LEVELS = tuple(ax_rules_level_name(level).decode() for level in range(ax_rules_levels()))

cdef enum:
    NOGIL_EVENTS = 256
    ACTIONS = 512

cdef tuple _NOTHING = ()


cdef class State:
    cdef RuleCore _owner
    cdef bytes _bytes

    def __init__(self):
        raise TypeError("a state is what RuleCore.snapshot gives")

    def __eq__(self, other):
        if not isinstance(other, State):
            return NotImplemented
        return self._owner is (<State>other)._owner and self._bytes == (<State>other)._bytes

    def __hash__(self):
        return hash(self._bytes)


cdef class RuleCore:
    cdef ax_rules *_m
    cdef bint _busy
    cdef ax_rules_action *_out

    def __cinit__(self, *args, **kwargs):
        self._m = NULL
        self._busy = False
        self._out = <ax_rules_action *>malloc(ACTIONS * sizeof(ax_rules_action))
        if self._out is NULL:
            raise MemoryError

    def __init__(self, rules, conditions, uint32_t tests, uint32_t max_instances, uint32_t max_events,
                 uint32_t max_links, uint32_t max_masks=0):
        cdef Py_buffer r
        cdef Py_buffer c
        cdef ax_rules_spec spec
        if self._m is not NULL:
            raise StateError("a core is compiled once")
        PyObject_GetBuffer(rules, &r, PyBUF_SIMPLE)
        try:
            PyObject_GetBuffer(conditions, &c, PyBUF_SIMPLE)
            try:
                spec.rules = <const ax_rules_rule *>r.buf
                spec.nrules = _count(&r, sizeof(ax_rules_rule), 8)
                spec.conditions = <const ax_rules_condition *>c.buf
                spec.nconditions = _count(&c, sizeof(ax_rules_condition), 2)
                spec.ntests = tests
                spec.max_instances = max_instances
                spec.max_events = max_events
                spec.max_links = max_links
                spec.max_masks = max_masks
                ax_check(ax_rules_new(&self._m, &spec))
            finally:
                PyBuffer_Release(&c)
        finally:
            PyBuffer_Release(&r)

    def __dealloc__(self):
        ax_rules_free(self._m)
        free(self._out)

    cdef inline int _ready(self) except -1:
        if self._m is NULL or self._busy:
            raise StateError("the matcher is in use by another thread or was never initialised")
        return 0

    cdef _give(self, int n):
        cdef int i
        if n == 0:
            return _NOTHING
        return [(self._out[i].rule, self._out[i].what, self._out[i].t_ns, self._out[i].cause == AX_RULES_TIMER)
                for i in range(ax_check(n))]

    def feed(self, uint32_t event, uint64_t t_ns, uint32_t flags=0):
        cdef ax_rules_input given
        cdef int n
        given.t_ns = t_ns
        given.event = event
        given.flags = flags
        if self._m is NULL or self._busy:
            self._ready()
        n = ax_rules_feed(self._m, &given, 1, self._out, ACTIONS, NULL)
        if n == 0:
            return _NOTHING
        return self._give(n)

    def feed_into(self, events, out):
        cdef Py_buffer source
        cdef Py_buffer target
        cdef size_t used = 0
        cdef size_t n
        cdef int count
        self._ready()
        PyObject_GetBuffer(events, &source, PyBUF_SIMPLE)
        try:
            PyObject_GetBuffer(out, &target, PyBUF_WRITABLE)
            try:
                n = _count(&source, sizeof(ax_rules_input), 8)
                if <size_t>target.buf % sizeof(uint64_t):
                    raise FormatError("the action buffer is not aligned to 8 bytes")
                count = self._feed_many(<const ax_rules_input *>source.buf, n, <ax_rules_action *>target.buf,
                                        <size_t>target.len // sizeof(ax_rules_action), &used)
            finally:
                PyBuffer_Release(&target)
        finally:
            PyBuffer_Release(&source)
        return count, used

    cdef int _feed_many(self, const ax_rules_input *given, size_t n, ax_rules_action *out, size_t cap,
                        size_t *used) except -1:
        cdef int rc
        if n < NOGIL_EVENTS:
            return ax_check(ax_rules_feed(self._m, given, n, out, cap, used))
        self._busy = True
        with nogil:
            rc = ax_rules_feed(self._m, given, n, out, cap, used)
        self._busy = False
        return ax_check(rc)

    def advance(self, uint64_t now_ns):
        self._ready()
        return self._give(ax_rules_advance(self._m, now_ns, self._out))

    def enable(self, uint32_t rule, uint64_t now_ns):
        self._ready()
        return self._give(ax_check(ax_rules_enable(self._m, rule, now_ns, self._out)))

    def disable(self, uint32_t rule, uint64_t now_ns):
        self._ready()
        return self._give(ax_check(ax_rules_disable(self._m, rule, now_ns, self._out)))

    def add_instance(self, tests):
        cdef Py_buffer view
        self._ready()
        PyObject_GetBuffer(tests, &view, PyBUF_SIMPLE)
        try:
            return ax_check(ax_rules_add_instance(self._m, <const uint16_t *>view.buf, _count(&view, 2, 2)))
        finally:
            PyBuffer_Release(&view)

    def bind(self, uint32_t event, int kind, uint32_t instance, tests):
        cdef Py_buffer view
        self._ready()
        PyObject_GetBuffer(tests, &view, PyBUF_SIMPLE)
        try:
            ax_check(ax_rules_bind(self._m, event, kind, instance, <const uint16_t *>view.buf, _count(&view, 2, 2)))
        finally:
            PyBuffer_Release(&view)

    def value(self, uint32_t instance):
        cdef uint32_t event
        self._ready()
        event = ax_rules_value(self._m, instance)
        return None if event == AX_RULES_NONE else event

    def test_state(self, uint32_t test):
        cdef uint32_t known = 0
        cdef uint32_t holds = 0
        self._ready()
        ax_check(ax_rules_test_state(self._m, test, &known, &holds))
        return known, holds

    def run_state(self, uint32_t rule):
        cdef ax_rules_run run
        self._ready()
        ax_check(ax_rules_get_run(self._m, rule, &run))
        return (bool(run.enabled), bool(run.active), bool(run.met), _time(run.last_ns), _time(run.due_ns))

    def set_run_state(self, uint32_t rule, bint enabled, bint active, last_ns, due_ns):
        cdef ax_rules_run run
        self._ready()
        run.enabled = enabled
        run.active = active
        run.met = 0
        run.last_ns = AX_RULES_NEVER if last_ns is None else last_ns
        run.due_ns = AX_RULES_NEVER if due_ns is None else due_ns
        ax_check(ax_rules_set_run(self._m, rule, &run))

    def snapshot(self):
        cdef State state = State.__new__(State)
        cdef size_t size
        self._ready()
        size = ax_rules_state_size(self._m)
        state._owner = self
        state._bytes = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size)
        ax_check(ax_rules_snapshot(self._m, PyBytes_AS_STRING(state._bytes), size))
        return state

    def restore(self, State state not None):
        self._ready()
        if state._owner is not self:
            raise StateError("the state belongs to another matcher")
        ax_check(ax_rules_restore(self._m, <const char *>state._bytes, len(state._bytes)))

    @property
    def deadline_ns(self):
        self._ready()
        return ax_rules_deadline(self._m)

    @property
    def now_ns(self):
        self._ready()
        return ax_rules_now(self._m)

    @property
    def size(self):
        self._ready()
        return ax_rules_size(self._m)

    def set_level(self, int level):
        self._ready()
        ax_check(ax_rules_set_level(self._m, level))


cdef inline _time(uint64_t t_ns):
    return None if t_ns == AX_RULES_NEVER else t_ns


cdef size_t _count(const Py_buffer *view, size_t item, size_t alignment) except? 0:
    """Check the form of a buffer of records: whole ones, aligned."""
    if <size_t>view.len % item:
        raise FormatError(f"the buffer holds whole records of {item} bytes, not {view.len} bytes")
    if <size_t>view.buf % alignment:
        raise FormatError(f"the buffer is not aligned to {alignment} bytes")
    return <size_t>view.len // item
