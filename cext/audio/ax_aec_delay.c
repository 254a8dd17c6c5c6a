/* The delay search: at which frame of the reference's past does the echo begin?
 *
 * Generalised cross-correlation with phase transform (Knapp and Carter 1976), kept per frame of delay and bin: products of
 * phases, smoothed over some 30 frames. Where reference and microphone keep step, the products add up; elsewhere they
 * wander. 10 ms of resolution are enough, since the filter begins a frame or two before. Units: frames of 10 ms; bins of
 * 50 Hz. Threads, allocation: see ax_aec_internal.h. */
#include "ax_aec_internal.h"

#include <math.h>
#include <string.h>

enum { FIRST = 6, SPAN = 2 * AEC_SEARCH };

#define KEEP 0.92f

/* Phases of the reference, `p` frames before the one in `slot`. */
static const float *phases(const struct aec_search *s, int slot, int p)
{
    return s->phase + ((slot - p) & (AEC_SLOTS - 1)) * SPAN;
}

/* The microphone falls silent before the second frame of two came. */
static void add_one(struct aec_core *c)
{
    struct aec_search *s = &c->search;
    for (int p = 0; p < AEC_DELAY && s->waits; p++)
        c->dsp->correlate(s->acc + p * SPAN, phases(s, s->before, p), s->earlier, KEEP, AEC_SEARCH, AEC_SEARCH);
    s->waits = false;
}

/* Two frames, or one after a silence; and what the sums come to: of squared products, 1 = always in step. */
static void add_up(struct aec_core *c, const float *mic)
{
    struct aec_search *s = &c->search;
    const float scale = 1.0f / (s->weight * s->weight * AEC_SEARCH + 1e-6f);
    for (int p = 0; p < AEC_DELAY; p++) {
        float *a = s->acc + p * SPAN;
        const float *x = phases(s, c->slot, p);
        if (s->waits)
            c->dsp->correlate2(a, phases(s, s->before, p), s->earlier, x, mic, KEEP, AEC_SEARCH, AEC_SEARCH);
        else
            c->dsp->correlate(a, x, mic, KEEP, AEC_SEARCH, AEC_SEARCH);
        s->score[p] = c->dsp->dot(a, a, SPAN) * scale;
    }
    s->waits = false;
}

static void rate(struct aec_core *c)
{
    struct aec_search *s = &c->search;
    int best = 0;
    for (int p = 1; p < AEC_DELAY; p++)
        if (s->score[p] > s->score[best])
            best = p;
    float second = 0.0f;
    for (int p = 0; p < AEC_DELAY; p++)
        if ((p < best - 2 || p > best + 2) && s->score[p] > second)
            second = s->score[p];
    s->clear = s->score[best] / (second + 1e-6f);
    const bool doubt = c->suppressor.odd > 10.0f;
    const bool sure = s->weight > 8.0f && s->score[best] > (doubt ? 0.08f : 0.12f) &&
                      s->clear > (doubt ? 1.25f : 1.5f);
    if (!sure)
        s->steady = s->steady > 0 ? s->steady - 1 : 0;
    else if (best != s->candidate && best != s->candidate + 1 && best != s->candidate - 1)
        s->steady = 1;
    else if (s->steady < 100)
        s->steady++;
    if (sure)
        s->candidate = best;
    if (s->steady >= (doubt ? 3 : 4))
        s->best = s->candidate;
    const int mine = c->shift + c->strongest;
    s->in_step = !c->locked || (best - mine <= 1 && mine - best <= 1) || s->clear < 1.1f;
}

void aec_search_frame(struct aec_core *c, const float *mic)
{
    struct aec_search *s = &c->search;
    const int hop = c->hop;
    float d[AEC_SPECTRUM], phase[SPAN];
    memcpy(s->mic, s->mic + hop, (size_t)hop * sizeof *mic);
    memcpy(s->mic + hop, mic, (size_t)hop * sizeof *mic);
    c->dsp->phase(c->spectra + (size_t)c->slot * 2 * (size_t)c->stride + FIRST, c->stride, 1e-3f, s->phase + c->slot * SPAN,
                  AEC_SEARCH);
    if (!c->far_long || c->mic_energy < 1e-8f * (float)hop) {
        add_one(c);
        return;
    }
    c->dsp->forward(c->fft, s->mic, d);
    c->dsp->phase(d + FIRST, c->stride, 1e-3f, phase, AEC_SEARCH);
    s->weight = KEEP * s->weight + 1.0f;
    if ((++s->turn & 1) == 0) {
        add_up(c, phase);
        rate(c);
    } else { /* The sums are long: two frames go through them together. */
        memcpy(s->earlier, phase, sizeof phase);
        s->before = c->slot;
        s->waits = true;
    }
}
