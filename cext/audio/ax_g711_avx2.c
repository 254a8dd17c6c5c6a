/* The AVX2 variant of G.711: eight samples at once. Compiled alone with -mavx2; chosen at run time. Units, threads,
 * allocation: see ax_g711_step.h. */
#include <immintrin.h>
#include <stdint.h>

#define LANES 8

typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef float vf __attribute__((vector_size(4 * LANES)));

static inline vi load16(const int16_t *in)
{
    return (vi)_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)in));
}

static inline vi load8(const uint8_t *in)
{
    return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)in));
}

static inline void store16(int16_t *out, vi x)
{
    const __m256i y = (__m256i)x;
    _mm_storeu_si128((__m128i *)out, _mm_packs_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1)));
}

static inline void store8(uint8_t *out, vi x)
{
    const __m256i y = (__m256i)x;
    const __m128i z = _mm_packs_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1));
    _mm_storel_epi64((__m128i *)out, _mm_packus_epi16(z, z));
}

#include "ax_g711_step.h"

const struct g711_ops ax_g711_avx2 = {"avx2", {mu_encode, a_encode}, {mu_decode, a_decode}};
