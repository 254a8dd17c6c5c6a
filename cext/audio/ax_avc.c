/* A volume that follows the noise around the loudspeaker; see ax/agc.h. The noise is the least level of the microphone in the
 * last two seconds or so, taken only while the loudspeaker is quiet.
 * Units: frames of 10 ms, dB. Threads: an object belongs to one. Allocation: in `new`. */
#include "ax/agc.h"

#include "ax/err.h"
#include "ax/limit.h"
#include "ax_pcm.h"

#include <stdlib.h>

enum { MOST_FRAME = 480, QUIET_FRAMES = 30 };

#define RISE 0.08f          /* dB a frame that the noise may go up, */
#define FALL 0.25f          /* share of the way down that it goes. */
#define PLAYS (-65.0f)      /* dBFS from which on the loudspeaker plays. */
#define SLEW 0.04f          /* dB a frame, of the gain: 4 dB a second. */
#define SILENT (-100.0f)

struct ax_avc {
    struct ax_avc_spec spec;
    struct ax_limit *limit;
    uint32_t frame;
    float noise_db, gain_db, gain;
    int quiet; /* Frames since the loudspeaker played. */
    float x[MOST_FRAME];
};

int ax_avc_ambient(struct ax_avc *a, const int16_t *mic)
{
    if (!a || !mic)
        return AX_E_ARG;
    if (a->quiet < QUIET_FRAMES)
        return AX_OK;
    const float level = pcm_db(pcm_power_i16(mic, a->frame));
    if (a->noise_db <= SILENT)
        a->noise_db = level;
    else
        a->noise_db += level < a->noise_db ? FALL * (level - a->noise_db) : fminf(RISE, level - a->noise_db);
    return AX_OK;
}

int ax_avc_play(struct ax_avc *a, const int16_t *in, int16_t *out)
{
    if (!a || !in || !out)
        return AX_E_ARG;
    pcm_from_i16(a->x, in, a->frame);
    const bool plays = pcm_db(pcm_power(a->x, a->frame)) > PLAYS;
    a->quiet = plays ? 0 : a->quiet + (a->quiet < QUIET_FRAMES);
    const float want = fmaxf(0, fminf(a->spec.most_db, a->spec.slope * (a->noise_db - a->spec.quiet_db)));
    a->gain_db += fmaxf(-SLEW, fminf(SLEW, want - a->gain_db));
    const float gain = expf(a->gain_db * 0.115129255f), step = (gain - a->gain) / (float)a->frame;
    for (uint32_t i = 0; i < a->frame; i++)
        a->x[i] *= a->gain + step * (float)i;
    a->gain = gain;
    const int rc = ax_limit_f32(a->limit, a->x, a->x);
    pcm_to_i16(out, a->x, a->frame);
    return rc;
}

uint32_t ax_avc_frame(const struct ax_avc *a)
{
    return a->frame;
}

uint32_t ax_avc_latency(const struct ax_avc *a)
{
    return ax_limit_latency(a->limit);
}

float ax_avc_gain_db(const struct ax_avc *a)
{
    return a->gain_db;
}

float ax_avc_noise_db(const struct ax_avc *a)
{
    return a->noise_db;
}

void ax_avc_reset(struct ax_avc *a)
{
    a->noise_db = SILENT;
    a->gain_db = 0;
    a->gain = 1;
    a->quiet = QUIET_FRAMES;
    ax_limit_reset(a->limit);
}

int ax_avc_new(struct ax_avc **out, const struct ax_avc_spec *spec)
{
    if (!out || !spec)
        return AX_E_ARG;
    if (!(spec->quiet_db >= -90 && spec->quiet_db <= 0) || !(spec->most_db >= 0 && spec->most_db <= 30) ||
        !(spec->slope >= 0 && spec->slope <= 1))
        return AX_E_RANGE;
    struct ax_avc *a = calloc(1, sizeof *a);
    if (!a)
        return AX_E_NOMEM;
    const int rc = ax_limit_new(&a->limit, spec->rate, 0.966f);
    if (rc < 0) {
        free(a);
        return rc;
    }
    a->spec = *spec;
    a->frame = ax_limit_frame(a->limit);
    ax_avc_reset(a);
    *out = a;
    return AX_OK;
}

void ax_avc_free(struct ax_avc *a)
{
    if (a)
        ax_limit_free(a->limit);
    free(a);
}
