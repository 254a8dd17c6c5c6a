#define VW 4
#define AX_DSP_VARIANT ax_dsp_neon
#define AX_DSP_NAME "neon"
#include "ax_dsp_step.h"
