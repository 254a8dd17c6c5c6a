/* The AVX2 variant of the rule step: 256 bits as one register. Compiled alone with -mavx2; chosen at run time. Units,
 * threads, allocation: see ax_rules_step.h. */
#include "ax_rules_step.h"

#include <immintrin.h>

static inline __m256i load(const uint64_t *words)
{
    return _mm256_loadu_si256((const __m256i *)words);
}

static inline void store(uint64_t *words, __m256i bits)
{
    _mm256_storeu_si256((__m256i *)words, bits);
}

static void step_add(struct state *s, const uint64_t *mask)
{
    __m256i carry = load(mask);
    for (int p = 0; p < PLANES; p++) {
        const __m256i old = load(s->plane[p]);
        store(s->plane[p], _mm256_xor_si256(old, carry));
        carry = _mm256_and_si256(carry, old);
    }
}

static void step_subtract(struct state *s, const uint64_t *mask)
{
    __m256i borrow = load(mask);
    for (int p = 0; p < PLANES; p++) {
        const __m256i old = load(s->plane[p]);
        store(s->plane[p], _mm256_xor_si256(old, borrow));
        borrow = _mm256_andnot_si256(old, borrow);
    }
}

static bool step_settle(struct state *s, uint64_t *changed)
{
    __m256i missing = load(s->plane[0]);
    for (int p = 1; p < PLANES; p++)
        missing = _mm256_or_si256(missing, load(s->plane[p]));
    const __m256i met = _mm256_xor_si256(missing, _mm256_set1_epi64x(-1));
    const __m256i different = _mm256_and_si256(_mm256_xor_si256(met, load(s->met)), load(s->enabled));
    store(s->met, met);
    store(changed, different);
    return !_mm256_testz_si256(different, different);
}

const struct rules_ops ax_rules_avx2 = {"avx2", step_feed};
