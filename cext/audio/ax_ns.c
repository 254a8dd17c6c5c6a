/* The suppressor around its core: checks, number formats, windows, rates. Units, threads, allocation: see ax/ns.h. */
#define _GNU_SOURCE
#include "ax/err.h"
#include "ax_aec_internal.h"
#include "ax_flush.h"
#include "ax_lap.h"
#include "ax_ns_internal.h"
#include "ax_pcm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ax_ns {
    struct ns_core core;
    struct aec_split split;
    struct ax_fft *fft;
    const struct ax_dsp *dsp;
    int rate, frame, hop, lap;
    bool taken;                                  /* By a canceller. */
    float analysis[AEC_FFT], synthesis[AEC_HOP];
    float heard[AEC_FFT + AEC_HOP / 2];          /* The last samples with emphasis, newest at the end. */
    float overlap[AEC_HOP / 2];
    float in_last, out_last;                     /* For the emphasis. */
    float past[AEC_TAPS];
};

static ns_step *const STEPS[2] = {
    ns_step_generic,
#if defined(AX_HAVE_FMA)
    ns_step_fma,
#elif defined(AX_HAVE_NEON)
    ns_step_neon,
#else
    NULL,
#endif
};

int ax_ns_new(struct ax_ns **out, const struct ax_ns_spec *spec)
{
    if (out == NULL || spec == NULL)
        return AX_E_ARG;
    if ((spec->rate != 8000 && spec->rate != 16000 && spec->rate != 32000 && spec->rate != 48000) ||
        !(spec->max_attenuation_db >= 0.0f && spec->max_attenuation_db <= 60.0f))
        return AX_E_RANGE;
    struct ax_ns *n = calloc(1, sizeof *n);
    if (n == NULL)
        return AX_E_NOMEM;
    n->rate = spec->rate;
    n->frame = spec->rate / 100;
    n->hop = spec->rate == 8000 ? AEC_HOP / 2 : AEC_HOP;
    n->fft = ax_fft_new(2 * n->hop);
    if (n->fft == NULL) {
        free(n);
        return AX_E_NOMEM;
    }
    const int level = ax_dsp_variant(1) != NULL;
    n->dsp = ax_dsp_variant(level);
    n->lap = ax_lap_windows(n->analysis, n->synthesis, n->hop);
    ns_core_init(&n->core, n->hop + 1, n->fft->stride, spec->max_attenuation_db, STEPS[level]);
    ax_ns_reset(n);
    *out = n;
    return AX_OK;
}

void ax_ns_free(struct ax_ns *n)
{
    if (n == NULL)
        return;
    ax_fft_free(n->fft);
    free(n);
}

void ax_ns_reset(struct ax_ns *n)
{
    ns_core_reset(&n->core);
    aec_split_init(&n->split, n->rate > 16000 ? n->rate / 16000 : 1);
    n->split.gain = 1.0f;
    memset(n->heard, 0, sizeof n->heard);
    memset(n->overlap, 0, sizeof n->overlap);
    memset(n->past, 0, sizeof n->past);
    n->in_last = n->out_last = 0.0f;
}

int ax_ns_frame(const struct ax_ns *n)
{
    return n->frame;
}

int ax_ns_latency(const struct ax_ns *n)
{
    return n->rate > 16000 ? n->lap * n->split.factor + aec_split_delay(&n->split) : n->lap;
}

float ax_ns_attenuation_db(const struct ax_ns *n)
{
    return 10.0f * log10f((n->core.before + 1e-12f) / (n->core.after + 1e-12f));
}

size_t ax_ns_size(const struct ax_ns *n)
{
    return sizeof *n;
}

int ax_ns_set_level(struct ax_ns *n, int level)
{
    if (n == NULL)
        return AX_E_ARG;
    if (ax_dsp_variant(level) == NULL)
        return AX_E_RANGE;
    n->dsp = ax_dsp_variant(level);
    n->core.step = STEPS[level];
    return AX_OK;
}

static void spectrum(const struct ax_ns *n, const float *from, float *out)
{
    float t[AEC_FFT];
    for (int i = 0; i < 2 * n->hop; i++)
        t[i] = from[i] * n->analysis[i];
    n->dsp->forward(n->fft, t, out);
}

static void half_frame(struct ax_ns *n, const float *spectrum, float *out)
{
    const int half = n->hop / 2;
    float t[AEC_FFT];
    n->dsp->inverse(n->fft, spectrum, t);
    const float *new = t + 2 * n->hop - half - n->lap;
    for (int i = 0; i < half; i++)
        out[i] = new[i] * n->synthesis[i];
    for (int i = 0; i < n->lap; i++)
        out[i] += n->overlap[i];
    for (int i = 0; i < n->lap; i++)
        n->overlap[i] = new[half + i] * n->synthesis[half + i];
}

/* A frame of the core; `out` is not `in`. */
static void core_frame(struct ax_ns *n, const float *in, float *out)
{
    const int hop = n->hop, half = hop / 2, keep = 2 * hop - half;
    float first[AEC_SPECTRUM], second[AEC_SPECTRUM];
    memmove(n->heard, n->heard + hop, (size_t)keep * sizeof *n->heard);
    float *new = n->heard + keep;
    new[0] = in[0] - AEC_EMPHASIS * n->in_last;
    for (int i = 1; i < hop; i++)
        new[i] = in[i] - AEC_EMPHASIS * in[i - 1];
    n->in_last = in[hop - 1];
    spectrum(n, n->heard, first);
    spectrum(n, n->heard + half, second);
    ns_core_frame(&n->core, first, second);
    half_frame(n, first, out);
    half_frame(n, second, out + half);
    float last = n->out_last;
    for (int i = 0; i < hop; i++)
        out[i] = last = out[i] + AEC_EMPHASIS * last;
    n->out_last = last;
    ns_core_low_cut(&n->core, out, hop);
}

static void process(struct ax_ns *n, const float *in, float *out)
{
    const unsigned was = flush_begin();
    if (n->rate <= 16000) {
        core_frame(n, in, out);
    } else {
        float low[AEC_HOP], core[AEC_HOP];
        aec_split_down(n->dsp, &n->split, n->past, in, low);
        core_frame(n, low, core);
        aec_split_merge(n->dsp, &n->split, in, low, core, n->lap, n->core.upper, out);
    }
    flush_end(was);
}

int ax_ns_process_i16(struct ax_ns *n, const int16_t *in, int16_t *out)
{
    if (n == NULL || in == NULL || out == NULL)
        return AX_E_ARG;
    if (n->taken)
        return AX_E_STATE;
    float x[AEC_FRAME], y[AEC_FRAME];
    pcm_from_i16(x, in, (size_t)n->frame);
    process(n, x, y);
    pcm_to_i16(out, y, (size_t)n->frame);
    return AX_OK;
}

int ax_ns_process_f32(struct ax_ns *n, const float *in, float *out)
{
    if (n == NULL || in == NULL || out == NULL)
        return AX_E_ARG;
    if (n->taken)
        return AX_E_STATE;
    if (!pcm_is_sound(in, (size_t)n->frame, 8.0f))
        return AX_E_RANGE;
    float x[AEC_FRAME];
    memcpy(x, in, (size_t)n->frame * sizeof *x);
    process(n, x, out);
    return AX_OK;
}

struct ns_core *ax_ns_core(struct ax_ns *n)
{
    return &n->core;
}

int ax_ns_rate(const struct ax_ns *n)
{
    return n->rate;
}

void ax_ns_take(struct ax_ns *n, bool taken)
{
    n->taken = taken;
    ax_ns_reset(n);
}

bool ax_ns_taken(const struct ax_ns *n)
{
    return n->taken;
}
