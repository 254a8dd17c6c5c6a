/* One sound after the other, block by block and without a click. Sans-I/O: time comes in, samples go out; made for the sound
 * thread (ax/siren_thread.h).
 *
 * A sound is a tone from an epoch on: where it is in its program follows from the time alone, so that a sound which comes
 * back after another one goes on where it would be. Once it runs it counts samples, and so has no jitter. A change
 * takes one block: the old sound goes as the new one comes.
 *
 * Units: samples; ns of the clock that the caller gives. Threads: one. Allocation: only in new; a block allocates nothing. */
#ifndef AX_SIREN_MIXER_H
#define AX_SIREN_MIXER_H

#include "ax/siren.h"

#define AX_SIREN_BLOCK_MIN 32
#define AX_SIREN_BLOCK_MAX 4096

/** What is to be heard. */
struct ax_siren_sound {
    const struct ax_siren *tone; /**< At the mixer's rate; NULL: silence. Stays the caller's. */
    uint64_t epoch_ns;           /**< When it was, or would have been, at its beginning. One that is to come counts as now. */
    uint64_t serial;             /**< Rises from sound to sound. */
    uint8_t intensity;           /**< 1 .. AX_SIREN_INTENSITIES */
};

struct ax_siren_mixer;

/** Silent. AX_E_RANGE: rate or block. */
int ax_siren_mixer_new(struct ax_siren_mixer **out, uint32_t rate, uint32_t block);
void ax_siren_mixer_free(struct ax_siren_mixer *mixer);
/** From the next block on this is heard. Of several the last counts. AX_E_RANGE: the rate or the intensity. */
int ax_siren_mixer_put(struct ax_siren_mixer *mixer, const struct ax_siren_sound *sound);
/** Whether the next block has to be made: something sounds, or is about to. */
bool ax_siren_mixer_sounds(const struct ax_siren_mixer *mixer);
/** The next block; `t_ns` is the time of its first sample. Blocks are thought to follow one another: with `resume` there was
 * a gap, and the sound goes on where it would be. */
void ax_siren_mixer_block(struct ax_siren_mixer *mixer, uint64_t t_ns, bool resume, int16_t *out);
/** Tones of sounds up to this serial are not used any more. */
uint64_t ax_siren_mixer_done(const struct ax_siren_mixer *mixer);

#endif
