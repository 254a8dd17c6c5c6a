/* Sounds that follow one another, and clips on top. Units, threads, allocation: see ax/sound_mixer.h. */
#include "ax/sound_mixer.h"

#include "../siren/ax_siren_limit.h"
#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
#define FULL 32767.0f
#define MOST_GAIN 16

struct recording {
    struct ax_sound_clip clip; /* Without samples: it is over. */
    uint32_t at, left;         /* The next sample; how often it is still played, this time included. */
};

struct ax_sound_mixer {
    uint32_t rate, block;
    struct ax_sound now, next;
    bool changes;       /* `next` is to come. */
    uint64_t pos;       /* Of `now`, in the next block. */
    uint64_t seen;      /* Latest serial. */
    struct recording clip, next_clip;
    bool clip_changes;  /* `next_clip` is to come. */
    uint64_t clips_seen;
    int16_t other[];    /* A block. */
};

static bool known_rate(uint32_t rate)
{
    return rate == 8000 || rate == 16000 || rate == 32000 || rate == 44100 || rate == 48000;
}

int ax_sound_mixer_new(struct ax_sound_mixer **out, uint32_t rate, uint32_t block)
{
    if (out == NULL)
        return AX_E_ARG;
    *out = NULL;
    if (!known_rate(rate) || block < AX_SOUND_BLOCK_MIN || block > AX_SOUND_BLOCK_MAX)
        return AX_E_RANGE;
    struct ax_sound_mixer *mixer = calloc(1, sizeof *mixer + block * sizeof mixer->other[0]);
    if (mixer == NULL)
        return AX_E_NOMEM;
    mixer->rate = rate;
    mixer->block = block;
    *out = mixer;
    return AX_OK;
}

void ax_sound_mixer_free(struct ax_sound_mixer *mixer)
{
    free(mixer);
}

int ax_sound_mixer_put(struct ax_sound_mixer *mixer, const struct ax_sound *sound)
{
    if (mixer == NULL || sound == NULL)
        return AX_E_ARG;
    if (sound->tone != NULL
        && (ax_siren_rate(sound->tone) != mixer->rate || sound->intensity < 1 || sound->intensity > AX_SIREN_INTENSITIES))
        return AX_E_RANGE;
    mixer->next = *sound;
    mixer->changes = true;
    mixer->seen = sound->serial;
    if (sound->tone == NULL && mixer->now.tone == NULL)
        mixer->changes = false; /* Silent already. */
    return AX_OK;
}

int ax_sound_mixer_check_clip(const struct ax_sound_clip *clip)
{
    bool fits = clip->n > 0 && clip->n <= INT32_MAX && clip->gain >= 0 && clip->gain <= MOST_GAIN;
    return clip->samples == NULL || fits ? AX_OK : AX_E_RANGE;
}

int ax_sound_mixer_put_clip(struct ax_sound_mixer *mixer, const struct ax_sound_clip *clip)
{
    if (mixer == NULL || clip == NULL)
        return AX_E_ARG;
    int err = ax_sound_mixer_check_clip(clip);
    if (err != AX_OK)
        return err;
    mixer->next_clip = (struct recording){.clip = *clip, .left = clip->times};
    mixer->clips_seen = clip->serial;
    mixer->clip_changes = clip->samples != NULL || mixer->clip.clip.samples != NULL;
    return AX_OK;
}

bool ax_sound_mixer_sounds(const struct ax_sound_mixer *mixer)
{
    return mixer->now.tone != NULL || mixer->changes || mixer->clip.clip.samples != NULL || mixer->clip_changes;
}

static uint64_t position(const struct ax_sound_mixer *mixer, uint64_t epoch_ns, uint64_t t_ns)
{
    uint64_t gone = t_ns > epoch_ns ? t_ns - epoch_ns : 0;
    return gone / SECOND_NS * mixer->rate + gone % SECOND_NS * mixer->rate / SECOND_NS;
}

static void render(const struct ax_sound_mixer *mixer, const struct ax_sound *sound, uint64_t pos, int16_t *out)
{
    const struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = sound->intensity};
    if (sound->tone == NULL || ax_siren_render(sound->tone, &play, pos, out, mixer->block) < 0)
        memset(out, 0, mixer->block * sizeof *out);
}

/* Both in a block: one goes as the other comes. */
static void crossfade(const struct ax_sound_mixer *mixer, const int16_t *from, int16_t *out)
{
    int32_t n = (int32_t)mixer->block;
    for (int32_t i = 0; i < n; i++)
        out[i] = (int16_t)((from[i] * (n - i) + out[i] * i) / n);
}

static void tone_block(struct ax_sound_mixer *mixer, uint64_t t_ns, bool resume, int16_t *out)
{
    if (resume && !mixer->changes) {
        mixer->next = mixer->now;
        mixer->changes = true;
    }
    if (!mixer->changes) {
        render(mixer, &mixer->now, mixer->pos, out);
        mixer->pos += mixer->block;
        return;
    }
    uint64_t pos = position(mixer, mixer->next.epoch_ns, t_ns);
    render(mixer, &mixer->next, pos, out);
    if (mixer->now.tone != NULL || pos != 0) {
        render(mixer, &mixer->now, mixer->pos, mixer->other);
        crossfade(mixer, mixer->other, out);
    }
    mixer->now = mixer->next;
    mixer->pos = pos + mixer->block;
    mixer->changes = false;
}

/* The next sample of a recording, in full scales; 0 when it is over. */
static float take(struct recording *of)
{
    if (of->clip.samples == NULL)
        return 0;
    float sample = (float)of->clip.samples[of->at] * (of->clip.gain / FULL);
    if (++of->at == of->clip.n) {
        of->at = 0;
        if (of->clip.times != 0 && --of->left == 0)
            of->clip.samples = NULL;
    }
    return sample;
}

static void clip_block(struct ax_sound_mixer *mixer, int16_t *out)
{
    struct recording before = mixer->clip;
    float n = (float)mixer->block;
    if (mixer->clip_changes)
        mixer->clip = mixer->next_clip;
    for (uint32_t i = 0; i < mixer->block; i++) {
        float sum = (float)out[i] / FULL + take(&mixer->clip);
        if (mixer->clip_changes)
            sum += take(&before) * (1 - (float)i / n);
        out[i] = (int16_t)lrintf(siren_limit(sum) * FULL);
    }
    mixer->clip_changes = false;
}

void ax_sound_mixer_block(struct ax_sound_mixer *mixer, uint64_t t_ns, bool resume, int16_t *out)
{
    tone_block(mixer, t_ns, resume, out);
    if (mixer->clip.clip.samples != NULL || mixer->clip_changes)
        clip_block(mixer, out);
}

uint64_t ax_sound_mixer_done(const struct ax_sound_mixer *mixer)
{
    uint64_t done = mixer->seen;
    if (mixer->changes && mixer->next.tone != NULL && mixer->next.serial <= done)
        done = mixer->next.serial - 1;
    if (mixer->now.tone != NULL && mixer->now.serial <= done)
        done = mixer->now.serial - 1;
    return done;
}

uint64_t ax_sound_mixer_clips_done(const struct ax_sound_mixer *mixer)
{
    const struct ax_sound_clip *now = &mixer->clip.clip, *next = &mixer->next_clip.clip;
    uint64_t done = mixer->clips_seen;
    if (mixer->clip_changes && next->samples != NULL && next->serial <= done)
        done = next->serial - 1;
    if (now->samples != NULL && now->serial <= done)
        done = now->serial - 1;
    return done;
}
