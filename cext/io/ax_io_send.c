/* Frames on two outputs, as a reader sends them (SIA AC-01, 26-bit interface; ax/io.h).
 *
 * Both lines are one frame and have one clock. What is late is never made up for: the end of a pulse and the start of the
 * next bit count from when their pin was written, so that a receiver never sees a pulse that is too short, two bits in one,
 * or bits of the two lines in another order. */
#include "ax_io_internal.h"

#include "ax/err.h"

#include <string.h>

int ax_io_check_frame(const struct ax_io_frame *frame, uint32_t outputs)
{
    if (frame == NULL)
        return AX_E_ARG;
    if (frame->output[0] >= outputs || frame->output[1] >= outputs || frame->output[0] == frame->output[1])
        return AX_E_RANGE;
    if (frame->nbits == 0 || frame->nbits > AX_WIEGAND_MAX_BITS)
        return AX_E_RANGE;
    if (frame->timing.pulse_ns == 0 || frame->timing.interval_ns <= frame->timing.pulse_ns)
        return AX_E_RANGE;
    return AX_OK;
}

static uint32_t line_of(const struct io_sender *s)
{
    uint32_t place = s->frame.nbits - 1 - s->at;
    return s->frame.output[s->frame.bits[place / 64] >> place % 64 & 1];
}

static void start_bit(struct ax_io *io, struct io_sender *s)
{
    uint64_t written_ns = io_output_bit(io, line_of(s), true);
    s->pulse = true;
    s->next_ns = io_later(written_ns, s->frame.timing.interval_ns);
    s->due_ns = io_later(written_ns, s->frame.timing.pulse_ns);
}

static void end_bit(struct ax_io *io, struct io_sender *s)
{
    const struct ax_wiegand_timing *timing = &s->frame.timing;
    uint64_t written_ns = io_output_bit(io, line_of(s), false);
    s->pulse = false;
    if (++s->at == s->frame.nbits) {
        s->due_ns = io_later(written_ns, timing->gap_ns);
        return;
    }
    uint32_t rest_ns = timing->interval_ns - timing->pulse_ns; /* after a late end at least as long as the pulse */
    uint64_t rested_ns = io_later(written_ns, rest_ns < timing->pulse_ns ? rest_ns : timing->pulse_ns);
    s->due_ns = s->next_ns > rested_ns ? s->next_ns : rested_ns;
}

void io_sender_due(struct ax_io *io, uint32_t index)
{
    struct io_sender *s = &io->sender;
    (void)index;
    if (s->pulse)
        end_bit(io, s);
    else if (s->at < s->frame.nbits)
        start_bit(io, s);
    else {
        s->busy = false;
        s->due_ns = AX_NEVER;
    }
}

void io_sender_drop(struct ax_io *io, uint32_t output)
{
    struct io_sender *s = &io->sender;
    if (!s->busy || (s->frame.output[0] != output && s->frame.output[1] != output))
        return;
    if (s->pulse)
        io_output_bit(io, line_of(s), false);
    s->busy = s->pulse = false;
    s->due_ns = AX_NEVER;
}

int ax_io_send(struct ax_io *io, uint64_t t_ns, const struct ax_io_frame *frame)
{
    if (io == NULL)
        return AX_E_ARG;
    int err = ax_io_check_frame(frame, io->outputs);
    if (err == AX_OK)
        err = ax_io_advance(io, t_ns);
    if (err != AX_OK)
        return err;
    struct io_sender *s = &io->sender;
    if (s->busy)
        return AX_E_STATE;
    memset(s, 0, sizeof *s);
    s->frame = *frame;
    s->busy = true;
    s->due_ns = io->now_ns;
    return ax_io_advance(io, io->now_ns);
}

bool ax_io_sending(const struct ax_io *io)
{
    return io != NULL && io->sender.busy;
}
