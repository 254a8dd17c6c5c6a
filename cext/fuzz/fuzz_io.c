/* Random operations on the I/O core, with what must always hold checked after each one:
 *   - an input that opens an output as REX and is active: the output is active
 *   - nobody has a claim: the output is normal (a shadow of the claims knows)
 *   - the deadline lies ahead of the latest advance; a minute later nothing is due and only lasting claims are left
 *   - an output event follows its write (bits of a frame apart), says the same, and times never run backwards (frames apart: they say when they
 *     were complete)
 * Input: records of 8 bytes: operation, index, value, flags, then 4 bytes of time. */
#include "ax/err.h"
#include "ax/io.h"

#include <stdlib.h>
#include <string.h>

#define INPUTS 4
#define OUTPUTS 3
#define READERS 2
#define REQUIRE(cond)                                                                                                  \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            abort();                                                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct ax_io *io;
    int8_t rex_output[INPUTS];
    bool active[OUTPUTS], input[INPUTS];
    bool base[OUTPUTS], hold[OUTPUTS], sequence[OUTPUTS]; /* shadow claims; base: may be active */
    uint64_t now, last_event;
    uint32_t written;
    bool write_pending;
    bool sent; /* a frame was: there are writes without an event */
};

static uint64_t on_write(void *context, uint32_t output, bool level, bool active, uint64_t t_ns)
{
    struct world *w = context;
    (void)level;
    REQUIRE(output < OUTPUTS && (!w->write_pending || w->sent) && t_ns >= w->last_event);
    w->write_pending = true;
    w->written = output;
    w->active[output] = active;
    return t_ns;
}

static void on_event(void *context, const struct ax_io_event *e)
{
    struct world *w = context;
    REQUIRE(w->write_pending || e->kind != AX_IO_OUTPUT);
    REQUIRE(!w->write_pending || e->kind == AX_IO_OUTPUT || w->sent);
    w->write_pending = false;
    if (e->kind == AX_IO_FRAME) {
        REQUIRE(e->index < READERS && e->frame.result < AX_WIEGAND_RESULT_END && e->frame.nbits <= AX_WIEGAND_MAX_BITS);
        return;
    }
    REQUIRE(e->t_ns >= w->last_event);
    w->last_event = e->t_ns;
    if (e->kind == AX_IO_OUTPUT)
        REQUIRE(e->index == w->written && e->value == w->active[e->index] && e->reason != 0);
    if (e->kind == AX_IO_INPUT)
        w->input[e->index] = e->value != 0;
    if (e->kind == AX_IO_SEQUENCE_END) {
        REQUIRE(w->sequence[e->index]);
        w->sequence[e->index] = false;
        w->base[e->index] = true; /* its last state stays, whatever it was */
    }
}

static void feed(struct world *w, const uint8_t *r, uint64_t t)
{
    struct ax_edge edges[8];
    for (uint32_t i = 0; i < 8; i++) {
        edges[i] = (struct ax_edge){t, r[2] >> (i / 2) & 1, i & 1};
        t += i & 1 ? 500000 + (uint64_t)r[3] * 20000 : 1000 + (uint64_t)r[2] * 300;
    }
    if (r[3] == 7) /* something no line does */
        edges[5].level = r[2];
    REQUIRE(ax_io_edges(w->io, r[1] % READERS, edges, 8, r[0]) == AX_OK);
}

static void sequence(struct world *w, const uint8_t *r, uint32_t output)
{
    struct ax_io_step steps[5];
    size_t n = r[3] % 5 + 1;
    for (size_t i = 0; i < n; i++)
        steps[i] = (struct ax_io_step){(uint64_t)(r[3] >> i & 7) * 1000000, r[2] >> i & 1};
    bool busy = w->sequence[output];
    w->sequence[output] = true;
    REQUIRE(ax_io_sequence(w->io, w->now, output, steps, n, r[0]) == (busy ? AX_E_STATE : AX_OK));
}

static void send(struct world *w, const uint8_t *r, uint32_t output)
{
    struct ax_io_frame frame = {.output = {output, (output + 1) % OUTPUTS}, .nbits = (uint32_t)r[3] + 1};
    frame.timing = (struct ax_wiegand_timing){.pulse_ns = 1 + r[2] * 1000u, .interval_ns = 500000, .gap_ns = r[3] * 100000u};
    for (int i = 0; i < 4; i++)
        frame.bits[i] = (uint64_t)r[2] * 0x0101010101010101 >> i;
    bool busy = ax_io_sending(w->io);
    w->sent = true;
    REQUIRE(ax_io_send(w->io, w->now, &frame) == (busy ? AX_E_STATE : AX_OK));
    REQUIRE(ax_io_sending(w->io));
}

static void configure_input(struct world *w, const uint8_t *r)
{
    uint32_t input = r[1] % INPUTS;
    struct ax_io_input_config config = {.debounce_ns = (uint64_t)r[2] * 100000, .normal_high = r[3] & 1};
    config.rex_output = (int8_t)((r[3] >> 1) % (OUTPUTS + 1) - 1);
    config.rex_hold_ns = (uint64_t)r[3] * 1000000;
    w->rex_output[input] = config.rex_output;
    REQUIRE(ax_io_configure_input(w->io, w->now, input, &config) == AX_OK);
}

static void step(struct world *w, const uint8_t *r)
{
    uint32_t output = r[1] % OUTPUTS;
    bool on = r[2] & 1;
    uint32_t ticks;
    memcpy(&ticks, r + 4, sizeof ticks);
    w->now += ticks % 50000000;
    REQUIRE(ax_io_advance(w->io, w->now) == AX_OK); /* so that the shadow sees sequences end */
    switch (r[0] % 12) {
    case 0: REQUIRE(ax_io_input(w->io, w->now, r[1] % INPUTS, on, r[3]) == AX_OK); break;
    case 1: feed(w, r, w->now); break;
    case 2:
        w->base[output] = on;
        REQUIRE(ax_io_set(w->io, w->now, output, on, r[3]) == AX_OK);
        break;
    case 3:
        REQUIRE(ax_io_pulse(w->io, w->now, output, on, ((uint64_t)r[3] + 1) * 500000, r[3]) == AX_OK);
        break;
    case 4:
        w->hold[output] = on;
        REQUIRE(ax_io_hold(w->io, w->now, output, on, r[3] & 1, r[3]) == AX_OK);
        break;
    case 5: sequence(w, r, output); break;
    case 6:
        REQUIRE(ax_io_fault(w->io, w->now, output, r[3]) == AX_OK);
        w->base[output] = true;
        w->hold[output] = false;
        break;
    case 7: configure_input(w, r); break;
    case 8: {
        struct ax_io_output_config config = {.normal_high = on, .fault_active = r[3] & 1};
        REQUIRE(ax_io_configure_output(w->io, w->now, output, &config) == AX_OK);
        w->base[output] = w->hold[output] = false;
        break;
    }
    case 9: REQUIRE(ax_io_end(w->io, w->now, output, r[3]) == AX_OK); break;
    case 10: send(w, r, output); break;
    default: ax_io_key(w->io, w->now, r[1], (char)r[2], r[3]); break;
    }
}

static void check(struct world *w)
{
    REQUIRE(!w->write_pending || w->sent);
    w->write_pending = false;
    for (uint32_t i = 0; i < OUTPUTS; i++)
        REQUIRE(ax_io_output_active(w->io, i) == w->active[i]);
    for (uint32_t i = 0; i < INPUTS; i++) {
        REQUIRE(ax_io_input_active(w->io, i) == w->input[i]);
        if (w->input[i] && w->rex_output[i] >= 0)
            REQUIRE(w->active[w->rex_output[i]]);
    }
}

static void finish(struct world *w)
{
    REQUIRE(ax_io_advance(w->io, w->now += 60000000000) == AX_OK);
    REQUIRE(ax_io_deadline(w->io) == AX_NEVER);
    for (uint32_t i = 0; i < OUTPUTS; i++) {
        bool pressed = false;
        for (uint32_t k = 0; k < INPUTS; k++)
            pressed |= w->input[k] && w->rex_output[k] == (int8_t)i;
        REQUIRE(!w->active[i] || pressed || w->base[i] || w->hold[i]);
        REQUIRE(!w->sequence[i]);
    }
    REQUIRE(ax_io_rest(w->io, w->now) == AX_OK);
    for (uint32_t i = 0; i < OUTPUTS; i++)
        REQUIRE(!w->active[i] || w->base[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.now = 1};
    const struct ax_io_sink sink = {&w, on_write, on_event};
    struct ax_io_config config = {.inputs = INPUTS, .outputs = OUTPUTS, .readers = READERS};
    for (uint32_t i = 0; i < INPUTS; i++) {
        config.input[i] = (struct ax_io_input_config){i * 1000000, i & 1, i < 2 ? (int8_t)i : -1, 30000000};
        w.rex_output[i] = config.input[i].rex_output;
    }
    for (uint32_t i = 0; i < OUTPUTS; i++)
        config.output[i] = (struct ax_io_output_config){i & 1, i == 2};
    for (uint32_t i = 0; i < READERS; i++)
        ax_wiegand_defaults(&config.reader[i]);
    REQUIRE(ax_io_new(&w.io, &config, &sink) == AX_OK);
    for (; size >= 8; data += 8, size -= 8) {
        step(&w, data);
        check(&w);
        REQUIRE(ax_io_advance(w.io, w.now) == AX_OK);
        REQUIRE(ax_io_deadline(w.io) > w.now);
    }
    finish(&w);
    ax_io_free(w.io);
    return 0;
}
