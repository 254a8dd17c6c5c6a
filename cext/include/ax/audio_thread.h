/* The audio thread: steps a pipeline (ax/pipeline.h) by the clock of a sound card (ax/card.h), whatever the rest of the process
 * does. Per 10 ms: what the microphone heard, a step, what the loudspeaker gets. A card that gives nothing is tried again
 * every second, while the clock sets the pace and the microphone is silent: calls go on.
 *
 * What is between legs and network can be carried by it (struct ax_audio_carried): received before a step, sent after one, without
 * another thread to wake. Two eventfds tell others that something waits: packets of the legs that are not carried, and events
 * of the pipeline.
 *
 * Units: ns of CLOCK_MONOTONIC. Threads: new, start, stop and free belong to the owner; the others to any. Allocation: in new
 * and start. */
#ifndef AX_AUDIO_THREAD_H
#define AX_AUDIO_THREAD_H

#include "ax/card.h"
#include "ax/pipeline.h"

#include <stdint.h>

/** Each rises only, but for the last three. */
struct ax_audio_thread_counters {
    uint64_t ticks;
    uint64_t xruns;       /**< How often the card ran over or dry. */
    uint64_t card_errors; /**< Ticks without the card. */
    uint64_t late;        /**< Steps that took longer than 10 ms. */
    uint64_t busy_ns;     /**< Time in steps, all together. */
    uint64_t worst_ns;    /**< Longest step. */
    uint64_t last_ns;     /**< When the last tick began; 0: none. */
    uint64_t running;     /**< 1 between start and stop. */
};

/** Called by the thread, and bounded in time. */
struct ax_audio_carried {
    void (*receive)(void *context); /**< Before each step. */
    void (*send)(void *context);    /**< After a step in which legs completed packets. */
    void *context;
};

struct ax_audio_thread;

/** `pipeline` and `card` stay the caller's, and belong to the thread from start to stop; they have one rate (AX_E_RANGE).
 * `fifo_priority`: SCHED_FIFO priority, if the system allows it; 0: ordinary scheduling. */
int ax_audio_thread_new(struct ax_audio_thread **out, struct ax_pipeline *pipeline, struct ax_card *card,
                        uint32_t fifo_priority);
/** AX_E_SYS; AX_E_STATE when it runs. */
int ax_audio_thread_start(struct ax_audio_thread *t);
/** Ends after the present tick. Again: no effect; start is possible again. */
void ax_audio_thread_stop(struct ax_audio_thread *t);
void ax_audio_thread_free(struct ax_audio_thread *t);

/** Carry something from now on, in place of what was carried; NULL: nothing. What was carried is not called any more when this
 * returns. Whether it runs or not; any thread but its own. */
void ax_audio_thread_carry(struct ax_audio_thread *t, const struct ax_audio_carried *carried);

/** Readable when legs completed packets; when the pipeline has events. Belong to the thread. */
int ax_audio_thread_packets_fd(const struct ax_audio_thread *t);
int ax_audio_thread_events_fd(const struct ax_audio_thread *t);
void ax_audio_thread_count(const struct ax_audio_thread *t, struct ax_audio_thread_counters *out);

#endif
