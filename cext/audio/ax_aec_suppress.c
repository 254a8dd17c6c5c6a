/* The suppressor: what the filter left of the echo, taken out per band; two short-time spectra a frame.
 *
 * Windows of 20 ms every 5 ms, whose synthesis part is the last 10 ms: 5 ms of delay (after Mauler and Martin, 2007).
 * The residual's power is the Kalman filter's own variance, plus reverberation behind its end, plus a learnt leak. While
 * nobody talks at the microphone, whatever could be echo is taken for echo; somebody talks when bands hold more than any
 * echo could. Units, threads, allocation: see ax_aec_internal.h. */
#include "ax_aec_internal.h"

#include <math.h>
#include <string.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

void aec_suppress_reset(struct aec_core *c)
{
    struct aec_suppressor *s = &c->suppressor;
    const int half = c->hop / 2, n = 2 * c->hop, lap = c->hop * 2 / 5, rise = n - lap, from = n - half - lap;
    memset(s, 0, sizeof *s);
    s->lap = lap;
    s->upper = 1.0f;
    for (int i = 0; i < n; i++)
        s->analysis[i] = (float)(i < rise ? sin(M_PI / 2 * (i + 0.5) / rise) : cos(M_PI / 2 * (i - rise + 0.5) / lap));
    for (int i = 0; i < half + lap; i++) {
        const double up = i < lap ? sin(M_PI / 2 * (i + 0.5) / lap) : 1.0;
        s->synthesis[i] = i < half ? (float)(up * up) / s->analysis[from + i] : s->analysis[from + i];
    }
    static const int widths[][2] = {{20, 3}, {40, 4}, {80, 8}, {1000, 16}}; /* Up to that bin of 50 Hz, that wide. */
    const int bins = c->hop + 1;
    int at = 0, n_bands = 0;
    for (int w = 0; at < bins; at += widths[w][1]) {
        while (at >= widths[w][0])
            w++;
        s->edge[n_bands++] = at;
    }
    if (bins - s->edge[n_bands - 1] < 4)
        n_bands--;
    s->edge[n_bands] = bins;
    s->bands = n_bands;
    for (int b = 0; b < n_bands; b++) {
        s->noise[b] = s->low[b] = 1e-5f;
    }
    s->near = 0.0f;
    s->caution = 1.0f;
    s->seed = 1;
}

static void band_sums(const struct aec_suppressor *s, const float *power, float *out)
{
    for (int b = 0; b < s->bands; b++) {
        float sum = 0.0f;
        for (int k = s->edge[b]; k < s->edge[b + 1]; k++)
            sum += power[k];
        out[b] = sum / (float)(s->edge[b + 1] - s->edge[b]);
    }
}

static void spectrum(const struct aec_core *c, const float *from, float *out, float *power)
{
    const int h = c->stride;
    float t[AEC_FFT];
    for (int i = 0; i < 2 * c->hop; i++)
        t[i] = from[i] * c->suppressor.analysis[i];
    c->dsp->forward(c->fft, t, out);
    for (int k = 0; k < h; k++)
        power[k] = out[k] * out[k] + out[h + k] * out[h + k];
}

/* The room's noise: minima of a smoothed spectrum over the last second or two. */
static void follow_noise(struct aec_suppressor *s, const float *e)
{
    const bool turn = ++s->age >= 200;
    for (int b = 0; b < s->bands; b++) {
        s->smooth[b] = 0.8f * s->smooth[b] + 0.2f * e[b];
        s->low[b] = fminf(s->low[b], s->smooth[b]);
        if (turn) {
            s->noise[b] = fminf(s->low[b], 1.4f * s->noise[b]);
            s->low[b] = s->smooth[b];
        } else
            s->noise[b] = fminf(s->noise[b], s->smooth[b]);
    }
    if (turn)
        s->age = 0;
}

static void judge(const struct aec_core *c, struct aec_suppressor *s, const float *e, const float *x, const float *m, const float *r, float leak)
{
    float votes = 0.0f, energy = 0.0f, expected = 0.0f, doubt = 0.0f, noise = 0.0f;
    if ((++s->beat & 3) == 0) {
        memmove(s->peak[1], s->peak[0], sizeof s->peak - sizeof s->peak[0]);
        memset(s->peak[0], 0, sizeof s->peak[0]);
    }
    for (int b = 0; b < s->bands; b++) {
        const float most = fmaxf(m[b], s->path[b] * x[b]);
        s->peak[0][b] = fmaxf(s->peak[0][b], most);
        s->peak[0][b > 0 ? b - 1 : 0] = fmaxf(s->peak[0][b > 0 ? b - 1 : 0], 0.3f * most);
        s->peak[0][b + 1 < s->bands ? b + 1 : b] = fmaxf(s->peak[0][b + 1 < s->bands ? b + 1 : b], 0.3f * most);
    }
    for (int b = 0; b < s->bands; b++) {
        float held = s->peak[0][b];
        for (int i = 1; i <= 4; i++)
            held = fmaxf(held, s->peak[i][b]);
        s->bound[b] = fmaxf(held, TUNE(20, 0.8f) * s->bound[b]);
        const float limit = TUNE(21, 4.0f) * s->bound[b] + TUNE(22, 8.0f) * s->noise[b];
        if (e[b] > limit)
            votes += fminf(logf(e[b] / limit), 2.0f);
        energy += e[b];
        noise += s->noise[b];
        expected += s->caution * r[b] + s->noise[b] + leak * s->bound[b], doubt += r[b];
    }
    s->evidence = votes;
    s->excess = energy / (expected + 1e-12f);
    const float bold = energy / (expected + (1.0f - s->caution) * doubt + 1e-12f);
    const bool lost = c->smooth_shadow < TUNE(35, 0.8f) * c->smooth_main; /* The shadow knows the path better. */
    s->odd = bold > TUNE(36, 2.5f) ? fminf(s->odd + 1.0f, 60.0f) : fmaxf(s->odd - 1.0f, 0.0f);
    if (votes > TUNE(23, 1.5f))
        s->near += fminf(TUNE(24, 0.1f) * votes, TUNE(11, 0.12f));
    else if (s->excess > TUNE(8, 3.0f) && c->search.in_step && s->mixed > TUNE(30, -0.25f) && s->share > TUNE(27, 0.2f))
        s->near += TUNE(29, 0.06f);
    else if (lost || !c->search.in_step)
        s->near -= TUNE(37, 0.05f);
    else if (s->odd > TUNE(38, 30.0f) && bold > TUNE(36, 2.5f))
        s->near += TUNE(39, 0.04f);
    else if (s->excess < TUNE(40, 1.5f))
        s->near -= TUNE(25, 0.02f);
    s->near = fmaxf(0.0f, fminf(1.0f, s->near));
    /* The filter's variance is cautious: learn by how much, while nobody talks. */
    if (s->near < 0.05f && s->odd < 1.0f && doubt > 4.0f * noise) {
        const float now = fmaxf(energy - noise, 0.0f) / doubt;
        s->caution += (now > s->caution ? TUNE(41, 0.03f) : TUNE(31, 0.03f)) * (now - s->caution);
        s->caution = fmaxf(TUNE(43, 0.1f), fminf(1.0f, s->caution));
    }
}

static void comfort(struct aec_suppressor *s, int k, int b, float missing, float *re, float *im)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    const float u = (float)(int32_t)s->seed * (1.0f / 2147483648.0f);
    s->seed = s->seed * 1664525u + 1013904223u;
    const float v = (float)(int32_t)s->seed * (1.0f / 2147483648.0f);
    const float g = sqrtf(missing * s->noise[b] * 1.5f * TUNE(26, 1.9f));
    (void)k;
    *re += g * u;
    *im += g * v;
}

static void half_frame(struct aec_core *c, const float *x, const float *residual, const float *echo_power, const float *e_t, const float *y_t, float *out)
{
    struct aec_suppressor *s = &c->suppressor;
    const int h = c->stride, half = c->hop / 2;
    float e_s[AEC_SPECTRUM], y_s[AEC_SPECTRUM], e2[AEC_STRIDE], y2[AEC_STRIDE], t[AEC_FFT];
    float e[AEC_BANDS], y[AEC_BANDS], m[AEC_BANDS], r[AEC_BANDS];
    spectrum(c, e_t, e_s, e2);
    spectrum(c, y_t, y_s, y2);
    band_sums(s, e2, e);
    band_sums(s, y2, y);
    band_sums(s, echo_power, m);
    band_sums(s, residual, r);
    for (int b = 0; b < s->bands; b++)
        m[b] = fmaxf(m[b], y[b]);
    follow_noise(s, e);
    /* A loudspeaker that bends leaves more than the linear filter's variance tells. */
    const float leak = c->curve.active ? TUNE(28, 0.004f) : 0.0f;
    judge(c, s, e, x, m, r, leak);
    const float talk = fmaxf(0.0f, fminf(1.0f, (s->near - 0.25f) * 2.0f));
    const float floor = TUNE(34, 0.01f) + talk * 0.3f;
    for (int b = 0; b < s->bands; b++) {
        const float sure = 0.3f * (r[b] + leak * fmaxf(y[b], 0.1f * s->bound[b]));
        const float any = 10.0f * s->bound[b];
        const float a = (1.0f - talk) * (1.0f - talk);
        const float rest = sure + a * (any - sure);
        s->debug[0][b] = e[b], s->debug[1][b] = y[b], s->debug[2][b] = m[b], s->debug[3][b] = r[b];
        s->debug[4][b] = s->bound[b], s->debug[5][b] = s->noise[b];
        for (int k = s->edge[b]; k < s->edge[b + 1]; k++) {
            const float rk = fmaxf(rest, TUNE(32, 0.3f) * residual[k]) + 1e-12f;
            const float post = e2[k] / rk;
            const float prio = TUNE(33, 0.4f) * s->clean[k] / rk + (1 - TUNE(33, 0.4f)) * fmaxf(post - 1.0f, 0.0f);
            const float g = fmaxf(prio / (1.0f + prio), floor);
            s->clean[k] = g * g * e2[k];
            e_s[k] *= g, e_s[h + k] *= g;
            comfort(s, k, b, 1.0f - g * g, &e_s[k], &e_s[h + k]);
        }
    }
    s->debug[7][0] = s->near, s->debug[7][1] = s->evidence, s->debug[7][2] = s->excess, s->debug[7][3] = s->odd, s->debug[7][5] = s->mixed, s->debug[7][6] = s->share, s->debug[7][7] = s->caution, s->debug[7][4] = c->smooth_shadow / (c->smooth_main + 1e-12f);
    /* Above the core's band nothing is cancelled: what talker and echo are to each other at its upper end decides. */
    float kept = 0.0f, echo = 0.0f;
    for (int b = s->bands - 4; b < s->bands; b++) {
        for (int k = s->edge[b]; k < s->edge[b + 1]; k++)
            kept += s->clean[k];
        echo += fmaxf(y[b], 0.25f * s->bound[b]) * (float)(s->edge[b + 1] - s->edge[b]);
    }
    const float upper = kept / (kept + echo + 1e-12f);
    s->upper += (upper < s->upper ? 0.7f : 0.3f) * (upper - s->upper);
    c->dsp->inverse(c->fft, e_s, t);
    const float *new = t + 2 * c->hop - half - s->lap;
    for (int i = 0; i < half; i++)
        out[i] = new[i] * s->synthesis[i] + (i < s->lap ? s->overlap[i] : 0.0f);
    for (int i = 0; i < s->lap; i++)
        s->overlap[i] = new[half + i] * s->synthesis[half + i];
}

int aec_suppress_lag(const struct aec_core *c)
{
    return c->suppressor.lap;
}

void aec_suppress_frame(struct aec_core *c, float *out)
{
    struct aec_suppressor *s = &c->suppressor;
    const int hop = c->hop, half = hop / 2, keep = 2 * hop - half;
    float now[AEC_STRIDE], echo[AEC_STRIDE], power[AEC_STRIDE], played[AEC_BANDS], path[AEC_BANDS];
    /* Two half frames: the buffers hold the window of the first, and of the second half a hop on. */
    memmove(s->error, s->error + hop, (size_t)keep * sizeof *s->error);
    memcpy(s->error + keep, c->main.error_t + hop, (size_t)hop * sizeof *s->error);
    memmove(s->echo, s->echo + hop, (size_t)keep * sizeof *s->echo);
    memcpy(s->echo + keep, c->main.estimate, (size_t)hop * sizeof *s->echo);
    for (int k = 0; k < c->stride; k++) {
        const float r = 0.5f * c->main.residual[k];
        now[k] = fmaxf(r, 0.5f * s->residual[k]);
        s->residual[k] = r;
        echo[k] = 0.5f * (c->main.echo[k] + c->main.residual[k]);
    }
    const float *x = c->spectra + (size_t)((c->slot - c->shift) & (AEC_SLOTS - 1)) * 2 * (size_t)c->stride;
    for (int k = 0; k < c->stride; k++)
        power[k] = 0.5f * (x[k] * x[k] + x[c->stride + k] * x[c->stride + k]);
    band_sums(s, power, played);
    /* The gain of the whole path: what it was not long ago counts too, because a filter that loses its way shrinks. */
    memset(power, 0, sizeof power);
    for (int n = 0; n < c->shadow.partitions; n++) {
        const float *w = c->main.w + (size_t)n * 2 * (size_t)c->stride;
        for (int k = 0; k < c->stride; k++)
            power[k] += w[k] * w[k] + w[c->stride + k] * w[c->stride + k];
    }
    band_sums(s, power, path);
    for (int b = 0; b < s->bands; b++)
        s->path[b] = fmaxf(path[b], TUNE(44, 0.995f) * s->path[b]);
    const float *error = c->main.error_t + hop;
    s->cross = 0.6f * s->cross + c->dsp->dot(error, c->main.estimate, hop);
    s->own = 0.6f * s->own + c->dsp->dot(c->main.estimate, c->main.estimate, hop);
    s->left = 0.6f * s->left + c->main.error_energy;
    s->mixed = s->cross / (s->own + 1e-9f);
    s->share = s->left / (s->own + 1e-9f);
    half_frame(c, played, now, echo, s->error, s->echo, out);
    half_frame(c, played, now, echo, s->error + half, s->echo + half, out + half);
}
