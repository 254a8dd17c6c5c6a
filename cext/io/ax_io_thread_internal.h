/* What the files of the I/O thread share. Who may touch what is said at each field. */
#ifndef AX_IO_THREAD_INTERNAL_H
#define AX_IO_THREAD_INTERNAL_H

#include "ax/gpio.h"
#include "ax/io_thread.h"
#include "ax/ring.h"
#include "ax_io_tap.h"

#include <poll.h>
#include <pthread.h>

enum command_kind {
    COMMAND_SET, COMMAND_PULSE, COMMAND_HOLD, COMMAND_SEQUENCE, COMMAND_END, COMMAND_FAULT,
    COMMAND_INPUT_CONFIG, COMMAND_OUTPUT_CONFIG, COMMAND_READER_CONFIG, COMMAND_INPUT, COMMAND_KEY, COMMAND_LABEL,
};

struct command {
    uint32_t kind, index;
    uint64_t t_ns; /**< When the stimulus was; the other commands take place when the thread gets them. */
    uint64_t token;
    uint64_t value; /**< Duration, label, key, level, number of steps. */
    bool on, active;
    union {
        struct ax_io_input_config input;
        struct ax_io_output_config output;
        struct ax_wiegand_config reader;
    } config;
};

struct planned_edge {
    struct ax_edge edge;
    uint64_t token;
};

struct ax_io_thread {
    struct ax_io_thread_config config;   /**< As given; read only after new. */
    struct ax_gpio_config gpio_config;
    struct ax_io *core;                  /**< I/O thread's. */
    struct ax_gpio *gpio;                /**< I/O thread's; NULL = simulated only. */
    struct tap tap;                      /**< I/O thread's. */
    struct io_light *light;              /**< NULL without one (ax_io_light.c). */
    uint64_t late_ns;                    /**< How late its sleeps end, learned. I/O thread's. */
    uint64_t asked_ns, answer_ns;        /**< When news was told last (0 = answered); how long to look for the answer. */
    unsigned processors;                 /**< That this process may use. */
    uint64_t prepare_ns;                 /**< From the planned end of a doze to the next wait, learned ... */
    uint64_t doze_end_ns;                /**< ... from this doze (0 = none). Of whoever waits for events. */
    uint64_t write_ns;                   /**< When the latest pin was written. I/O thread's. */
    atomic_ullong reading_ns;            /**< When edges of a frame that is not over came last; 0 = none. */
    atomic_ullong news_due_ns;           /**< ax_io_news_due() after the latest turn ... */
    atomic_uint changing;                /**< ... and the inputs whose change was under way. */
    bool told;                           /**< An event was queued in this turn. I/O thread's. */
    uint64_t dropped_untold;             /**< Lost events since the last AX_IO_DROPPED. I/O thread's. */

    pthread_mutex_t producers;           /**< Among those who write commands and plans; never the I/O thread. */
    struct ax_ring commands;
    struct ax_ring frames;               /**< Frames that wait until the one before is sent. */
    struct ax_ring plan[AX_IO_MAX_READERS];
    uint64_t plan_end_ns[AX_IO_MAX_READERS]; /**< When the last planned edge of a reader is; under `producers`. */
    uint64_t gap_ns[AX_IO_MAX_READERS];      /**< Its frame gap; under `producers`. */
    struct ax_io_step steps[AX_IO_MAX_OUTPUTS][AX_IO_MAX_SEQUENCE]; /**< Of whoever turned `sequence_busy` on. */
    atomic_bool sequence_busy[AX_IO_MAX_OUTPUTS]; /**< On: from the command to its SEQUENCE_END. */

    pthread_mutex_t consumers;           /**< Among those who drain; never the I/O thread. */
    struct ax_ring events;

    int wake_fd;                         /**< Ends the thread's sleep. */
    int event_fd;
    atomic_int asleep;                   /**< The thread sleeps or is about to: `wake_fd` must be written. */
    atomic_bool stopping;
    atomic_bool starved;                 /**< Events were dropped: the drain that makes room wakes the thread. */
    bool started, running;               /**< Owner's. */
    pthread_t pthread;

    atomic_ullong progress, dropped, lost_edges, gpio_errors;
    atomic_bool input_active[AX_IO_MAX_INPUTS], output_active[AX_IO_MAX_OUTPUTS];
};

/* Another source of fds is in the turn: kick the thread out of its sleep. */
void io_thread_kick(struct ax_io_thread *t);
bool io_thread_commands_wait(struct ax_io_thread *t);
void io_write_eventfd(int fd);
bool io_clear_eventfd(int fd); /* Whether it was written. */
void io_thread_event(void *context, const struct ax_io_event *event);
/* Do every command that waits (ax_io_command.c). */
void io_thread_commands(struct ax_io_thread *t, uint64_t now_ns);
/* Begin the next frame when none is sent (ax_io_command.c). */
void io_thread_send(struct ax_io_thread *t, uint64_t now_ns);
/* Play the planned edges that are due; the time of the next one, or AX_NEVER (ax_io_plan.c). */
void io_thread_play(struct ax_io_thread *t, uint64_t now_ns);
uint64_t io_thread_next_edge(struct ax_io_thread *t);

/* Sleeping and watching (ax_io_watch.c). All but the first are the I/O thread's. */
/* Edges came: the consumer wakes, and dozes until the frame is over (ax_io_thread_wait). */
void io_thread_reading(struct ax_io_thread *t, uint64_t now_ns);
/* Until something falls due, a command comes, or one of the fds is ready; fds[0] is `wake_fd`. */
void io_thread_sleep(struct ax_io_thread *t, struct pollfd *fds, size_t n);
/* News was told that may be answered by a command; a command to an output came; look for it for a moment. */
void io_thread_asked(struct ax_io_thread *t, uint64_t now_ns);
void io_thread_answered(struct ax_io_thread *t, uint64_t now_ns);
void io_thread_watch_for_answer(struct ax_io_thread *t);

/* The light (ax_io_light.c). All take NULL for a device without one. */
int io_light_new(struct io_light **out, const struct ax_light_config *config);
int io_light_start(struct io_light *light);
void io_light_free(struct io_light *light);
bool io_light_waits(struct io_light *light);               /* Whether commands wait. I/O thread. */
uint64_t io_light_next(const struct io_light *light);      /* When the next frame is due, or AX_NEVER. I/O thread. */
void io_light_turn(struct io_light *light, struct tap *tap, uint64_t now_ns);
void io_light_dark(struct io_light *light, struct tap *tap, uint64_t now_ns);
void io_light_count(const struct io_light *light, struct ax_io_thread_counters *out);

int io_check_input(const struct ax_io_input_config *config, uint32_t outputs);

#endif
