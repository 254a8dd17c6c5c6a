/* The network of the noise suppressor: the NEON variant, four lanes. Units, threads, allocation: see ax_ns_internal.h. */
#define VW 4
#define NS_STEP ns_step_neon
#include "ax_ns_step.h"
