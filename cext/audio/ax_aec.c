/* The canceller around its core: frames in and out. See ax/aec.h. */
#define _GNU_SOURCE
#include "ax_aec_internal.h"
#include "ax/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef AX_AEC_DEV
float ax_t[64];
__attribute__((constructor)) static void init_tune(void) { for (int i = 0; i < 64; i++) ax_t[i] = NAN; }
#endif

struct ax_aec {
    struct aec_core core;
    int rate, frame, mode;
    float po;
};

int ax_aec_new(struct ax_aec **out, const struct ax_aec_spec *spec)
{
    struct ax_aec *a = calloc(1, sizeof *a);
    a->rate = spec->rate;
    a->frame = spec->rate / 100;
    a->mode = spec->mode;
    struct aec_core *c = &a->core;
    c->hop = a->frame;
    c->dsp = ax_dsp_best();
    c->fft = ax_fft_new(2 * c->hop);
    c->stride = c->fft->stride;
    c->partitions = spec->tail_ms / 10;
    size_t n = 0, h = (size_t)c->stride;
    c->pool = calloc(1, 4000000);
#define TAKE(p, m) ((p) = c->pool + n, n += ((size_t)(m) + 15) / 16 * 16)
    TAKE(c->spectra, AEC_SLOTS * 2 * h);
    struct aec_filter *f = &c->main;
    f->partitions = c->partitions;
    TAKE(f->w, 2 * h * (size_t)f->partitions);
    TAKE(f->p, h * (size_t)f->partitions);
    TAKE(f->noise, h);
    f = &c->shadow;
    f->partitions = AEC_SHADOW;
    TAKE(f->w, 2 * h * (size_t)f->partitions);
    TAKE(f->p, h * (size_t)f->partitions);
    TAKE(f->noise, h);
    TAKE(c->search.acc, AEC_DELAY * 2 * AEC_SEARCH);
    TAKE(c->search.phase, AEC_SLOTS * 2 * AEC_SEARCH);
    TAKE(c->curve.history, AEC_SLOTS * c->hop);
    TAKE(c->curve.spectra, 2 * AEC_KNOTS * 2 * h);
    aec_core_reset(c);
    *out = a;
    return AX_OK;
}

void ax_aec_free(struct ax_aec *a)
{
    ax_fft_free(a->core.fft);
    free(a->core.pool);
    free(a);
}

int ax_aec_process_i16(struct ax_aec *a, const int16_t *mic, const int16_t *ref, int16_t *out)
{
    float m[480], r[480];
    for (int i = 0; i < a->frame; i++)
        m[i] = (float)mic[i] * (1.0f / 32768), r[i] = (float)ref[i] * (1.0f / 32768);
    aec_core_frame(&a->core, m, r);
    float e[480], o[480];
    if (a->mode == AX_AEC_FULL)
        aec_suppress_frame(&a->core, o);
    else
        memcpy(o, a->core.main.error_t + a->core.hop, (size_t)a->core.hop * sizeof *o);
    for (int i = 0; i < a->frame; i++)
        e[i] = a->po = o[i] + AEC_EMPHASIS * a->po;
    for (int i = 0; i < a->frame; i++)
        out[i] = (int16_t)lrintf(fmaxf(-32768.0f, fminf(32767.0f, e[i] * 32768.0f)));
    return AX_OK;
}

int ax_aec_latency(const struct ax_aec *a)
{
    return a->mode == AX_AEC_FULL ? a->core.hop / 2 : 0;
}
const float *ax_aec_debug(const struct ax_aec *a) { return (const float *)a->core.suppressor.debug; }

int ax_aec_probe(const struct ax_aec *a, float *out)
{
    const struct aec_core *c = &a->core;
    memcpy(out, c->search.score, sizeof c->search.score);
    out[AEC_DELAY] = (float)c->search.best;
    out[AEC_DELAY + 1] = (float)c->shift;
    out[AEC_DELAY + 2] = c->search.clear;
    out[AEC_DELAY + 3] = (float)c->adopted;
    out[AEC_DELAY + 4] = (float)c->jumps;
    out[AEC_DELAY + 5] = c->curve.gain;
    out[AEC_DELAY + 6] = (float)c->curve.active;
    memcpy(out + AEC_DELAY + 8, c->curve.slope, sizeof c->curve.slope);
    return 0;
}
