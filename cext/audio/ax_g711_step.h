/* G.711 on LANES samples at once, in the compiler's vector types. Included by each variant, which defines before: LANES, and
 * the loads and stores of its instruction set:
 *
 *   vi load16(const int16_t *)   vi load8(const uint8_t *)   void store16(int16_t *, vi)   void store8(uint8_t *, vi)
 *
 * A code is the exponent and the four upper bits of the mantissa of its magnitude as a binary32 number: one conversion takes
 * the place of a search and a variable shift. Units: samples. Threads: any. Allocation: none. */
#ifndef AX_G711_STEP_H
#define AX_G711_STEP_H

#include "ax_g711_internal.h"

#define SEGMENT_0 (134 << 4) /* Exponent of 2^7, where segment 0 begins, with its bias, above four bits of mantissa. */

static inline vi mu_encode_lanes(vi x)
{
    const vi sign = x >> 31, raw = (x ^ sign) + 132, over = raw > 32767;
    const vi size = (raw & ~over) | (over & 32767);
    const vi bits = ((vi)__builtin_convertvector(size, vf) >> 19) - SEGMENT_0;
    return bits ^ 0xFF ^ (sign & 0x80);
}

static inline vi a_encode_lanes(vi x)
{
    const vi sign = x >> 31, size = x ^ sign, small = size < 256;
    const vi bits = ((vi)__builtin_convertvector(size, vf) >> 19) - SEGMENT_0;
    return ((small & size >> 4) | (~small & bits)) ^ 0xD5 ^ (sign & 0x80);
}

static inline vi mu_decode_lanes(vi code)
{
    const vi bits = ((~code & 0x7F) + SEGMENT_0) << 19 | 1 << 18;
    const vi size = __builtin_convertvector((vf)bits, vi) - 132, sign = ((code >> 7) & 1) - 1;
    return (size ^ sign) - sign;
}

static inline vi a_decode_lanes(vi code)
{
    const vi even = code ^ 0x55, seven = even & 0x7F, small = seven < 16;
    const vi bits = (seven + SEGMENT_0) << 19 | 1 << 18;
    const vi large = __builtin_convertvector((vf)bits, vi), linear = seven << 4 | 8, sign = ((code >> 7) & 1) - 1;
    const vi size = (small & linear) | (~small & large);
    return (size ^ sign) - sign;
}

#define G711_ENCODE(law)                                                                                               \
    static void law##_encode(const int16_t *in, size_t n, uint8_t *out)                                                \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + LANES <= n; i += LANES)                                                                             \
            store8(out + i, law##_encode_lanes(load16(in + i)));                                                       \
        for (; i < n; i++)                                                                                             \
            out[i] = ax_g711_##law##_code(in[i]);                                                                      \
    }

#define G711_DECODE(law)                                                                                               \
    static void law##_decode(const uint8_t *in, size_t n, int16_t *out)                                                \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + LANES <= n; i += LANES)                                                                             \
            store16(out + i, law##_decode_lanes(load8(in + i)));                                                       \
        for (; i < n; i++)                                                                                             \
            out[i] = ax_g711_##law##_value(in[i]);                                                                     \
    }

G711_ENCODE(mu)
G711_ENCODE(a)
G711_DECODE(mu)
G711_DECODE(a)

#endif
