/* What a variant of the converter offers: the product of a row of coefficients with samples, in sixteen sums that are added
 * up in one order, so that all variants give the same bits. Threads: any. Allocation: none. */
#ifndef AX_RESAMPLE_INTERNAL_H
#define AX_RESAMPLE_INTERNAL_H

#include "ax/resample.h"

enum { RESAMPLE_LANES = 16 };

struct resample_ops {
    const char *name;
    float (*dot)(const float *h, const float *x, size_t n); /* n is a multiple of 16. */
};

extern const struct resample_ops ax_resample_generic;
extern const struct resample_ops ax_resample_avx2;
extern const struct resample_ops ax_resample_neon;

/* Halves are added, and their halves. */
static inline float resample_sum(const float *lane)
{
    float a[8], b[4];
    for (int i = 0; i < 8; i++)
        a[i] = lane[i] + lane[i + 8];
    for (int i = 0; i < 4; i++)
        b[i] = a[i] + a[i + 4];
    return (b[0] + b[2]) + (b[1] + b[3]);
}

#endif
