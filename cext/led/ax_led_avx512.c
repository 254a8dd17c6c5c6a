/* The AVX-512 variant of the light steps: sixteen LEDs at once, all knots of a curve in registers. Compiled alone with
 * -mavx512bw; chosen at run time. Units, threads, allocation: see ax_led_step.h. */
#include <immintrin.h>
#include <stdint.h>

#define LANES 16
typedef __m512 vf;
typedef __m512i vu;

static inline vu vu_load(const uint32_t *p) { return _mm512_loadu_si512(p); }
static inline vu vu_set(uint32_t x) { return _mm512_set1_epi32((int)x); }
static inline vu vu_add(vu a, vu b) { return _mm512_add_epi32(a, b); }
static inline vu vu_sub(vu a, vu b) { return _mm512_sub_epi32(a, b); }
static inline vu vu_mul(vu a, vu b) { return _mm512_mullo_epi32(a, b); }
static inline vu vu_half(vu a) { return _mm512_srli_epi32(a, 1); }
static inline vf vf_set(float x) { return _mm512_set1_ps(x); }
static inline vf vf_of(vu a) { return _mm512_cvtepi32_ps(a); }
static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vu vf_cut(vf a) { return _mm512_cvttps_epi32(a); }

/* Where the 48 values come from: 0 .. 31 are r g r g .., 32 + 2 * i is b of LED i. */
static const uint16_t PLACES[48] = {
    0,  1,  32, 2,  3,  34, 4,  5,  36, 6,  7,  38, 8,  9,  40, 10, 11, 42, 12, 13, 44, 14, 15, 46,
    16, 17, 48, 18, 19, 50, 20, 21, 52, 22, 23, 54, 24, 25, 56, 26, 27, 58, 28, 29, 60, 30, 31, 62,
};

static inline void store3(uint16_t *out, vu r, vu g, vu b)
{
    const __m512i rg = _mm512_or_si512(r, _mm512_slli_epi32(g, 16));
    const __m512i low = _mm512_loadu_si512(PLACES);
    const __m512i high = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)(PLACES + 32)));
    _mm512_storeu_si512(out, _mm512_permutex2var_epi16(rg, low, b));
    _mm256_storeu_si256((__m256i *)(void *)(out + 32), _mm512_castsi512_si256(_mm512_permutex2var_epi16(rg, high, b)));
}

#include "ax_led_step.h"

static void mix(const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out)
{
    size_t i = 0;
    const __m512i half = _mm512_set1_epi32(32768), share = _mm512_set1_epi32((int)weight);
    for (; weight < 65536 && i + 16 <= n; i += 16) {
        /* from * 65536 + 32768 + (to - from) * weight, modulo 2^32, is what the portable step computes. */
        const __m512i a = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(from + i)));
        const __m512i b = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(to + i)));
        __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(a, 16), half);
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(_mm512_sub_epi32(b, a), share));
        _mm256_storeu_si256((__m256i *)(void *)(out + i), _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16)));
    }
    if (i < n)
        ax_led_generic.mix(from + i, to + i, n - i, weight, out + i);
}

/* One of 256 values for each of 32 pieces. */
static inline __m512i pick(const __m512i *table, __m512i piece, __mmask32 odd, __mmask32 upper)
{
    const __m512i first = _mm512_mask_blend_epi16(odd, _mm512_permutex2var_epi16(table[0], piece, table[1]),
                                                  _mm512_permutex2var_epi16(table[2], piece, table[3]));
    const __m512i last = _mm512_mask_blend_epi16(odd, _mm512_permutex2var_epi16(table[4], piece, table[5]),
                                                 _mm512_permutex2var_epi16(table[6], piece, table[7]));
    return _mm512_mask_blend_epi16(upper, first, last);
}

/* A curve never falls (ax_led_curve_gamma), so (k * (256 - part) + next * part) / 128 is
 * 2 * k + (2 * (next - k) * part * 256) / 65536. What is beyond 65280 is code 255 whatever is added. */
static void encode(const struct ax_led_curve *curve, const uint16_t *light, size_t n, uint32_t phase, uint8_t *out)
{
    __m512i knot[8], rise[8]; /* Both twice. */
    for (int i = 0; i < 8; i++) {
        knot[i] = _mm512_slli_epi16(_mm512_loadu_si512(curve->knot + 32 * i), 1);
        rise[i] = _mm512_sub_epi16(_mm512_slli_epi16(_mm512_loadu_si512(curve->knot + 32 * i + 1), 1), knot[i]);
    }
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m512i x = _mm512_loadu_si512(light + i), piece = _mm512_srli_epi16(x, 8);
        const __mmask32 odd = _mm512_test_epi16_mask(piece, _mm512_set1_epi16(64));
        const __mmask32 upper = _mm512_test_epi16_mask(piece, _mm512_set1_epi16(128));
        const __m512i more = _mm512_mulhi_epu16(pick(rise, piece, odd, upper), _mm512_slli_epi16(x, 8));
        const __m512i plain = _mm512_add_epi16(pick(knot, piece, odd, upper), more);
        const uint8_t *thresholds = ax_led_thresholds + ((phase + i) & 255);
        const __m512i dither = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)thresholds));
        const __m512i code = _mm512_adds_epu16(plain, dither);
        _mm256_storeu_si256((__m256i *)(void *)(out + i), _mm512_cvtepi16_epi8(_mm512_srli_epi16(code, 8)));
    }
    if (i < n)
        ax_led_generic.encode(curve, light + i, n - i, phase + (uint32_t)i, out + i);
}

const struct led_ops ax_led_avx512 = {"avx512", window, mix, encode};
