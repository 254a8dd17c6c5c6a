/* The network of the noise suppressor: the AVX2 and FMA variant, eight lanes. Units, threads, allocation: see ax_ns_internal.h. */
#define VW 8
#define NS_STEP ns_step_fma
#include "ax_ns_step.h"
