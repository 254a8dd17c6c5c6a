/* The SSE4.1 variant of the light steps: four LEDs at once. Compiled alone with -msse4.1; chosen at run time. Units,
 * threads, allocation: see ax_led_step.h. */
#include <smmintrin.h>
#include <stdint.h>
#include <string.h>

#define LANES 4
typedef __m128 vf;
typedef __m128i vu;

static inline vu vu_load(const uint32_t *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline vu vu_set(uint32_t x) { return _mm_set1_epi32((int)x); }
static inline vu vu_add(vu a, vu b) { return _mm_add_epi32(a, b); }
static inline vu vu_sub(vu a, vu b) { return _mm_sub_epi32(a, b); }
static inline vu vu_mul(vu a, vu b) { return _mm_mullo_epi32(a, b); }
static inline vu vu_half(vu a) { return _mm_srli_epi32(a, 1); }
static inline vf vf_set(float x) { return _mm_set1_ps(x); }
static inline vf vf_of(vu a) { return _mm_cvtepi32_ps(a); }
static inline vf vf_add(vf a, vf b) { return _mm_add_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm_mul_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm_max_ps(a, b); }
static inline vu vf_cut(vf a) { return _mm_cvttps_epi32(a); }

/* Words r g r g .. and b 0 b 0 .. to r g b r g b ..: 16 bytes and 8 bytes. */
static inline void store3(uint16_t *out, vu r, vu g, vu b)
{
    const __m128i rg = _mm_or_si128(r, _mm_slli_epi32(g, 16));
    const __m128i rg_low = _mm_setr_epi8(0, 1, 2, 3, -1, -1, 4, 5, 6, 7, -1, -1, 8, 9, 10, 11);
    const __m128i b_low = _mm_setr_epi8(-1, -1, -1, -1, 0, 1, -1, -1, -1, -1, 4, 5, -1, -1, -1, -1);
    const __m128i rg_high = _mm_setr_epi8(-1, -1, 12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i b_high = _mm_setr_epi8(8, 9, -1, -1, -1, -1, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
    _mm_storeu_si128((__m128i *)out, _mm_or_si128(_mm_shuffle_epi8(rg, rg_low), _mm_shuffle_epi8(b, b_low)));
    _mm_storel_epi64((__m128i *)(out + 8), _mm_or_si128(_mm_shuffle_epi8(rg, rg_high), _mm_shuffle_epi8(b, b_high)));
}

#include "ax_led_step.h"

static void mix(const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out)
{
    size_t i = 0;
    const __m128i half = _mm_set1_epi32(32768), share = _mm_set1_epi16((short)weight);
    for (; weight < 65536 && i + 8 <= n; i += 8) {
        /* from * 65536 + 32768 + (to - from) * weight, modulo 2^32, is what the portable step computes. */
        const __m128i a = _mm_loadu_si128((const __m128i *)(from + i)), b = _mm_loadu_si128((const __m128i *)(to + i));
        const __m128i a_low = _mm_mullo_epi16(a, share), a_high = _mm_mulhi_epu16(a, share);
        const __m128i b_low = _mm_mullo_epi16(b, share), b_high = _mm_mulhi_epu16(b, share);
        const __m128i zero = _mm_setzero_si128();
        __m128i low = _mm_add_epi32(_mm_unpacklo_epi16(zero, a), half), high = _mm_add_epi32(_mm_unpackhi_epi16(zero, a), half);
        low = _mm_sub_epi32(low, _mm_unpacklo_epi16(a_low, a_high));
        high = _mm_sub_epi32(high, _mm_unpackhi_epi16(a_low, a_high));
        low = _mm_add_epi32(low, _mm_unpacklo_epi16(b_low, b_high));
        high = _mm_add_epi32(high, _mm_unpackhi_epi16(b_low, b_high));
        _mm_storeu_si128((__m128i *)(out + i), _mm_packus_epi32(_mm_srli_epi32(low, 16), _mm_srli_epi32(high, 16)));
    }
    if (i < n)
        ax_led_generic.mix(from + i, to + i, n - i, weight, out + i);
}

static inline int pair(const struct ax_led_curve *curve, uint32_t piece)
{
    int knots;
    memcpy(&knots, &curve->knot[piece & 255], sizeof knots);
    return knots;
}

static void encode(const struct ax_led_curve *curve, const uint16_t *light, size_t n, uint32_t phase, uint8_t *out)
{
    const __m128i most = _mm_set1_epi16((short)65280), whole = _mm_set1_epi16(256), low = _mm_set1_epi16(255);
    const __m128i zero = _mm_setzero_si128();
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t half[2];
        memcpy(half, light + i, sizeof half);
        const __m128i x = _mm_loadu_si128((const __m128i *)(light + i));
        const __m128i part = _mm_and_si128(x, low), rest = _mm_sub_epi16(whole, part);
        const __m128i first = _mm_setr_epi32(pair(curve, (uint32_t)(half[0] >> 8)), pair(curve, (uint32_t)(half[0] >> 24)),
                                             pair(curve, (uint32_t)(half[0] >> 40)), pair(curve, (uint32_t)(half[0] >> 56)));
        const __m128i last = _mm_setr_epi32(pair(curve, (uint32_t)(half[1] >> 8)), pair(curve, (uint32_t)(half[1] >> 24)),
                                            pair(curve, (uint32_t)(half[1] >> 40)), pair(curve, (uint32_t)(half[1] >> 56)));
        __m128i code = _mm_packus_epi32(_mm_srli_epi32(_mm_madd_epi16(first, _mm_unpacklo_epi16(rest, part)), 7),
                                        _mm_srli_epi32(_mm_madd_epi16(last, _mm_unpackhi_epi16(rest, part)), 7));
        code = _mm_min_epu16(code, most);
        const uint8_t *thresholds = ax_led_thresholds + ((phase + i) & 255);
        code = _mm_add_epi16(code, _mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i *)thresholds), zero));
        _mm_storel_epi64((__m128i *)(out + i), _mm_packus_epi16(_mm_srli_epi16(code, 8), zero));
    }
    if (i < n)
        ax_led_generic.encode(curve, light + i, n - i, phase + (uint32_t)i, out + i);
}

const struct led_ops ax_led_sse4 = {"sse4", window, mix, encode};
