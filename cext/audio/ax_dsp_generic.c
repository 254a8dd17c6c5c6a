#define VW 4
#define AX_DSP_VARIANT ax_dsp_generic
#define AX_DSP_NAME "generic"
#include "ax_dsp_step.h"
