# The light kernel (cext/led/): layouts, profiles, frames, codes, the player, the wires; see led.pyi.
# Units: ns, 16-bit linear light. Threads: a layout and a player belong to one thread; the GIL is kept, a frame takes a
# microsecond. Allocation: the objects and results; `frame`, `frame8`, `encode`, `mix` and `step` write into buffers.
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from array import array

from axcore.errors import ArgumentError, StateError

from .c_led cimport (
    AX_LED_AS_LISTED, AX_LED_CATALOGUE, AX_LED_FULL, AX_LED_MAX, AX_LED_MAX_COLOURS, AX_LED_MAX_SECTIONS, AX_LED_NEVER,
    AX_LED_PENDING, AX_LED_ROWS, AX_LED_WS2812_HZ, ax_led, ax_led_apa102, ax_led_apa102_size, ax_led_class,
    ax_led_command, ax_led_compile, ax_led_count, ax_led_curve, ax_led_curve_gamma, ax_led_encode, ax_led_frame,
    ax_led_flash, ax_led_flash_feed, ax_led_flash_free, ax_led_flash_look, ax_led_flash_new, ax_led_flash_report,
    ax_led_flash_result, ax_led_flash_run, ax_led_frame8, ax_led_free, ax_led_level_name, ax_led_levels, ax_led_mix, ax_led_new, ax_led_period_ns,
    ax_led_place, ax_led_player, ax_led_player_cancel, ax_led_player_free, ax_led_player_missed, ax_led_player_new,
    ax_led_player_next_ns, ax_led_player_put, ax_led_player_row, ax_led_player_step, ax_led_profile, ax_led_rgbw,
    ax_led_row, ax_led_row_get, ax_led_sections, ax_led_set_level, ax_led_spec, ax_led_ws2812, ax_led_ws2812_size,
)
from .err cimport ax_check

MAX = AX_LED_MAX
MAX_SECTIONS = AX_LED_MAX_SECTIONS
CATALOGUE = AX_LED_CATALOGUE
FULL = AX_LED_FULL
AS_LISTED = AX_LED_AS_LISTED
NEVER = AX_LED_NEVER
PENDING = AX_LED_PENDING
WS2812_HZ = AX_LED_WS2812_HZ
LEVELS = tuple(ax_led_level_name(level).decode() for level in range(ax_led_levels()))


cdef tuple row_of(int index):
    cdef const ax_led_row *row = ax_led_row_get(index)
    return (row.name.decode(), row.default_speed, row.min_colours, row.max_colours,
            tuple([row.period_ms[i] for i in range(row.speeds)]))


ROWS = tuple(row_of(index) for index in range(AX_LED_ROWS))


# A buffer of at least `size` bytes.
cdef int take(object data, Py_buffer *view, int flags, Py_ssize_t size) except -1:
    PyObject_GetBuffer(data, view, flags)
    if view.len < size:
        given = view.len
        PyBuffer_Release(view)
        raise ArgumentError(f"a buffer has {given} bytes, {size} are needed")
    return 0


cdef class Profile:
    cdef ax_led_profile c

    def __init__(self, int row, int speed, colours=(), uint16_t level=AX_LED_FULL, uint32_t stretch=AX_LED_AS_LISTED,
                 uint64_t epoch_ns=0):
        cdef ax_led_spec *spec = &self.c.spec
        cdef ax_led_spec copy
        if not 0 <= row < AX_LED_ROWS or not 0 <= speed < 256 or len(colours) > AX_LED_MAX_COLOURS:
            row = 255  # The kernel says so.
        spec.row, spec.speed, spec.colours = <uint8_t>row, <uint8_t>speed, <uint8_t>len(colours)
        spec.level, spec.stretch, spec.epoch_ns = level, stretch, epoch_ns
        for i, (red, green, blue) in enumerate(colours[:AX_LED_MAX_COLOURS]):
            spec.colour[i][0], spec.colour[i][1], spec.colour[i][2] = red, green, blue
        copy = spec[0]
        ax_check(ax_led_compile(&self.c, &copy))

    def period_ns(self, size_t sections):
        return ax_led_period_ns(&self.c, sections)

    @property
    def spec(self):
        return PyBytes_FromStringAndSize(<const char *>&self.c.spec, sizeof(ax_led_spec))


cdef class Curve:
    cdef ax_led_curve c

    def __init__(self, double gamma):
        ax_check(ax_led_curve_gamma(&self.c, gamma))

    @property
    def knots(self):
        return [self.c.knot[i] for i in range(257)]


cdef class Lights:
    cdef ax_led *led
    cdef Py_ssize_t values
    cdef int _level

    def __init__(self, places):
        cdef Py_buffer view
        ax_led_free(self.led)
        self.led = NULL
        take(places, &view, PyBUF_SIMPLE, 0)
        try:
            if view.len % sizeof(ax_led_place):
                raise ArgumentError("places are records of 16 bytes")
            ax_check(ax_led_new(&self.led, <const ax_led_place *>view.buf, view.len // sizeof(ax_led_place)))
        finally:
            PyBuffer_Release(&view)
        self.values = 3 * <Py_ssize_t>ax_led_count(self.led)
        self._level = ax_led_levels() - 1

    def __dealloc__(self):
        ax_led_free(self.led)

    def __len__(self):
        return self.values // 3

    @property
    def sections(self):
        return ax_led_sections(self.led)

    @property
    def level(self):
        return self._level

    @level.setter
    def level(self, int level):
        ax_check(ax_led_set_level(self.led, level))
        self._level = level

    def frame(self, Profile profile not None, uint64_t t_ns, out):
        cdef Py_buffer view
        take(out, &view, PyBUF_WRITABLE, 2 * self.values)
        cdef int rc = ax_led_frame(self.led, &profile.c, t_ns, <uint16_t *>view.buf)
        PyBuffer_Release(&view)
        ax_check(rc)

    def frames(self, Profile profile not None, times, out):
        cdef Py_buffer view, ticks
        cdef Py_ssize_t i, count
        cdef int rc = 0
        take(times, &ticks, PyBUF_SIMPLE, 0)
        count = ticks.len // 8
        try:
            take(out, &view, PyBUF_WRITABLE, 2 * self.values * count)
        except BaseException:
            PyBuffer_Release(&ticks)
            raise
        for i in range(count):
            rc |= ax_led_frame(self.led, &profile.c, (<uint64_t *>ticks.buf)[i], <uint16_t *>view.buf + i * self.values)
        PyBuffer_Release(&view)
        PyBuffer_Release(&ticks)
        ax_check(rc)
        return count

    def frame8(self, Profile profile not None, Curve curve not None, uint64_t t_ns, uint32_t frame, out):
        cdef Py_buffer view
        take(out, &view, PyBUF_WRITABLE, self.values)
        cdef int rc = ax_led_frame8(self.led, &profile.c, &curve.c, t_ns, frame, <uint8_t *>view.buf)
        PyBuffer_Release(&view)
        ax_check(rc)

    def encode(self, Curve curve not None, light, uint32_t frame, out):
        cdef Py_buffer source, view
        take(light, &source, PyBUF_SIMPLE, 0)
        try:
            take(out, &view, PyBUF_WRITABLE, source.len // 2)
        except BaseException:
            PyBuffer_Release(&source)
            raise
        cdef int rc = ax_led_encode(self.led, &curve.c, <const uint16_t *>source.buf, source.len // 2, frame,
                                    <uint8_t *>view.buf)
        PyBuffer_Release(&view)
        PyBuffer_Release(&source)
        ax_check(rc)

    def mix(self, first, second, uint32_t weight, out):
        cdef Py_buffer a, b, view
        take(first, &a, PyBUF_SIMPLE, 0)
        try:
            take(second, &b, PyBUF_SIMPLE, a.len)
            try:
                take(out, &view, PyBUF_WRITABLE, a.len)
            except BaseException:
                PyBuffer_Release(&b)
                raise
        except BaseException:
            PyBuffer_Release(&a)
            raise
        cdef int rc = ax_led_mix(self.led, <const uint16_t *>a.buf, <const uint16_t *>b.buf, a.len // 2, weight,
                                 <uint16_t *>view.buf)
        PyBuffer_Release(&view)
        PyBuffer_Release(&b)
        PyBuffer_Release(&a)
        ax_check(rc)


LINEAR = Curve(1.0)


cdef class Drawn:
    cdef readonly Profile profile
    cdef readonly Lights lights
    cdef Curve linear

    def __init__(self, Lights lights not None, Profile profile not None):
        self.lights, self.profile, self.linear = lights, profile, LINEAR

    def frame(self, t, out=None):
        if self.lights is None:
            raise StateError("__init__ was not called")
        if type(t) is not int and hasattr(t, "__array_interface__") and t.ndim:
            return self._frames(t, out)
        if out is None:
            out = array("H", bytes(2 * self.lights.values))
        self.lights.frame(self.profile, t, out)
        return out

    def _frames(self, times, out):
        raise ArgumentError("a time is an integer")

    def frame8(self, uint64_t t, uint64_t frame=0, out=None, Curve curve=None):
        cdef Py_buffer view
        if self.lights is None:
            raise StateError("__init__ was not called")
        if out is None:
            out = bytearray(self.lights.values)
        take(out, &view, PyBUF_WRITABLE, self.lights.values)
        cdef Curve by = self.linear if curve is None else curve
        cdef int rc = ax_led_frame8(self.lights.led, &self.profile.c, &by.c, t, <uint32_t>frame, <uint8_t *>view.buf)
        PyBuffer_Release(&view)
        ax_check(rc)
        return out


cdef class Player:
    cdef ax_led_player *player
    cdef Py_ssize_t size

    def __init__(self, places, uint64_t frame_ns, Curve curve not None):
        cdef Py_buffer view
        ax_led_player_free(self.player)
        self.player = NULL
        take(places, &view, PyBUF_SIMPLE, 0)
        try:
            if view.len % sizeof(ax_led_place):
                raise ArgumentError("places are records of 16 bytes")
            ax_check(ax_led_player_new(&self.player, <const ax_led_place *>view.buf, view.len // sizeof(ax_led_place),
                                       frame_ns, &curve.c, NULL, NULL))
            self.size = 3 * (view.len // <Py_ssize_t>sizeof(ax_led_place))
        finally:
            PyBuffer_Release(&view)

    def __dealloc__(self):
        ax_led_player_free(self.player)

    def put(self, Profile profile not None, uint64_t at_ns, uint64_t fade_ns=0):
        cdef ax_led_command command
        command.at_ns, command.fade_ns, command.spec = at_ns, fade_ns, profile.c.spec
        ax_check(ax_led_player_put(self.player, &command))

    def cancel(self):
        ax_led_player_cancel(self.player)

    def step(self, uint64_t now_ns, out):
        cdef Py_buffer view
        take(out, &view, PyBUF_WRITABLE, self.size)
        cdef int rc = ax_led_player_step(self.player, now_ns, <uint8_t *>view.buf)
        PyBuffer_Release(&view)
        return ax_check(rc) == 1

    @property
    def next_ns(self):
        return ax_led_player_next_ns(self.player)

    @property
    def missed(self):
        return ax_led_player_missed(self.player)

    @property
    def row(self):
        return ax_led_player_row(self.player)


# Both passes of the flash analyser over frames of a profile. Takes milliseconds: without the GIL.
def flashes(Lights lights not None, Profile profile not None, uint64_t first_ns, uint64_t step_ns, size_t count,
            uint64_t from_ns=0):
    cdef ax_led_flash *flash = NULL
    cdef ax_led_flash_report report
    cdef int rc
    ax_check(ax_led_flash_new(&flash, lights.values // 3, from_ns))
    with nogil:
        rc = ax_led_flash_run(flash, lights.led, &profile.c, first_ns, step_ns, count)
        ax_led_flash_result(flash, &report)
        ax_led_flash_free(flash)
    ax_check(rc)
    return report.general, report.red, report.worst_ns, report.changes


# The same over frames that somebody else made: (time, light) in order.
def flashes_of(frames, size_t n, uint64_t from_ns=0):
    cdef ax_led_flash *flash = NULL
    cdef ax_led_flash_report report
    cdef Py_buffer view
    cdef uint64_t at
    cdef int look
    ax_check(ax_led_flash_new(&flash, n, from_ns))
    try:
        for look in range(2):
            for t_ns, light in frames:
                at = t_ns
                take(light, &view, PyBUF_SIMPLE, 6 * n)
                if look == 0:
                    ax_led_flash_look(flash, <const uint16_t *>view.buf)
                else:
                    ax_led_flash_feed(flash, at, <const uint16_t *>view.buf)
                PyBuffer_Release(&view)
        ax_led_flash_result(flash, &report)
    finally:
        ax_led_flash_free(flash)
    return report.general, report.red, report.worst_ns, report.changes


def apa102(rgb, unsigned current=31):
    cdef Py_buffer view
    cdef size_t n, size
    take(rgb, &view, PyBUF_SIMPLE, 3)
    try:
        n = view.len // 3
        size = ax_led_apa102_size(n)
        out = PyBytes_FromStringAndSize(NULL, size)
        ax_check(ax_led_apa102(<const uint8_t *>view.buf, n, current, <uint8_t *>PyBytes_AS_STRING(out), size))
    finally:
        PyBuffer_Release(&view)
    return out


def ws2812(codes, unsigned channels=3):
    cdef Py_buffer view
    cdef size_t n, size
    take(codes, &view, PyBUF_SIMPLE, 3)
    try:
        n = view.len // channels if channels in (3, 4) else 0  # The kernel says what is wrong.
        size = ax_led_ws2812_size(n, channels)
        out = PyBytes_FromStringAndSize(NULL, size)
        ax_check(ax_led_ws2812(<const uint8_t *>view.buf, n, channels, <uint8_t *>PyBytes_AS_STRING(out), size))
    finally:
        PyBuffer_Release(&view)
    return out


def rgbw(light, out):
    cdef Py_buffer source, view
    take(light, &source, PyBUF_SIMPLE, 6)
    try:
        take(out, &view, PyBUF_WRITABLE, source.len // 6 * 8)
    except BaseException:
        PyBuffer_Release(&source)
        raise
    cdef int rc = ax_led_rgbw(<const uint16_t *>source.buf, source.len // 6, <uint16_t *>view.buf)
    PyBuffer_Release(&view)
    PyBuffer_Release(&source)
    ax_check(rc)


def led_class(uint16_t red, uint16_t green, uint16_t blue, uint32_t max_brightness=255):
    cdef uint16_t[3] rgb = [red, green, blue]
    cdef uint32_t brightness
    cdef uint32_t[3] intensity
    ax_check(ax_led_class(rgb, max_brightness, &brightness, intensity))
    return brightness, (intensity[0], intensity[1], intensity[2])
