/* Clocks that do not agree: the reference is resampled so that the echo stays where it is.
 *
 * Drift shows as a slope in phase between the strongest partition now and a quarter of a second ago. A slope that stays
 * moves the estimate; the reference is then read through a fractional delay (eight-tap windowed sinc) that grows by that many
 * parts per million. While no drift is seen, samples pass untouched. Units: samples, parts per million. Threads,
 * allocation: see ax_aec_internal.h. */
#include "ax_aec_internal.h"

#include <math.h>
#include <string.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

enum {
    LOOK = 25,        /* Frames between two looks. */
    AHEAD = 4,        /* Samples that the interpolation looks ahead: the least delay. */
    DELAY_MOST = AEC_DRIFT - AEC_HOP - AEC_SINC,
    BACK = 12,        /* Frames to go back when the past is used up. */
    LEAST_LOOKS = 4,  /* In one direction, before anything is done. */
};

#define LEAST_PPM 8.0f
#define MOST_PPM 200.0f
#define PULL 0.35f    /* Of what a look says. */
#define SAME 0.25f    /* Change of the partition's power up to which two looks are of the same path. */

void aec_drift_reset(struct aec_core *c)
{
    struct aec_drift *d = &c->drift;
    for (int p = 0; p <= AEC_PHASES; p++)
        for (int j = 0; j < AEC_SINC; j++) {
            const double t = j - (AEC_SINC / 2 - 1) - (double)p / AEC_PHASES;
            const double window = 0.5 + 0.5 * cos(M_PI * t / (AEC_SINC / 2 + 0.5));
            d->sinc[p][j] = (float)((fabs(t) < 1e-9 ? 1.0 : sin(M_PI * t) / (M_PI * t)) * window);
        }
    d->partition = -1;
}

/* How many samples later the partition's echo is now, from its phases then and now; false if it is another path. */
static bool slope(const struct aec_core *c, const float *now, const float *then, float *later)
{
    const int h = c->stride, last = c->hop / 2; /* Up to half the band: beyond, phases turn too far. */
    float cross = 0.0f, weight = 0.0f, power = 1e-12f, change = 0.0f;
    for (int k = 4; k < last; k++) {
        const float re = now[k] * then[k] + now[h + k] * then[h + k], im = now[h + k] * then[k] - now[k] * then[h + k];
        const float omega = (float)M_PI * (float)k / (float)c->hop;
        cross -= omega * im;
        weight += omega * omega * re;
        const float dr = now[k] - then[k], di = now[h + k] - then[h + k];
        power += then[k] * then[k] + then[h + k] * then[h + k];
        change += dr * dr + di * di;
    }
    if (weight <= 0.0f || change > SAME * power)
        return false;
    *later = cross / weight;
    return true;
}

/* Read one frame further back and let the filter begin one earlier. The reference's past moves with it, so that the filter
 * sees no difference. */
static void step_back(struct aec_core *c)
{
    const int hop = c->hop;
    c->drift.delay += hop;
    c->shift--;
    c->found -= c->found > 0;
    c->search.best = c->search.candidate = c->found;
    c->slot = (c->slot - 1) & (AEC_SLOTS - 1);
    memcpy(c->frame + hop, c->frame, (size_t)hop * sizeof *c->frame);
}

/* Resample from now on. A clock that is slow eats into the delay: what comes before the echo is put by for it. */
void aec_drift_begin(struct aec_core *c)
{
    struct aec_drift *d = &c->drift;
    if (!d->due)
        return;
    d->due = false;
    d->active = true;
    if (d->trend < 0 && c->shift > 0) {
        step_back(c);
        return;
    }
    int lead = AHEAD;
    if (d->trend < 0) {
        const int before = c->strongest * c->hop + aec_peak(c, c->strongest) - 2 * AHEAD;
        lead = before < AHEAD ? AHEAD : before < c->hop - 1 ? before : c->hop - 1;
    }
    d->delay = lead;
    aec_slide(c, -lead);
}

/* The delay has run down, or what is kept of the reference is used up; then the filter is off for its length. */
static void rebase(struct aec_core *c)
{
    struct aec_drift *d = &c->drift;
    if (d->delay < AHEAD + 1.0 && c->drift_ppm < 0.0f && c->shift > 0) {
        step_back(c);
    } else if (d->delay > DELAY_MOST - 1.0 && c->shift + BACK < AEC_DELAY) {
        d->delay -= BACK * c->hop;
        c->shift += BACK;
        c->found += BACK;
        c->search.best = c->search.candidate = c->found;
    }
}

/* A look at the strongest partition: what drifts is told from what changes by its going on. */
static void look(struct aec_core *c)
{
    struct aec_drift *d = &c->drift;
    const float *w = c->main.w + (size_t)c->strongest * 2 * (size_t)c->stride;
    const int where = c->shift * AEC_TAIL + c->strongest;
    float later;
    if (d->partition == where && d->heard > LOOK / 2 && slope(c, w, d->then, &later)) {
        const float ppm = later * 1e6f / (float)(LOOK * c->hop);
        const bool same = (ppm > 0) == (d->trend > 0);
        d->trend = same ? 0.5f * (d->trend + ppm) : ppm;
        d->looks = same ? d->looks + 1 : 0;
        if (!d->active && d->looks >= LEAST_LOOKS && fabsf(d->trend) > LEAST_PPM)
            d->due = true;
        const bool stuck = d->active && ((d->delay <= AHEAD && ppm < 0) || (d->delay >= DELAY_MOST && ppm > 0));
        if (d->active && !stuck)
            c->drift_ppm = aec_max(-MOST_PPM, aec_min(MOST_PPM, c->drift_ppm + PULL * ppm));
    } else if (d->partition != where) {
        d->looks = 0;
    }
    memcpy(d->then, c->main.w + (size_t)c->strongest * 2 * (size_t)c->stride, 2 * (size_t)c->stride * sizeof *w);
    d->partition = where;
    d->heard = 0;
}

void aec_drift_frame(struct aec_core *c)
{
    struct aec_drift *d = &c->drift;
    if (d->active)
        rebase(c);
    d->heard += c->far && c->locked;
    if (++d->age >= LOOK) {
        d->age = 0;
        look(c);
    }
}

/* The reference at the microphone's clock. */
void aec_drift_apply(struct aec_core *c, const float *raw, float *out)
{
    struct aec_drift *d = &c->drift;
    const int hop = c->hop, keep = AEC_DRIFT - hop;
    if (d->at + hop > AEC_DRIFT_ROOM - AEC_DRIFT) { /* Once in a while, what is needed moves to the front. */
        memmove(d->past, d->past + d->at, AEC_DRIFT * sizeof *raw);
        d->at = 0;
    }
    d->at += hop;
    memcpy(d->past + d->at + keep, raw, (size_t)hop * sizeof *raw);
    if (!d->active) {
        memcpy(out, raw, (size_t)hop * sizeof *raw);
        return;
    }
    const double step = (double)c->drift_ppm * 1e-6;
    for (int i = 0; i < hop; i++) {
        const double at = keep + i - d->delay;
        const int whole = (int)at;
        const float turn = (float)(at - whole) * AEC_PHASES;
        const int p = (int)turn;
        const float part = turn - (float)p, *x = d->past + d->at + whole - (AEC_SINC / 2 - 1), *a = d->sinc[p], *b = d->sinc[p + 1];
        float sum = 0.0f;
        for (int j = 0; j < AEC_SINC; j++)
            sum += x[j] * (a[j] + part * (b[j] - a[j]));
        out[i] = sum;
        d->delay += step;
        d->delay = d->delay < AHEAD ? AHEAD : d->delay > DELAY_MOST ? DELAY_MOST : d->delay;
    }
}
