/* The suppressor: what the filter left of the echo, taken out per band; two short-time spectra a frame.
 *
 * Windows of 20 ms every 5 ms, whose synthesis part is short: 4 ms of delay (after Mauler and Martin, 2007). While nobody
 * talks at the microphone, whatever could be echo is taken for echo. While somebody does (ax_aec_judge.c), only what the
 * Kalman filter says it is wrong by is taken, and gently. Gains after Ephraim and Malah's decision-directed estimate;
 * comfort noise fills what is missing of the room's own. Units, threads, allocation: see ax_aec_internal.h. */
#include "ax_aec_internal.h"
#include "ax_lap.h"

#include <math.h>
#include <string.h>

#define OVER 10.0f        /* Nobody talks: so many times the bound is taken for echo. */
#define UNDER 0.3f        /* Somebody talks: that part of the filter's variance. */
#define FLOOR_ALONE 0.01f /* Least gain. */
#define FLOOR_TALK 0.3f
#define BENT_LEAK 0.004f  /* What a bent loudspeaker leaves, as a part of the echo. */
#define EARLY 4           /* Frames by which an echo may jump ahead and still be taken for one. */
#define SILENCE 1e-9f     /* Of a band: less than the steps of 16 bits make. */
#define NOISE_PRIOR 1e-5f /* Of a band, -70 dB in all. */
#define HISS 2.85f        /* From the power of a band to that of noise put in by spectrum: windows, minima. */

enum {
    FIRST = 20, /* Half frames that the first look at the noise takes. */
    RING = 50,  /* Frames for which an echo may still be heard. */
};

/* Bands of 150 Hz at the low end to 800 Hz; what would be left at the high end goes to the last. */
static void bands(struct aec_suppressor *s, int bins)
{
    static const int widths[][2] = {{20, 3}, {40, 4}, {80, 8}, {1000, 16}}; /* Up to that bin of 50 Hz, that wide. */
    int at = 0, n = 0;
    for (int w = 0; at < bins; at += widths[w][1]) {
        while (at >= widths[w][0])
            w++;
        s->edge[n++] = at;
    }
    if (bins - s->edge[n - 1] < 4)
        n--;
    s->edge[n] = bins;
    s->bands = n;
}

void aec_suppress_reset(struct aec_core *c)
{
    struct aec_suppressor *s = &c->suppressor;
    memset(s, 0, sizeof *s);
    s->lap = ax_lap_windows(s->analysis, s->synthesis, c->hop);
    bands(s, c->hop + 1);
    s->upper = s->caution = 1.0f;
    for (int b = 0; b < s->bands; b++)
        s->noise[b] = s->low[b] = NOISE_PRIOR;
    s->seed = 1;
    for (int i = 0; i < AEC_DICE; i++) {
        s->seed = s->seed * 1664525u + 1013904223u;
        s->dice[i] = (float)(int32_t)s->seed * (1.0f / 2147483648.0f);
    }
}

void aec_band_means(const struct aec_suppressor *s, const float *power, float *out)
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

/* The room's noise: minima of a smoothed spectrum over the last second or two; it rises by 1.5 dB a second, or by 6 dB while
 * no echo can be in it. Digital silence, as a card has before its first samples and a muted microphone gives, tells nothing
 * of a room: taken for one, it would be a minimum from which no rise leads away, and then the room's own noise would be
 * somebody who talks. What is heard first is noise if the loudspeaker is silent, as before most calls. */
static void follow_noise(struct aec_suppressor *s, const float *e, bool echo)
{
    float most = 0.0f;
    for (int b = 0; b < s->bands; b++)
        most = aec_max(most, e[b]);
    if (most < SILENCE)
        return;
    const bool begun = s->heard >= FIRST, turn = ++s->age >= 200;
    const float part = begun ? 0.2f : 1.0f / (float)(++s->heard);
    for (int b = 0; b < s->bands; b++) {
        s->smooth[b] = aec_max(SILENCE, s->smooth[b] + part * (e[b] - s->smooth[b]));
        s->low[b] = aec_min(s->low[b], s->smooth[b]);
        if (!begun) {
            s->low[b] = s->noise[b] = echo ? aec_min(s->smooth[b], NOISE_PRIOR) : s->smooth[b];
        } else if (turn) {
            s->noise[b] = aec_min(s->low[b], (echo ? 1.4f : 4.0f) * s->noise[b]);
            s->low[b] = s->smooth[b];
        } else {
            s->noise[b] = aec_min(s->noise[b], s->smooth[b]);
        }
    }
    if (turn)
        s->age = 0;
}

/* Above the core's band nothing is cancelled: what talker and echo are to each other at its upper end decides. */
static void upper_band(struct aec_suppressor *s, const float *y)
{
    float kept = 0.0f, echo = 0.0f;
    for (int b = s->bands - 4; b < s->bands; b++) {
        for (int k = s->edge[b]; k < s->edge[b + 1]; k++)
            kept += s->clean[k];
        echo += aec_max(y[b], 0.25f * s->bound[b]) * (float)(s->edge[b + 1] - s->edge[b]);
    }
    const float now = (kept + 1e-7f) / (kept + echo + 1e-7f);
    s->upper += (now < s->upper ? 0.7f : 0.3f) * (now - s->upper);
}

/* Per bin: the power to take for echo, and the noise to put in. Returns the least gain. */
static float plan(const struct aec_core *c, const struct aec_bands *p, float leak, float *rest, float *hiss)
{
    const struct aec_suppressor *s = &c->suppressor;
    const float talk = aec_max(0.0f, aec_min(1.0f, (s->near - 0.25f) * 2.0f));
    const float alone = (1.0f - talk) * (1.0f - talk);
    for (int b = 0; b < s->bands; b++) {
        const float sure = UNDER * (p->residual[b] + leak * aec_max(p->estimate[b], 0.1f * s->bound[b]));
        const float take = sure + alone * (OVER * s->bound[b] - sure), fill = s->bound[b] > 0.01f * s->noise[b] ? HISS * s->noise[b] : 0.0f;
        for (int k = s->edge[b]; k < s->edge[b + 1]; k++) {
            rest[k] = take;
            hiss[k] = fill;
        }
    }
    for (int k = s->edge[s->bands]; k < c->stride; k++)
        rest[k] = hiss[k] = 0.0f;
    return FLOOR_ALONE + talk * FLOOR_TALK;
}

/* The spectrum of half a frame without what is left of the echo. */
static void half_frame(struct aec_core *c, const struct aec_expected *x, int offset, float *e_s)
{
    struct aec_suppressor *s = &c->suppressor;
    float y_s[AEC_SPECTRUM], e2[AEC_STRIDE], y2[AEC_STRIDE];
    float rest[AEC_STRIDE], hiss[AEC_STRIDE];
    struct aec_bands p;
    spectrum(c, s->error + offset, e_s, e2);
    if (aec_idle(c))
        memset(y2, 0, sizeof y2);
    else
        spectrum(c, s->echo + offset, y_s, y2);
    aec_band_means(s, e2, p.error);
    aec_band_means(s, y2, p.estimate);
    for (int b = 0; b < s->bands; b++) {
        p.residual[b] = x->residual_band[b];
        p.played[b] = x->played[b];
        p.echo[b] = aec_max(x->echo[b], p.estimate[b]);
    }
    follow_noise(s, p.error, c->far_age < RING);
    /* A loudspeaker that bends leaves more than the linear filter's variance tells. */
    const float leak = c->curve.active ? BENT_LEAK : 0.0f;
    aec_judge(c, &p, leak);
    const float least = plan(c, &p, leak, rest, hiss);
    s->seed = s->seed * 1664525u + 1013904223u;
    const float *dice = s->dice + (s->seed >> 16) % (AEC_DICE - AEC_SPECTRUM);
    for (int k = 0; k < c->stride; k++)
        rest[k] = aec_max(rest[k], UNDER * x->residual[k]);
    c->dsp->attenuate(e_s, e2, rest, s->clean, hiss, dice, least, c->stride);
    upper_band(s, p.estimate);
}

static void back(struct aec_core *c, const float *e_s, float *out)
{
    struct aec_suppressor *s = &c->suppressor;
    const int half = c->hop / 2;
    float t[AEC_FFT];
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

/* The gain of the whole path, as the filter has it. */
static void know_path(struct aec_core *c)
{
    const int h = c->stride;
    float power[AEC_STRIDE] = {0};
    for (int n = 0; n < c->shadow.partitions; n++) {
        const float *w = c->main.w + (size_t)n * 2 * (size_t)h;
        for (int k = 0; k < h; k++)
            power[k] += w[k] * w[k] + w[h + k] * w[h + k];
    }
    aec_band_means(&c->suppressor, power, c->suppressor.known);
}

/* What to expect of a frame, in the suppressor's scale: its windows hold half the power of the filter's. */
static void expect(struct aec_core *c, struct aec_expected *x)
{
    struct aec_suppressor *s = &c->suppressor;
    const int h = c->stride;
    float power[AEC_STRIDE];
    for (int k = 0; k < h; k++) {
        const float r = 0.5f * c->main.residual[k];
        x->residual[k] = aec_max(r, 0.5f * s->residual[k]);
        s->residual[k] = r;
        power[k] = 0.5f * c->main.echo[k] + r;
    }
    aec_band_means(s, x->residual, x->residual_band);
    aec_band_means(s, power, x->echo);
    const float *played = aec_reference(c, c->shift > EARLY ? c->shift - EARLY : 0);
    for (int k = 0; k < h; k++)
        power[k] = 0.5f * (played[k] * played[k] + played[h + k] * played[h + k]);
    aec_band_means(s, power, x->played);
    know_path(c);
}

void aec_suppress_frame(struct aec_core *c, float *out)
{
    struct aec_suppressor *s = &c->suppressor;
    const int hop = c->hop, half = hop / 2, keep = 2 * hop - half;
    struct aec_expected x = {0};
    /* Two half frames: the buffers hold the window of the first, and of the second half a hop on. */
    memmove(s->error, s->error + hop, (size_t)keep * sizeof *s->error);
    memcpy(s->error + keep, c->main.error_t + hop, (size_t)hop * sizeof *s->error);
    memmove(s->echo, s->echo + hop, (size_t)keep * sizeof *s->echo);
    memcpy(s->echo + keep, c->main.estimate, (size_t)hop * sizeof *s->echo);
    if (!aec_idle(c)) /* Else nothing is expected, and the filter is as it was. */
        expect(c, &x);
    /* What the gain of the path was not long ago counts too, because a filter that loses its way shrinks. */
    for (int b = 0; b < s->bands; b++)
        s->path[b] = aec_max(s->known[b], 0.995f * s->path[b]);
    const float *error = c->main.error_t + hop;
    s->cross = 0.6f * s->cross + c->dsp->dot(error, c->main.estimate, hop);
    s->own = 0.6f * s->own + c->dsp->dot(c->main.estimate, c->main.estimate, hop);
    s->left = 0.6f * s->left + c->main.error_energy;
    s->mixed = s->cross / (s->own + 1e-9f);
    s->share = s->left / (s->own + 1e-9f);
    float first[AEC_SPECTRUM], second[AEC_SPECTRUM];
    half_frame(c, &x, 0, first);
    half_frame(c, &x, half, second);
    if (c->noise != NULL)
        ns_core_frame(c->noise, first, second);
    back(c, first, out);
    back(c, second, out + half);
}
