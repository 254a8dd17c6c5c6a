/* The virtual room; see ax/room.h. The loudspeaker's past lies in one piece, newest last, and is moved once a second or so;
 * the response is stored backwards, so that a sample of the echo is one product of two rows.
 * Units, threads: as there. Allocation: in new. */
#include "ax/room.h"

#include "ax/err.h"
#include "ax_dsp.h"
#include "ax_pcm.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAME = 480 };

#define SELF_NOISE_DB (-88.0f) /* Of the microphone: no cover takes it away. */
#define COVER_HZ 400.0f        /* What comes through a cover is low. */

struct ax_room {
    uint32_t rate, frame, curve, seed;
    size_t taps, keep, size, fill; /* Samples: of the response, of the past that is needed, of room, of what is there. */
    float *response, *past;
    const struct ax_dsp *dsp;
    float low;                     /* State of the cover's low pass. */
    _Atomic float set[AX_ROOM_PART_END];
};

static float noise(struct ax_room *r)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return (float)(int32_t)r->seed * (1.0f / 2147483648.0f);
}

static float factor(float db)
{
    return powf(10.0f, db / 20.0f);
}

static float curve(uint32_t kind, float x)
{
    if (kind == AX_ROOM_SOFT)
        return 0.5f * tanhf(2.0f * x);
    if (kind == AX_ROOM_HARD)
        return x > 0.25f ? 0.25f : x < -0.25f ? -0.25f : x;
    return x;
}

int ax_room_set(struct ax_room *r, int part, float value)
{
    static const float least[AX_ROOM_PART_END] = {-100, 0, -100, 0, 0};
    static const float most[AX_ROOM_PART_END] = {20, AX_ROOM_DELAY_MOST, 0, 80, 1};
    if (!r)
        return AX_E_ARG;
    if (part < 0 || part >= AX_ROOM_PART_END || !(value >= least[part] && value <= most[part]))
        return AX_E_RANGE;
    atomic_store_explicit(&r->set[part], value, memory_order_relaxed);
    return AX_OK;
}

static float get(const struct ax_room *r, int part)
{
    return atomic_load_explicit(&r->set[part], memory_order_relaxed);
}

static void remember(struct ax_room *r, const int16_t *speaker)
{
    const float works = get(r, AX_ROOM_SPEAKER);
    if (r->fill + r->frame > r->size) {
        memmove(r->past, r->past + r->fill - r->keep, r->keep * sizeof *r->past);
        r->fill = r->keep;
    }
    for (uint32_t i = 0; i < r->frame; i++)
        r->past[r->fill + i] = works * curve(r->curve, (float)speaker[i] * (1.0f / 32768.0f));
    r->fill += r->frame;
}

int ax_room_step(struct ax_room *r, const int16_t *speaker, const int16_t *talker, int16_t *mic)
{
    float x[MOST_FRAME];
    if (!r || !speaker || !mic)
        return AX_E_ARG;
    remember(r, speaker);
    const float echo = factor(get(r, AX_ROOM_ECHO_DB)), cover_db = get(r, AX_ROOM_COVER_DB), cover = factor(-cover_db);
    const float room = factor(get(r, AX_ROOM_NOISE_DB)) * sqrtf(3.0f), self = factor(SELF_NOISE_DB) * sqrtf(3.0f);
    const float pole = cover_db > 0 ? 1 - expf(-6.2832f * COVER_HZ / (float)r->rate) : 1;
    const size_t delay = (size_t)(get(r, AX_ROOM_DELAY) * (float)r->rate / 1000.0f);
    const float *from = r->past + r->fill - r->frame - delay - (r->taps - 1);
    const bool direct = r->taps == 1; /* No walls: nothing to add up. */
    for (uint32_t i = 0; i < r->frame; i++) {
        const float heard = direct ? from[i] * r->response[0] : r->dsp->dot(from + i, r->response, (int)r->taps);
        float y = echo * heard + room * noise(r);
        if (talker)
            y += (float)talker[i] * (1.0f / 32768.0f);
        r->low += pole * (cover * y - r->low);
        x[i] = r->low + self * noise(r);
    }
    pcm_to_i16(mic, x, r->frame);
    return AX_OK;
}

uint32_t ax_room_frame(const struct ax_room *r)
{
    return r->frame;
}

/* Backwards, and with an energy of 1. A made-up one: the direct sound, then noise that fades by 60 dB in rt60. */
static void init_response(struct ax_room *r, const struct ax_room_spec *spec)
{
    float energy = 0;
    for (size_t i = 0; i < r->taps; i++) {
        const float fade = 0.05f * expf(-6.9f * (float)i * 1000.0f / ((float)r->rate * (float)(spec->rt60_ms + 1)));
        const float h = spec->response ? spec->response[i] : i == 0 ? 1.0f : fade * noise(r);
        r->response[r->taps - 1 - i] = h;
        energy += h * h;
    }
    for (size_t i = 0; i < r->taps && energy > 0; i++)
        r->response[i] /= sqrtf(energy);
}

int ax_room_new(struct ax_room **out, const struct ax_room_spec *spec)
{
    if (!out || !spec)
        return AX_E_ARG;
    *out = NULL;
    if ((spec->rate != 8000 && spec->rate != 16000 && spec->rate != 32000 && spec->rate != 48000) ||
        spec->curve >= AX_ROOM_CURVE_END || spec->rt60_ms > 1000 || (spec->response && (spec->taps < 1 || spec->taps > AX_ROOM_TAPS)))
        return AX_E_RANGE;
    if (spec->response && !pcm_is_sound(spec->response, spec->taps, 1000.0f))
        return AX_E_RANGE;
    struct ax_room *r = calloc(1, sizeof *r);
    if (!r)
        return AX_E_NOMEM;
    r->dsp = ax_dsp_best();
    r->rate = spec->rate;
    r->frame = spec->rate / 100;
    r->curve = spec->curve;
    r->seed = spec->seed;
    const size_t made = 1 + (size_t)spec->rate * spec->rt60_ms / 2000; /* Down to -30 dB: the rest costs and is not heard. */
    r->taps = spec->response ? spec->taps : made > AX_ROOM_TAPS ? AX_ROOM_TAPS : made;
    r->keep = r->taps + (size_t)spec->rate * AX_ROOM_DELAY_MOST / 1000;
    r->size = r->keep + spec->rate;
    r->fill = r->keep;
    r->response = calloc(r->taps, sizeof *r->response);
    r->past = calloc(r->size, sizeof *r->past);
    if (!r->response || !r->past) {
        ax_room_free(r);
        return AX_E_NOMEM;
    }
    init_response(r, spec);
    r->set[AX_ROOM_ECHO_DB] = -10;
    r->set[AX_ROOM_NOISE_DB] = -70;
    r->set[AX_ROOM_SPEAKER] = 1;
    *out = r;
    return AX_OK;
}

void ax_room_free(struct ax_room *r)
{
    if (!r)
        return;
    free(r->response);
    free(r->past);
    free(r);
}
