/* The loops of ax_dsp.h: the NEON variant (64-bit Arm), four lanes.
 * Units, threads, allocation: see ax_dsp.h. */
#define VW 4
#define AX_DSP_VARIANT ax_dsp_neon
#define AX_DSP_NAME "neon"
#include "ax_dsp_step.h"
