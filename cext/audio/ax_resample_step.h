/* The product in registers of LANES floats, in the compiler's vector types: included by each variant. Two rows of sums hide
 * the length of an addition. Units: samples. Threads: any. Allocation: none. */
#ifndef AX_RESAMPLE_STEP_H
#define AX_RESAMPLE_STEP_H

#include "ax_resample_internal.h"

#include <string.h>

typedef float vf __attribute__((vector_size(4 * LANES)));

static float dot(const float *h, const float *x, size_t n)
{
    vf sum[RESAMPLE_LANES / LANES] = {{0}};
    float lane[RESAMPLE_LANES];
    for (size_t i = 0; i < n; i += RESAMPLE_LANES)
        for (size_t k = 0; k < RESAMPLE_LANES / LANES; k++) {
            vf a, b;
            memcpy(&a, h + i + k * LANES, sizeof a);
            memcpy(&b, x + i + k * LANES, sizeof b);
            sum[k] += a * b;
        }
    memcpy(lane, sum, sizeof lane);
    return resample_sum(lane);
}

#endif
