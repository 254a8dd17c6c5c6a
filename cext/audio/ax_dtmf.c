/* The DTMF detector; see ax/dtmf.h. Work in blocks of 5 ms at 8 kHz (40 samples), a window of five of them.
 * Units: samples of 8 kHz inside. Threads: a detector belongs to one. Allocation: in `new`. */
#include "ax/dtmf.h"

#include "ax/err.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    INNER = 8000, BLOCK = 40, WINDOW = 200, TONES = 8, RUN = 8, /* A run remembers 40 ms. */
    SURE = 6,  /* Blocks whose centre is within the tone: 30 ms. */
    GONE = 4,  /* Blocks without it: 20 ms. */
    TAPS = 8,  /* Of the filter before decimation, for each step of it. */
    MOST_DECIMATION = 6,
};

static const float HZ[TONES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};

#define LEAST_AMPLITUDE 362.0f /* -36 dBm0 */
#define TWIST_HIGH 1.884f      /* 5.5 dB: the high group over the low one, */
#define TWIST_LOW 2.985f       /* 9.5 dB: and under it. */
#define OFF_BLOCK 0.08f        /* Frequency of one block, of which the first and last see an edge, */
#define OFF_RUN 0.0245f        /* and of the run, by amplitude. */
#define PURE 0.68f             /* Least share of the energy. */
#define HALF 0.5f
#define STAY 0.25f              /* Of the key's level: an interruption of 10 ms leaves 0.3, ... */
#define STAY_PURE 0.3f

struct block {
    int key;         /* 0 .. 15 or -1 */
    float amplitude; /* Of the two tones together. */
    float off[2];    /* Share of frequency beside the nominal. */
    float held;      /* Amplitude of the tones of the key that is down, if they are much of the sound. */
};

struct ax_dtmf {
    uint32_t rate, decimation;
    uint64_t blocks;                /* So many have been heard. */
    int fill;                       /* Samples of the newest block that have come. */
    float x[2 * WINDOW];            /* A window and what comes after. */
    int start;
    int phase, past;                /* Of the decimator. */
    float taps[TAPS * MOST_DECIMATION], delay[2 * TAPS * MOST_DECIMATION];
    float cosine[WINDOW][TONES], sine[WINDOW][TONES], window2[WINDOW];
    float step[TONES][2];           /* Phase that a nominal tone gains in a block. */
    float last[TONES][2];           /* The sums of the block before. */
    struct block run[RUN];
    int count;                      /* Blocks in the run. */
    int key, missing;
    float level;
    uint64_t since, until;          /* First and last block of the key that is down. */
};

/* How much a Hann window of WINDOW samples loses on a tone `bins` beside: below 1.2 bins a polynomial will do. */
static float loss(float bins)
{
    const float y = bins * bins;
    return y > 1.44f ? 0.3f : 1 - 0.6449f * y + 0.173f * y * y - 0.0245f * y * y * y;
}

static void sums(const struct ax_dtmf *d, float re[TONES], float im[TONES], float *energy)
{
    const float *x = d->x + d->start;
    float e = 0;
    for (int k = 0; k < TONES; k++)
        re[k] = im[k] = 0;
    for (int i = 0; i < WINDOW; i++)
        for (int k = 0; k < TONES; k++) {
            re[k] += x[i] * d->cosine[i][k];
            im[k] += x[i] * d->sine[i][k];
        }
    for (int i = 0; i < WINDOW; i++)
        e += x[i] * x[i] * d->window2[i];
    *energy = e;
}

/* Hz beside the nominal frequency, from the turn since the last block. */
static float beside(const struct ax_dtmf *d, int k, float re, float im)
{
    const float a = d->last[k][0], b = d->last[k][1];
    const float x = re * a + im * b, y = im * a - re * b; /* now times the conjugate of then */
    const float c = d->step[k][0], s = d->step[k][1];
    return atan2f(y * c - x * s, x * c + y * s) * (float)(INNER / BLOCK / (2 * M_PI));
}

static int strongest(const float power[TONES], int from)
{
    int at = from;
    for (int k = from + 1; k < from + 4; k++)
        if (power[k] > power[at])
            at = k;
    return at;
}

static struct block look(struct ax_dtmf *d)
{
    float re[TONES], im[TONES], power[TONES], energy, off[2];
    struct block b = {-1, 0, {0, 0}, 0};
    sums(d, re, im, &energy);
    for (int k = 0; k < TONES; k++)
        power[k] = re[k] * re[k] + im[k] * im[k];
    const int low = strongest(power, 0), high = strongest(power, 4);
    off[0] = beside(d, low, re[low], im[low]);
    off[1] = beside(d, high, re[high], im[high]);
    /* The window's sum is WINDOW / 2, the sum of its squares 3 WINDOW / 8 (both in the tables). */
    const float g0 = loss(off[0] * WINDOW / INNER), g1 = loss(off[1] * WINDOW / INNER);
    const float a0 = sqrtf(power[low]) / g0, a1 = sqrtf(power[high]) / g1;
    const float share = 0.75f * (a0 * a0 + a1 * a1) / (energy + 1.0f);
    for (int k = 0; k < TONES; k++) {
        d->last[k][0] = re[k];
        d->last[k][1] = im[k];
    }
    if (d->key >= 0) {
        const float p0 = power[d->key / 4], p1 = power[4 + d->key % 4];
        b.held = 0.75f * (p0 + p1) >= STAY_PURE * energy ? sqrtf(fminf(p0, p1)) : 0;
    }
    if (a0 < HALF * LEAST_AMPLITUDE || a1 < HALF * LEAST_AMPLITUDE || share < PURE || a1 > TWIST_HIGH * a0 || a0 > TWIST_LOW * a1)
        return b;
    b.off[0] = off[0] / HZ[low];
    b.off[1] = off[1] / HZ[high];
    if (fabsf(b.off[0]) > OFF_BLOCK || fabsf(b.off[1]) > OFF_BLOCK)
        return b;
    b.key = low * 4 + high - 4;
    b.amplitude = fminf(a0, a1);
    return b;
}

/* Whether the run is a tone of 30 ms: that many of its blocks have at least half of its level in their centre. */
static bool is_tone(const struct ax_dtmf *d)
{
    float most = 0, off0 = 0, off1 = 0, sum = 0;
    int n = 0;
    for (int i = 0; i < d->count; i++)
        most = fmaxf(most, d->run[i].amplitude);
    if (most < LEAST_AMPLITUDE)
        return false;
    for (int i = 0; i < d->count; i++)
        if (d->run[i].amplitude >= HALF * most) {
            const float weight = d->run[i].amplitude * d->run[i].amplitude;
            n++;
            sum += weight;
            off0 += weight * d->run[i].off[0];
            off1 += weight * d->run[i].off[1];
        }
    return n >= SURE && fabsf(off0) <= OFF_RUN * sum && fabsf(off1) <= OFF_RUN * sum;
}

/* The sample of the input at the centre of a block's window. */
static uint64_t sample_of(const struct ax_dtmf *d, uint64_t block)
{
    const uint64_t inner = block * BLOCK + BLOCK - WINDOW / 2;
    return (block * BLOCK + BLOCK < WINDOW / 2 ? 0 : inner) * d->decimation;
}

static int let_go(struct ax_dtmf *d, struct ax_dtmf_event *out)
{
    out->key = AX_DTMF_KEYS[d->key];
    out->at = sample_of(d, d->since);
    out->duration = (uint32_t)((d->until + 1 - d->since) * BLOCK * d->decimation);
    d->key = -1;
    return 1;
}

static int on_block(struct ax_dtmf *d, struct ax_dtmf_event *out)
{
    const struct block b = look(d);
    const uint64_t now = d->blocks++;
    int made = 0;
    if (d->key >= 0) {
        if (b.held >= STAY * d->level) {
            if (b.key == d->key)
                d->level = fmaxf(d->level, b.amplitude);
            if (b.held >= HALF * d->level)
                d->until = now;
            d->missing = 0;
            return 0;
        }
        if (++d->missing < GONE)
            return 0;
        made = let_go(d, out);
        d->count = 0;
    }
    if (b.key < 0 || (d->count && d->run[d->count - 1].key != b.key))
        d->count = 0;
    if (b.key < 0)
        return made;
    if (d->count == RUN)
        memmove(d->run, d->run + 1, (RUN - 1) * sizeof *d->run);
    else
        d->count++;
    d->run[d->count - 1] = b;
    if (!is_tone(d))
        return made;
    d->key = b.key;
    d->missing = 0;
    d->until = now;
    d->since = now;
    d->level = 0;
    for (int i = 0; i < d->count; i++)
        d->level = fmaxf(d->level, d->run[i].amplitude);
    for (int i = d->count - 1; i >= 0 && d->run[i].amplitude >= HALF * d->level; i--)
        d->since = now - (uint64_t)(d->count - 1 - i);
    out[made] = (struct ax_dtmf_event){.at = sample_of(d, d->since), .key = AX_DTMF_KEYS[d->key]};
    return made + 1;
}

static int put(struct ax_dtmf *d, float x, struct ax_dtmf_event *out)
{
    d->x[d->start + WINDOW - BLOCK + d->fill++] = x;
    if (d->fill < BLOCK)
        return 0;
    const int made = on_block(d, out);
    d->fill = 0;
    d->start += BLOCK;
    if (d->start == WINDOW) {
        memcpy(d->x, d->x + WINDOW, (WINDOW - BLOCK) * sizeof *d->x);
        d->start = 0;
    }
    return made;
}

static int decimate(struct ax_dtmf *d, int16_t x, struct ax_dtmf_event *out)
{
    const int n = (int)d->decimation * TAPS;
    float y = 0;
    d->delay[d->past] = d->delay[d->past + n] = x;
    d->past = d->past + 1 == n ? 0 : d->past + 1;
    if (++d->phase < (int)d->decimation)
        return 0;
    d->phase = 0;
    for (int i = 0; i < n; i++)
        y += d->taps[i] * d->delay[d->past + i];
    return put(d, y, out);
}

int ax_dtmf_feed(struct ax_dtmf *d, const int16_t *in, size_t n, struct ax_dtmf_event *out, size_t room)
{
    size_t made = 0;
    if (!d || (!in && n) || !out)
        return AX_E_ARG;
    if (room < n / (d->rate / 200) + 2)
        return AX_E_FULL;
    for (size_t i = 0; i < n; i++)
        made += (size_t)(d->decimation == 1 ? put(d, in[i], out + made) : decimate(d, in[i], out + made));
    return (int)made;
}

char ax_dtmf_key(const struct ax_dtmf *d)
{
    return d && d->key >= 0 ? AX_DTMF_KEYS[d->key] : 0;
}

void ax_dtmf_reset(struct ax_dtmf *d)
{
    d->blocks = 0;
    d->fill = d->start = d->phase = d->past = d->count = d->missing = 0;
    d->key = -1;
    memset(d->x, 0, sizeof d->x);
    memset(d->delay, 0, sizeof d->delay);
    memset(d->last, 0, sizeof d->last);
}

static void make_tables(struct ax_dtmf *d)
{
    const int n = (int)d->decimation * TAPS;
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) {
        const double w = 0.5 - 0.5 * cos(2 * M_PI * (i + 0.5) / WINDOW);
        d->window2[i] = (float)(w * w / (3.0 * WINDOW / 8) * 1.5);
        for (int k = 0; k < TONES; k++) {
            d->cosine[i][k] = (float)(4 * w / WINDOW * cos(2 * M_PI * (double)HZ[k] / INNER * i));
            d->sine[i][k] = (float)(-4 * w / WINDOW * sin(2 * M_PI * (double)HZ[k] / INNER * i));
        }
    }
    for (int k = 0; k < TONES; k++) {
        d->step[k][0] = (float)cos(2 * M_PI * (double)HZ[k] / INNER * BLOCK);
        d->step[k][1] = (float)sin(2 * M_PI * (double)HZ[k] / INNER * BLOCK);
    }
    for (int i = 0; i < n; i++) { /* Half of its height at 4 kHz: aliases begin at 6.3 kHz. */
        const double t = (i + 0.5 - n / 2.0) / d->decimation;
        const double w = 0.42 + 0.5 * cos(2 * M_PI * t / TAPS) + 0.08 * cos(4 * M_PI * t / TAPS);
        d->taps[i] = (float)(w * sin(M_PI * t) / (M_PI * t));
        sum += (double)d->taps[i];
    }
    for (int i = 0; i < n; i++)
        d->taps[i] /= (float)sum;
}

int ax_dtmf_new(struct ax_dtmf **out, uint32_t rate)
{
    if (!out)
        return AX_E_ARG;
    if (rate != 8000 && rate != 16000 && rate != 32000 && rate != 48000)
        return AX_E_RANGE;
    struct ax_dtmf *d = calloc(1, sizeof *d);
    if (!d)
        return AX_E_NOMEM;
    d->rate = rate;
    d->decimation = rate / INNER;
    make_tables(d);
    ax_dtmf_reset(d);
    *out = d;
    return AX_OK;
}

void ax_dtmf_free(struct ax_dtmf *d)
{
    free(d);
}
