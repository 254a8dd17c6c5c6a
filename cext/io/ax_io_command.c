/* Commands to the I/O thread: checked and queued in the caller's thread, done in the I/O thread. */
#include "ax_io_thread_internal.h"

static void do_command(struct ax_io_thread *t, const struct command *c, uint64_t now_ns)
{
    struct ax_io *io = t->core;
    switch ((enum command_kind)c->kind) {
    case COMMAND_SET: ax_io_set(io, now_ns, c->index, c->active, c->token); break;
    case COMMAND_PULSE: ax_io_pulse(io, now_ns, c->index, c->active, c->value, c->token); break;
    case COMMAND_HOLD: ax_io_hold(io, now_ns, c->index, c->on, c->active, c->token); break;
    case COMMAND_SEQUENCE: ax_io_sequence(io, now_ns, c->index, t->steps[c->index], c->value, c->token); break;
    case COMMAND_END: ax_io_end(io, now_ns, c->index, c->token); break;
    case COMMAND_FAULT: ax_io_fault(io, now_ns, c->index, c->token); break;
    case COMMAND_INPUT_CONFIG: ax_io_configure_input(io, now_ns, c->index, &c->config.input); break;
    case COMMAND_OUTPUT_CONFIG: ax_io_configure_output(io, now_ns, c->index, &c->config.output); break;
    case COMMAND_READER_CONFIG: ax_io_configure_reader(io, c->index, &c->config.reader); break;
    case COMMAND_INPUT: ax_io_input(io, c->t_ns, c->index, c->active, c->token); break;
    case COMMAND_KEY: ax_io_key(io, c->t_ns, c->index, (char)c->value, c->token); break;
    case COMMAND_LABEL: {
        struct ax_io_event event = {
            .t_ns = c->t_ns, .kind = AX_IO_LABEL, .value = (uint32_t)c->value, .token = c->token,
        };
        io_thread_event(t, &event);
        break;
    }
    }
}

void io_thread_commands(struct ax_io_thread *t, uint64_t now_ns)
{
    struct command command;
    while (ax_ring_pop(&t->commands, &command)) {
        do_command(t, &command, now_ns);
        if (command.kind <= COMMAND_END)
            io_thread_answered(t, now_ns);
    }
}

void io_thread_send(struct ax_io_thread *t, uint64_t now_ns)
{
    struct ax_io_frame frame;
    if (!ax_io_sending(t->core) && ax_ring_pop(&t->frames, &frame))
        ax_io_send(t->core, now_ns, &frame);
}

static int queue(struct ax_io_thread *t, const struct command *command)
{
    pthread_mutex_lock(&t->producers);
    bool pushed = ax_ring_push(&t->commands, command);
    pthread_mutex_unlock(&t->producers);
    if (!pushed)
        return AX_E_FULL;
    io_thread_kick(t);
    return AX_OK;
}

/* A stimulus is dated when the queue is ours: the order in the queue is the order in time. */
static int queue_stimulus(struct ax_io_thread *t, struct command *command)
{
    pthread_mutex_lock(&t->producers);
    command->t_ns = ax_monotonic_ns();
    bool pushed = ax_ring_push(&t->commands, command);
    pthread_mutex_unlock(&t->producers);
    if (!pushed)
        return AX_E_FULL;
    io_thread_kick(t);
    return AX_OK;
}

static int queue_output(struct ax_io_thread *t, const struct command *command)
{
    if (t == NULL)
        return AX_E_ARG;
    return command->index < t->config.io.outputs ? queue(t, command) : AX_E_RANGE;
}

int ax_io_thread_set(struct ax_io_thread *t, uint32_t output, bool active, uint64_t token)
{
    return queue_output(t, &(struct command){.kind = COMMAND_SET, .index = output, .active = active, .token = token});
}

int ax_io_thread_pulse(struct ax_io_thread *t, uint32_t output, bool active, uint64_t duration_ns, uint64_t token)
{
    if (duration_ns == 0)
        return AX_E_RANGE;
    return queue_output(t, &(struct command){
        .kind = COMMAND_PULSE, .index = output, .active = active, .value = duration_ns, .token = token});
}

int ax_io_thread_hold(struct ax_io_thread *t, uint32_t output, bool on, bool active, uint64_t token)
{
    return queue_output(t, &(struct command){
        .kind = COMMAND_HOLD, .index = output, .on = on, .active = active, .token = token});
}

int ax_io_thread_end(struct ax_io_thread *t, uint32_t output, uint64_t token)
{
    return queue_output(t, &(struct command){.kind = COMMAND_END, .index = output, .token = token});
}

int ax_io_thread_fault(struct ax_io_thread *t, uint32_t output, uint64_t token)
{
    return queue_output(t, &(struct command){.kind = COMMAND_FAULT, .index = output, .token = token});
}

int ax_io_thread_sequence(struct ax_io_thread *t, uint32_t output, const struct ax_io_step *steps, size_t n, uint64_t token)
{
    if (t == NULL || steps == NULL)
        return AX_E_ARG;
    if (output >= t->config.io.outputs || n == 0 || n > AX_IO_MAX_SEQUENCE)
        return AX_E_RANGE;
    for (size_t i = 0; i < n; i++)
        if (steps[i].active > 1)
            return AX_E_RANGE;
    if (atomic_exchange(&t->sequence_busy[output], true))
        return AX_E_STATE;
    memcpy(t->steps[output], steps, n * sizeof *steps);
    int err = queue(t, &(struct command){.kind = COMMAND_SEQUENCE, .index = output, .value = n, .token = token});
    if (err != AX_OK)
        atomic_store(&t->sequence_busy[output], false);
    return err;
}

int ax_io_thread_send(struct ax_io_thread *t, const struct ax_io_frame *frames, size_t n)
{
    if (t == NULL || frames == NULL)
        return AX_E_ARG;
    if (n == 0)
        return AX_E_RANGE;
    for (size_t i = 0; i < n; i++)
        if (ax_io_check_frame(&frames[i], t->config.io.outputs) != AX_OK)
            return AX_E_RANGE;
    pthread_mutex_lock(&t->producers);
    bool room = ax_ring_room(&t->frames) >= n;
    for (size_t i = 0; room && i < n; i++)
        ax_ring_push(&t->frames, &frames[i]);
    pthread_mutex_unlock(&t->producers);
    if (!room)
        return AX_E_FULL;
    io_thread_kick(t);
    return AX_OK;
}

int ax_io_thread_configure_input(struct ax_io_thread *t, uint32_t input, const struct ax_io_input_config *config)
{
    if (t == NULL || config == NULL)
        return AX_E_ARG;
    if (input >= t->config.io.inputs || io_check_input(config, t->config.io.outputs) != AX_OK)
        return AX_E_RANGE;
    return queue(t, &(struct command){.kind = COMMAND_INPUT_CONFIG, .index = input, .config.input = *config});
}

int ax_io_thread_configure_output(struct ax_io_thread *t, uint32_t output, const struct ax_io_output_config *config)
{
    if (t == NULL || config == NULL)
        return AX_E_ARG;
    if (config->normal_high > 1 || config->fault_active > 1)
        return AX_E_RANGE;
    return queue_output(t, &(struct command){.kind = COMMAND_OUTPUT_CONFIG, .index = output, .config.output = *config});
}

int ax_io_thread_configure_reader(struct ax_io_thread *t, uint32_t reader, const struct ax_wiegand_config *config)
{
    if (t == NULL || config == NULL)
        return AX_E_ARG;
    if (reader >= t->config.io.readers)
        return AX_E_RANGE;
    struct ax_wiegand *probe; /* the decoder knows which windows contradict each other */
    int err = ax_wiegand_new(&probe, config);
    if (err != AX_OK)
        return err;
    ax_wiegand_free(probe);
    err = queue(t, &(struct command){.kind = COMMAND_READER_CONFIG, .index = reader, .config.reader = *config});
    if (err != AX_OK)
        return err;
    pthread_mutex_lock(&t->producers);
    t->gap_ns[reader] = config->frame_gap_ns;
    pthread_mutex_unlock(&t->producers);
    return AX_OK;
}

int ax_io_thread_feed_input(struct ax_io_thread *t, uint32_t input, bool level, uint64_t token)
{
    if (t == NULL)
        return AX_E_ARG;
    if (input >= t->config.io.inputs)
        return AX_E_RANGE;
    return queue_stimulus(t, &(struct command){.kind = COMMAND_INPUT, .index = input, .active = level, .token = token});
}

int ax_io_thread_feed_key(struct ax_io_thread *t, uint32_t keypad, char key, uint64_t token)
{
    if (t == NULL)
        return AX_E_ARG;
    if (key == '\0' || strchr("0123456789*#C", key) == NULL)
        return AX_E_RANGE;
    return queue_stimulus(t, &(struct command){
        .kind = COMMAND_KEY, .index = keypad, .value = (unsigned char)key, .token = token});
}

int ax_io_thread_feed_label(struct ax_io_thread *t, uint32_t value, uint64_t token)
{
    if (t == NULL)
        return AX_E_ARG;
    return queue_stimulus(t, &(struct command){.kind = COMMAND_LABEL, .value = value, .token = token});
}
