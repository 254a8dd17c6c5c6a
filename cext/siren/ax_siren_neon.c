/* The NEON variant of the siren's inner loops (64-bit Arm): four samples at once. Units, threads, allocation: see
 * ax_siren_step.h. */
#include <arm_neon.h>

#define LANES 4
#define ORDER_0 {0, 1}
#define ORDER_1 {2, 3}

#include "ax_siren_step.h"

static inline vu high(vq p0, vq p1)
{
    return (vu)vuzp2q_u32((uint32x4_t)p0, (uint32x4_t)p1);
}

static inline vf hold(vf x, vf most)
{
    return (vf)vmaxq_f32(vminq_f32((float32x4_t)x, (float32x4_t)most), (float32x4_t)-most);
}

static inline void narrow(int16_t *out, vi in)
{
    vst1_s16(out, vmovn_s32((int32x4_t)in));
}

const struct siren_ops ax_siren_neon = {"neon", wave, store};
