/* The hash of GCM by carry-less multiplication (Gueron and Kounavis, Intel, 2010). Four blocks take four powers of the
 * key and one reduction.
 * Units: blocks. Threads: any. Allocation: none. Compiled with -mpclmul -mssse3. */
#include "ax_ghash.h"

#include <immintrin.h>

struct wide {
    __m128i high, low;
};

static inline __m128i load(const uint8_t *p)
{
    const __m128i swap = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), swap);
}

static inline struct wide product(__m128i a, __m128i b)
{
    const __m128i high = _mm_clmulepi64_si128(a, b, 0x11), low = _mm_clmulepi64_si128(a, b, 0x00);
    const __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x10), _mm_clmulepi64_si128(a, b, 0x01));
    return (struct wide){_mm_xor_si128(high, _mm_srli_si128(middle, 8)), _mm_xor_si128(low, _mm_slli_si128(middle, 8))};
}

static inline struct wide add(struct wide a, struct wide b)
{
    return (struct wide){_mm_xor_si128(a.high, b.high), _mm_xor_si128(a.low, b.low)};
}

/* One place up, because bits are reflected, then modulo the polynomial: the low half folds into the high one. */
static inline __m128i reduce(struct wide p)
{
    const __m128i carry_low = _mm_srli_epi64(p.low, 63), carry_high = _mm_srli_epi64(p.high, 63);
    __m128i low = _mm_or_si128(_mm_slli_epi64(p.low, 1), _mm_slli_si128(carry_low, 8));
    __m128i high = _mm_or_si128(_mm_slli_epi64(p.high, 1), _mm_slli_si128(carry_high, 8));
    high = _mm_or_si128(high, _mm_srli_si128(carry_low, 8));
    const __m128i up = _mm_xor_si128(_mm_xor_si128(_mm_slli_epi64(low, 63), _mm_slli_epi64(low, 62)), _mm_slli_epi64(low, 57));
    low = _mm_xor_si128(low, _mm_slli_si128(up, 8));
    __m128i down = _mm_xor_si128(_mm_xor_si128(_mm_srli_epi64(low, 1), _mm_srli_epi64(low, 2)), _mm_srli_epi64(low, 7));
    down = _mm_xor_si128(_mm_xor_si128(down, low), _mm_srli_si128(up, 8));
    return _mm_xor_si128(high, down);
}

void ax_ghash_pclmul(uint64_t state[2], const uint64_t key[2], const uint8_t *data, size_t blocks)
{
    const __m128i h = _mm_set_epi64x((long long)key[0], (long long)key[1]);
    __m128i y = _mm_set_epi64x((long long)state[0], (long long)state[1]);
    if (blocks >= 4) {
        const __m128i h2 = reduce(product(h, h)), h3 = reduce(product(h2, h)), h4 = reduce(product(h2, h2));
        for (; blocks >= 4; blocks -= 4, data += 64) {
            struct wide sum = product(_mm_xor_si128(y, load(data)), h4);
            sum = add(sum, product(load(data + 16), h3));
            sum = add(sum, product(load(data + 32), h2));
            sum = add(sum, product(load(data + 48), h));
            y = reduce(sum);
        }
    }
    for (; blocks; blocks--, data += 16)
        y = reduce(product(_mm_xor_si128(y, load(data)), h));
    _mm_storel_epi64((__m128i *)(void *)&state[1], y);
    _mm_storel_epi64((__m128i *)(void *)&state[0], _mm_srli_si128(y, 8));
}
