/* The NEON variant of the converter's product (64-bit Arm). Units, threads, allocation: see ax_resample_step.h. */
#define LANES 4

#include "ax_resample_step.h"

const struct resample_ops ax_resample_neon = {"neon", dot};
