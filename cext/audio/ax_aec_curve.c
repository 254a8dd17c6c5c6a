/* The loudspeaker's curve: amplifier and driver as one odd function without memory, in front of the linear path.
 *
 * A Hammerstein model: f(x) = x + sum a_j (x - clamp(x, t_j)) with fixed knots t_j, so any curve that bends at the knots.
 * The slopes are found by recursive least squares on the error of the main filter: the parts that bend are sent through
 * the strongest two partitions of the path (after the significance-aware filters of Hofmann, Huemmer and Kellermann), and
 * what they explain of the error moves the slopes. Units: full scale 1.0. Threads, allocation: see ax_aec_internal.h. */
#include "ax_aec_internal.h"

#include <math.h>
#include <string.h>

enum { J = AEC_KNOTS, REST = 8, WARM = 150 }; /* Frames between two looks, after the first ones. */

#define LOWEST -34.5f   /* Knots in dB of full scale. */
#define STEP 4.5f
#define MEMORY 0.98f    /* Of the least squares, per look. */
#define SPEED 0.05f     /* Part of the way to the solution, per look. */
#define SEEN 0.1f       /* Part of the error that the curve explains before it is believed in, ... */
#define BUSY 0.04f      /* ... and above which it is looked at each frame. */

void aec_curve_reset(struct aec_core *c)
{
    for (int j = 0; j < J; j++)
        c->curve.knot[j] = powf(10.0f, (LOWEST + STEP * (float)j) / 20.0f);
    c->curve.delay = -1;
}

/* The reference as the loudspeaker plays it. */
void aec_curve_apply(const struct aec_core *c, const float *x, float *out)
{
    const struct aec_curve *v = &c->curve;
    memcpy(out, x, (size_t)c->hop * sizeof *x);
    if (!v->active)
        return;
    for (int j = 0; j < J; j++) {
        const float t = v->knot[j], a = v->slope[j];
        for (int i = 0; i < c->hop; i++)
            out[i] += a * (x[i] - aec_max(-t, aec_min(t, x[i])));
    }
}

/* What the curve's parts make of the two frames that end `back` frames ago, with emphasis. */
static void bent_spectra(struct aec_core *c, int back, float *out)
{
    const struct aec_curve *v = &c->curve;
    const int hop = c->hop, ring = AEC_SLOTS * hop;
    int at = (c->slot - back - 1) * hop - 1;
    float x[AEC_FFT + 1], t[AEC_FFT];
    at = ((at % ring) + ring) % ring;
    for (int i = 0; i <= 2 * hop; i++) {
        x[i] = v->history[at];
        at = at + 1 == ring ? 0 : at + 1;
    }
    for (int j = 0; j < J; j++) {
        c->dsp->bend(x, v->knot[j], AEC_EMPHASIS, t, 2 * hop);
        c->dsp->forward(c->fft, t, out + (size_t)j * 2 * (size_t)c->stride);
    }
}

/* Solve (a + ridge) x = b by Cholesky; false if it is not positive. */
static bool solve(const float *a, const float *b, float ridge, float *x)
{
    float l[J][J];
    for (int i = 0; i < J; i++)
        for (int j = 0; j <= i; j++) {
            float sum = a[i * J + j] + (i == j ? ridge + 1e-3f * a[i * J + i] : 0.0f);
            for (int k = 0; k < j; k++)
                sum -= l[i][k] * l[j][k];
            if (i == j && sum <= 0.0f)
                return false;
            l[i][j] = i == j ? sqrtf(sum) : sum / l[j][j];
        }
    for (int i = 0; i < J; i++) {
        x[i] = b[i];
        for (int k = 0; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] /= l[i][i];
    }
    for (int i = J - 1; i >= 0; i--) {
        for (int k = i + 1; k < J; k++)
            x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
    return true;
}

static void learn(struct aec_core *c, float u[J][AEC_HOP])
{
    struct aec_curve *v = &c->curve;
    const float *e = c->main.error_t + c->hop;
    const float keep = MEMORY;
    v->level = 0.9f * v->level + 0.1f * c->main.error_energy;
    const float weight = 1.0f / (aec_max(v->level, c->main.error_energy) + 1e-7f);
    for (int i = 0; i < J; i++) {
        for (int j = 0; j <= i; j++) {
            const float d = c->dsp->dot(u[i], u[j], c->hop);
            v->matrix[i * J + j] = keep * v->matrix[i * J + j] + weight * d;
        }
        v->vector[i] = keep * v->vector[i] + weight * c->dsp->dot(u[i], e, c->hop);
    }
    v->total = keep * v->total + weight * c->main.error_energy;
    float step[J], trace = 0.0f, explained = 0.0f;
    for (int i = 0; i < J; i++)
        trace += v->matrix[i * J + i];
    if (!solve(v->matrix, v->vector, 1e-4f * trace + 1e-6f, step))
        return;
    for (int i = 0; i < J; i++)
        explained += step[i] * v->vector[i];
    v->gain = explained / (v->total + 1e-9f);
    if (v->gain > SEEN && ++v->certain > 10)
        v->active = true;
    else if (v->gain <= SEEN)
        v->certain = 0;
    if (!v->active)
        return;
    float slope = 1.0f;
    for (int i = 0; i < J; i++) {
        const float a = v->slope[i] + SPEED * step[i];
        v->slope[i] = aec_max(-0.05f - slope, aec_min(3.0f - slope, a));
        slope += v->slope[i];
    }
}

void aec_curve_frame(struct aec_core *c, const float *raw)
{
    struct aec_curve *v = &c->curve;
    const int hop = c->hop;
    const size_t spectrum = 2 * (size_t)c->stride;
    memcpy(v->history + (size_t)c->slot * (size_t)hop, raw, (size_t)hop * sizeof *raw);
    /* Each frame while there is something to learn, one of eight after that. */
    const bool busy = v->frames < WARM || v->gain > BUSY;
    v->rest++;
    if (!c->far || c->slid || (!busy && v->rest < REST))
        return;
    v->frames += v->frames < WARM;
    /* What bends in the two frames that go through the strongest partition and the next; the older one is at hand. */
    const int back = c->shift + c->strongest;
    float *now = v->spectra + (size_t)(v->turn ^ 1) * J * spectrum, *before = v->spectra + (size_t)v->turn * J * spectrum;
    if (v->delay != back || v->rest != 1)
        bent_spectra(c, back + 1, before);
    bent_spectra(c, back, now);
    v->delay = back;
    v->rest = 0;
    v->turn ^= 1;
    float u[J][AEC_HOP], y[AEC_SPECTRUM], t[AEC_FFT], unused[2][AEC_STRIDE];
    for (int j = 0; j < J; j++) {
        const float *x[2] = {now + (size_t)j * spectrum, before + (size_t)j * spectrum};
        const int count = c->strongest + 1 < c->partitions ? 2 : 1;
        const struct ax_kalman k = {.w = c->main.w + (size_t)c->strongest * spectrum,
                                    .p = c->main.p + (size_t)c->strongest * (size_t)c->stride,
                                    .x = x, .partitions = count, .stride = c->stride};
        c->dsp->predict(&k, y, unused[0], unused[1]);
        c->dsp->inverse(c->fft, y, t);
        memcpy(u[j], t + hop, (size_t)hop * sizeof *t);
    }
    learn(c, u);
}
