/* What the files of the I/O core share. Not for users of ax/io.h. */
#ifndef AX_IO_INTERNAL_H
#define AX_IO_INTERNAL_H

#include "ax/io.h"

struct io_input {
    struct ax_io_input_config config;
    bool raw;          /**< Latest level of the line. */
    bool level;        /**< Latest accepted level. */
    bool active;       /**< `level` differs from normal. */
    uint64_t due_ns;   /**< When `raw` will be accepted; AX_NEVER when it equals `level`. */
    uint64_t token;    /**< Correlation of the latest raw change. */
};

struct io_sequence {
    struct ax_io_step step[AX_IO_MAX_SEQUENCE];
    uint32_t n, at;    /**< Steps in all, and the one that is on the pin now. n == 0: none runs. */
    uint64_t due_ns;   /**< When step `at` is over. */
    uint64_t order;    /**< Age among the claims of its rank: the higher one wins. */
    uint64_t token;
};

struct io_output {
    struct ax_io_output_config config;
    bool active, level; /**< What the pin shows. */
    bool base;
    bool bit;           /**< A bit of the frame that is sent. */
    bool hold, hold_active;
    bool pulse, pulse_active;
    uint64_t pulse_due_ns, pulse_order, pulse_token;
    uint32_t rex_pressed; /**< One bit per input that is active and opens this output. */
    bool rex;             /**< The claim stands. */
    uint64_t rex_due_ns;  /**< The claim lasts at least until here. */
    uint64_t rex_token;
    struct io_sequence sequence;
};

struct io_sender {
    struct ax_io_frame frame;
    bool busy, pulse;  /**< A frame, or the gap after it, is not over; a bit is on a line. */
    uint32_t at;       /**< The bit that is sent, or next. */
    uint64_t next_ns;  /**< When the next bit may start. */
    uint64_t due_ns;   /**< AX_NEVER when not busy. */
};

struct ax_io {
    struct ax_io_sink sink;
    uint64_t now_ns;  /**< Time of the latest thing done; never runs backwards. */
    uint64_t orders;  /**< Source of the claims' ages. */
    uint32_t inputs, outputs, readers;
    struct io_input input[AX_IO_MAX_INPUTS];
    struct io_output output[AX_IO_MAX_OUTPUTS];
    struct ax_wiegand *reader[AX_IO_MAX_READERS];
    uint64_t reader_token[AX_IO_MAX_READERS];
    struct io_sender sender;
};

static inline uint64_t io_later(uint64_t t_ns, uint64_t by_ns)
{
    return by_ns < AX_NEVER - t_ns ? t_ns + by_ns : AX_NEVER;
}

void io_emit(struct ax_io *io, uint32_t kind, uint32_t index, uint32_t value, uint32_t reason, uint64_t token);

/* Outputs (ax_io_output.c). All act at io->now_ns. */
void io_output_init(struct io_output *out, const struct ax_io_output_config *config);
void io_output_press(struct ax_io *io, uint32_t output, uint32_t input, uint64_t hold_ns, uint64_t token);
void io_output_release(struct ax_io *io, uint32_t output, uint32_t input);
uint64_t io_output_deadline(const struct io_output *out);
int io_check_input(const struct ax_io_input_config *config, uint32_t outputs);
void io_output_due(struct ax_io *io, uint32_t output);
/* A bit begins or ends; gives when it was written. */
uint64_t io_output_bit(struct ax_io *io, uint32_t output, bool active);

/* The frame that is sent (ax_io_send.c). */
void io_sender_due(struct ax_io *io, uint32_t index);
/* Give up a frame that uses this output. */
void io_sender_drop(struct ax_io *io, uint32_t output);

#endif
