/* The I/O core: inputs, readers and time. The outputs and their claims are in ax_io_output.c; the contract, units and
 * threads are in ax/io.h.
 *
 * Time: every call first does what fell due before it, each at its own time and in time order, so that a late caller gets
 * the same events as a punctual one. Stimuli may come late (the kernel dated them): they count from their own time, but
 * no event is dated before the one that went before it, except a frame, which says when it was complete. */
#include "ax_io_internal.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_BATCH 4

void io_emit(struct ax_io *io, uint32_t kind, uint32_t index, uint32_t value, uint32_t reason, uint64_t token)
{
    struct ax_io_event event = {
        .t_ns = io->now_ns, .kind = kind, .index = index, .value = value, .reason = reason, .token = token,
    };
    io->sink.event(io->sink.context, &event);
}

static void emit_frame(struct ax_io *io, uint32_t reader, const struct ax_wiegand_frame *frame)
{
    struct ax_io_event event = {
        .t_ns = frame->t_done_ns, .kind = AX_IO_FRAME, .index = reader, .token = io->reader_token[reader], .frame = *frame,
    };
    io->sink.event(io->sink.context, &event);
}

int io_check_input(const struct ax_io_input_config *config, uint32_t outputs)
{
    if (config->normal_high > 1 || config->rex_output < -1 || config->rex_output >= (int)outputs)
        return AX_E_RANGE;
    return AX_OK;
}

static int check_config(const struct ax_io_config *config)
{
    if (config->inputs > AX_IO_MAX_INPUTS || config->outputs > AX_IO_MAX_OUTPUTS || config->readers > AX_IO_MAX_READERS)
        return AX_E_RANGE;
    for (uint32_t i = 0; i < config->inputs; i++)
        if (io_check_input(&config->input[i], config->outputs) != AX_OK)
            return AX_E_RANGE;
    for (uint32_t i = 0; i < config->outputs; i++)
        if (config->output[i].normal_high > 1 || config->output[i].fault_active > 1)
            return AX_E_RANGE;
    return AX_OK;
}

int ax_io_new(struct ax_io **out, const struct ax_io_config *config, const struct ax_io_sink *sink)
{
    if (out == NULL || config == NULL || sink == NULL || sink->write == NULL || sink->event == NULL)
        return AX_E_ARG;
    *out = NULL;
    int err = check_config(config);
    if (err != AX_OK)
        return err;
    struct ax_io *io = calloc(1, sizeof *io);
    if (io == NULL)
        return AX_E_NOMEM;
    io->sink = *sink;
    io->inputs = config->inputs;
    io->outputs = config->outputs;
    io->sender.due_ns = AX_NEVER;
    for (uint32_t i = 0; i < config->inputs; i++) {
        struct io_input *in = &io->input[i];
        in->config = config->input[i];
        in->raw = in->level = in->config.normal_high;
        in->due_ns = AX_NEVER;
    }
    for (uint32_t i = 0; i < config->outputs; i++)
        io_output_init(&io->output[i], &config->output[i]);
    for (; io->readers < config->readers; io->readers++) {
        err = ax_wiegand_new(&io->reader[io->readers], &config->reader[io->readers]);
        if (err != AX_OK) {
            ax_io_free(io);
            return err;
        }
    }
    *out = io;
    return AX_OK;
}

void ax_io_free(struct ax_io *io)
{
    if (io == NULL)
        return;
    for (uint32_t i = 0; i < io->readers; i++)
        ax_wiegand_free(io->reader[i]);
    free(io);
}

/* Bring `active` in line with the accepted level, and the lock with it. `former` is the output that the input opened as
 * REX until now. The press comes last: a change of configuration never opens a lock in passing. */
static void settle_input(struct ax_io *io, uint32_t index, int former, uint32_t reason)
{
    struct io_input *in = &io->input[index];
    bool was = in->active;
    int output = in->config.rex_output;
    in->active = in->level != (bool)in->config.normal_high;
    if (in->active != was)
        io_emit(io, AX_IO_INPUT, index, in->active, reason, in->token);
    if (was && former >= 0 && (!in->active || output != former))
        io_output_release(io, (uint32_t)former, index);
    if (in->active && output >= 0 && (!was || output != former))
        io_output_press(io, (uint32_t)output, index, in->config.rex_hold_ns, in->token);
}

static void accept_input(struct ax_io *io, uint32_t index)
{
    io->input[index].level = io->input[index].raw;
    io->input[index].due_ns = AX_NEVER;
    settle_input(io, index, io->input[index].config.rex_output, 0);
}

static void reader_due(struct ax_io *io, uint32_t reader)
{
    struct ax_wiegand_frame frame;
    if (ax_wiegand_advance(io->reader[reader], io->now_ns, &frame) == 1)
        emit_frame(io, reader, &frame);
    if (ax_wiegand_deadline(io->reader[reader]) <= io->now_ns)
        ax_wiegand_reset(io->reader[reader]); /* whatever it waits for, this thread does not hang on it */
}

/* What falls due first: inputs before outputs before readers at the same time, so that a REX pressed in the instant in
 * which a pulse ends makes no gap. `readers` has one bit per reader that counts. */
#define ALL_READERS UINT32_MAX

struct due {
    uint64_t t_ns;
    void (*act)(struct ax_io *io, uint32_t index);
    uint32_t index;
};

static struct due first_due(const struct ax_io *io, uint32_t readers)
{
    struct due due = {AX_NEVER, NULL, 0};
    for (uint32_t i = 0; i < io->inputs; i++)
        if (io->input[i].due_ns < due.t_ns)
            due = (struct due){io->input[i].due_ns, accept_input, i};
    for (uint32_t i = 0; i < io->outputs; i++) {
        uint64_t t_ns = io_output_deadline(&io->output[i]);
        if (t_ns < due.t_ns)
            due = (struct due){t_ns, io_output_due, i};
    }
    if (io->sender.due_ns < due.t_ns)
        due = (struct due){io->sender.due_ns, io_sender_due, 0};
    for (uint32_t i = 0; i < io->readers; i++) {
        uint64_t t_ns = (readers >> i & 1) != 0 ? ax_wiegand_deadline(io->reader[i]) : AX_NEVER;
        if (t_ns < due.t_ns)
            due = (struct due){t_ns, reader_due, i};
    }
    return due;
}

static int run_until(struct ax_io *io, uint64_t now_ns, uint32_t readers)
{
    if (now_ns == AX_NEVER)
        return AX_E_RANGE;
    for (;;) {
        struct due due = first_due(io, readers);
        if (due.act == NULL || due.t_ns > now_ns)
            break;
        if (due.t_ns > io->now_ns)
            io->now_ns = due.t_ns;
        due.act(io, due.index);
    }
    if (now_ns > io->now_ns)
        io->now_ns = now_ns;
    return AX_OK;
}

int ax_io_advance(struct ax_io *io, uint64_t now_ns)
{
    return io == NULL ? AX_E_ARG : run_until(io, now_ns, ALL_READERS);
}

uint64_t ax_io_deadline(const struct ax_io *io)
{
    return io == NULL ? AX_NEVER : first_due(io, ALL_READERS).t_ns;
}

uint64_t ax_io_news_due(const struct ax_io *io, uint32_t *inputs)
{
    uint64_t due_ns = AX_NEVER;
    *inputs = 0;
    for (uint32_t i = 0; io != NULL && i < io->readers; i++) {
        uint64_t t_ns = ax_wiegand_deadline(io->reader[i]);
        due_ns = t_ns < due_ns ? t_ns : due_ns;
    }
    for (uint32_t i = 0; io != NULL && i < io->inputs; i++) {
        uint64_t t_ns = io->input[i].due_ns;
        due_ns = t_ns < due_ns ? t_ns : due_ns;
        *inputs |= (uint32_t)(t_ns != AX_NEVER) << i;
    }
    return due_ns;
}

int ax_io_input(struct ax_io *io, uint64_t t_ns, uint32_t input, bool level, uint64_t token)
{
    if (io == NULL)
        return AX_E_ARG;
    if (input >= io->inputs)
        return AX_E_RANGE;
    int err = ax_io_advance(io, t_ns);
    if (err != AX_OK)
        return err;
    struct io_input *in = &io->input[input];
    if (level == in->raw)
        return AX_OK;
    in->raw = level;
    in->token = token;
    if (level == in->level)
        in->due_ns = AX_NEVER;
    else if (in->config.debounce_ns == 0)
        accept_input(io, input);
    else
        in->due_ns = io_later(t_ns, in->config.debounce_ns);
    return AX_OK;
}

int ax_io_edges(struct ax_io *io, uint32_t reader, const struct ax_edge *edges, size_t n, uint64_t token)
{
    if (io == NULL || (edges == NULL && n > 0))
        return AX_E_ARG;
    if (reader >= io->readers)
        return AX_E_RANGE;
    if (n == 0)
        return AX_OK;
    /* A frame that ended before these edges is of the former token. The other readers wait: their edges of the same time
     * may still be on their way. */
    int err = run_until(io, edges[0].t_ns, UINT32_C(1) << reader);
    if (err != AX_OK)
        return err;
    io->reader_token[reader] = token;
    while (n > 0) {
        struct ax_wiegand_frame frames[FRAME_BATCH];
        size_t consumed = 0;
        int count = ax_wiegand_feed(io->reader[reader], edges, n, frames, FRAME_BATCH, &consumed);
        if (count < 0)
            return count;
        for (int i = 0; i < count; i++)
            emit_frame(io, reader, &frames[i]);
        if (consumed == 0 && count == 0)
            return AX_E_STATE;
        edges += consumed;
        n -= consumed;
    }
    return AX_OK;
}

int ax_io_key(struct ax_io *io, uint64_t t_ns, uint32_t keypad, char key, uint64_t token)
{
    if (io == NULL)
        return AX_E_ARG;
    if (key == '\0' || strchr("0123456789*#C", key) == NULL)
        return AX_E_RANGE;
    int err = ax_io_advance(io, t_ns);
    if (err == AX_OK)
        io_emit(io, AX_IO_KEY, keypad, (uint32_t)key, 0, token);
    return err;
}

int ax_io_configure_input(struct ax_io *io, uint64_t t_ns, uint32_t input, const struct ax_io_input_config *config)
{
    if (io == NULL || config == NULL)
        return AX_E_ARG;
    if (input >= io->inputs || io_check_input(config, io->outputs) != AX_OK)
        return AX_E_RANGE;
    int err = ax_io_advance(io, t_ns);
    if (err != AX_OK)
        return err;
    struct io_input *in = &io->input[input];
    int former = in->config.rex_output;
    if (in->due_ns != AX_NEVER) /* a change under way gets the new debounce time, from now */
        in->due_ns = io_later(io->now_ns, config->debounce_ns);
    in->config = *config;
    settle_input(io, input, former, AX_IO_BY_CONFIG);
    return ax_io_advance(io, io->now_ns);
}

int ax_io_configure_reader(struct ax_io *io, uint32_t reader, const struct ax_wiegand_config *config)
{
    if (io == NULL || config == NULL)
        return AX_E_ARG;
    if (reader >= io->readers)
        return AX_E_RANGE;
    return ax_wiegand_configure(io->reader[reader], config);
}

bool ax_io_input_active(const struct ax_io *io, uint32_t input)
{
    return io != NULL && input < io->inputs && io->input[input].active;
}

bool ax_io_output_active(const struct ax_io *io, uint32_t output)
{
    return io != NULL && output < io->outputs && io->output[output].active;
}
