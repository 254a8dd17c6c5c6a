/* The thread that runs OSDP lines: it moves bytes between file descriptors (serial lines, ptys) and the sans-I/O ends of
 * ax/osdp_cp.h and ax/osdp_pd.h. One thread serves up to AX_OSDP_LINES lines; nothing that the rest of the process does
 * keeps it from polling a reader or answering a controller.
 *
 * Each line has a lock of its own, held for microseconds: by the thread while it steps the line, by others between
 * ax_osdp_line_enter and ax_osdp_line_leave, inside of which they may call the functions of the attached end. Where events
 * wait, the event descriptor of the thread becomes readable. A descriptor that fails is let go; the line stays, deaf, until
 * it is given another one (ax_osdp_line_set_fd).
 * Units: nanoseconds, CLOCK_MONOTONIC. Threads: any, but start, stop and free belong to the owner, close to the owner of
 * the attached end. Allocation: in new and attach. */
#ifndef AX_OSDP_THREAD_H
#define AX_OSDP_THREAD_H

#include "ax/osdp_cp.h"
#include "ax/osdp_pd.h"

#define AX_OSDP_LINES 32 /**< Lines of one thread. */

struct ax_osdp_thread;
struct ax_osdp_line;

struct ax_osdp_thread_counters {
    uint64_t progress; /**< Turns: at least one a second. */
    uint64_t reads;    /**< Calls that brought bytes. */
    uint64_t writes;   /**< Frames sent. */
    uint64_t lost;     /**< Frames that a line did not take as a whole. The protocol repeats. */
    uint64_t failures; /**< Descriptors that failed. */
};

/** `event_fd` (an eventfd, duplicated) is written when events wait; -1 makes one. `fifo_priority`: SCHED_FIFO priority where
 * the system allows it, 0 = ordinary scheduling. */
int ax_osdp_thread_new(struct ax_osdp_thread **out, int event_fd, uint32_t fifo_priority);
/** AX_E_STATE when it was started before. */
int ax_osdp_thread_start(struct ax_osdp_thread *t);
/** Lines stay open, and still. Again: no effect. */
void ax_osdp_thread_stop(struct ax_osdp_thread *t);
/** Stops it if it runs. What it owns lives until the last line is closed. */
void ax_osdp_thread_free(struct ax_osdp_thread *t);
int ax_osdp_thread_event_fd(const struct ax_osdp_thread *t);
void ax_osdp_thread_count(const struct ax_osdp_thread *t, struct ax_osdp_thread_counters *out);

/** Run an end on `fd`, which must be non-blocking and stays the caller's; -1 = none yet. Exactly one of `cp` and `pd`. It
 * belongs to the caller and its line must be closed before it is freed. AX_E_FULL when there are too many lines. */
int ax_osdp_line_open(struct ax_osdp_thread *t, struct ax_osdp_cp *cp, struct ax_osdp_pd *pd, int fd,
                      struct ax_osdp_line **out);
/** When it returns, the thread does not use the end and the descriptor any more. NULL: no effect. */
void ax_osdp_line_close(struct ax_osdp_line *line);
/** Go on with another descriptor; -1 = none. The caller may close the former one after it. */
void ax_osdp_line_set_fd(struct ax_osdp_line *line, int fd);
/** False when the line has no descriptor, or it has failed. */
bool ax_osdp_line_up(struct ax_osdp_line *line);
/** Lock and unlock; NULL: no effect. `changed`: something may have become due; the thread looks at once. */
void ax_osdp_line_enter(struct ax_osdp_line *line);
void ax_osdp_line_leave(struct ax_osdp_line *line, bool changed);

#endif
