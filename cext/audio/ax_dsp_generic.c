/* The loops of ax_dsp.h: the portable variant, four lanes.
 * Units, threads, allocation: see ax_dsp.h. */
#define VW 4
#define AX_DSP_VARIANT ax_dsp_generic
#define AX_DSP_NAME "generic"
#include "ax_dsp_step.h"
