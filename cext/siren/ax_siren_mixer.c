/* Sounds that follow one another. Units, threads, allocation: see ax/siren_mixer.h. */
#include "ax/siren_mixer.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

struct ax_siren_mixer {
    uint32_t rate, block;
    struct ax_siren_sound now, next;
    bool changes;       /* `next` is to come. */
    uint64_t pos;       /* Of `now`, in the next block. */
    uint64_t seen;      /* Latest serial. */
    int16_t other[];    /* A block. */
};

static bool known_rate(uint32_t rate)
{
    return rate == 8000 || rate == 16000 || rate == 32000 || rate == 44100 || rate == 48000;
}

int ax_siren_mixer_new(struct ax_siren_mixer **out, uint32_t rate, uint32_t block)
{
    if (out == NULL)
        return AX_E_ARG;
    *out = NULL;
    if (!known_rate(rate) || block < AX_SIREN_BLOCK_MIN || block > AX_SIREN_BLOCK_MAX)
        return AX_E_RANGE;
    struct ax_siren_mixer *mixer = calloc(1, sizeof *mixer + block * sizeof mixer->other[0]);
    if (mixer == NULL)
        return AX_E_NOMEM;
    mixer->rate = rate;
    mixer->block = block;
    *out = mixer;
    return AX_OK;
}

void ax_siren_mixer_free(struct ax_siren_mixer *mixer)
{
    free(mixer);
}

int ax_siren_mixer_put(struct ax_siren_mixer *mixer, const struct ax_siren_sound *sound)
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

bool ax_siren_mixer_sounds(const struct ax_siren_mixer *mixer)
{
    return mixer->now.tone != NULL || mixer->changes;
}

static uint64_t position(const struct ax_siren_mixer *mixer, uint64_t epoch_ns, uint64_t t_ns)
{
    uint64_t gone = t_ns > epoch_ns ? t_ns - epoch_ns : 0;
    return gone / SECOND_NS * mixer->rate + gone % SECOND_NS * mixer->rate / SECOND_NS;
}

static void render(const struct ax_siren_mixer *mixer, const struct ax_siren_sound *sound, uint64_t pos, int16_t *out)
{
    const struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = sound->intensity};
    if (sound->tone == NULL || ax_siren_render(sound->tone, &play, pos, out, mixer->block) < 0)
        memset(out, 0, mixer->block * sizeof *out);
}

/* Both in a block: one goes as the other comes. */
static void crossfade(const struct ax_siren_mixer *mixer, const int16_t *from, int16_t *out)
{
    int32_t n = (int32_t)mixer->block;
    for (int32_t i = 0; i < n; i++)
        out[i] = (int16_t)((from[i] * (n - i) + out[i] * i) / n);
}

void ax_siren_mixer_block(struct ax_siren_mixer *mixer, uint64_t t_ns, bool resume, int16_t *out)
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

uint64_t ax_siren_mixer_done(const struct ax_siren_mixer *mixer)
{
    uint64_t done = mixer->seen;
    if (mixer->changes && mixer->next.tone != NULL && mixer->next.serial <= done)
        done = mixer->next.serial - 1;
    if (mixer->now.tone != NULL && mixer->now.serial <= done)
        done = mixer->now.serial - 1;
    return done;
}
