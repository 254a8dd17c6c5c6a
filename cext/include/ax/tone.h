/* Tones of telephony: keys (ITU-T Q.23), ring-back, busy, dial tone (E.180) as a list of segments of up to four sines.
 *
 * A tone is a pure function of the sample position: any split into blocks gives the same samples, and the phase never drifts
 * (32-bit fractions of a cycle from the start of the segment). Segments rise and fall in 2 ms, so that nothing clicks.
 *
 * Units: mHz, us, samples; amplitudes of 1.0 are full scale. Threads: a tone never changes. Allocation: one block in `new`. */
#ifndef AX_TONE_H
#define AX_TONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AX_TONE_SEGMENTS 256
#define AX_TONE_SINES 4
#define AX_TONE_MAX_US 60000000 /**< Longest segment. */

struct ax_tone_segment {
    uint32_t duration_us;
    uint32_t mhz[AX_TONE_SINES];    /**< 0: none. Below half of the rate. */
    float amplitude[AX_TONE_SINES]; /**< 0 .. 1, all together at most 1. */
};

struct ax_tone;

/** `rate` 8000 .. 48000. `repeat`: after the last segment comes the first. AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_tone_new(struct ax_tone **out, const struct ax_tone_segment *segments, size_t n, bool repeat, uint32_t rate);
void ax_tone_free(struct ax_tone *t);
/** Samples of one round. */
uint64_t ax_tone_length(const struct ax_tone *t);
/** Samples `pos` .. `pos + n - 1`; silence after the end. Gives how many are before the end. */
int ax_tone_render(const struct ax_tone *t, uint64_t pos, int16_t *out, size_t n);

#endif
