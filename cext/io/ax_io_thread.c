/* The native I/O thread: life cycle, the turn, and the way of events out (contract in ax/io_thread.h).
 *
 * Sleep and wake: the thread swaps `asleep` to 1 and then looks into the queues; whoever filled a queue swaps it to 0 and,
 * if it was 1, writes the eventfd. The two swaps are on one variable, so one of them is first: either the thread sees what
 * was queued, or the other one sees that it must wake the thread. A busy thread costs a producer no system call. */
#define _GNU_SOURCE /* ppoll */
#include "ax_io_thread_internal.h"

#include "ax/thread.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

uint64_t ax_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void count(atomic_ullong *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void io_write_eventfd(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one); /* full means: it is readable already */
    (void)written;
}

bool io_clear_eventfd(int fd)
{
    uint64_t value;
    return read(fd, &value, sizeof value) == (ssize_t)sizeof value;
}

void io_thread_kick(struct ax_io_thread *t)
{
    if (atomic_exchange(&t->asleep, 0) == 1)
        io_write_eventfd(t->wake_fd);
}

/* --- events out ------------------------------------------------------------------------------------------------------ */

static void tell_dropped(struct ax_io_thread *t)
{
    struct ax_io_event event = {.t_ns = ax_monotonic_ns(), .kind = AX_IO_DROPPED};
    event.value = t->dropped_untold < UINT32_MAX ? (uint32_t)t->dropped_untold : UINT32_MAX;
    if (!ax_ring_push(&t->events, &event))
        return;
    t->dropped_untold = 0;
    atomic_store(&t->starved, false);
    t->told = true;
}

static void push_event(struct ax_io_thread *t, const struct ax_io_event *event)
{
    if (t->dropped_untold > 0)
        tell_dropped(t);
    if (t->dropped_untold == 0 && ax_ring_push(&t->events, event)) {
        t->told = true;
        return;
    }
    t->dropped_untold++;
    count(&t->dropped);
    atomic_store(&t->starved, true);
}

void io_thread_event(void *context, const struct ax_io_event *event)
{
    struct ax_io_thread *t = context;
    struct ax_io_event told = *event;
    if (event->kind == AX_IO_OUTPUT)
        told.t_ns = t->write_ns;
    else if (event->kind == AX_IO_INPUT) {
        atomic_store_explicit(&t->input_active[event->index], event->value != 0, memory_order_relaxed);
        atomic_store_explicit(&t->reading_ns, 0, memory_order_relaxed);
    }
    else if (event->kind == AX_IO_FRAME)
        atomic_store_explicit(&t->reading_ns, 0, memory_order_relaxed);
    else if (event->kind == AX_IO_SEQUENCE_END)
        atomic_store(&t->sequence_busy[event->index], false);
    if (event->kind == AX_IO_INPUT || event->kind == AX_IO_FRAME)
        io_thread_asked(t, ax_monotonic_ns());
    push_event(t, &told);
}

static uint64_t write_pin(void *context, uint32_t output, bool level, bool active, uint64_t t_ns)
{
    struct ax_io_thread *t = context;
    (void)t_ns; /* when it was due; what counts outside is when it was done */
    if (t->gpio != NULL && ax_gpio_write(t->gpio, output, level) != AX_OK)
        count(&t->gpio_errors);
    t->write_ns = ax_monotonic_ns();
    atomic_store_explicit(&t->output_active[output], active, memory_order_relaxed);
    io_tap_send(&t->tap, t->config.output_name[output], active, t->write_ns);
    return t->write_ns;
}

/* --- the turn -------------------------------------------------------------------------------------------------------- */

static void on_gpio_edges(void *context, uint32_t reader, const struct ax_edge *edges, size_t n)
{
    struct ax_io_thread *t = context;
    io_thread_reading(t, ax_monotonic_ns());
    ax_io_edges(t->core, reader, edges, n, 0);
}

static void on_gpio_input(void *context, uint64_t t_ns, uint32_t input, bool level)
{
    ax_io_input(((struct ax_io_thread *)context)->core, t_ns, input, level, 0);
}

static void read_gpio(struct ax_io_thread *t, uint64_t now_ns)
{
    const struct ax_gpio_sink sink = {t, on_gpio_edges, on_gpio_input};
    if (ax_gpio_read(t->gpio, now_ns, &sink) != AX_OK)
        count(&t->gpio_errors);
    atomic_store_explicit(&t->lost_edges, ax_gpio_lost(t->gpio), memory_order_relaxed);
}

/* Edges and inputs come before commands: a command brings the core to `now`, and a frame whose edges still wait must not
 * be taken for over. For the same reason GPIO lines are read in every turn, whatever woke the thread. */
static void turn(struct ax_io_thread *t)
{
    uint64_t now_ns = ax_monotonic_ns();
    io_thread_play(t, now_ns);
    if (t->gpio != NULL)
        read_gpio(t, now_ns);
    io_thread_commands(t, now_ns);
    ax_io_advance(t->core, now_ns);
    io_thread_send(t, now_ns);
    uint32_t changing;
    atomic_store_explicit(&t->news_due_ns, ax_io_news_due(t->core, &changing), memory_order_relaxed);
    if ((changing & ~atomic_exchange_explicit(&t->changing, changing, memory_order_relaxed)) != 0)
        io_thread_reading(t, now_ns);
    if (t->dropped_untold > 0)
        tell_dropped(t);
    if (t->told)
        io_write_eventfd(t->event_fd);
    t->told = false;
    io_light_turn(t->light, &t->tap, now_ns);
    atomic_fetch_add_explicit(&t->progress, 1, memory_order_relaxed);
}

bool io_thread_commands_wait(struct ax_io_thread *t)
{
    if (ax_ring_peek(&t->frames) != NULL && !ax_io_sending(t->core))
        return true;
    return ax_ring_peek(&t->commands) != NULL || io_light_waits(t->light);
}

static void sample_gpio(struct ax_io_thread *t)
{
    const struct ax_gpio_sink sink = {t, on_gpio_edges, on_gpio_input};
    if (ax_gpio_sample(t->gpio, ax_monotonic_ns(), &sink) != AX_OK)
        count(&t->gpio_errors);
}

static void *run(void *context)
{
    struct ax_io_thread *t = context;
    ax_thread_exact_timers();
    if (t->gpio != NULL)
        sample_gpio(t);
    for (;;) {
        struct pollfd fds[1 + AX_GPIO_POLL_MAX];
        size_t n = t->gpio != NULL ? ax_gpio_poll(t->gpio, fds + 1) : 0;
        fds[0] = (struct pollfd){.fd = t->wake_fd, .events = POLLIN};
        io_thread_sleep(t, fds, 1 + n);
        if (atomic_load(&t->stopping))
            break;
        turn(t);
        io_thread_watch_for_answer(t);
    }
    turn(t); /* what was asked before the stop */
    ax_io_rest(t->core, ax_monotonic_ns());
    io_light_dark(t->light, &t->tap, ax_monotonic_ns());
    io_write_eventfd(t->event_fd);
    return NULL;
}

/* --- life cycle ------------------------------------------------------------------------------------------------------ */

static int check_names(const struct ax_io_thread_config *config)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    for (uint32_t i = 0; i < config->io.outputs; i++) {
        size_t length = strnlen(config->output_name[i], AX_IO_NAME_MAX + 1);
        if (length == 0 || length > AX_IO_NAME_MAX || strspn(config->output_name[i], letters) != length)
            return AX_E_RANGE;
    }
    return AX_OK;
}

static int build(struct ax_io_thread *t)
{
    const struct ax_io_config *io = &t->config.io;
    const struct ax_io_sink sink = {t, write_pin, io_thread_event};
    int err = ax_io_new(&t->core, io, &sink);
    if (err == AX_OK)
        err = io_tap_open(&t->tap, t->config.tap_path);
    t->config.tap_path = NULL; /* the caller's */
    if (err == AX_OK && t->config.light != NULL)
        err = io_light_new(&t->light, t->config.light);
    t->config.light = NULL; /* likewise */
    if (err == AX_OK)
        err = ax_ring_init(&t->commands, sizeof(struct command), AX_IO_COMMANDS);
    if (err == AX_OK)
        err = ax_ring_init(&t->events, sizeof(struct ax_io_event), AX_IO_EVENTS);
    if (err == AX_OK)
        err = ax_ring_init(&t->frames, sizeof(struct ax_io_frame), AX_IO_FRAMES);
    for (uint32_t i = 0; err == AX_OK && i < io->readers; i++) {
        t->gap_ns[i] = io->reader[i].frame_gap_ns;
        err = ax_ring_init(&t->plan[i], sizeof(struct planned_edge), AX_IO_PLAN_EDGES);
    }
    if (err != AX_OK)
        return err;
    t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return t->wake_fd < 0 || t->event_fd < 0 ? AX_E_SYS : AX_OK;
}

int ax_io_thread_new(struct ax_io_thread **out, const struct ax_io_thread_config *config)
{
    if (out == NULL || config == NULL)
        return AX_E_ARG;
    *out = NULL;
    if (config->io.outputs > AX_IO_MAX_OUTPUTS || check_names(config) != AX_OK)
        return AX_E_RANGE;
    struct ax_io_thread *t = calloc(1, sizeof *t);
    if (t == NULL)
        return AX_E_NOMEM;
    t->config = *config;
    if (config->gpio != NULL) {
        t->gpio_config = *config->gpio;
        t->config.gpio = &t->gpio_config;
    }
    t->tap.fd = t->wake_fd = t->event_fd = -1;
    pthread_mutex_init(&t->producers, NULL);
    pthread_mutex_init(&t->consumers, NULL);
    int err = build(t);
    if (err != AX_OK) {
        int saved = errno;
        ax_io_thread_free(t);
        errno = saved;
        return err;
    }
    *out = t;
    return AX_OK;
}

/* The thread takes no signal: those belong to the rest of the process. */
static int spawn(struct ax_io_thread *t)
{
    return ax_thread_start(&t->pthread, run, t, "ax-io", t->config.fifo_priority);
}

int ax_io_thread_start(struct ax_io_thread *t)
{
    if (t == NULL)
        return AX_E_ARG;
    if (t->started)
        return AX_E_STATE;
    int err = AX_OK;
    t->processors = ax_thread_processors();
    if (t->config.gpio != NULL)
        err = ax_gpio_open(&t->gpio, t->config.gpio, &t->config.io, t->config.gpio_ops);
    if (err == AX_OK)
        err = io_light_start(t->light);
    if (err == AX_OK)
        err = spawn(t);
    if (err != AX_OK) {
        int saved = errno;
        ax_gpio_close(t->gpio);
        t->gpio = NULL;
        errno = saved;
        return err;
    }
    t->started = t->running = true;
    return AX_OK;
}

void ax_io_thread_stop(struct ax_io_thread *t)
{
    if (t == NULL || !t->running)
        return;
    atomic_store(&t->stopping, true);
    io_thread_kick(t);
    pthread_join(t->pthread, NULL);
    t->running = false;
}

void ax_io_thread_free(struct ax_io_thread *t)
{
    if (t == NULL)
        return;
    ax_io_thread_stop(t);
    ax_gpio_close(t->gpio);
    ax_io_free(t->core);
    io_light_free(t->light);
    io_tap_close(&t->tap);
    ax_ring_free(&t->commands);
    ax_ring_free(&t->events);
    ax_ring_free(&t->frames);
    for (uint32_t i = 0; i < AX_IO_MAX_READERS; i++)
        ax_ring_free(&t->plan[i]);
    if (t->wake_fd >= 0)
        close(t->wake_fd);
    if (t->event_fd >= 0)
        close(t->event_fd);
    pthread_mutex_destroy(&t->producers);
    pthread_mutex_destroy(&t->consumers);
    free(t);
}

/* --- the consumer's side --------------------------------------------------------------------------------------------- */

int ax_io_thread_event_fd(const struct ax_io_thread *t)
{
    return t->event_fd;
}

void ax_io_thread_count(const struct ax_io_thread *t, struct ax_io_thread_counters *out)
{
    out->progress = atomic_load_explicit(&t->progress, memory_order_relaxed);
    out->dropped = atomic_load_explicit(&t->dropped, memory_order_relaxed);
    out->tap_errors = atomic_load_explicit(&t->tap.errors, memory_order_relaxed);
    out->lost_edges = atomic_load_explicit(&t->lost_edges, memory_order_relaxed);
    out->gpio_errors = atomic_load_explicit(&t->gpio_errors, memory_order_relaxed);
    io_light_count(t->light, out);
}

void ax_io_thread_wake(struct ax_io_thread *t)
{
    io_write_eventfd(t->event_fd);
}

size_t ax_io_thread_drain(struct ax_io_thread *t, struct ax_io_event *out, size_t cap)
{
    size_t n = 0;
    pthread_mutex_lock(&t->consumers);
    while (n < cap && ax_ring_pop(&t->events, &out[n]))
        n++;
    pthread_mutex_unlock(&t->consumers);
    if (n > 0 && atomic_load(&t->starved))
        io_thread_kick(t);
    return n;
}

bool ax_io_thread_input_active(const struct ax_io_thread *t, uint32_t input)
{
    return input < t->config.io.inputs && atomic_load_explicit(&t->input_active[input], memory_order_relaxed);
}

bool ax_io_thread_output_active(const struct ax_io_thread *t, uint32_t output)
{
    return output < t->config.io.outputs && atomic_load_explicit(&t->output_active[output], memory_order_relaxed);
}
