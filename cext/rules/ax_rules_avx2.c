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

static void step_add(struct ax_rules *m, const uint64_t *mask)
{
    __m256i carry = load(mask);
    for (int p = 0; p < m->planes; p++) {
        const __m256i old = load(m->state->plane[p]);
        store(m->state->plane[p], _mm256_xor_si256(old, carry));
        carry = _mm256_and_si256(carry, old);
    }
}

static void step_subtract(struct ax_rules *m, const uint64_t *mask)
{
    __m256i borrow = load(mask);
    for (int p = 0; p < m->planes; p++) {
        const __m256i old = load(m->state->plane[p]);
        store(m->state->plane[p], _mm256_xor_si256(old, borrow));
        borrow = _mm256_andnot_si256(old, borrow);
    }
}

static inline bool settle(struct state *s, __m256i missing, uint64_t *changed)
{
    const __m256i met = _mm256_xor_si256(missing, _mm256_set1_epi64x(-1));
    const __m256i different = _mm256_and_si256(_mm256_xor_si256(met, load(s->met)), load(s->enabled));
    store(s->met, met);
    store(changed, different);
    return !_mm256_testz_si256(different, different);
}

static bool step_settle(struct ax_rules *m, uint64_t *changed)
{
    __m256i missing = load(m->state->plane[0]);
    for (int p = 1; p < m->planes; p++)
        missing = _mm256_or_si256(missing, load(m->state->plane[p]));
    return settle(m->state, missing, changed);
}

static bool step_swap(struct ax_rules *m, const uint64_t *from, const uint64_t *to, uint64_t *changed)
{
    const __m256i a = load(from), b = load(to);
    __m256i carry = _mm256_andnot_si256(b, a), borrow = _mm256_andnot_si256(a, b), missing = _mm256_setzero_si256();
    for (int p = 0; p < m->planes; p++) {
        const __m256i old = load(m->state->plane[p]), new = _mm256_xor_si256(old, _mm256_or_si256(carry, borrow));
        store(m->state->plane[p], new);
        carry = _mm256_and_si256(carry, old);
        borrow = _mm256_andnot_si256(old, borrow);
        missing = _mm256_or_si256(missing, new);
    }
    return settle(m->state, missing, changed);
}

const struct rules_ops ax_rules_avx2 = {"avx2", step_feed};
