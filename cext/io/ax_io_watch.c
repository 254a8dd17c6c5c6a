/* When the I/O thread and whoever waits for its events sleep, and when they watch the clock instead.
 *
 * A processor that sleeps comes back late (some 10 us on a device, up to a millisecond where the machine is a guest of a
 * busy host), and each hand-over to a sleeping thread pays that. So both ends are awake when news falls due: the waiter has
 * prepared itself by then (it rehearses), the thread watches the clock, and then looks for the answer for a moment. How
 * long before the time that begins is learned from how late the sleeps were. */
#define _GNU_SOURCE /* ppoll */
#include "ax_io_thread_internal.h"

#include <poll.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)
#define IDLE_NS (SECOND_NS * 9 / 10) /* longest sleep: progress rises at least once a second */
/* Sleeps of a waiter while a frame comes in or an input is debounced, and of the thread when that is NEAR_NS from its end: a
 * processor that has slept for longer comes back later. */
#define DOZE_NS UINT64_C(1000000)
#define NEAR_NS UINT64_C(6000000)
/* The waiter's end this long before the news, and what its preparation takes ... */
#define READY_NS UINT64_C(250000)
/* ... of which no more than this is believed. */
#define PREPARE_MAX_NS UINT64_C(2000000)
/* Edges that lead to no frame keep the waiter awake for this long. */
#define AWAKE_NS UINT64_C(100000000)
/* The thread wakes this long before something falls due, and what its sleeps are late ... */
#define WATCH_NS UINT64_C(50000)
/* ... of which no more than this is believed. */
#define LATE_MAX_NS UINT64_C(1000000)
/* Longest look for the answer to news. It is shorter by half after each that was in vain, and is whole again when an answer
 * comes not much later: news that nobody acts on costs nothing. News that is not even taken after TAKEN_NS is not looked
 * after: whoever is to answer waits for a lock, and who has that may stand behind this thread, on the same processor. */
#define ANSWER_NS UINT64_C(400000)
#define TAKEN_NS UINT64_C(50000)

/* What to reckon with: the longest of late, which fades. */
static uint64_t learn(uint64_t known_ns, uint64_t found_ns, uint64_t max_ns)
{
    if (found_ns > max_ns)
        found_ns = max_ns;
    return found_ns > known_ns ? found_ns : known_ns - (known_ns - found_ns) / 16;
}

static struct timespec duration(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS)};
}

/* --- the I/O thread -------------------------------------------------------------------------------------------------- */

/* Nanoseconds until something is to be done. Planned edges and frames say themselves when they were; the rest must be on
 * time. */
static uint64_t time_to_sleep(struct ax_io_thread *t, uint64_t now_ns, uint64_t due_ns)
{
    if (io_thread_commands_wait(t))
        return 0;
    uint64_t edge_ns = io_thread_next_edge(t), frame_ns = io_light_next(t->light), watch_ns = WATCH_NS + t->late_ns;
    uint64_t until_ns = due_ns == AX_NEVER ? AX_NEVER : due_ns > watch_ns ? due_ns - watch_ns : 0;
    if (edge_ns < until_ns)
        until_ns = edge_ns;
    if (frame_ns < until_ns)
        until_ns = frame_ns;
    if (until_ns <= now_ns)
        return 0;
    uint64_t news_ns = atomic_load_explicit(&t->news_due_ns, memory_order_relaxed);
    uint64_t most_ns = IDLE_NS;
    if (news_ns != AX_NEVER && news_ns > now_ns)
        most_ns = news_ns - now_ns < NEAR_NS + DOZE_NS ? DOZE_NS : news_ns - now_ns - NEAR_NS;
    if (most_ns > IDLE_NS)
        most_ns = IDLE_NS;
    return until_ns - now_ns < most_ns ? until_ns - now_ns : most_ns;
}

/* Until a time, a command, or the end. Whether the time is over. */
static bool watch(struct ax_io_thread *t, uint64_t until_ns)
{
    while (ax_monotonic_ns() < until_ns)
        if (io_thread_commands_wait(t) || atomic_load_explicit(&t->stopping, memory_order_relaxed))
            return false;
    return true;
}

void io_thread_sleep(struct ax_io_thread *t, struct pollfd *fds, size_t n)
{
    atomic_exchange(&t->asleep, 1);
    uint64_t due_ns = ax_io_deadline(t->core), now_ns = ax_monotonic_ns();
    uint64_t sleep_ns = time_to_sleep(t, now_ns, due_ns);
    struct timespec timeout = duration(sleep_ns);
    if (ppoll(fds, (nfds_t)n, &timeout, NULL) == 0 && sleep_ns > 0)
        t->late_ns = learn(t->late_ns, ax_monotonic_ns() - now_ns - sleep_ns, LATE_MAX_NS);
    if (atomic_exchange(&t->asleep, 0) == 0)
        io_clear_eventfd(t->wake_fd);
    now_ns = ax_monotonic_ns();
    if (due_ns > now_ns && due_ns - now_ns <= WATCH_NS + t->late_ns)
        watch(t, due_ns);
}

void io_thread_asked(struct ax_io_thread *t, uint64_t now_ns)
{
    t->asked_ns = now_ns;
}

void io_thread_answered(struct ax_io_thread *t, uint64_t now_ns)
{
    if (t->asked_ns != 0 && now_ns - t->asked_ns < 2 * ANSWER_NS)
        t->answer_ns = ANSWER_NS;
    t->asked_ns = 0;
}

void io_thread_watch_for_answer(struct ax_io_thread *t)
{
    /* On a lone processor whoever is asked could not run meanwhile. */
    if (t->asked_ns == 0 || t->answer_ns < WATCH_NS || t->processors < 2)
        return;
    uint64_t now_ns = ax_monotonic_ns(), until_ns = t->asked_ns + t->answer_ns;
    if (until_ns <= now_ns)
        return;
    uint64_t due_ns = now_ns + time_to_sleep(t, now_ns, ax_io_deadline(t->core));
    uint64_t stop_ns = due_ns < until_ns ? due_ns : until_ns;
    if (now_ns + TAKEN_NS < stop_ns && watch(t, now_ns + TAKEN_NS) && ax_ring_count(&t->events) > 0)
        return;
    watch(t, stop_ns);
    if (ax_monotonic_ns() >= until_ns)
        t->answer_ns /= 2;
}

/* --- whoever waits for events ---------------------------------------------------------------------------------------- */

void io_thread_reading(struct ax_io_thread *t, uint64_t now_ns)
{
    uint64_t before_ns = atomic_exchange_explicit(&t->reading_ns, now_ns, memory_order_relaxed);
    if (now_ns - before_ns > AWAKE_NS)
        t->told = true;
}

/* How long to sleep while news may be under way; 0 = it is about to be there. */
static uint64_t doze(const struct ax_io_thread *t, uint64_t now_ns, uint64_t timeout_ns)
{
    uint64_t ready_ns = READY_NS + t->prepare_ns, due_ns = atomic_load_explicit(&t->news_due_ns, memory_order_relaxed);
    uint64_t reading_ns = atomic_load_explicit(&t->reading_ns, memory_order_relaxed);
    if (reading_ns != 0 && timeout_ns > DOZE_NS && now_ns - reading_ns < AWAKE_NS)
        timeout_ns = DOZE_NS;
    if (due_ns == AX_NEVER || now_ns > due_ns + READY_NS)
        return timeout_ns;
    uint64_t left_ns = now_ns + ready_ns < due_ns ? due_ns - ready_ns - now_ns : 0;
    return left_ns < timeout_ns ? left_ns : timeout_ns;
}

uint32_t ax_io_thread_changing(const struct ax_io_thread *t, uint32_t *frame)
{
    uint32_t inputs = atomic_load_explicit(&t->changing, memory_order_relaxed);
    uint64_t reading_ns = atomic_load_explicit(&t->reading_ns, memory_order_relaxed);
    *frame = inputs == 0 && reading_ns != 0 && ax_monotonic_ns() - reading_ns < AWAKE_NS;
    return inputs;
}

/* Whether news falls due within `ahead_ns`, or has just. */
static bool due_within(const struct ax_io_thread *t, uint64_t ahead_ns)
{
    uint64_t due_ns = atomic_load_explicit(&t->news_due_ns, memory_order_relaxed);
    if (due_ns == AX_NEVER)
        return false;
    uint64_t now_ns = ax_monotonic_ns();
    return now_ns < due_ns ? due_ns - now_ns <= ahead_ns : now_ns - due_ns <= READY_NS;
}

bool ax_io_thread_expects(const struct ax_io_thread *t)
{
    return due_within(t, AX_NEVER);
}

bool ax_io_thread_news(const struct ax_io_thread *t)
{
    return ax_ring_count(&t->events) > 0 || due_within(t, READY_NS);
}

int ax_io_thread_wait(struct ax_io_thread *t, uint64_t timeout_ns)
{
    uint64_t began_ns = ax_monotonic_ns();
    if (t->doze_end_ns != 0 && began_ns > t->doze_end_ns)
        t->prepare_ns = learn(t->prepare_ns, began_ns - t->doze_end_ns, PREPARE_MAX_NS);
    t->doze_end_ns = 0;
    uint64_t sleep_ns = doze(t, began_ns, timeout_ns), watch_ns = 2 * READY_NS + t->prepare_ns;
    bool told = false;
    while (ax_ring_count(&t->events) == 0 && !told && sleep_ns == 0 && timeout_ns > 0) {
        told = io_clear_eventfd(t->event_fd);
        if (ax_monotonic_ns() - began_ns >= (timeout_ns < watch_ns ? timeout_ns : watch_ns))
            break;
    }
    if (ax_ring_count(&t->events) == 0 && sleep_ns > 0) {
        struct pollfd fd = {.fd = t->event_fd, .events = POLLIN};
        struct timespec timeout = duration(sleep_ns);
        if (ppoll(&fd, 1, sleep_ns == AX_NEVER ? NULL : &timeout, NULL) == 0 && sleep_ns < timeout_ns)
            t->doze_end_ns = began_ns + sleep_ns;
    }
    told |= io_clear_eventfd(t->event_fd);
    return told || ax_ring_count(&t->events) > 0;
}
