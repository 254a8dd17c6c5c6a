/* Tones of telephony; see ax/tone.h. Sines by a table of 1024 steps with its slope: 96 dB below full scale is what it errs.
 * Units: samples, 2^-32 cycles. Threads: any. Allocation: in `new`. */
#include "ax/tone.h"

#include "ax/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 1024, STEP_BITS = 22 };

struct segment {
    uint64_t begin;
    uint32_t n, sines;
    uint32_t turn[AX_TONE_SINES]; /* A sample's share of a cycle. */
    float amplitude[AX_TONE_SINES];
};

struct ax_tone {
    uint64_t length;
    uint32_t ramp;
    bool repeat;
    size_t n;
    float sine[STEPS + 1];
    struct segment segment[];
};

static bool is_possible(const struct ax_tone_segment *s, uint32_t rate)
{
    float sum = 0;
    if (s->duration_us < 5000 || s->duration_us > AX_TONE_MAX_US)
        return false;
    for (int i = 0; i < AX_TONE_SINES; i++) {
        if (s->mhz[i] == 0)
            continue;
        if (s->mhz[i] >= (uint64_t)rate * 490 || !(s->amplitude[i] >= 0))
            return false;
        sum += s->amplitude[i];
    }
    return sum <= 1.0f;
}

int ax_tone_new(struct ax_tone **out, const struct ax_tone_segment *segments, size_t n, bool repeat, uint32_t rate)
{
    if (!out || !segments)
        return AX_E_ARG;
    if (n == 0 || n > AX_TONE_SEGMENTS || rate < 8000 || rate > 48000)
        return AX_E_RANGE;
    for (size_t i = 0; i < n; i++)
        if (!is_possible(&segments[i], rate))
            return AX_E_RANGE;
    struct ax_tone *t = calloc(1, sizeof *t + n * sizeof *t->segment);
    if (!t)
        return AX_E_NOMEM;
    for (int i = 0; i <= STEPS; i++)
        t->sine[i] = (float)sin(2 * M_PI * i / STEPS);
    for (size_t i = 0; i < n; i++) {
        struct segment *s = &t->segment[i];
        s->begin = t->length;
        s->n = (uint32_t)((uint64_t)segments[i].duration_us * rate / 1000000);
        for (int k = 0; k < AX_TONE_SINES; k++) {
            if (segments[i].mhz[k] == 0)
                continue;
            s->turn[s->sines] = (uint32_t)((((uint64_t)segments[i].mhz[k] << 32) + 500 * (uint64_t)rate) / (1000 * (uint64_t)rate));
            s->amplitude[s->sines++] = segments[i].amplitude[k] * 32767.0f;
        }
        t->length += s->n;
    }
    t->n = n;
    t->ramp = rate / 500;
    t->repeat = repeat;
    *out = t;
    return AX_OK;
}

static float sine(const struct ax_tone *t, uint32_t phase)
{
    const uint32_t i = phase >> STEP_BITS;
    const float part = (float)(phase & ((1u << STEP_BITS) - 1)) * (1.0f / (1u << STEP_BITS));
    return t->sine[i] + part * (t->sine[i + 1] - t->sine[i]);
}

static int16_t sample(const struct ax_tone *t, const struct segment *s, uint32_t j)
{
    const uint32_t left = s->n - 1 - j, edge = j < left ? j : left;
    float x = 0;
    for (uint32_t k = 0; k < s->sines; k++)
        x += s->amplitude[k] * sine(t, s->turn[k] * j);
    if (edge < t->ramp) {
        const float u = (float)edge / (float)t->ramp;
        x *= u * u * (3 - 2 * u);
    }
    return (int16_t)lrintf(x);
}

static const struct segment *find(const struct ax_tone *t, uint64_t at)
{
    size_t low = 0, high = t->n;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (t->segment[middle].begin <= at)
            low = middle;
        else
            high = middle;
    }
    return &t->segment[low];
}

int ax_tone_render(const struct ax_tone *t, uint64_t pos, int16_t *out, size_t n)
{
    size_t i = 0;
    if (!t || (!out && n) || n > INT32_MAX || pos > UINT64_MAX - n)
        return AX_E_ARG;
    while (i < n) {
        const uint64_t at = t->repeat ? (pos + i) % t->length : pos + i;
        if (at >= t->length)
            break;
        const struct segment *s = find(t, at);
        uint32_t j = (uint32_t)(at - s->begin);
        for (; j < s->n && i < n; j++)
            out[i++] = sample(t, s, j);
    }
    memset(out + i, 0, (n - i) * sizeof *out);
    return (int)i;
}

uint64_t ax_tone_length(const struct ax_tone *t)
{
    return t->length;
}

void ax_tone_free(struct ax_tone *t)
{
    free(t);
}
