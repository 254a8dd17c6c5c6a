/* CRC-16 by carry-less multiplication (Gopal et al., Intel, 2009), for a CRC that is not reflected: bytes are reversed in
 * each register, so that the first byte of the message holds the highest powers of x. Moving a register D bits up the
 * message multiplies its halves by x^(D+64) and x^D modulo the polynomial. What is left, 128 bits, goes through the tables.
 * Needs n >= 64. Units: bytes. Threads: any. Allocation: none. Compiled with -mpclmul -mssse3. */
#include "ax_osdp_crc_internal.h"

#include <immintrin.h>

static inline __m128i load(const uint8_t *p)
{
    const __m128i reverse = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), reverse);
}

static inline __m128i fold(__m128i x, __m128i k, __m128i next)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x11), _mm_clmulepi64_si128(x, k, 0x00)), next);
}

uint16_t ax_osdp_crc_pclmul(uint16_t crc, const uint8_t *p, size_t n)
{
    const __m128i reverse = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i k128 = _mm_set_epi64x(K192, K128);
    const __m128i k512 = _mm_set_epi64x(K576, K512);
    uint8_t rest[16];
    __m128i a = _mm_xor_si128(load(p), _mm_set_epi64x((long long)((uint64_t)crc << 48), 0));
    __m128i b = load(p + 16), c = load(p + 32), d = load(p + 48);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
        a = fold(a, k512, load(p));
        b = fold(b, k512, load(p + 16));
        c = fold(c, k512, load(p + 32));
        d = fold(d, k512, load(p + 48));
    }
    a = fold(fold(fold(a, k128, b), k128, c), k128, d);
    for (; n >= 16; p += 16, n -= 16)
        a = fold(a, k128, load(p));
    _mm_storeu_si128((__m128i *)(void *)rest, _mm_shuffle_epi8(a, reverse));
    crc = ax_osdp_crc_16(0, rest);
    if (n & 8) {
        crc = ax_osdp_crc_8(crc, p);
        p += 8;
    }
    return ax_osdp_crc_tail(crc, p, n & 7);
}
