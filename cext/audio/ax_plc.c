/* Packet loss concealment; see ax/plc.h. The history is a straight block of the last 50 ms and more, moved when it is full.
 * A loss works on a copy of the last three periods; a sample of it is a function of how long the loss has lasted, in samples,
 * so that any split into frames gives the same sound.
 * Units: samples. Threads: an object belongs to one. Allocation: in `new`. */
#include "ax/plc.h"

#include "ax/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PERIODS = 3 };

struct ax_plc {
    uint32_t rate;
    int shortest, longest; /* Periods: 5 and 15 ms. */
    int window;            /* The correlation looks at 20 ms. */
    int keep, size;        /* Samples of history that are needed, and that there is room for. */
    int fill;
    int pitch, quarter;
    long lost;             /* Samples of the present loss. */
    float step;            /* What the ramp at its start takes up. */
    int position, periods; /* In the loop of so many periods. */
    int16_t *history;
    int16_t *tail;         /* The end of the history as the loss began: `keep` samples. */
    float *loop;           /* The last three periods, each end blended into what comes before the loop's start. */
};

static void remember(struct ax_plc *p, const int16_t *in, size_t n)
{
    const size_t keep = (size_t)p->keep;
    if (n >= keep) {
        memcpy(p->history, in + n - keep, keep * sizeof *in);
        p->fill = p->keep;
        return;
    }
    if ((size_t)p->fill + n > (size_t)p->size) {
        memmove(p->history, p->history + p->fill - p->keep, keep * sizeof *in);
        p->fill = p->keep;
    }
    memcpy(p->history + p->fill, in, n * sizeof *in);
    p->fill += (int)n;
}

static float likeness(const struct ax_plc *p, const int16_t *end, int lag, int step)
{
    const int16_t *x = end - p->window, *y = x - lag;
    float cross = 0, power = 0;
    for (int i = 0; i < p->window; i += step) {
        cross += (float)x[i] * (float)y[i];
        power += (float)y[i] * (float)y[i];
    }
    return cross > 0 ? cross / sqrtf(power + 1000.0f) : 0;
}

/* Coarsely on every second or further sample, then around the best. */
static int find_pitch(const struct ax_plc *p, const int16_t *end)
{
    const int step = (int)(p->rate / 4000);
    float best = -1;
    int at = p->longest;
    for (int lag = p->longest; lag >= p->shortest; lag -= step) {
        const float found = likeness(p, end, lag, step);
        if (found > best)
            best = found, at = lag;
    }
    best = -1;
    const int from = at - step < p->shortest ? p->shortest : at - step, to = at + step > p->longest ? p->longest : at + step;
    for (int lag = to; lag >= from; lag--) {
        const float found = likeness(p, end, lag, 1);
        if (found > best)
            best = found, at = lag;
    }
    return at;
}

static void make_loop(struct ax_plc *p, int periods)
{
    const int length = p->pitch * periods, q = p->quarter;
    const int16_t *start = p->tail + p->keep - length;
    for (int i = 0; i < length; i++)
        p->loop[i] = start[i];
    for (int i = 0; i < q; i++) { /* At the end comes what came before the start. */
        const float w = (float)(i + 1) / (float)(q + 1);
        p->loop[length - q + i] = (1 - w) * p->loop[length - q + i] + w * start[i - q];
    }
    p->periods = periods;
}

static void begin(struct ax_plc *p)
{
    const int16_t *end = p->history + p->fill;
    p->pitch = find_pitch(p, end);
    p->quarter = p->pitch / 4;
    p->position = 0;
    memcpy(p->tail, end - p->keep, (size_t)p->keep * sizeof *p->tail);
    make_loop(p, 1);
    p->step = (float)end[-1] - (float)end[-1 - p->pitch];
}

/* The next sample of the concealment. */
static float next(struct ax_plc *p)
{
    const long ten = (long)p->rate / 100, at = p->lost++;
    if (at == 0)
        begin(p);
    else if ((at == ten || at == 2 * ten) && p->periods < PERIODS) {
        p->position %= p->pitch;
        make_loop(p, p->periods + 1);
    }
    if (at >= 6 * ten)
        return 0;
    const float gain = at < ten ? 1.0f : 1.0f - 0.2f * (float)(at - ten) / (float)ten;
    float x = p->loop[p->position];
    if (at < p->quarter)
        x += p->step * (1 - (float)(at + 1) / (float)(p->quarter + 1));
    p->position = p->position + 1 == p->pitch * p->periods ? 0 : p->position + 1;
    return gain > 0 ? gain * x : 0;
}

static int16_t to16(float x)
{
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : lrintf(x));
}

int ax_plc_good(struct ax_plc *p, int16_t *samples, size_t n)
{
    if (!p || (!samples && n))
        return AX_E_ARG;
    if (p->lost && n) {
        const long ten = (long)p->rate / 100;
        long overlap = p->quarter + 4 * p->lost / 10; /* A quarter of a period and 4 ms for every 10 ms lost, */
        overlap = overlap > ten ? ten : overlap;      /* at most 10 ms. */
        overlap = overlap > (long)n ? (long)n : overlap;
        for (long i = 0; i < overlap; i++) {
            const float w = (float)(i + 1) / (float)(overlap + 1);
            samples[i] = to16(w * samples[i] + (1 - w) * next(p));
        }
        p->lost = 0;
    }
    remember(p, samples, n);
    return AX_OK;
}

int ax_plc_lost(struct ax_plc *p, int16_t *out, size_t n)
{
    if (!p || (!out && n))
        return AX_E_ARG;
    for (size_t i = 0; i < n; i++)
        out[i] = to16(next(p));
    remember(p, out, n); /* The next loss may come soon. */
    return AX_OK;
}

void ax_plc_reset(struct ax_plc *p)
{
    memset(p->history, 0, (size_t)p->size * sizeof *p->history);
    p->fill = p->keep;
    p->lost = 0;
}

int ax_plc_new(struct ax_plc **out, uint32_t rate)
{
    if (!out)
        return AX_E_ARG;
    if (rate < 8000 || rate > 48000 || rate % 100)
        return AX_E_RANGE;
    const int longest = (int)(rate * 15 / 1000), window = (int)(rate / 50), keep = PERIODS * longest + longest / 4 + 8;
    const int need = keep > longest + window + 8 ? keep : longest + window + 8, size = need + (int)(rate / 10);
    struct ax_plc *p = calloc(1, sizeof *p + (size_t)(size + need) * sizeof(int16_t) +
                                    (size_t)(PERIODS * longest) * sizeof(float));
    if (!p)
        return AX_E_NOMEM;
    p->rate = rate;
    p->shortest = (int)(rate / 200);
    p->longest = longest;
    p->window = window;
    p->keep = need;
    p->size = size;
    p->loop = (float *)(p + 1);
    p->history = (int16_t *)(p->loop + PERIODS * longest);
    p->tail = p->history + size;
    ax_plc_reset(p);
    *out = p;
    return AX_OK;
}

void ax_plc_free(struct ax_plc *p)
{
    free(p);
}
