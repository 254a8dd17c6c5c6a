#define VW 8
#define AX_DSP_VARIANT ax_dsp_fma
#define AX_DSP_NAME "fma"
#include "ax_dsp_step.h"
