/* CRC-16 by PMULL on 64-bit Arm: the algorithm of ax_osdp_crc_pclmul.c, where it is explained.
 * Needs n >= 64. Units: bytes. Threads: any. Allocation: none. Compiled with -march=armv8-a+crypto. */
#include "ax_osdp_crc_internal.h"

#include <arm_neon.h>

static inline uint8x16_t reverse(uint8x16_t x)
{
    const uint8x16_t half = vrev64q_u8(x);
    return vextq_u8(half, half, 8);
}

static inline uint64x2_t load(const uint8_t *p)
{
    return vreinterpretq_u64_u8(reverse(vld1q_u8(p)));
}

static inline uint64x2_t fold(uint64x2_t x, poly64_t high, poly64_t low, uint64x2_t next)
{
    const uint64x2_t h = vreinterpretq_u64_p128(vmull_p64((poly64_t)vgetq_lane_u64(x, 1), high));
    const uint64x2_t l = vreinterpretq_u64_p128(vmull_p64((poly64_t)vgetq_lane_u64(x, 0), low));
    return veorq_u64(veorq_u64(h, l), next);
}

uint16_t ax_osdp_crc_pmull(uint16_t crc, const uint8_t *p, size_t n)
{
    uint8_t rest[16];
    uint64x2_t a = veorq_u64(load(p), vcombine_u64(vcreate_u64(0), vcreate_u64((uint64_t)crc << 48)));
    uint64x2_t b = load(p + 16), c = load(p + 32), d = load(p + 48);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
        a = fold(a, K576, K512, load(p));
        b = fold(b, K576, K512, load(p + 16));
        c = fold(c, K576, K512, load(p + 32));
        d = fold(d, K576, K512, load(p + 48));
    }
    a = fold(fold(fold(a, K192, K128, b), K192, K128, c), K192, K128, d);
    for (; n >= 16; p += 16, n -= 16)
        a = fold(a, K192, K128, load(p));
    vst1q_u8(rest, reverse(vreinterpretq_u8_u64(a)));
    crc = ax_osdp_crc_16(0, rest);
    if (n & 8) {
        crc = ax_osdp_crc_8(crc, p);
        p += 8;
    }
    return ax_osdp_crc_tail(crc, p, n & 7);
}
