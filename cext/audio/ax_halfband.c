/* The converter by two; see ax/halfband.h. Factors by the closed form of elliptic half-band filters: nome, then theta
 * functions. Units, threads: as there. Allocation: none. */
#include "ax/halfband.h"

#include "ax/err.h"
#include "ax_flush.h"
#include "ax_pcm.h"

#include <string.h>

enum { SECTIONS = AX_HALFBAND_SECTIONS, ALL = 2 * SECTIONS, TERMS = 8 };

/* The compiler's own vectors: one text serves SSE and NEON, and each lane rounds as one number would. */
typedef float quad __attribute__((vector_size(16)));

#define TRANSITION 0.0125 /* From the end of the pass band to the middle, of the higher rate's half. */

static double factor(int k)
{
    const double edge = tan((1 - 2 * TRANSITION) * M_PI / 4), s = edge * edge;
    const double root = sqrt(sqrt(1 - s * s)), e = 0.5 * (1 - root) / (1 + root), e4 = e * e * e * e;
    const double q = e * (1 + e4 * (2 + e4 * (15 + 150 * e4))), angle = (k + 1) * M_PI / (2 * ALL + 1);
    double above = 0, below = 0.5;
    for (int i = 0; i < TERMS; i++)
        above += (i % 2 ? -1 : 1) * pow(q, i * (i + 1)) * sin((2 * i + 1) * angle);
    for (int i = 1; i < TERMS; i++)
        below += (i % 2 ? -1 : 1) * pow(q, i * i) * cos(2 * i * angle);
    const double w = above * sqrt(sqrt(q)) / below, ww = w * w;
    const double x = sqrt((1 - ww * s) * (1 - ww / s)) / (1 + ww);
    return (1 - x) / (1 + x);
}

int ax_halfband_init(struct ax_halfband *h)
{
    if (!h)
        return AX_E_ARG;
    for (int k = 0; k < ALL; k++)
        h->factor[k % 2][k / 2] = (float)factor(k);
    ax_halfband_reset(h);
    return AX_OK;
}

void ax_halfband_reset(struct ax_halfband *h)
{
    memset(h->past, 0, sizeof h->past);
}

/* One sample of each lane through its all-pass sections: a lane is a branch. */
static inline quad pass(const quad *f, quad *past, quad x)
{
    for (int k = 0; k < SECTIONS; k++) {
        const quad y = past[k] + f[k] * (x - past[k + 1]);
        past[k] = x;
        x = y;
    }
    past[SECTIONS] = x;
    return x;
}

/* The two branches in the first two lanes. */
static void load(const struct ax_halfband *h, quad *f, quad *past)
{
    for (int k = 0; k < SECTIONS; k++)
        f[k] = (quad){h->factor[0][k], h->factor[1][k]};
    for (int k = 0; k <= SECTIONS; k++)
        past[k] = (quad){h->past[0][k], h->past[1][k]};
}

static void store(struct ax_halfband *h, const quad *past)
{
    for (int k = 0; k <= SECTIONS; k++) {
        h->past[0][k] = past[k][0];
        h->past[1][k] = past[k][1];
    }
}

static inline int16_t to_i16(float x)
{
    return (int16_t)lrintf(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

int ax_halfband_up(struct ax_halfband *h, const int16_t *in, size_t n, int16_t *out)
{
    quad f[SECTIONS], past[SECTIONS + 1];
    if (!h || (n && (!in || !out)))
        return AX_E_ARG;
    const unsigned was = flush_begin();
    load(h, f, past);
    for (size_t i = 0; i < n; i++) {
        const quad y = pass(f, past, (quad){0} + (float)in[i]);
        out[2 * i] = to_i16(y[0]);
        out[2 * i + 1] = to_i16(y[1]);
    }
    store(h, past);
    flush_end(was);
    return AX_OK;
}

int ax_halfband_down(struct ax_halfband *h, const int16_t *in, size_t n, int16_t *out)
{
    quad f[SECTIONS], past[SECTIONS + 1];
    if (!h || (n && (!in || !out)))
        return AX_E_ARG;
    const unsigned was = flush_begin();
    load(h, f, past);
    for (size_t i = 0; i < n; i++) {
        const quad y = pass(f, past, (quad){in[2 * i + 1], in[2 * i]});
        out[i] = to_i16(0.5f * (y[0] + y[1]));
    }
    store(h, past);
    flush_end(was);
    return AX_OK;
}
