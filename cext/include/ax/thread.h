/* Native threads of a device: signals are Python's, timers are exact, the name is seen in `top`, and the priority is taken
 * if the system allows it.
 *
 * Threads: start and the thread itself. Allocation: that of pthread_create. */
#ifndef AX_THREAD_H
#define AX_THREAD_H

#include <pthread.h>
#include <stdint.h>

/** Start `run(context)` with all signals blocked. `name`: 15 characters at most. `fifo_priority`: SCHED_FIFO priority; 0:
 * ordinary scheduling. AX_E_SYS with errno. */
int ax_thread_start(pthread_t *thread, void *(*run)(void *), void *context, const char *name, uint32_t fifo_priority);
/** The calling thread's timers end when they say, and not up to 50 us later. */
void ax_thread_exact_timers(void);
/** Processors that the calling thread may use; 1 where that cannot be told. */
unsigned ax_thread_processors(void);
/** A lock whose holder runs with the priority of who waits for it. */
void ax_thread_init_lock(pthread_mutex_t *lock);

#endif
