/* The limiter and the mixer; see ax/limit.h. Units: blocks of about 1 ms. Threads: an object belongs to one. Allocation: in
 * `new`. */
#include "ax/limit.h"

#include "ax/err.h"
#include "ax_pcm.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_FRAME = 480, MOST_BLOCK = 49, MOST_MIXED = 64 };

struct ax_limit {
    uint32_t block, frame;
    float ceiling, back;      /* `back`: share of the way to 1 that the gain goes in a block. */
    float gain, allowed;      /* At the start of the delayed block; what that block allows. */
    float delay[MOST_BLOCK];
    float x[MOST_FRAME];      /* The frame in work. */
};

static float allowed(const struct ax_limit *l, float peak)
{
    return peak > l->ceiling ? l->ceiling / peak * 0.99999f : 1.0f;
}

/* Nothing was too loud, nor is: the frame is late by a block, and nothing else. */
static bool pass(struct ax_limit *l)
{
    const size_t n = l->block, rest = l->frame - n;
    float last[MOST_BLOCK];
    if (l->gain != 1.0f || l->allowed != 1.0f || pcm_peak(l->x, l->frame) > l->ceiling)
        return false;
    memcpy(last, l->x + rest, n * sizeof *last);
    memmove(l->x + n, l->x, rest * sizeof *last);
    memcpy(l->x, l->delay, n * sizeof *last);
    memcpy(l->delay, last, n * sizeof *last);
    return true;
}

/* The frame in x, in place. */
static void limit(struct ax_limit *l)
{
    const uint32_t n = l->block;
    if (pass(l))
        return;
    for (uint32_t at = 0; at < l->frame; at += n) {
        float *x = l->x + at;
        const float mine = allowed(l, pcm_peak(x, n)), most = fminf(l->allowed, mine);
        const float end = fminf(most, l->gain + (1 - l->gain) * l->back), step = (end - l->gain) / (float)n;
        for (uint32_t i = 0; i < n; i++) {
            const float now = x[i];
            x[i] = l->delay[i] * (l->gain + step * (float)i);
            l->delay[i] = now;
        }
        l->gain = end;
        l->allowed = mine;
    }
}

int ax_limit_f32(struct ax_limit *l, const float *in, float *out)
{
    if (!l || !in || !out)
        return AX_E_ARG;
    if (!pcm_is_sound(in, l->frame, AX_LIMIT_MOST))
        return AX_E_RANGE;
    memcpy(l->x, in, l->frame * sizeof *in);
    limit(l);
    memcpy(out, l->x, l->frame * sizeof *out);
    return AX_OK;
}

int ax_limit_i16(struct ax_limit *l, const int16_t *in, int16_t *out)
{
    if (!l || !in || !out)
        return AX_E_ARG;
    pcm_from_i16(l->x, in, l->frame);
    limit(l);
    pcm_to_i16(out, l->x, l->frame);
    return AX_OK;
}

int ax_limit_mix(struct ax_limit *l, const int16_t *const *in, const float *gains, size_t n, int16_t *out)
{
    if (!l || (!in && n) || !out)
        return AX_E_ARG;
    if (n > MOST_MIXED || (gains && !pcm_is_sound(gains, n, 16.0f)))
        return AX_E_RANGE;
    memset(l->x, 0, l->frame * sizeof *l->x);
    for (size_t k = 0; k < n; k++) {
        const float gain = (gains ? gains[k] : 1.0f) * (1.0f / 32768.0f);
        float *restrict x = l->x;
        const int16_t *restrict from = in[k];
        for (uint32_t i = 0; i < l->frame; i++)
            x[i] += gain * (float)from[i];
    }
    limit(l);
    pcm_to_i16(out, l->x, l->frame);
    return AX_OK;
}

uint32_t ax_limit_latency(const struct ax_limit *l)
{
    return l->block;
}

uint32_t ax_limit_frame(const struct ax_limit *l)
{
    return l->frame;
}

void ax_limit_reset(struct ax_limit *l)
{
    memset(l->delay, 0, sizeof l->delay);
    l->gain = l->allowed = 1.0f;
}

int ax_limit_new(struct ax_limit **out, uint32_t rate, float ceiling)
{
    if (!out)
        return AX_E_ARG;
    if ((rate != 8000 && rate != 16000 && rate != 32000 && rate != 44100 && rate != 48000) || !(ceiling > 0 && ceiling <= 1))
        return AX_E_RANGE;
    struct ax_limit *l = calloc(1, sizeof *l);
    if (!l)
        return AX_E_NOMEM;
    l->frame = rate / 100;
    l->block = rate == 44100 ? 49 : rate / 1000;
    l->ceiling = ceiling;
    l->back = 1 - expf(-(float)l->block / (0.06f * (float)rate));
    ax_limit_reset(l);
    *out = l;
    return AX_OK;
}

void ax_limit_free(struct ax_limit *l)
{
    free(l);
}
