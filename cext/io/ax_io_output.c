/* The outputs of the I/O core: claims on a pin, and which one wins (ax/io.h).
 *
 *   REX  >  bit of a frame  >  pulse or sequence, whichever is newer  >  hold  >  base
 *
 * A claim that is outranked keeps running: a pulse under a REX ends on its own time. Every change goes through `show`, the
 * only place that writes a pin. */
#include "ax_io_internal.h"

#include "ax/err.h"

#include <string.h>

void io_output_init(struct io_output *out, const struct ax_io_output_config *config)
{
    memset(out, 0, sizeof *out);
    out->config = *config;
    out->level = config->normal_high;
}

static bool wanted(const struct io_output *out)
{
    if (out->rex || out->bit)
        return true;
    bool sequence = out->sequence.n > 0;
    if (sequence && (!out->pulse || out->sequence.order > out->pulse_order))
        return out->sequence.step[out->sequence.at].active;
    if (out->pulse)
        return out->pulse_active;
    return out->hold ? out->hold_active : out->base;
}

/* Gives when the pin was written. */
static uint64_t show(struct ax_io *io, uint32_t output, uint32_t reason, uint64_t token)
{
    struct io_output *out = &io->output[output];
    bool active = wanted(out);
    bool level = active != (bool)out->config.normal_high;
    if (active == out->active && level == out->level)
        return io->now_ns;
    out->active = active;
    out->level = level;
    uint64_t written_ns = io->sink.write(io->sink.context, output, level, active, io->now_ns);
    if (reason != AX_IO_BY_FRAME)
        io_emit(io, AX_IO_OUTPUT, output, active, reason, token);
    return written_ns;
}

uint64_t io_output_bit(struct ax_io *io, uint32_t output, bool active)
{
    io->output[output].bit = active;
    return show(io, output, AX_IO_BY_FRAME, 0);
}

/* Common start of every command: is it for an output that we have, and everything due before it is done. */
static int begin(struct ax_io *io, uint64_t t_ns, uint32_t output)
{
    if (io == NULL)
        return AX_E_ARG;
    if (output >= io->outputs)
        return AX_E_RANGE;
    return ax_io_advance(io, t_ns);
}

/* --- free egress ----------------------------------------------------------------------------------------------------- */

void io_output_press(struct ax_io *io, uint32_t output, uint32_t input, uint64_t hold_ns, uint64_t token)
{
    struct io_output *out = &io->output[output];
    uint64_t due_ns = io_later(io->now_ns, hold_ns);
    if (!out->rex || due_ns > out->rex_due_ns)
        out->rex_due_ns = due_ns;
    out->rex = true;
    out->rex_pressed |= UINT32_C(1) << input;
    out->rex_token = token;
    show(io, output, AX_IO_BY_REX, token);
}

static bool rex_over(struct ax_io *io, struct io_output *out)
{
    if (!out->rex || out->rex_pressed != 0 || out->rex_due_ns > io->now_ns)
        return false;
    out->rex = false;
    return true;
}

void io_output_release(struct ax_io *io, uint32_t output, uint32_t input)
{
    io->output[output].rex_pressed &= ~(UINT32_C(1) << input);
    if (rex_over(io, &io->output[output]))
        show(io, output, AX_IO_BY_REX_END, io->output[output].rex_token);
}

/* --- what falls due -------------------------------------------------------------------------------------------------- */

uint64_t io_output_deadline(const struct io_output *out)
{
    uint64_t due_ns = AX_NEVER;
    if (out->rex && out->rex_pressed == 0)
        due_ns = out->rex_due_ns;
    if (out->pulse && out->pulse_due_ns < due_ns)
        due_ns = out->pulse_due_ns;
    if (out->sequence.n > 0 && out->sequence.due_ns < due_ns)
        due_ns = out->sequence.due_ns;
    return due_ns;
}

/* The present step is over. True when it was the last one: its state stays as base. */
static bool next_step(struct io_output *out)
{
    struct io_sequence *seq = &out->sequence;
    if (seq->at + 1 < seq->n) {
        seq->at++;
        seq->due_ns = io_later(seq->due_ns, seq->step[seq->at].after_ns);
        return false;
    }
    out->base = seq->step[seq->at].active;
    seq->n = 0;
    return true;
}

/* Claims that end at the same time end together: the pin does not blink from one to the next. */
void io_output_due(struct ax_io *io, uint32_t output)
{
    struct io_output *out = &io->output[output];
    uint32_t reason = AX_IO_BY_SEQUENCE;
    uint64_t token = out->sequence.token;
    bool ended = out->sequence.n > 0 && out->sequence.due_ns <= io->now_ns && next_step(out);
    if (out->pulse && out->pulse_due_ns <= io->now_ns) {
        out->pulse = false;
        reason = AX_IO_BY_PULSE_END;
        token = out->pulse_token;
    }
    if (rex_over(io, out)) {
        reason = AX_IO_BY_REX_END;
        token = out->rex_token;
    }
    show(io, output, reason, token);
    if (ended)
        io_emit(io, AX_IO_SEQUENCE_END, output, 1, AX_IO_BY_SEQUENCE, out->sequence.token);
}

/* --- commands -------------------------------------------------------------------------------------------------------- */

int ax_io_set(struct ax_io *io, uint64_t t_ns, uint32_t output, bool active, uint64_t token)
{
    int err = begin(io, t_ns, output);
    if (err != AX_OK)
        return err;
    io->output[output].base = active;
    show(io, output, AX_IO_BY_SET, token);
    return AX_OK;
}

int ax_io_pulse(struct ax_io *io, uint64_t t_ns, uint32_t output, bool active, uint64_t duration_ns, uint64_t token)
{
    if (duration_ns == 0)
        return AX_E_RANGE;
    int err = begin(io, t_ns, output);
    if (err != AX_OK)
        return err;
    struct io_output *out = &io->output[output];
    uint64_t due_ns = io_later(io->now_ns, duration_ns);
    if (!out->pulse || out->pulse_active != active || due_ns > out->pulse_due_ns) {
        out->pulse_due_ns = due_ns;
        out->pulse_token = token;
    }
    out->pulse = true;
    out->pulse_active = active;
    out->pulse_order = ++io->orders;
    show(io, output, AX_IO_BY_PULSE, token);
    return AX_OK;
}

int ax_io_hold(struct ax_io *io, uint64_t t_ns, uint32_t output, bool on, bool active, uint64_t token)
{
    int err = begin(io, t_ns, output);
    if (err != AX_OK)
        return err;
    io->output[output].hold = on;
    io->output[output].hold_active = active;
    show(io, output, AX_IO_BY_HOLD, token);
    return AX_OK;
}

int ax_io_sequence(struct ax_io *io, uint64_t t_ns, uint32_t output, const struct ax_io_step *steps, size_t n, uint64_t token)
{
    if (steps == NULL)
        return AX_E_ARG;
    if (n == 0 || n > AX_IO_MAX_SEQUENCE)
        return AX_E_RANGE;
    for (size_t i = 0; i < n; i++)
        if (steps[i].active > 1)
            return AX_E_RANGE;
    int err = begin(io, t_ns, output);
    if (err != AX_OK)
        return err;
    struct io_sequence *seq = &io->output[output].sequence;
    if (seq->n > 0)
        return AX_E_STATE;
    memcpy(seq->step, steps, n * sizeof *steps);
    seq->n = (uint32_t)n;
    seq->at = 0;
    seq->due_ns = io_later(io->now_ns, steps[0].after_ns);
    seq->order = ++io->orders;
    seq->token = token;
    show(io, output, AX_IO_BY_SEQUENCE, token);
    return ax_io_advance(io, io->now_ns); /* steps without a wait */
}

int ax_io_end(struct ax_io *io, uint64_t t_ns, uint32_t output, uint64_t token)
{
    int err = begin(io, t_ns, output);
    if (err != AX_OK)
        return err;
    struct io_output *out = &io->output[output];
    out->pulse = false;
    if (out->rex)
        out->rex_due_ns = io->now_ns; /* a button that is held keeps it open */
    uint32_t reason = rex_over(io, out) ? AX_IO_BY_REX_END : AX_IO_BY_PULSE_END;
    show(io, output, reason, token);
    return AX_OK;
}

/* Drop frame, pulse, sequence and hold; the pin is not touched yet. */
static void drop_claims(struct ax_io *io, uint32_t output, uint32_t reason)
{
    struct io_output *out = &io->output[output];
    io_sender_drop(io, output);
    out->hold = out->pulse = false;
    if (out->sequence.n > 0) {
        out->sequence.n = 0;
        io_emit(io, AX_IO_SEQUENCE_END, output, 0, reason, out->sequence.token);
    }
}

int ax_io_fault(struct ax_io *io, uint64_t t_ns, uint32_t output, uint64_t token)
{
    int err = begin(io, t_ns, output);
    if (err != AX_OK)
        return err;
    drop_claims(io, output, AX_IO_BY_FAULT);
    io->output[output].base = io->output[output].config.fault_active;
    show(io, output, AX_IO_BY_FAULT, token);
    return AX_OK;
}

int ax_io_configure_output(struct ax_io *io, uint64_t t_ns, uint32_t output, const struct ax_io_output_config *config)
{
    if (config == NULL)
        return AX_E_ARG;
    if (config->normal_high > 1 || config->fault_active > 1)
        return AX_E_RANGE;
    int err = begin(io, t_ns, output);
    if (err != AX_OK)
        return err;
    drop_claims(io, output, AX_IO_BY_CONFIG);
    io->output[output].base = false;
    io->output[output].config = *config;
    show(io, output, AX_IO_BY_CONFIG, 0);
    return AX_OK;
}

int ax_io_rest(struct ax_io *io, uint64_t t_ns)
{
    int err = ax_io_advance(io, t_ns);
    for (uint32_t i = 0; err == AX_OK && i < io->outputs; i++) {
        drop_claims(io, i, AX_IO_BY_STOP);
        io->output[i].rex = false;
        io->output[i].rex_pressed = 0;
        show(io, i, AX_IO_BY_STOP, 0);
    }
    return err;
}
