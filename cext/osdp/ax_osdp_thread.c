/* The thread that runs OSDP lines (contract in ax/osdp_thread.h).
 *
 * A turn: sleep in ppoll until bytes come or the earliest deadline is there, then step each line that has news: read, feed,
 * advance, write. A line that has none costs one comparison. The locks inherit priority, so that a thread of low priority
 * that is inside of a line does not hold up this one for longer than it works there. */
#define _GNU_SOURCE /* ppoll */
#include "ax/osdp_thread.h"
#include "ax/err.h"
#include "ax/io_thread.h" /* ax_monotonic_ns */
#include "ax/thread.h"
#include "ax_osdp_cp_internal.h"
#include "ax_osdp_pd_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define IDLE_NS (SECOND_NS * 9 / 10) /* longest sleep: progress rises at least once a second */
#define READ_MAX 512                 /* what an end takes at once */
#define READS_MAX 8                  /* of one line in one turn: a line that babbles does not starve the others */

struct ax_osdp_line {
    pthread_mutex_t lock;
    struct ax_osdp_thread *thread;
    struct ax_osdp_cp *cp;
    struct ax_osdp_pd *pd;
    uint64_t due_ns;
    uint32_t slot;
    int fd;
    bool told; /* The event descriptor was written since the events were taken. */
    bool failed;
};

struct ax_osdp_thread {
    pthread_mutex_t lock; /* lines, users */
    struct ax_osdp_line *lines[AX_OSDP_LINES];
    int users; /* owner and lines */
    pthread_t pthread;
    int wake_fd, event_fd;
    uint32_t fifo_priority;
    bool started, running;
    atomic_bool stopping;
    atomic_ullong progress, reads, writes, lost, failures;
};

static void count(atomic_ullong *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void write_eventfd(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one); /* full means: it is readable already */
    (void)written;
}

/* --- one line, locked ------------------------------------------------------------------------------------------------ */

static bool has_events(const struct ax_osdp_line *line)
{
    return line->cp ? line->cp->events.used || line->cp->lost : line->pd->events.used || line->pd->lost;
}

static void tell(struct ax_osdp_line *line)
{
    if (line->told || !has_events(line))
        return;
    line->told = true;
    write_eventfd(line->thread->event_fd);
}

static void fail(struct ax_osdp_line *line)
{
    line->fd = -1;
    line->failed = true;
    count(&line->thread->failures);
    write_eventfd(line->thread->event_fd);
}

static void receive(struct ax_osdp_line *line, uint64_t now_ns)
{
    uint8_t bytes[READ_MAX];
    for (int i = 0; i < READS_MAX && line->fd >= 0; i++) {
        const ssize_t n = read(line->fd, bytes, sizeof bytes);
        if (n > 0) {
            count(&line->thread->reads);
            if (line->cp)
                ax_osdp_cp_feed(line->cp, now_ns, bytes, (size_t)n);
            else
                ax_osdp_pd_feed(line->pd, now_ns, bytes, (size_t)n);
            if (n < (ssize_t)sizeof bytes)
                return;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            fail(line);
        } else {
            return;
        }
    }
}

static void step(struct ax_osdp_line *line, uint64_t now_ns)
{
    uint8_t out[AX_OSDP_MAX_FRAME + 1];
    const int n = line->cp ? ax_osdp_cp_advance(line->cp, now_ns, out, sizeof out)
                           : ax_osdp_pd_advance(line->pd, now_ns, out, sizeof out);
    if (n > 0 && line->fd >= 0) {
        const ssize_t written = write(line->fd, out, (size_t)n);
        count(written == n ? &line->thread->writes : &line->thread->lost);
        if (written < 0 && errno != EAGAIN && errno != EINTR)
            fail(line);
    }
    line->due_ns = line->cp ? ax_osdp_cp_deadline(line->cp) : ax_osdp_pd_deadline(line->pd);
    tell(line);
}

/* --- the turn -------------------------------------------------------------------------------------------------------- */

static void clear_eventfd(int fd)
{
    uint64_t value;
    ssize_t n = read(fd, &value, sizeof value);
    (void)n;
}

/* What to sleep on: the wake-up first, then a descriptor for each slot (-1 is passed over). */
static uint64_t gather(struct ax_osdp_thread *t, struct pollfd fds[AX_OSDP_LINES + 1])
{
    uint64_t due_ns = UINT64_MAX;
    fds[0] = (struct pollfd){.fd = t->wake_fd, .events = POLLIN};
    pthread_mutex_lock(&t->lock);
    for (int i = 0; i < AX_OSDP_LINES; i++) {
        struct ax_osdp_line *line = t->lines[i];
        fds[i + 1] = (struct pollfd){.fd = -1, .events = POLLIN};
        if (!line)
            continue;
        pthread_mutex_lock(&line->lock);
        fds[i + 1].fd = line->fd;
        due_ns = line->due_ns < due_ns ? line->due_ns : due_ns;
        pthread_mutex_unlock(&line->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return due_ns;
}

static void turn(struct ax_osdp_thread *t, const struct pollfd fds[AX_OSDP_LINES + 1])
{
    const uint64_t now_ns = ax_monotonic_ns();
    pthread_mutex_lock(&t->lock);
    for (int i = 0; i < AX_OSDP_LINES; i++) {
        struct ax_osdp_line *line = t->lines[i];
        if (!line)
            continue;
        pthread_mutex_lock(&line->lock);
        const bool readable = fds[i + 1].revents && line->fd == fds[i + 1].fd;
        if (readable)
            receive(line, now_ns);
        if (readable || line->due_ns <= now_ns)
            step(line, now_ns);
        pthread_mutex_unlock(&line->lock);
    }
    pthread_mutex_unlock(&t->lock);
}

static void *run(void *context)
{
    struct ax_osdp_thread *t = context;
    struct pollfd fds[AX_OSDP_LINES + 1];
    ax_thread_exact_timers();
    while (!atomic_load(&t->stopping)) {
        const uint64_t due_ns = gather(t, fds), now_ns = ax_monotonic_ns();
        uint64_t sleep_ns = due_ns > now_ns ? due_ns - now_ns : 0;
        sleep_ns = sleep_ns < IDLE_NS ? sleep_ns : IDLE_NS;
        const struct timespec timeout = {(time_t)(sleep_ns / SECOND_NS), (long)(sleep_ns % SECOND_NS)};
        if (ppoll(fds, AX_OSDP_LINES + 1, &timeout, NULL) < 0)
            memset(fds, 0, sizeof fds); /* a signal: nothing is known to be readable */
        if (fds[0].revents)
            clear_eventfd(t->wake_fd);
        turn(t, fds);
        count(&t->progress);
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static int make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    if (pthread_mutexattr_init(&attr) != 0)
        return AX_E_NOMEM;
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT); /* where the system has it */
    const int failed = pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return failed ? AX_E_NOMEM : AX_OK;
}

/* One user less; the last one frees it. */
static void close_one(struct ax_osdp_thread *t)
{
    pthread_mutex_lock(&t->lock);
    const bool last = --t->users == 0;
    pthread_mutex_unlock(&t->lock);
    if (!last)
        return;
    if (t->wake_fd >= 0)
        close(t->wake_fd);
    if (t->event_fd >= 0)
        close(t->event_fd);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

int ax_osdp_thread_new(struct ax_osdp_thread **out, int event_fd, uint32_t fifo_priority)
{
    if (!out)
        return AX_E_ARG;
    *out = NULL;
    struct ax_osdp_thread *t = calloc(1, sizeof *t);
    if (!t)
        return AX_E_NOMEM;
    if (make_lock(&t->lock) != AX_OK) {
        free(t);
        return AX_E_NOMEM;
    }
    t->users = 1;
    t->fifo_priority = fifo_priority;
    t->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    t->event_fd = event_fd < 0 ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : fcntl(event_fd, F_DUPFD_CLOEXEC, 0);
    if (t->wake_fd < 0 || t->event_fd < 0) {
        const int saved = errno;
        close_one(t);
        errno = saved;
        return AX_E_SYS;
    }
    *out = t;
    return AX_OK;
}

int ax_osdp_thread_start(struct ax_osdp_thread *t)
{
    if (!t)
        return AX_E_ARG;
    if (t->started)
        return AX_E_STATE;
    const int err = ax_thread_start(&t->pthread, run, t, "ax-osdp", t->fifo_priority);
    if (err != AX_OK)
        return err;
    t->started = t->running = true;
    return AX_OK;
}

void ax_osdp_thread_stop(struct ax_osdp_thread *t)
{
    if (!t || !t->running)
        return;
    atomic_store(&t->stopping, true);
    write_eventfd(t->wake_fd);
    pthread_join(t->pthread, NULL);
    t->running = false;
}

void ax_osdp_thread_free(struct ax_osdp_thread *t)
{
    if (!t)
        return;
    ax_osdp_thread_stop(t);
    close_one(t);
}

int ax_osdp_thread_event_fd(const struct ax_osdp_thread *t)
{
    return t->event_fd;
}

void ax_osdp_thread_count(const struct ax_osdp_thread *t, struct ax_osdp_thread_counters *out)
{
    out->progress = atomic_load_explicit(&t->progress, memory_order_relaxed);
    out->reads = atomic_load_explicit(&t->reads, memory_order_relaxed);
    out->writes = atomic_load_explicit(&t->writes, memory_order_relaxed);
    out->lost = atomic_load_explicit(&t->lost, memory_order_relaxed);
    out->failures = atomic_load_explicit(&t->failures, memory_order_relaxed);
}

/* --- lines ----------------------------------------------------------------------------------------------------------- */

int ax_osdp_line_open(struct ax_osdp_thread *t, struct ax_osdp_cp *cp, struct ax_osdp_pd *pd, int fd,
                      struct ax_osdp_line **out)
{
    if (!t || !out || !cp == !pd)
        return AX_E_ARG;
    *out = NULL;
    struct ax_osdp_line *line = calloc(1, sizeof *line);
    if (!line || make_lock(&line->lock) != AX_OK) {
        free(line);
        return AX_E_NOMEM;
    }
    line->thread = t;
    line->cp = cp;
    line->pd = pd;
    line->fd = fd;
    pthread_mutex_lock(&t->lock);
    while (line->slot < AX_OSDP_LINES && t->lines[line->slot])
        line->slot++;
    const bool room = line->slot < AX_OSDP_LINES;
    if (room) {
        t->lines[line->slot] = line;
        t->users++;
    }
    pthread_mutex_unlock(&t->lock);
    if (!room) {
        pthread_mutex_destroy(&line->lock);
        free(line);
        return AX_E_FULL;
    }
    write_eventfd(t->wake_fd);
    *out = line;
    return AX_OK;
}

void ax_osdp_line_close(struct ax_osdp_line *line)
{
    if (!line)
        return;
    struct ax_osdp_thread *t = line->thread;
    pthread_mutex_lock(&t->lock); /* the thread uses a line only under this lock */
    t->lines[line->slot] = NULL;
    pthread_mutex_unlock(&t->lock);
    pthread_mutex_destroy(&line->lock);
    free(line);
    close_one(t);
}

void ax_osdp_line_set_fd(struct ax_osdp_line *line, int fd)
{
    pthread_mutex_lock(&line->lock);
    line->fd = fd;
    line->failed = false;
    line->due_ns = 0;
    pthread_mutex_unlock(&line->lock);
    write_eventfd(line->thread->wake_fd);
}

bool ax_osdp_line_up(struct ax_osdp_line *line)
{
    pthread_mutex_lock(&line->lock);
    const bool up = line->fd >= 0 && !line->failed;
    pthread_mutex_unlock(&line->lock);
    return up;
}

void ax_osdp_line_enter(struct ax_osdp_line *line)
{
    if (line)
        pthread_mutex_lock(&line->lock);
}

void ax_osdp_line_leave(struct ax_osdp_line *line, bool changed)
{
    if (!line)
        return;
    line->told &= has_events(line);
    if (changed)
        line->due_ns = 0;
    pthread_mutex_unlock(&line->lock);
    if (changed)
        write_eventfd(line->thread->wake_fd);
}
