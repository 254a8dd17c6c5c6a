/* Wiegand: edges to frames (SIA AC-01 timing and far beyond it). Formats are in ax/wiegand_format.h, the output side and
 * keypresses in ax/wiegand_out.h.
 *
 * Lines idle high; a bit is one low pulse on DATA0 (bit 0) or DATA1 (bit 1). A frame ends after a quiet gap, or at once
 * when `expect_bits` is set and reached. A frame gives exactly one result: the bits, or one error; what follows it without
 * a quiet gap belongs to it. Windows include their limits. Feed the edges that are waiting before you call advance: an edge
 * from before the end of a frame that is already given is an ORDER error.
 * Units: nanoseconds on a monotonic clock. Threads: one decoder belongs to one thread. Allocation: only in new. */
#ifndef AX_WIEGAND_H
#define AX_WIEGAND_H

#include <stddef.h>
#include <stdint.h>

#define AX_WIEGAND_MAX_BITS 256
#define AX_NEVER UINT64_MAX /**< A deadline that does not exist. */

/** One transition of one line, as a GPIO driver reports it. */
struct ax_edge {
    uint64_t t_ns; /**< Monotonic time of the transition. */
    uint32_t line; /**< 0 = DATA0, 1 = DATA1. */
    uint32_t level; /**< Level after the transition: 0 low (pulse starts), 1 high (pulse ends). */
};

struct ax_wiegand_config {
    uint32_t min_pulse_ns;    /**< Shortest accepted pulse; default 10 us. */
    uint32_t max_pulse_ns;    /**< Longest accepted pulse; default 400 us. */
    uint32_t glitch_ns;       /**< Lows, and highs within a pulse, shorter than this never were; counted. Default 5 us. */
    uint32_t min_interval_ns; /**< Shortest time between starts of two pulses; default 150 us less 45 % jitter. */
    uint32_t max_interval_ns; /**< Longest time between starts of two pulses; default 20 ms plus jitter, below the gap. */
    uint32_t frame_gap_ns;    /**< Quiet time that ends a frame; default 25 ms. */
    uint16_t min_bits;        /**< Fewer bits than this: SHORT. Default 4 (a keypress). */
    uint16_t max_bits;        /**< More bits than this: LONG. Default 128, at most AX_WIEGAND_MAX_BITS. */
    uint16_t expect_bits;     /**< Length of the only active format: the frame ends there without a gap. 0 = none. */
};

enum ax_wiegand_result {
    AX_WIEGAND_FRAME = 0,   /**< Good bits. */
    AX_WIEGAND_OVERLAP = 1, /**< Both lines were low together. */
    AX_WIEGAND_SHORT = 2,   /**< Fewer than min_bits. */
    AX_WIEGAND_LONG = 3,    /**< More than max_bits. */
    AX_WIEGAND_PULSE = 4,   /**< A pulse outside [min_pulse, max_pulse] (not a glitch). */
    AX_WIEGAND_GAP = 5,     /**< An interval outside [min_interval, max_interval] inside the frame. */
    AX_WIEGAND_STUCK = 6,   /**< A line stayed low beyond the frame gap. */
    AX_WIEGAND_ORDER = 7,   /**< Time ran backwards or a level repeated. */
    AX_WIEGAND_RESULT_END,
};

/** What one burst of edges was. */
struct ax_wiegand_frame {
    uint64_t t_first_ns; /**< Start of the first pulse. */
    uint64_t t_last_ns;  /**< End of the last pulse. */
    uint64_t t_done_ns;  /**< When the frame was complete: t_last + gap, or the last edge with expect_bits. */
    uint64_t bits[4];    /**< First bit received = most significant of the nbits-long number; word 0 is the least significant. */
    uint16_t nbits;
    uint16_t result;     /**< enum ax_wiegand_result */
    uint32_t glitches;   /**< Ignored pulses within the frame. */
};

struct ax_wiegand;

void ax_wiegand_defaults(struct ax_wiegand_config *config);
/** AX_E_RANGE when the windows contradict each other. */
int ax_wiegand_new(struct ax_wiegand **out, const struct ax_wiegand_config *config);
void ax_wiegand_free(struct ax_wiegand *w);
void ax_wiegand_reset(struct ax_wiegand *w);
/** Change the configuration between frames; a frame in progress is dropped. */
int ax_wiegand_configure(struct ax_wiegand *w, const struct ax_wiegand_config *config);
/** Feed edges in time order. Returns how many frames were written to `out` (<= cap), or < 0. `*consumed` tells how many
 * edges were taken: fewer than n only when `out` is full. A gap seen between two edges ends the frame before it. */
int ax_wiegand_feed(struct ax_wiegand *w, const struct ax_edge *edges, size_t n, struct ax_wiegand_frame *out, size_t cap,
                    size_t *consumed);
/** Tell that it is `now_ns` and no edge came: returns 1 with a frame in `out` when a frame ended, else 0. */
int ax_wiegand_advance(struct ax_wiegand *w, uint64_t now_ns, struct ax_wiegand_frame *out);
/** Glitches (lows, and highs within a pulse, shorter than glitch_ns) since new or reset, within frames and between them. */
uint64_t ax_wiegand_ignored(const struct ax_wiegand *w);
/** When `advance` would end the present frame; AX_NEVER when there is none. */
uint64_t ax_wiegand_deadline(const struct ax_wiegand *w);

#endif
