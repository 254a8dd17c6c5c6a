/* The NEON variant of G.711 (64-bit Arm): eight samples at once in pairs of registers. Units, threads, allocation: see
 * ax_g711_step.h. */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define LANES 8

typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef float vf __attribute__((vector_size(4 * LANES)));

static inline vi join(int32x4_t low, int32x4_t high)
{
    vi x;
    memcpy(&x, &low, sizeof low);
    memcpy((char *)&x + sizeof low, &high, sizeof high);
    return x;
}

static inline int16x8_t narrow(vi x)
{
    int32x4_t low, high;
    memcpy(&low, &x, sizeof low);
    memcpy(&high, (const char *)&x + sizeof low, sizeof high);
    return vcombine_s16(vmovn_s32(low), vmovn_s32(high));
}

static inline vi load16(const int16_t *in)
{
    const int16x8_t x = vld1q_s16(in);
    return join(vmovl_s16(vget_low_s16(x)), vmovl_s16(vget_high_s16(x)));
}

static inline vi load8(const uint8_t *in)
{
    const int16x8_t x = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(in)));
    return join(vmovl_s16(vget_low_s16(x)), vmovl_s16(vget_high_s16(x)));
}

static inline void store16(int16_t *out, vi x)
{
    vst1q_s16(out, narrow(x));
}

static inline void store8(uint8_t *out, vi x)
{
    vst1_u8(out, vmovn_u16(vreinterpretq_u16_s16(narrow(x))));
}

#include "ax_g711_step.h"

const struct g711_ops ax_g711_neon = {"neon", {mu_encode, a_encode}, {mu_decode, a_decode}};
