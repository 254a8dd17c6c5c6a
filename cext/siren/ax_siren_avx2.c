/* The AVX2 variant of the siren's inner loops: eight samples at once. Compiled alone with -mavx2; chosen at run time. Units,
 * threads, allocation: see ax_siren_step.h. */
#include <immintrin.h>

#define LANES 8
#define ORDER_0 {0, 1, 4, 5} /* The shuffle works within 128 bits. */
#define ORDER_1 {2, 3, 6, 7}

#include "ax_siren_step.h"

static inline vu high(vq p0, vq p1)
{
    return (vu)_mm256_shuffle_ps((__m256)p0, (__m256)p1, 0xDD);
}

static inline vf hold(vf x, vf most)
{
    return (vf)_mm256_max_ps(_mm256_min_ps((__m256)x, (__m256)most), (__m256)-most);
}

static inline void narrow(int16_t *out, vi in)
{
    const __m256i x = (__m256i)in;
    _mm_storeu_si128((__m128i *)out, _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)));
}

const struct siren_ops ax_siren_avx2 = {"avx2", wave, store};
