/* Automatic gain; see ax/agc.h. Units: frames of 10 ms, dB. Threads: an object belongs to one. Allocation: in `new`. */
#include "ax/agc.h"

#include "ax/err.h"
#include "ax/limit.h"
#include "ax_pcm.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAME = 480,
    TALK = 250,     /* Frames of talk that are remembered, */
    AVERAGED = 150, /* and of which the level is the mean; what is newer is compared with as many. */
    KNOWN = 40,     /* So many it takes at least to compare with. */
    LEAST = 6,      /* Frames that are left when all before them is forgotten. */
    FAINT = 30,     /* Frames that are far too faint, without a louder one, until the talk is taken for another. */
    LOOKS = 11,
};

/* By how much the mean of the last frames of talk differs from that of the 150 before them, at a talker who stays as loud:
 * for each number of frames the dB that are passed at about one look in a thousand, up and down (measured on an hour of
 * prompts of three voices). Few frames do not tell a fall: they may all be one faint sound. */
static const struct {
    int frames;
    float rise, fall;
} LOOK[LOOKS] = {{3, 7.8f, 99.0f}, {6, 6.8f, 99.0f},  {10, 6.0f, 14.0f}, {15, 5.4f, 12.0f}, {20, 4.9f, 10.0f}, {25, 4.6f, 8.6f},
                 {30, 4.3f, 7.6f}, {40, 4.0f, 6.2f}, {50, 3.8f, 5.3f},  {75, 3.4f, 4.1f},  {100, 3.2f, 3.5f}};

#define FLOOR_START (-70.0f)
#define FLOOR_RISE 0.03f      /* dB a frame. */
#define ABOVE_FLOOR 9.0f      /* Talk is this far above. */
#define FAINTEST (-62.0f)
#define BESIDE 20.0f          /* Frames so far under the average are breath and room, not talk, unless ... */
#define SURE 1.2f            /* Those dB are taken times this, */
#define SPREAD 5.2f          /* for a talker whose frames have this standard deviation in dB; in proportion for others, */
#define SPREAD_LEAST 0.5f    /* within these bounds, */
#define SPREAD_MOST 1.1f
#define FEW 15.0f            /* and more where there are few frames to compare with. */
#define DEEP 12.0f           /* A fall by more has a place: behind the last frame that is nearer to the level of before, */
#define PEAK 8.0f            /* and so much louder than the mean of now. */
#define SLEW_UP 1.0f          /* dB a frame, of the gain. */
#define SLEW_DOWN 2.0f
#define CEILING 0.966f        /* -0.3 dBFS */

struct ax_agc {
    struct ax_agc_spec spec;
    struct ax_limit *limit;
    uint32_t frame;
    float gain_db, gain;       /* Wanted, and as a factor at the end of the last frame. */
    float floor_db;
    float power[TALK], db[TALK]; /* Of the last frames of talk. */
    int next, count, faint;
    bool resting;
    float x[MOST_FRAME];
};

/* Sums over the last 0 .. TALK frames of talk. */
struct sums {
    float power[TALK + 1], db[TALK + 1], square[TALK + 1];
};

static void add_up(const struct ax_agc *a, struct sums *s)
{
    s->power[0] = s->db[0] = s->square[0] = 0.0f;
    for (int n = 0, at = a->next; n < a->count; n++) {
        at = at ? at - 1 : TALK - 1;
        s->power[n + 1] = s->power[n] + a->power[at];
        s->db[n + 1] = s->db[n] + a->db[at];
        s->square[n + 1] = s->square[n] + a->db[at] * a->db[at];
    }
}

/* Mean level of the frames `from` to `to` before the next one. */
static float mean_db(const struct sums *s, int from, int to)
{
    return pcm_db((s->power[to] - s->power[from]) / (float)(to - from));
}

/* How much the levels of those frames vary, beside what is usual. */
static float spread(const struct sums *s, int from, int to)
{
    const float n = (float)(to - from), mean = (s->db[to] - s->db[from]) / n;
    const float variance = (s->square[to] - s->square[from]) / n - mean * mean;
    return fmaxf(SPREAD_LEAST, fminf(SPREAD_MOST, sqrtf(fmaxf(variance, 0.0f)) / SPREAD));
}

/* After a deep fall: how many of the last `n` frames have come since the last one of before. */
static int since(const struct ax_agc *a, const struct sums *s, int n, float before)
{
    const float now = mean_db(s, 0, n / 2 > LEAST ? n / 2 : LEAST);
    if (before - now <= DEEP)
        return n;
    const float most = fmaxf(0.5f * (before + now), now + PEAK);
    for (int i = 0, at = a->next; i < n; i++) {
        at = at ? at - 1 : TALK - 1;
        if (a->db[at] > most)
            return i > LEAST ? i : LEAST;
    }
    return n;
}

/* How many of the last frames tell how loud the talk is now: all, or those since it has become louder or fainter. */
static int same(const struct ax_agc *a, const struct sums *s)
{
    for (int i = 0; i < LOOKS && a->count - LOOK[i].frames >= KNOWN; i++) {
        const int n = LOOK[i].frames, all = n + AVERAGED < a->count ? n + AVERAGED : a->count;
        const float before = mean_db(s, n, all), rise = mean_db(s, 0, n) - before;
        const float doubt = SURE * (1.0f + FEW / (float)(all - n)) * spread(s, n, all);
        if (rise > doubt * LOOK[i].rise)
            return n;
        if (-rise > doubt * LOOK[i].fall)
            return since(a, s, n, before);
    }
    return a->count;
}

static float level_of(const struct ax_agc *a, const struct sums *s)
{
    return mean_db(s, 0, a->count < AVERAGED ? a->count : AVERAGED);
}

/* A frame of talk has come. */
static void follow(struct ax_agc *a, float power, float db)
{
    struct sums s;
    add_up(a, &s);
    if (a->count && db < level_of(a, &s) - BESIDE) {
        if (++a->faint < FAINT)
            return;
        a->count = 0;
    }
    a->faint = 0;
    a->power[a->next] = power;
    a->db[a->next] = db;
    a->next = a->next + 1 < TALK ? a->next + 1 : 0;
    a->count += a->count < TALK;
    add_up(a, &s);
    a->count = same(a, &s);
    const float want = fmaxf(a->spec.least_db, fminf(a->spec.most_db, a->spec.target_db - level_of(a, &s)));
    a->gain_db = fmaxf(a->gain_db - SLEW_DOWN, fminf(a->gain_db + SLEW_UP, want));
}

/* The frame in x, in place. */
static void amplify(struct ax_agc *a)
{
    const float power = pcm_power(a->x, a->frame), level = pcm_db(power);
    a->floor_db = fmaxf(-90.0f, fminf(level, a->floor_db + FLOOR_RISE));
    if (!a->resting && level > FAINTEST && level > a->floor_db + ABOVE_FLOOR)
        follow(a, power, level);
    const float gain = expf(a->gain_db * 0.115129255f), step = (gain - a->gain) / (float)a->frame;
    for (uint32_t i = 0; i < a->frame; i++)
        a->x[i] *= a->gain + step * (float)i;
    a->gain = gain;
}

int ax_agc_f32(struct ax_agc *a, const float *in, float *out)
{
    if (!a || !in || !out)
        return AX_E_ARG;
    if (!pcm_is_sound(in, a->frame, 8.0f))
        return AX_E_RANGE;
    memcpy(a->x, in, a->frame * sizeof *in);
    amplify(a);
    return ax_limit_f32(a->limit, a->x, out);
}

int ax_agc_i16(struct ax_agc *a, const int16_t *in, int16_t *out)
{
    if (!a || !in || !out)
        return AX_E_ARG;
    pcm_from_i16(a->x, in, a->frame);
    amplify(a);
    const int rc = ax_limit_f32(a->limit, a->x, a->x);
    pcm_to_i16(out, a->x, a->frame);
    return rc;
}

uint32_t ax_agc_frame(const struct ax_agc *a)
{
    return a->frame;
}

uint32_t ax_agc_latency(const struct ax_agc *a)
{
    return ax_limit_latency(a->limit);
}

void ax_agc_rest(struct ax_agc *a, bool resting)
{
    a->resting = resting;
}

float ax_agc_gain_db(const struct ax_agc *a)
{
    return a->gain_db;
}

void ax_agc_reset(struct ax_agc *a)
{
    a->gain_db = 0;
    a->gain = 1;
    a->floor_db = FLOOR_START;
    a->next = a->count = a->faint = 0;
    a->resting = false;
    memset(a->power, 0, sizeof a->power);
    memset(a->db, 0, sizeof a->db);
    ax_limit_reset(a->limit);
}

int ax_agc_new(struct ax_agc **out, const struct ax_agc_spec *spec)
{
    if (!out || !spec)
        return AX_E_ARG;
    if (!(spec->target_db >= -40 && spec->target_db <= -6) || !(spec->most_db >= 0 && spec->most_db <= 40) ||
        !(spec->least_db >= -40 && spec->least_db <= 0))
        return AX_E_RANGE;
    struct ax_agc *a = calloc(1, sizeof *a);
    if (!a)
        return AX_E_NOMEM;
    const int rc = ax_limit_new(&a->limit, spec->rate, CEILING);
    if (rc < 0) {
        free(a);
        return rc;
    }
    a->spec = *spec;
    a->frame = ax_limit_frame(a->limit);
    ax_agc_reset(a);
    *out = a;
    return AX_OK;
}

void ax_agc_free(struct ax_agc *a)
{
    if (a)
        ax_limit_free(a->limit);
    free(a);
}
