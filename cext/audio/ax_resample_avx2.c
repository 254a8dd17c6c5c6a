/* The AVX2 variant of the converter's product. Compiled alone with -mavx2; chosen at run time. Units, threads, allocation: see
 * ax_resample_step.h. */
#define LANES 8

#include "ax_resample_step.h"

const struct resample_ops ax_resample_avx2 = {"avx2", dot};
