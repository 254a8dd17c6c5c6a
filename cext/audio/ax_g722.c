/* G.722, mode 1: two bands, each with an adaptive quantizer (backward scale factor) and a predictor of two poles and six zeros.
 * The arithmetic is the standard's: products are shifted before they are added, sums are held within 16 bits.
 * Units: see ax/g722.h. Threads: an object belongs to one. Allocation: in `new`. */
#include "ax/g722.h"

#include "ax/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 24, HISTORY = 256 };

/* Half of the symmetric filter of table 11, first the taps of one phase, then their mirror. */
static const int QMF[TAPS / 2] = {3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11};

/* Tables 12 to 21: decision levels, codes, output levels, and what a code does to the scale factor. */
static const int16_t LEVELS6[30] = {0,   35,  72,  110, 150, 190,  233,  276,  323,  370,  422,  473,  530,  587,  650,
                                    714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919};
static const int16_t OUT6[32] = {-136,  -136,  -136,  -136,  -24808, -21904, -19008, -16704, -14984, -13512, -12280,
                                 -11192, -10232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008,
                                 -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728};
static const int16_t OUT6_TOP[4] = {432, 136, -432, -136};
static const int16_t OUT4[16] = {0,     -20456, -12896, -8968, -6288, -4240, -2584, -1200,
                                 20456, 12896,  8968,   6288,  4240,  2584,  1200,  0};
static const int16_t OUT2[4] = {-7408, -1616, 7408, 1616};
static const int16_t GROW_LOW[8] = {-60, -30, 58, 172, 334, 538, 1198, 3042};
static const uint8_t GROW_OF[16] = {0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0};
static const int16_t GROW_HIGH[3] = {0, -214, 798};
static const uint8_t GROW_HIGH_OF[4] = {2, 1, 2, 1};
static const int16_t SCALE[32] = {2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543,
                                  2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091, 3158, 3228,
                                  3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008};

struct band {
    int estimate, zeros;       /* Of the next sample: both parts, and what the zeros give. */
    int r1, r2;                /* Reconstructed samples before. */
    int p1, p2;                /* Partially reconstructed. */
    int a1, a2;
    int b[6], d[6];
    int log_scale, scale;
};

struct ax_g722 {
    struct band low, high;
    int16_t x[HISTORY + TAPS]; /* The filter's past, moved back to the start when the end is reached. */
    int at;
};

static inline int hold16(int x)
{
    return x > 32767 ? 32767 : x < -32768 ? -32768 : x;
}

static inline int hold(int x, int least, int most)
{
    return x < least ? least : x > most ? most : x;
}

/* Block 4: what a reconstructed difference does to the predictor. */
static void predict(struct band *s, int difference)
{
    const int r = hold16(s->estimate + difference), p = hold16(s->zeros + difference);
    const bool same1 = (p < 0) == (s->p1 < 0), same2 = (p < 0) == (s->p2 < 0);
    int turn = hold16(4 * s->a1);
    turn = same1 ? -turn : turn;
    int a2 = ((same2 ? 128 : -128) + ((turn > 32767 ? 32767 : turn) >> 7)) + (s->a2 * 32512 >> 15);
    a2 = hold(a2, -12288, 12288);
    const int room = hold16(15360 - a2);
    const int a1 = hold((same1 ? 192 : -192) + (s->a1 * 32640 >> 15), -room, room);
    const int leap = difference == 0 ? 0 : 128;
    int zeros = 0;
    for (int i = 0; i < 6; i++) {
        const int step = (difference < 0) == (s->d[i] < 0) ? leap : -leap;
        s->b[i] = hold16(step + (s->b[i] * 32640 >> 15));
    }
    memmove(s->d + 1, s->d, 5 * sizeof *s->d);
    s->d[0] = difference;
    for (int i = 0; i < 6; i++)
        zeros += s->b[i] * hold16(2 * s->d[i]) >> 15;
    s->a1 = a1;
    s->a2 = a2;
    s->p2 = s->p1;
    s->p1 = p;
    s->r2 = s->r1;
    s->r1 = r;
    s->zeros = hold16(zeros);
    const int poles = (a1 * hold16(2 * s->r1) >> 15) + (a2 * hold16(2 * s->r2) >> 15);
    s->estimate = hold16(hold16(poles) + s->zeros);
}

/* Blocks 3: logarithmic and linear scale factor. */
static void adapt(struct band *s, int growth, int most, int shift)
{
    s->log_scale = hold((s->log_scale * 127 >> 7) + growth, 0, most);
    const int mantissa = SCALE[s->log_scale >> 6 & 31], down = shift - (s->log_scale >> 11);
    s->scale = (down < 0 ? mantissa << -down : mantissa >> down) << 2;
}

static void low_step(struct band *s, int code4)
{
    const int difference = s->scale * OUT4[code4] >> 15;
    adapt(s, GROW_LOW[GROW_OF[code4]], 18432, 8);
    predict(s, difference);
}

static void high_step(struct band *s, int code2)
{
    const int difference = s->scale * OUT2[code2] >> 15;
    adapt(s, GROW_HIGH[GROW_HIGH_OF[code2]], 22528, 10);
    predict(s, difference);
}

static int low_code(const struct band *s, int x)
{
    const int e = hold16(x - s->estimate), size = e >= 0 ? e : ~e;
    int i = 1;
    while (i < 30 && size >= LEVELS6[i] * s->scale >> 12)
        i++;
    if (e < 0)
        return i < 3 ? 64 - i : 34 - i;
    return 62 - i;
}

static int high_code(const struct band *s, int x)
{
    const int e = hold16(x - s->estimate), size = e >= 0 ? e : ~e;
    const bool outer = size >= 564 * s->scale >> 12;
    return e < 0 ? (outer ? 0 : 1) : outer ? 2 : 3;
}

/* The two phases of the filter over the last TAPS samples. */
static void phases(const int16_t *x, int *even, int *odd)
{
    int a = 0, b = 0;
    for (int i = 0; i < TAPS / 2; i++) {
        a += x[2 * i] * QMF[i];
        b += x[2 * i + 1] * QMF[TAPS / 2 - 1 - i];
    }
    *even = a;
    *odd = b;
}

static const int16_t *put(struct ax_g722 *g, int first, int second)
{
    if (g->at + 2 > HISTORY + TAPS) {
        memmove(g->x, g->x + g->at - (TAPS - 2), (TAPS - 2) * sizeof *g->x);
        g->at = TAPS - 2;
    }
    g->x[g->at] = (int16_t)first;
    g->x[g->at + 1] = (int16_t)second;
    g->at += 2;
    return g->x + g->at - TAPS;
}

int ax_g722_encode(struct ax_g722 *g, const int16_t *in, size_t n, uint8_t *out)
{
    if (!g || ((!in || !out) && n))
        return AX_E_ARG;
    if (n & 1)
        return AX_E_FORMAT;
    for (size_t i = 0; i < n; i += 2) {
        int even, odd;
        phases(put(g, in[i], in[i + 1]), &even, &odd);
        const int low = low_code(&g->low, hold((even + odd) >> 14, -16384, 16383));
        const int high = high_code(&g->high, hold((odd - even) >> 14, -16384, 16383));
        out[i / 2] = (uint8_t)(high << 6 | low);
        low_step(&g->low, low >> 2);
        high_step(&g->high, high);
    }
    return (int)(n / 2);
}

static int out6(int code)
{
    if (code < 32)
        return OUT6[code];
    return code < 60 ? -OUT6[code - 28] : OUT6_TOP[code - 60];
}

int ax_g722_decode(struct ax_g722 *g, const uint8_t *in, size_t n, int16_t *out)
{
    if (!g || ((!in || !out) && n))
        return AX_E_ARG;
    for (size_t i = 0; i < n; i++) {
        const int low_bits = in[i] & 63, high_bits = in[i] >> 6;
        const int low = hold(hold16(g->low.estimate + (g->low.scale * out6(low_bits) >> 15)), -16384, 16383);
        low_step(&g->low, low_bits >> 2);
        const int high = hold(hold16(g->high.estimate + (g->high.scale * OUT2[high_bits] >> 15)), -16384, 16383);
        high_step(&g->high, high_bits);
        int even, odd;
        phases(put(g, low + high, low - high), &even, &odd);
        out[2 * i] = (int16_t)hold16(odd >> 11);
        out[2 * i + 1] = (int16_t)hold16(even >> 11);
    }
    return (int)(2 * n);
}

void ax_g722_reset(struct ax_g722 *g)
{
    memset(g, 0, sizeof *g);
    g->low.scale = 32;
    g->high.scale = 8;
    g->at = TAPS - 2;
}

int ax_g722_new(struct ax_g722 **out)
{
    if (!out)
        return AX_E_ARG;
    *out = malloc(sizeof **out);
    if (!*out)
        return AX_E_NOMEM;
    ax_g722_reset(*out);
    return AX_OK;
}

void ax_g722_free(struct ax_g722 *g)
{
    free(g);
}
