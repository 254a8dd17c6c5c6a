/* The NEON variant of the light steps (64-bit Arm): four LEDs at once. Units, threads, allocation: see ax_led_step.h. */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define LANES 4
typedef float32x4_t vf;
typedef uint32x4_t vu;

static inline vu vu_load(const uint32_t *p) { return vld1q_u32(p); }
static inline vu vu_set(uint32_t x) { return vdupq_n_u32(x); }
static inline vu vu_add(vu a, vu b) { return vaddq_u32(a, b); }
static inline vu vu_sub(vu a, vu b) { return vsubq_u32(a, b); }
static inline vu vu_mul(vu a, vu b) { return vmulq_u32(a, b); }
static inline vu vu_half(vu a) { return vshrq_n_u32(a, 1); }
static inline vf vf_set(float x) { return vdupq_n_f32(x); }
static inline vf vf_of(vu a) { return vcvtq_f32_s32(vreinterpretq_s32_u32(a)); }
static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
static inline vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
static inline vu vf_cut(vf a) { return vreinterpretq_u32_s32(vcvtq_s32_f32(a)); }

static inline void store3(uint16_t *out, vu r, vu g, vu b)
{
    const uint16x4x3_t pixels = {{vmovn_u32(r), vmovn_u32(g), vmovn_u32(b)}};
    vst3_u16(out, pixels);
}

#include "ax_led_step.h"

static void mix(const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out)
{
    size_t i = 0;
    const uint32x4_t half = vdupq_n_u32(32768), share = vdupq_n_u32(weight);
    for (; weight < 65536 && i + 4 <= n; i += 4) {
        /* from * 65536 + 32768 + (to - from) * weight, modulo 2^32, is what the portable step computes. */
        const uint32x4_t a = vmovl_u16(vld1_u16(from + i)), b = vmovl_u16(vld1_u16(to + i));
        const uint32x4_t sum = vmlaq_u32(vaddq_u32(vshlq_n_u32(a, 16), half), vsubq_u32(b, a), share);
        vst1_u16(out + i, vshrn_n_u32(sum, 16));
    }
    if (i < n)
        ax_led_generic.mix(from + i, to + i, n - i, weight, out + i);
}

/* Two neighbouring knots: the first in the low half. */
static inline uint32_t pair(const struct ax_led_curve *curve, uint64_t piece)
{
    uint32_t knots;
    memcpy(&knots, &curve->knot[piece & 255], sizeof knots);
    return knots;
}

static void encode(const struct ax_led_curve *curve, const uint16_t *light, size_t n, uint32_t phase, uint8_t *out)
{
    const uint16x8_t most = vdupq_n_u16(65280), whole = vdupq_n_u16(256), low = vdupq_n_u16(255);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t half[2];
        memcpy(half, light + i, sizeof half);
        const uint32_t read[8] = {
            pair(curve, half[0] >> 8), pair(curve, half[0] >> 24), pair(curve, half[0] >> 40), pair(curve, half[0] >> 56),
            pair(curve, half[1] >> 8), pair(curve, half[1] >> 24), pair(curve, half[1] >> 40), pair(curve, half[1] >> 56),
        };
        const uint16x8_t first = vreinterpretq_u16_u32(vld1q_u32(read)), last = vreinterpretq_u16_u32(vld1q_u32(read + 4));
        const uint16x8_t a = vuzp1q_u16(first, last), b = vuzp2q_u16(first, last);
        const uint16x8_t part = vandq_u16(vld1q_u16(light + i), low), rest = vsubq_u16(whole, part);
        const uint32x4_t front = vmlal_u16(vmull_u16(vget_low_u16(a), vget_low_u16(rest)), vget_low_u16(b), vget_low_u16(part));
        const uint32x4_t back = vmlal_u16(vmull_u16(vget_high_u16(a), vget_high_u16(rest)), vget_high_u16(b), vget_high_u16(part));
        uint16x8_t code = vminq_u16(vcombine_u16(vshrn_n_u32(front, 7), vshrn_n_u32(back, 7)), most);
        const uint8_t *thresholds = ax_led_thresholds + ((phase + i) & 255);
        code = vaddw_u8(code, vld1_u8(thresholds));
        vst1_u8(out + i, vshrn_n_u16(code, 8));
    }
    if (i < n)
        ax_led_generic.encode(curve, light + i, n - i, phase + (uint32_t)i, out + i);
}

const struct led_ops ax_led_neon = {"neon", window, mix, encode};
