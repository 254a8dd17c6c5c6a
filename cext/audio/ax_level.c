/* Level and voice; see ax/level.h. Units: frames of 10 ms, dB. Threads: an object belongs to one. Allocation: none. */
#include "ax/level.h"

#include "ax/err.h"
#include "ax_pcm.h"

#include <string.h>

enum { MOST_FRAME = 480, PIECE = 25, HANG = 20, ONSET = 2 };

#define SINE 3.0103f       /* dB of a square wave over a sine. */
#define BOTTOM (-80.0f)    /* 0 of the scale. */
#define FALL_DB 0.667f     /* A frame. */
#define HYSTERESIS 2.0f
#define OVER_FLOOR 8.0f    /* Voice is this far above the floor, dB, */
#define FAINTEST (-66.0f)  /* and not fainter, after the difference. */
#define START (-75.0f)

static bool is_rate(uint32_t rate)
{
    return rate == 8000 || rate == 16000 || rate == 32000 || rate == 44100 || rate == 48000;
}

int ax_level_set(struct ax_level *l, float threshold)
{
    if (!l)
        return AX_E_ARG;
    if (!(threshold >= 0 && threshold <= 100))
        return AX_E_RANGE;
    l->threshold = threshold;
    return AX_OK;
}

int ax_level_init(struct ax_level *l, uint32_t rate, float threshold)
{
    if (!l)
        return AX_E_ARG;
    if (!is_rate(rate))
        return AX_E_RANGE;
    memset(l, 0, sizeof *l);
    l->frame = rate / 100;
    l->db = -100.0f;
    return ax_level_set(l, threshold);
}

float ax_level_get(const struct ax_level *l)
{
    const float level = (l->db - BOTTOM) * (100.0f / -BOTTOM);
    return level < 0 ? 0 : level > 100 ? 100 : level;
}

int ax_level_feed(struct ax_level *l, const int16_t *in)
{
    if (!l || !in || l->frame < 80 || l->frame > MOST_FRAME)
        return AX_E_ARG;
    const float db = pcm_db(pcm_power_i16(in, l->frame)) + SINE;
    l->db = fmaxf(db, l->db - FALL_DB);
    const float level = ax_level_get(l);
    if (!l->above && level >= l->threshold && level > 0) {
        l->above = true;
        return AX_LEVEL_RISE;
    }
    if (l->above && (level < l->threshold - HYSTERESIS || level <= 0)) {
        l->above = false;
        return AX_LEVEL_FALL;
    }
    return AX_LEVEL_NONE;
}

int ax_vad_init(struct ax_vad *v, uint32_t rate)
{
    if (!v)
        return AX_E_ARG;
    if (!is_rate(rate))
        return AX_E_RANGE;
    memset(v, 0, sizeof *v);
    v->frame = rate / 100;
    v->smooth = v->floor_db = START;
    for (int i = 0; i < AX_VAD_MINIMA; i++)
        v->minimum[i] = START;
    return AX_OK;
}

static void follow_floor(struct ax_vad *v)
{
    if (v->count++ % PIECE == 0) {
        memmove(v->minimum + 1, v->minimum, (AX_VAD_MINIMA - 1) * sizeof *v->minimum);
        v->minimum[0] = v->smooth;
    }
    v->minimum[0] = fminf(v->minimum[0], v->smooth);
    v->floor_db = v->minimum[0];
    for (int i = 1; i < AX_VAD_MINIMA; i++)
        v->floor_db = fminf(v->floor_db, v->minimum[i]);
}

int ax_vad_feed(struct ax_vad *v, const int16_t *in)
{
    float x[MOST_FRAME], y[MOST_FRAME];
    if (!v || !in || v->frame < 80 || v->frame > MOST_FRAME)
        return AX_E_ARG;
    pcm_from_i16(x, in, v->frame);
    y[0] = x[0] - 0.95f * v->last;
    for (uint32_t i = 1; i < v->frame; i++)
        y[i] = x[i] - 0.95f * x[i - 1];
    v->last = x[v->frame - 1];
    const float db = fmaxf(-95.0f, pcm_db(pcm_power(y, v->frame)));
    v->smooth += 0.3f * (db - v->smooth);
    follow_floor(v);
    const bool now = db > FAINTEST && v->smooth > v->floor_db + OVER_FLOOR;
    v->active = now ? v->active + 1 : 0;
    if (v->active >= ONSET)
        v->hang = HANG;
    else if (v->hang)
        v->hang--;
    v->talks = v->hang > 0;
    return v->talks;
}
