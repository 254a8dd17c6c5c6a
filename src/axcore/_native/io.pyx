# The native I/O thread (cext/include/ax/io_thread.h); its core without a thread is in io_core.pyx.
# Units: ns, CLOCK_MONOTONIC. GIL: released where a call waits (wait, stop); commands are some 100 ns and keep it.
# Memory: an IoThread owns its C thread and ends it when it is dropped, in whatever state it is.
cimport cython

from collections import namedtuple

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset, strncpy

import os

from axcore import errors

from .c_io cimport (
    AX_GPIO_ACTIVE_LOW, AX_GPIO_BIAS_OFF, AX_GPIO_OPEN_DRAIN, AX_GPIO_PATH_MAX, AX_GPIO_PULL_DOWN, AX_GPIO_PULL_UP,
    AX_IO_BY_CONFIG, AX_IO_BY_FAULT, AX_IO_BY_HOLD, AX_IO_BY_PULSE, AX_IO_BY_PULSE_END, AX_IO_BY_REX,
    AX_IO_BY_REX_END, AX_IO_BY_SEQUENCE, AX_IO_BY_SET, AX_IO_BY_STOP, AX_IO_DROPPED, AX_IO_FRAME, AX_IO_FRAMES, AX_IO_INPUT,
    AX_IO_KEY, AX_IO_LABEL, AX_IO_MAX_INPUTS, AX_IO_MAX_OUTPUTS, AX_IO_MAX_READERS, AX_IO_MAX_SEQUENCE, AX_IO_NAME_MAX,
    AX_IO_OUTPUT, AX_IO_SEQUENCE_END, AX_LIGHT_APA102, AX_LIGHT_CLASS, AX_LIGHT_CLASS_MAX, AX_LIGHT_NONE,
    AX_LIGHT_PATH_MAX, AX_LIGHT_WS2812, ax_gpio_config, ax_gpio_line, ax_io_config, ax_io_event, ax_io_frame,
    ax_io_input_config, ax_io_output_config, ax_io_step, ax_io_thread, ax_io_thread_config, ax_io_thread_configure_input,
    ax_io_thread_configure_output, ax_io_thread_configure_reader, ax_io_thread_count, ax_io_thread_counters,
    ax_io_thread_changing, ax_io_thread_drain, ax_io_thread_end, ax_io_thread_event_fd,
    ax_io_thread_expects, ax_io_thread_fault,
    ax_io_thread_feed_edges, ax_io_thread_feed_input, ax_io_thread_feed_key, ax_io_thread_feed_label, ax_io_thread_free,
    ax_io_thread_hold, ax_io_thread_input_active, ax_io_thread_light, ax_io_thread_light_fd, ax_io_thread_new,
    ax_io_thread_news, ax_io_thread_output_active, ax_io_thread_pulse, ax_io_thread_send, ax_io_thread_sequence, ax_io_thread_set,
    ax_io_thread_start, ax_io_thread_stop, ax_io_thread_wait, ax_io_thread_wake, ax_light_config, ax_monotonic_ns,
)
from .c_led cimport AX_LED_AS_LISTED, ax_led_command, ax_led_curve_gamma, ax_led_place, ax_led_spec
from .c_wiegand cimport AX_NEVER, ax_edge, ax_wiegand_config
from .err cimport ax_check

NEVER = AX_NEVER
KIND_INPUT = AX_IO_INPUT
KIND_OUTPUT = AX_IO_OUTPUT
KIND_FRAME = AX_IO_FRAME
KIND_KEY = AX_IO_KEY
KIND_SEQUENCE_END = AX_IO_SEQUENCE_END
KIND_DROPPED = AX_IO_DROPPED
KIND_LABEL = AX_IO_LABEL
BY_SET = AX_IO_BY_SET
BY_PULSE = AX_IO_BY_PULSE
BY_PULSE_END = AX_IO_BY_PULSE_END
BY_HOLD = AX_IO_BY_HOLD
BY_REX = AX_IO_BY_REX
BY_REX_END = AX_IO_BY_REX_END
BY_SEQUENCE = AX_IO_BY_SEQUENCE
BY_CONFIG = AX_IO_BY_CONFIG
BY_FAULT = AX_IO_BY_FAULT
BY_STOP = AX_IO_BY_STOP

GPIO_ACTIVE_LOW = AX_GPIO_ACTIVE_LOW
GPIO_PULL_UP = AX_GPIO_PULL_UP
GPIO_PULL_DOWN = AX_GPIO_PULL_DOWN
GPIO_BIAS_OFF = AX_GPIO_BIAS_OFF
GPIO_OPEN_DRAIN = AX_GPIO_OPEN_DRAIN

LIGHT_NONE = AX_LIGHT_NONE
LIGHT_APA102 = AX_LIGHT_APA102
LIGHT_WS2812 = AX_LIGHT_WS2812
LIGHT_CLASS = AX_LIGHT_CLASS

InputConfig = namedtuple("InputConfig", "debounce_ns normal_high rex_output rex_hold_ns", defaults=(-1, 0))
OutputConfig = namedtuple("OutputConfig", "normal_high fault_active", defaults=(False, False))
ReaderConfig = namedtuple(
    "ReaderConfig",
    "min_pulse_ns max_pulse_ns glitch_ns min_interval_ns max_interval_ns frame_gap_ns min_bits max_bits expect_bits",
    defaults=(10_000, 400_000, 5_000, 82_500, 24_000_000, 25_000_000, 4, 128, 0),
)
GpioLine = namedtuple("GpioLine", "offset flags", defaults=(0,))
GpioConfig = namedtuple("GpioConfig", "chip readers inputs outputs", defaults=((), (), ()))
LightConfig = namedtuple(
    "LightConfig", "places frame_ns gamma records output paths speed_hz current",
    defaults=(10_000_000, 1.0, 64, LIGHT_NONE, (), 0, 31),
)
for _type in (InputConfig, OutputConfig, ReaderConfig, GpioLine, GpioConfig, LightConfig):
    _type.__module__ = __name__
del _type

cdef enum:
    BATCH = 256


def monotonic_ns():
    return ax_monotonic_ns()


@cython.final
cdef class IoEvent:
    @property
    def bits(self):
        if self.nbits <= 64:
            return self.words[0]
        return (self.words[0] | <object>self.words[1] << 64 | <object>self.words[2] << 128
                | <object>self.words[3] << 192)

    def __repr__(self):
        return (f"IoEvent(kind={self.kind}, t_ns={self.t_ns}, index={self.index}, value={self.value}, "
                f"reason={self.reason}, token={self.token}, result={self.result}, nbits={self.nbits}, bits={self.bits:#x})")


cdef IoEvent _event(const ax_io_event *e):
    cdef IoEvent event = IoEvent.__new__(IoEvent)
    event.kind = e.kind
    event.t_ns = e.t_ns
    event.index = e.index
    event.value = e.value
    event.reason = e.reason
    event.token = e.token
    event.result = e.frame.result
    event.nbits = e.frame.nbits
    event.glitches = e.frame.glitches
    event.t_first_ns = e.frame.t_first_ns
    event.t_last_ns = e.frame.t_last_ns
    event.words = e.frame.bits
    return event


# --- Python values to C ones -------------------------------------------------------------------------------------------

cdef int _input(ax_io_input_config *out, config) except -1:
    debounce_ns, normal_high, rex_output, rex_hold_ns = config
    if not -1 <= rex_output < AX_IO_MAX_OUTPUTS:
        raise errors.RangeError(f"rex_output {rex_output} is neither an output nor -1")
    out.debounce_ns = debounce_ns
    out.normal_high = bool(normal_high)
    out.rex_output = rex_output
    out.rex_hold_ns = rex_hold_ns
    return 0


cdef int _output(ax_io_output_config *out, config) except -1:
    normal_high, fault_active = config
    out.normal_high = bool(normal_high)
    out.fault_active = bool(fault_active)
    return 0


cdef int _reader(ax_wiegand_config *out, config) except -1:
    (out.min_pulse_ns, out.max_pulse_ns, out.glitch_ns, out.min_interval_ns, out.max_interval_ns, out.frame_gap_ns,
     out.min_bits, out.max_bits, out.expect_bits) = config
    return 0


cdef int _config(ax_io_config *out, inputs, outputs, readers) except -1:
    if len(inputs) > AX_IO_MAX_INPUTS or len(outputs) > AX_IO_MAX_OUTPUTS or len(readers) > AX_IO_MAX_READERS:
        raise errors.RangeError(
            f"at most {AX_IO_MAX_INPUTS} inputs, {AX_IO_MAX_OUTPUTS} outputs and {AX_IO_MAX_READERS} readers")
    memset(out, 0, sizeof(ax_io_config))
    out.inputs = len(inputs)
    out.outputs = len(outputs)
    out.readers = len(readers)
    for i, config in enumerate(inputs):
        _input(&out.input[<int>i], config)
    for i, config in enumerate(outputs):
        _output(&out.output[<int>i], config)
    for i, config in enumerate(readers):
        _reader(&out.reader[<int>i], config)
    return 0


cdef int _lines(ax_gpio_line *out, lines, int n, str what) except -1:
    if len(lines) != n:
        raise errors.RangeError(f"gpio: {len(lines)} {what} lines for {n}")
    for i, line in enumerate(lines):
        out[<int>i].offset, out[<int>i].flags = (-1, 0) if line is None else (line, 0) if isinstance(line, int) else line
    return 0


cdef int _gpio(ax_gpio_config *out, const ax_io_config *io, config) except -1:
    chip = os.fsencode(config.chip)
    if not 0 < len(chip) <= AX_GPIO_PATH_MAX:
        raise errors.RangeError(f"gpio: the path of the chip has 1 to {AX_GPIO_PATH_MAX} bytes")
    memset(out, 0, sizeof(ax_gpio_config))
    strncpy(out.chip, chip, AX_GPIO_PATH_MAX)
    if len(config.readers) != io.readers:
        raise errors.RangeError(f"gpio: {len(config.readers)} pairs of reader lines for {io.readers}")
    for i, pair in enumerate(config.readers):
        _lines(out.reader[<int>i], (None, None) if pair is None else pair, 2, "data")
    _lines(out.input, config.inputs, io.inputs, "input")
    _lines(out.output, config.outputs, io.outputs, "output")
    return 0


cdef const ax_led_place *_places(places, size_t *n) except NULL:
    cdef bytes records = places
    n[0] = <size_t>len(records) // sizeof(ax_led_place)
    if len(records) == 0 or len(records) % sizeof(ax_led_place):
        raise errors.ArgumentError("places are records of 16 bytes")
    return <const ax_led_place *><const char *>records


# `places` of the result belong to `light.places`.
cdef int _light(ax_light_config *out, light) except -1:
    memset(out, 0, sizeof(ax_light_config))
    out.places = _places(light.places, &out.leds)
    out.frame_ns = light.frame_ns
    out.records = light.records
    ax_check(ax_led_curve_gamma(&out.curve, light.gamma))
    out.out.kind, out.out.speed_hz, out.out.current = light.output, light.speed_hz, light.current
    if len(light.paths) > AX_LIGHT_CLASS_MAX:
        raise errors.RangeError(f"light: {len(light.paths)} outputs, at most {AX_LIGHT_CLASS_MAX}")
    out.out.paths = len(light.paths)
    for i, path in enumerate(light.paths):
        text = os.fsencode(path)
        if not 0 < len(text) <= AX_LIGHT_PATH_MAX:
            raise errors.RangeError(f"light: the path of an output has 1 to {AX_LIGHT_PATH_MAX} bytes")
        strncpy(out.out.path[<int>i], text, AX_LIGHT_PATH_MAX)
    return 0


cdef size_t _steps(ax_io_step *out, steps) except 0:
    if not 0 < len(steps) <= AX_IO_MAX_SEQUENCE:
        raise errors.RangeError(f"a sequence has 1 to {AX_IO_MAX_SEQUENCE} steps, not {len(steps)}")
    for i, (active, after_ns) in enumerate(steps):
        out[<int>i].active = bool(active)
        out[<int>i].after_ns = after_ns
    return len(steps)


cdef char _key(key) except 0:
    if len(key) != 1 or key not in "0123456789*#C":
        raise errors.RangeError(f"no key: {key!r}")
    return <char>ord(key)


# Borrow the edge records of any buffer.
cdef const ax_edge *_edges(Py_buffer *view, edges, size_t *n) except? NULL:
    PyObject_GetBuffer(edges, view, PyBUF_SIMPLE)
    if view.len == 0 or view.len % sizeof(ax_edge) != 0:
        PyBuffer_Release(view)
        raise errors.FormatError(f"edges are one or more records of {sizeof(ax_edge)} bytes")
    n[0] = <size_t>view.len // sizeof(ax_edge)
    return <const ax_edge *>view.buf


@cython.final
cdef class IoThread:
    cdef ax_io_thread *_t
    cdef readonly int event_fd

    def __cinit__(self, inputs, outputs, readers, *, output_names, tap=None, gpio=None, light=None,
                  uint32_t fifo_priority=0):
        cdef ax_io_thread_config config
        cdef ax_gpio_config lines
        cdef ax_light_config lamp
        cdef bytes path
        memset(&config, 0, sizeof(config))
        _config(&config.io, inputs, outputs, readers)
        if len(output_names) != config.io.outputs:
            raise errors.RangeError(f"{len(output_names)} output names for {config.io.outputs} outputs")
        for i, name in enumerate(output_names):
            text = name.encode()
            if not 0 < len(text) <= AX_IO_NAME_MAX:
                raise errors.RangeError(f"an output's name has 1 to {AX_IO_NAME_MAX} bytes: {name!r}")
            strncpy(config.output_name[<int>i], text, AX_IO_NAME_MAX)
        if tap is not None:
            path = os.fsencode(tap)
            config.tap_path = path
        if gpio is not None:
            _gpio(&lines, &config.io, gpio)
            config.gpio = &lines
        if light is not None:
            _light(&lamp, light)
            config.light = &lamp
        config.fifo_priority = fifo_priority
        ax_check(ax_io_thread_new(&self._t, &config))
        self.event_fd = ax_io_thread_event_fd(self._t)

    def __dealloc__(self):
        with nogil:
            ax_io_thread_free(self._t)

    cdef ax_io_thread_counters _counters(self):
        cdef ax_io_thread_counters counters
        ax_io_thread_count(self._t, &counters)
        return counters

    @property
    def progress(self):
        return self._counters().progress

    @property
    def dropped(self):
        return self._counters().dropped

    @property
    def tap_errors(self):
        return self._counters().tap_errors

    @property
    def lost_edges(self):
        return self._counters().lost_edges

    @property
    def gpio_errors(self):
        return self._counters().gpio_errors

    @property
    def frames(self):
        return self._counters().frames

    @property
    def frames_missed(self):
        return self._counters().frames_missed

    @property
    def light_errors(self):
        return self._counters().light_errors

    @property
    def light_fd(self):
        return ax_io_thread_light_fd(self._t)

    def show(self, spec=None, uint64_t at_ns=0, uint64_t fade_ns=0):
        cdef ax_led_command command
        cdef bytes given
        memset(&command, 0, sizeof(command))
        command.at_ns, command.fade_ns = at_ns, fade_ns
        if spec is None:
            command.spec.speed, command.spec.stretch = 1, AX_LED_AS_LISTED
        else:
            given = spec
            if len(given) != sizeof(ax_led_spec):
                raise errors.ArgumentError(f"a spec has {sizeof(ax_led_spec)} bytes")
            memcpy(&command.spec, <const char *>given, sizeof(ax_led_spec))
        ax_check(ax_io_thread_light(self._t, &command))

    def start(self):
        ax_check(ax_io_thread_start(self._t))

    def stop(self):
        with nogil:
            ax_io_thread_stop(self._t)

    def wait(self, timeout_ns):
        cdef uint64_t timeout = AX_NEVER if timeout_ns >= AX_NEVER else timeout_ns if timeout_ns > 0 else 0
        cdef int told
        with nogil:
            told = ax_io_thread_wait(self._t, timeout)
        return told != 0

    def expects(self):
        return ax_io_thread_expects(self._t)

    def news(self):
        return ax_io_thread_news(self._t)

    def changing(self):
        cdef uint32_t frame = 0
        cdef uint32_t inputs = ax_io_thread_changing(self._t, &frame)
        return inputs, bool(frame)

    def wake(self):
        ax_io_thread_wake(self._t)

    def drain(self, Py_ssize_t limit=256):
        cdef ax_io_event batch[BATCH]
        cdef size_t i, n
        cdef list events = []
        while limit > 0:
            n = ax_io_thread_drain(self._t, batch, <size_t>min(limit, BATCH))
            for i in range(n):
                events.append(_event(&batch[i]))
            if n < BATCH:
                break
            limit -= BATCH
        return events

    def set(self, uint32_t output, bint active, uint64_t token=0):
        ax_check(ax_io_thread_set(self._t, output, active, token))

    def pulse(self, uint32_t output, bint active, uint64_t duration_ns, uint64_t token=0):
        ax_check(ax_io_thread_pulse(self._t, output, active, duration_ns, token))

    def hold(self, uint32_t output, bint on, bint active=True, uint64_t token=0):
        ax_check(ax_io_thread_hold(self._t, output, on, active, token))

    def sequence(self, uint32_t output, steps, uint64_t token=0):
        cdef ax_io_step c_steps[64]  # AX_IO_MAX_SEQUENCE
        cdef size_t n = _steps(c_steps, steps)
        ax_check(ax_io_thread_sequence(self._t, output, c_steps, n, token))

    def end(self, uint32_t output, uint64_t token=0):
        ax_check(ax_io_thread_end(self._t, output, token))

    def send(self, uint32_t data0, uint32_t data1, frames, uint32_t pulse_ns, uint32_t interval_ns, uint32_t gap_ns):
        cdef ax_io_frame c_frames[64]  # AX_IO_FRAMES
        cdef size_t n = len(frames)
        if n > AX_IO_FRAMES:
            raise errors.QueueFullError(f"{n} frames at once, at most {AX_IO_FRAMES}")
        for i, (value, nbits) in enumerate(frames):
            c_frames[<int>i].output[0], c_frames[<int>i].output[1] = data0, data1
            c_frames[<int>i].timing.pulse_ns = pulse_ns
            c_frames[<int>i].timing.interval_ns = interval_ns
            c_frames[<int>i].timing.gap_ns = gap_ns
            c_frames[<int>i].nbits = nbits
            for word in range(4):
                c_frames[<int>i].bits[<int>word] = value >> 64 * word & 0xFFFFFFFFFFFFFFFF
        ax_check(ax_io_thread_send(self._t, c_frames, n))

    def fault(self, uint32_t output, uint64_t token=0):
        ax_check(ax_io_thread_fault(self._t, output, token))

    def configure_input(self, uint32_t index, config):
        cdef ax_io_input_config c_config
        _input(&c_config, config)
        ax_check(ax_io_thread_configure_input(self._t, index, &c_config))

    def configure_output(self, uint32_t index, config):
        cdef ax_io_output_config c_config
        _output(&c_config, config)
        ax_check(ax_io_thread_configure_output(self._t, index, &c_config))

    def configure_reader(self, uint32_t index, config):
        cdef ax_wiegand_config c_config
        _reader(&c_config, config)
        ax_check(ax_io_thread_configure_reader(self._t, index, &c_config))

    def feed_edges(self, uint32_t reader, edges, uint64_t start_ns=0, uint64_t token=0):
        cdef Py_buffer view
        cdef size_t n = 0
        cdef uint64_t last_ns = 0
        cdef const ax_edge *first = _edges(&view, edges, &n)
        cdef int err = ax_io_thread_feed_edges(self._t, reader, first, n, start_ns, token, &last_ns)
        PyBuffer_Release(&view)
        ax_check(err)
        return last_ns

    def feed_input(self, uint32_t index, bint level, uint64_t token=0):
        ax_check(ax_io_thread_feed_input(self._t, index, level, token))

    def feed_key(self, uint32_t keypad, key, uint64_t token=0):
        ax_check(ax_io_thread_feed_key(self._t, keypad, _key(key), token))

    def feed_label(self, uint32_t value, uint64_t token=0):
        ax_check(ax_io_thread_feed_label(self._t, value, token))

    def input_active(self, uint32_t index):
        return <bint>ax_io_thread_input_active(self._t, index)

    def output_active(self, uint32_t index):
        return <bint>ax_io_thread_output_active(self._t, index)
