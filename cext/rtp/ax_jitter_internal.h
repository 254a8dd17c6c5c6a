/* The delay estimator of the jitter buffer. Inside cext/rtp only. Units: ns. Threads: one. Allocation: none. */
#ifndef AX_JITTER_INTERNAL_H
#define AX_JITTER_INTERNAL_H

#include <stdint.h>

#define AX_DELAY_TRIALS 24
#define AX_DELAY_SPANS 4
#define AX_DELAY_SPAN_NS 500000000ll
#define AX_DELAY_EASE_MS 8.f /**< An excess that is let be; half of it stays when it is not. */
#define AX_DELAY_SHRINK 4 /**< A frame loses at most this part of itself. */
#define AX_DELAY_PARTS 8 /**< Concealment while nothing is here, in parts of a frame. */
#define AX_DELAY_PIECES 2 /**< A frame is played in so many, each of which may be stretched. */

/** What the last seconds say of the way here. A transit is an arrival minus the time of the timestamp: its zero means
 * nothing. */
struct ax_delay {
    float now_ms[AX_DELAY_TRIALS]; /**< Where the buffer of each trial stands. */
    float cost[AX_DELAY_TRIALS];   /**< Its impairment in the mean of the last minute. */
    float usual_ms; /**< Nine of ten recent packets are not later than this. */
    int64_t span_min[AX_DELAY_SPANS]; /**< Least transit of each span of time. */
    int64_t span_end;
    int64_t base;   /**< Least transit of all spans. */
    int64_t target;
    uint32_t packets;
    int span, trial, outage;
};

void ax_delay_reset(struct ax_delay *d);
/** A packet with this transit; `frame_ns` is its length. `tick_ns`: the caller's step, 0: none, -1: nor may it stretch. */
void ax_delay_add(struct ax_delay *d, int64_t transit, int64_t now, int64_t frame_ns, int64_t tick_ns);
/** The next packet counts as missed when it is so much later than the fastest. */
float ax_delay_missed_ms(const struct ax_delay *d);

#endif
