/* The adaptive filters: a block Kalman filter over partitions, and a short quick one in its shadow.
 * Model, per bin: the path W is a random walk with variance P of its error; what the microphone holds besides the echo has
 * the power `noise`. Source, units, threads, allocation: see ax/aec.h and ax_aec_internal.h. */
#include "ax_aec_internal.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#define TINY 1e-10f
#define ROOM_FALL 0.7f       /* Power from one partition to the next, ... */
#define ROOM_DROP 0.1f       /* ... and once after the first three, which hold the direct sound. */
#define ROOM_LEAST 1e-4f
#define MOVED_PRIOR 1e-2f    /* Of partitions that come in when the filter begins elsewhere. */
#define LEARN 0.35f          /* What a frame tells of a partition: neighbours are alike, so less than the half in theory. */
#define SMOOTHING 0.8f       /* Of the power that is not echo: 50 ms. */
#define OTHER_LEAST 0.3f     /* At least that part of the error is not echo; */
#define OTHER_NOW 0.2f       /* and that part of this very frame, for a talker who has just begun. */
#define WALK 1e-4f           /* How far the path walks in a frame, as a part of its power. */
#define WALK_SHADOW 2e-2f
#define ADOPT 0.5f           /* The shadow's error over the main filter's: take it over, ... */
#define TEACH 2.0f           /* ... or the other way. */
#define LOST 4.0f            /* Error over microphone: the filter does harm. */
#define FIT_FRAMES 5
#define FIT_TRIES 5
#define TRIAL 12             /* Frames after a jump until the filter must explain something: */
#define UNFIT 0.5f           /* leave less than that part of the microphone. */
#define CONSTRAIN 5          /* Partitions a frame whose taps are cut to their length. */
#define CONSTRAIN_SHADOW 1

static struct ax_kalman view(const struct aec_core *c, struct aec_filter *f)
{
    return (struct ax_kalman){.w = f->w, .p = f->p, .x = f->x, .partitions = f->partitions, .stride = c->stride};
}

/* What is known of a path before anything is heard: the loudspeaker is near, and the room fades (60 dB in 0.4 s). */
static void prior(struct aec_core *c, struct aec_filter *f)
{
    float at = 1.0f;
    for (int n = 0; n < f->partitions; n++, at = aec_max(at * (n == 2 ? ROOM_DROP : ROOM_FALL), ROOM_LEAST))
        for (int k = 0; k < c->stride; k++)
            f->p[n * c->stride + k] = at;
}

/* Both filters forget. */
static void restart(struct aec_core *c)
{
    struct aec_filter *both[2] = {&c->main, &c->shadow};
    for (int i = 0; i < 2; i++) {
        struct aec_filter *f = both[i];
        memset(f->w, 0, (size_t)f->partitions * 2 * (size_t)c->stride * sizeof *f->w);
        for (int k = 0; k < c->stride; k++)
            f->noise[k] = 1e-7f;
        prior(c, f);
    }
}

void aec_core_reset(struct aec_core *c)
{
    restart(c);
    aec_suppress_reset(c);
    aec_curve_reset(c);
    aec_drift_reset(c);
    c->search.best = c->search.candidate = -1;
    c->far_age = 2 * AEC_DELAY;
}

/* What the filter expects, and what it got: estimate, error and its spectrum. */
static void filter_predict(struct aec_core *c, struct aec_filter *f, const float *mic)
{
    const int hop = c->hop;
    float t[AEC_FFT];
    for (int n = 0; n < f->partitions; n++)
        f->x[n] = aec_reference(c, c->shift + n);
    const struct ax_kalman k = view(c, f);
    c->dsp->predict(&k, f->y, f->residual, f->echo);
    c->dsp->inverse(c->fft, f->y, t);
    memcpy(f->estimate, t + hop, (size_t)hop * sizeof *t);
    float *e = f->error_t + hop;
    for (int i = 0; i < hop; i++)
        e[i] = mic[i] - f->estimate[i];
    f->error_energy = c->dsp->dot(e, e, hop);
    c->dsp->forward(c->fft, f->error_t, f->e);
}

/* The same while there is nothing to expect. Nobody asks for the error's spectrum then. */
static void filter_rest(struct aec_core *c, struct aec_filter *f, const float *mic)
{
    const size_t hop = (size_t)c->hop;
    memset(f->residual, 0, sizeof f->residual);
    memset(f->echo, 0, sizeof f->echo);
    memset(f->estimate, 0, hop * sizeof *mic);
    memcpy(f->error_t + hop, mic, hop * sizeof *mic);
    f->error_energy = c->mic_energy;
}

static void filter_update(struct aec_core *c, struct aec_filter *f, float walk)
{
    float gain[AEC_STRIDE];
    const int h = c->stride;
    for (int k = 0; k < h; k++) {
        const float e2 = 2.0f * (f->e[k] * f->e[k] + f->e[h + k] * f->e[h + k]);
        const float other = aec_max(e2 - f->residual[k], OTHER_LEAST * e2);
        f->noise[k] = SMOOTHING * f->noise[k] + (1.0f - SMOOTHING) * other;
        gain[k] = 1.0f / (f->residual[k] + aec_max(f->noise[k], OTHER_NOW * e2) + TINY);
    }
    const struct ax_kalman k = view(c, f);
    c->dsp->update(&k, f->e, gain, LEARN, 1.0f - walk, walk);
}

/* A partition is `hop` taps: what the update put behind them is taken away, a few partitions each frame. */
static void filter_constrain(struct aec_core *c, struct aec_filter *f, int count)
{
    float t[AEC_FFT];
    for (int i = 0; i < count; i++) {
        float *w = f->w + (size_t)f->turn * 2 * (size_t)c->stride;
        c->dsp->inverse(c->fft, w, t);
        memset(t + c->hop, 0, (size_t)c->hop * sizeof *t);
        c->dsp->forward(c->fft, t, w);
        f->turn = f->turn + 1 == f->partitions ? 0 : f->turn + 1;
    }
}

static void emphasise(const float *in, int n, float *last, float *out)
{
    float before = *last;
    for (int i = 0; i < n; i++) {
        out[i] = in[i] - AEC_EMPHASIS * before;
        before = in[i];
    }
    *last = before;
}

static void take_reference(struct aec_core *c, const float *raw)
{
    const int hop = c->hop;
    float bent[AEC_HOP];
    float *ref = c->frame + hop;
    memcpy(c->frame, ref, (size_t)hop * sizeof *ref);
    aec_curve_apply(c, raw, bent);
    emphasise(bent, hop, &c->ref_last, ref);
    c->slot = (c->slot + 1) & (AEC_SLOTS - 1);
    c->dsp->forward(c->fft, c->frame, c->spectra + (size_t)c->slot * 2 * (size_t)c->stride);
    c->ref_energy = c->dsp->dot(ref, ref, hop);
    c->hush = c->ref_energy > 0.0f ? 0 : c->hush + (c->hush < INT_MAX);
    c->ref_level = aec_max(c->ref_energy, c->ref_level * 0.9f);
}

/* The path is another one: what was learnt of the filter's variance holds no longer, and for a second the judge takes less
 * for talk. */
static void shake(struct aec_core *c)
{
    c->shaken = AEC_SHAKEN;
    c->suppressor.caution = 1.0f;
}

/* The shadow has found a path that explains the microphone better: take it over, and trust the rest less. */
static void adopt(struct aec_core *c)
{
    const size_t h = (size_t)c->stride;
    struct aec_filter *m = &c->main, *s = &c->shadow;
    memcpy(m->w, s->w, (size_t)s->partitions * 2 * h * sizeof *m->w);
    for (int n = 0; n < m->partitions; n++) {
        float *p = m->p + (size_t)n * h;
        const float *w = m->w + (size_t)n * 2 * h;
        const float *q = s->p + (size_t)n * h;
        for (size_t k = 0; k < h; k++) {
            const float e = 0.3f * (w[k] * w[k] + w[h + k] * w[h + k]);
            p[k] = aec_max(p[k], n < s->partitions ? aec_max(q[k], e) : 4.0f * e);
        }
    }
    for (size_t k = 0; k < h; k++)
        m->noise[k] = aec_min(m->noise[k], s->noise[k]);
    if (c->calm > AEC_SHAKEN) /* Not while it learns the path for the first time. */
        shake(c);
    c->calm = 0;
    c->suppressor.odd = 0.0f;
}

/* And the other way: what the shadow has lost (double talk), it gets back. */
static void teach(struct aec_core *c)
{
    const size_t h = (size_t)c->stride;
    memcpy(c->shadow.w, c->main.w, (size_t)c->shadow.partitions * 2 * h * sizeof *c->main.w);
    memcpy(c->shadow.p, c->main.p, (size_t)c->shadow.partitions * h * sizeof *c->main.p);
}

static void compare(struct aec_core *c)
{
    c->smooth_mic = 0.7f * c->smooth_mic + 0.3f * c->mic_energy;
    c->smooth_main = 0.7f * c->smooth_main + 0.3f * c->main.error_energy;
    c->smooth_shadow = 0.7f * c->smooth_shadow + 0.3f * c->shadow.error_energy;
    c->calm++;
    c->shaken -= c->shaken > 0;
    if (c->smooth_shadow < ADOPT * c->smooth_main && c->calm > 5) {
        adopt(c);
    } else if (c->smooth_shadow > TEACH * c->smooth_main) {
        teach(c);
        c->smooth_shadow = c->smooth_main;
    }
    if (c->smooth_main > LOST * c->smooth_mic + 1e-7f * (float)c->hop) {
        restart(c);
        c->smooth_main = c->smooth_shadow = c->smooth_mic;
    }
}

/* The path may be another one by that part of its power. */
static void doubt(struct aec_core *c, float part)
{
    const size_t h = (size_t)c->stride;
    struct aec_filter *both[2] = {&c->main, &c->shadow};
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < both[i]->partitions; n++) {
            float *p = both[i]->p + (size_t)n * h;
            const float *w = both[i]->w + (size_t)n * 2 * h;
            for (size_t k = 0; k < h; k++)
                p[k] += part * (w[k] * w[k] + w[h + k] * w[h + k]);
        }
}

/* The partition with the most of the echo path. */
static int strongest(const struct aec_core *c)
{
    const int h = c->stride;
    int at = 0;
    float most = 0.0f;
    for (int n = 0; n < c->partitions; n++) {
        const float *w = c->main.w + (size_t)n * 2 * (size_t)h;
        const float sum = c->dsp->dot(w, w, 2 * h);
        if (sum > most)
            most = sum, at = n;
    }
    return at;
}

int aec_peak(const struct aec_core *c, int partition)
{
    float t[AEC_FFT];
    int at = 0;
    c->dsp->inverse(c->fft, c->main.w + (size_t)partition * 2 * (size_t)c->stride, t);
    for (int i = 1; i < c->hop; i++)
        if (fabsf(t[i]) > fabsf(t[at]))
            at = i;
    return at;
}

/* The filter begins `by` frames later from now on, and what it has learnt stays where it is in time. */
static void move_partitions(struct aec_core *c, struct aec_filter *f, int by)
{
    const int h = c->stride;
    const size_t spectrum = 2 * (size_t)h;
    const int n = f->partitions, away = by < 0 ? -by : by;
    const int stay = away < n ? n - away : 0;
    const int from = by > 0 ? by : 0, to = by > 0 ? 0 : away, gap = by > 0 ? stay : 0;
    if (stay > 0) {
        memmove(f->w + (size_t)to * spectrum, f->w + (size_t)from * spectrum, (size_t)stay * spectrum * sizeof *f->w);
        memmove(f->p + to * h, f->p + from * h, (size_t)stay * (size_t)h * sizeof *f->p);
    }
    memset(f->w + (size_t)gap * spectrum, 0, (size_t)(n - stay) * spectrum * sizeof *f->w);
    for (int i = gap; i < gap + n - stay; i++)
        for (int k = 0; k < h; k++)
            f->p[i * h + k] = MOVED_PRIOR;
}

/* The whole response begins `by` samples later (negative: earlier). */
static void slide(struct aec_core *c, struct aec_filter *f, int by)
{
    const int hop = c->hop;
    float t[AEC_FFT], out[AEC_FFT], carry[AEC_HOP] = {0};
    memset(out, 0, sizeof out);
    for (int i = 0; i < f->partitions; i++) {
        const int n = by > 0 ? i : f->partitions - 1 - i;
        float *w = f->w + (size_t)n * 2 * (size_t)c->stride;
        c->dsp->inverse(c->fft, w, t);
        if (by > 0) {
            memcpy(out, carry, (size_t)by * sizeof *t);
            memcpy(out + by, t, (size_t)(hop - by) * sizeof *t);
            memcpy(carry, t + hop - by, (size_t)by * sizeof *t);
        } else {
            memcpy(out, t - by, (size_t)(hop + by) * sizeof *t);
            memcpy(out + hop + by, carry, (size_t)-by * sizeof *t);
            memcpy(carry, t, (size_t)-by * sizeof *t);
        }
        c->dsp->forward(c->fft, out, w);
    }
}

void aec_slide(struct aec_core *c, int by)
{
    slide(c, &c->main, by);
    memcpy(c->shadow.w, c->main.w, (size_t)c->shadow.partitions * 2 * (size_t)c->stride * sizeof *c->main.w);
    c->slid = true;
}

/* The echo has moved to about `to` frames. What the filter expects there and two frames around is one piece of 50 ms: where
 * the microphone's frame fits into it tells the rest, to the sample. Returns samples, or -1. */
static int fit(struct aec_core *c, int to, const float *mic)
{
    const int hop = c->hop, span = (FIT_FRAMES - 1) * hop;
    float y[FIT_FRAMES * AEC_HOP], best = 0.4f * c->mic_energy, power;
    int at = -1;
    for (int i = 0; i < FIT_FRAMES; i++) {
        c->shift = to + FIT_FRAMES / 2 - i;
        if (c->shift < 0)
            memset(c->main.estimate, 0, (size_t)hop * sizeof *y);
        else
            filter_predict(c, &c->main, mic);
        memcpy(y + i * hop, c->main.estimate, (size_t)hop * sizeof *y);
    }
    power = c->dsp->dot(y, y, hop) + TINY;
    for (int d = 0; d <= span; d++) {
        const float cross = c->dsp->dot(mic, y + d, hop);
        if (cross > 0.0f && cross * cross > best * power) {
            best = cross * cross / power;
            at = d;
        }
        if (d < span)
            power = aec_max(TINY, power + y[d + hop] * y[d + hop] - y[d] * y[d]);
    }
    return at;
}

/* False: it does not fit yet; try again. */
static bool jump(struct aec_core *c, int to, const float *mic)
{
    const int hop = c->hop, before = c->shift, at = fit(c, to, mic);
    c->shift = to;
    if (at < 0 && ++c->tries < FIT_TRIES) {
        c->shift = before;
        return false;
    }
    c->tries = 0;
    if (at < 0) { /* What was known is of no use there: learn anew, in place if the filter reaches so far. */
        if (to >= before && to < before + c->partitions / 2) {
            c->shift = before;
            doubt(c, 1.0f);
        } else {
            restart(c);
        }
        return true;
    }
    const int late = FIT_FRAMES / 2 * hop - at; /* The echo is so much later than `to` frames. */
    const int frames = (late + (late > 0 ? hop / 2 : -hop / 2)) / hop;
    c->shift = to + frames > 0 ? to + frames : 0;
    const int rest = late - (c->shift - to) * hop;
    if (rest != 0 && rest < hop && rest > -hop)
        aec_slide(c, rest);
    doubt(c, 0.05f);
    c->trial = TRIAL;
    return true;
}

/* What the search says, against where the filter looks: begin elsewhere, or follow a jump. */
static void follow_delay(struct aec_core *c, const float *mic)
{
    const int best = c->search.best;
    if ((c->search.turn & 1) != 0 || aec_idle(c))
        return;
    c->strongest = strongest(c);
    if (best < 0)
        return;
    const int mine = c->shift + c->strongest, wanted = best > 0 ? best - 1 : 0;
    const bool agree = best - mine <= 1 && mine - best <= 1;
    if (agree) {
        c->locked = true;
        c->found = best;
    }
    if (agree && c->shift != wanted && (c->shift > best || c->shift < best - 3)) {
        move_partitions(c, &c->main, wanted - c->shift);
        move_partitions(c, &c->shadow, wanted - c->shift);
        c->shift = wanted;
    } else if (!agree && c->search.steady >= 3 && (c->search.steady >= 6 || c->suppressor.odd > 10.0f)) {
        const int to = c->shift + best - c->found;
        if (c->locked && to >= 0) {
            if (!jump(c, to, mic))
                return;
        } else {
            c->shift = wanted;
            restart(c);
        }
        c->locked = true;
        c->found = best;
        c->search.steady = 0;
        c->suppressor.odd = c->suppressor.near = 0.0f;
        shake(c);
    }
}

/* A jump that was followed to the wrong place leaves a filter that is sure of what it does not know. */
static void try_out(struct aec_core *c)
{
    if (c->trial > 0 && --c->trial == 0 && c->suppressor.near < 0.5f && c->smooth_main > UNFIT * c->smooth_mic)
        restart(c);
}

void aec_core_frame(struct aec_core *c, const float *raw_mic, const float *raw_ref)
{
    float mic[AEC_HOP], ref[AEC_HOP];
    c->slid = false;
    aec_drift_begin(c);
    emphasise(raw_mic, c->hop, &c->mic_last, mic);
    aec_drift_apply(c, raw_ref, ref);
    take_reference(c, ref);
    c->far = c->ref_level > 1e-8f * (float)c->hop;
    c->far_age = c->far ? 0 : c->far_age + 1;
    c->far_long = c->far_age < AEC_DELAY;
    c->mic_energy = c->dsp->dot(mic, mic, c->hop);
    follow_delay(c, mic);
    if (aec_idle(c)) {
        filter_rest(c, &c->main, mic);
        filter_rest(c, &c->shadow, mic);
    } else {
        filter_predict(c, &c->main, mic);
        filter_predict(c, &c->shadow, mic);
    }
    aec_search_frame(c, mic);
    aec_curve_frame(c, ref);
    aec_drift_frame(c);
    if (c->far) {
        filter_update(c, &c->main, WALK);
        filter_update(c, &c->shadow, WALK_SHADOW);
        if (!c->slid) {
            filter_constrain(c, &c->main, CONSTRAIN);
            filter_constrain(c, &c->shadow, CONSTRAIN_SHADOW);
        }
        compare(c);
        try_out(c);
    }
}
