/* The canceller around its core: checks, number formats, rates, figures. Units, threads, allocation: see ax/aec.h. */
#define _GNU_SOURCE
#include "ax_aec_internal.h"
#include "ax/err.h"
#include "ax_flush.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ax_aec {
    struct aec_core core;
    struct aec_split split;
    int rate, frame, mode;
    float last;                          /* Of the output, for the end of the emphasis. */
    float mic_past[AEC_TAPS], ref_past[AEC_TAPS];
    struct ax_ns *noise;                 /* The suppressor behind it, or NULL. */
    float mic_energy, out_energy;        /* While the loudspeaker plays, of about a second. */
};

/* Where the arrays of a core lie in its pool; with no pool, how many floats it takes. */
static size_t lay_out(struct aec_core *c, float *pool)
{
    const size_t h = (size_t)c->stride, tail = (size_t)c->partitions;
    const struct {
        float **at;
        size_t n;
    } parts[] = {
        {&c->spectra, AEC_SLOTS * 2 * h},
        {&c->main.w, 2 * h * tail},
        {&c->main.p, h * tail},
        {&c->main.noise, h},
        {&c->shadow.w, 2 * h * AEC_SHADOW},
        {&c->shadow.p, h * AEC_SHADOW},
        {&c->shadow.noise, h},
        {&c->search.acc, AEC_DELAY * 2 * AEC_SEARCH},
        {&c->search.phase, AEC_SLOTS * 2 * AEC_SEARCH},
        {&c->curve.history, AEC_SLOTS * (size_t)c->hop},
        {&c->curve.spectra, 2 * AEC_KNOTS * 2 * h},
    };
    size_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (pool != NULL)
            *parts[i].at = pool + used;
        used += (parts[i].n + 15) / 16 * 16;
    }
    return used;
}

int ax_aec_new(struct ax_aec **out, const struct ax_aec_spec *spec)
{
    if (out == NULL || spec == NULL)
        return AX_E_ARG;
    if ((spec->rate != 8000 && spec->rate != 16000 && spec->rate != 32000 && spec->rate != 48000) || spec->tail_ms < 20 ||
        spec->tail_ms > 10 * AEC_TAIL || spec->mode < AX_AEC_FULL || spec->mode > AX_AEC_FILTER)
        return AX_E_RANGE;
    struct ax_aec *a = calloc(1, sizeof *a);
    if (a == NULL)
        return AX_E_NOMEM;
    struct aec_core *c = &a->core;
    a->rate = spec->rate;
    a->frame = spec->rate / 100;
    a->mode = spec->mode;
    c->hop = spec->rate == 8000 ? AEC_HOP / 2 : AEC_HOP;
    c->dsp = ax_dsp_best();
    c->partitions = (spec->tail_ms + 9) / 10;
    c->main.partitions = c->partitions;
    c->shadow.partitions = c->partitions < AEC_SHADOW ? c->partitions : AEC_SHADOW;
    c->fft = ax_fft_new(2 * c->hop);
    if (c->fft != NULL) {
        c->stride = c->fft->stride;
        c->size = lay_out(c, NULL) * sizeof(float);
        void *pool = NULL;
        if (posix_memalign(&pool, 64, c->size) == 0)
            c->pool = pool;
    }
    if (c->pool == NULL) {
        ax_aec_free(a);
        return AX_E_NOMEM;
    }
    ax_aec_reset(a);
    *out = a;
    return AX_OK;
}

void ax_aec_free(struct ax_aec *a)
{
    if (a == NULL)
        return;
    (void)ax_aec_chain(a, NULL);
    ax_fft_free(a->core.fft);
    free(a->core.pool);
    free(a);
}

void ax_aec_reset(struct ax_aec *a)
{
    struct aec_core *c = &a->core;
    const struct aec_core was = *c;
    memset(c, 0, sizeof *c);
    c->dsp = was.dsp;
    c->fft = was.fft;
    c->hop = was.hop;
    c->stride = was.stride;
    c->partitions = was.partitions;
    c->main.partitions = was.main.partitions;
    c->shadow.partitions = was.shadow.partitions;
    c->pool = was.pool;
    c->size = was.size;
    c->noise = was.noise;
    memset(c->pool, 0, c->size);
    lay_out(c, c->pool);
    aec_core_reset(c);
    if (c->noise != NULL)
        ns_core_reset(c->noise);
    aec_split_init(&a->split, a->rate > 16000 ? a->rate / 16000 : 1);
    memset(a->mic_past, 0, sizeof a->mic_past);
    memset(a->ref_past, 0, sizeof a->ref_past);
    a->last = a->mic_energy = a->out_energy = 0.0f;
}

int ax_aec_frame(const struct ax_aec *a)
{
    return a->frame;
}

static int lag(const struct ax_aec *a)
{
    return a->mode == AX_AEC_FULL ? aec_suppress_lag(&a->core) : 0;
}

int ax_aec_latency(const struct ax_aec *a)
{
    return a->rate > 16000 ? lag(a) * a->split.factor + aec_split_delay(&a->split) : lag(a);
}

size_t ax_aec_size(const struct ax_aec *a)
{
    return sizeof *a + a->core.size;
}

/* A frame of the core, without emphasis again. */
static void core_frame(struct ax_aec *a, const float *mic, const float *ref, float *out)
{
    struct aec_core *c = &a->core;
    aec_core_frame(c, mic, ref);
    if (a->mode == AX_AEC_FULL)
        aec_suppress_frame(c, out);
    else
        memcpy(out, c->main.error_t + c->hop, (size_t)c->hop * sizeof *out);
    float last = a->last;
    for (int i = 0; i < c->hop; i++)
        out[i] = last = out[i] + AEC_EMPHASIS * last;
    a->last = last;
    if (c->noise != NULL)
        ns_core_low_cut(c->noise, out, c->hop);
}

static void process(struct ax_aec *a, const float *mic, const float *ref, float *out)
{
    struct aec_core *c = &a->core;
    const unsigned was = flush_begin();
    if (a->rate <= 16000) {
        core_frame(a, mic, ref, out);
    } else {
        float m[AEC_HOP], r[AEC_HOP], o[AEC_HOP];
        aec_split_down(c->dsp, &a->split, a->mic_past, mic, m);
        aec_split_down(c->dsp, &a->split, a->ref_past, ref, r);
        core_frame(a, m, r, o);
        const float upper = a->mode == AX_AEC_FULL ? c->suppressor.upper : 1.0f;
        aec_split_merge(c->dsp, &a->split, mic, m, o, lag(a), c->noise != NULL ? upper * c->noise->upper : upper, out);
    }
    if (c->far) {
        a->mic_energy = 0.99f * a->mic_energy + c->dsp->dot(mic, mic, a->frame);
        a->out_energy = 0.99f * a->out_energy + c->dsp->dot(out, out, a->frame);
    }
    flush_end(was);
}

int ax_aec_process_i16(struct ax_aec *a, const int16_t *mic, const int16_t *ref, int16_t *out)
{
    if (a == NULL || mic == NULL || ref == NULL || out == NULL)
        return AX_E_ARG;
    float m[AEC_FRAME], r[AEC_FRAME], o[AEC_FRAME];
    for (int i = 0; i < a->frame; i++) {
        m[i] = (float)mic[i] * (1.0f / 32768);
        r[i] = (float)ref[i] * (1.0f / 32768);
    }
    process(a, m, r, o);
    for (int i = 0; i < a->frame; i++) {
        float v = o[i] * 32768.0f;
        v = v > 32767.0f ? 32767.0f : v;
        v = v < -32768.0f ? -32768.0f : v;
        out[i] = (int16_t)lrintf(v);
    }
    return AX_OK;
}

static bool sound(const float *x, int n)
{
    bool good = true;
    for (int i = 0; i < n; i++)
        good &= x[i] >= -8.0f && x[i] <= 8.0f; /* Not-a-number is neither. */
    return good;
}

int ax_aec_process_f32(struct ax_aec *a, const float *mic, const float *ref, float *out)
{
    if (a == NULL || mic == NULL || ref == NULL || out == NULL)
        return AX_E_ARG;
    if (!sound(mic, a->frame) || !sound(ref, a->frame))
        return AX_E_RANGE;
    float m[AEC_FRAME], r[AEC_FRAME];
    memcpy(m, mic, (size_t)a->frame * sizeof *m);
    memcpy(r, ref, (size_t)a->frame * sizeof *r);
    process(a, m, r, out);
    return AX_OK;
}

/* Samples of the core's rate from reference to the highest tap, which lies in the strongest partition or before it. */
static int peak_delay(const struct aec_core *c)
{
    const int n = c->strongest;
    float most[2] = {0.0f, 0.0f}, t[AEC_FFT];
    int at[2] = {0, 0};
    for (int i = 0; i < 2 && n - i >= 0; i++) {
        at[i] = aec_peak(c, n - i);
        c->dsp->inverse(c->fft, c->main.w + (size_t)(n - i) * 2 * (size_t)c->stride, t);
        most[i] = fabsf(t[at[i]]);
    }
    const int which = most[1] > most[0];
    return (c->shift + n - which) * c->hop + at[which];
}

void ax_aec_talk(const struct ax_aec *a, struct ax_aec_status *out)
{
    out->talking = a->core.suppressor.near > 0.5f;
    out->doubt = a->core.suppressor.doubt;
}

void ax_aec_get(const struct ax_aec *a, struct ax_aec_status *out)
{
    const struct aec_core *c = &a->core;
    memset(out, 0, sizeof *out);
    ax_aec_talk(a, out);
    if (a->mic_energy > 0.0f)
        out->erle_db = 10.0f * log10f((a->mic_energy + 1e-9f) / (a->out_energy + 1e-9f));
    out->delay_ms = -1.0f;
    if (c->locked)
        out->delay_ms = ((float)peak_delay(c) + (float)c->drift.delay) * 10.0f / (float)c->hop;
    out->drift_ppm = c->drift_ppm;
}

int ax_aec_chain(struct ax_aec *a, struct ax_ns *n)
{
    if (a == NULL)
        return AX_E_ARG;
    if (n != NULL && (a->mode != AX_AEC_FULL || ax_ns_rate(n) != a->rate))
        return AX_E_RANGE;
    if (n != NULL && n != a->noise && ax_ns_taken(n))
        return AX_E_STATE;
    if (a->noise != NULL)
        ax_ns_take(a->noise, false);
    a->noise = n;
    a->core.noise = n != NULL ? ax_ns_core(n) : NULL;
    if (n != NULL)
        ax_ns_take(n, true);
    return AX_OK;
}

int ax_aec_levels(void)
{
    return ax_dsp_variant(1) != NULL ? 2 : 1;
}

const char *ax_aec_level_name(int level)
{
    const struct ax_dsp *d = ax_dsp_variant(level);
    return d != NULL ? d->name : NULL;
}

int ax_aec_set_level(struct ax_aec *a, int level)
{
    const struct ax_dsp *d = ax_dsp_variant(level);
    if (a == NULL)
        return AX_E_ARG;
    if (d == NULL)
        return AX_E_RANGE;
    a->core.dsp = d;
    return AX_OK;
}
