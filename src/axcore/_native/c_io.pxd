from libc.stdint cimport int8_t, int32_t, uint8_t, uint32_t, uint64_t

from .c_led cimport ax_led_command, ax_led_curve, ax_led_place
from .c_wiegand cimport ax_edge, ax_wiegand_config, ax_wiegand_frame
from .c_wiegand_out cimport ax_wiegand_timing


cdef extern from "<stdbool.h>" nogil:
    ctypedef bint c_bool "bool"


cdef extern from "ax/io.h" nogil:
    const int AX_IO_MAX_INPUTS
    const int AX_IO_MAX_OUTPUTS
    const int AX_IO_MAX_READERS
    const int AX_IO_MAX_SEQUENCE

    enum ax_io_event_kind:
        AX_IO_INPUT
        AX_IO_OUTPUT
        AX_IO_FRAME
        AX_IO_KEY
        AX_IO_SEQUENCE_END
        AX_IO_DROPPED
        AX_IO_LABEL

    enum ax_io_reason:
        AX_IO_BY_SET
        AX_IO_BY_PULSE
        AX_IO_BY_PULSE_END
        AX_IO_BY_HOLD
        AX_IO_BY_REX
        AX_IO_BY_REX_END
        AX_IO_BY_SEQUENCE
        AX_IO_BY_CONFIG
        AX_IO_BY_FAULT
        AX_IO_BY_STOP

    struct ax_io_event:
        uint64_t t_ns
        uint32_t kind
        uint32_t index
        uint32_t value
        uint32_t reason
        uint64_t token
        ax_wiegand_frame frame

    struct ax_io_input_config:
        uint64_t debounce_ns
        uint8_t normal_high
        int8_t rex_output
        uint64_t rex_hold_ns

    struct ax_io_output_config:
        uint8_t normal_high
        uint8_t fault_active

    struct ax_io_config:
        uint32_t inputs
        uint32_t outputs
        uint32_t readers
        ax_io_input_config input[32]
        ax_io_output_config output[16]
        ax_wiegand_config reader[4]

    struct ax_io_step:
        uint64_t after_ns
        uint8_t active

    struct ax_io_frame:
        uint32_t output[2]
        ax_wiegand_timing timing
        uint64_t bits[4]
        uint32_t nbits

    struct ax_io_sink:
        void *context
        uint64_t (*write)(void *context, uint32_t output, c_bool level, c_bool active, uint64_t t_ns) noexcept
        void (*event)(void *context, const ax_io_event *event) noexcept

    struct ax_io:
        pass

    int ax_io_new(ax_io **out, const ax_io_config *config, const ax_io_sink *sink)
    void ax_io_free(ax_io *io)
    int ax_io_input(ax_io *io, uint64_t t_ns, uint32_t input, c_bool level, uint64_t token)
    int ax_io_edges(ax_io *io, uint32_t reader, const ax_edge *edges, size_t n, uint64_t token)
    int ax_io_key(ax_io *io, uint64_t t_ns, uint32_t keypad, char key, uint64_t token)
    int ax_io_set(ax_io *io, uint64_t t_ns, uint32_t output, c_bool active, uint64_t token)
    int ax_io_pulse(ax_io *io, uint64_t t_ns, uint32_t output, c_bool active, uint64_t duration_ns, uint64_t token)
    int ax_io_hold(ax_io *io, uint64_t t_ns, uint32_t output, c_bool on, c_bool active, uint64_t token)
    int ax_io_sequence(ax_io *io, uint64_t t_ns, uint32_t output, const ax_io_step *steps, size_t n, uint64_t token)
    int ax_io_end(ax_io *io, uint64_t t_ns, uint32_t output, uint64_t token)
    int ax_io_fault(ax_io *io, uint64_t t_ns, uint32_t output, uint64_t token)
    int ax_io_configure_input(ax_io *io, uint64_t t_ns, uint32_t input, const ax_io_input_config *config)
    int ax_io_configure_output(ax_io *io, uint64_t t_ns, uint32_t output, const ax_io_output_config *config)
    int ax_io_rest(ax_io *io, uint64_t t_ns)
    int ax_io_advance(ax_io *io, uint64_t now_ns)
    uint64_t ax_io_deadline(const ax_io *io)
    c_bool ax_io_input_active(const ax_io *io, uint32_t input)
    c_bool ax_io_output_active(const ax_io *io, uint32_t output)


cdef extern from "ax/gpio.h" nogil:
    const int AX_GPIO_PATH_MAX

    enum ax_gpio_flag:
        AX_GPIO_ACTIVE_LOW
        AX_GPIO_PULL_UP
        AX_GPIO_PULL_DOWN
        AX_GPIO_BIAS_OFF
        AX_GPIO_OPEN_DRAIN

    struct ax_gpio_line:
        int32_t offset
        uint32_t flags

    struct ax_gpio_config:
        char chip[64]
        ax_gpio_line reader[4][2]
        ax_gpio_line input[32]
        ax_gpio_line output[16]


cdef extern from "ax/light.h" nogil:
    const int AX_LIGHT_PATH_MAX
    const int AX_LIGHT_CLASS_MAX

    enum ax_light_kind:
        AX_LIGHT_NONE
        AX_LIGHT_APA102
        AX_LIGHT_WS2812
        AX_LIGHT_CLASS

    struct ax_light_out_config:
        uint32_t kind
        uint32_t speed_hz
        uint32_t current
        uint32_t paths
        char path[16][128]

    struct ax_light_config:
        const ax_led_place *places
        size_t leds
        uint64_t frame_ns
        ax_led_curve curve
        uint32_t records
        ax_light_out_config out


cdef extern from "ax/io_thread.h" nogil:
    const int AX_IO_NAME_MAX
    const int AX_IO_FRAMES

    struct ax_io_thread_config:
        ax_io_config io
        char output_name[16][32]
        const char *tap_path
        const ax_gpio_config *gpio
        uint32_t fifo_priority
        const ax_light_config *light

    struct ax_io_thread_counters:
        uint64_t progress
        uint64_t dropped
        uint64_t tap_errors
        uint64_t lost_edges
        uint64_t gpio_errors
        uint64_t frames
        uint64_t frames_missed
        uint64_t light_errors

    struct ax_io_thread:
        pass

    uint64_t ax_monotonic_ns()
    int ax_io_thread_new(ax_io_thread **out, const ax_io_thread_config *config)
    int ax_io_thread_start(ax_io_thread *t)
    void ax_io_thread_stop(ax_io_thread *t)
    void ax_io_thread_free(ax_io_thread *t)
    int ax_io_thread_event_fd(const ax_io_thread *t)
    void ax_io_thread_count(const ax_io_thread *t, ax_io_thread_counters *out)
    int ax_io_thread_wait(ax_io_thread *t, uint64_t timeout_ns)
    bint ax_io_thread_expects(const ax_io_thread *t)
    bint ax_io_thread_news(const ax_io_thread *t)
    uint32_t ax_io_thread_changing(const ax_io_thread *t, uint32_t *frame)
    void ax_io_thread_wake(ax_io_thread *t)
    size_t ax_io_thread_drain(ax_io_thread *t, ax_io_event *out, size_t cap)
    int ax_io_thread_set(ax_io_thread *t, uint32_t output, c_bool active, uint64_t token)
    int ax_io_thread_pulse(ax_io_thread *t, uint32_t output, c_bool active, uint64_t duration_ns, uint64_t token)
    int ax_io_thread_hold(ax_io_thread *t, uint32_t output, c_bool on, c_bool active, uint64_t token)
    int ax_io_thread_sequence(ax_io_thread *t, uint32_t output, const ax_io_step *steps, size_t n, uint64_t token)
    int ax_io_thread_end(ax_io_thread *t, uint32_t output, uint64_t token)
    int ax_io_thread_send(ax_io_thread *t, const ax_io_frame *frames, size_t n)
    int ax_io_thread_fault(ax_io_thread *t, uint32_t output, uint64_t token)
    int ax_io_thread_configure_input(ax_io_thread *t, uint32_t input, const ax_io_input_config *config)
    int ax_io_thread_configure_output(ax_io_thread *t, uint32_t output, const ax_io_output_config *config)
    int ax_io_thread_configure_reader(ax_io_thread *t, uint32_t reader, const ax_wiegand_config *config)
    int ax_io_thread_light(ax_io_thread *t, const ax_led_command *command)
    int ax_io_thread_light_fd(const ax_io_thread *t)
    int ax_io_thread_feed_edges(ax_io_thread *t, uint32_t reader, const ax_edge *edges, size_t n, uint64_t start_ns,
                                uint64_t token, uint64_t *last_ns)
    int ax_io_thread_feed_input(ax_io_thread *t, uint32_t input, c_bool level, uint64_t token)
    int ax_io_thread_feed_key(ax_io_thread *t, uint32_t keypad, char key, uint64_t token)
    int ax_io_thread_feed_label(ax_io_thread *t, uint32_t value, uint64_t token)
    c_bool ax_io_thread_input_active(const ax_io_thread *t, uint32_t input)
    c_bool ax_io_thread_output_active(const ax_io_thread *t, uint32_t output)
