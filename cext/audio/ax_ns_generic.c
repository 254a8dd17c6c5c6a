/* The network of the noise suppressor: the portable variant, four lanes. Units, threads, allocation: see ax_ns_internal.h. */
#define VW 4
#define NS_STEP ns_step_generic
#include "ax_ns_step.h"
