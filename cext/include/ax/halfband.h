/* Sample rate conversion by two with little delay: a recursive polyphase half-band filter.
 *
 * Source: an elliptic half-band filter as two all-pass branches (Valenzuela and Constantinides, "Digital signal processing
 * schemes for efficient interpolation and decimation", IEE Proc. G 130(6), 1983). With the lower rate f: the pass band goes
 * to 0.4875 f with a ripple below 1e-7 dB, the stop band begins at 0.5125 f and is 91 dB down. The delay is a group delay:
 * at 8 and 16 kHz 0.22 ms up to 1 kHz, 0.55 ms at 3 kHz, 1.6 ms at 3.7 kHz; the phase is not linear, which the ear does not
 * mind at such lengths. Where it has to be linear, or the ratio is another one, ax/resample.h does it.
 *
 * Units: samples of 16 bits. Threads: an object belongs to one. Allocation: none. */
#ifndef AX_HALFBAND_H
#define AX_HALFBAND_H

#include <stddef.h>
#include <stdint.h>

#define AX_HALFBAND_SECTIONS 5 /**< Of each branch. */

struct ax_halfband {
    float factor[2][AX_HALFBAND_SECTIONS];
    float past[2][AX_HALFBAND_SECTIONS + 1]; /**< Input of each section one sample ago, and the branch's output. */
};

/** AX_E_ARG. */
int ax_halfband_init(struct ax_halfband *h);
void ax_halfband_reset(struct ax_halfband *h);
/** `n` samples to 2 n; `out` does not overlap `in`. AX_E_ARG. */
int ax_halfband_up(struct ax_halfband *h, const int16_t *in, size_t n, int16_t *out);
/** 2 n samples to `n`. */
int ax_halfband_down(struct ax_halfband *h, const int16_t *in, size_t n, int16_t *out);

#endif
