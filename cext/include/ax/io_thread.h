/* The native I/O thread: a pthread that owns an ax_io core and the hardware (or the simulated board) below it.
 *
 * Commands and stimuli go in through bounded queues, events come out through one; an eventfd each way. Nothing that the
 * rest of the process does can hold up an input, a pulse or a REX: the thread takes no lock that another thread may hold
 * and never waits for room in a queue. A turn: edges and inputs, commands, everything due, then sleep until the next
 * deadline. Asleep it wakes about once a second, to show that it lives. A device with a light has its frames made at the
 * end of a turn (ax/light.h): pins and events come first, a frame takes some microseconds.
 * Units: nanoseconds, CLOCK_MONOTONIC. Threads: every function may be called from any thread, except start, stop and
 * free, which belong to the owner. Allocation: in new and start; ax_io_thread_configure_reader allocates in the caller. */
#ifndef AX_IO_THREAD_H
#define AX_IO_THREAD_H

#include "ax/io.h"
#include "ax/light.h"

#define AX_IO_NAME_MAX 31        /**< Bytes of an output's name: letters, digits, '_', '-', '.'. */
#define AX_IO_PLAN_EDGES 4096    /**< Planned edges per reader. */
#define AX_IO_EVENTS 4096        /**< Events that may wait for the consumer. */
#define AX_IO_COMMANDS 1024      /**< Commands that may wait for the thread. */
#define AX_IO_FRAMES 64          /**< Frames that may wait until those before are sent. */

struct ax_gpio_config; /* ax/gpio.h */
struct ax_gpio_ops;

struct ax_io_thread_config {
    struct ax_io_config io;
    char output_name[AX_IO_MAX_OUTPUTS][AX_IO_NAME_MAX + 1]; /**< What the tap calls them. */
    const char *tap_path;               /**< UNIX datagram socket that hears every output edge; NULL = none. Copied. */
    const struct ax_gpio_config *gpio;  /**< Lines of a GPIO chip; NULL = simulated board only. Copied. */
    const struct ax_gpio_ops *gpio_ops; /**< NULL = the operating system. Must outlive the thread. */
    uint32_t fifo_priority;             /**< SCHED_FIFO priority, if the system allows it; 0 = ordinary scheduling. */
    const struct ax_light_config *light; /**< NULL: the device has none. Copied. */
};

/** Counters for status pages; each rises only. */
struct ax_io_thread_counters {
    uint64_t progress;   /**< Turns of the thread: at least one a second. */
    uint64_t dropped;    /**< Events lost because nobody took them in time. */
    uint64_t tap_errors; /**< Edges that the tap did not take. */
    uint64_t lost_edges; /**< Edges that the kernel had to drop (GPIO). */
    uint64_t gpio_errors; /**< Failed calls to the GPIO driver. */
    uint64_t frames;      /**< Frames of the light. */
    uint64_t frames_missed; /**< Frames that were due and left out. */
    uint64_t light_errors;  /**< Frames that the output could not write. */
};

struct ax_io_thread;

uint64_t ax_monotonic_ns(void);

int ax_io_thread_new(struct ax_io_thread **out, const struct ax_io_thread_config *config);
/** Opens the tap and the GPIO lines and starts the thread. AX_E_STATE when it was started before. */
int ax_io_thread_start(struct ax_io_thread *t);
/** Everything that only lasts a while (pulses, sequences, holds, REX) ends, then the thread does. Again: no effect. */
void ax_io_thread_stop(struct ax_io_thread *t);
/** Stops it if it runs. Events that nobody took are lost. */
void ax_io_thread_free(struct ax_io_thread *t);

int ax_io_thread_event_fd(const struct ax_io_thread *t);
void ax_io_thread_count(const struct ax_io_thread *t, struct ax_io_thread_counters *out);
/** 1: events wait or ax_io_thread_wake() was called; 0: `timeout_ns` is over or a signal came. While a reader receives a
 * frame or an input is debounced it returns every millisecond, so that the caller is awake when the news is there. */
int ax_io_thread_wait(struct ax_io_thread *t, uint64_t timeout_ns);
/** What the waiting is for: a bit for each input that is debounced, and in `frame` whether edges of a reader came. */
uint32_t ax_io_thread_changing(const struct ax_io_thread *t, uint32_t *frame);
/** Whether news is under way: an input is debounced, or a frame is not over yet. From any thread. */
bool ax_io_thread_expects(const struct ax_io_thread *t);
/** Whether events wait, or are about to: 0.25 ms before they fall due, and as long after. From any thread. */
bool ax_io_thread_news(const struct ax_io_thread *t);
void ax_io_thread_wake(struct ax_io_thread *t);
/** Take up to `cap` events; returns how many. */
size_t ax_io_thread_drain(struct ax_io_thread *t, struct ax_io_event *out, size_t cap);

/* Commands: checked here, done by the thread. AX_E_FULL when too many wait. */
int ax_io_thread_set(struct ax_io_thread *t, uint32_t output, bool active, uint64_t token);
int ax_io_thread_pulse(struct ax_io_thread *t, uint32_t output, bool active, uint64_t duration_ns, uint64_t token);
int ax_io_thread_hold(struct ax_io_thread *t, uint32_t output, bool on, bool active, uint64_t token);
/** AX_E_STATE while an earlier one has not yet made its AX_IO_SEQUENCE_END. */
int ax_io_thread_sequence(struct ax_io_thread *t, uint32_t output, const struct ax_io_step *steps, size_t n,
                          uint64_t token);
int ax_io_thread_end(struct ax_io_thread *t, uint32_t output, uint64_t token);
/** Send frames one after the other (ax_io_send). All or nothing: AX_E_FULL when too many wait. */
int ax_io_thread_send(struct ax_io_thread *t, const struct ax_io_frame *frames, size_t n);
int ax_io_thread_fault(struct ax_io_thread *t, uint32_t output, uint64_t token);
int ax_io_thread_configure_input(struct ax_io_thread *t, uint32_t input, const struct ax_io_input_config *config);
int ax_io_thread_configure_output(struct ax_io_thread *t, uint32_t output, const struct ax_io_output_config *config);
int ax_io_thread_configure_reader(struct ax_io_thread *t, uint32_t reader, const struct ax_wiegand_config *config);

/** Show this from command->at_ns on (0: at once, in place of what waits). The tap hears `light`: active when there is light
 * to be shown, with the first frame; inactive with the frame that is dark and stays so. AX_E_STATE: there is no light;
 * AX_E_RANGE: a spec that is wrong. */
int ax_io_thread_light(struct ax_io_thread *t, const struct ax_led_command *command);
/** The memfd of the captured frames (ax/capture.h), -1 without a light. Belongs to the thread. */
int ax_io_thread_light_fd(const struct ax_io_thread *t);

/* Stimuli: what the simulated board does in place of hardware. */
/** Play edges on a reader's lines in real time. Their times count from the first one, which is played at `start_ns` or
 * now, but not before the edges planned earlier are over by a frame gap and 1 ms. All or nothing: AX_E_FULL when the plan
 * has no room; AX_E_RANGE for a line or level above 1 or a time more than an hour from the first. `*last_ns` is the time
 * of the latest edge. */
int ax_io_thread_feed_edges(struct ax_io_thread *t, uint32_t reader, const struct ax_edge *edges, size_t n,
                            uint64_t start_ns, uint64_t token, uint64_t *last_ns);
int ax_io_thread_feed_input(struct ax_io_thread *t, uint32_t input, bool level, uint64_t token);
int ax_io_thread_feed_key(struct ax_io_thread *t, uint32_t keypad, char key, uint64_t token);
int ax_io_thread_feed_label(struct ax_io_thread *t, uint32_t value, uint64_t token);

bool ax_io_thread_input_active(const struct ax_io_thread *t, uint32_t input);
bool ax_io_thread_output_active(const struct ax_io_thread *t, uint32_t output);

#endif
