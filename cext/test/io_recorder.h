/* Records what an I/O core does and checks it off, one expectation after the other. */
#ifndef IO_RECORDER_H
#define IO_RECORDER_H

#include "ax/err.h"
#include "ax/io.h"
#include "ax_test.h"

#define MS UINT64_C(1000000)
#define LOG 256

struct pin { uint32_t output; bool level, active; uint64_t t_ns; };
static struct pin pins[LOG];
static struct ax_io_event events[LOG];
static size_t n_pins, n_events, read_pins, read_events;

static uint64_t late_ns; /* how long a write takes */

static uint64_t on_write(void *context, uint32_t output, bool level, bool active, uint64_t t_ns)
{
    (void)context;
    pins[n_pins++ % LOG] = (struct pin){output, level, active, t_ns};
    return t_ns + late_ns;
}

static void on_event(void *context, const struct ax_io_event *event)
{
    (void)context;
    if (event->kind == AX_IO_OUTPUT) /* the pin is written before it is told */
        CHECK(n_pins > 0 && pins[(n_pins - 1) % LOG].output == event->index && pins[(n_pins - 1) % LOG].t_ns == event->t_ns);
    events[n_events++ % LOG] = *event;
}

static struct ax_io *io;

static struct ax_io_config standard(void)
{
    struct ax_io_config config = {.inputs = 3, .outputs = 2, .readers = 2};
    config.input[0] = (struct ax_io_input_config){.debounce_ns = 5 * MS, .normal_high = 1, .rex_output = 0, .rex_hold_ns = 5000 * MS};
    config.input[1] = (struct ax_io_input_config){.debounce_ns = 10 * MS, .normal_high = 1, .rex_output = -1};
    config.input[2] = (struct ax_io_input_config){.debounce_ns = 0, .normal_high = 0, .rex_output = -1};
    config.output[1] = (struct ax_io_output_config){.normal_high = 1, .fault_active = 1};
    ax_wiegand_defaults(&config.reader[0]);
    ax_wiegand_defaults(&config.reader[1]);
    return config;
}

static inline void begin(void)
{
    struct ax_io_config config = standard();
    const struct ax_io_sink sink = {NULL, on_write, on_event};
    n_pins = n_events = read_pins = read_events = late_ns = 0;
    CHECK_EQ(ax_io_new(&io, &config, &sink), AX_OK);
}

static inline void end(void)
{
    CHECK_EQ(read_pins, n_pins);
    CHECK_EQ(read_events, n_events);
    ax_io_free(io);
    io = NULL;
}

static inline void expect_input(uint64_t t_ns, uint32_t index, uint32_t value, uint64_t token)
{
    const struct ax_io_event *e = &events[read_events++ % LOG];
    CHECK_EQ(e->kind, AX_IO_INPUT);
    CHECK_EQ(e->t_ns, t_ns);
    CHECK_EQ(e->index, index);
    CHECK_EQ(e->value, value);
    CHECK_EQ(e->token, token);
}

static inline void expect_pin(uint64_t t_ns, uint32_t output, bool active, uint32_t reason, uint64_t token)
{
    const struct pin *pin = &pins[read_pins++ % LOG];
    const struct ax_io_event *e = &events[read_events++ % LOG];
    CHECK_EQ(e->kind, AX_IO_OUTPUT);
    CHECK_EQ(e->t_ns, t_ns);
    CHECK_EQ(e->index, output);
    CHECK_EQ(e->value, active);
    CHECK_EQ(e->reason, reason);
    CHECK_EQ(e->token, token);
    CHECK_EQ(pin->output, output);
    CHECK_EQ(pin->active, active);
    CHECK_EQ(pin->t_ns, t_ns);
}

static inline void expect_sequence_end(uint64_t t_ns, uint32_t output, uint32_t value, uint64_t token)
{
    const struct ax_io_event *e = &events[read_events++ % LOG];
    CHECK_EQ(e->kind, AX_IO_SEQUENCE_END);
    CHECK_EQ(e->t_ns, t_ns);
    CHECK_EQ(e->index, output);
    CHECK_EQ(e->value, value);
    CHECK_EQ(e->token, token);
}

#endif
