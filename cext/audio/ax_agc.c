/* Automatic gain; see ax/agc.h. Units: frames of 10 ms, dB. Threads: an object belongs to one. Allocation: in `new`. */
#include "ax/agc.h"

#include "ax/err.h"
#include "ax/limit.h"
#include "ax_pcm.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAME = 480,
    TALK = 150,   /* Frames of talk that are averaged, */
    FALLEN = 20,  /* how many tell that the talk has become fainter, */
    RISEN = 6,    /* and louder. */
    FAINT = 30,   /* ... so many come without a louder one. */
    SYLLABLES = 55, /* Frames of talk that hold a loud syllable, */
    KNOWN = 40,   /* and how many before them it takes to compare. */
    MIXED = 2,    /* Frames whose mean reaches back behind them. */
};

#define FLOOR_START (-70.0f)
#define FLOOR_RISE 0.03f      /* dB a frame. */
#define ABOVE_FLOOR 9.0f      /* Talk is this far above. */
#define FAINTEST (-62.0f)
#define BESIDE 20.0f          /* Frames so far under the average are breath and room, not talk, unless ... */
#define STEP_DOWN 7.0f        /* dB between the short and the long average that are another talker. */
#define STEP_UP 5.0f
#define LOUDER 2.5f           /* dB between the loudest syllables of before and of now: the same talk, so much louder */
#define FAINTER (-3.0f)       /* or fainter, */
#define DOUBT 1.0f            /* less that. */
#define SLEW_UP 1.0f          /* dB a frame, of the gain. */
#define SLEW_DOWN 2.0f
#define CEILING 0.966f        /* -0.3 dBFS */

struct ax_agc {
    struct ax_agc_spec spec;
    struct ax_limit *limit;
    uint32_t frame;
    float gain_db, gain;       /* Wanted, and as a factor at the end of the last frame. */
    float floor_db;
    float power[TALK];         /* Of the last frames of talk, */
    float loud[TALK];          /* and the mean of each and the two before it. */
    int next, count, faint;
    bool resting;
    float x[MOST_FRAME];
};

/* Where the frame lies that came `ago` frames before the next one. */
static int place(const struct ax_agc *a, int ago)
{
    const int at = a->next - ago;
    return at < 0 ? at + TALK : at;
}

static float average(const struct ax_agc *a, int n)
{
    float sum = 0;
    for (int i = 0, at = place(a, n); i < n; i++) {
        sum += a->power[at];
        at = at + 1 < TALK ? at + 1 : 0;
    }
    return pcm_db(sum / (float)n);
}

/* Of the last FALLEN frames: how many have come since one that was louder than `db`. */
static int since(const struct ax_agc *a, float db)
{
    const float most = expf(db * 0.230258509f);
    int n = RISEN;
    while (n < FALLEN && a->power[place(a, n + 1)] < most)
        n++;
    return n;
}

/* The loudest syllable `from` to `to` frames ago, dB. */
static float loudest(const struct ax_agc *a, int from, int to)
{
    float most = 0.0f;
    for (int i = from, at = place(a, to); i < to; i++) {
        most = a->loud[at] > most ? a->loud[at] : most;
        at = at + 1 < TALK ? at + 1 : 0;
    }
    return pcm_db(most);
}

/* Take all but the last `keep` frames for louder than they were: what is known of the talk then holds at its new level. */
static void shift(struct ax_agc *a, int keep, float db)
{
    const float by = expf(db * 0.230258509f);
    for (int i = keep + 1; i <= TALK; i++) {
        a->power[place(a, i)] *= by;
        a->loud[place(a, i)] *= by;
    }
}

/* A step that is too small for the averages shows in the loudest syllables, which vary less than the others. */
static void compare(struct ax_agc *a)
{
    if (a->count < RISEN + KNOWN)
        return;
    const float before = loudest(a, RISEN, a->count - MIXED), rise = loudest(a, 0, RISEN) - before;
    if (rise > LOUDER) {
        if (loudest(a, 0, 1) - before >= rise)
            return; /* It still rises. */
        shift(a, RISEN, rise - DOUBT);
    } else if (a->count >= SYLLABLES + KNOWN) {
        const float fall = loudest(a, 0, SYLLABLES) - loudest(a, SYLLABLES, a->count - MIXED);
        if (fall < FAINTER)
            shift(a, SYLLABLES, fall + DOUBT);
    }
}

/* A frame of talk has come. */
static void follow(struct ax_agc *a, float power)
{
    if (a->count && pcm_db(power) < average(a, a->count) - BESIDE) {
        if (++a->faint < FAINT)
            return;
        a->count = 0;
    }
    a->faint = 0;
    a->power[a->next] = power;
    a->loud[a->next] = (power + a->power[place(a, 1)] + a->power[place(a, 2)]) / 3.0f;
    a->next = place(a, TALK - 1);
    a->count += a->count < TALK;
    float level = average(a, a->count);
    if (a->count > RISEN && average(a, RISEN) > level + STEP_UP)
        a->count = RISEN;
    else if (a->count > FALLEN && average(a, FALLEN) < level - STEP_DOWN)
        a->count = since(a, level - STEP_DOWN + 3.0f);
    else
        compare(a);
    level = average(a, a->count);
    const float want = fmaxf(a->spec.least_db, fminf(a->spec.most_db, a->spec.target_db - level));
    a->gain_db = fmaxf(a->gain_db - SLEW_DOWN, fminf(a->gain_db + SLEW_UP, want));
}

/* The frame in x, in place. */
static void amplify(struct ax_agc *a)
{
    const float power = pcm_power(a->x, a->frame), level = pcm_db(power);
    a->floor_db = fmaxf(-90.0f, fminf(level, a->floor_db + FLOOR_RISE));
    if (!a->resting && level > FAINTEST && level > a->floor_db + ABOVE_FLOOR)
        follow(a, power);
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
    memset(a->loud, 0, sizeof a->loud);
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
