/* Starting native threads; see ax/thread.h. Units: none. Threads: any. Allocation: that of pthread_create. */
#define _GNU_SOURCE /* pthread_setname_np, CPU_COUNT */
#include "ax/thread.h"

#include "ax/err.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

int ax_thread_start(pthread_t *thread, void *(*run)(void *), void *context, const char *name, uint32_t fifo_priority)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        errno = failed;
        return AX_E_SYS;
    }
    pthread_setname_np(*thread, name);
    if (fifo_priority > 0) {
        const struct sched_param priority = {.sched_priority = (int)fifo_priority};
        pthread_setschedparam(*thread, SCHED_FIFO, &priority);
    }
    return AX_OK;
}

void ax_thread_exact_timers(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

unsigned ax_thread_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

void ax_thread_init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t inherit;
    pthread_mutexattr_init(&inherit);
    pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(lock, &inherit);
    pthread_mutexattr_destroy(&inherit);
}
