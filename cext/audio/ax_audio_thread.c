/* The audio thread; see ax/audio_thread.h. Units, threads: as there. Allocation: in new. */
#define _GNU_SOURCE /* clock_nanosleep */
#include "ax/audio_thread.h"

#include "ax/err.h"
#include "ax/io_thread.h" /* ax_monotonic_ns */
#include "ax/thread.h"
#include "ax_card_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FRAME = 480 };

#define TICK_NS UINT64_C(10000000)
#define SECOND_NS UINT64_C(1000000000)

struct ax_audio_thread {
    struct ax_pipeline *pipeline;
    struct ax_card *card;
    uint32_t fifo_priority;
    int packets_fd, events_fd;
    pthread_t pthread;
    bool running;            /* Owner's. */
    atomic_bool stopping;
    uint64_t due_ns, try_ns; /* Without the card: of the next tick; when it is tried again. */
    uint64_t told;           /* Events of the pipeline that were told of. */
    pthread_mutex_t lock;    /* Of what is carried, also while it is called. */
    struct ax_audio_carried carried;
    int16_t mic[MOST_FRAME], speaker[MOST_FRAME];
    atomic_ullong ticks, xruns, card_errors, late, busy_ns, worst_ns, last_ns, alive;
};

static void count(atomic_ullong *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static void ring_bell(int fd)
{
    const uint64_t one = 1;
    const ssize_t n = write(fd, &one, sizeof one);
    (void)n;
}

void ax_audio_thread_carry(struct ax_audio_thread *t, const struct ax_audio_carried *carried)
{
    pthread_mutex_lock(&t->lock);
    t->carried = carried ? *carried : (struct ax_audio_carried){0};
    pthread_mutex_unlock(&t->lock);
}

static void receive(struct ax_audio_thread *t)
{
    pthread_mutex_lock(&t->lock);
    if (t->carried.receive)
        t->carried.receive(t->carried.context);
    pthread_mutex_unlock(&t->lock);
}

/* By what is carried, or by who waits for the bell. */
static void send_packets(struct ax_audio_thread *t)
{
    pthread_mutex_lock(&t->lock);
    if (t->carried.send)
        t->carried.send(t->carried.context);
    else
        ring_bell(t->packets_fd);
    pthread_mutex_unlock(&t->lock);
}

/* The clock sets the pace. */
static void rest(struct ax_audio_thread *t)
{
    const uint64_t now_ns = ax_monotonic_ns();
    t->due_ns = t->due_ns + 10 * TICK_NS < now_ns ? now_ns : t->due_ns + TICK_NS;
    const struct timespec due = {(time_t)(t->due_ns / SECOND_NS), (long)(t->due_ns % SECOND_NS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        continue;
}

static bool with_card(struct ax_audio_thread *t, int rc)
{
    if (rc > 0)
        count(&t->xruns, (uint64_t)rc);
    if (rc < 0) {
        count(&t->card_errors, 1);
        t->try_ns = ax_monotonic_ns() + SECOND_NS;
    }
    return rc >= 0;
}

static void tick(struct ax_audio_thread *t)
{
    bool card = ax_monotonic_ns() >= t->try_ns && with_card(t, ax_card_read(t->card, t->mic));
    if (!card) {
        memset(t->mic, 0, sizeof t->mic);
        rest(t);
    }
    receive(t);
    const uint64_t began_ns = ax_monotonic_ns();
    atomic_store_explicit(&t->last_ns, began_ns, memory_order_relaxed);
    const int packets = ax_pipeline_step(t->pipeline, began_ns, t->mic, t->speaker);
    const uint64_t took_ns = ax_monotonic_ns() - began_ns;
    count(&t->busy_ns, took_ns);
    count(&t->late, took_ns > TICK_NS);
    if (took_ns > atomic_load_explicit(&t->worst_ns, memory_order_relaxed))
        atomic_store_explicit(&t->worst_ns, took_ns, memory_order_relaxed);
    if (card)
        (void)with_card(t, ax_card_write(t->card, t->speaker));
    if (packets > 0)
        send_packets(t);
    const uint64_t told = ax_pipeline_told(t->pipeline);
    if (told != t->told) {
        t->told = told;
        ring_bell(t->events_fd);
    }
    count(&t->ticks, 1);
}

static void *run(void *context)
{
    struct ax_audio_thread *t = context;
    ax_thread_exact_timers();
    while (!atomic_load(&t->stopping))
        tick(t);
    return NULL;
}

int ax_audio_thread_new(struct ax_audio_thread **out, struct ax_pipeline *pipeline, struct ax_card *card,
                        uint32_t fifo_priority)
{
    if (!out || !pipeline || !card)
        return AX_E_ARG;
    *out = NULL;
    if (ax_pipeline_rate(pipeline) != card->rate)
        return AX_E_RANGE;
    struct ax_audio_thread *t = calloc(1, sizeof *t);
    if (!t)
        return AX_E_NOMEM;
    ax_thread_init_lock(&t->lock);
    t->pipeline = pipeline;
    t->card = card;
    t->fifo_priority = fifo_priority;
    t->packets_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->events_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->packets_fd < 0 || t->events_fd < 0) {
        ax_audio_thread_free(t);
        return AX_E_SYS;
    }
    *out = t;
    return AX_OK;
}

int ax_audio_thread_start(struct ax_audio_thread *t)
{
    if (!t)
        return AX_E_ARG;
    if (t->running)
        return AX_E_STATE;
    atomic_store(&t->stopping, false);
    const int err = ax_thread_start(&t->pthread, run, t, "ax-audio", t->fifo_priority);
    if (err != AX_OK)
        return err;
    t->running = true;
    atomic_store(&t->alive, 1);
    return AX_OK;
}

void ax_audio_thread_stop(struct ax_audio_thread *t)
{
    if (!t || !t->running)
        return;
    atomic_store(&t->stopping, true);
    pthread_join(t->pthread, NULL);
    t->running = false;
    atomic_store(&t->alive, 0);
}

void ax_audio_thread_free(struct ax_audio_thread *t)
{
    if (!t)
        return;
    ax_audio_thread_stop(t);
    if (t->packets_fd >= 0)
        close(t->packets_fd);
    if (t->events_fd >= 0)
        close(t->events_fd);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

int ax_audio_thread_packets_fd(const struct ax_audio_thread *t)
{
    return t->packets_fd;
}

int ax_audio_thread_events_fd(const struct ax_audio_thread *t)
{
    return t->events_fd;
}

void ax_audio_thread_count(const struct ax_audio_thread *t, struct ax_audio_thread_counters *out)
{
    out->ticks = atomic_load_explicit(&t->ticks, memory_order_relaxed);
    out->xruns = atomic_load_explicit(&t->xruns, memory_order_relaxed);
    out->card_errors = atomic_load_explicit(&t->card_errors, memory_order_relaxed);
    out->late = atomic_load_explicit(&t->late, memory_order_relaxed);
    out->busy_ns = atomic_load_explicit(&t->busy_ns, memory_order_relaxed);
    out->worst_ns = atomic_load_explicit(&t->worst_ns, memory_order_relaxed);
    out->last_ns = atomic_load_explicit(&t->last_ns, memory_order_relaxed);
    out->running = atomic_load_explicit(&t->alive, memory_order_relaxed);
}
