/* The converter; see ax/resample.h. Output m stands at input position m M / L: an index and a phase. The samples that the next
 * output needs lie in one straight block. Units: samples. Threads: a converter belongs to one. Allocation: in `new`. */
#include "ax/resample.h"

#include "ax/err.h"
#include "ax_pcm.h"
#include "ax_resample_internal.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 512, MOST_SAMPLES = 1 << 24 };

#define BETA 9.9    /* Kaiser: 98 dB. */
#define WIDTH 6.3   /* Of the transition, times taps. */
#define MOST 65536.0f

struct ax_resample {
    const struct resample_ops *ops;
    uint32_t up, down, n; /* L, M, and taps of a row in samples of the input. */
    uint32_t from, to;
    uint32_t at, phase;   /* First sample and row of the next output. */
    uint32_t fill;        /* Samples in `x`. */
    float *x;             /* n + CHUNK */
    float *rows;          /* up rows of n */
};

static float dot(const float *h, const float *x, size_t n)
{
    float lane[RESAMPLE_LANES] = {0};
    for (size_t i = 0; i < n; i += RESAMPLE_LANES)
        for (size_t k = 0; k < RESAMPLE_LANES; k++)
            lane[k] += h[i + k] * x[i + k];
    return resample_sum(lane);
}

const struct resample_ops ax_resample_generic = {"generic", dot};

static const struct resample_ops *const LEVELS[] = {
    &ax_resample_generic,
#ifdef AX_HAVE_AVX2
    &ax_resample_avx2,
#endif
#ifdef AX_HAVE_NEON
    &ax_resample_neon,
#endif
};

int ax_resample_levels(void)
{
#ifdef AX_HAVE_AVX2
    if (!__builtin_cpu_supports("avx2"))
        return 1;
#endif
    return sizeof LEVELS / sizeof *LEVELS;
}

const char *ax_resample_level_name(int level)
{
    return level >= 0 && level < ax_resample_levels() ? LEVELS[level]->name : "";
}

int ax_resample_set_level(struct ax_resample *r, int level)
{
    if (!r)
        return AX_E_ARG;
    if (level < 0 || level >= ax_resample_levels())
        return AX_E_RANGE;
    r->ops = LEVELS[level];
    return AX_OK;
}

/* Modified Bessel function of order 0. */
static double bessel(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 40; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static void make_rows(struct ax_resample *r, uint32_t taps)
{
    const double low = r->from < r->to ? 1.0 : (double)r->to / r->from; /* The lower rate over the input's. */
    const double cut = (0.5 - WIDTH / taps / 2) * low, half = 0.5 * taps / low;
    for (uint32_t p = 0; p < r->up; p++) {
        float *h = r->rows + (size_t)p * r->n;
        double sum = 0;
        for (uint32_t k = 0; k < r->n; k++) {
            const double t = (double)k - (r->n / 2 - 1) - (double)p / r->up, u = t / half;
            const double window = fabs(u) < 1 ? bessel(BETA * sqrt(1 - u * u)) / bessel(BETA) : 0;
            const double angle = 2 * M_PI * cut * t;
            const double value = window * (fabs(angle) < 1e-9 ? 1 : sin(angle) / angle);
            h[k] = (float)value;
            sum += value;
        }
        for (uint32_t k = 0; k < r->n; k++)
            h[k] = (float)((double)h[k] / sum);
    }
}

size_t ax_resample_count(const struct ax_resample *r, size_t n)
{
    const uint64_t end = r->fill + (uint64_t)n; /* Outputs whose last sample is before it. */
    if (end < (uint64_t)r->at + r->n)
        return 0;
    const uint64_t room = (end - r->n - r->at + 1) * r->up - r->phase;
    return (size_t)((room + r->down - 1) / r->down);
}

/* All outputs that the samples in `x` allow. */
static size_t run(struct ax_resample *r, float *out)
{
    size_t made = 0;
    while (r->at + r->n <= r->fill) {
        out[made++] = r->ops->dot(r->rows + (size_t)r->phase * r->n, r->x + r->at, r->n);
        r->phase += r->down;
        r->at += r->phase / r->up;
        r->phase %= r->up;
    }
    const uint32_t gone = r->at < r->fill ? r->at : r->fill;
    memmove(r->x, r->x + gone, (r->fill - gone) * sizeof *r->x);
    r->fill -= gone;
    r->at -= gone;
    return made;
}

static int check(const struct ax_resample *r, const void *in, size_t n, const void *out, size_t room)
{
    if (!r || (!in && n) || (!out && room))
        return AX_E_ARG;
    if (n > MOST_SAMPLES)
        return AX_E_RANGE;
    return ax_resample_count(r, n) > room ? AX_E_FULL : AX_OK;
}

int ax_resample_f32(struct ax_resample *r, const float *in, size_t n, float *out, size_t room)
{
    size_t made = 0;
    const int rc = check(r, in, n, out, room);
    if (rc < 0)
        return rc;
    if (!pcm_is_sound(in, n, MOST))
        return AX_E_RANGE;
    if (r->up == r->down) {
        memcpy(out, in, n * sizeof *in);
        return (int)n;
    }
    for (size_t i = 0; i < n;) {
        const size_t part = n - i < CHUNK ? n - i : CHUNK;
        memcpy(r->x + r->fill, in + i, part * sizeof *in);
        r->fill += (uint32_t)part;
        made += run(r, out + made);
        i += part;
    }
    return (int)made;
}

int ax_resample_i16(struct ax_resample *r, const int16_t *in, size_t n, int16_t *out, size_t room)
{
    float block[CHUNK * 6 + 8];
    size_t made = 0;
    const int rc = check(r, in, n, out, room);
    if (rc < 0)
        return rc;
    if (r->up == r->down) {
        memcpy(out, in, n * sizeof *in);
        return (int)n;
    }
    for (size_t i = 0; i < n;) {
        const size_t part = n - i < CHUNK ? n - i : CHUNK;
        pcm_from_i16(r->x + r->fill, in + i, part);
        r->fill += (uint32_t)part;
        const size_t got = run(r, block);
        pcm_to_i16(out + made, block, got);
        made += got;
        i += part;
    }
    return (int)made;
}

uint32_t ax_resample_latency(const struct ax_resample *r)
{
    return r->up == r->down ? 0 : (uint32_t)(((uint64_t)r->n / 2 * r->to + r->from / 2) / r->from);
}

void ax_resample_reset(struct ax_resample *r)
{
    memset(r->x, 0, r->n * sizeof *r->x);
    r->fill = r->up == r->down ? 0 : r->n - 1;
    r->at = r->phase = 0;
    if (r->up == r->down)
        r->n = 1;
}

static int is_rate(uint32_t rate)
{
    return rate == 8000 || rate == 16000 || rate == 32000 || rate == 44100 || rate == 48000;
}

int ax_resample_new(struct ax_resample **out, uint32_t from, uint32_t to, uint32_t taps)
{
    if (!out)
        return AX_E_ARG;
    if (!is_rate(from) || !is_rate(to) || taps < 32 || taps > 256 || taps % 16)
        return AX_E_RANGE;
    uint32_t common = from, rest = to;
    while (rest) {
        const uint32_t t = common % rest;
        common = rest;
        rest = t;
    }
    const uint32_t up = to / common, down = from / common;
    const uint32_t wide = from > to ? (uint32_t)(((uint64_t)taps * from + to - 1) / to) : taps, n = (wide + 15) / 16 * 16;
    struct ax_resample *r = calloc(1, sizeof *r + ((size_t)n + CHUNK + (size_t)up * n) * sizeof(float));
    if (!r)
        return AX_E_NOMEM;
    r->up = up;
    r->down = down;
    r->n = n;
    r->from = from;
    r->to = to;
    r->ops = LEVELS[ax_resample_levels() - 1];
    r->x = (float *)(r + 1);
    r->rows = r->x + n + CHUNK;
    make_rows(r, taps);
    ax_resample_reset(r);
    *out = r;
    return AX_OK;
}

void ax_resample_free(struct ax_resample *r)
{
    free(r);
}
