/* A limiter that never clips, and a mixer that sums without saturation in front of it.
 *
 * The limiter looks ahead by one block of about 1 ms. The gain of a block goes in a straight line between two values of which
 * neither lets its peak over the ceiling: so nothing passes over it, and the gain never jumps. It comes back with a time
 * constant of 60 ms. (Lookahead limiting as in Giannoulis, Massberg and Reiss, JAES 60(6), 2012, on blocks.)
 *
 * Units: samples of 16 bits or float32 of full scale 1.0, in frames of 10 ms. Threads: an object belongs to one. Allocation:
 * one block in `new`. */
#ifndef AX_LIMIT_H
#define AX_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#define AX_LIMIT_MOST 4096.0f /**< Float samples are at most this far from zero. */

struct ax_limit;

/** `rate` 8000, 16000, 32000, 44100 or 48000; `ceiling` in (0, 1], of full scale. AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_limit_new(struct ax_limit **out, uint32_t rate, float ceiling);
void ax_limit_free(struct ax_limit *l);
void ax_limit_reset(struct ax_limit *l);
/** Samples from input to output, and samples of a frame. */
uint32_t ax_limit_latency(const struct ax_limit *l);
uint32_t ax_limit_frame(const struct ax_limit *l);

/** One frame; `out` may be `in`. AX_E_RANGE when a sample is no number or too far out: nothing has happened. */
int ax_limit_i16(struct ax_limit *l, const int16_t *in, int16_t *out);
int ax_limit_f32(struct ax_limit *l, const float *in, float *out);

/** The sum of `n` frames, each times its gain (NULL: 1), through the limiter. Gains are numbers of -16 to 16; n is at most 64. */
int ax_limit_mix(struct ax_limit *l, const int16_t *const *in, const float *gains, size_t n, int16_t *out);

#endif
