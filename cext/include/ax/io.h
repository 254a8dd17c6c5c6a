/* The I/O core: inputs with debounce, outputs with pulses, REX to lock, readers. A sans-I/O state machine: time is an
 * argument, pins are written through a callback, what happened is put into an event callback. The native I/O thread
 * (ax/io_thread.h) is a shell around it; tests drive it with a made-up clock.
 *
 * "Active" means: differs from the normal state. An output's level is decided by the highest of these claims:
 *   REX (always active; free egress)  >  bit of a frame that is sent  >  pulse or sequence (newest)
 *     >  hold (rule "while active")  >  base (set by a user).
 * Units: nanoseconds, CLOCK_MONOTONIC. Threads: one core belongs to one thread. Allocation: only in new. */
#ifndef AX_IO_H
#define AX_IO_H

#include "ax/wiegand_out.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AX_IO_MAX_INPUTS 32
#define AX_IO_MAX_OUTPUTS 16
#define AX_IO_MAX_READERS 4
#define AX_IO_MAX_SEQUENCE 64

enum ax_io_event_kind {
    AX_IO_INPUT = 1,        /**< Debounced input changed: index, value = active. */
    AX_IO_OUTPUT = 2,       /**< Output pin changed: index, value = active, reason. */
    AX_IO_FRAME = 3,        /**< Reader frame: index, frame.result tells bits or error. */
    AX_IO_KEY = 4,          /**< Keypad key: index = keypad, value = ASCII '0'-'9', '*', '#', 'C' (call). */
    AX_IO_SEQUENCE_END = 5, /**< A sequence ran to its end (value 1) or was cut (value 0). */
    AX_IO_DROPPED = 6,      /**< The event ring was full: value = how many events were lost. */
    AX_IO_LABEL = 7,        /**< A stimulus that the core only passes on (QR text id and the like): value. */
};

enum ax_io_reason { AX_IO_BY_SET = 1, AX_IO_BY_PULSE, AX_IO_BY_PULSE_END, AX_IO_BY_HOLD, AX_IO_BY_REX, AX_IO_BY_REX_END,
                    AX_IO_BY_SEQUENCE, AX_IO_BY_CONFIG, AX_IO_BY_FAULT, AX_IO_BY_STOP,
                    AX_IO_BY_FRAME /**< In no event. */ };

struct ax_io_event {
    uint64_t t_ns;   /**< When it happened (debounce accepted, pin written, frame complete). */
    uint32_t kind;   /**< enum ax_io_event_kind */
    uint32_t index;
    uint32_t value;
    uint32_t reason; /**< enum ax_io_reason */
    uint64_t token;  /**< Correlation of the cause; 0 = none. */
    struct ax_wiegand_frame frame;
};

struct ax_io_input_config {
    uint64_t debounce_ns;
    uint8_t normal_high;  /**< Raw level that is "not active": 1 = open circuit pulled up is normal, 0 = closed is normal. */
    int8_t rex_output;    /**< Output that this input opens as request to exit; -1 = none. */
    uint64_t rex_hold_ns; /**< The output stays active until this long after the press, and while the input is active. */
};

struct ax_io_output_config {
    uint8_t normal_high;     /**< Pin level when not active. */
    uint8_t fault_active;    /**< State taken by ax_io_fault(): 0 = normal (fail-secure), 1 = active (fail-safe). */
};

struct ax_io_config {
    uint32_t inputs, outputs, readers;
    struct ax_io_input_config input[AX_IO_MAX_INPUTS];
    struct ax_io_output_config output[AX_IO_MAX_OUTPUTS];
    struct ax_wiegand_config reader[AX_IO_MAX_READERS];
};

struct ax_io_step { uint64_t after_ns; uint8_t active; }; /**< Bring to `active`, then wait `after_ns`. */

/** A frame for two outputs, as a reader with DATA0 and DATA1 sends it: a bit is a pulse (active) of one of them. */
struct ax_io_frame {
    uint32_t output[2]; /**< DATA0, DATA1. */
    struct ax_wiegand_timing timing;
    uint64_t bits[4];   /**< As in struct ax_wiegand_frame. */
    uint32_t nbits;     /**< 1 to AX_WIEGAND_MAX_BITS. */
};

struct ax_io_sink {
    void *context;
    /** Write a pin that is due at `t_ns`; returns when it was written. */
    uint64_t (*write)(void *context, uint32_t output, bool level, bool active, uint64_t t_ns);
    void (*event)(void *context, const struct ax_io_event *event);
};

struct ax_io;

/** Outputs are taken to be at their normal level already: init writes no pin and makes no event. */
int ax_io_new(struct ax_io **out, const struct ax_io_config *config, const struct ax_io_sink *sink);
void ax_io_free(struct ax_io *io);

int ax_io_input(struct ax_io *io, uint64_t t_ns, uint32_t input, bool level, uint64_t token);
int ax_io_edges(struct ax_io *io, uint32_t reader, const struct ax_edge *edges, size_t n, uint64_t token);
int ax_io_key(struct ax_io *io, uint64_t t_ns, uint32_t keypad, char key, uint64_t token);

int ax_io_set(struct ax_io *io, uint64_t t_ns, uint32_t output, bool active, uint64_t token);
int ax_io_pulse(struct ax_io *io, uint64_t t_ns, uint32_t output, bool active, uint64_t duration_ns, uint64_t token);
int ax_io_hold(struct ax_io *io, uint64_t t_ns, uint32_t output, bool on, bool active, uint64_t token);
int ax_io_sequence(struct ax_io *io, uint64_t t_ns, uint32_t output, const struct ax_io_step *steps, size_t n, uint64_t token);
/** What was opened for a while is shut early: the pulse ends, and REX as soon as none of its inputs is active. */
int ax_io_end(struct ax_io *io, uint64_t t_ns, uint32_t output, uint64_t token);
/** Send a frame. Each edge counts from when the one before it was really written: whoever calls late makes a frame longer,
 * but no pulse, no interval and no gap shorter. Bits are written, and no event tells of them. AX_E_STATE while another
 * frame, or the gap after it, is not over. */
int ax_io_send(struct ax_io *io, uint64_t t_ns, const struct ax_io_frame *frame);
bool ax_io_sending(const struct ax_io *io);
/** What ax_io_send() takes: AX_E_ARG, AX_E_RANGE. */
int ax_io_check_frame(const struct ax_io_frame *frame, uint32_t outputs);
/** Drop every claim but REX and go to the fault state. */
int ax_io_fault(struct ax_io *io, uint64_t t_ns, uint32_t output, uint64_t token);
int ax_io_configure_input(struct ax_io *io, uint64_t t_ns, uint32_t input, const struct ax_io_input_config *config);
/** Takes the output back to normal, whatever claims it had (REX stays). */
int ax_io_configure_output(struct ax_io *io, uint64_t t_ns, uint32_t output, const struct ax_io_output_config *config);
int ax_io_configure_reader(struct ax_io *io, uint32_t reader, const struct ax_wiegand_config *config);

/** End what only lasts a while, on every output: pulses, sequences, holds and REX. The base stays. */
int ax_io_rest(struct ax_io *io, uint64_t t_ns);

/** Do everything that is due at `now_ns`. */
int ax_io_advance(struct ax_io *io, uint64_t now_ns);
uint64_t ax_io_deadline(const struct ax_io *io);
/** When the next frame may be over or the next input change be accepted; AX_NEVER when nothing is under way. Sets a bit
 * in `inputs` for each input whose change waits for its debounce. */
uint64_t ax_io_news_due(const struct ax_io *io, uint32_t *inputs);
bool ax_io_input_active(const struct ax_io *io, uint32_t input);
bool ax_io_output_active(const struct ax_io *io, uint32_t output);

#endif
