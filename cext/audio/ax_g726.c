/* G.726 at 32 kbit/s. Names in comments are those of the standard's blocks (clause 4). The predictor keeps its signals as the
 * standard's floating-point words: sign, 4 bits of exponent, 6 of mantissa; the products of such words are what makes two
 * implementations agree to the bit.
 * Units: see ax/g726.h. Threads: an object belongs to one. Allocation: in `new`. */
#include "ax/g726.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

/* QUAN: the first level of each step of log2(|d|), in 1/128, for the magnitude. */
static const int16_t DECIDE[7] = {-124, 80, 178, 246, 300, 349, 400};
/* RECONST, FUNCTW, FUNCTF: by magnitude of the code. */
static const int16_t LOG_OUT[8] = {-2048, 4, 135, 213, 273, 323, 373, 425};
static const int16_t GROWTH[8] = {-12, 18, 41, 64, 112, 198, 355, 1122};
static const int16_t SPEED[8] = {0, 0, 0, 1, 1, 1, 3, 7};

struct word {
    int exponent, mantissa; /* mantissa is 32 .. 63, or 32 with exponent 0 for zero */
    bool negative;
};

struct ax_g726 {
    struct word dq[6], sr[2];
    int b[6], a[2];
    bool pk[2];
    int yu;        /* Fast scale factor, 544 .. 5120. */
    int yl;        /* Slow, with 6 bits more. */
    int dms, dml;  /* Averages of SPEED. */
    int ap;        /* Speed control, 0 .. 512. */
    bool td;       /* A tone has been found. */
    bool aal2;
};

/* FLOATA, FLOATB. */
static struct word to_word(int x)
{
    const int size = x < 0 ? -x : x;
    struct word w = {0, 32, x < 0};
    if (size) {
        w.exponent = 32 - __builtin_clz((unsigned)size);
        w.mantissa = (size << 6) >> w.exponent;
    }
    return w;
}

/* FMULT: a coefficient of 16 bits times a word. */
static int product(int coefficient, struct word w)
{
    const int shifted = coefficient >> 2;
    const int size = shifted < 0 ? -shifted & 0x1FFF : shifted;
    const int exponent = size ? 32 - __builtin_clz((unsigned)size) : 0;
    const int mantissa = size ? (size << 6) >> exponent : 32;
    const int e = exponent + w.exponent, m = (mantissa * w.mantissa + 48) >> 4;
    const int out = e <= 26 ? m << 7 >> (26 - e) : (int)((unsigned)m << 7 << (e - 26) & 0x7FFF);
    return (coefficient < 0) != w.negative ? -out : out;
}

/* LIMA, MIX: the scale factor of now. */
static int scale(const struct ax_g726 *g)
{
    const int al = g->ap > 255 ? 64 : g->ap >> 2, slow = g->yl >> 6, d = g->yu - slow;
    const int part = (d < 0 ? -d : d) * al >> 6;
    return d < 0 ? slow - part : slow + part;
}

/* LOG, SUBTB, QUAN. */
static int quantize(int d, int y)
{
    const int size = d < 0 ? -d : d;
    const int exponent = size ? 31 - __builtin_clz((unsigned)size) : 0;
    const int level = (exponent << 7) + ((size << 7 >> exponent) & 127) - (y >> 2);
    int i = 0;
    while (i < 7 && level >= DECIDE[i])
        i++;
    if (d < 0)
        return 15 - i;
    return i ? i : 15;
}

/* RECONST, ADDA, ANTILOG: the magnitude of the quantized difference. */
static int restored(int magnitude, int y)
{
    const int level = LOG_OUT[magnitude] + (y >> 2);
    if (level < 0)
        return 0;
    const int m = (level & 127) + 128, e = level >> 7 & 15;
    return m << 7 >> (14 - e);
}

/* FUNCTW, FILTD, LIMB, FILTE; FUNCTF, FILTA, FILTB, SUBTC, FILTC. */
static void adapt_scale(struct ax_g726 *g, int magnitude, int y, bool transition)
{
    const int yu = y + ((GROWTH[magnitude] * 32 - y) >> 5);
    g->yu = yu < 544 ? 544 : yu > 5120 ? 5120 : yu;
    g->yl += g->yu + (-g->yl >> 6);
    g->dms += ((SPEED[magnitude] << 9) - g->dms) >> 5;
    g->dml += ((SPEED[magnitude] << 11) - g->dml) >> 7;
    const int apart = 4 * g->dms - g->dml;
    if (transition)
        g->ap = 256;
    else
        g->ap += ((y < 1536 || g->td || (apart < 0 ? -apart : apart) >= g->dml >> 3 ? 0x200 : 0) - g->ap) >> 4;
}

/* UPA2, LIMC, UPA1, LIMD. */
static void adapt_poles(struct ax_g726 *g, bool pk, bool zero)
{
    if (zero) { /* SIGPK */
        g->a[1] -= g->a[1] >> 7;
        g->a[0] -= g->a[0] >> 8;
    } else {
        const int a1 = g->a[0] < -8191 ? -8191 : g->a[0] > 8191 ? 8191 : g->a[0];
        const int turn = pk == g->pk[0] ? -a1 : a1;
        g->a[1] += ((pk == g->pk[1] ? 128 : -128) + (turn >> 5)) - (g->a[1] >> 7);
        g->a[0] += (pk == g->pk[0] ? 192 : -192) - (g->a[0] >> 8);
    }
    g->a[1] = g->a[1] < -12288 ? -12288 : g->a[1] > 12288 ? 12288 : g->a[1];
    const int room = 15360 - g->a[1];
    g->a[0] = g->a[0] < -room ? -room : g->a[0] > room ? room : g->a[0];
}

static void adapt(struct ax_g726 *g, int code, int dq, int y, int zeros, int sr)
{
    const int magnitude = code & 8 ? 15 - code : code, sum = zeros + dq, size = dq < 0 ? -dq : dq;
    /* TRANS: a step beyond what a tone's scale factor allows. */
    const int whole = g->yl >> 15, part = g->yl >> 10 & 31;
    const int limit = whole > 9 ? 31 << 10 : (32 + part) << whole;
    const bool transition = g->td && size > (limit + (limit >> 1)) >> 1, pk = sum < 0;
    if (transition) {
        memset(g->a, 0, sizeof g->a);
        memset(g->b, 0, sizeof g->b);
    } else {
        for (int i = 0; i < 6; i++) { /* XOR, UPB */
            const int step = size == 0 ? 0 : (dq < 0) == g->dq[i].negative ? 128 : -128;
            g->b[i] += step - (g->b[i] >> 8);
        }
        adapt_poles(g, pk, sum == 0);
    }
    memmove(g->dq + 1, g->dq, 5 * sizeof *g->dq);
    g->dq[0] = to_word(dq);
    g->dq[0].negative = code & 8;
    g->sr[1] = g->sr[0];
    g->sr[0] = to_word(sr);
    g->pk[1] = g->pk[0];
    g->pk[0] = pk;
    g->td = !transition && g->a[1] < -11776; /* TONE, TRIGB */
    adapt_scale(g, magnitude, y, transition);
}

static int zeros_of(const struct ax_g726 *g)
{
    int sum = 0;
    for (int i = 0; i < 6; i++)
        sum += product(g->b[i], g->dq[i]);
    return sum;
}

static int16_t take(struct ax_g726 *g, int code, int y, int zeros, int estimate)
{
    const int size = restored(code & 8 ? 15 - code : code, y), dq = code & 8 ? -size : size;
    const int sr = estimate + dq;
    adapt(g, code, dq, y, zeros, sr);
    return (int16_t)(sr > 8191 ? 32767 : sr < -8192 ? -32768 : sr * 4);
}

/* SEZ and SE, with the half LSB that ACCUM keeps. */
static int estimates(const struct ax_g726 *g, int *zeros)
{
    const int z = zeros_of(g), all = z + product(g->a[0], g->sr[0]) + product(g->a[1], g->sr[1]);
    *zeros = z >> 1;
    return all >> 1;
}

int ax_g726_encode(struct ax_g726 *g, const int16_t *in, size_t n, uint8_t *out)
{
    if (!g || ((!in || !out) && n))
        return AX_E_ARG;
    if (n & 1)
        return AX_E_FORMAT;
    for (size_t i = 0; i < n; i++) {
        int zeros;
        const int estimate = estimates(g, &zeros), y = scale(g), code = quantize((in[i] >> 2) - estimate, y);
        (void)take(g, code, y, zeros, estimate);
        const int half = (i & 1) != g->aal2 ? 4 : 0;
        out[i / 2] = (uint8_t)((i & 1 ? out[i / 2] : 0) | code << half);
    }
    return (int)(n / 2);
}

int ax_g726_decode(struct ax_g726 *g, const uint8_t *in, size_t n, int16_t *out)
{
    if (!g || ((!in || !out) && n))
        return AX_E_ARG;
    for (size_t i = 0; i < 2 * n; i++) {
        int zeros;
        const int estimate = estimates(g, &zeros), half = (i & 1) != g->aal2 ? 4 : 0;
        out[i] = take(g, in[i / 2] >> half & 15, scale(g), zeros, estimate);
    }
    return (int)(2 * n);
}

void ax_g726_reset(struct ax_g726 *g)
{
    const bool aal2 = g->aal2;
    memset(g, 0, sizeof *g);
    for (int i = 0; i < 6; i++)
        g->dq[i].mantissa = 32;
    g->sr[0].mantissa = g->sr[1].mantissa = 32;
    g->yu = 544;
    g->yl = 34816;
    g->aal2 = aal2;
}

int ax_g726_new(struct ax_g726 **out, bool aal2)
{
    if (!out)
        return AX_E_ARG;
    *out = malloc(sizeof **out);
    if (!*out)
        return AX_E_NOMEM;
    (*out)->aal2 = aal2;
    ax_g726_reset(*out);
    return AX_OK;
}

void ax_g726_free(struct ax_g726 *g)
{
    free(g);
}
