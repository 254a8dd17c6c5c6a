/* CRC-16 by carry-less multiplication on 512-bit registers: ax_osdp_crc_pclmul.c four lanes wide. Sixteen lanes run over
 * the message, are folded into four, and the four (each 128 bits further) into one.
 * Needs n >= 256. Units: bytes. Threads: any. Allocation: none. Compiled with -mvpclmulqdq -mavx512bw -mavx512vl. */
#include "ax_osdp_crc_internal.h"

#include <immintrin.h>

static inline __m512i reverse_lanes(void)
{
    return _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

static inline __m512i load(const uint8_t *p)
{
    return _mm512_shuffle_epi8(_mm512_loadu_si512(p), reverse_lanes());
}

static inline __m512i fold(__m512i x, __m512i k, __m512i next)
{
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(x, k, 0x11), _mm512_clmulepi64_epi128(x, k, 0x00), next, 0x96);
}

static inline __m128i fold1(__m128i x, __m128i k, __m128i next)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x11), _mm_clmulepi64_si128(x, k, 0x00)), next);
}

uint16_t ax_osdp_crc_vpclmul(uint16_t crc, const uint8_t *p, size_t n)
{
    const __m128i reverse = _mm512_castsi512_si128(reverse_lanes());
    const __m512i k2048 = _mm512_broadcast_i32x4(_mm_set_epi64x(K2112, K2048));
    const __m512i k512 = _mm512_broadcast_i32x4(_mm_set_epi64x(K576, K512));
    const __m512i lanes = _mm512_set_epi64(0, 0, K192, K128, K320, K256, K448, K384);
    const __m128i k128 = _mm_set_epi64x(K192, K128);
    uint8_t rest[16];
    __m512i a = _mm512_xor_si512(load(p), _mm512_set_epi64(0, 0, 0, 0, 0, 0, (long long)((uint64_t)crc << 48), 0));
    __m512i b = load(p + 64), c = load(p + 128), d = load(p + 192);
    for (p += 256, n -= 256; n >= 256; p += 256, n -= 256) {
        a = fold(a, k2048, load(p));
        b = fold(b, k2048, load(p + 64));
        c = fold(c, k2048, load(p + 128));
        d = fold(d, k2048, load(p + 192));
    }
    a = fold(fold(fold(a, k512, b), k512, c), k512, d);
    for (; n >= 64; p += 64, n -= 64)
        a = fold(a, k512, load(p));
    /* The lanes stand 384, 256, 128 and 0 bits before the end. */
    const __m512i folded = _mm512_xor_si512(_mm512_clmulepi64_epi128(a, lanes, 0x11), _mm512_clmulepi64_epi128(a, lanes, 0x00));
    __m128i x = _mm_xor_si128(_mm512_extracti32x4_epi32(a, 3), _mm512_castsi512_si128(folded));
    x = _mm_xor_si128(x, _mm_xor_si128(_mm512_extracti32x4_epi32(folded, 1), _mm512_extracti32x4_epi32(folded, 2)));
    for (; n >= 16; p += 16, n -= 16)
        x = fold1(x, k128, _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), reverse));
    _mm_storeu_si128((__m128i *)(void *)rest, _mm_shuffle_epi8(x, reverse));
    crc = ax_osdp_crc_16(0, rest);
    if (n & 8) {
        crc = ax_osdp_crc_8(crc, p);
        p += 8;
    }
    return ax_osdp_crc_tail(crc, p, n & 7);
}
