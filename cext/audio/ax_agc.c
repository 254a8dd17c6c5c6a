/* Automatic gain; see ax/agc.h. Units: frames of 10 ms, dB. Threads: an object belongs to one. Allocation: in `new`. */
#include "ax/agc.h"

#include "ax/err.h"
#include "ax/limit.h"
#include "ax_pcm.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAME = 480,
    TALK = 400,     /* Frames of talk that are remembered, */
    AVERAGED = 300, /* and of which the level is the mean; what is newer is compared with as many. */
    SPAN = 2 * TALK,
    KNOWN = 40,     /* So many it takes at least to compare with. */
    LEAST = 6,      /* Frames that are left when talk has become fainter and all before is forgotten. */
    LATEST = 150,   /* Frames within which the place of such a step is looked for. */
    FAINT = 30,     /* Frames that are far too faint, without a louder one, until the talk is taken for another. */
    DOUBTFUL = 6,   /* Frames of one level: the gain does not rise by them, */
    STEADY = 40,    /* and of so many it is sure that they are no talk but a noise. */
    LOOKS = 16,
};

/* By how much the last frames of talk differ from the 300 before them, at a talker who stays as loud: for each number of
 * frames a tenth more than the dB that are passed at three looks in ten thousand (measured on an hour of prompts of five
 * voices, each at three pitches). Up by the mean of the squares of powers: loud frames are more alike than faint ones, and
 * tell a rise sooner. Down by the mean power. Few frames do not tell a fall: they may all be one faint sound. */
static const struct {
    int frames;
    float rise, fall;
} LOOK[LOOKS] = {{3, 6.9f, 99.0f},  {6, 6.7f, 99.0f},  {8, 6.5f, 19.9f},  {10, 6.2f, 19.1f}, {12, 5.9f, 17.8f}, {15, 5.6f, 16.1f},
                 {20, 5.2f, 14.2f}, {25, 4.7f, 12.9f}, {30, 4.5f, 11.3f}, {35, 4.3f, 9.9f},  {40, 4.2f, 9.1f},  {50, 4.1f, 7.9f},
                 {60, 4.0f, 5.9f},  {75, 3.8f, 4.5f},  {100, 3.4f, 3.5f}, {150, 3.1f, 3.1f}};

#define FLOOR_START (-70.0f)
#define FLOOR_RISE 0.03f     /* dB a frame. */
#define ABOVE_FLOOR 9.0f     /* Talk is this far above. */
#define FAINTEST (-62.0f)
#define ALIKE 3.0f           /* Frames of one level are within so many dB of their mean, */
#define ALIKE_MEAN 0.1f      /* which follows them by that part. */
#define BESIDE 20.0f         /* Frames so far under the average are breath and room, not talk, unless there are many. */
#define SPREAD 4.0f          /* Of talk whose frames have a standard deviation of less dB, less tells a step (by the root), */
#define SPREAD_LEAST 0.4f    /* down to that part; */
#define FEW 15.0f            /* and more must where there are few frames to compare with. */
#define OVER 0.25f           /* dB by which the frames that count as talk are louder than talk is by ITU-T P.56, */
#define PEAKS_OVER 1.5f      /* and the root of the mean of their squared powers. */
#define BY_PEAKS 50.0f       /* Of so many frames one tells the level as well as the other; of fewer, the latter better. */
#define SLEW_UP 2.0f         /* dB a frame, of the gain. */
#define SLEW_DOWN 6.0f
#define CEILING 0.966f       /* -0.3 dBFS */

/* Sums over frames of talk: powers, their squares, levels in dB, their squares. */
struct sums {
    double power, fourth, db, square;
};

/* What is known of the talk: its frames end at `now`, of which so many last ones are as loud as it is. */
struct known {
    int now, count;
};

struct ax_agc {
    struct ax_agc_spec spec;
    struct ax_limit *limit;
    uint32_t frame;
    float gain_db, gain;       /* Wanted, and as a factor at the end of the last frame. */
    float floor_db;
    float even_db;             /* The mean of frames of one level, */
    int even;                  /* how many there are, */
    struct known before;       /* and what was known before them. */
    struct known known;
    struct sums until[SPAN + 1];
    float faint_power[FAINT];
    int faint;
    bool resting;
    float x[MOST_FRAME];
};

static int least(int x, int y)
{
    return x < y ? x : y;
}

/* Room for more: the sums of the last TALK frames, from there on. */
static void rebase(struct ax_agc *a)
{
    const int by = a->known.now - TALK;
    const struct sums from = a->until[by];
    for (int i = 0; i <= TALK; i++) {
        const struct sums s = a->until[by + i];
        a->until[i] = (struct sums){s.power - from.power, s.fourth - from.fourth, s.db - from.db, s.square - from.square};
    }
    a->known.now = TALK;
    a->before.now = a->before.now > by ? a->before.now - by : 0;
    a->before.count = least(a->before.count, a->before.now);
}

static void take(struct ax_agc *a, float power)
{
    if (a->known.now == SPAN)
        rebase(a);
    const struct sums s = a->until[a->known.now];
    const double p = power, db = pcm_db(power);
    a->until[++a->known.now] = (struct sums){s.power + p, s.fourth + p * p, s.db + db, s.square + db * db};
    a->known.count += a->known.count < TALK;
}

/* Means over the frames `from` to `to` before the next one. */
static struct sums mean(const struct ax_agc *a, int from, int to)
{
    const struct sums *x = &a->until[a->known.now - to], *y = &a->until[a->known.now - from];
    const double n = to - from;
    return (struct sums){(y->power - x->power) / n, (y->fourth - x->fourth) / n, (y->db - x->db) / n, (y->square - x->square) / n};
}

/* How much the levels of those frames vary, beside what is usual. */
static float spread(const struct sums *s)
{
    const float variance = (float)(s->square - s->db * s->db);
    return fmaxf(SPREAD_LEAST, fminf(1.0f, sqrtf(sqrtf(fmaxf(variance, 0.0f)) / SPREAD)));
}

/* The talk has become fainter: since how many frames, most likely. Thin for long ago. */
static int since(const struct ax_agc *a)
{
    float best = 0.0f;
    int at = LEAST;
    const int last = least(LATEST, a->known.count - KNOWN);
    for (int n = LEAST; n <= last; n += 1 + n / 12) {
        const int all = least(n + AVERAGED, a->known.count);
        const float fall = pcm_db((float)(mean(a, n, all).power / (mean(a, 0, n).power + 1e-12)));
        const float score = fall * fall * (float)n * (float)(all - n) / (float)all;
        if (fall > 0.0f && score > best) {
            best = score;
            at = n;
        }
    }
    return at;
}

/* How many of the last frames tell how loud the talk is now: all, or those since it has become louder or fainter. */
static int same(const struct ax_agc *a)
{
    for (int i = 0; i < LOOKS && a->known.count - LOOK[i].frames >= KNOWN; i++) {
        const int n = LOOK[i].frames, all = least(n + AVERAGED, a->known.count);
        const struct sums now = mean(a, 0, n), then = mean(a, n, all);
        const float few = (float)(all - n), many = AVERAGED;
        const float doubt = sqrtf((1.0f + (float)n / few) / (1.0f + (float)n / many)) * (1.0f + FEW / few) * spread(&then);
        if (0.5f * pcm_db(fmaxf((float)(now.fourth / (then.fourth + 1e-20)), 0.0f)) > doubt * LOOK[i].rise)
            return n;
        if (pcm_db((float)(then.power / (now.power + 1e-12))) > doubt * LOOK[i].fall)
            return since(a);
    }
    return a->known.count;
}

static float level_of(const struct ax_agc *a)
{
    const int n = least(a->known.count, AVERAGED);
    const struct sums s = mean(a, 0, n);
    const float part = BY_PEAKS / (BY_PEAKS + (float)n), peaks = 5.0f * log10f(fmaxf((float)s.fourth, 0.0f) + 1e-20f);
    return (1.0f - part) * (pcm_db((float)s.power) - OVER) + part * (peaks - PEAKS_OVER * spread(&s));
}

static void aim(struct ax_agc *a)
{
    const float gain = a->known.count ? a->spec.target_db - level_of(a) : 0.0f;
    const float want = fmaxf(a->spec.least_db, fminf(a->spec.most_db, gain));
    a->gain_db = fmaxf(a->gain_db - SLEW_DOWN, fminf(a->gain_db + (a->even > DOUBTFUL ? 0.0f : SLEW_UP), want));
}

/* A frame of talk has come. */
static void follow(struct ax_agc *a, float power, float db)
{
    if (!a->known.count || db >= level_of(a) - BESIDE) {
        take(a, power);
    } else {
        a->faint_power[a->faint] = power;
        if (++a->faint < FAINT)
            return;
        a->known.count = 0;
        for (int i = 0; i < FAINT; i++)
            take(a, a->faint_power[i]);
    }
    a->faint = 0;
    a->known.count = same(a);
    aim(a);
}

/* Whether this frame belongs to a noise that stays as loud: it is the floor then, and what was learnt of it is not talk. */
static bool is_even(struct ax_agc *a, float db)
{
    if (fabsf(db - a->even_db) > ALIKE) {
        a->even_db = db;
        a->even = 0;
        a->before = a->known;
    }
    a->even_db += ALIKE_MEAN * (db - a->even_db);
    if (++a->even < STEADY)
        return false;
    a->floor_db = fmaxf(a->floor_db, a->even_db);
    a->known = a->before;
    a->faint = 0;
    aim(a);
    return true;
}

/* The frame in x, in place. */
static void amplify(struct ax_agc *a)
{
    const float power = pcm_power(a->x, a->frame), db = pcm_db(power);
    a->floor_db = fmaxf(-90.0f, fminf(db, a->floor_db + FLOOR_RISE));
    if (!a->resting && !is_even(a, db) && db > FAINTEST && db > a->floor_db + ABOVE_FLOOR)
        follow(a, power, db);
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
    a->even_db = FLOOR_START;
    a->even = a->faint = 0;
    a->resting = false;
    a->known = a->before = (struct known){0, 0};
    a->until[0] = (struct sums){0, 0, 0, 0};
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
