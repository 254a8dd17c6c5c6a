/* The loops of ax_dsp.h: the AVX2 and FMA variant, eight lanes; compiled alone with those instructions, chosen at run time.
 * Units, threads, allocation: see ax_dsp.h. */
#define VW 8
#define AX_DSP_VARIANT ax_dsp_fma
#define AX_DSP_NAME "fma"
#include "ax_dsp_step.h"
