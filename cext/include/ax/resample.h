/* Sample rate conversion between 8, 16, 32, 44.1 and 48 kHz by a polyphase filter.
 *
 * Source: a sinc under a Kaiser window (Kaiser 1974; Crochiere and Rabiner 1983, ch. 4), one row of coefficients for every
 * phase. The stop band begins at half of the lower rate and is at least 90 dB down; with 96 taps the pass band goes to
 * 87 % of it. The delay is half of the filter: taps / 2 samples of the lower rate.
 *
 * Units: samples of 16 bits or float32. Threads: a converter belongs to one. Allocation: one block in `new` (the largest,
 * 44100 to 32000, takes 300 kB). */
#ifndef AX_RESAMPLE_H
#define AX_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct ax_resample;

/** Rates are of the list; `taps` 32 .. 256, a multiple of 16, at the lower rate. AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_resample_new(struct ax_resample **out, uint32_t from, uint32_t to, uint32_t taps);
void ax_resample_free(struct ax_resample *r);
void ax_resample_reset(struct ax_resample *r);
/** Delay in samples of the output, rounded. */
uint32_t ax_resample_latency(const struct ax_resample *r);

/** How many samples the next `n` will give. Whole 10 ms give whole 10 ms. */
size_t ax_resample_count(const struct ax_resample *r, size_t n);
/** Convert `n` samples, at most 2^24. Gives how many came out: ax_resample_count. AX_E_FULL: there is no room for them;
 *  AX_E_RANGE: a sample is no number or beyond 2^16. Then nothing has happened. `out` does not overlap `in`. */
int ax_resample_i16(struct ax_resample *r, const int16_t *in, size_t n, int16_t *out, size_t room);
int ax_resample_f32(struct ax_resample *r, const float *in, size_t n, float *out, size_t room);

/** Variants (0 = portable): how many this machine has. All give the same bits. */
int ax_resample_levels(void);
const char *ax_resample_level_name(int level);
/** Test hook. */
int ax_resample_set_level(struct ax_resample *r, int level);

#endif
