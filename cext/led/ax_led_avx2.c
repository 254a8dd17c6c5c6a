/* The AVX2 variant of the light steps: eight LEDs at once. Compiled alone with -mavx2; chosen at run time.
 * Units, threads, allocation: see ax_led_step.h. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define LANES 8
typedef __m256 vf;
typedef __m256i vu;

static inline vu vu_load(const uint32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline vu vu_set(uint32_t x) { return _mm256_set1_epi32((int)x); }
static inline vu vu_add(vu a, vu b) { return _mm256_add_epi32(a, b); }
static inline vu vu_sub(vu a, vu b) { return _mm256_sub_epi32(a, b); }
static inline vu vu_mul(vu a, vu b) { return _mm256_mullo_epi32(a, b); }
static inline vu vu_half(vu a) { return _mm256_srli_epi32(a, 1); }
static inline vf vf_set(float x) { return _mm256_set1_ps(x); }
static inline vf vf_of(vu a) { return _mm256_cvtepi32_ps(a); }
static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vu vf_cut(vf a) { return _mm256_cvttps_epi32(a); }

/* Words r g r g .. and b 0 b 0 .. to r g b r g b ..: in each half 16 bytes and 8 bytes. */
static inline void store3(uint16_t *out, vu r, vu g, vu b)
{
    const __m256i rg = _mm256_or_si256(r, _mm256_slli_epi32(g, 16));
    const __m256i rg_low = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 3, -1, -1, 4, 5, 6, 7, -1, -1, 8, 9, 10, 11));
    const __m256i b_low = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-1, -1, -1, -1, 0, 1, -1, -1, -1, -1, 4, 5, -1, -1, -1, -1));
    const __m256i rg_high = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-1, -1, 12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
    const __m256i b_high = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(8, 9, -1, -1, -1, -1, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1));
    const __m256i low = _mm256_or_si256(_mm256_shuffle_epi8(rg, rg_low), _mm256_shuffle_epi8(b, b_low));
    const __m256i high = _mm256_or_si256(_mm256_shuffle_epi8(rg, rg_high), _mm256_shuffle_epi8(b, b_high));
    _mm_storeu_si128((__m128i *)out, _mm256_castsi256_si128(low));
    _mm_storel_epi64((__m128i *)(out + 8), _mm256_castsi256_si128(high));
    _mm_storeu_si128((__m128i *)(out + 12), _mm256_extracti128_si256(low, 1));
    _mm_storel_epi64((__m128i *)(out + 20), _mm256_extracti128_si256(high, 1));
}

#include "ax_led_step.h"

static void mix(const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out)
{
    size_t i = 0;
    const __m256i half = _mm256_set1_epi32(32768), share = _mm256_set1_epi32((int)weight);
    for (; weight < 65536 && i + 8 <= n; i += 8) {
        /* from * 65536 + 32768 + (to - from) * weight, modulo 2^32, is what the portable step computes. */
        const __m256i a = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(from + i)));
        const __m256i b = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(to + i)));
        __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(a, 16), half);
        sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(_mm256_sub_epi32(b, a), share));
        sum = _mm256_srli_epi32(sum, 16);
        _mm_storeu_si128((__m128i *)(out + i),
                         _mm_packus_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
    }
    if (i < n)
        ax_led_generic.mix(from + i, to + i, n - i, weight, out + i);
}

/* The pairs of knots of four values. Four loads: gathers are slow on many processors, and slower with mitigations. */
static inline __m128i pairs(const struct ax_led_curve *curve, uint64_t light)
{
    int knots[4];
    for (int i = 0; i < 4; i++)
        memcpy(&knots[i], &curve->knot[light >> (8 + 16 * i) & 255], sizeof knots[i]);
    return _mm_setr_epi32(knots[0], knots[1], knots[2], knots[3]);
}

static void encode(const struct ax_led_curve *curve, const uint16_t *light, size_t n, uint32_t phase, uint8_t *out)
{
    const __m256i most = _mm256_set1_epi16((short)65280);
    const __m256i whole = _mm256_set1_epi16(256), low = _mm256_set1_epi16(255);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        uint64_t four[4];
        memcpy(four, light + i, sizeof four);
        const __m256i first = _mm256_setr_m128i(pairs(curve, four[0]), pairs(curve, four[2]));
        const __m256i last = _mm256_setr_m128i(pairs(curve, four[1]), pairs(curve, four[3]));
        const __m256i part = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(light + i)), low);
        const __m256i rest = _mm256_sub_epi16(whole, part);
        __m256i code = _mm256_packus_epi32(
            _mm256_srli_epi32(_mm256_madd_epi16(first, _mm256_unpacklo_epi16(rest, part)), 7),
            _mm256_srli_epi32(_mm256_madd_epi16(last, _mm256_unpackhi_epi16(rest, part)), 7));
        const uint8_t *thresholds = ax_led_thresholds + ((phase + i) & 255);
        code = _mm256_add_epi16(_mm256_min_epu16(code, most),
                                _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)thresholds)));
        code = _mm256_srli_epi16(code, 8);
        _mm_storeu_si128((__m128i *)(out + i),
                         _mm_packus_epi16(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1)));
    }
    if (i < n)
        ax_led_generic.encode(curve, light + i, n - i, phase + (uint32_t)i, out + i);
}

const struct led_ops ax_led_avx2 = {"avx2", window, mix, encode};
